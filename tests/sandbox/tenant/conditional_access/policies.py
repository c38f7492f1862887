# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: Conditional Access policies (docs/facts/microsoft_graph.md#conditional-access-policies).

Whether a part that a PATCH sends keeps what it leaves out is not documented; here a part is replaced, and `conditions` merged.
"""

from __future__ import annotations

import uuid
from typing import Any

from ...web import Call, Reply, json_reply
from ..errors import graph_error
from ..graph import odata
from ..routes import Route, Table
from ..secure_score.scores import read_json
from ..state import Row, Tenant
from .access import READ, WRITE, found, malformed, require, shown
from .enterprise_applications import app_ids

_STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
_TYPES = ("mcasConfigured", "monitorOnly", "blockDownloads")
_WRITABLE = {"displayName", "state", "conditions", "grantControls", "sessionControls"}
_CONDITIONS: Row = {
    "userRiskLevels": [],
    "signInRiskLevels": [],
    "servicePrincipalRiskLevels": [],
    "clientAppTypes": [],
    "platforms": None,
    "locations": None,
    "devices": None,
    "clientApplications": None,
    "applications": None,
    "users": None,
}
_LISTS = {
    "applications": ("includeApplications", "excludeApplications", "includeUserActions"),
    "users": tuple(f"{side}{kind}" for side in ("include", "exclude") for kind in ("Users", "Groups", "Roles")),
    "locations": ("includeLocations", "excludeLocations"),
}


def policies(tenant: Tenant, call: Call) -> Reply:
    """Answer a GET of all policies."""
    require(tenant, call, READ)
    rows = [shown(row) for row in tenant.conditional_access_policies]
    return json_reply(200, odata.page(call, rows, tenant.knobs.graph_page, "conditionalAccess/policies"))


def policy(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a GET of one policy."""
    require(tenant, call, READ)
    return json_reply(200, shown(found(tenant.conditional_access_policies, key)))


def create(tenant: Tenant, call: Call) -> Reply:
    """Answer a POST; names need not be unique."""
    require(tenant, call, READ, WRITE, "Application.Read.All")
    body, key = odata.without_annotations(read_json(call)), str(uuid.uuid4())
    blank = {"templateId": None, "createdDateTime": odata.moment(tenant.now()), "modifiedDateTime": None}
    row = _changed(
        {"_id": key, "id": key, **blank, "conditions": {}, "grantControls": None, "sessionControls": None}, body
    )
    _check(tenant, row)
    tenant.conditional_access_policies.append(row)
    return json_reply(201, shown(row))


def update(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer a PATCH: what is not sent stays."""
    require(tenant, call, READ, WRITE, "Application.Read.All")
    row, body = found(tenant.conditional_access_policies, key), odata.without_annotations(read_json(call))
    changed = {**_changed(row, body), "modifiedDateTime": odata.moment(tenant.now())}
    _check(tenant, changed)
    row.update(changed)
    return Reply(204)


def _changed(row: Row, body: Row) -> Row:
    unknown = sorted(set(body) - _WRITABLE)
    if unknown:
        raise graph_error(400, "BadRequest", f"Invalid property '{unknown[0]}'.")
    conditions: Row = {**_CONDITIONS, **row["conditions"], **(body.get("conditions") or {})}
    for name, lists in _LISTS.items():
        if conditions[name]:
            conditions[name] = {**dict.fromkeys(lists, []), **conditions[name]}
    return {**row, **body, "conditions": conditions}


def _check(tenant: Tenant, row: Row) -> None:
    if not row.get("displayName") or row.get("state") not in _STATES:
        raise graph_error(400, "BadRequest", "displayName or state is missing or invalid.")
    conditions = row["conditions"]
    _check_applications(tenant, conditions["applications"] or {})
    if not conditions["clientAppTypes"]:
        raise malformed(
            1064, "'clientAppTypes' condition does not support []. If you want to target all client apps, use ['All']."
        )
    users = conditions["users"] or {}
    if not any(users.get(f"include{kind}") for kind in ("Users", "Groups", "Roles", "GuestsOrExternalUsers")):
        raise graph_error(400, "BadRequest", "The 'users' condition must specify the users or groups to include.")
    locations = {row["id"] for row in tenant.named_locations} | {"All", "AllTrusted"}
    condition: Row = conditions["locations"] or {}
    named = [*condition.get("includeLocations", []), *condition.get("excludeLocations", [])]
    if set(named) - locations:
        raise graph_error(400, "BadRequest", f"The named location {min(set(named) - locations)} does not exist.")
    _check_controls(row)


def _check_applications(tenant: Tenant, applications: Row) -> None:
    wanted: list[Any] = applications.get("includeApplications") or []
    if not wanted and not applications.get("includeUserActions"):
        text = "'applications' condition must specify the applications to include. Try 'includeApplications' = ['none'] to start with."
        raise malformed(1011, text)
    unknown = set(wanted) - app_ids(tenant) - {"All", "None", "Office365"}
    if unknown:
        raise graph_error(400, "BadRequest", f"The application {min(unknown)} does not exist in the directory.")


def _check_controls(row: Row) -> None:
    session: Row = row.get("sessionControls") or {}
    if not row.get("grantControls") and not any(session.values()):
        raise graph_error(400, "BadRequest", "A policy must have a grant or session control.")
    control = session.get("cloudAppSecurity")
    if control and control.get("cloudAppSecurityType") not in _TYPES:
        raise graph_error(400, "BadRequest", f"Requested value '{control.get('cloudAppSecurityType')}' was not found.")


_PATH = "/graph/v1.0/identity/conditionalAccess/policies"
TABLE = Table(
    Route("GET", _PATH, policies),
    Route("POST", _PATH, create),
    Route("GET", f"{_PATH}/{{key}}", policy),
    Route("PATCH", f"{_PATH}/{{key}}", update),
)
