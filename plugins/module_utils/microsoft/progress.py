# SPDX-License-Identifier: GPL-3.0-or-later
"""A line of progress every few seconds, however fast the work goes."""

from __future__ import annotations

import time

from ..ansible_module import TaskContext

PROGRESS_INTERVAL = 5.0


class Progress:
    """Lets one line through every 5 seconds, the first one 5 seconds after the beginning."""

    def __init__(self, context: TaskContext, platform: str = "Defender for Cloud") -> None:
        self.context, self.platform = context, platform
        self.told = time.monotonic()

    def tell(self, text: str) -> None:
        """Show `text` if it is time."""
        now = time.monotonic()
        if now - self.told >= PROGRESS_INTERVAL:
            self.told = now
            self.context.progress(f"{self.platform}: {text}")
