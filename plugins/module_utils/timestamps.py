# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates and times as users and Azure write them, compared as the moments that they are."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

PATTERN = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?)?", re.I)


def moment(text: str) -> datetime:
    """Return the moment that a date or a date-time means. A date is its beginning; without a zone it is UTC.

    Azure writes seven digits of a second, of which six count. Raises `ValueError` for what is neither.
    """
    found = PATTERN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no date such as 2026-12-31 and no date-time such as 2026-12-31T17:00:00Z")
    day, minute, second, fraction, zone = found.groups()
    value = datetime.strptime(f"{day} {minute or '00:00'}:{second or '00'}", "%Y-%m-%d %H:%M:%S")
    value = value.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")), tzinfo=timezone.utc)
    if zone and zone.upper() != "Z":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        away = timedelta(hours=hours, minutes=minutes)
        value = value - away if zone[0] == "+" else value + away
    return value


def written(value: datetime) -> str:
    """Return a moment as Azure takes it (`date-time`), UTC."""
    text = value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{value.microsecond:06}Z" if value.microsecond else f"{text}Z"


def same_moment(one: str, other: str) -> bool:
    """Return whether two texts mean the same moment; what is none is compared as text."""
    try:
        return moment(one) == moment(other)
    except (ValueError, OverflowError):
        return one == other
