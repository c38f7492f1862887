# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running operations of Resource Manager (docs/facts/defender_for_cloud.md#long-running-operations)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...ansible_module import TaskContext
from ...engine.errors import EngineError
from ...transport.responses import Response
from ...transport.retry import retry_after_seconds

if TYPE_CHECKING:
    from .client import ArmClient

ASYNC, LOCATION = "azure-asyncoperation", "location"
SUCCEEDED, ENDED_BADLY = "succeeded", ("failed", "canceled")
FIRST_PAUSE, MAX_PAUSE, PROGRESS_INTERVAL = 0.5, 10.0, 5.0


class Watch:
    """Measures how long `what` lasts, and says so at least every 5 s while we wait for it."""

    def __init__(self, context: TaskContext, what: str) -> None:
        self.context, self.what = context, what
        self.started = self.told = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self.started

    def sleep(self, seconds: float) -> None:
        """Wait."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, PROGRESS_INTERVAL))
            if time.monotonic() - self.told >= PROGRESS_INTERVAL:
                self.told = time.monotonic()
                self.context.progress(f"{self.what}: running for {self.seconds:.0f} s")


def finished(manager: ArmClient, answer: Response, what: str, timeout: float) -> Any:
    """Follow the operation that `answer` began until it has ended, and return the last body.

    `Azure-AsyncOperation` wins over `Location`; `Retry-After` over our own pauses. A line of progress every 5 s.
    Raises `EngineError` when it failed, was canceled, or did not end within `timeout` seconds.
    """
    header = ASYNC if answer.headers.get(ASYNC) else LOCATION
    link = answer.headers.get(header, "") if answer.status in (201, 202) else ""
    watch = Watch(manager.context, what)
    pause = FIRST_PAUSE
    while link:
        given = retry_after_seconds(answer.headers.get("retry-after"))
        wait = pause if given is None else given
        pause = min(MAX_PAUSE, pause * 2)
        watch.sleep(wait)
        answer = manager._send("GET", manager.below(link), may_be_empty=True)
        state = _state(answer)
        if state in ENDED_BADLY:
            words = _words(answer)
            raise EngineError(f"{what} {state}{': ' + words if words else ''}. Run again, or look at it in the portal")
        if state == SUCCEEDED or (header == LOCATION and answer.status != 202 and not state):
            break
        if watch.seconds > timeout:
            raise EngineError(
                f"{what} has not ended within {timeout:g} s; it goes on. Run again later to see how it ended"
            )
        link = answer.headers.get(header) or link
    return answer.data


def _state(answer: Response) -> str:
    """Return the state that a body tells, in lower case, "" when it tells none."""
    data = answer.data if isinstance(answer.data, Mapping) else {}
    return str(data.get("status") or "").lower()


def _words(answer: Response) -> str:
    return answer.error().words
