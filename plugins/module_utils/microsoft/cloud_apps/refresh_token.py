# SPDX-License-Identifier: GPL-3.0-or-later
"""When the refresh token of a connector expires.

It lives as long as the application on the instance says, and 90 days at most; only entering the details again renews it
(docs/facts/defender_for_cloud_apps.md#preparing-servicenow).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from ...engine.problem import ERROR, WARNING, Problem

MAX_LIFETIME = timedelta(days=90)
WARN_BEFORE = timedelta(days=15)
REMEDY = (
    "Revoke the old refresh token in ServiceNow (System OAuth > Manage Tokens), then enter the same details again: "
    "Edit settings of the connector"
)


def token_end(last_connected: str, lifespan: int | None = None, expires_at: str | None = None) -> str:
    """Return when the refresh token expires (UTC), "" if unknown.

    `lifespan` is that of the application in seconds. `expires_at` is the latest expiry of a refresh token on the instance:
    the connector's is one of these, so that it bounds the end.
    """
    ends = [end for end in (_from_connection(last_connected, lifespan), _time(expires_at)) if end]
    return min(ends).isoformat(timespec="seconds") if ends and last_connected else ""


def days_left(end: str, now: datetime | None = None) -> int | None:
    """Return the days until `end`, negative if it has passed, None if unknown."""
    time = _time(end)
    return (time - (now or datetime.now(timezone.utc))) // timedelta(days=1) if time else None


def token_problems(name: str, last_connected: str, end: str) -> Iterator[Problem]:
    """Yield the problem of a refresh token that has expired, or will soon: half of a short lifetime before its end."""
    time, start, left = _time(end), _time(last_connected), days_left(end)
    if time is None or left is None:
        return
    early = min(WARN_BEFORE, (time - start) / 2) if start else WARN_BEFORE
    if left < 0:
        message = f"connector {name}: its refresh token expired on {end}, and the connection stops"
        yield Problem(f"connector_token:{name}", ERROR, message, REMEDY)
    elif left < early / timedelta(days=1):
        message = f"connector {name}: its refresh token expires in {left} days ({end}); then the connection stops"
        yield Problem(f"connector_token:{name}", WARNING, message, REMEDY)


def _from_connection(last_connected: str, lifespan: int | None) -> datetime | None:
    start = _time(last_connected)
    return start + min(MAX_LIFETIME, timedelta(seconds=lifespan) if lifespan else MAX_LIFETIME) if start else None


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat((text or "").strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
