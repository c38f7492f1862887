# SPDX-License-Identifier: GPL-3.0-or-later
"""The initial users of a tenant, and their roles and groups (docs/facts/microsoft_graph.md#user-actions)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ...snow.store import stable_id

# mail nickname, which is the user name in ServiceNow | name | address | attributes
# Prefixes: @ for a directory role, & for a group.
_USERS = """
itil_agent     | ITIL Agent           | itil.agent@example.com     | &Service Desk
service_owner  | Service Owner        | service.owner@example.com  | synced &Service Desk
employee       | Plain Employee       | employee@example.com       |
group_member   | Group Member         | group.member@example.com   | &Cloud Platform
former         | Former Employee      | former@example.com         | disabled
user_manager   | User Manager         | user.manager@example.com   | @User Administrator
admin          | System Administrator | admin@example.com          | @Global Administrator
cloud_admin    | Cloud Administrator  | cloud.admin@example.com    | &Tier Zero
secadmin       | Security Admin       | secadmin@example.com       | @Security Administrator
partner        | Outside Partner      | partner@example.org        | guest
"""
# The template of a directory role is the same in every tenant.
ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
}
# Group -> the directory role of its members.
GROUPS = {"Service Desk": "", "Cloud Platform": "", "Tier Zero": "Global Administrator"}


def users(domain: str, make_id: Callable[[str], str]) -> list[dict[str, Any]]:
    """The users as stored in the directory; `_roles` and `_groups` are names."""
    rows = []
    for line in _USERS.strip().splitlines():
        nickname, name, mail, special = (cell.strip() for cell in line.split("|"))
        words, *marked = special.replace("&", "\n&").replace("@", "\n@").split("\n")
        given, _, surname = name.partition(" ")
        local = mail.partition("@")[0]
        is_guest = "guest" in words
        rows.append(
            {
                "id": make_id(f"user {nickname}"),
                "userPrincipalName": f"{mail.replace('@', '_')}#EXT#@{domain}" if is_guest else f"{local}@{domain}",
                "displayName": name,
                "givenName": given,
                "surname": surname,
                "mail": mail,
                "mailNickname": nickname,
                "jobTitle": None,
                "mobilePhone": None,
                "officeLocation": None,
                "preferredLanguage": None,
                "businessPhones": [],
                "userType": "Guest" if is_guest else "Member",
                "accountEnabled": "disabled" not in words,
                "onPremisesSyncEnabled": True if "synced" in words else None,
                "onPremisesImmutableId": stable_id("user", nickname) if "synced" in words else None,
                "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z",
                "_roles": [word[1:].strip() for word in marked if word.startswith("@")],
                "_groups": [word[1:].strip() for word in marked if word.startswith("&")],
            }
        )
    return [{"_id": row["id"], **row} for row in rows]


def role_id(name: str) -> str:
    """The object id of a directory role."""
    return str(uuid.UUID(stable_id("directoryRole", name)))


def group_id(name: str) -> str:
    """The object id of a group."""
    return str(uuid.UUID(stable_id("group", name)))
