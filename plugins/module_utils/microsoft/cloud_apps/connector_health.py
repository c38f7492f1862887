# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a connector, and its problems with their remedies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.problem import Problem
from ...engine.snapshot import Row
from .refresh_token import token_end, token_problems

CONNECTED, WARNING, ERROR, DISABLED, ABSENT, UNKNOWN = (
    "connected", "warning", "error", "disabled", "absent", "unknown",
)  # fmt: skip
CONNECTING = re.compile("CONNECTING|PENDING|PROGRESS|VALIDATING", re.I)

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


def problems_of(name: str, row: Row, *, oauth: bool = True, end: str | None = None) -> Iterator[Problem]:
    """Yield the problems of a connector, present and coming; `end` is that of its refresh token if more is known of it."""
    last = row.get("last_connected", "")
    if row["status"] in (ERROR, WARNING):
        words = row["message"] or "no message"
        yield Problem(
            f"connector_{row['status']}:{name}", row["status"], f"connector {name}: {words}", remedy_for(words)
        )
    if oauth and row["status"] not in (ABSENT, DISABLED):
        yield from token_problems(name, last, token_end(last) if end is None else end)
