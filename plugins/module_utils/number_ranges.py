# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers that make sense for options and variables: days, seconds, counts and limits.

One table for modules, roles, filters and lookups: an option and the variables that are passed on to it end with the same words.
"""

from __future__ import annotations

import math
import re
from typing import Any

DAYS, SECONDS, HOURS = " days", " seconds", " hours"
CENTURY, WEEK, DAY = 36500, 604800, 86400
# Of a column of type integer.
LARGEST = 2**31 - 1
# How the dotted name of an option or variable ends -> minimum, maximum, unit. Of several, the longest one counts.
RANGES: dict[str, tuple[float, float, str]] = {
    "timeout": (0.001, DAY, SECONDS),
    "retries": (0, 1000, ""),
    "retry_deadline": (0, DAY, SECONDS),
    "wait_timeout": (0, WEEK, SECONDS),
    "poll_interval": (0, 3600, SECONDS),
    "access_token_lifespan": (1, LARGEST, SECONDS),
    "refresh_token_lifespan": (1, LARGEST, SECONDS),
    # 0: it is not known.
    "connectors.refresh_token_lifespan": (0, LARGEST, SECONDS),
    "mda_connection_refresh_token_lifespan": (0, LARGEST, SECONDS),
    "since_days": (1, CENTURY, DAYS),
    # 0: their number is not asked for.
    "events_since_days": (0, CENTURY, DAYS),
    "min_age_days": (0, CENTURY, DAYS),
    "max_age_days": (0, CENTURY, DAYS),
    "renew_before_days": (0, CENTURY, DAYS),
    "due_days": (0, CENTURY, DAYS),
    "secret_lifetime_days": (1, CENTURY, DAYS),
    "remediation_timeframe_days": (1, CENTURY, DAYS),
    "max_import_age_hours": (0, 24 * CENTURY, HOURS),
    "limit": (0, LARGEST, ""),
    "max_new": (0, 1_000_000, ""),
    "max_writes": (0, 1_000_000, ""),
    "max_users": (1, 10_000, ""),
    # Of a governance rule.
    "priority": (0, 1000, ""),
    # Of rules, which may come before those of order 0.
    "order": (-LARGEST, LARGEST, ""),
    "app_id": (0, LARGEST, ""),
    "unhealthy": (0, LARGEST, ""),
    "healthy": (0, LARGEST, ""),
}
# The options below these count something each.
COUNTS = ("sources",)


def range_of(name: str) -> tuple[float, float, str] | None:
    """Return the minimum, the maximum and the unit of an option or variable, by its dotted name; None for one that has no range."""
    name = re.sub(r"\[\d+\]", "", name)
    if name.rpartition(".")[0].endswith(COUNTS):
        return (0, LARGEST, "")
    found = [known for known in RANGES if name == known or name.endswith((f"_{known}", f".{known}"))]
    return RANGES[max(found, key=len)] if found else None


def range_problem(name: str, value: Any) -> str:
    """Return a sentence for a number out of range, "" for all others and for what is no number."""
    wanted, number = range_of(name), _number(value)
    if wanted is None or number is None:
        return ""
    minimum, maximum, unit = wanted
    if minimum <= number <= maximum:
        return ""
    return f"{name} must be between {_shown(minimum)} and {_shown(maximum)}{unit}, not {_shown(number)}"


def _number(value: Any) -> float | None:
    """Return what Ansible would take `value` for, None for no number."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _shown(number: float) -> str:
    return f"{number:.0f}" if abs(number) <= 2 * LARGEST and number == int(number) else f"{number:g}"
