# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions and the management group above them."""

from __future__ import annotations

from ...web import Reply, json_reply
from .errors import bad_request, forbidden, not_found
from .provider_manifest import versions
from .roles import may, sees
from .routes import ArmRequest, Resource
from .scopes import SUBSCRIPTION, TENANT, Scope
from .state import GROUP_NAME, Row


def route_of(scope: Scope) -> str | None:
    """Name the route of a path without a provider."""
    if scope.kind == SUBSCRIPTION:
        return "/arm/subscriptions/{subscriptionId}"
    return "/arm/subscriptions" if scope.key == "/subscriptions" else None


def answer(request: ArmRequest) -> Reply:
    """Answer `/subscriptions` and `/subscriptions/{subscriptionId}`."""
    if route_of(request.scope) is None or request.call.method != "GET":
        raise not_found(f"No resource was found at '{request.scope.text or '/'}'.", "ResourceNotFound")
    known = versions("Microsoft.Resources", "subscriptions")
    if request.version not in known:
        text = f"The api-version '{request.version}' is invalid. The supported versions are '{','.join(known)}'."
        raise bad_request(text, code="InvalidApiVersionParameter")
    scopes = [Scope(f"/subscriptions/{each}") for each in request.arm.subscriptions]
    if request.scope.kind == SUBSCRIPTION:
        if not sees(request.tenant, request.scope, request.principal):
            raise forbidden(request.principal, "Microsoft.Resources/subscriptions/read", request.scope.text)
        return json_reply(200, _shown(request, request.scope))
    # A list contains what the caller can read and silently omits the rest.
    seen = [scope for scope in scopes if sees(request.tenant, scope, request.principal)]
    return request.page(seen, lambda scope: _shown(request, scope))


def _shown(request: ArmRequest, scope: Scope) -> Row:
    number = request.arm.subscriptions.index(scope.subscription)
    return {
        "id": f"/subscriptions/{scope.subscription}",
        "subscriptionId": scope.subscription,
        "tenantId": request.tenant.tenant_id,
        "displayName": f"acme-{number + 1:02d}",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
    }


def management_group(request: ArmRequest) -> Reply:
    """Answer a management group; `$expand=children` adds its subscriptions."""
    action = "Microsoft.Management/managementGroups/read"
    if not may(request.tenant, request.arm.group, action, request.principal):
        raise forbidden(request.principal, action, request.call.path.removeprefix("/arm"))
    if request.names["name"].lower() != GROUP_NAME:
        text = f"The management group '{request.names['name']}' cannot be found."
        raise not_found(text)
    kind = "Microsoft.Management/managementGroups"
    properties: Row = {"tenantId": request.tenant.tenant_id, "displayName": "Acme", "details": {"version": 1}}
    if request.call.query.get("$expand") == "children":
        properties["children"] = [
            {"id": f"/subscriptions/{each}", "type": "/subscriptions", "name": each, "displayName": each}
            for each in request.arm.subscriptions
        ]
    content = {"id": request.arm.group.text, "type": kind, "name": GROUP_NAME, "properties": properties}
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
