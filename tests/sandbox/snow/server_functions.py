# SPDX-License-Identifier: GPL-3.0-or-later
"""The `javascript:` values of encoded queries and the platform's way to write dates.

See docs/facts/servicenow_platform.md#encoded-queries, docs/facts/servicenow_platform.md#records-on-the-wire.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

FORMAT = "%Y-%m-%d %H:%M:%S"
_CALL = re.compile(r"gs\.(\w+)\((.*)\)")
_SPAN = {
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "dayofweek": 86400,
    "week": 604800,
    "month": 2592000,
    "year": 31536000,
}


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0)


def _end_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=23, minute=59, second=59)


_MOMENTS: dict[str, Callable[[datetime, int], datetime]] = {
    "nowDateTime": lambda now, _: now,
    "beginningOfToday": lambda now, _: _midnight(now),
    "endOfToday": lambda now, _: _end_of_day(now),
    "beginningOfYesterday": lambda now, _: _midnight(now - timedelta(days=1)),
    "endOfYesterday": lambda now, _: _end_of_day(now - timedelta(days=1)),
    "beginningOfThisMonth": lambda now, _: _midnight(now.replace(day=1)),
    "beginningOfThisYear": lambda now, _: _midnight(now.replace(month=1, day=1)),
    "daysAgo": lambda now, count: now - timedelta(days=count),
    "daysAgoStart": lambda now, count: _midnight(now - timedelta(days=count)),
    "daysAgoEnd": lambda now, count: _end_of_day(now - timedelta(days=count)),
    "hoursAgo": lambda now, count: now - timedelta(hours=count),
    "hoursAgoStart": lambda now, count: (now - timedelta(hours=count)).replace(minute=0, second=0),
    "minutesAgo": lambda now, count: now - timedelta(minutes=count),
    "minutesAgoStart": lambda now, count: (now - timedelta(minutes=count)).replace(second=0),
}


def resolve(value: str, *, user_id: str, user_name: str, now: datetime) -> str:
    """Evaluate a value that starts with `javascript:`; an unknown script evaluates to an empty value."""
    if not value.startswith("javascript:"):
        return value
    called = _CALL.fullmatch(value[len("javascript:") :].strip().rstrip(";"))
    if called is None:
        return ""
    name, arguments = called[1], [part.strip(" '\"") for part in called[2].split(",")]
    if name in ("getUserID", "getUserName"):
        return user_id if name == "getUserID" else user_name
    if name == "dateGenerate" and len(arguments) == 2:
        return " ".join(arguments)
    if name not in _MOMENTS:
        return ""
    count = int(arguments[0]) if arguments[0].lstrip("-").isdecimal() else 0
    return _MOMENTS[name](now, count).strftime(FORMAT)


def relative_moment(value: str, now: datetime) -> str:
    """The time of `@unit@ago@count` (or `@ahead@`)."""
    _, unit, direction, count = (value.split("@") + ["", "", "", ""])[:4]
    seconds = _SPAN.get(unit, 86400) * int(count if count.isdecimal() else 0)
    return (now + timedelta(seconds=seconds if direction == "ahead" else -seconds)).strftime(FORMAT)
