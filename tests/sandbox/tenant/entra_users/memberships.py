# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: directory roles, groups, and who belongs to them (docs/facts/microsoft_graph.md#forms-of-requests)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from ...web import Call, Reply, json_reply
from ..errors import graph_error
from ..graph import odata
from ..graph.permissions import require_directory, throttle
from ..routes import Route, Table
from ..state import Row, Tenant
from . import directory, users

_ROLES = (*users.DIRECTORY, ["RoleManagement.Read.Directory"], ["RoleManagement.ReadWrite.Directory"])
_MEMBERS = (*users.READ, ["GroupMember.Read.All"])
_GROUPS = (*users.DIRECTORY, ["GroupMember.Read.All"], ["Group.Read.All"])


def member_of(tenant: Tenant, call: Call, key: str, cast: str = "", *, is_count: bool = False) -> Reply:
    """Answer `memberOf`: direct groups and directory roles of a user, or those of the type of a cast."""
    found = _memberships(tenant, call, key, cast, through_groups=False)
    return _objects(tenant, call, found, is_count=is_count)


def transitive_member_of(tenant: Tenant, call: Call, key: str, cast: str = "", *, is_count: bool = False) -> Reply:
    """Answer `transitiveMemberOf`: including roles through a group."""
    found = _memberships(tenant, call, key, cast, through_groups=True)
    return _objects(tenant, call, found, is_count=is_count)


def _objects(tenant: Tenant, call: Call, found: list[Row], *, is_count: bool) -> Reply:
    if is_count:
        return odata.count(call, found)
    return json_reply(200, odata.page(call, found, tenant.knobs.graph_page, "directoryObjects"))


def _memberships(tenant: Tenant, call: Call, key: str, cast: str, *, through_groups: bool) -> list[Row]:
    roles = set(require_directory(tenant, call, *_MEMBERS))
    throttle(tenant)
    row = users.found(tenant, key)
    names = list(row["_roles"])
    if through_groups:
        names += [role for group in row["_groups"] if (role := directory.GROUPS.get(group)) and role not in names]
    found = [_group(name) for name in row["_groups"]] + [_role(name) for name in names]
    if not any(set(choice) <= roles for choice in _ROLES):
        # Objects that the application cannot read have only type and id.
        found = [{name: row[name] if name in ("@odata.type", "id") else None for name in row} for row in found]
    return [row for row in found if not cast or row["@odata.type"].endswith(f".{_type_of(cast)}")]


def _type_of(cast: str) -> str:
    """The type in a cast such as `microsoft.graph.directoryRole`, of which SDKs omit the first part; raises Refused."""
    found = re.fullmatch(r"(?:microsoft\.)?graph\.(directoryRole|group|administrativeUnit)", cast)
    if found is None:
        raise graph_error(400, "BadRequest", f"Resource not found for the segment '{cast}'.")
    return found[1]


def roles(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/directoryRoles`."""
    require_directory(tenant, call, *_ROLES)
    throttle(tenant)
    found = [{name: value for name, value in _role(each).items() if name[0] != "@"} for each in directory.ROLES]
    return json_reply(200, odata.page(call, found, tenant.knobs.graph_page, "directoryRoles"))


def role(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer one directory role, by its id or by `roleTemplateId=...`."""
    require_directory(tenant, call, *_ROLES)
    throttle(tenant)
    shown = {name: value for name, value in _role(_role_name(key)).items() if name[0] != "@"}
    return json_reply(200, {"@odata.context": f"{call.base}/graph/v1.0/$metadata#directoryRoles/$entity", **shown})


def _role_name(key: str) -> str:
    template = key.partition("=")[2].strip("'") if key.startswith("roleTemplateId=") else ""
    name = next((each for each in directory.ROLES if key == directory.role_id(each)), None) or next(
        (each for each, known in directory.ROLES.items() if template == known), None
    )
    if name is None:
        raise users.missing(key)
    return name


def role_members(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer the members of a directory role: users, and groups with that role."""
    require_directory(tenant, call, *_ROLES)
    throttle(tenant)
    name = _role_name(key)
    people = [row for row in tenant.users if name in row["_roles"]]
    shown = [{"@odata.type": "#microsoft.graph.user", **odata.selected(call, row, users.DEFAULT)} for row in people]
    shown += [_group(group) for group, role in directory.GROUPS.items() if role == name]
    return json_reply(200, odata.page(call, shown, tenant.knobs.graph_page, "directoryObjects"))


def groups(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/groups`."""
    require_directory(tenant, call, *_GROUPS)
    throttle(tenant)
    found = [{name: value for name, value in _group(each).items() if name[0] != "@"} for each in directory.GROUPS]
    return json_reply(200, odata.page(call, found, tenant.knobs.graph_page, "groups"))


def group(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer one group."""
    require_directory(tenant, call, *_GROUPS)
    throttle(tenant)
    shown = {name: value for name, value in _group(_group_name(key)).items() if name[0] != "@"}
    return json_reply(200, {"@odata.context": f"{call.base}/graph/v1.0/$metadata#groups/$entity", **shown})


def _group_name(key: str) -> str:
    name = next((each for each in directory.GROUPS if key == directory.group_id(each)), None)
    if name is None:
        raise users.missing(key)
    return name


def group_members(tenant: Tenant, call: Call, key: str) -> Reply:
    """Answer the members of a group."""
    require_directory(tenant, call, *_GROUPS)
    throttle(tenant)
    name = _group_name(key)
    people = [row for row in tenant.users if name in row["_groups"]]
    shown = [{"@odata.type": "#microsoft.graph.user", **odata.selected(call, row, users.DEFAULT)} for row in people]
    return json_reply(200, odata.page(call, shown, tenant.knobs.graph_page, "directoryObjects"))


def _group(name: str) -> Row:
    shown = {"@odata.type": "#microsoft.graph.group", "id": directory.group_id(name), "displayName": name}
    return {**shown, "isAssignableToRole": bool(directory.GROUPS[name]) or None}


def _role(name: str) -> Row:
    shown = {"@odata.type": "#microsoft.graph.directoryRole", "id": directory.role_id(name), "displayName": name}
    return {**shown, "roleTemplateId": directory.ROLES[name]}


_USERS = "/graph/v1.0/users"
_ROLE = "/graph/v1.0/directoryRoles"


def _member_routes(name: str, handler: Callable[..., Reply]) -> tuple[Route, ...]:
    path = f"{_USERS}/{{key}}/{name}"
    return (
        Route("GET", path, handler),
        Route("GET", f"{path}/$count", partial(handler, is_count=True)),
        Route("GET", f"{path}/{{cast}}", handler),
        Route("GET", f"{path}/{{cast}}/$count", partial(handler, is_count=True)),
    )


TABLE = Table(
    *_member_routes("memberOf", member_of),
    *_member_routes("transitiveMemberOf", transitive_member_of),
    Route("GET", _ROLE, roles),
    Route("GET", f"{_ROLE}/{{key}}", role),
    Route("GET", f"{_ROLE}({{key}})", role),
    Route("GET", f"{_ROLE}/{{key}}/members", role_members),
    Route("GET", f"{_ROLE}({{key}})/members", role_members),
    Route("GET", "/graph/v1.0/groups", groups),
    Route("GET", "/graph/v1.0/groups/{key}", group),
    Route("GET", "/graph/v1.0/groups/{key}/members", group_members),
)
