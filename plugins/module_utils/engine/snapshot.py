# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that were read from the platform, and the ids of those that the plan will create."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import InvalidInput

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """A query to the platform: the rows of `collection` whose `column` is one of `values`, with `columns` of each.

    `where` holds further equalities. Without `values`, any `limit` rows (which show the columns that exist).
    `optional`: a refusal counts as an answer, see `Snapshot.refused`. `order` is the column to sort by, descending with a
    leading `-`. `operator` compares with `values` in another way than by equality, as the platform spells it.
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
    """The answer to one `Query`: rows, or the platform's words when it refused.

    `total` counts all rows, those included that the caller may not see; None when the platform does not count.
    """

    rows: tuple[Row, ...] = ()
    refused: str = ""
    total: int | None = None


@dataclass(frozen=True)
class PlannedId:
    """The id, known after apply, of a row that this plan creates: the one of `collection` whose `column` is `value`."""

    collection: str
    column: str
    value: str


def merged(reads: Iterable[Query]) -> list[Query]:
    """Return fewer queries for the same rows: those equal but for values and columns become one."""
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
    """The rows that were read, by collection, plus the ids that the plan will create.

    Rows have their id in `id_column`. `referred` collects the ids that the desired state refers to by name.
    """

    answers: list[tuple[Query, QueryResult]] = field(default_factory=list)
    id_column: str = "id"
    planned: set[PlannedId] = field(default_factory=set)
    referred: set[str] = field(default_factory=set)
    # Thousands of rows are looked up one by one: each collection is gathered once, and indexed by the queried column.
    _gathered: dict[tuple[str, str], list[Row]] = field(default_factory=dict, repr=False)
    _by_value: dict[tuple[str, str], dict[Any, list[Row]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, reads: Sequence[Query], answers: Sequence[QueryResult], id_column: str = "id") -> Snapshot:
        """Return the snapshot of `answers` to `reads`, in the same order."""
        return cls(list(zip(reads, answers, strict=True)), id_column)

    def rows(self, collection: str, column: str, value: Any, where: Mapping[str, Any] | None = None) -> list[Row]:
        """Return the rows of `collection` whose `column` is exactly `value`.

        Checked again here although the query asked for it: a platform that does not know a queried field may answer with
        every row (docs/facts/servicenow_platform.md#encoded-queries), and most databases ignore case.
        """
        index = self._by_value.get((collection, column))
        if index is None:
            index = self._by_value[collection, column] = {}
            for row in self._asked(collection, column):
                found_value = row.get(column, "")
                if isinstance(found_value, Hashable):
                    index.setdefault(found_value, []).append(row)
        conditions = {column: value, **(where or {})}
        found = index.get(value, [])
        return [row for row in found if all(row.get(name, "") == wanted for name, wanted in conditions.items())]

    def all_rows(self, collection: str, column: str) -> list[Row]:
        """Return every row that was read from `collection` by `column`."""
        return self._asked(collection, column)

    def case_variants(self, collection: str, column: str, value: str) -> list[Row]:
        """Return the rows whose `column` differs from `value` in upper and lower case only."""
        return [
            row
            for row in self._asked(collection, column)
            if row.get(column, "") != value and str(row.get(column, "")).casefold() == value.casefold()
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
        """Return how many rows of `collection`, queried by `column`, the platform counted but did not return.

        None where it does not count.
        """
        counted = [
            (min(answer.total, read.limit) if read.limit else answer.total) - len(answer.rows)
            for read, answer in self.answers
            if (read.collection, read.column) == (collection, column) and answer.total is not None
        ]
        return sum(counted) if counted else None

    def resolve_id(self, collection: str, by: str, value: str) -> str | PlannedId | None:
        """Return the id of the row whose `by` is `value`, a `PlannedId` if this plan creates it, or None.

        Raises `InvalidInput` when there is more than one.
        """
        rows = self.rows(collection, by, value)
        ids = sorted(str(row[self.id_column]) for row in rows)
        if len(ids) > 1:
            raise InvalidInput(
                f"{len(ids)} {collection} records have the {by} {value!r} ({', '.join(ids)}), so the name is ambiguous; "
                f"remove or rename one"
            )
        if ids:
            self.referred.add(ids[0])
            return ids[0]
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
                    key = row.get(self.id_column, "") or str(len(unique))
                    unique[key] = {**unique.get(key, {}), **row}
        self._gathered[collection, column] = list(unique.values())
        return self._gathered[collection, column]
