# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a connector, and its problems with their remedies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.problem import Problem
from ...engine.snapshot import Row
from .connector_errors import remedy_for
from .refresh_token import token_end, token_problems

CONNECTED, WARNING, ERROR, DISABLED, ABSENT, UNKNOWN = (
    "connected", "warning", "error", "disabled", "absent", "unknown",
)  # fmt: skip
NOT_SHOWN = "its entry in the list does not say isConnected or isEnabled with true or false, so its status is not known. The portal has changed: look there"
CONNECTING = re.compile("CONNECTING|PENDING|PROGRESS|VALIDATING", re.I)


def status_of(api: Mapping[str, Any]) -> tuple[str, str]:
    """Return the status and the vendor's message of a connector, from the part `api` of its record.

    See docs/facts/defender_for_cloud_apps.md#reading-connectors.
    """
    message = str(api.get("statusTemplateMessage") or "")
    if not api or not (api.keys() - {"isConnected", "isSSPMEnabled", "usersCount"} or api.get("isConnected")):
        return ABSENT, ""
    if api.get("isEnabled") is False:
        return DISABLED, message
    connected = api.get("isConnected")
    if connected is not True and not all(isinstance(api.get(key), bool) for key in ("isConnected", "isEnabled")):
        return UNKNOWN, NOT_SHOWN
    if connected:
        return (WARNING if api.get("hasWarnings") else CONNECTED), message
    return (UNKNOWN if CONNECTING.search(message) else ERROR), message


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
