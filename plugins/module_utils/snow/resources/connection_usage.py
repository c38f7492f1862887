# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses the objects of a connection, besides the connection itself.

See docs/facts/servicenow_platform.md#related-oauth-tables, docs/facts/servicenow_platform.md#role-grants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.snapshot import Query, Row, Snapshot

TOKENS, APPLICATIONS, GRANTS = "oauth_credential", "oauth_entity", "sys_user_has_role"
GROUP_ROLES, CONTAINED, MEMBERS = "sys_group_has_role", "sys_user_role_contains", "sys_user_grmember"
ACL_ROLES = "sys_security_acl_role"
# Granted by the platform, not manually.
PLATFORM_ROLES = frozenset({"snc_internal"})
MAX_NAMED = 3


@dataclass(frozen=True)
class Connection:
    """One service of an instance: the names of its objects, and the direct roles that its account has for it.

    `keep` is why nothing of it is removed, `waits_for` what has to happen first; both are "" if it can be removed.
    """

    application: str
    user: str
    role: str
    user_roles: frozenset[str]
    keep: str = ""
    waits_for: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """Return the connection of an entry of the option `connections`."""
        return cls(
            params["application_name"] or "",
            params["user_name"] or "",
            params["role_name"] or "",
            frozenset(params["user_roles"] or ()),
            params["keep"] or "",
            params["waits_for"] or "",
        )


def application_queries(connection: Connection) -> list[Query]:
    """Return the query for the tokens of the application."""
    columns = ("sys_id", "peer", "peer.name", "type", "user.user_name")
    return [Query(TOKENS, "peer.name", (connection.application,), columns, optional=True)]


def application_usage(connection: Connection, snapshot: Snapshot) -> Iterator[str]:
    """Yield who else uses the application: accounts that have tokens of it."""
    yield from _unread(snapshot, (TOKENS, "peer.name"))
    others = _names(tokens_of(connection, snapshot), "user.user_name") - {connection.user}
    if others:
        yield f"{_listed(others)} {'has' if len(others) == 1 else 'have'} tokens of it"


def tokens_of(connection: Connection, snapshot: Snapshot) -> list[Row]:
    """Return the tokens of the application, of any account."""
    return snapshot.rows(TOKENS, "peer.name", connection.application)


def user_queries(connection: Connection) -> list[Query]:
    """Return the queries for roles, groups, applications and tokens of the account."""
    name = (connection.user,)
    return [
        Query(GRANTS, "user.user_name", name, ("sys_id", "user.user_name", "role.name", "inherited"), optional=True),
        Query(MEMBERS, "user.user_name", name, ("sys_id", "user.user_name", "group.name"), optional=True),
        Query(APPLICATIONS, "user.user_name", name, ("sys_id", "user.user_name", "name"), optional=True),
        Query(TOKENS, "user.user_name", name, ("sys_id", "user.user_name", "peer.name"), optional=True),
    ]


def user_usage(connection: Connection, snapshot: Snapshot) -> Iterator[str]:
    """Yield what else the account is used for."""
    tables = (GRANTS, MEMBERS, APPLICATIONS, TOKENS)
    yield from _unread(snapshot, *((table, "user.user_name") for table in tables))
    found = {table: snapshot.rows(table, "user.user_name", connection.user) for table in tables}
    direct = [row for row in found[GRANTS] if row.get("inherited") != "true"]
    roles = _names(direct, "role.name") - connection.user_roles - PLATFORM_ROLES
    if roles:
        yield f"it has the further {'role' if len(roles) == 1 else 'roles'} {_listed(roles)}"
    groups = _names(found[MEMBERS], "group.name")
    if groups:
        yield f"it is a member of {_listed(groups)}"
    others = _names(found[APPLICATIONS], "name") | _names(found[TOKENS], "peer.name")
    if others - {connection.application}:
        yield f"it is used by the {_plural('application', others - {connection.application})}"


def role_queries(connection: Connection) -> list[Query]:
    """Return the queries for who has the role, and for the access rules that require it."""
    name = (connection.role,)
    rule = ("sys_security_acl.name", "sys_security_acl.operation")
    return [
        Query(GRANTS, "role.name", name, ("sys_id", "user.user_name", "role.name", "inherited"), optional=True),
        Query(GROUP_ROLES, "role.name", name, ("sys_id", "role.name", "group.name"), optional=True),
        Query(CONTAINED, "contains.name", name, ("sys_id", "contains.name", "role.name"), optional=True),
        Query(ACL_ROLES, "sys_user_role.name", name, ("sys_id", "sys_user_role.name", *rule), optional=True),
    ]


def role_usage(connection: Connection, snapshot: Snapshot, *, user_is_kept: bool) -> Iterator[str]:
    """Yield who else has the role."""
    known = ((GRANTS, "role.name"), (GROUP_ROLES, "role.name"), (CONTAINED, "contains.name"))
    yield from _unread(snapshot, *known, (ACL_ROLES, "sys_user_role.name"))
    holders = _names(snapshot.rows(GRANTS, "role.name", connection.role), "user.user_name")
    others = holders - (set() if user_is_kept else {connection.user})
    if others:
        yield f"{_listed(others)} {'has' if len(others) == 1 else 'have'} it"
    groups = _names(snapshot.rows(GROUP_ROLES, "role.name", connection.role), "group.name")
    if groups:
        yield f"the {_plural('group', groups)} {'has' if len(groups) == 1 else 'have'} it"
    roles = _names(snapshot.rows(CONTAINED, "contains.name", connection.role), "role.name")
    if roles:
        yield f"the {_plural('role', roles)} {'contains' if len(roles) == 1 else 'contain'} it"


def access_rules(connection: Connection, snapshot: Snapshot) -> list[str]:
    """Return the access rules that require the role, as operation and table."""
    rows = snapshot.rows(ACL_ROLES, "sys_user_role.name", connection.role)
    return sorted(
        {f"{row.get('sys_security_acl.operation', '')} {row.get('sys_security_acl.name', '')}" for row in rows}
    )


def _unread(snapshot: Snapshot, *asked: tuple[str, str]) -> Iterator[str]:
    """Yield the tables of which not every row is visible: what is hidden may be the use of others."""
    tables = {t for t, column in asked if snapshot.refused(t, column) or snapshot.hidden_count(t, column)}
    if tables:
        yield f"the calling account may not read all of {', '.join(sorted(tables))}, so whether others use it is not known"


def _names(rows: Iterable[Row], column: str) -> set[str]:
    return {str(row.get(column) or "") for row in rows} - {""}


def _plural(noun: str, names: set[str]) -> str:
    return f"{noun}{'' if len(names) == 1 else 's'} {_listed(names)}"


def _listed(names: set[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - MAX_NAMED} more" if len(known) > MAX_NAMED else ""
    return f"{', '.join(known[:MAX_NAMED])}{more}"
