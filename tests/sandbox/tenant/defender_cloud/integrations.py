# SPDX-License-Identifier: GPL-3.0-or-later
"""Integrations with ServiceNow, as an unmerged draft describes them (facts 2): what is live is not known."""

from __future__ import annotations

from typing import Any

from ...web import Reply, json_reply
from ..arm import long_running
from ..arm.errors import arm_error, bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import Ask, Resource
from ..arm.scopes import CONNECTOR, GOVERNED, Scope
from ..arm.state import Row
from .governance_rules import check_id, written
from .instance_client import Instance, Unreached
from .plan_check import require_plan

TYPE = f"{SECURITY}/integrations"
_CREDENTIALS = ("instanceUrl", "userName", "password", "clientId", "clientSecret")
_READ_ONLY = ("tenantId", "metadata", "integrationRootDetails")
# The portal's drop-downs of page 2; mandatory ones are those of the vendor's example.
_COLUMNS = [
    {"table": table, "displayName": label, "serviceNowKey": key, "isMandatory": mandatory}
    for table in ("Incident", "Problem", "ChangeRequest")
    for label, key, mandatory in (("Assignee", "assigned_to", True), ("ETA", "due_date", False))
]


def list_integrations(ask: Ask) -> Reply:
    """Answer the integrations of a scope and those that it inherits, which only their root tells apart."""
    rows = [(row, 0) for row in ask.arm.at("integrations", ask.scope)] + _inherited(ask)
    return ask.page(rows, lambda each: _shown(ask, *each))


def get_integration(ask: Ask) -> Reply:
    """Answer one integration, an inherited one as well."""
    return json_reply(200, _shown(ask, *_existing(ask)))


def put_integration(ask: Ask) -> Reply:
    """Create or replace an integration of this scope; unknown properties are kept, credentials never come back."""
    check_id(ask.names["name"], "integrationId")
    sent = ask.properties()
    more = _checked(sent)
    require_plan(ask)
    old = ask.arm.get("integrations", ask.scope, ask.names["name"])
    properties = {name: value for name, value in sent.items() if name not in _READ_ONLY}
    properties["additionalData"] = {name: value for name, value in more.items() if name != "authenticationDetails"}
    properties["additionalData"].setdefault("tablesConfigurations", _COLUMNS)
    properties = {"isDisabled": False, "excludedScopes": [], "includeMembersInScopes": False, **properties}
    properties |= written(ask, old)
    held = _credentials(ask, more.get("authenticationDetails"), old)
    row, new = ask.arm.put("integrations", ask.scope, ask.names["name"], properties, authentication=held)
    return json_reply(201 if new else 200, _shown(ask, row, 0))


def delete_integration(ask: Ask) -> Reply:
    """Start to remove an integration of this scope, and all of its assignments."""
    row = ask.arm.get("integrations", ask.scope, ask.names["name"])
    return long_running.begin(ask, long_running.DELETE_INTEGRATION, row) if row is not None else Reply(204)


def tables_configurations(ask: Ask) -> Reply:
    """Try credentials on their instance."""
    if not ask.tenant.knobs.connection_test:
        kind = "getIntegrationTablesConfigurations"
        text = f"The resource type '{kind}' could not be found in the namespace '{SECURITY}' for api version '{ask.version}'."
        raise not_found(text, "InvalidResourceType")
    sent = ask.body()
    _check_credentials(sent)
    return Reply(pending=_tried(ask, sent))


async def _tried(ask: Ask, details: Row) -> Reply:
    instance = Instance(ask.link, details)
    content: Row = {"authenticationSucceeded": True, "errorType": "None", "errorDescription": ""}
    try:
        await instance.sign_in()
        content["serviceNowTablesConfigurations"] = await instance.columns(ask.tenant.knobs.integration_reads)
    except Unreached as failed:
        content = {"authenticationSucceeded": False, "errorType": failed.kind, "errorDescription": str(failed)}
    return json_reply(200, content)


def users(ask: Ask) -> Reply:
    """Answer users of the instance whose name begins with the text that is the whole body."""
    return Reply(pending=_people(ask, "sys_user", ("name", "email")))


def groups(ask: Ask) -> Reply:
    """Answer groups of the instance, as users."""
    return Reply(pending=_people(ask, "sys_user_group", ("name", "email", "description")))


async def _people(ask: Ask, table: str, fields: tuple[str, ...]) -> Reply:
    prefix = ask.json()
    if not isinstance(prefix, str):
        raise bad_request("The body must be a JSON string, the prefix of the name.", code="InvalidRequestContent")
    instance = Instance(ask.link, _existing(ask)[0]["authentication"])
    try:
        await instance.sign_in()
        rows = await instance.rows(table, f"nameSTARTSWITH{prefix}^ORDERBYname", ",".join(fields))
    except Unreached as failed:
        raise arm_error(400, failed.kind, str(failed)) from failed
    return json_reply(200, [{name: row.get(name, "") for name in fields} for row in rows])


def _inherited(ask: Ask) -> list[tuple[Row, int]]:
    """What comes from above and is not excluded: to a subscription from its management group, to a connector nothing.

    An integration on a subscription does not cover what is not Azure's; it must be on the connector (facts 1.1).
    """
    found: list[tuple[Row, int]] = []
    if ask.scope.kind == CONNECTOR:
        return found
    for distance, above in enumerate(ask.arm.above(ask.scope), 1):
        for row in ask.arm.at("integrations", above):
            excluded = [Scope(f"/{str(each).strip('/')}") for each in row["properties"].get("excludedScopes") or []]
            if row["properties"].get("includeMembersInScopes") and not any(
                scope.holds(ask.scope.key) for scope in excluded
            ):
                found.append((row, distance))
    return found


def _existing(ask: Ask) -> tuple[Row, int]:
    own = ask.arm.get("integrations", ask.scope, ask.names["name"])
    if own is not None:
        return own, 0
    for row, distance in _inherited(ask):
        if row["name"].lower() == ask.names["name"].lower():
            return row, distance
    raise not_found(f"Integration '{ask.names['name']}' was not found.")


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


def _credentials(ask: Ask, sent: Any, old: Row | None) -> Row:
    """What the integration signs in with from now on; a PUT without is open (facts 2.3)."""
    held: Row = old["authentication"] if old else {}
    given = sent if isinstance(sent, dict) else {}
    choice = ask.tenant.knobs.integration_reput
    if old is not None and not given.get("password") and choice == "refused":
        text = "The authentication details are required."
        raise bad_request(text, target="properties.additionalData.authenticationDetails")
    kept = held if choice == "keeps" else {}
    return {name: given.get(name) or kept.get(name, "") for name in _CREDENTIALS}


def _shown(ask: Ask, row: Row, distance: int) -> Row:
    bare = ask.tenant.knobs.bare_ids
    slash = "" if bare else "/"
    at = ask.arm.id_of("integrations", ask.scope, row["name"]) if distance else row["_id"]
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
    # Which actions these ask for is not listed: LIKELY reading, as the portal offers them to whoever may look.
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
