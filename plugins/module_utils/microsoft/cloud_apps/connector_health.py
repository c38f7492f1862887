# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a connector, its problems with their remedies, and the end of its refresh token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ...engine.problem import Problem
from ...engine.snapshot import Row

CONNECTED, WARNING, ERROR, DISABLED, ABSENT, UNKNOWN = (
    "connected", "warning", "error", "disabled", "absent", "unknown",
)  # fmt: skip
CONNECTING = re.compile("CONNECTING|PENDING|PROGRESS|VALIDATING", re.I)

# A connector's refresh token is valid for 90 days, and only entering the details again renews it
# (docs/facts/defender_for_cloud_apps.md#preparing-servicenow).
TOKEN_DAYS, WARN_FROM_DAY = 90, 75

# (part of the vendor's text, its meaning, remedy). See
# docs/facts/defender_for_cloud_apps.md#connector-states-and-errors.
REMEDIES = (
    (
        "403 Forbidden",
        "the account may not read what the connector reads",
        "Check user and client with snow_oauth_check; give the account the role with the 13 read rules (snow_table_acls), or reconnect with an "
        "administrator's account",
    ),
    (
        "500 Internal",
        "the instance returned an internal error",
        "Check the instance's system log, then try again",
    ),
    ("Service timeout", "the instance did not answer in time", "Try again later"),
    (
        "401",
        "the instance refused the credentials",
        "Check them with snow_oauth_check, then enter them again (Edit settings of the connector)",
    ),
)


def status_of(api: Mapping[str, Any]) -> tuple[str, str]:
    """Return the status and the vendor's message of a connector, from the part `api` of its record.

    See docs/facts/defender_for_cloud_apps.md#reading-connectors.
    """
    message = str(api.get("statusTemplateMessage") or "")
    if not api or not (api.keys() - {"isConnected", "isSSPMEnabled", "usersCount"} or api.get("isConnected")):
        return ABSENT, ""
    if api.get("isEnabled") is False:
        return DISABLED, message
    if api.get("isConnected"):
        return (WARNING if api.get("hasWarnings") else CONNECTED), message
    return (UNKNOWN if CONNECTING.search(message) else ERROR), message


def remedy_for(message: str) -> str:
    """Return the meaning of a connector's error, and its remedy.

    See docs/facts/defender_for_cloud_apps.md#connector-states-and-errors.
    """
    for part, meaning, remedy in REMEDIES:
        if part.casefold() in message.casefold():
            return f"{meaning[0].upper()}{meaning[1:]}. {remedy}"
    return "Open the connector in the portal, read its message, and enter the details again (Edit settings)"


def problems_of(name: str, row: Row, *, oauth: bool = True) -> Iterator[Problem]:
    """Yield the problems of a connector, present and coming."""
    if row["status"] in (ERROR, WARNING):
        words = row["message"] or "no message"
        yield Problem(
            f"connector_{row['status']}:{name}", row["status"], f"connector {name}: {words}", remedy_for(words)
        )
    left = token_days_left(row.get("last_connected", "")) if oauth and row["status"] not in (ABSENT, DISABLED) else None
    if left is not None and left < TOKEN_DAYS - WARN_FROM_DAY:
        when = f"expires in {left} days" if left >= 0 else f"expired {-left} days ago"
        yield Problem(
            f"connector_token:{name}",
            WARNING if left >= 0 else ERROR,
            f"connector {name}: its refresh token {when} ({token_end(row['last_connected'])}); then the connection stops",
            "Revoke the old refresh token in ServiceNow (System OAuth > Manage Tokens), then enter the same details again: "
            "Edit settings of the connector",
        )


def token_days_left(last_connected: str, now: datetime | None = None) -> int | None:
    """Return the days until the connector's refresh token expires, None if unknown."""
    if not last_connected:
        return None
    ends = datetime.fromisoformat(last_connected) + timedelta(days=TOKEN_DAYS)
    return (ends - (now or datetime.now(timezone.utc))) // timedelta(days=1)


def token_end(last_connected: str) -> str:
    """Return when the refresh token expires, "" if unknown."""
    if not last_connected:
        return ""
    return (datetime.fromisoformat(last_connected) + timedelta(days=TOKEN_DAYS)).isoformat(timespec="seconds")
