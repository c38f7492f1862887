# SPDX-License-Identifier: GPL-3.0-or-later
"""The initial incidents and alerts of Microsoft Defender; all made up (docs/facts/microsoft_graph.md#alerts-and-incidents)."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
_PORTAL = "https://security.microsoft.com"
# id | title | severity | status | incident that it was merged into
_INCIDENTS = """
28282 | Mass download by one user in ServiceNow  | medium        | active     |
28283 | Impossible travel activity               | high          | inProgress |
28284 | Impossible travel activity               | medium        | redirected | 28283
28285 | Suspicious administrative activity       | informational | resolved   |
"""
# id | incident | title | severity | status | category
_ALERTS = """
ca63b8ac0b | 28282 | Mass download by a single user      | medium        | new        | Exfiltration
ca63b8ac1c | 28283 | Impossible travel activity          | high          | inProgress | InitialAccess
ca63b8ac2d | 28283 | Activity from infrequent country    | medium        | new        | InitialAccess
ca63b8ac3e | 28285 | Unusual administrative activity     | informational | resolved   | Persistence
"""
_SEEN = "2026-03-01T08:{:02d}:00.5233333Z"


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def incidents(tenant_id: str) -> list[Row]:
    """The incidents of a tenant; one was merged into another."""
    rows: list[Row] = []
    for number, (key, title, severity, status, target) in enumerate(_cells(_INCIDENTS)):
        rows.append(
            {
                "_id": key,
                "id": key,
                "tenantId": tenant_id,
                "status": status,
                "incidentWebUrl": f"{_PORTAL}/incidents/{key}?tid={tenant_id}",
                "redirectIncidentId": target or None,
                "displayName": title,
                "createdDateTime": _SEEN.format(number),
                "lastUpdateDateTime": _SEEN.format(number + 10),
                "assignedTo": None,
                "classification": "unknown",
                "determination": "unknown",
                "severity": severity,
                "customTags": [],
                "systemTags": [],
                "description": None,
                "summary": None,
                "resolvingComment": None,
                "lastModifiedBy": "Microsoft 365 Defender-AlertCorrelation",
                "comments": [],
            }
        )
    return rows


def alerts(tenant_id: str) -> list[Row]:
    """The alerts of these incidents, from Defender for Cloud Apps."""
    rows: list[Row] = []
    for number, (key, incident, title, severity, status, category) in enumerate(_cells(_ALERTS)):
        row_id = f"{key}_-961444813"
        rows.append(
            {
                "_id": row_id,
                "id": row_id,
                "providerAlertId": key,
                "incidentId": incident,
                "status": status,
                "severity": severity,
                "classification": None,
                "determination": None,
                "serviceSource": "microsoftDefenderForCloudApps",
                "detectionSource": "cloudAppSecurity",
                "productName": "Microsoft Defender for Cloud Apps",
                "detectorId": None,
                "tenantId": tenant_id,
                "title": title,
                "description": f"{title} was detected.",
                "recommendedActions": "",
                "category": category,
                "assignedTo": None,
                "alertWebUrl": f"{_PORTAL}/alerts/{row_id}?tid={tenant_id}",
                "incidentWebUrl": f"{_PORTAL}/incidents/{incident}?tid={tenant_id}",
                "actorDisplayName": None,
                "threatDisplayName": None,
                "threatFamilyName": None,
                "mitreTechniques": [],
                "createdDateTime": _SEEN.format(number),
                "lastUpdateDateTime": _SEEN.format(number + 10),
                "resolvedDateTime": _SEEN.format(number + 10) if status == "resolved" else None,
                "firstActivityDateTime": _SEEN.format(number),
                "lastActivityDateTime": _SEEN.format(number),
                "systemTags": [],
                "alertPolicyId": None,
                "customDetails": {},
                "comments": [],
                "evidence": [],
            }
        )
    return rows
