# SPDX-License-Identifier: GPL-3.0-or-later
"""The context of a business rule: one write before it is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .callers import Caller
from .errors import Refused, rule_abort
from .instance import Instance
from .store import Row, stable_id


@dataclass(slots=True)
class WriteContext:
    """One write. A rule can change `row` before it is stored; `operation` is insert, update or delete.

    `is_absorbed` marks a delete that keeps the row because it is still needed; `is_journaled` an update that wrote a
    journal entry and so changes the row even if no column differs.
    """

    instance: Instance
    caller: Caller | None
    table: str
    operation: str
    old: Row | None
    row: Row
    is_absorbed: bool = False
    is_journaled: bool = False

    def sets(self, column: str) -> bool:
        """Whether the write changes the value of a column."""
        return self.row.get(column, "") != (self.old or {}).get(column, "")

    def abort(self, rule: str) -> Refused:
        """Return the error of a business rule that aborts the write."""
        return rule_abort(self.table, rule, stable_id("sys_script", rule))


Rule = Callable[[WriteContext], None]
