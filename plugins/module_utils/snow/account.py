# SPDX-License-Identifier: GPL-3.0-or-later
"""The calling account, what it may do, and what to do about a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..engine.store import Account
from ..transport.errors import HttpError
from ..transport.platform_words import platform_words
from ..transport.responses import Response
from .query import TableQuery, TableRow, encoded

ME = "javascript:gs.getUserID()"
ADMIN = "admin"
# Blocks every write, with any other roles (docs/facts/servicenow_platform.md#roles).
READ_ONLY = "snc_read_only"
# The platform's words for a condition or an order that access rules do not allow (docs/facts/servicenow_platform.md#query-access-rules).
QUERY_DENIED = "Insufficient rights to query"

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
    "sys_remote_update_set": ("sn_cicd.sys_ci_automation", ADMIN),
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
    return Account(user_name, frozenset(mine) if mine else None, READ_ONLY if READ_ONLY in mine else "")


def is_query_denied(answer: Response) -> bool:
    """Return whether the platform refused a condition or the order of a query, not the reading of the table."""
    return answer.status == 403 and QUERY_DENIED in platform_words(answer.data)


def remedy(error: HttpError, table: str, calling_account: Callable[[], Account | None]) -> str:
    """Return what to do about a refused call on `table`, naming the account's roles where they can be read."""
    if error.status != 403 or "scope" in error.words.lower():
        return _remedy_by_status(error)
    if not error.from_platform:
        return "This is not the form of an error of ServiceNow: a proxy, gateway or firewall before the instance may have refused the request"
    account = calling_account()
    if account is not None and READ_ONLY in (account.roles or ()) and error.method != "GET":
        return (
            f"{account.user_name} has the role {READ_ONLY}, which blocks every write, with any other roles; remove "
            f"that role from the account"
        )
    if account is None:
        held = "The account's roles could not be read"
    else:
        held = (
            f"{account.user_name} has the roles {', '.join(sorted(account.roles))}"
            if account.roles
            else f"{account.user_name} is calling"
        )
    if QUERY_DENIED in error.words:
        return (
            f"{held}; a condition or the order of this query is on a column that the read or query access rules (query_match, "
            f"query_range) keep from the account"
        )
    if error.method == "GET":
        return f"{held}; reading {table or 'this'} requires a role that its read access rules (ACLs) accept"
    if table in WRITERS:
        return f"{held}; writing {table} requires one of {', '.join(WRITERS[table])}"
    return f"{held}; check for an access rule, a data policy or the role {READ_ONLY}"


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
    if error.status == 414:
        return "The query is too long for a URL; shorten it, or name the values in a dictionary, which is sent in parts"
    if error.status == 429:
        return "The instance limits the rate of requests (sys_rate_limit_rules); run again later or with fewer forks"
    return ""


__all__ = ["ADMIN", "WRITERS", "Account", "account_of", "account_queries", "remedy"]
