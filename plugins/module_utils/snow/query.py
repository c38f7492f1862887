# SPDX-License-Identifier: GPL-3.0-or-later
"""Encoded queries, and the Table API requests for rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, quote_plus

from ..engine.errors import InvalidInput
from ..engine.field import wire_text
from ..engine.snapshot import Query

TableRow = Mapping[str, str]

PAGE = 1000
# Characters of a URL that the values of one condition may take: above 2,048 in all, gateways begin to refuse
# (docs/facts/servicenow_platform.md#limits).
MAX_VALUES_LENGTH = 1500
# `numberINa,b`: names of columns are in lower case, other operators end in IN as well.
IN_LIST = re.compile(r"([a-z0-9_.]+)IN(.+)", re.DOTALL)
UNSPLITTABLE = ("NQ", "ORDERBY", "GROUPBY", "RLQUERY", "JOIN")


def escaped(column: str, value: Any) -> str:
    """Return `value` for use in a condition: a caret is doubled; a value that the server would run as a script is refused."""
    text = wire_text(value)
    if text.lower().lstrip().startswith("javascript:"):
        raise InvalidInput(
            f"{column}: a value that starts with javascript: would be run by the instance, so it is never sent"
        )
    return text.replace("^", "^^")


def _fits_in_list(value: str) -> bool:
    # A comma inside an IN list cannot be escaped (docs/facts/servicenow_platform.md#encoded-queries), nor can an empty
    # value be listed.
    return value != "" and "," not in value and "^" not in value


def any_of(column: str, values: tuple[str, ...]) -> str:
    """Return the condition that `column` is one of `values`."""
    if len(values) > 1 and all(map(_fits_in_list, values)):
        return f"{column}IN{','.join(escaped(column, value) for value in values)}"
    return "^OR".join(f"{column}={escaped(column, value)}" for value in values)


def encoded(conditions: Mapping[str, Any]) -> str:
    """Return the encoded query for "every column equals its value"; a list means any of its items, "" means empty.

    Raises `InvalidInput` for an empty list: left out, the condition would match everything.
    """
    terms = []
    for column, value in conditions.items():
        if isinstance(value, (list, tuple)):
            if not value:
                raise InvalidInput(f"{column}: an empty list matches nothing; leave it out, or name a value")
            terms.append(any_of(column, tuple(wire_text(item) for item in value)))
        elif wire_text(value) == "":
            terms.append(f"{column}ISEMPTY")
        else:
            terms.append(f"{column}={escaped(column, value)}")
    return "^".join(terms)


def in_parts(conditions: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield `conditions` as they are or, where a URL would be too long, with the values of their longest list in parts.

    Together the parts find the same rows.
    """
    lengths = {
        column: len(quote(any_of(column, tuple(map(wire_text, value))), safe=""))
        for column, value in conditions.items()
        if isinstance(value, (list, tuple)) and len(value) > 1
    }
    longest = max(lengths, key=lengths.__getitem__, default="")
    if not longest or lengths[longest] <= MAX_VALUES_LENGTH:
        yield conditions
        return
    values = list(conditions[longest])
    for half in (values[: len(values) // 2], values[len(values) // 2 :]):
        yield from in_parts({**conditions, longest: half})


def text_in_parts(query: str) -> Iterator[str]:
    """Yield an encoded `query` as it is or, where a URL would be too long, with the values of its longest IN list in parts.

    A query that is sorted, grouped or has escaped carets or a new part (^NQ) stays whole, and so does a list that is an
    alternative (^OR): parts of those would find other rows, or in another order.
    """
    terms = query.split("^")
    whole = len(quote(query, safe="")) <= MAX_VALUES_LENGTH or "" in terms[1:]
    followers = [*terms[1:], ""]
    lists = {
        place: found
        for place, (term, follower) in enumerate(zip(terms, followers, strict=True))
        if (found := IN_LIST.fullmatch(term)) and not follower.startswith("OR")
    }
    if whole or not lists or any(term.startswith(UNSPLITTABLE) for term in terms):
        yield query
        return
    place = max(lists, key=lambda each: len(terms[each]))
    column, values = lists[place][1], lists[place][2].split(",")
    if len(values) < 2:
        yield query
        return
    for half in (values[: len(values) // 2], values[len(values) // 2 :]):
        terms[place] = f"{column}IN{','.join(half)}"
        yield from text_in_parts("^".join(terms))


@dataclass(frozen=True)
class TableRows:
    """The rows that answer a query, or the instance's own message when it refused.

    `total` counts those included that the account may not read; None when the instance does not count.
    """

    rows: tuple[TableRow, ...] = ()
    refused: str = ""
    total: int | None = None


@dataclass(frozen=True)
class TableQuery:
    """One GET on `/api/now/table/{table}`: `query` encoded, `limit` 0 for all rows, `fields` empty for all columns."""

    table: str
    query: str = ""
    fields: tuple[str, ...] = ()
    limit: int = 0
    offset: int = 0
    optional: bool = False
    is_sorted: bool = True

    @property
    def page_size(self) -> int:
        """How many rows this request asks for."""
        return min(self.limit - self.offset, PAGE) if self.limit else PAGE

    @property
    def path(self) -> str:
        """The path below the instance."""
        return f"/api/now/table/{quote(self.table, safe='')}"

    @property
    def parameters(self) -> dict[str, str]:
        """The query string's parts. Rows are ordered, if the account may sort: pages would overlap otherwise.

        The order of the query comes first; rows that are equal in it are ordered by their id.

        See docs/facts/servicenow_platform.md#paging.
        """
        query = "^".join(part for part in (self.query, "ORDERBYsys_id" if self.is_sorted else "") if part)
        parameters = {
            **({"sysparm_query": query} if query else {}),
            "sysparm_limit": str(self.page_size),
            "sysparm_exclude_reference_link": "true",
        }
        if self.fields:
            parameters["sysparm_fields"] = ",".join(self.fields)
        if self.offset:
            parameters["sysparm_offset"] = str(self.offset)
        return parameters

    @property
    def url(self) -> str:
        """Path and query string, as the Batch API wants it."""
        return f"{self.path}?{'&'.join(f'{name}={quote_plus(value)}' for name, value in self.parameters.items())}"

    def next_page(self, total: int | None, received: int) -> TableQuery | None:
        """Return the query for the next page, or None after the last one.

        `total` counts rows before access rules hide some, so a page can be short and not be the last
        (docs/facts/servicenow_platform.md#paging). Without it only an empty page is the last: the server may return fewer
        rows at a time than it was asked for, so the next page begins after those received.
        """
        reached = self.offset + (self.page_size if total is not None else received)
        if self.limit and reached >= self.limit:
            return None
        more = reached < total if total is not None else received > 0
        return replace(self, offset=reached) if more else None

    def listed(self, result: Any) -> Any:
        """Return the rows that the `result` of an answer holds, as a list."""
        return result


@dataclass(frozen=True)
class Counts(TableQuery):
    """One GET on `/api/now/stats/{table}`: how many rows there are for each combination of values of `fields`.

    Each is a row of those values and `count` (docs/facts/servicenow_platform.md#aggregate-api).
    """

    @property
    def path(self) -> str:
        """The path below the instance."""
        return f"/api/now/stats/{quote(self.table, safe='')}"

    @property
    def parameters(self) -> dict[str, str]:
        """The query string's parts."""
        parameters = {"sysparm_count": "true", "sysparm_group_by": ",".join(self.fields)}
        return {**parameters, "sysparm_query": self.query} if self.query else parameters

    def next_page(self, total: int | None, received: int) -> TableQuery | None:
        """Return None: all groups come at once."""
        return None

    def listed(self, result: Any) -> Any:
        """Return one row for each group. Groups without fields, which the platform returns if it knows none of them, are left out."""
        groups = result if isinstance(result, list) else []
        return [
            {
                **{entry.get("field", ""): entry.get("value", "") for entry in group.get("groupby_fields") or []},
                "count": (group.get("stats") or {}).get("count", ""),
            }
            for group in groups
            if isinstance(group, Mapping)
        ]


def table_queries(read: Query) -> Iterator[TableQuery]:
    """Return the queries that answer `read`: several when its values would make a URL too long."""
    where = encoded(dict(read.where))
    joint = "," if all(map(_fits_in_list, read.values)) else f"^OR{read.column}="
    chunk: list[str] = []
    length = 0
    for value in read.values:
        more = len(quote(joint + escaped(read.column, value), safe=""))
        if chunk and length + more > MAX_VALUES_LENGTH:
            yield _query(read, where, tuple(chunk))
            chunk, length = [], 0
        chunk.append(value)
        length += more
    if chunk or not read.values:
        yield _query(read, where, tuple(chunk))


def _query(read: Query, where: str, values: tuple[str, ...]) -> TableQuery:
    if read.operator:
        first = "^OR".join(f"{read.column}{read.operator}{escaped(read.column, value)}" for value in values)
    else:
        first = any_of(read.column, values) if values else ""
    # ^OR binds to the condition just before it, so the alternatives come first and the rest follows with ^.
    order = read.order and f"ORDERBY{'DESC' if read.order.startswith('-') else ''}{read.order.removeprefix('-')}"
    query = "^".join(part for part in (first, where, order) if part)
    return TableQuery(read.collection, query, read.columns, read.limit, optional=read.optional)
