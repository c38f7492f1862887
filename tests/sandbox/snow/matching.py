# SPDX-License-Identifier: GPL-3.0-or-later
"""Encoded queries applied to rows: filtering, sorting, dot-walking.

See docs/facts/servicenow_platform.md#encoded-queries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from .operators import FIELD_TESTS, TESTS, Test
from .query import Condition, Group, Query, Related, Term
from .schema import Column
from .server_functions import relative_moment, resolve
from .store import Database, Row

Predicate = Callable[[Row], bool]
Getter = Callable[[Row], str]
# The dynamic filter option "Me", the same on every instance.
_ME = "90d1921e5f510100a9ad2572f2b477fe"
# Below this many rows a scan is as fast as an index.
_SMALL = 32


@dataclass(frozen=True, slots=True)
class QueryContext:
    """User and time of a query. `strict` is `glide.invalid_query.returns_no_rows`."""

    user_id: str
    user_name: str
    now: datetime
    strict: bool = False


class Matcher:
    """Runs queries against one table."""

    def __init__(self, database: Database, table: str, query_context: QueryContext) -> None:
        self._database = database
        self._table = table
        self._asker = query_context

    def select(self, query: Query) -> list[Row]:
        """Every matching row, sorted; rows that compare equal keep the order of their creation."""
        matches = self.predicate(query)
        rows = [row for row in self._candidates(query) if matches(row)]
        for field, descending in reversed(query.order):
            key = self._sort_key(field)
            if key is not None:
                rows.sort(key=key, reverse=descending)
        return rows

    def predicate(self, query: Query) -> Predicate:
        """Build the predicate of a query. A term without a known field is dropped (if strict: matches nothing)."""
        groups = [self._group(group) for group in query.groups]
        if not groups:
            return lambda _row: True
        if len(groups) == 1:
            return groups[0]
        return lambda row: any(group(row) for group in groups)

    def _group(self, group: Group) -> Predicate:
        members = [member for member in map(self._member, group) if member is not None]
        if not members:
            return lambda _row: True
        test = members[0]
        for member in members[1:]:
            test = _both(test, member)
        return test

    def _member(self, alternatives: tuple[Term, ...]) -> Predicate | None:
        tests = [self._term(term) for term in alternatives]
        known = [test for test in tests if test is not None]
        if len(known) < len(tests) and self._asker.strict:
            return lambda _row: False
        if len(known) <= 1:
            return known[0] if known else None
        return lambda row: any(test(row) for test in known)

    def _term(self, term: Term) -> Predicate | None:
        if isinstance(term, Related):
            return self._related(term)
        if not term.field and term.operator:
            split_list = term.value.casefold()
            return lambda row: any(split_list in value.casefold() for value in row.values())
        found = self._database.schema.column(self._table, term.field) if term.operator else None
        if found is None:
            return None
        return self._field_test(term, found[0], self.getter(term.field))

    def _field_test(self, term: Condition, column: Column, get: Getter) -> Predicate | None:
        if term.operator in FIELD_TESTS:
            if self._database.schema.column(self._table, term.value) is None:
                return None
            compare, other = FIELD_TESTS[term.operator], self.getter(term.value)
            return lambda row: compare(get(row), other(row))
        test = self._value_test(term, column)
        if "." not in term.field:
            name = term.field
            return lambda row: test(row.get(name, ""))
        return lambda row: test(get(row))

    def _value_test(self, term: Condition, column: Column) -> Test:
        value = self.value(term)
        if term.operator == "DYNAMIC":
            return TESTS["="](column.kind, self._asker.user_id if value == _ME else value)
        if term.operator == "INSTANCEOF":
            family = self._database.schema.family(value) if value in self._database.schema.tables else ()
            return lambda stored: stored in family
        if term.operator.startswith("RELATIVE"):
            operator = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<="}[term.operator[-2:]]
            return TESTS[operator](column.kind, relative_moment(value, self._asker.now))
        return TESTS[term.operator](column.kind, value)

    def value(self, term: Condition) -> str:
        """The value of a condition, server functions evaluated."""
        if "javascript:" not in term.value:
            return term.value
        query_context = self._asker
        parts = term.value.split("@")
        return "@".join(
            resolve(part, user_id=query_context.user_id, user_name=query_context.user_name, now=query_context.now)
            for part in parts
        )

    def _related(self, term: Related) -> Predicate | None:
        counted = re.fullmatch(r"(>=|<=|!=|=|>|<)(\d+)", term.count)
        schema = self._database.schema
        if counted is None or term.table not in schema.tables or schema.column(term.table, term.column) is None:
            return None
        found: dict[str, int] = {}
        for row in Matcher(self._database, term.table, self._asker).select(term.query):
            key = row.get(term.column, "")
            found[key] = found.get(key, 0) + 1
        test = TESTS[counted[1]]("integer", counted[2])
        return lambda row: test(str(found.get(row.get(term.here, ""), 0)))

    def getter(self, path: str) -> Getter:
        """Build the function that reads a field of a row, following references if the path is dot-walked.

        It caches resolved references, so it must not outlive the request.
        """
        steps = path.split(".")
        if len(steps) == 1:
            return lambda row: row.get(path, "")
        targets: list[str] = []
        table = self._table
        for step in steps[:-1]:
            table = self._database.schema.tables[table].columns[step].reference
            targets.append(table)
        known: dict[str, str] = {}

        def get(row: Row) -> str:
            start = row.get(steps[0], "")
            if start not in known:
                known[start] = self._walk(start, targets, steps[1:])
            return known[start]

        return get

    def _walk(self, sys_id: str, targets: list[str], steps: list[str]) -> str:
        value = sys_id
        for table, step in zip(targets, steps, strict=True):
            found = self._database.find(table, value)
            if found is None:
                return ""
            value = found[1].get(step, "")
        return value

    def _sort_key(self, field: str) -> Callable[[Row], tuple[float, str]] | None:
        found = self._database.schema.column(self._table, field)
        if found is None:
            return None
        column = found[0]
        if column.reference:
            display = self._database.schema.tables[column.reference].display
            field = f"{field}.{display}" if display else field
        get = self.getter(field)
        if column.kind == "integer":
            return lambda row: (float(get(row) or "-inf"), "")
        return lambda row: (0.0, get(row).casefold())

    def _candidates(self, query: Query) -> Iterable[Row]:
        """The candidate rows: those of the most selective indexed condition, else all."""
        size = sum(len(self._database.rows(name).by_id) for name in self._database.schema.family(self._table))
        best: list[Row] | None = None
        if size >= _SMALL and len(query.groups) == 1:
            for member in query.groups[0]:
                found = self._indexed(member[0]) if len(member) == 1 else None
                if found is not None and len(found) < (size if best is None else len(best)):
                    best = found
        if best is None or len(best) * 4 > size:
            return self._database.scan(self._table)
        if len(best) == 1:
            return best
        # In the order of creation, regardless of the index.
        wanted = {row["sys_id"] for row in best}
        return [row for row in self._database.scan(self._table) if row["sys_id"] in wanted]

    def _indexed(self, term: Term) -> list[Row] | None:
        """The rows that can match an `=` or `IN` condition; None without an index."""
        if not isinstance(term, Condition) or term.operator not in ("=", "IN") or not term.value:
            return None
        path, _, rest = term.field.partition(".")
        column = self._database.schema.tables[self._table].columns.get(path)
        if column is None or column.kind in ("boolean", "integer"):
            return None
        value = self.value(term)
        values = {part.strip().casefold() for part in value.split(",")} if term.operator == "IN" else {value.casefold()}
        if not values.isdisjoint(("", "null")):
            return None
        if rest:
            target = self._database.schema.tables[column.reference] if column.reference else None
            if target is None or rest not in target.columns or target.columns[rest].kind in ("boolean", "integer"):
                return None
            values = {row["sys_id"] for each in values for row in self._database.lookup(target.name, rest, each)}
        return [row for each in values for row in self._database.lookup(self._table, path, each)]


def _both(one: Predicate, other: Predicate) -> Predicate:
    return lambda row: one(row) and other(row)
