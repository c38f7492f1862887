# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles, and the permissions of the caller per scope (docs/facts/defender_for_cloud.md#permissions)."""

from __future__ import annotations

import fnmatch
import uuid
from typing import TYPE_CHECKING, Any

from .scopes import Scope

if TYPE_CHECKING:
    from ..state import Tenant

_COMMON = ["Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read"]
# Role -> id of its definition, actions, notActions.
DEFINITIONS: dict[str, tuple[str, list[str], list[str]]] = {
    "Owner": ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ["*"], []),
    "Contributor": (
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ["*"],
        [
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ],
    ),
    "Reader": ("acdd72a7-3385-48ef-bd42-f606fba81ae7", ["*/read"], []),
    "Security Admin": (
        "fb1c8493-542b-48eb-b624-b4c8fea62acd",
        [
            *_COMMON,
            "Microsoft.Authorization/policyAssignments/*",
            "Microsoft.Authorization/policyDefinitions/*",
            "Microsoft.Authorization/policyExemptions/*",
            "Microsoft.Authorization/policySetDefinitions/*",
            "Microsoft.Management/managementGroups/read",
            "Microsoft.Security/*",
        ],
        [],
    ),
    "Security Reader": (
        "39bc4728-0917-49c7-9d2c-d95423bc2eb4",
        [*_COMMON, "Microsoft.Management/managementGroups/read", "Microsoft.Security/*/read"],
        [],
    ),
    "Security Assessment Contributor": (
        "612c2aa1-cb24-443b-ac28-3ab7272de6f5",
        ["Microsoft.Security/assessments/write"],
        [],
    ),
}


def role_on(tenant: Tenant, scope: Scope) -> str:
    """The role of the inventory's identities on a scope: that of the nearest scope in the knobs, else the general one."""
    named = {Scope(f"/{name.strip('/')}").key: str(role) for name, role in tenant.knobs.azure_roles.items()}
    holders = [key for key in named if Scope(key).holds(scope.key)]
    return named[max(holders, key=len)] if holders else tenant.knobs.azure_role


def has_any_role(tenant: Tenant, principal: str) -> bool:
    """Whether the caller has a role on any scope, as required for resources without a scope."""
    if _is_registered(tenant, principal):
        return any(row["properties"]["principalId"] == principal for row in tenant.role_assignments)
    return any(role != "none" for role in (tenant.knobs.azure_role, *tenant.knobs.azure_roles.values()))


def permissions(tenant: Tenant, scope: Scope, principal: str) -> list[dict[str, Any]]:
    """The effective permissions of a principal on a scope, as the vendor lists them."""
    if _is_registered(tenant, principal):
        ids = {row["properties"]["roleDefinitionId"].rpartition("/")[2] for row in assigned(tenant, scope, principal)}
        held = [(actions, taken) for key, actions, taken in DEFINITIONS.values() if key in ids]
    else:
        role = role_on(tenant, scope)
        held = (
            []
            if role == "none"
            else [(tenant.knobs.azure_actions, [])]
            if role == "Custom"
            else [DEFINITIONS[role][1:]]
        )
    return [
        {"actions": list(actions), "notActions": list(taken), "dataActions": [], "notDataActions": []}
        for actions, taken in held
    ]


def sees(tenant: Tenant, scope: Scope, principal: str) -> bool:
    """Whether a principal has a role on a scope."""
    return bool(permissions(tenant, scope, principal))


def may(tenant: Tenant, scope: Scope, action: str, principal: str) -> bool:
    """Whether an action is allowed: in `actions` and not in `notActions`, case-insensitive."""
    return any(
        _matches(entry["actions"], action) and not _matches(entry["notActions"], action)
        for entry in permissions(tenant, scope, principal)
    )


def _is_registered(tenant: Tenant, principal: str) -> bool:
    """Whether this is the service principal of another application than that of the inventory."""
    return any(row["id"] == principal and row["appId"] != tenant.client_id for row in tenant.service_principals)


def assigned(tenant: Tenant, scope: Scope, principal: str = "") -> list[dict[str, Any]]:
    """The role assignments that were made on a scope or above it, of one principal or of all."""
    own = Scope(f"/subscriptions/{scope.subscription}") if scope.subscription else scope
    above = {scope.key, own.key, tenant.arm.group.key}
    return [
        row
        for row in tenant.role_assignments
        if (Scope(row["properties"]["scope"]).key in above or Scope(row["properties"]["scope"]).holds(scope.key))
        and principal in ("", row["properties"]["principalId"])
    ]


def _matches(patterns: list[str], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def assignments(tenant: Tenant, scope: Scope, principal: str) -> list[dict[str, Any]]:
    """The role assignments of the caller that apply to a scope."""
    role = role_on(tenant, scope)
    if role == "none":
        return []
    definition = DEFINITIONS[role][0] if role in DEFINITIONS else str(uuid.uuid5(uuid.NAMESPACE_URL, "custom role"))
    named = [f"/{name.strip('/')}" for name in tenant.knobs.azure_roles]
    holders = [name for name in named if Scope(name).holds(scope.key)]
    at = max(holders, key=len) if holders else tenant.arm.group.text
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{at}:{role}:{principal}".lower()))
    subscription = f"/subscriptions/{scope.subscription}" if scope.subscription else ""
    properties = {
        "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{definition}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "scope": at,
        "condition": None,
        "conditionVersion": None,
        "createdOn": "2026-01-05T00:00:00.0000000Z",
        "updatedOn": "2026-01-05T00:00:00.0000000Z",
    }
    kind = "Microsoft.Authorization/roleAssignments"
    return [{"id": f"{at}/providers/{kind}/{name}", "type": kind, "name": name, "properties": properties}]


def definitions(scope: Scope) -> list[dict[str, Any]]:
    """The built-in roles, in the format of responses."""
    start = f"/subscriptions/{scope.subscription}" if scope.subscription else ""
    kind = "Microsoft.Authorization/roleDefinitions"
    rows = []
    for name, (key, actions, taken) in DEFINITIONS.items():
        permission = {"actions": actions, "notActions": taken, "dataActions": [], "notDataActions": []}
        properties = {
            "roleName": name,
            "type": "BuiltInRole",
            "description": f"The built-in role {name}.",
            "assignableScopes": ["/"],
            "permissions": [permission],
            "createdOn": "2017-01-01T00:00:00.0000000Z",
            "updatedOn": "2024-01-01T00:00:00.0000000Z",
        }
        rows.append({"id": f"{start}/providers/{kind}/{key}", "type": kind, "name": key, "properties": properties})
    return rows
