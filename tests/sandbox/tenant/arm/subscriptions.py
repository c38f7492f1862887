# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions and the management group above them."""

from __future__ import annotations

from ...web import Reply, json_reply
from .errors import bad_request, forbidden, not_found
from .provider_manifest import versions
from .roles import may, role_on
from .routes import Ask, Resource
from .scopes import SUBSCRIPTION, TENANT, Scope
from .state import GROUP_NAME, Row


def route_of(scope: Scope) -> str | None:
    """Name the route of a path without a provider."""
    if scope.kind == SUBSCRIPTION:
        return "/arm/subscriptions/{subscriptionId}"
    return "/arm/subscriptions" if scope.key == "/subscriptions" else None


def answer(ask: Ask) -> Reply:
    """Answer `/subscriptions` and `/subscriptions/{subscriptionId}`."""
    if route_of(ask.scope) is None or ask.call.method != "GET":
        raise not_found(f"No resource was found at '{ask.scope.text or '/'}'.", "ResourceNotFound")
    known = versions("Microsoft.Resources", "subscriptions")
    if ask.version not in known:
        text = f"The api-version '{ask.version}' is invalid. The supported versions are '{','.join(known)}'."
        raise bad_request(text, code="InvalidApiVersionParameter")
    scopes = [Scope(f"/subscriptions/{each}") for each in ask.arm.subscriptions]
    if ask.scope.kind == SUBSCRIPTION:
        if role_on(ask.tenant, ask.scope) == "none":
            raise forbidden(ask.principal, "Microsoft.Resources/subscriptions/read", ask.scope.text)
        return json_reply(200, _shown(ask, ask.scope))
    # A list holds what the caller may see, without a word about the rest.
    seen = [scope for scope in scopes if role_on(ask.tenant, scope) != "none"]
    return ask.page(seen, lambda scope: _shown(ask, scope))


def _shown(ask: Ask, scope: Scope) -> Row:
    number = ask.arm.subscriptions.index(scope.subscription)
    return {
        "id": f"/subscriptions/{scope.subscription}",
        "subscriptionId": scope.subscription,
        "tenantId": ask.tenant.tenant_id,
        "displayName": f"acme-{number + 1:02d}",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
    }


def management_group(ask: Ask) -> Reply:
    """Answer a management group; `$expand=children` adds its subscriptions."""
    action = "Microsoft.Management/managementGroups/read"
    if not may(ask.tenant, ask.arm.group, action):
        raise forbidden(ask.principal, action, ask.call.path.removeprefix("/arm"))
    if ask.names["name"].lower() != GROUP_NAME:
        text = f"The management group '{ask.names['name']}' cannot be found."
        raise not_found(text)
    kind = "Microsoft.Management/managementGroups"
    properties: Row = {"tenantId": ask.tenant.tenant_id, "displayName": "Acme", "details": {"version": 1}}
    if ask.call.query.get("$expand") == "children":
        properties["children"] = [
            {"id": f"/subscriptions/{each}", "type": "/subscriptions", "name": each, "displayName": each}
            for each in ask.arm.subscriptions
        ]
    content = {"id": ask.arm.group.text, "type": kind, "name": GROUP_NAME, "properties": properties}
    return json_reply(200, content)


RESOURCES = (
    Resource(
        "Microsoft.Management",
        "managementGroups",
        "managementGroups/{name}",
        {"GET": management_group},
        (TENANT,),
    ),
)
