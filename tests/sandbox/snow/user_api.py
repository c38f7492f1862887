# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints for the caller: current user, role inheritance, short URLs.

See docs/facts/servicenow_platform.md#limits, docs/facts/servicenow_platform.md#role-grants.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..web import Call, Reply, json_reply
from .callers import Caller
from .errors import API_ACL, NO_RECORD, NO_RESOURCE, Refused, unreadable
from .instance import Instance
from .role_grants import groups_of
from .store import Row
from .table_api import read_body


def current_user(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `/api/now/ui/user/current_user`."""
    if parts != ["user", "current_user"] or call.method not in ("GET", "HEAD"):
        raise Refused(400, NO_RESOURCE)
    found = instance.database.find("sys_user", caller.user_id)
    name = found[1].get("name", "") if found else ""
    return json_reply(
        200,
        {
            "result": {
                "user_sys_id": caller.user_id,
                "user_name": caller.user_name,
                "user_display_name": name,
                "user_initials": "".join(word[0] for word in name.split())[:2],
                "user_avatar": None,
            }
        },
    )


def tiny_url(instance: Instance, _caller: Caller, call: Call, _parts: list[str]) -> Reply:
    """Answer `POST /api/now/tinyurl`: a short form of a long relative URL."""
    if call.method != "POST":
        raise Refused(405, "Method not Supported")
    url = str(read_body(call).get("url", ""))
    if not url:
        raise unreadable("url is missing.")
    sys_id = instance.new_id()
    row = {"sys_id": sys_id, "tiny_url": sys_id, "url": url, **instance.stamps("system")}
    instance.database.put("sys_tiny_url", row)
    return json_reply(201, {"result": f"{url.partition('?')[0]}?sysparm_tiny={sys_id}"})


def role_inheritance(instance: Instance, caller: Caller, call: Call, _parts: list[str]) -> Reply:
    """Answer `/api/global/user_role_inheritance?user_sysid=...` (role user_admin)."""
    if not caller.is_admin and "user_admin" not in caller.roles:
        raise Refused(403, *API_ACL)
    found = instance.database.find("sys_user", call.query.get("user_sysid", ""))
    if found is None:
        raise Refused(404, *NO_RECORD)
    user = found[1]
    return json_reply(
        200,
        {
            "result": {
                "user_name": user.get("user_name", ""),
                "from_group": list(_from_groups(instance, user)),
                "from_role": list(_from_roles(instance, user)),
            }
        },
    )


def _from_roles(instance: Instance, user: Row) -> Iterator[str]:
    for grant in instance.database.lookup("sys_user_has_role", "user", user["sys_id"]):
        if grant.get("inherited") != "true":
            yield from _paths(instance, grant.get("role", ""), "")


def _from_groups(instance: Instance, user: Row) -> Iterator[str]:
    for group in groups_of(instance.database, user["sys_id"]):
        found = instance.database.find("sys_user_group", group)
        for grant in instance.database.lookup("sys_group_has_role", "group", group):
            yield from _paths(instance, grant.get("role", ""), f"[{found[1].get('name', '') if found else ''}]")


def _paths(instance: Instance, role: str, prefix: str, depth: int = 10) -> Iterator[str]:
    found = instance.database.find("sys_user_role", role)
    if found is None or not depth:
        return
    path = f"{prefix}/{found[1].get('name', '')}"
    yield path
    for row in instance.database.lookup("sys_user_role_contains", "role", role):
        yield from _paths(instance, row.get("contains", ""), path, depth - 1)
