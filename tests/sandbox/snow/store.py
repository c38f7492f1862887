# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of one instance, on top of the base data that all instances of a release share.

A row is a plain dictionary of non-empty wire values and is never changed in place; a changed row is a new dictionary.
A table is copied when an instance first writes to it, so hundreds of instances need little more memory than one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

from .schema import Schema

Row = dict[str, str]
T = TypeVar("T")


def stable_id(*parts: str) -> str:
    """Return the sys_id of base data, the same on every instance."""
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


class Rows:
    """The rows of one table by sys_id, with a cache of values computed from them.

    `stamp` is a new object after every change, so that a value derived from two tables can refer to both states.
    """

    __slots__ = ("_derived", "by_id", "stamp")

    def __init__(self, by_id: dict[str, Row] | None = None) -> None:
        self.by_id = by_id if by_id is not None else {}
        self._derived: dict[Hashable, object] = {}
        self.stamp = object()

    def derive(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result of `compute`, cached until a row changes. One key must always have one type."""
        if key not in self._derived:
            self._derived[key] = compute()
        return self._derived[key]  # type: ignore[return-value]

    def index(self, column: str) -> dict[str, list[Row]]:
        """The rows by the case-folded value of a column."""
        return self.derive(("index", column), lambda: self._index(column))

    def _index(self, column: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.by_id.values():
            found.setdefault(row.get(column, "").casefold(), []).append(row)
        return found

    def put(self, row: Row) -> None:
        """Add or replace a row."""
        self.by_id[row["sys_id"]] = row
        self._touch()

    def remove(self, sys_id: str) -> None:
        """Remove a row."""
        del self.by_id[sys_id]
        self._touch()

    def _touch(self) -> None:
        self._derived.clear()
        self.stamp = object()


_NOTHING = Rows()


class Database:
    """All tables of one instance."""

    def __init__(self, schema: Schema, base: Mapping[str, Rows]) -> None:
        self.schema = schema
        self._base = base
        self._own: dict[str, Rows] = {}

    def rows(self, table: str) -> Rows:
        """The rows of exactly this table, for reading."""
        own = self._own.get(table)
        return own if own is not None else self._base.get(table, _NOTHING)

    def scan(self, table: str) -> Iterable[Row]:
        """Every row of a table and of the tables that extend it."""
        family = self.schema.family(table)
        if len(family) == 1:
            return self.rows(table).by_id.values()
        return chain.from_iterable(self.rows(name).by_id.values() for name in family)

    def find(self, table: str, sys_id: str) -> tuple[str, Row] | None:
        """Find a row by sys_id; also returns the table of the family that holds it."""
        for name in self.schema.family(table):
            row = self.rows(name).by_id.get(sys_id)
            if row is not None:
                return name, row
        return None

    def lookup(self, table: str, column: str, value: str) -> Iterator[Row]:
        """Every row of a table's family whose column has the value, case-insensitive."""
        value = value.casefold()
        for name in self.schema.family(table):
            yield from self.rows(name).index(column).get(value, ())

    def first(self, table: str, column: str, value: str) -> Row | None:
        """The first row that `lookup` finds."""
        return next(self.lookup(table, column, value), None)

    def put(self, table: str, row: Row) -> None:
        """Add or replace a row of exactly this table."""
        self._writable(table).put(row)

    def put_missing(self, table: str, rows: Iterable[Row]) -> None:
        """Add the rows whose sys_id does not exist yet."""
        present = self.rows(table).by_id
        for row in rows:
            if row["sys_id"] not in present:
                self.put(table, row)
                present = self.rows(table).by_id

    def remove(self, table: str, sys_id: str) -> None:
        """Remove a row of exactly this table."""
        self._writable(table).remove(sys_id)

    def _writable(self, table: str) -> Rows:
        own = self._own.get(table)
        if own is None:
            own = self._own[table] = Rows(dict(self.rows(table).by_id))
        return own

    def is_changed(self, table: str) -> bool:
        """Whether this instance has written to a table."""
        return table in self._own

    def changed_tables(self) -> dict[str, list[Row]]:
        """The complete tables that this instance has written to, for a saved state."""
        return {name: list(rows.by_id.values()) for name, rows in sorted(self._own.items())}

    def restore(self, tables: Mapping[str, Iterable[Row]]) -> None:
        """Replace the current tables with saved ones."""
        for name, rows in tables.items():
            self._own[name] = Rows({row["sys_id"]: row for row in rows})

    def all_tables(self) -> dict[str, list[Row]]:
        """Every table that has rows, for the control API."""
        names = [name for name in self.schema.tables if self.rows(name).by_id]
        return {name: list(self.rows(name).by_id.values()) for name in names}
