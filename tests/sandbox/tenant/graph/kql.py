# SPDX-License-Identifier: GPL-3.0-or-later
"""The subset of Kusto Query Language (KQL) that the collection, its guides and its tests use; all else is a syntax error.

    Table | where A == 1 and B.c in ('x', 'y') | summarize N=count(), Last=max(Timestamp) by A | order by N desc | take 5

Operators: where, project, summarize, order by, sort by, take. Comparisons: == != =~ < <= > >= has contains in, joined by `and`.
Functions: tostring, isnotnull. Aggregates: count, min, max, make_set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import reduce
from typing import Any

Row = dict[str, Any]
Expression = Callable[[Row], Any]
Aggregate = Callable[[list[Row]], Any]

_TOKEN = re.compile(
    r"(?P<text>\"[^\"\\\n]*\"|'[^'\\\n]*')|(?P<number>\d+\b)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[=!<>]=|=~|~|[|<>=(),.;])"
)
_BLANK = re.compile(r"(?:\s|//[^\n]*)*")
_END = ("end", "end of query")


class KqlError(ValueError):
    """The query is invalid; the message names what could not be understood."""


@dataclass
class Result:
    """Columns in order, and rows."""

    columns: list[str]
    rows: list[Row]


def run(query: str, tables: Mapping[str, Result]) -> Result:
    """Run a query; raises KqlError."""
    reader = _Reader(query)
    table = reader.next("name")
    if table not in tables:
        raise KqlError(f"Failed to resolve table or column expression named '{table}'.")
    result = tables[table]
    while reader.accept("|"):
        reader.columns = result.columns
        operator = reader.next("name")
        if operator not in _OPERATORS:
            raise KqlError(f"Syntax error: the operator '{operator}' is not supported.")
        result = _OPERATORS[operator](reader, result)
    reader.accept(";")
    if reader.token != _END:
        raise reader.unexpected()
    return result


def text_of(value: Any) -> str:
    """Format a value as `tostring` does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


class _Reader:
    """Reads tokens one after another; `columns` are those of the current step of the pipe."""

    def __init__(self, query: str) -> None:
        self._tokens = _tokens_of(query)
        self._index = 0
        self.columns: list[str] = []

    @property
    def token(self) -> tuple[str, str]:
        """Kind and text of the next token."""
        return self._tokens[self._index]

    def unexpected(self) -> KqlError:
        """Make the error for a token that cannot come here."""
        return KqlError(f"Syntax error: {self.token[1]!r} is not expected.")

    def next(self, *kinds: str) -> str:
        """Read a token of one of these kinds; raises KqlError."""
        kind, text = self.token
        if kind not in kinds:
            raise self.unexpected()
        self._index += 1
        return text

    def accept(self, *texts: str) -> str:
        """Read the next token if it is one of these; empty if it is another."""
        kind, text = self.token
        return self.next(kind) if kind in ("name", "sign") and text in texts else ""

    def expect(self, text: str) -> None:
        """Read one token; raises KqlError if it is another."""
        if not self.accept(text):
            raise self.unexpected()

    def alias(self) -> str:
        """Read `Name =` if it comes next; empty if not."""
        if self.token[0] == "name" and self._tokens[self._index + 1] == ("sign", "="):
            name = self.next("name")
            self.expect("=")
            return name
        return ""

    def comma_separated(self, read: Callable[[_Reader], Any]) -> list[Any]:
        """Read one or more items."""
        items = [read(self)]
        while self.accept(","):
            items.append(read(self))
        return items


def _tokens_of(query: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    index = _BLANK.match(query).end()  # type: ignore[union-attr]
    while index < len(query):
        found = _TOKEN.match(query, index)
        if found is None:
            raise KqlError(f"Syntax error: the query could not be parsed at {query[index : index + 20]!r}.")
        tokens.append((str(found.lastgroup), found.group()))
        index = _BLANK.match(query, found.end()).end()  # type: ignore[union-attr]
    return [*tokens, _END]


def _value(reader: _Reader) -> tuple[str, Expression]:
    """Read a literal, a column with its path, or a function call; returns the default column name and the value."""
    kind, text = reader.token
    if kind in ("text", "number"):
        reader.next(kind)
        constant = text[1:-1] if kind == "text" else int(text)
        return "Column1", lambda _: constant
    column = reader.next("name")
    if reader.accept("("):
        if column not in _FUNCTIONS:
            raise KqlError(f"Unknown function: '{column}'.")
        _, argument = _value(reader)
        reader.expect(")")
        function = _FUNCTIONS[column]
        return "Column1", lambda row: function(argument(row))
    if column not in reader.columns:
        raise KqlError(f"Failed to resolve column or scalar expression named '{column}'.")
    path = [column]
    while reader.accept("."):
        path.append(reader.next("name"))
    return "_".join(path), lambda row: reduce(_member, path, row)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


_FUNCTIONS: dict[str, Expression] = {"tostring": text_of, "isnotnull": lambda value: value is not None}


def _named(reader: _Reader) -> tuple[str, Expression]:
    alias = reader.alias()
    name, value = _value(reader)
    return alias or name, value


def _has(left: Any, right: Any) -> bool:
    return re.search(rf"(?<!\w){re.escape(text_of(right))}(?!\w)", text_of(left), re.IGNORECASE) is not None


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "=~": lambda left, right: text_of(left).lower() == text_of(right).lower(),
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "has": _has,
    "contains": lambda left, right: text_of(right).lower() in text_of(left).lower(),
}


