# SPDX-License-Identifier: GPL-3.0-or-later
"""Integrations with ServiceNow, according to an unmerged draft; the live behaviour is unknown.

See docs/facts/defender_for_cloud.md#integrations.
"""

from __future__ import annotations

from typing import Any

from ...web import Reply, json_reply
from ..arm import long_running
from ..arm.errors import arm_error, bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource
from ..arm.scopes import CONNECTOR, GOVERNED, Scope
from ..arm.state import Row
from .governance_rules import audit_properties, check_id
from .instance_client import IntegrationClient, Unreachable
from .plan_check import require_plan

TYPE = f"{SECURITY}/integrations"
_CREDENTIALS = ("instanceUrl", "userName", "password", "clientId", "clientSecret")
_READ_ONLY = ("tenantId", "metadata", "integrationRootDetails")
# The drop-downs of the portal's page 2; mandatory ones are those of the vendor's example.
_COLUMNS = [
    {"table": table, "displayName": label, "serviceNowKey": key, "isMandatory": mandatory}
    for table in ("Incident", "Problem", "ChangeRequest")
    for label, key, mandatory in (("Assignee", "assigned_to", True), ("ETA", "due_date", False))
]


def list_integrations(request: ArmRequest) -> Reply:
    """Answer the integrations of a scope and inherited ones, which differ only in their root."""
    rows = [(row, 0) for row in request.arm.at("integrations", request.scope)] + _inherited(request)
    return request.page(rows, lambda each: _shown(request, *each))


def get_integration(request: ArmRequest) -> Reply:
    """Answer one integration, which can be inherited."""
    return json_reply(200, _shown(request, *_existing(request)))


def put_integration(request: ArmRequest) -> Reply:
    """Create or replace an integration of this scope; unknown properties are kept, credentials are never returned."""
    check_id(request.names["name"], "integrationId")
    sent = request.properties()
    more = _checked(sent)
    require_plan(request)
    old = request.arm.get("integrations", request.scope, request.names["name"])
    properties = {name: value for name, value in sent.items() if name not in _READ_ONLY}
    properties["additionalData"] = {name: value for name, value in more.items() if name != "authenticationDetails"}
    properties["additionalData"].setdefault("tablesConfigurations", _COLUMNS)
    properties = {"isDisabled": False, "excludedScopes": [], "includeMembersInScopes": False, **properties}
    properties |= audit_properties(request, old)
    held = _credentials(request, more.get("authenticationDetails"), old)
    row, new = request.arm.put("integrations", request.scope, request.names["name"], properties, authentication=held)
    return json_reply(201 if new else 200, _shown(request, row, 0))


def delete_integration(request: ArmRequest) -> Reply:
    """Start to delete an integration of this scope and all of its assignments."""
    row = request.arm.get("integrations", request.scope, request.names["name"])
    return (
        long_running.start_operation(request, long_running.DELETE_INTEGRATION, row) if row is not None else Reply(204)
    )


def tables_configurations(request: ArmRequest) -> Reply:
    """Test credentials on their instance."""
    if not request.tenant.knobs.connection_test:
        kind = "getIntegrationTablesConfigurations"
        text = f"The resource type '{kind}' could not be found in the namespace '{SECURITY}' for api version '{request.version}'."
        raise not_found(text, "InvalidResourceType")
    sent = request.body()
    _check_credentials(sent)
    return Reply(pending=_test_connection(request, sent))


async def _test_connection(request: ArmRequest, details: Row) -> Reply:
    instance = IntegrationClient(request.client, details)
    content: Row = {"authenticationSucceeded": True, "errorType": "None", "errorDescription": ""}
    try:
        await instance.sign_in()
        content["serviceNowTablesConfigurations"] = await instance.columns(request.tenant.knobs.integration_reads)
    except Unreachable as failed:
        content = {"authenticationSucceeded": False, "errorType": failed.kind, "errorDescription": str(failed)}
    return json_reply(200, content)


def users(request: ArmRequest) -> Reply:
    """Answer users of the instance whose name starts with the body, a JSON string."""
    return Reply(pending=_search(request, "sys_user", ("name", "email")))


def groups(request: ArmRequest) -> Reply:
    """Answer groups of the instance in the same way as users."""
    return Reply(pending=_search(request, "sys_user_group", ("name", "email", "description")))


async def _search(request: ArmRequest, table: str, fields: tuple[str, ...]) -> Reply:
    prefix = request.json()
    if not isinstance(prefix, str):
        raise bad_request("The body must be a JSON string, the prefix of the name.", code="InvalidRequestContent")
    instance = IntegrationClient(request.client, _existing(request)[0]["authentication"])
    try:
        await instance.sign_in()
        rows = await instance.rows(table, f"nameSTARTSWITH{prefix}^ORDERBYname", ",".join(fields))
    except Unreachable as failed:
        raise arm_error(400, failed.kind, str(failed)) from failed
    return json_reply(200, [{name: row.get(name, "") for name in fields} for row in rows])


