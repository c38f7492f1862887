# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the hunting language that queries about connected apps need: a table and a pipe of operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .kql_terms import Reader, Row, Term, aggregate, term
from .kql_values import text_of
from .kql_words import KqlError


@dataclass
class Result:
    """Columns in order, and rows."""

    columns: list[str]
    rows: list[Row]


def run(query: str, tables: Mapping[str, Result], now: datetime) -> Result:
    """Answer a query; raises KqlError."""
    reader = Reader(query, now)
    name = reader.name()
    if name not in tables:
        raise KqlError(
            f"Failed to resolve table or column expression named '{name}'. Fix semantic errors in your query."
        )
    result = Result(list(tables[name].columns), list(tables[name].rows))
    while reader.take("|"):
        reader.columns = result.columns
        verb = reader.name()
        if verb not in _OPERATORS:
            raise KqlError(f"Syntax error: '{verb}' is not an operator that is known here.")
        result = _OPERATORS[verb](reader, result)
    reader.take(";")
    if reader.word.kind != "end":
        raise KqlError(f"Syntax error: {reader.word.text!r} is not expected here.")
    return result


def _where(reader: Reader, result: Result) -> Result:
    test = term(reader)
    return Result(result.columns, [row for row in result.rows if test(row)])


def _take(reader: Reader, result: Result) -> Result:
    count = reader.next().value
    if not isinstance(count, int):
        raise KqlError("Syntax error: 'take' needs a whole number.")
    return Result(result.columns, result.rows[:count])


def _new_column(reader: Reader) -> tuple[str, Term]:
    given, start = reader.named(), reader.word
    name = given or (start.text if start.text in reader.columns else "Column1")
    return name, term(reader)


def _extend(reader: Reader, result: Result) -> Result:
    added = reader.list_of(lambda: _new_column(reader))
    rows = [{**row, **{name: work(row) for name, work in added}} for row in result.rows]
    return Result(list(dict.fromkeys([*result.columns, *(name for name, _ in added)])), rows)


def _project(reader: Reader, result: Result) -> Result:
    wanted = reader.list_of(lambda: _new_column(reader))
    return Result([name for name, _ in wanted], [{name: work(row) for name, work in wanted} for row in result.rows])


def _project_away(reader: Reader, result: Result) -> Result:
    unwanted = reader.list_of(reader.column)
    return _only([name for name in result.columns if name not in unwanted], result)


def _project_keep(reader: Reader, result: Result) -> Result:
    wanted = reader.list_of(reader.column)
    return _only([name for name in result.columns if name in wanted], result)


def _only(columns: list[str], result: Result) -> Result:
    return Result(columns, [{name: row.get(name) for name in columns} for row in result.rows])


def _distinct(reader: Reader, result: Result) -> Result:
    columns = result.columns if reader.take("*") else reader.list_of(reader.column)
    unique = {tuple(text_of(row.get(name)) for name in columns): row for row in reversed(result.rows)}
    return _only(columns, Result(columns, list(reversed(unique.values()))))


def _sort(reader: Reader, result: Result) -> Result:
    reader.expect("by")
    rows = list(result.rows)
    for work, descending in reversed(reader.list_of(lambda: _sort_key(reader))):
        rows.sort(key=lambda row, work=work: _comparable(work(row)), reverse=descending)  # type: ignore[misc]
    return Result(result.columns, rows)


def _sort_key(reader: Reader) -> tuple[Term, bool]:
    work = term(reader)
    descending = reader.take("asc", "desc") != "asc"
    if reader.take("nulls"):
        reader.expect("first", "last")
    return work, descending


def _comparable(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, int | float | datetime) else (2, text_of(value))


def _top(reader: Reader, result: Result) -> Result:
    count = reader.next().value
    if not isinstance(count, int):
        raise KqlError("Syntax error: 'top' needs a whole number.")
    ordered = _sort(reader, result)
    return Result(ordered.columns, ordered.rows[:count])


def _count(reader: Reader, result: Result) -> Result:
    return Result(["Count"], [{"Count": len(result.rows)}])


def _summarize(reader: Reader, result: Result) -> Result:
    aggregates = [] if reader.word.text == "by" else reader.list_of(lambda: aggregate(reader))
    keys = reader.list_of(lambda: _group_key(reader)) if reader.take("by") else []
    groups: dict[tuple[str, ...], list[Row]] = {} if keys else {(): result.rows}
    values: dict[tuple[str, ...], Row] = {(): {}}
    for row in result.rows if keys else ():
        found = {name: work(row) for name, work in keys}
        key = tuple(text_of(value) for value in found.values())
        groups.setdefault(key, []).append(row)
        values.setdefault(key, found)
    rows = [{**values[key], **{name: work(members) for name, work in aggregates}} for key, members in groups.items()]
    return Result([name for name, _ in (*keys, *aggregates)], rows)


def _group_key(reader: Reader) -> tuple[str, Term]:
    given, start = reader.named(), reader.word
    work = term(reader)
    name = given or (start.text if start.text in reader.columns else "Timestamp" if start.text == "bin" else "Column1")
    return name, work


_OPERATORS: dict[str, Callable[[Reader, Result], Result]] = {
    "where": _where,
    "filter": _where,
    "take": _take,
    "limit": _take,
    "extend": _extend,
    "project": _project,
    "project-away": _project_away,
    "project-keep": _project_keep,
    "distinct": _distinct,
    "sort": _sort,
    "order": _sort,
    "top": _top,
    "count": _count,
    "summarize": _summarize,
}
