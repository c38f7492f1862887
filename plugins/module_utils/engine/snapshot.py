# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read from the platform, and what the plan at hand is going to add to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import InvalidInput

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """A question to the platform: the rows of `collection` whose `column` is one of `values`, with `columns` of each.

    `where` holds further equalities. Without `values`, any `limit` rows (a look at which columns there are).
    `optional` means that a refusal is an answer, too: `Snapshot.refused` tells. `order` is the column to sort by, with a
    leading `-` from the last to the first. `operator` compares with `values` in another way than by equality, as the
    platform spells it.
    """

    collection: str
    column: str
    values: tuple[str, ...]
    columns: tuple[str, ...]
    where: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    limit: int = 0
    order: str = ""
    operator: str = ""


@dataclass(frozen=True)
class QueryResult:
    """The answer to one `Query`: rows of plain strings, or the platform's words when it refused.

    `total` is how many rows there are, those included that the caller may not see; None when the platform does not tell.
    """

    rows: tuple[Row, ...] = ()
    refused: str = ""
    total: int | None = None


@dataclass(frozen=True)
class PlannedId:
    """Stands for the id of a row that this plan creates: the one of `collection` whose `column` is `value`."""

    collection: str
    column: str
    value: str


def merged(reads: Iterable[Query]) -> list[Query]:
    """Return as few reads that ask for the same: equal but for values and columns become one."""
    by_key: dict[tuple[object, ...], Query] = {}
    for read in reads:
        key = (read.collection, read.column, read.where, read.optional, read.limit, read.order, read.operator)
        known = by_key.get(key)
        if known is None:
            by_key[key] = read
            continue
        by_key[key] = replace(
            known,
            values=tuple(dict.fromkeys(known.values + read.values)),
            columns=tuple(dict.fromkeys(known.columns + read.columns)),
        )
    return list(by_key.values())


@dataclass
class Snapshot:
    """The rows that were read, by collection, plus the ids that the plan promises.

    `referred` collects the ids that descriptions refer to by name.
    """

    answers: list[tuple[Query, QueryResult]] = field(default_factory=list)
    planned: set[PlannedId] = field(default_factory=set)
    referred: set[str] = field(default_factory=set)
    # Thousands of rows are looked up one by one: each collection is gathered once, and sorted by what it was asked by.
    _gathered: dict[tuple[str, str], list[Row]] = field(default_factory=dict, repr=False)
    _by_value: dict[tuple[str, str], dict[str, list[Row]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, reads: Sequence[Query], answers: Sequence[QueryResult]) -> Snapshot:
        """Return the snapshot of `answers` to `reads`, in the same order."""
        return cls(list(zip(reads, answers, strict=True)))

    def rows(self, collection: str, column: str, value: str, where: Mapping[str, str] | None = None) -> list[Row]:
        """Return the rows of `collection` whose `column` is exactly `value`.

        Checked here again although it was asked for: a platform that does not know a queried field answers with
        everything (docs/facts/servicenow_platform.md#encoded-queries), and most databases ignore case.
        """
        index = self._by_value.get((collection, column))
        if index is None:
            index = self._by_value[collection, column] = {}
            for row in self._asked(collection, column):
                index.setdefault(row.get(column, ""), []).append(row)
        conditions = {column: value, **(where or {})}
        found = index.get(value, [])
        return [row for row in found if all(row.get(name, "") == wanted for name, wanted in conditions.items())]

    def all_rows(self, collection: str, column: str) -> list[Row]:
        """Return every row that came back when `collection` was asked by `column`."""
        return self._asked(collection, column)

    def case_variants(self, collection: str, column: str, value: str) -> list[Row]:
        """Return the rows whose `column` differs from `value` in upper and lower case only."""
        return [
            row
            for row in self._asked(collection, column)
            if row.get(column, "") != value and row.get(column, "").casefold() == value.casefold()
        ]

    def refused(self, collection: str, column: str) -> str:
        """Return the platform's words if it refused to answer for `collection` by `column`, else ""."""
        return next(
            (
                a.refused
                for read, a in self.answers
                if (read.collection, read.column) == (collection, column) and a.refused
            ),
            "",
        )

    def hidden_count(self, collection: str, column: str) -> int | None:
        """Return how many rows the platform counted but did not show when `collection` was asked by `column`.

        None where it does not count.
        """
        counted = [
            (min(answer.total, read.limit) if read.limit else answer.total) - len(answer.rows)
            for read, answer in self.answers
            if (read.collection, read.column) == (collection, column) and answer.total is not None
        ]
        return sum(counted) if counted else None

    def resolve_id(self, collection: str, by: str, value: str) -> str | PlannedId | None:
        """Return the id of the row that users call `value`, a `PlannedId` if this plan creates it, or None.

        Raises `InvalidInput` when more than one is called so.
        """
        rows = self.rows(collection, by, value)
        if len(rows) > 1:
            ids = ", ".join(sorted(row["sys_id"] for row in rows))
            raise InvalidInput(
                f"{len(rows)} rows of {collection} have the {by} {value!r} ({ids}), so it does not tell which is meant; "
                f"remove or rename one"
            )
        if rows:
            self.referred.add(rows[0]["sys_id"])
            return rows[0]["sys_id"]
        pending = PlannedId(collection, by, value)
        return pending if pending in self.planned else None

    def _asked(self, collection: str, column: str) -> list[Row]:
        known = self._gathered.get((collection, column))
        if known is not None:
            return known
        unique: dict[str, Row] = {}
        for read, answer in self.answers:
            if (read.collection, read.column) == (collection, column):
                for row in answer.rows:
                    key = row.get("sys_id", "") or str(len(unique))
                    unique[key] = {**unique.get(key, {}), **row}
        self._gathered[collection, column] = list(unique.values())
        return self._gathered[collection, column]
