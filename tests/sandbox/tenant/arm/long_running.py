# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running operations: started with 202, polled until they are finished.

See docs/facts/defender_for_cloud.md#governance-rules, docs/facts/defender_for_cloud.md#long-running-operations.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ...web import Reply, json_reply
from . import operation_effects
from .errors import arm_error, not_found
from .provider_manifest import SECURITY
from .routes import ArmRequest, Resource
from .scopes import GOVERNED
from .state import Row

if TYPE_CHECKING:
    from ..cloud_apps.instance_client import InstanceClient
    from ..state import Tenant

EXECUTE, DELETE_RULE, DELETE_INTEGRATION = "execute", "delete rule", "delete integration"


def start_operation(request: ArmRequest, kind: str, target: Row, **more: Any) -> Reply:
    """Start an operation on a rule or an integration; its effects apply when it is finished."""
    due = request.now + request.tenant.knobs.operation_seconds
    row = {"_id": str(uuid.uuid4()), "kind": kind, "target": target["_id"], "due": due, "status": "", **more}
    request.arm.operations[row["_id"]] = row
    where = "operationResults" if request.tenant.knobs.operation_style == "Location" else "operationStatuses"
    address = f"{request.root}{target['_id']}/{where}/{row['_id']}?api-version={request.version}"
    return _running(request, request.tenant.knobs.operation_style, address)


def _running(request: ArmRequest, header: str, address: str) -> Reply:
    reply = Reply(202)
    reply.headers[header] = address
    if request.tenant.knobs.operation_retry_after:
        reply.headers["Retry-After"] = str(request.tenant.knobs.operation_retry_after)
    return reply


def finish_due(tenant: Tenant, client: InstanceClient) -> None:
    """Finish the operations that are due; called before each read."""
    for row in tenant.arm.operations.values():
        if not row["status"] and row["due"] <= tenant.now():
            row["status"] = tenant.knobs.operation_outcome
            if row["status"] == "Succeeded":
                _EFFECTS[row["kind"]](tenant, client, row)


_EFFECTS = {
    EXECUTE: operation_effects.execute,
    DELETE_RULE: operation_effects.delete_rule,
    DELETE_INTEGRATION: operation_effects.delete_integration,
}


def result(request: ArmRequest) -> Reply:
    """Answer in the style of Location: 202 while it runs."""
    row = _found(request)
    if not row["status"]:
        # Each response repeats the address.
        address = f"{request.address}?{request.call.query_text}"
        return _running(request, "Location", address)
    if row["kind"] == DELETE_INTEGRATION:
        if row["status"] != "Succeeded":
            raise arm_error(500, "OperationFailed", f"The operation ended as {row['status']}.")
        return Reply(204)
    return json_reply(200, {"status": row["status"]})


def status(request: ArmRequest) -> Reply:
    """Answer in the style of Azure-AsyncOperation: always 200, the body contains the status."""
    row = _found(request)
    content: Row = {
        "id": request.call.path.removeprefix("/arm"),
        "name": row["_id"],
        "status": row["status"] or "InProgress",
    }
    if row["status"] in ("Failed", "Canceled"):
        content["error"] = {"code": f"Operation{row['status']}", "message": f"The operation ended as {row['status']}."}
    return json_reply(200, content)


def _found(request: ArmRequest) -> Row:
    row = request.arm.operations.get(request.names["operation"])
    if row is None or not row["target"].lower().endswith(f"/{request.names['name'].lower()}"):
        raise not_found(f"Operation '{request.names['operation']}' was not found.")
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
