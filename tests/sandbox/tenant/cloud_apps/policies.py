# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: undocumented routes that list, enable, disable and create them.

The route that creates a file policy is known, its body is not proven; that of an activity policy is made up, after its example.

See docs/facts/defender_for_cloud_apps.md#policy-routes.
"""

from __future__ import annotations

from ...web import Call, Reply, json_reply
from ..errors import portal_error
from ..routes import Route, Table
from ..state import Row, Tenant
from . import data
from .instance_client import InstanceClient
from .list_query import ListSpec, body_of, list_reply, select_rows

LIST_SPEC = ListSpec(
    {
        "type": "policyType",
        "name": "name",
        "severity": "severity",
        "enabled": "enabled",
        "lastModified": "lastModified",
    },
    date="lastModified",
)


def list_policies(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List policies of all types."""
    return list_reply(tenant, call, LIST_SPEC, tenant.policies)


def list_page(tenant: Tenant, call: Call, client: InstanceClient, kind: str) -> Reply:
    """List the policies of one page of the portal."""
    if kind not in data.POLICY_PAGES:
        raise _unknown(kind)
    return list_reply(
        tenant, call, LIST_SPEC, [row for row in tenant.policies if row["policyType"] in data.POLICY_PAGES[kind]]
    )


def get_policy(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Fetch one policy by its id."""
    return json_reply(200, _existing(tenant, key))


def get_policy_of_type(tenant: Tenant, call: Call, client: InstanceClient, kind: str, key: str) -> Reply:
    """Fetch one policy by its type and id."""
    row = _existing(tenant, key)
    if row["policyType"] != kind:
        raise _unknown(key)
    return json_reply(200, row)


def switch(tenant: Tenant, call: Call, client: InstanceClient, key: str, verb: str) -> Reply:
    """Enable or disable a policy."""
    if verb not in ("enable", "disable"):
        raise _unknown(verb)
    row = _existing(tenant, key)
    row.update(enabled=verb == "enable", lastModified=tenant.now_ms())
    return json_reply(200, {})


def create(tenant: Tenant, call: Call, client: InstanceClient, kind: str) -> Reply:
    """Create a policy from what the page of a template sends; it is enabled unless the body says otherwise."""
    if kind not in _CREATED:
        raise _unknown(kind)
    body = body_of(call)
    missing = [name for name in ("name", "severity", "filters") if not body.get(name)]
    if missing:
        raise portal_error(400, "BadRequest", f"{missing[0]} is required")
    if any(row["name"] == body["name"] for row in tenant.policies):
        raise portal_error(400, "BadRequest", f"A policy named {body['name']} exists")
    times = {"created": tenant.now_ms(), "lastModified": tenant.now_ms()}
    row = {
        "_id": tenant.new_id(),
        "enabled": True,
        "alertsEnabled": True,
        "description": "",
        **body,
        "policyType": _CREATED[kind],
        **times,
    }
    tenant.policies.append(row)
    return json_reply(200, {"_id": row["_id"]})


def delete(tenant: Tenant, call: Call, client: InstanceClient, key: str) -> Reply:
    """Delete a policy."""
    tenant.policies.remove(_existing(tenant, key))
    return json_reply(200, {})


def count(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Count policies."""
    total = select_rows(tenant, {"filters": body_of(call).get("filters")}, LIST_SPEC, list(tenant.policies))["total"]
    return json_reply(200, {"total": total, "moreThanTotal": False})


def metadata(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List the filters of policies; the real response is not published."""
    return json_reply(200, {"filters": [{"name": name} for name in LIST_SPEC.fields], "types": data.POLICY_TYPES})


def _unknown(what: str) -> Exception:
    return portal_error(404, "NotFound", f"There is no {what}")


def _existing(tenant: Tenant, key: str) -> Row:
    for row in tenant.policies:
        if row["_id"] == key:
            return row
    raise _unknown(key)


_CREATED = {"file": "FILE", "activity": "AUDIT"}
TABLE = Table(
    Route("POST", "/v1/policy/{kind}", create),
    Route("POST", "/v1/policies/count", count),
    Route("GET", "/v1/policies/metadata", metadata),
    Route("GET POST", "/v1/policies", list_policies),
    Route("POST", "/v1/policies/{key}/{verb}", switch),
    Route("GET", "/v1/policies/{kind}/{key}", get_policy_of_type),
    Route("GET", "/v1/policies/{key}", get_policy),
    Route("POST", "/v1/policies/{kind}", list_page),
    Route("DELETE", "/v1/policies/{key}", delete),
)
