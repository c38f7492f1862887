# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a refresh token is still valid, in whole days, or how long ago it ended."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

DAY = timedelta(days=1)


def time_of(text: str | None) -> datetime | None:
    """Return the instant of a text in ISO 8601, by default UTC; None if it is none."""
    try:
        time = datetime.fromisoformat((text or "").strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def remaining(end: str | None, now: datetime | None = None) -> dict[str, int | None]:
    """Return `days_left` until `end` (ISO 8601), 0 once it has passed, and `ended_days_ago`, None until then.

    Both are None if the end is not known.
    """
    time = time_of(end)
    if time is None:
        return {"days_left": None, "ended_days_ago": None}
    left = time - (now or datetime.now(timezone.utc))
    ended = left < timedelta(0)
    return {"days_left": 0 if ended else left // DAY, "ended_days_ago": -left // DAY if ended else None}


def in_words(days_left: Any, ended_days_ago: Any, *, several: bool = False) -> str:
    """Return how long a token is valid: `ends in 3 days`, `ended 2 days ago`, or that its end is not known.

    With `several` tokens as the subject, `end in 3 days`.
    """
    ends, has = ("end", "have") if several else ("ends", "has")
    if isinstance(ended_days_ago, int):
        return f"ended {_days(ended_days_ago)} ago" if ended_days_ago else "ended today"
    if isinstance(days_left, int):
        return f"{ends} in {_days(days_left)}" if days_left else f"{ends} today"
    return f"{has} an unknown end"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
