# SPDX-License-Identifier: GPL-3.0-or-later
"""Inherited roles as rows of `sys_user_has_role` (docs/facts/servicenow_platform.md#role-grants).

With Role Management V2 (`counted`) there is one row per user and role, and `inh_count` counts its causes; such a row
can be direct and inherited at the same time. Without it every cause has its own row, so duplicates are normal.
"""

from __future__ import annotations

from collections.abc import Iterator

from .store import Database, Row, stable_id

TABLE = "sys_user_has_role"
Cause = tuple[str, str]
"""("included_in_role_instance", sys_id of the direct grant) or ("granted_by", sys_id of the group)."""


def role_closure(database: Database, role: str) -> set[str]:
    """A role and every role it contains, by sys_id; cycles are allowed."""
    seen: set[str] = set()
    pending = [role]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        pending += (row.get("contains", "") for row in database.lookup("sys_user_role_contains", "role", current))
    return {sys_id for sys_id in seen if database.find("sys_user_role", sys_id)}


def groups_of(database: Database, user: str) -> Iterator[str]:
    """The groups of a user and their parent groups, whose roles are inherited."""
    pending = [row.get("group", "") for row in database.lookup("sys_user_grmember", "user", user)]
    seen: set[str] = set()
    while pending:
        group = pending.pop()
        found = database.find("sys_user_group", group)
        if found is None or group in seen:
            continue
        seen.add(group)
        yield group
        pending.append(found[1].get("parent", ""))


def causes(database: Database, user: str) -> dict[str, list[Cause]]:
    """Why a user inherits each role: role -> causes, without direct grants."""
    found: dict[str, list[Cause]] = {}
    for row in database.lookup(TABLE, "user", user):
        root = row.get("role", "")
        if row.get("inherited") != "true":
            for role in role_closure(database, root) - {root}:
                found.setdefault(role, []).append(("included_in_role_instance", row["sys_id"]))
    for group in groups_of(database, user):
        for grant in database.lookup("sys_group_has_role", "group", group):
            for role in role_closure(database, grant.get("role", "")):
                found.setdefault(role, []).append(("granted_by", group))
    return found


def materialise(database: Database, user: str, *, counted: bool, now: str = "2025-01-15 08:00:00") -> None:
    """Rebuild the inherited rows of a user from their causes; rows without a cause are removed."""
    wanted = causes(database, user)
    present = list(database.lookup(TABLE, "user", user))
    if counted:
        _one_row_per_role(database, user, wanted, present, now)
    else:
        _one_row_per_cause(database, user, wanted, present, now)


def _one_row_per_role(
    database: Database, user: str, wanted: dict[str, list[Cause]], present: list[Row], now: str
) -> None:
    known = set()
    for row in present:
        role = row.get("role", "")
        count = str(len(wanted[role])) if role in wanted else ""
        known.add(role)
        if row.get("inherited") == "true" and not count:
            database.remove(TABLE, row["sys_id"])
        elif row.get("inh_count", "") != count:
            changed = {**row, "inh_count": count}
            database.put(TABLE, {name: value for name, value in changed.items() if value})
    for role in sorted(wanted.keys() - known):
        row = _inherited(user, role, now, stable_id(TABLE, user, role))
        database.put(TABLE, {**row, "inh_count": str(len(wanted[role]))})


def _one_row_per_cause(
    database: Database, user: str, wanted: dict[str, list[Cause]], present: list[Row], now: str
) -> None:
    missing = {stable_id(TABLE, user, role, *cause): (role, cause) for role, each in wanted.items() for cause in each}
    for row in present:
        if row.get("inherited") == "true" and missing.pop(row["sys_id"], None) is None:
            database.remove(TABLE, row["sys_id"])
    for sys_id, (role, (column, cause)) in missing.items():
        database.put(TABLE, {**_inherited(user, role, now, sys_id), column: cause})


def _inherited(user: str, role: str, now: str, sys_id: str) -> Row:
    stamps = {"sys_created_by": "system", "sys_created_on": now, "sys_updated_by": "system", "sys_updated_on": now}
    return {
        "sys_id": sys_id,
        "user": user,
        "role": role,
        "inherited": "true",
        "state": "active",
        "sys_mod_count": "0",
        **stamps,
    }
