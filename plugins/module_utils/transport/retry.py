# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests to repeat, and how long to wait before."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
FIRST_DELAY = 0.5
MAX_DELAY = 30.0
# A platform that asks for no pause at all gets one all the same.
MIN_DELAY = 0.2
DAY = 86400.0


def retry_after_seconds(header: str | None) -> float | None:
    """Return the seconds that a `Retry-After` header (a number or an HTTP date) asks for, or None."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def come_back(seconds: float | None, deadline: float) -> str:
    """Return when to run again, if a platform asks for a pause of `seconds` that exceeds `deadline`; else ""."""
    if seconds is None or seconds <= deadline:
        return ""
    if seconds > 366 * DAY:
        return f"The platform asks for a pause of more than a year, longer than retry_deadline ({deadline:g} s)"
    moment = f"{datetime.fromtimestamp(time.time() + seconds + 59, timezone.utc):%Y-%m-%d %H:%M}"
    return (
        f"The platform asks for a pause of {seconds:.0f} s, longer than retry_deadline ({deadline:g} s): "
        f"run again after {moment} UTC"
    )


@dataclass
class RetryBudget:
    """The number of attempts and the time that one call may use.

    `retries` further attempts, all within `deadline` seconds of the first one. Exponential back-off with full jitter;
    a `Retry-After` takes precedence, and is never shorter than `MIN_DELAY`.
    """

    retries: int
    deadline: float
    attempt: int = 0
    started: float = field(default_factory=time.monotonic)

    def next_delay(self, retry_after: float | None = None) -> float | None:
        """Return the seconds to wait before the next attempt, or None when the budget is used up."""
        if self.attempt >= self.retries:
            return None
        ceiling = min(MAX_DELAY, FIRST_DELAY * 2**self.attempt)
        delay = max(MIN_DELAY, retry_after) if retry_after is not None else random.uniform(0, ceiling)  # noqa: S311 (jitter, not secrecy)
        if time.monotonic() - self.started + delay > self.deadline:
            return None
        self.attempt += 1
        return delay
