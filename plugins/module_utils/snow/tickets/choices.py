# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice lists of an instance (`sys_choice`) for tickets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...engine.errors import InvalidInput
from ...engine.snapshot import Query, Row, Snapshot
from ...option_names import named_option

TABLE = "sys_choice"
PARENT = "task"
LANGUAGE = "en"
# Used if the account cannot read the lists (docs/facts/servicenow_tickets.md#incidents).
LEVELS = {"high": "1", "medium": "2", "low": "3"}
LEVEL_COLUMNS = frozenset({"impact", "urgency"})


def choice_query(tables: Iterable[str]) -> Query:
    """Return the query for all choices of `tables`, and of their parent table."""
    columns = ("sys_id", "name", "element", "value", "label", "sequence", "language", "inactive")
    return Query(TABLE, "name", (*tables, PARENT), columns, where=(("language", LANGUAGE),), optional=True)


@dataclass
class Choices:
    """Value to label, by table and column, as far as they are readable."""

    lists: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Choices:
        """Return the choices in the result of `choice_query`."""
        made = cls()
        for row in sorted(snapshot.all_rows(TABLE, "name"), key=_position):
            if row.get("inactive") != "true" and row.get("language", LANGUAGE) in (LANGUAGE, ""):
                found = made.lists.setdefault((row.get("name", ""), row.get("element", "")), {})
                found[row.get("value", "")] = row.get("label", "")
        return made

    def known(self, table: str, column: str) -> dict[str, str]:
        """Return value to label, of the table itself or inherited; empty if they are not readable."""
        return self.lists.get((table, column)) or self.lists.get((PARENT, column)) or {}

    def label(self, table: str, column: str, value: str) -> str:
        """Return the label of `value`."""
        return self.known(table, column).get(value) or value

    def wire(self, table: str, column: str, value: str, whose: str) -> str:
        """Return the stored value for `value`: a value, a label, or a label without its leading number.

        Raises `InvalidInput`, with `whose` and all valid choices, if the instance does not have it.
        """
        known = self.known(table, column)
        if value in known or value == "":
            return value
        if not known:
            return LEVELS.get(value.lower(), value) if column in LEVEL_COLUMNS else value
        name = value.casefold()
        for candidate, label in known.items():
            if name in (label.casefold(), label.partition(" - ")[2].casefold()):
                return candidate
        listed = ", ".join(f"{v} ({text})" if text and text != v else v for v, text in known.items())
        raise InvalidInput(
            f"{whose}: {value!r} is not a valid {column} on this instance. Nothing was written; valid values are: {listed}"
        )

    def best(self, table: str, column: str, wanted: tuple[str, ...], whose: str) -> str:
        """Return the first of `wanted` that the instance has; without any, its first choice, "" if it shows none.

        Raises `InvalidInput` if it has none of them.
        """
        known = self.known(table, column)
        if not wanted:
            return next(iter(known), "")
        for value in wanted:
            if value in known or not known:
                return value
        raise InvalidInput(
            f"{whose}: this instance has none of the usual values of {column} ({', '.join(wanted)}). Nothing was written; "
            f"set {named_option('close_code', 'mdc_tickets', 'defender_alerts')} to one of: {', '.join(known)}"
        )

    def has(self, table: str, column: str, value: str) -> bool:
        """Return whether the instance has a value, as far as it shows its own choices of the table."""
        known = self.lists.get((table, column))
        return not known or value in known


def _position(row: Row) -> tuple[int, str]:
    """Return the position of a choice in its list."""
    sequence = row.get("sequence", "")
    return (int(sequence) if sequence.isdecimal() else 0), row.get("value", "")
