# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Manager admits so many calls at a time; to wait for the next ones is no failure.

See docs/facts/defender_for_cloud.md#throttling.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ...transport.session import Session
from ..progress import PROGRESS_INTERVAL


class ThrottledSession(Session):
    """A session that tells of throttling once, and shows progress while it waits."""

    def __init__(self, tell: Callable[[str], None], *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tell = tell

    def _pause(self, seconds: float, problem: Exception, attempt: int) -> None:
        if getattr(problem, "status", 0) != 429:
            super()._pause(seconds, problem, attempt)
            return
        self.caller.warn(
            "Resource Manager throttled this task; it waited as it was told to (Retry-After). Other clients of the same identity "
            "share its calls"
        )
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.tell(f"Resource Manager is throttling, next call in {left:.0f} s")
            time.sleep(min(left, PROGRESS_INTERVAL))
