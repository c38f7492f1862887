# SPDX-License-Identifier: GPL-3.0-or-later
"""When the refresh token of a connector expires.

It lives as long as the application on the instance says, and 90 days at most; only entering the details again renews it
(docs/facts/defender_for_cloud_apps.md#preparing-servicenow).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ...engine.problem import ERROR, WARNING, Problem
from ...token_end import DAY, in_words, remaining, time_of
from .connector_errors import RENEW

MAX_LIFETIME = timedelta(days=90)
WARN_BEFORE = timedelta(days=15)


def token_end(last_connected: str, lifespan: int | None = None, expires_at: str | None = None) -> str:
    """Return when the refresh token expires (UTC), "" if unknown.

    `lifespan` is that of the application in seconds. `expires_at` is the latest expiry of a refresh token on the instance:
    the connector's is one of these, so that it bounds the end.
    """
    ends = [end for end in (_from_connection(last_connected, lifespan), time_of(expires_at)) if end]
    return min(ends).isoformat(timespec="seconds") if ends and last_connected else ""


def token_problems(name: str, last_connected: str, end: str) -> Iterator[Problem]:
    """Yield the problem of a refresh token that has expired, or will soon: half of a short lifetime before its end."""
    time, start, left = time_of(end), time_of(last_connected), remaining(end)
    if time is None or left["days_left"] is None:
        return
    early = min(WARN_BEFORE, (time - start) / 2) if start else WARN_BEFORE
    message = f"connector {name}: its refresh token {in_words(left['days_left'], left['ended_days_ago'])} ({end})"
    if left["ended_days_ago"] is not None:
        yield Problem(f"connector_token:{name}", ERROR, f"{message}, and the connection stops", RENEW)
    elif left["days_left"] < early / DAY:
        yield Problem(f"connector_token:{name}", WARNING, f"{message}; then the connection stops", RENEW)


def _from_connection(last_connected: str, lifespan: int | None) -> datetime | None:
    start = time_of(last_connected)
    return start + min(MAX_LIFETIME, timedelta(seconds=lifespan) if lifespan else MAX_LIFETIME) if start else None
