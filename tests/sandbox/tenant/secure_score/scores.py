# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: Secure Score and its control profiles.

See docs/facts/microsoft_graph.md#secure-score, docs/facts/servicenow_hardening.md#secure-score-controls.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from ...web import Call, Reply, json_reply
from ..cloud_apps.connectors import Connector
from ..errors import graph_error
from ..graph import odata
from ..graph.permissions import require_security, throttle
from ..routes import Route, Table
from ..state import Row, Tenant
from . import posture
from .controls import Control

READ, WRITE = "SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"
STATES = ("Default", "Ignored", "ThirdParty", "Reviewed")
_VENDOR = {"provider": "SecureScore", "providerVersion": None, "subProvider": None, "vendor": "Microsoft"}
_MAX_DAYS = 90
_SINCE = "2026-01-01T00:00:00Z"


def scores(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/security/secureScores`: one snapshot a day, newest first."""
    require_security(tenant, call, READ, WRITE)
    throttle(tenant)
    today = datetime.fromtimestamp(tenant.now(), timezone.utc).date()
    _take_snapshot(tenant, today.isoformat())
    kept = {row["date"]: row for row in tenant.scores}
    days = [(today - timedelta(days=back)).isoformat() for back in range(_MAX_DAYS)]
    # Days before the first read of the tenant have scores without ServiceNow.
    rows = [_score(tenant, day, kept[day]["controlScores"] if day in kept else _scored(tenant, [])) for day in days]
    return json_reply(200, odata.page(call, rows, tenant.knobs.graph_page, "security/secureScores"))


def score(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer one snapshot by its id."""
    require_security(tenant, call, READ, WRITE)
    throttle(tenant)
    day = key.rpartition("_")[2]
    kept = {row["date"]: row["controlScores"] for row in tenant.scores}
    if key != f"{tenant.tenant_id}_{day}" or day not in kept:
        raise graph_error(404, "ResourceNotFound", f"Secure score '{key}' was not found.")
    return json_reply(200, _score(tenant, day, kept[day]))


def _take_snapshot(tenant: Tenant, day: str) -> None:
    snapshot = {"_id": day, "date": day, "controlScores": _scored(tenant, posture.scored_connectors(tenant))}
    tenant.scores[:] = [row for row in tenant.scores if row["date"] != day] + [snapshot]


def _scored(tenant: Tenant, connectors: list[Connector]) -> list[Row]:
    """The score of each control; those of ServiceNow only if an instance is connected."""
    read = max((connector.posture_read for connector in connectors), default=tenant.now_ms())
    found = []
    for control, is_retired in posture.listed_controls(tenant):
        if is_retired or (control.is_servicenow and not connectors):
            continue
        points, text = posture.score(tenant, control, connectors)
        found.append(
            {
                "controlCategory": control.category,
                "controlName": control.id,
                "description": control.title,
                "score": points,
                "implementationStatus": text,
                "scoreInPercentage": round(100 * points / control.points, 2),
                "lastSynced": _moment(read / 1000),
            }
        )
    return found


def _score(tenant: Tenant, day: str, controls: list[Row]) -> Row:
    points = {control.id: control.points for control, _ in posture.listed_controls(tenant)}
    return {
        "id": f"{tenant.tenant_id}_{day}",
        "azureTenantId": tenant.tenant_id,
        "activeUserCount": len(tenant.users),
        "createdDateTime": f"{day}T00:00:00Z",
        "currentScore": round(sum(row["score"] for row in controls), 2),
        "enabledServices": ["HasCASD"],
        "licensedUserCount": len(tenant.users),
        "maxScore": sum(points.get(row["controlName"], 0.0) for row in controls),
        "vendorInformation": _VENDOR,
        "averageComparativeScores": [{"basis": "AllTenants", "averageScore": 47.96}],
        "controlScores": controls,
    }


def profiles(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/security/secureScoreControlProfiles`."""
    require_security(tenant, call, READ, WRITE)
    throttle(tenant)
    rows = [
        _profile(tenant, place, control, is_retired)
        for place, (control, is_retired) in enumerate(posture.listed_controls(tenant), 1)
    ]
    return json_reply(200, odata.page(call, rows, tenant.knobs.graph_page, "security/secureScoreControlProfiles"))


def profile(tenant: Tenant, call: Call, control: str) -> Reply:
    """Answer a GET of one control profile."""
    require_security(tenant, call, READ, WRITE)
    throttle(tenant)
    context = f"{call.base}/graph/v1.0/$metadata#security/secureScoreControlProfiles/$entity"
    return json_reply(200, {"@odata.context": context, **_found(tenant, control)})


def update(tenant: Tenant, call: Call, control: str) -> Reply:
    """Answer a PATCH of one control profile: it marks the recommendation and changes nothing else (6.3)."""
    require_security(tenant, call, WRITE)
    throttle(tenant)
    _found(tenant, control)
    body = read_json(call)
    vendor = body.get("vendorInformation")
    if not isinstance(vendor, dict) or not vendor.get("vendor") or not vendor.get("provider"):
        raise graph_error(400, "BadRequest", "vendorInformation with provider and vendor is required.")
    state = body.get("state", "Default")
    if state not in STATES:
        raise graph_error(400, "BadRequest", f"'{state}' is not a state; one of {', '.join(STATES)}.")
    change = {
        "_id": tenant.new_id(),
        "control": control,
        "assignedTo": body.get("assignedTo") or "",
        "comment": body.get("comment") or "",
        "state": state,
        "updatedBy": "automation",
        "updatedDateTime": _moment(tenant.now()),
    }
    tenant.control_updates.append(change)
    if "return=representation" in call.headers.get("Prefer", ""):
        return json_reply(200, _found(tenant, control))
    return Reply(204)


def _found(tenant: Tenant, key: str) -> Row:
    for place, (control, is_retired) in enumerate(posture.listed_controls(tenant), 1):
        if control.id == key:
            return _profile(tenant, place, control, is_retired)
    raise graph_error(404, "ResourceNotFound", f"Secure score control profile '{key}' was not found.")


def _profile(tenant: Tenant, rank: int, control: Control, is_retired: bool) -> Row:
    updates = [
        {name: value for name, value in row.items() if name not in ("_id", "control")}
        for row in tenant.control_updates
        if row["control"] == control.id
    ]
    return {
        "id": control.id,
        "azureTenantId": tenant.tenant_id,
        "actionType": "Config",
        "actionUrl": "https://security.microsoft.com/securescore",
        "complianceInformation": [],
        "controlCategory": control.category,
        "controlStateUpdates": updates,
        "deprecated": is_retired,
        "implementationCost": "Low",
        "lastModifiedDateTime": updates[-1]["updatedDateTime"] if updates else _SINCE,
        "maxScore": control.points,
        "rank": rank,
        "remediation": f"Set {' or '.join(control.names)} {control.test}".strip() if control.names else "",
        "remediationImpact": "",
        "service": control.service,
        "threats": ["Account breach"],
        "tier": "Core",
        "title": control.title,
        "userImpact": "Low",
        "vendorInformation": _VENDOR,
    }


def read_json(call: Call) -> dict[str, Any]:
    """The JSON object of a write; raises Refused."""
    if "json" not in call.headers.get("Content-Type", ""):
        raise graph_error(415, "UnsupportedMediaType", "The content type must be application/json.")
    try:
        content = json.loads(call.body)
    except ValueError as error:
        raise graph_error(400, "BadRequest", "Unable to read JSON request payload.") from error
    if not isinstance(content, dict):
        raise graph_error(400, "BadRequest", "Unable to read JSON request payload.")
    return content


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


_ROOT = "/graph/v1.0/security"
TABLE = Table(
    Route("GET", f"{_ROOT}/secureScores", scores),
    Route("GET", f"{_ROOT}/secureScores/{{key}}", score),
    Route("GET", f"{_ROOT}/secureScoreControlProfiles", profiles),
    Route("GET", f"{_ROOT}/secureScoreControlProfiles/{{control}}", profile),
    Route("PATCH", f"{_ROOT}/secureScoreControlProfiles/{{control}}", update),
)
