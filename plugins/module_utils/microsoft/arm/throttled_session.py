# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Manager limits the calls of an identity; a pause for that is not a failure.

See docs/facts/defender_for_cloud.md#throttling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...transport.polling import ProgressLine, pause
from ...transport.retry import RetryBudget
from ...transport.session import Session


class ThrottledSession(Session):
    """A session that warns of throttling once, and shows progress during the pause."""

    def __init__(self, show: Callable[[str], None], *arguments: Any) -> None:
        super().__init__(*arguments)
        self.show = show

    def _pause(self, seconds: float, problem: Exception, budget: RetryBudget) -> None:
        if getattr(problem, "status", 0) != 429:
            super()._pause(seconds, problem, budget)
            return
        self.caller.warn(
            "Resource Manager throttled this task, which paused as long as requested. Other clients of the same "
            "identity share its limit"
        )
        self.show(_line(seconds))
        pause(seconds, ProgressLine(self.show), lambda paused: _line(seconds - paused))


def _line(seconds: float) -> str:
    return f"Resource Manager is throttling, next call in {max(0.0, seconds):.0f} s"
