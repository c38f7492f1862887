# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists OAuth applications of the Application Registry, and when their refresh tokens expire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.field import typed
from ..engine.snapshot import Row
from .client import ServiceNowClient
from .query import TableQuery, encoded
from .record_info import prefetch_records, records
from .resources.oauth_application import OAuthApplication, refresh_token_end

ACCOUNT_COLUMNS = ("user_name", "active", "locked_out")
FIELDS = tuple(field for field in OAuthApplication.fields if field.secret is None)


def oauth_applications(client: ServiceNowClient, *names: str) -> list[dict[str, Any]]:
    """Return the clients of the registry, sorted by name; with `names`, all entries with one of these, providers included.

    `refresh_token_expires_at` is the latest expiry (UTC) of a valid refresh token, None if none is issued or the account
    may not read `oauth_credential` (docs/facts/servicenow_platform.md#related-oauth-tables).
    """
    columns = ("sys_id", "type", "sys_class_name", *(f.column for f in FIELDS), "user.user_name")
    applications = TableQuery("oauth_entity", encoded({"name": names} if names else {"type": "client"}), columns)
    credentials = TableQuery(
        "oauth_credential",
        encoded({"peer.name": names}) if names else "",
        ("sys_id", "peer", "type", "expires"),
        optional=True,
    )
    found, issued = client.query([applications, credentials])
    rows = [row for row in found.rows if not names or row.get("name") in names]
    return sorted(
        (_as_result(row, issued.rows) for row in rows), key=lambda entry: (str(entry["name"]), str(entry["sys_id"]))
    )


def with_accounts(
    client: ServiceNowClient, names: Sequence[str], user_names: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the applications as `oauth_applications` does, and the accounts of these user names, read in the same request."""
    asked = {"table": "sys_user", "query": {"user_name": list(user_names)}, "fields": list(ACCOUNT_COLUMNS), "limit": 0}
    prefetch_records(client, asked)
    applications = oauth_applications(client, *names)
    found = sorted(records(client, asked), key=lambda row: row["user_name"])
    return applications, [
        {
            "user_name": row["user_name"],
            "active": row.get("active") == "true",
            "locked_out": row.get("locked_out") == "true",
        }
        for row in found
    ]


def summary(instance: str, names: Sequence[str], found: Sequence[Mapping[str, Any]]) -> str:
    """Return one sentence about what was found; a failed check of the caller shows it."""
    if not names:
        return f"{instance}: {len(found)} applications"
    return f"{instance}: {'; '.join(_about(name, [each for each in found if each['name'] == name]) for name in names)}"


def _about(name: str, found: Sequence[Mapping[str, Any]]) -> str:
    if not found:
        return f"no application is named {name!r}, or the account may not read oauth_entity"
    if len(found) > 1:
        ids = ", ".join(str(entry["sys_id"]) for entry in found)
        return f"{len(found)} applications are named {name!r} ({ids}); remove or rename all but one"
    return f"{name!r} has the client id {found[0].get('client_id', '')}"


def _as_result(row: Row, credentials: tuple[Row, ...]) -> dict[str, Any]:
    result: dict[str, Any] = {"sys_id": row.get("sys_id", ""), "type": row.get("type", "")}
    for field in FIELDS:
        if field.column in row:
            value = row.get("user.user_name", "") if field.reference else field.from_wire(row[field.column])
            result[field.name] = typed(field, value)
    result["refresh_token_expires_at"] = refresh_token_end(row, credentials)
    return result