def _inherited(request: ArmRequest) -> list[tuple[Row, int]]:
    """Inherited integrations without excluded ones: a subscription inherits from its management group, a connector none.

    An integration on a subscription covers Azure resources only; others require one on the connector
    (docs/facts/defender_for_cloud.md#connecting-servicenow).
    """
    found: list[tuple[Row, int]] = []
    if request.scope.kind == CONNECTOR:
        return found
    for distance, above in enumerate(request.arm.above(request.scope), 1):
        for row in request.arm.at("integrations", above):
            excluded = [Scope(f"/{str(each).strip('/')}") for each in row["properties"].get("excludedScopes") or []]
            if row["properties"].get("includeMembersInScopes") and not any(
                scope.holds(request.scope.key) for scope in excluded
            ):
                found.append((row, distance))
    return found


def _existing(request: ArmRequest) -> tuple[Row, int]:
    own = request.arm.get("integrations", request.scope, request.names["name"])
    if own is not None:
        return own, 0
    for row, distance in _inherited(request):
        if row["name"].lower() == request.names["name"].lower():
            return row, distance
    raise not_found(f"Integration '{request.names['name']}' was not found.")


def _checked(sent: Row) -> Row:
    for name in ("displayName", "integrationType"):
        if not isinstance(sent.get(name), str) or not sent[name]:
            raise bad_request(f"'{name}' is required.", target=f"properties.{name}")
    if sent["integrationType"] != "ServiceNow":
        text = f"The integration type '{sent['integrationType']}' is not known."
        raise bad_request(text, target="properties.integrationType")
    more: Any = sent.get("additionalData") or {"integrationPlatform": "ServiceNow"}
    if not isinstance(more, dict) or more.get("integrationPlatform") != "ServiceNow":
        text = "'additionalData.integrationPlatform' must be ServiceNow."
        raise bad_request(text, target="properties.additionalData.integrationPlatform")
    for name in ("isDisabled", "includeMembersInScopes"):
        if not isinstance(sent.get(name, False), bool):
            raise bad_request(f"'{name}' must be a boolean.", target=f"properties.{name}")
    return dict(more)


def _check_credentials(sent: Row) -> None:
    missing = [name for name in _CREDENTIALS if not isinstance(sent.get(name), str) or not sent[name]]
    if missing:
        raise bad_request(f"Missing: {', '.join(missing)}.", target="authenticationDetails")


def _credentials(request: ArmRequest, sent: Any, old: Row | None) -> Row:
    """The credentials to store; the effect of a PUT without credentials is unknown.

    See docs/facts/defender_for_cloud.md#integration-body.
    """
    held: Row = old["authentication"] if old else {}
    given = sent if isinstance(sent, dict) else {}
    choice = request.tenant.knobs.integration_reput
    if old is not None and not given.get("password") and choice == "refused":
        text = "The authentication details are required."
        raise bad_request(text, target="properties.additionalData.authenticationDetails")
    kept = held if choice == "keeps" else {}
    return {name: given.get(name) or kept.get(name, "") for name in _CREDENTIALS}


def _shown(request: ArmRequest, row: Row, distance: int) -> Row:
    bare = request.tenant.knobs.bare_ids
    slash = "" if bare else "/"
    at = request.arm.id_of("integrations", request.scope, row["name"]) if distance else row["_id"]
    root = {"resourceId": slash + row["_id"].lstrip("/"), "distance": distance}
    properties = {**row["properties"], "integrationRootDetails": root}
    return {"id": slash + at.lstrip("/"), "name": row["name"], "type": TYPE, "properties": properties}


_ITEM = "integrations/{name}"
RESOURCES = (
    Resource(SECURITY, "integrations", "integrations", {"GET": list_integrations}, GOVERNED),
    Resource(
        SECURITY,
        "integrations",
        _ITEM,
        {"GET": get_integration, "PUT": put_integration, "DELETE": delete_integration},
        GOVERNED,
    ),
    # The required actions are not listed: LIKELY reading, as the portal offers them to readers.
    Resource(SECURITY, "integrations", f"{_ITEM}/users", {"POST": users}, GOVERNED, post="read"),
    Resource(SECURITY, "integrations", f"{_ITEM}/groups", {"POST": groups}, GOVERNED, post="read"),
    Resource(
        SECURITY,
        "integrations",
        "getIntegrationTablesConfigurations",
        {"POST": tables_configurations},
        GOVERNED,
        post="write",
    ),
)
