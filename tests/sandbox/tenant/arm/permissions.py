# SPDX-License-Identifier: GPL-3.0-or-later
"""Effective permissions of the caller and role definitions (docs/facts/defender_for_cloud.md#permissions)."""

from __future__ import annotations

import re

from ...web import Reply, json_reply
from . import roles
from .errors import bad_request, not_found
from .routes import ArmRequest, Resource
from .scopes import CONNECTOR, GROUP, RESOURCE, SUBSCRIPTION, TENANT

ANYWHERE = (GROUP, SUBSCRIPTION, CONNECTOR, RESOURCE)


def permissions(request: ArmRequest) -> Reply:
    """Answer the effective permissions on a scope."""
    return request.page(roles.permissions(request.tenant, request.scope, request.principal), dict)


def role_definitions(request: ArmRequest) -> Reply:
    """Answer the role definitions, or those that a filter on name or type selects."""
    rows = roles.definitions(request.scope)
    wanted = request.call.query.get("$filter", "")
    if wanted and wanted.lower() != "atscopeandbelow()":
        found = re.fullmatch(r"(roleName|type) eq '([^']*)'", wanted.strip(), re.IGNORECASE)
        if found is None:
            raise bad_request(f"The filter '{wanted}' is not supported.", code="UnsupportedQuery")
        name = "roleName" if found[1].lower() == "rolename" else "type"
        rows = [row for row in rows if row["properties"][name].lower() == found[2].lower()]
    return request.page(rows, dict)


def role_definition(request: ArmRequest) -> Reply:
    """Answer one role definition by its id."""
    for row in roles.definitions(request.scope):
        if row["name"] == request.names["name"].lower():
            return json_reply(200, row)
    text = f"The specified role definition with ID '{request.names['name']}' does not exist."
    raise not_found(text, "RoleDefinitionDoesNotExist")


RESOURCES = (
    Resource(
        "Microsoft.Authorization",
        "roleDefinitions",
        "roleDefinitions",
        {"GET": role_definitions},
        (TENANT, *ANYWHERE),
    ),
    Resource(
        "Microsoft.Authorization",
        "roleDefinitions",
        "roleDefinitions/{name}",
        {"GET": role_definition},
        (TENANT, *ANYWHERE),
    ),
    Resource("Microsoft.Authorization", "permissions", "permissions", {"GET": permissions}, ANYWHERE),
)
