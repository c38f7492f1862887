# SPDX-License-Identifier: GPL-3.0-or-later
"""One incident, and the words for its status, classification and determination.

See docs/facts/microsoft_graph.md#alerts-and-incidents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...stable_key import stable_key

ACTIVE, IN_PROGRESS, RESOLVED, REDIRECTED = "active", "in_progress", "resolved", "redirected"
WRITABLE_STATUSES = (ACTIVE, IN_PROGRESS, RESOLVED)
CLASSIFICATIONS = ("unknown", "false_positive", "true_positive", "informational_expected_activity")
# Those of the resource and those of its update, which the pages list differently.
DETERMINATIONS = (
    "unknown", "apt", "malware", "security_personnel", "security_testing", "unwanted_software", "other",
    "multi_staged_attack", "compromised_account", "compromised_user", "phishing", "malicious_user_activity", "not_malicious",
    "not_enough_data_to_validate", "clean", "insufficient_data", "confirmed_activity", "confirmed_user_activity",
    "line_of_business_application",
)  # fmt: skip
KEY_PREFIX = "incident-"


def incident_key(tenant_id: str, incident_id: str) -> str:
    """Return the stable key of an incident: `incident-` and 40 hex digits of a digest of tenant and id."""
    return stable_key(KEY_PREFIX, f"{tenant_id.strip().lower()}/{incident_id.strip()}")


def spelled(known: Sequence[str], value: str) -> str:
    """Return the word of `known` that a value means, in any case and with or without underscores; "" for none."""
    folded = value.replace("_", "").strip().casefold()
    return next((word for word in known if word.replace("_", "") == folded), "")


def on_the_wire(word: str) -> str:
    """Return a word as Graph spells it: `in_progress` as `inProgress`."""
    first, *rest = word.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _in_our_words(value: Any) -> str:
    """Return a value of Graph in lower case with underscores; older pages write it with a capital."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(value or "")).lower()


def incident_row(incident: Mapping[str, Any]) -> dict[str, Any]:
    """Return an incident as one flat row (RETURN of graph_incident_info)."""
    incident_id, tenant = str(incident.get("id") or ""), str(incident.get("tenantId") or "")
    return {
        "id": incident_id,
        "key": incident_key(tenant, incident_id),
        "display_name": str(incident.get("displayName") or ""),
        "status": _in_our_words(incident.get("status")),
        "severity": _in_our_words(incident.get("severity")),
        "classification": _in_our_words(incident.get("classification")) or "unknown",
        "determination": _in_our_words(incident.get("determination")) or "unknown",
        "assigned_to": str(incident.get("assignedTo") or ""),
        "tags": [str(tag) for tag in incident.get("customTags") or []],
        "system_tags": [str(tag) for tag in incident.get("systemTags") or []],
        "description": str(incident.get("description") or incident.get("summary") or ""),
        "created_at": str(incident.get("createdDateTime") or ""),
        "updated_at": str(incident.get("lastUpdateDateTime") or ""),
        "portal_url": str(incident.get("incidentWebUrl") or ""),
        "redirect_incident_id": str(incident.get("redirectIncidentId") or ""),
        "comments": [_comment(each) for each in incident.get("comments") or [] if isinstance(each, Mapping)],
        "alerts": [_alert(each) for each in incident.get("alerts") or [] if isinstance(each, Mapping)],
    }


def _comment(comment: Mapping[str, Any]) -> dict[str, str]:
    """Return a comment; the pages name its author and time in two ways."""
    return {
        "comment": str(comment.get("comment") or ""),
        "created_by": str(comment.get("createdByDisplayName") or comment.get("createdBy") or ""),
        "created_at": str(comment.get("createdDateTime") or comment.get("createdTime") or ""),
    }


def _alert(alert: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": str(alert.get("id") or ""),
        "provider_alert_id": str(alert.get("providerAlertId") or ""),
        "title": str(alert.get("title") or ""),
        "severity": _in_our_words(alert.get("severity")),
        "status": _in_our_words(alert.get("status")),
        "source": str(alert.get("serviceSource") or ""),
    }
