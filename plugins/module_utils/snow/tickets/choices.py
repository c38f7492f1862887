# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice lists that an instance has (`sys_choice`), for its tickets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...engine.errors import InvalidInput
from ...engine.snapshot import Query, Row, Snapshot

TABLE = "sys_choice"
PARENT = "task"
LANGUAGE = "en"
# Where the lists may not be read (docs/facts/servicenow_tickets.md#incidents).
GRADES = {"high": "1", "medium": "2", "low": "3"}
GRADED = frozenset({"impact", "urgency"})


def choice_read(tables: Iterable[str]) -> Query:
    """Return the question for all choices of `tables`, and of the table that they extend."""
    columns = ("sys_id", "name", "element", "value", "label", "sequence", "language", "inactive")
    return Query(TABLE, "name", (*tables, PARENT), columns, where=(("language", LANGUAGE),), optional=True)


@dataclass
class Choices:
    """Value to label, by table and column, as far as the instance tells."""

    lists: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Choices:
        """Return what the answer to `choice_read` says."""
        made = cls()
        for row in sorted(snapshot.all_rows(TABLE, "name"), key=_place):
            if row.get("inactive") != "true" and row.get("language", LANGUAGE) in (LANGUAGE, ""):
                found = made.lists.setdefault((row.get("name", ""), row.get("element", "")), {})
                found[row.get("value", "")] = row.get("label", "")
        return made

    def known(self, table: str, column: str) -> dict[str, str]:
        """Return value to label: those of the table itself, or those it inherits; empty when the instance does not tell."""
        return self.lists.get((table, column)) or self.lists.get((PARENT, column)) or {}

    def label(self, table: str, column: str, value: str) -> str:
        """Return what people read for `value`."""
        return self.known(table, column).get(value) or value

    def wire(self, table: str, column: str, value: str, whose: str) -> str:
        """Return the value that `value` stands for: it may be a value, a label, or a label without its leading number.

        Raises `InvalidInput`, with `whose` and all valid choices, for one that the instance does not have.
        """
        known = self.known(table, column)
        if value in known or value == "":
            return value
        if not known:
            return GRADES.get(value.lower(), value) if column in GRADED else value
        said = value.casefold()
        for candidate, label in known.items():
            if said in (label.casefold(), label.partition(" - ")[2].casefold()):
                return candidate
        listed = ", ".join(f"{v} ({text})" if text and text != v else v for v, text in known.items())
        raise InvalidInput(
            f"{whose}: {column} {value!r} is no choice of this instance. Nothing was written; it has: {listed}"
        )

    def best(self, table: str, column: str, wanted: tuple[str, ...], whose: str) -> str:
        """Return the first of `wanted` that the instance has.

        Raises `InvalidInput` when it has none of them.
        """
        known = self.known(table, column)
        for value in wanted:
            if value in known or not known:
                return value
        raise InvalidInput(
            f"{whose}: this instance has none of the usual values of {column} ({', '.join(wanted)}). Nothing was written; "
            f"give close_code, one of: {', '.join(known)}"
        )


def _place(row: Row) -> tuple[int, str]:
    """Return where people see the choice in its list."""
    sequence = row.get("sequence", "")
    return (int(sequence) if sequence.isdecimal() else 0), row.get("value", "")
