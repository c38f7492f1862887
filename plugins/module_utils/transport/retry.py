# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests to repeat, and how long to wait before."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from .errors import EndlessResponse, UnknownHost, UntrustedCertificate

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
FIRST_DELAY = 0.5
MAX_DELAY = 30.0
# A platform that asks for no pause at all gets one all the same.
MIN_DELAY = 0.2
DAY = 86400.0
# The quota of Resource Graph (docs/facts/defender_for_cloud.md#resource-graph).
QUOTA_RESET = "x-ms-user-quota-resets-after"
SPAN = re.compile(r"(?:([0-9]{1,4})\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?")


def requested_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the headers of a response (names in lower case) ask to wait, or None.

    `Retry-After` takes precedence over a span such as `00:00:05` until a quota is renewed, which can be rounded down.
    """
    asked = retry_after_seconds(headers.get("retry-after"))
    span = SPAN.fullmatch(headers.get(QUOTA_RESET, "").strip())
    if asked is not None or not span:
        return asked
    days, hours, minutes, seconds, fraction = (float(part or 0) for part in span.groups())
    return days * DAY + hours * 3600 + minutes * 60 + seconds + (fraction or 1.0)


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
    """Return when to run again, if a platform asks for a pause of `seconds` that does not fit into `deadline`; else ""."""
    if not seconds:
        return ""
    if seconds > 366 * DAY:
        return f"The platform asks for a pause of more than a year, longer than retry_deadline ({deadline:g} s)"
    moment = f"{datetime.fromtimestamp(time.time() + seconds + 59, timezone.utc):%Y-%m-%d %H:%M}"
    longer = f", longer than retry_deadline ({deadline:g} s)" if seconds > deadline else ""
    return f"The platform asks for a pause of {seconds:.0f} s{longer}: run again after {moment} UTC"


def retries_after(error: Exception, retries: int) -> int:
    """Return how many of `retries` an error leaves: none where repeating does not help, one for a host name that does not exist."""
    if isinstance(error, (UntrustedCertificate, EndlessResponse)):
        return 0
    return min(retries, 1) if isinstance(error, UnknownHost) else retries


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

    def remaining(self) -> float:
        """Return the seconds until the deadline, 0 when it has passed."""
        return max(0.0, self.started + self.deadline - time.monotonic())

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
