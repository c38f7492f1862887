# SPDX-License-Identifier: GPL-3.0-or-later
"""Client-side rate limit of a tenant, shared by all processes of this machine.

Each call reserves a time slot in a small locked file, and then waits for it without the lock. The file contains times only;
its name contains a digest of the tenant's address.

See docs/facts/defender_for_cloud_apps.md#api-errors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...file_lock import file_for, folder, locked

MAX_CALLS = 30
# A little over a minute: calls that are sent evenly can arrive in bursts.
WINDOW = 61.0
# If a 429 has no Retry-After (Microsoft's own module waits a minute,
# docs/facts/defender_for_cloud_apps.md#api-errors).
PAUSE = 60.0
MIN_ANNOUNCED_WAIT = 2.0


@dataclass
class RateLimit:
    """The calls to the tenant at `url`; `report` shows a line to the user before a long wait."""

    url: str
    report: Callable[[str], None]
    place: Path = field(default_factory=folder)

    @property
    def file(self) -> Path:
        """The file with the times of the calls."""
        return file_for(self.url, "calls", self.place)

    def acquire(self) -> None:
        """Wait until another call is allowed, and count it."""
        wait = self._update(_reserve)
        if wait >= MIN_ANNOUNCED_WAIT:
            self.report(f"waiting {wait:.0f} s: the tenant accepts {MAX_CALLS} calls per minute")
        if wait > 0:
            time.sleep(wait)

    def block(self, seconds: float) -> None:
        """Allow no call within `seconds`: the tenant also counts calls of other clients."""
        self._update(lambda times, now: (_block(times, now, seconds), 0.0))

    def _update(self, change: Callable[[list[float], float], tuple[list[float], float]]) -> float:
        with locked(self.file, "the record of calls") as file:
            now = time.time()
            times, wait = change(_recent(file.read(), now), now)
            file.seek(0)
            file.write(json.dumps([round(moment, 3) for moment in times]))
            file.truncate()
            return wait


def _recent(text: str, now: float) -> list[float]:
    """Return the times that still count, in order; none if the clock was set back since."""
    try:
        times = sorted(float(moment) for moment in json.loads(text or "[]"))
    except (TypeError, ValueError):
        return []
    if times and times[-1] > now + WINDOW * (len(times) / MAX_CALLS + 1):
        return []
    return [moment for moment in times if moment > now - WINDOW]


def _reserve(times: list[float], now: float) -> tuple[list[float], float]:
    due = max(now, times[-MAX_CALLS] + WINDOW) if len(times) >= MAX_CALLS else now
    return [*times, due], due - now


def _block(times: list[float], now: float, seconds: float) -> list[float]:
    return sorted([*times, *[now + seconds - WINDOW] * MAX_CALLS])
