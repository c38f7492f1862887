# SPDX-License-Identifier: GPL-3.0-or-later
"""Assessments, which the portal calls recommendations: one per type and resource.

See docs/facts/defender_for_cloud.md#assessments, docs/facts/defender_for_cloud.md#assessment-metadata.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ...engine.errors import InvalidInput
from ...stable_key import stable_key
from ..arm.scopes import SEGMENT

ASSESSMENTS_PATH, ASSESSMENTS_VERSION = "/providers/Microsoft.Security/assessments", "2025-05-04"
HEALTHY, UNHEALTHY, NOT_APPLICABLE = "Healthy", "Unhealthy", "NotApplicable"
STATUSES = [UNHEALTHY, HEALTHY, NOT_APPLICABLE]
SEVERITIES = ["Critical", "High", "Medium", "Low"]
RISK_LEVELS = [*SEVERITIES, "None"]
# The cause of a status that an exemption gives (docs/facts/defender_for_cloud.md#exempt-resources).
EXEMPT = "exempt"
KEY_PREFIX = "mdc-"
CONNECTOR_PATH = re.compile(
    rf"/subscriptions/{SEGMENT}/resourceGroups/{SEGMENT}/providers/Microsoft\.Security/securityConnectors/{SEGMENT}",
    re.I,
)
# Sources that have no connector (docs/facts/defender_for_cloud.md#assessments).
ON_AZURE = frozenset({"", "azure", "onpremise", "onpremisesql"})


def assessment_key(assessment_id: str) -> str:
    """Return the stable key of an assessment: `mdc-` and the first 40 hex digits of the SHA-256 of its id.

    The id is hashed in lower case and without surrounding slashes, as Azure ignores case and examples differ in the first
    slash. With 44 characters it always fits into the 100 of ServiceNow's `correlation_id`.
    """
    text = assessment_id.strip().strip("/").lower()
    return stable_key(KEY_PREFIX, text)


def split_id(assessment_id: str) -> tuple[str, str]:
    """Return the assessed resource's id and the assessment's name; ("", "") where it is not the id of an assessment."""
    start = assessment_id.lower().rfind(f"{ASSESSMENTS_PATH.lower()}/")
    if start < 0:
        return "", ""
    resource = f"/{assessment_id[:start].strip('/')}"
    return resource, assessment_id[start + len(ASSESSMENTS_PATH) + 1 :].split("/", 1)[0]


def connector_of(resource_id: str) -> str:
    """Return the id of the security connector of a resource, "" for a resource of Azure."""
    found = CONNECTOR_PATH.match(resource_id)
    return found.group() if found else ""


def recommendation(assessment: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return an assessment, joined with the `properties` of its metadata, as one flat row (RETURN of mdc_recommendation_info)."""
    properties = _dict(assessment.get("properties"))
    status, details = _dict(properties.get("status")), _lower(properties.get("resourceDetails"))
    resource, name = split_id(str(assessment.get("id") or ""))
    resource = _text(details.get("id")) or resource
    known = {**metadata, **_dict(properties.get("metadata"))}
    risk = _dict(properties.get("risk"))
    return {
        "id": _text(assessment.get("id")),
        "key": assessment_key(_text(assessment.get("id"))),
        "name": _text(assessment.get("name")) or name,
        "display_name": _text(properties.get("displayName") or known.get("displayName")),
        "severity": _spelled(SEVERITIES, known.get("severity")),
        "risk_level": _spelled(RISK_LEVELS, risk.get("level")),
        "attack_paths": len(risk.get("attackPathsReferences") or risk.get("paths") or []),
        "status": _spelled(STATUSES, status.get("code")),
        "cause": _text(status.get("cause")),
        "is_exempt": _text(status.get("cause")).casefold() == EXEMPT,
        "description": _text(status.get("description")),
        "first_evaluated_at": _text(status.get("firstEvaluationDate")),
        "changed_at": _text(status.get("statusChangeDate")),
        "resource_id": resource,
        "resource_name": _text(details.get("resourcename")) or resource.rsplit("/", 1)[-1],
        "resource_type": _text(details.get("resourcetype")) or resource_type(resource),
        "source": _text(details.get("source")).lower(),
        "environment": environment_of(_text(details.get("source")), resource),
        "connector": connector_of(resource),
        "subscription_id": _subscription(resource),
        "resource_group": _resource_group(resource),
        "portal_url": _link(properties.get("links")),
        "assessment_description": _text(known.get("description")),
        "remediation": _text(known.get("remediationDescription")),
        "recommendation_category": _text(known.get("recommendationCategory")),
        "categories": [str(category) for category in known.get("categories") or []],
        "is_deprecated": is_past(_text(known.get("plannedDeprecationDate"))),
    }


def is_elsewhere(row: Mapping[str, Any]) -> bool:
    """Return whether a recommendation concerns a resource of another cloud or of a code host, which has a connector."""
    return bool(row["connector"]) or row["source"] not in ON_AZURE


def environment_of(source: str, resource_id: str) -> str:
    """Return where a resource is: azure, aws, gcp, on_premises (also machines of Azure Arc), or the source in lower case."""
    if source.casefold().startswith("onpremise") or "/providers/microsoft.hybridcompute/" in resource_id.casefold():
        return "on_premises"
    return source.casefold() or "azure"


def resource_type(resource_id: str) -> str:
    """Return the type in a resource id, such as `Microsoft.Compute/virtualMachines`."""
    before, found, after = resource_id.rpartition("/providers/")
    if not found:
        parts = [part for part in resource_id.split("/") if part]
        return f"Microsoft.Resources/{'/'.join(parts[::2])}" if parts else ""
    provider, *rest = after.split("/")
    return "/".join([provider, *rest[::2]])


def is_past(month: str) -> bool:
    """Return whether `month` (MM/YYYY, the planned end of an assessment in its metadata) is over."""
    found = re.fullmatch(r"(\d{2})/(\d{4})", month)
    if not found:
        return False
    now = datetime.now(timezone.utc)
    return (int(found.group(2)), int(found.group(1))) < (now.year, now.month)


def _link(links: Any) -> str:
    """Return the portal's address; some responses omit the scheme."""
    url = _text(_dict(links).get("azurePortalUri") or _dict(links).get("azurePortal"))
    return url if not url or "://" in url else f"https://{url}"


def _subscription(resource_id: str) -> str:
    parts = resource_id.split("/")
    return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def _resource_group(resource_id: str) -> str:
    parts = resource_id.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _lower(value: Any) -> dict[str, Any]:
    """Return a dict with its keys in lower case: Resource Manager writes `id`, Resource Graph `Id`."""
    return {str(key).lower(): entry for key, entry in _dict(value).items()}


def severities_of(given: Sequence[str] | None) -> list[str]:
    """Return the severities that an option names in any case, as the platform spells them; raise `InvalidInput` for others."""
    return _named("severities", "severity", SEVERITIES, given)


def risk_levels_of(given: Sequence[str] | None) -> list[str]:
    """Return the risk levels that an option names, like `severities_of`."""
    return _named("risk_levels", "risk level", RISK_LEVELS, given)


def _named(option: str, noun: str, known: Sequence[str], given: Sequence[str] | None) -> list[str]:
    found = [_spelled(known, name.strip()) for name in given or []]
    for name in found:
        if name not in known:
            raise InvalidInput(f"{option}: {name!r} is no {noun}; they are {', '.join(known)}")
    return found


def _spelled(names: Sequence[str], value: Any) -> str:
    """Return a value as `names` spell it: the platform ignores case."""
    text = _text(value)
    return next((name for name in names if name.casefold() == text.casefold()), text)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
