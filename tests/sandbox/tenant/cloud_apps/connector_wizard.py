# SPDX-License-Identifier: GPL-3.0-or-later
"""Write routes behind the sandbox's own connector wizard.

The real ones are not known (docs/facts/defender_for_cloud_apps.md#writing-a-connector). These are made up for the
sandbox: a client has to learn them from a capture of the portal page, and nothing else must rely on them.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import replace
from typing import Any

from ...web import Call, Reply, json_reply
from ..errors import portal_error
from ..routes import Route, Table
from ..state import PORTAL_USER, Tenant
from .connectors import DISABLED, OAUTH, PASSWORD, PENDING, Connector
from .data import SERVICENOW
from .instance_client import InstanceClient
from .list_query import value_at
from .traced_requests import traced_body


def submit(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Create a connector; it waits for its confirmation."""
    body = traced_body(tenant, call)
    wanted = _settings(call, body)
    connector = Connector(
        id=tenant.new_id(),
        number=_free_number(tenant),
        creator=PORTAL_USER,
        created=tenant.now_ms(),
        **wanted,
    )
    tenant.connectors[connector.id] = connector
    return _accepted(tenant, client, connector)


def edit(tenant: Tenant, call: Call, client: InstanceClient, connector: str) -> Reply:
    """Replace the details of a connector, as required for every token renewal and every re-enabling (1.2, 1.7)."""
    found = _found(tenant, connector)
    body = traced_body(tenant, call)
    changed = replace(found, **_settings(call, body))
    changed.attempt = found.attempt + 1
    found.attempt += 1
    changed.access_token = changed.refresh_token = ""
    changed.access_until = 0.0
    tenant.connectors[changed.id] = changed
    return _accepted(tenant, client, changed)


def confirm(tenant: Tenant, call: Call, client: InstanceClient, connector: str) -> Reply:
    """Start to connect."""
    found = _found(tenant, connector)
    body = traced_body(tenant, call)
    if value_at(body, "acknowledgement.accepted") is not True:
        raise portal_error(400, "BadRequest", "The acknowledgement is missing")
    client.connect(found)
    return json_reply(200, {"status": "OK", "data": {"connectorId": found.id, "phase": "CONNECTING"}})


def disable(tenant: Tenant, call: Call, client: InstanceClient, connector: str) -> Reply:
    """Disable a connector; its credentials are deleted."""
    found = _found(tenant, connector)
    if traced_body(tenant, call).get("desired") != "DISABLED":
        raise portal_error(400, "BadRequest", "To switch a connector on, enter its details again")
    found.disconnect()
    found.state, found.disabled_by = DISABLED, "console"
    return json_reply(200, {"status": "OK", "data": {"connectorId": found.id, "phase": "DISABLED"}})


def remove(tenant: Tenant, call: Call, client: InstanceClient, connector: str) -> Reply:
    """Delete a connector and its accounts; its activities stay."""
    found = _found(tenant, connector)
    found.disconnect()
    del tenant.connectors[found.id]
    tenant.entities[:] = [row for row in tenant.entities if row["connectorId"] != found.id]
    return json_reply(200, {"status": "OK", "data": {"connectorId": found.id, "phase": "REMOVED"}})


def posture(tenant: Tenant, call: Call, client: InstanceClient, connector: str) -> Reply:
    """Turn the Secure Score recommendations of an instance on or off (1.10)."""
    found = _found(tenant, connector)
    found.posture = traced_body(tenant, call).get("secureScore") is True
    return json_reply(200, {"status": "OK", "data": {"connectorId": found.id, "secureScore": found.posture}})


def _found(tenant: Tenant, connector: str) -> Connector:
    if connector not in tenant.connectors:
        raise portal_error(404, "NotFound", f"There is no connector {connector}")
    return tenant.connectors[connector]


def _free_number(tenant: Tenant) -> int:
    taken = {connector.number for connector in tenant.connectors.values()}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def _settings(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a connector from the wizard's request body."""
    if value_at(body, "connector.saasId") != SERVICENOW:
        raise portal_error(400, "BadRequest", "The wizard knows no such app")
    mode = {"OAUTH": OAUTH, "BASIC": PASSWORD}.get(value_at(body, "connector.access.mode"))
    if mode is None:
        raise portal_error(400, "BadRequest", "The mode is missing")
    found = {
        "name": value_at(body, "connector.label"),
        "instance_url": value_at(body, "connector.access.endpoint"),
        "username": value_at(body, "connector.access.identity.login"),
        "password": _hidden(value_at(body, "connector.access.identity.phrase")),
    }
    if mode == OAUTH:
        found["client_id"] = value_at(body, "connector.access.application.key")
        found["client_secret"] = value_at(body, "connector.access.application.secret")
    missing = [name for name, value in found.items() if not isinstance(value, str) or not value.strip()]
    if missing:
        raise portal_error(400, "BadRequest", f"Required: {', '.join(missing)}")
    if call.query.get("endpoint") != found["instance_url"]:
        raise portal_error(400, "BadRequest", "The endpoint of the address is not the one of the body")
    return {"client_id": "", "client_secret": "", **found, "mode": mode, "state": PENDING, "message": ""}


def _hidden(text: Any) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (TypeError, ValueError, binascii.Error):
        return None


def _accepted(tenant: Tenant, client: InstanceClient, connector: Connector) -> Reply:
    if not tenant.knobs.wizard_confirm:
        client.connect(connector)
    key = "appConnector" if tenant.knobs.wizard_answer == "field renamed" else "connector"
    content = {"id": connector.id, "label": connector.name, "phase": "AWAITS_CONFIRMATION"}
    status = 202 if tenant.knobs.wizard_answer == "other status" else 200
    return json_reply(status, {"status": "OK", "operationId": str(uuid.uuid4()), "data": {key: content}})


_ROOT = "/v1/connector_onboarding"
TABLE = Table(
    Route("POST", f"{_ROOT}/submissions", submit),
    Route("PUT", f"{_ROOT}/submissions/{{connector}}", edit),
    Route("POST", f"{_ROOT}/submissions/{{connector}}/confirmation", confirm),
    Route("PATCH", f"{_ROOT}/connectors/{{connector}}/power", disable),
    Route("PATCH", f"{_ROOT}/connectors/{{connector}}/posture", posture),
    Route("DELETE", f"{_ROOT}/connectors/{{connector}}", remove),
)
