# SPDX-License-Identifier: GPL-3.0-or-later
"""Assessments, which the portal calls recommendations: one per type and resource.

See docs/facts/defender_for_cloud.md#assessments, docs/facts/defender_for_cloud.md#assessment-metadata.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..arm.scopes import SEGMENT

ASSESSMENTS_PATH, ASSESSMENTS_VERSION = "/providers/Microsoft.Security/assessments", "2025-05-04"
HEALTHY, UNHEALTHY, NOT_APPLICABLE = "Healthy", "Unhealthy", "NotApplicable"
STATUSES = [UNHEALTHY, HEALTHY, NOT_APPLICABLE]
SEVERITIES = ["Critical", "High", "Medium", "Low"]
KEY_PREFIX, KEY_DIGITS = "mdc-", 40
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
    return KEY_PREFIX + hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]


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
    return {
        "id": _text(assessment.get("id")),
        "key": assessment_key(_text(assessment.get("id"))),
        "name": _text(assessment.get("name")) or name,
        "display_name": _text(properties.get("displayName") or known.get("displayName")),
        "severity": _text(known.get("severity")),
        "risk_level": _text(_dict(properties.get("risk")).get("level")),
        "status": _text(status.get("code")),
        "cause": _text(status.get("cause")),
        "description": _text(status.get("description")),
        "first_evaluated_at": _text(status.get("firstEvaluationDate")),
        "changed_at": _text(status.get("statusChangeDate")),
        "resource_id": resource,
        "resource_name": _text(details.get("resourcename")) or resource.rsplit("/", 1)[-1],
        "resource_type": _text(details.get("resourcetype")) or resource_type(resource),
        "source": _text(details.get("source")).lower(),
        "connector": connector_of(resource),
        "subscription_id": _subscription(resource),
        "portal_url": _link(properties.get("links")),
        "assessment_description": _text(known.get("description")),
        "remediation": _text(known.get("remediationDescription")),
        "categories": [str(category) for category in known.get("categories") or []],
        "is_deprecated": is_past(_text(known.get("plannedDeprecationDate"))),
    }


def is_elsewhere(row: Mapping[str, Any]) -> bool:
    """Return whether a recommendation concerns a resource of another cloud or of a code host, which has a connector."""
    return bool(row["connector"]) or row["source"] not in ON_AZURE


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


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _lower(value: Any) -> dict[str, Any]:
    """Return a dict with its keys in lower case: Resource Manager writes `id`, Resource Graph `Id`."""
    return {str(key).lower(): entry for key, entry in _dict(value).items()}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
