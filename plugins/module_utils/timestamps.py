# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates and times as users and Azure write them, compared as instants."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

PATTERN = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?)?", re.I)


def parse(text: str) -> datetime:
    """Return the instant of a date or a date-time. A date means its beginning; without a time zone it is UTC.

    Azure writes seven digits of a second, of which six count. Raises `ValueError` for any other text.
    """
    found = PATTERN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is neither a date such as 2026-12-31 nor a date-time such as 2026-12-31T17:00:00Z")
    day, minute, second, fraction, zone = found.groups()
    value = datetime.strptime(f"{day} {minute or '00:00'}:{second or '00'}", "%Y-%m-%d %H:%M:%S")
    value = value.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")), tzinfo=timezone.utc)
    if zone and zone.upper() != "Z":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        offset = timedelta(hours=hours, minutes=minutes)
        value = value - offset if zone[0] == "+" else value + offset
    return value


def format_utc(value: datetime) -> str:
    """Return an instant in UTC, in the form that Azure requires (`date-time`)."""
    text = value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{value.microsecond:06}Z" if value.microsecond else f"{text}Z"


def same_instant(one: str, other: str) -> bool:
    """Return whether two texts mean the same instant; texts without one are compared as they are."""
    try:
        return parse(one) == parse(other)
    except (ValueError, OverflowError):
        return one == other
