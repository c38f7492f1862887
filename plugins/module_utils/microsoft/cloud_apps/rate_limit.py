# SPDX-License-Identifier: GPL-3.0-or-later
"""Never more calls a minute than a tenant answers, over all processes of this machine.

Each call reserves its moment in a small file that processes lock in turn, and then waits for it without the lock.
The file holds times and nothing else; its name holds a digest of the tenant's address.

See docs/facts/defender_for_cloud_apps.md#api-errors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...file_lock import file_for, folder, locked

CALLS = 30
# A little over a minute: what we send evenly can arrive bunched.
WINDOW = 61.0
# Where a refusal does not say how long to wait (Microsoft's own module waits a minute,
# docs/facts/defender_for_cloud_apps.md#api-errors).
PAUSE = 60.0
MIN_ANNOUNCED_WAIT = 2.0


@dataclass
class RateLimit:
    """The record of calls to the tenant at `url`; `tell` shows a line to the user before a long wait."""

    url: str
    tell: Callable[[str], None]
    place: Path = field(default_factory=folder)

    @property
    def file(self) -> Path:
        """Where the record is kept."""
        return file_for(self.url, "calls", self.place)

    def take(self) -> None:
        """Wait until another call is due, and count it."""
        wait = self._changed(_reserved)
        if wait >= MIN_ANNOUNCED_WAIT:
            self.tell(f"waiting {wait:.0f} s: the tenant answers {CALLS} calls a minute")
        if wait > 0:
            time.sleep(wait)

    def hold(self, seconds: float) -> None:
        """Let no call start within `seconds`: the tenant counts calls of others, too."""
        self._changed(lambda times, now: (_held(times, now, seconds), 0.0))

    def _changed(self, change: Callable[[list[float], float], tuple[list[float], float]]) -> float:
        with locked(self.file, "the record of calls") as file:
            now = time.time()
            times, wait = change(_recent(file.read(), now), now)
            file.seek(0)
            file.write(json.dumps([round(moment, 3) for moment in times]))
            file.truncate()
            return wait


def _recent(text: str, now: float) -> list[float]:
    """Return the moments that still count, in order. A clock that was set back makes a record worthless."""
    try:
        times = sorted(float(moment) for moment in json.loads(text or "[]"))
    except (TypeError, ValueError):
        return []
    if times and times[-1] > now + WINDOW * (len(times) / CALLS + 1):
        return []
    return [moment for moment in times if moment > now - WINDOW]


def _reserved(times: list[float], now: float) -> tuple[list[float], float]:
    due = max(now, times[-CALLS] + WINDOW) if len(times) >= CALLS else now
    return [*times, due], due - now


def _held(times: list[float], now: float, seconds: float) -> list[float]:
    return sorted([*times, *[now + seconds - WINDOW] * CALLS])
