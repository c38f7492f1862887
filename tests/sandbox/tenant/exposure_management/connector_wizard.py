# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes behind the sandbox's own page of data connectors.

The real ones are not known (docs/facts/exposure_management.md#data-connector). These are made up for the sandbox: a client has to
learn them from a capture of the page, and nothing else must rely on them. An instance can be connected twice.
"""

from __future__ import annotations

import uuid
from typing import Any

from ...web import Call, Reply, json_reply
from ..cloud_apps.instance_client import InstanceClient
from ..cloud_apps.list_query import value_at
from ..cloud_apps.traced_requests import traced_body
from ..errors import portal_error
from ..routes import Route, Table
from ..state import Row, Tenant
from .cmdb_reader import BASIC, CLIENT_CREDENTIALS, CONNECTING, start_reading

SERVICENOW = "ServiceNowCmdb"
# A connector of another product, which has no instance.
_OTHER = {
    "dataConnectorId": "0d7a6f54-9a53-4b7e-8a11-6c1f4f0c2b90",
    "vendor": "QualysVm",
    "settings": {"region": "EU1"},
}


def connectors(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """List the data connectors of all products."""
    rows = [_row(connector) for connector in tenant.data_connectors]
    return json_reply(
        200, {"value": [{**_OTHER, "status": {"state": "Connected", "error": None}}, *rows], "nextLink": None}
    )


def connect(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Connect an instance."""
    wanted = _settings(traced_body(tenant, call))
    connector = {"_id": str(uuid.uuid4()), "created": tenant.now_ms(), "attempt": 0, **wanted}
    tenant.data_connectors.append(connector)
    start_reading(tenant, client, connector, call.base)
    return json_reply(201, {"dataConnectorId": connector["_id"], "provisioning": "Accepted"})


def edit(tenant: Tenant, call: Call, client: InstanceClient, connector: str) -> Reply:
    """Replace the details of a connector."""
    found = _found(tenant, connector)
    found.update(_settings(traced_body(tenant, call)))
    start_reading(tenant, client, found, call.base)
    return json_reply(200, {"dataConnectorId": connector, "provisioning": "Accepted"})


def disconnect(tenant: Tenant, call: Call, client: InstanceClient, connector: str) -> Reply:
    """Remove a connector; its assets stay."""
    found = _found(tenant, connector)
    tenant.data_connectors.remove(found)
    return Reply(204, b"")


def _found(tenant: Tenant, connector: str) -> Row:
    found = next((row for row in tenant.data_connectors if row["_id"] == connector), None)
    if found is None:
        raise portal_error(404, "NotFound", f"There is no data connector {connector}")
    return found


def _row(connector: Row) -> Row:
    kind = connector["mode"]
    return {
        "dataConnectorId": connector["_id"],
        "vendor": SERVICENOW,
        "settings": {
            "instance": connector["instance"],
            "authentication": {"kind": kind, "identity": connector["identity"]},
        },
        "status": {"state": connector["state"], "error": connector["message"] or None},
    }


def _settings(body: Row) -> dict[str, Any]:
    """The fields of a connector from the body of the page's request."""
    if body.get("vendor") != SERVICENOW:
        raise portal_error(400, "BadRequest", "There is no such product")
    kind = value_at(body, "settings.authentication.kind")
    names = {CLIENT_CREDENTIALS: ("clientId", "clientSecret"), BASIC: ("userName", "password")}.get(str(kind))
    if names is None:
        raise portal_error(400, "BadRequest", "The kind of authentication is missing")
    found = {
        "instance": value_at(body, "settings.instance"),
        "identity": value_at(body, f"settings.authentication.{names[0]}"),
        "secret": value_at(body, f"settings.authentication.{names[1]}"),
    }
    missing = [name for name, value in found.items() if not isinstance(value, str) or not value.strip()]
    if missing:
        raise portal_error(400, "BadRequest", f"Required: {', '.join(missing)}")
    if "://" in str(found["instance"]):
        raise portal_error(400, "BadRequest", "Enter the host name of the instance without https://")
    return {**found, "mode": kind, "state": CONNECTING, "message": ""}


_ROOT = "/v1/dataConnectors"
TABLE = Table(
    Route("GET", _ROOT, connectors),
    Route("POST", _ROOT, connect),
    Route("PUT", f"{_ROOT}/{{connector}}", edit),
    Route("DELETE", f"{_ROOT}/{{connector}}", disconnect),
)
