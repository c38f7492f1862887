# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is calling, what the account may do, and what to do about a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.reconcile import Account
from ..engine.snapshot import Row
from ..transport.errors import HttpError, TransportError
from .query import TableQuery, encoded

if TYPE_CHECKING:
    from .client import Instance

ME = "javascript:gs.getUserID()"

# Who may write, beside admin (docs/facts/servicenow_platform.md#application-registry,
# docs/facts/servicenow_platform.md#roles, docs/facts/servicenow_platform.md#property-rows).
WRITERS = {
    "oauth_entity": ("oauth_admin", "mi_admin"),
    "sys_user": ("user_admin",),
    "sys_user_role": ("user_admin",),
    "sys_user_role_contains": ("user_admin",),
    "sys_user_has_role": ("user_admin",),
    "sys_properties": (),
    "v_plugin": ("sn_cicd.sys_ci_automation",),
}


def account_queries(instance: Instance) -> list[TableQuery]:
    """Return the two questions that tell who is calling: the user's row and its roles."""
    user_name = instance.params.get("snow_username") if instance.grant in ("basic", "password") else None
    who = encoded({"user_name": user_name}) if user_name else f"sys_id={ME}"
    whose = encoded({"user.user_name": user_name}) if user_name else f"user={ME}"
    return [
        TableQuery("sys_user", who, ("sys_id", "user_name"), limit=2, optional=True),
        TableQuery(
            "sys_user_has_role", whose, ("sys_id", "user", "user.user_name", "role.name", "state"), optional=True
        ),
    ]


def read_account(instance: Instance) -> Account | None:
    """Return the calling account, or None when the instance does not tell."""
    try:
        users, roles = (answer.rows for answer in instance.query(account_queries(instance)))
    except TransportError:
        return None
    return account_of(users, roles)


def account_of(users: tuple[Row, ...], roles: tuple[Row, ...]) -> Account | None:
    """Return the account that the answers to `account_queries` describe.

    More than one user means that the server did not understand the question (an unknown field matches everything).
    No visible role means that they may not be read, not that there are none.
    """
    if len(users) != 1:
        return None
    user_name = users[0].get("user_name", "")
    mine = {
        row.get("role.name", "")
        for row in roles
        if row.get("user.user_name", user_name) == user_name and row.get("state", "active") in ("active", "")
    } - {""}
    return Account(user_name, frozenset(mine) if mine else None)


def remedy(instance: Instance, error: HttpError, table: str) -> str:
    """Return what to do about a refused call on `table`, naming the account's roles where they can be read."""
    if error.status != 403 or "scope" in error.words.lower():
        return _remedy_by_status(error)
    account = instance.account()
    if account is None:
        held = "The account's roles could not be read"
    else:
        held = (
            f"{account.user_name} has the roles {', '.join(sorted(account.roles))}"
            if account.roles
            else f"{account.user_name} is calling"
        )
    if table in WRITERS:
        return f"{held}; writing {table} takes one of {', '.join((*WRITERS[table], 'admin'))}"
    return f"{held}; look for an access rule, a data policy or the role snc_read_only"


def _remedy_by_status(error: HttpError) -> str:
    if error.status == 403:
        return (
            "The OAuth application is restricted to scopes that do not cover this API: set its scope restriction to broadly scoped, "
            "or map an auth scope to it"
        )
    if error.status == 400 and "Invalid table" in error.words:
        return (
            "The table does not exist on this instance: check its name, and that the plugin that provides it is active"
        )
    if error.status == 429:
        return "The instance limits the rate of requests (sys_rate_limit_rules); run again later or with fewer forks"
    return ""
