# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists OAuth applications of the Application Registry, and when their refresh tokens expire."""

from __future__ import annotations

from typing import Any

from ..engine.field import typed
from ..engine.snapshot import Row
from .client import ServiceNowClient
from .query import TableQuery, encoded
from .resources.oauth_application import OAuthApplication

FIELDS = tuple(field for field in OAuthApplication.fields if field.secret is None)


def oauth_applications(client: ServiceNowClient, name: str | None) -> list[dict[str, Any]]:
    """Return the clients of the registry, sorted by name; with `name`, only those of that name.

    `refresh_token_expires_at` is the latest expiry (UTC) of a valid refresh token, None if none is issued or the account
    may not read `oauth_credential` (docs/facts/servicenow_platform.md#related-oauth-tables).
    """
    columns = ("sys_id", "type", "sys_class_name", *(f.column for f in FIELDS), "user.user_name")
    applications = TableQuery("oauth_entity", encoded({"name": name} if name else {"type": "client"}), columns)
    credentials = TableQuery(
        "oauth_credential",
        encoded({"peer.name": name}) if name else "",
        ("sys_id", "peer", "type", "expires"),
        optional=True,
    )
    found, issued = client.query([applications, credentials])
    rows = [row for row in found.rows if not name or row.get("name") == name]
    return sorted(
        (_as_result(row, issued.rows) for row in rows), key=lambda entry: (str(entry["name"]), str(entry["sys_id"]))
    )


def summary(instance: str, name: str | None, found: list[dict[str, Any]]) -> str:
    """Return one sentence about what was found; a failed check of the caller shows it."""
    if name is None:
        return f"{instance}: {len(found)} applications"
    if not found:
        return f"{instance}: no application is named {name!r}, or the account may not read oauth_entity"
    if len(found) > 1:
        ids = ", ".join(str(entry["sys_id"]) for entry in found)
        return f"{instance}: {len(found)} applications are named {name!r} ({ids}); remove or rename all but one"
    return f"{instance}: {name!r} has the client id {found[0].get('client_id', '')}"


def _as_result(row: Row, credentials: tuple[Row, ...]) -> dict[str, Any]:
    result: dict[str, Any] = {"sys_id": row.get("sys_id", ""), "type": row.get("type", "")}
    for field in FIELDS:
        if field.column in row:
            value = row.get("user.user_name", "") if field.reference else field.from_wire(row[field.column])
            result[field.name] = typed(field, value)
    ends = sorted(
        c.get("expires", "")
        for c in credentials
        if c.get("peer") == row.get("sys_id") and "refresh" in c.get("type", "")
    )
    result["refresh_token_expires_at"] = f"{ends[-1].replace(' ', 'T')}Z" if ends and ends[-1] else None
    return result
