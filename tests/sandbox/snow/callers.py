# SPDX-License-Identifier: GPL-3.0-or-later
"""The caller: a user with the roles of a REST session."""

from __future__ import annotations

from dataclasses import dataclass

from .instance import Instance
from .store import Row


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user.

    `assigned` are all roles of the user, `roles` those active in a REST call, without elevated ones
    (docs/facts/servicenow_platform.md#roles). `sign_in_method` is basic, oauth, api_key, mtls, cookie or guest.
    `is_unscoped` marks a token of a securely scoped application.
    """

    user_id: str
    user_name: str
    roles: frozenset[str]
    assigned: frozenset[str]
    sign_in_method: str
    is_unscoped: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether the caller is an administrator, who passes most ACLs."""
        return "admin" in self.roles


def caller_of(instance: Instance, user: Row, sign_in_method: str, *, is_unscoped: bool = False) -> Caller:
    """Return the caller for a user who has signed in."""
    roles, assigned = roles_of(instance, user["sys_id"])
    return Caller(user["sys_id"], user.get("user_name", ""), roles, assigned, sign_in_method, is_unscoped)


def roles_of(instance: Instance, user_id: str) -> tuple[frozenset[str], frozenset[str]]:
    """The role names of a user: without and with elevated ones."""
    grants, roles = instance.database.rows("sys_user_has_role"), instance.database.rows("sys_user_role")

    def collect() -> tuple[frozenset[str], frozenset[str]]:
        carried, assigned = set(), set()
        for grant in grants.index("user").get(user_id, ()):
            role = roles.by_id.get(grant.get("role", ""))
            if role is not None and grant.get("state", "active") == "active":
                assigned.add(role.get("name", ""))
                if role.get("elevated_privilege") != "true":
                    carried.add(role.get("name", ""))
        return frozenset(carried), frozenset(assigned)

    return grants.derive(("roles", user_id, roles.stamp), collect)
