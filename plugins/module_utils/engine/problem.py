# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems that a check finds before or after a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """One problem and its remedy. `severity` error: the checked thing cannot work; warning: it may not, or not for long."""

    id: str
    severity: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity} {self.id}: {self.message}. {self.remedy}"

    def as_dict(self) -> dict[str, Any]:
        """Return the problem for a module's result."""
        return asdict(self)


def is_about_unknown(problem_id: str) -> bool:
    """Return whether a problem says that something could not be read: `release_unknown`, `table_refused:incident`."""
    return problem_id.partition(":")[0].endswith(("_unknown", "_refused"))


def errors_first(problems: Iterable[Problem]) -> list[Problem]:
    """Return `problems` with the errors first, otherwise in their order."""
    return sorted(problems, key=lambda problem: problem.severity != ERROR)
