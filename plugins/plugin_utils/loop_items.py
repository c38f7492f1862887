# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which items of a loop have failed or were skipped: since ansible-core 2.21, the result of the loop does not say so in a callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FAILED, SKIPPED = "failed", "skipped"


class LoopItems:
    """Collects how the items of loops ended, until the loop has ended itself."""

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str], list[str]] = {}

    def note(self, result: Any, ending: str = "") -> None:
        """Note how the next item ended: `FAILED`, `SKIPPED`, or well."""
        self._ended.setdefault(_identity(result), []).append(ending)

    def forget(self, result: Any) -> list[str]:
        """Forget how the items of a loop ended, which is returned."""
        return self._ended.pop(_identity(result), [])

    def marked(self, result: Any) -> Mapping[str, Any]:
        """Return the content of a task's result, in which each item of a loop says how it ended."""
        endings = self.forget(result)
        content: Mapping[str, Any] = part(result, "result")
        items = content.get("results")
        if not isinstance(items, list) or len(items) != len(endings):
            return content
        marked = [
            {**item, ending: True} if ending and isinstance(item, Mapping) and not item.get("unreachable") else item
            for item, ending in zip(items, endings, strict=True)
        ]
        return {**content, "results": marked}


def part(result: Any, name: str) -> Any:
    """Return a part of a task's result: public from ansible-core 2.19 on, with a leading underscore before."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")


def _identity(result: Any) -> tuple[str, str]:
    return str(part(result, "host").get_name()), str(part(result, "task")._uuid)
