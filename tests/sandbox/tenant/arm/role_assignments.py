# SPDX-License-Identifier: GPL-3.0-or-later
"""Role assignments: those of the inventory's identities, which knobs give, and those that were made.

See docs/facts/entra.md#role-assignments.
"""

from __future__ import annotations

import re
import uuid

from ...web import Reply, json_reply
from . import roles
from .errors import arm_error, bad_request, not_found
from .permissions import ANYWHERE
from .routes import ArmRequest, Resource
from .scopes import Scope
from .state import Row

_FILTERS = r"atScope\(\)|(principalId eq|assignedTo\()\s*'(?P<who>[^']*)'\)?"
_KIND = "Microsoft.Authorization/roleAssignments"


def role_assignments(request: ArmRequest) -> Reply:
    """Answer the role assignments that apply to a scope."""
    made = [_shown(row) for row in roles.assigned(request.tenant, request.scope)]
    rows = roles.assignments(request.tenant, request.scope, request.principal) + made
    for part in filter(None, re.split(r"\s+and\s+", request.call.query.get("$filter", ""))):
        found = re.fullmatch(_FILTERS, part.strip(), re.IGNORECASE)
        if found is None:
            raise bad_request(f"The filter '{part}' is not supported.", code="UnsupportedQuery")
        if found["who"] is not None:
            rows = [row for row in rows if row["properties"]["principalId"] == found["who"].lower()]
    return request.page(rows, dict)


def create(request: ArmRequest) -> Reply:
    """Answer a PUT: one assignment for each role, principal and scope; a replicated principal, unless its type is given."""
    tenant, name, given = request.tenant, request.names["name"].lower(), request.properties()
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name):
        raise bad_request(
            f"The role assignment ID '{name}' is not valid. It must be a GUID.", code="InvalidRoleAssignmentId"
        )
    role = str(given.get("roleDefinitionId", "")).rpartition("/")[2].lower()
    if role not in {key for key, _actions, _taken in roles.DEFINITIONS.values()}:
        text = f"The specified role definition with ID '{role}' does not exist."
        raise bad_request(text, code="RoleDefinitionDoesNotExist")
    principal = str(given.get("principalId", "")).lower()
    _check_principal(request, principal, str(given.get("principalType") or ""))
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "scope": request.scope.text,
        "condition": None,
        "conditionVersion": None,
    }
    for row in tenant.role_assignments:
        same = _is_same(row, properties)
        if row["name"] == name and not same:
            text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise bad_request(text, code="RoleAssignmentUpdateNotPermitted")
        if same and row["name"] != name:
            raise arm_error(
                409,
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the conflicting role assignment is {row['name']}.",
            )
        if same:
            return json_reply(200, _shown(row))
    row = {"_id": str(uuid.uuid4()), "name": name, "properties": properties}
    tenant.role_assignments.append(row)
    return json_reply(201, _shown(row))


def _check_principal(request: ArmRequest, principal: str, kind: str) -> None:
    tenant = request.tenant
    found = next((row for row in tenant.service_principals if row["id"] == principal), None)
    since = found.get("_since", 0.0) if found else 0.0
    # With the type, Resource Manager does not look the principal up (docs/facts/entra.md#role-assignments).
    if found is None or (kind != "ServicePrincipal" and request.now < since + tenant.knobs.directory_delay):
        text = (
            f"Principal {principal.replace('-', '')} does not exist in the directory {tenant.tenant_id}. Check that you have the "
            "correct principal ID. If you are creating this principal and then immediately assigning a role, this error might "
            "be related to a replication delay. In this case, set the role assignment principalType property to a value, such "
            "as ServicePrincipal, User, or Group."
        )
        raise bad_request(text, code="PrincipalNotFound")


def _is_same(row: Row, properties: Row) -> bool:
    held = row["properties"]
    same = all(held[name] == properties[name] for name in ("roleDefinitionId", "principalId"))
    return same and Scope(held["scope"]).key == Scope(properties["scope"]).key


def role_assignment(request: ArmRequest) -> Reply:
    """Answer a GET or DELETE of one assignment; deleting one that is gone is answered 204."""
    rows = request.tenant.role_assignments
    name = request.names["name"].lower()
    found = next((row for row in rows if row["name"] == name), None)
    if request.call.method == "DELETE":
        if found is None:
            return Reply(204)
        rows.remove(found)
    elif found is None:
        raise not_found(f"The role assignment '{name}' is not found.", "RoleAssignmentNotFound")
    return json_reply(200, _shown(found))


def _shown(row: Row) -> Row:
    scope = row["properties"]["scope"]
    full = f"{scope}/providers/{_KIND}/{row['name']}"
    return {"id": full, "type": _KIND, "name": row["name"], "properties": row["properties"]}


RESOURCES = (
    Resource("Microsoft.Authorization", "roleAssignments", "roleAssignments", {"GET": role_assignments}, ANYWHERE),
    Resource(
        "Microsoft.Authorization",
        "roleAssignments",
        "roleAssignments/{name}",
        {"GET": role_assignment, "PUT": create, "DELETE": role_assignment},
        ANYWHERE,
    ),
)
