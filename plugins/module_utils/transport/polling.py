# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: how long, how often to ask, and a line of progress every few seconds meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

PROGRESS_INTERVAL = 4.0
GROWTH = 1.5

# The options of a task that waits, in Ansible's form.
WAIT_OPTIONS: dict[str, dict[str, Any]] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 1800.0},
    "poll_interval": {"type": "float", "default": 10.0},
}


@dataclass(frozen=True)
class Wait:
    """What a task's wait options ask for: whether to wait at all, for how long, and how often to ask (seconds)."""

    wanted: bool
    timeout: float
    interval: float


@dataclass
class ProgressLine:
    """Lets one line through every `interval` seconds, the first one `interval` seconds after the beginning."""

    show: Callable[[str], None]
    interval: float = PROGRESS_INTERVAL
    started: float = field(default_factory=lambda: time.monotonic())
    shown: float = 0.0

    def __post_init__(self) -> None:
        self.shown = self.started

    @property
    def seconds(self) -> float:
        """The seconds since the beginning."""
        return time.monotonic() - self.started

    def report(self, text: str) -> None:
        """Show `text` if a line is due."""
        now = time.monotonic()
        if now - self.shown >= self.interval:
            self.shown = now
            self.show(text)


def pause(seconds: float, progress: ProgressLine, line: Callable[[float], str]) -> None:
    """Sleep for `seconds`; `line` gives the text for the seconds since the beginning, shown whenever one is due."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, progress.interval))
        progress.report(line(progress.seconds))


def poll(
    timeout: float,
    interval: float,
    progress: ProgressLine,
    line: Callable[[float], str],
    *,
    max_interval: float = 60.0,
) -> Iterator[float]:
    """Yield the seconds waited so far, after each pause, until a further one would exceed `timeout`.

    The pause grows from `interval` to `max_interval`. The caller breaks off when it has found what it waits for; a loop
    that ends by itself has timed out.
    """
    while progress.seconds + interval <= timeout:
        pause(interval, progress, line)
        yield progress.seconds
        interval = min(interval * GROWTH, max(interval, max_interval))
