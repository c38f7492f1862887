# SPDX-License-Identifier: GPL-3.0-or-later
"""Polling and waiting, with a progress line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..number_ranges import range_problem
from .errors import BadConnectionOption

PROGRESS_INTERVAL = 4.0
GROWTH = 1.5
# Bounds of the time between two polls, in seconds.
MIN_INTERVAL = 0.1

# The options of a module that waits.
WAIT_OPTIONS: dict[str, dict[str, Any]] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 1800.0},
    "poll_interval": {"type": "float", "default": 10.0},
}


@dataclass(frozen=True)
class Wait:
    """The wait options of a task: whether to wait, for how long, and how often to poll (seconds).

    `option` is the one that sets how long, "" if there is none.
    """

    wanted: bool
    timeout: float
    interval: float
    option: str = "wait_timeout"

    def __post_init__(self) -> None:
        for name, value in (("wait_timeout", self.timeout), ("poll_interval", self.interval)):
            problem = range_problem(name, value)
            if problem:
                raise BadConnectionOption(problem)

    @property
    def limit(self) -> str:
        """How long it waits, for messages, with the option that says so."""
        return f"{self.timeout:g} s{f', which is {self.option}' if self.option else ''}"


@dataclass
class ProgressLine:
    """Shows at most one line every `interval` seconds, the first one `interval` seconds after the start."""

    show: Callable[[str], None]
    interval: float = PROGRESS_INTERVAL
    started: float = field(init=False)
    shown: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.shown = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return time.monotonic() - self.started

    def report(self, text: str) -> None:
        """Show `text` if a line is due."""
        now = time.monotonic()
        if now - self.shown >= self.interval:
            self.shown = now
            self.show(text)


def pause(seconds: float, progress: ProgressLine, line: Callable[[float], str]) -> None:
    """Sleep for `seconds`; whenever a line is due, show the one that `line` returns for the seconds since the start."""
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

    The pause grows from `interval` to `max_interval`. The caller leaves the loop when its condition is met; a loop that
    ends by itself has timed out.
    """
    interval = max(MIN_INTERVAL, interval)
    while progress.seconds + interval <= timeout:
        pause(interval, progress, line)
        yield progress.seconds
        interval = min(interval * GROWTH, max(interval, max_interval))