def _condition(reader: _Reader) -> Expression:
    _, left = _value(reader)
    if reader.accept("in"):
        comparison = "=~" if reader.accept("~") else "=="
        reader.expect("(")
        choices = [value for _, value in reader.comma_separated(_value)]
        reader.expect(")")
        return lambda row: any(_compare(comparison, left(row), choice(row)) for choice in choices)
    operator = reader.accept(*_COMPARISONS)
    if not operator:
        return left
    _, right = _value(reader)
    return lambda row: _compare(operator, left(row), right(row))


def _compare(operator: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return operator == "!=" and left is not right
    if operator not in ("=~", "has", "contains") and (isinstance(left, dict | list) or type(left) is not type(right)):
        raise KqlError(f"Cannot compare values of types {type(left).__name__} and {type(right).__name__}.")
    return _COMPARISONS[operator](left, right)


def _where(reader: _Reader, result: Result) -> Result:
    conditions = [_condition(reader)]
    while reader.accept("and"):
        conditions.append(_condition(reader))
    return Result(result.columns, [row for row in result.rows if all(condition(row) for condition in conditions)])


def _project(reader: _Reader, result: Result) -> Result:
    columns = dict(reader.comma_separated(_named))
    return Result(list(columns), [{name: value(row) for name, value in columns.items()} for row in result.rows])


def _take(reader: _Reader, result: Result) -> Result:
    return Result(result.columns, result.rows[: int(reader.next("number"))])


def _order(reader: _Reader, result: Result) -> Result:
    reader.expect("by")
    rows = list(result.rows)
    for value, descending in reversed(reader.comma_separated(_sort_key)):
        rows.sort(key=lambda row, value=value: ((key := value(row)) is not None, key or ""), reverse=descending)  # type: ignore[misc]
    return Result(result.columns, rows)


def _sort_key(reader: _Reader) -> tuple[Expression, bool]:
    _, value = _value(reader)
    return value, reader.accept("asc", "desc") != "asc"


def _summarize(reader: _Reader, result: Result) -> Result:
    aggregates = dict(reader.comma_separated(_aggregate))
    keys = dict(reader.comma_separated(_named)) if reader.accept("by") else {}
    groups: dict[str, tuple[Row, list[Row]]] = {} if keys else {"": ({}, result.rows)}
    for row in result.rows if keys else ():
        found = {name: value(row) for name, value in keys.items()}
        groups.setdefault(text_of([text_of(value) for value in found.values()]), (found, []))[1].append(row)
    rows = [
        {**found, **{name: value(members) for name, value in aggregates.items()}} for found, members in groups.values()
    ]
    return Result([*keys, *aggregates], rows)


def _aggregate(reader: _Reader) -> tuple[str, Aggregate]:
    alias, function = reader.alias(), reader.next("name")
    reader.expect("(")
    if function == "count":
        reader.expect(")")
        return alias or "count_", len
    if function not in _AGGREGATES:
        raise KqlError(f"Unknown function: '{function}'.")
    column, value = _value(reader)
    limit = int(reader.next("number")) if function == "make_set" and reader.accept(",") else None
    reader.expect(")")
    prefix, compute = _AGGREGATES[function]
    return alias or f"{prefix}_{column}", lambda rows: compute(
        [found for row in rows if (found := value(row)) not in (None, "")], limit
    )


_AGGREGATES: dict[str, tuple[str, Callable[[list[Any], int | None], Any]]] = {
    "min": ("min", lambda values, _: min(values, default=None)),
    "max": ("max", lambda values, _: max(values, default=None)),
    "make_set": ("set", lambda values, limit: list(dict.fromkeys(values))[:limit]),
}
_OPERATORS: dict[str, Callable[[_Reader, Result], Result]] = {
    "where": _where,
    "project": _project,
    "take": _take,
    "order": _order,
    "sort": _order,
    "summarize": _summarize,
}
