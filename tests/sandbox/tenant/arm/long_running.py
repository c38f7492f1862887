# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running operations: started with 202, looked at until they are done (facts 3.4, 3.8)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ...web import Reply, json_reply
from . import operation_effects
from .errors import arm_error, not_found
from .provider_manifest import SECURITY
from .routes import Ask, Resource
from .scopes import GOVERNED
from .state import Row

if TYPE_CHECKING:
    from ..cloud_apps.instance_client import Link
    from ..state import Tenant

EXECUTE, DELETE_RULE, DELETE_INTEGRATION = "execute", "delete rule", "delete integration"


def begin(ask: Ask, kind: str, target: Row, **more: Any) -> Reply:
    """Start an operation on a rule or an integration; its effects come when it is done."""
    due = ask.now + ask.tenant.knobs.operation_seconds
    row = {"_id": str(uuid.uuid4()), "kind": kind, "target": target["_id"], "due": due, "status": "", **more}
    ask.arm.operations[row["_id"]] = row
    where = "operationResults" if ask.tenant.knobs.operation_style == "Location" else "operationStatuses"
    address = f"{ask.root}{target['_id']}/{where}/{row['_id']}?api-version={ask.version}"
    return _running(ask, ask.tenant.knobs.operation_style, address)


def _running(ask: Ask, header: str, address: str) -> Reply:
    reply = Reply(202)
    reply.headers[header] = address
    if ask.tenant.knobs.operation_retry_after:
        reply.headers["Retry-After"] = str(ask.tenant.knobs.operation_retry_after)
    return reply


def settle(tenant: Tenant, link: Link) -> None:
    """End the operations that are due; called before anybody looks."""
    for row in tenant.arm.operations.values():
        if not row["status"] and row["due"] <= tenant.now():
            row["status"] = tenant.knobs.operation_outcome
            if row["status"] == "Succeeded":
                _EFFECTS[row["kind"]](tenant, link, row)


_EFFECTS = {
    EXECUTE: operation_effects.execute,
    DELETE_RULE: operation_effects.delete_rule,
    DELETE_INTEGRATION: operation_effects.delete_integration,
}


def result(ask: Ask) -> Reply:
    """Answer in the style of Location: 202 while it runs."""
    row = _found(ask)
    if not row["status"]:
        # The address is told again with each answer.
        address = f"{ask.call.base}{ask.call.path}?{ask.call.query_text}"
        return _running(ask, "Location", address)
    if row["kind"] == DELETE_INTEGRATION:
        if row["status"] != "Succeeded":
            raise arm_error(500, "OperationFailed", f"The operation ended as {row['status']}.")
        return Reply(204)
    return json_reply(200, {"status": row["status"]})


def status(ask: Ask) -> Reply:
    """Answer in the style of Azure-AsyncOperation: always 200, the body tells."""
    row = _found(ask)
    content: Row = {
        "id": ask.call.path.removeprefix("/arm"),
        "name": row["_id"],
        "status": row["status"] or "InProgress",
    }
    if row["status"] in ("Failed", "Canceled"):
        content["error"] = {"code": f"Operation{row['status']}", "message": f"The operation ended as {row['status']}."}
    return json_reply(200, content)


def _found(ask: Ask) -> Row:
    row = ask.arm.operations.get(ask.names["operation"])
    if row is None or not row["target"].lower().endswith(f"/{ask.names['name'].lower()}"):
        raise not_found(f"Operation '{ask.names['operation']}' was not found.")
    return row


def _resources(kind: str) -> tuple[Resource, ...]:
    return tuple(
        Resource(
            SECURITY,
            f"{kind}/{where}",
            f"{kind}/{{name}}/{where}/{{operation}}",
            {"GET": handler},
            GOVERNED,
            action_kind=kind,
        )
        for where, handler in (("operationResults", result), ("operationStatuses", status))
    )


RESOURCES = (*_resources("governanceRules"), *_resources("integrations"))
