# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests to repeat, and how long to wait before."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
FIRST_DELAY = 0.5
MAX_DELAY = 30.0


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


@dataclass
class RetryBudget:
    """The number of attempts and the time that one call may use.

    `retries` further attempts, all within `deadline` seconds of the first one. Exponential back-off with full jitter;
    a `Retry-After` takes precedence.
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
        delay = retry_after if retry_after is not None else random.uniform(0, ceiling)  # noqa: S311 (jitter, not secrecy)
        if time.monotonic() - self.started + delay > self.deadline:
            return None
        self.attempt += 1
        return delay
