# SPDX-License-Identifier: GPL-3.0-or-later
"""The calling account, what it may do, and what to do about a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..engine.store import Account
from ..transport.errors import HttpError
from .query import TableQuery, TableRow, encoded

ME = "javascript:gs.getUserID()"
ADMIN = "admin"

# Roles that may write (docs/facts/servicenow_platform.md#application-registry,
# docs/facts/servicenow_platform.md#roles, docs/facts/servicenow_platform.md#property-rows).
WRITERS = {
    "oauth_entity": ("oauth_admin", "mi_admin", ADMIN),
    "sys_user": ("user_admin", ADMIN),
    "sys_user_role": ("user_admin", ADMIN),
    "sys_user_role_contains": ("user_admin", ADMIN),
    "sys_user_has_role": ("user_admin", ADMIN),
    "sys_properties": (ADMIN,),
    "v_plugin": ("sn_cicd.sys_ci_automation", ADMIN),
}


def account_queries(grant: str, params: Mapping[str, Any]) -> list[TableQuery]:
    """Return the two queries for the calling account: the user's row and its roles."""
    user_name = params.get("snow_username") if grant in ("basic", "password") else None
    who = encoded({"user_name": user_name}) if user_name else f"sys_id={ME}"
    whose = encoded({"user.user_name": user_name}) if user_name else f"user={ME}"
    return [
        TableQuery("sys_user", who, ("sys_id", "user_name"), limit=2, optional=True),
        TableQuery(
            "sys_user_has_role", whose, ("sys_id", "user", "user.user_name", "role.name", "state"), optional=True
        ),
    ]


def account_of(users: tuple[TableRow, ...], roles: tuple[TableRow, ...]) -> Account | None:
    """Return the account from the answers to `account_queries`, or None when the instance does not show it.

    More than one user means that the server did not understand the query (an unknown field matches everything).
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


def remedy(error: HttpError, table: str, calling_account: Callable[[], Account | None]) -> str:
    """Return what to do about a refused call on `table`, naming the account's roles where they can be read."""
    if error.status != 403 or "scope" in error.words.lower():
        return _remedy_by_status(error)
    account = calling_account()
    if account is None:
        held = "The account's roles could not be read"
    else:
        held = (
            f"{account.user_name} has the roles {', '.join(sorted(account.roles))}"
            if account.roles
            else f"{account.user_name} is calling"
        )
    if table in WRITERS:
        return f"{held}; writing {table} requires one of {', '.join(WRITERS[table])}"
    return f"{held}; check for an access rule, a data policy or the role snc_read_only"


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


__all__ = ["ADMIN", "WRITERS", "Account", "account_of", "account_queries", "remedy"]
