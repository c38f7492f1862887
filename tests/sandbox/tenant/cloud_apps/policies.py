# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: undocumented routes that list them and switch them on and off (Cloud Apps facts 8.2)."""

from __future__ import annotations

from ...web import Call, Reply, json_reply
from ..errors import portal_error
from ..routes import Route, Table
from ..state import Row, Tenant
from . import data
from .instance_client import Link
from .list_query import Grid, answer, body_of, listed

GRID = Grid(
    {
        "type": "policyType",
        "name": "name",
        "severity": "severity",
        "enabled": "enabled",
        "lastModified": "lastModified",
    },
    date="lastModified",
)


def listing(tenant: Tenant, call: Call, link: Link) -> Reply:
    """List policies of all types."""
    return answer(tenant, call, GRID, tenant.policies)


def page(tenant: Tenant, call: Call, link: Link, kind: str) -> Reply:
    """List the policies of one page of the portal."""
    if kind not in data.POLICY_PAGES:
        raise _unknown(kind)
    return answer(tenant, call, GRID, [row for row in tenant.policies if row["policyType"] in data.POLICY_PAGES[kind]])


def one(tenant: Tenant, call: Call, link: Link, key: str) -> Reply:
    """Fetch one policy by its id."""
    return json_reply(200, _one(tenant, key))


def typed(tenant: Tenant, call: Call, link: Link, kind: str, key: str) -> Reply:
    """Fetch one policy by its type and id."""
    row = _one(tenant, key)
    if row["policyType"] != kind:
        raise _unknown(key)
    return json_reply(200, row)


def switch(tenant: Tenant, call: Call, link: Link, key: str, verb: str) -> Reply:
    """Switch a policy on or off."""
    if verb not in ("enable", "disable"):
        raise _unknown(verb)
    row = _one(tenant, key)
    row.update(enabled=verb == "enable", lastModified=tenant.now_ms())
    return json_reply(200, {})


def delete(tenant: Tenant, call: Call, link: Link, key: str) -> Reply:
    """Delete a policy."""
    tenant.policies.remove(_one(tenant, key))
    return json_reply(200, {})


def count(tenant: Tenant, call: Call, link: Link) -> Reply:
    """Count policies."""
    total = listed(tenant, {"filters": body_of(call).get("filters")}, GRID, list(tenant.policies))["total"]
    return json_reply(200, {"total": total, "moreThanTotal": False})


def metadata(tenant: Tenant, call: Call, link: Link) -> Reply:
    """Say what the grid of policies can be filtered by; the real answer is not published."""
    return json_reply(200, {"filters": [{"name": name} for name in GRID.fields], "types": data.POLICY_TYPES})


def _unknown(what: str) -> Exception:
    return portal_error(404, "NotFound", f"There is no {what}")


def _one(tenant: Tenant, key: str) -> Row:
    for row in tenant.policies:
        if row["_id"] == key:
            return row
    raise _unknown(key)


TABLE = Table(
    Route("POST", "/v1/policies/count", count),
    Route("GET", "/v1/policies/metadata", metadata),
    Route("GET POST", "/v1/policies", listing),
    Route("POST", "/v1/policies/{key}/{verb}", switch),
    Route("GET", "/v1/policies/{kind}/{key}", typed),
    Route("GET", "/v1/policies/{key}", one),
    Route("POST", "/v1/policies/{kind}", page),
    Route("DELETE", "/v1/policies/{key}", delete),
)
