# SPDX-License-Identifier: GPL-3.0-or-later
"""What a business rule works on: one write on its way to the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .callers import Caller
from .errors import Refused, rule_abort
from .instance import Instance
from .store import Row, stable_id


@dataclass(slots=True)
class WriteContext:
    """One write. A rule may alter `row` before it is stored; `operation` is insert, update or delete.

    `is_absorbed` marks a delete that leaves the row in place because something else still needs it; `is_journaled` an
    update that wrote a journal entry and so changes the row even when no column differs.
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
        """Tell whether the write gives a column another value."""
        return self.row.get(column, "") != (self.old or {}).get(column, "")

    def abort(self, rule: str) -> Refused:
        """Make the refusal of a business rule."""
        return rule_abort(self.table, rule, stable_id("sys_script", rule))


Rule = Callable[[WriteContext], None]
