# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of any table, without values that may be secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..engine.errors import InvalidInput
from ..engine.field import kind_of, normal
from ..secret_names import SECRET_NAME
from ..transport.redact import MASK
from .client import ServiceNowClient
from .options import Options
from .query import TableQuery, TableRow, encoded, in_parts, text_in_parts

QUERY_OPTIONS: Options = {
    "table": {"type": "str"},
    "query": {"type": "raw"},
    "fields": {"type": "list", "elements": "str", "default": []},
    "limit": {"type": "int", "default": 100},
}
RECORD_INFO_OPTIONS: Options = {
    **QUERY_OPTIONS,
    "queries": {
        "type": "list",
        "elements": "dict",
        "options": {
            **QUERY_OPTIONS,
            "table": {"type": "str", "required": True},
            "optional": {"type": "bool", "default": False},
        },
    },
}


def records_of_all(client: ServiceNowClient, queries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return `table`, `records` and `refused` of each of QUERY_OPTIONS, all read in one round trip.

    `refused` is what the instance says of an `optional` query that it refused, else "".
    """
    prefetch_records(client, *queries)
    found = []
    for each in queries:
        refused = next((answer.refused for answer in client.query(_requests(each)) if answer.refused), "")
        found.append({"table": each["table"], "records": [] if refused else records(client, each), "refused": refused})
    return found


def prefetch_records(client: ServiceNowClient, *queries: Mapping[str, Any]) -> None:
    """Send what QUERY_OPTIONS ask for along with the next read."""
    client.prefetch(request for each in queries for request in _requests(each))


def records(client: ServiceNowClient, asked: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the rows that QUERY_OPTIONS ask for, up to `limit` (0: all), sorted by the ORDERBY of the query or by sys_id.

    A query that is a dictionary is checked again row by row: a platform that does not know a queried field returns every row.
    """
    query, fields = asked["query"], asked["fields"]
    rows = _rows(client, asked)
    if isinstance(query, Mapping):
        rows = _matching(client.name, asked, rows)
    rows = rows[: asked["limit"]] if asked["limit"] else rows
    shown = [{name: row[name] for name in sorted(row) if not fields or name in fields} for row in rows]
    return [
        {name: MASK if value and SECRET_NAME.search(name) else value for name, value in row.items()} for row in shown
    ]


def _requests(asked: Mapping[str, Any]) -> list[TableQuery]:
    """Return the requests for QUERY_OPTIONS: several where one would be too long for a URL and can be parted."""
    query, fields, limit = asked["query"], tuple(asked["fields"]), asked["limit"]
    if isinstance(query, Mapping):
        parts = [encoded(part) for part in in_parts(query)]
        fields = (*fields, *query) if fields else ()
    elif query is None or isinstance(query, str):
        parts = list(text_in_parts(query or ""))
    else:
        raise InvalidInput(f"query must be a dictionary or an encoded query, not a {type(query).__name__}")
    # Their ids show which rows of overlapping pages and parts are the same.
    wanted = tuple(dict.fromkeys((*fields, "sys_id"))) if fields else ()
    return [TableQuery(asked["table"], part, wanted, limit, optional=asked.get("optional", False)) for part in parts]


def _rows(client: ServiceNowClient, asked: Mapping[str, Any]) -> list[TableRow]:
    answers = client.query(_requests(asked))
    rows = [row for answer in answers for row in answer.rows]
    return rows if len(answers) == 1 else _each_once(rows)


def _each_once(rows: Iterable[TableRow]) -> list[TableRow]:
    """Return rows of several parts of a query, each once, sorted by their id."""
    return sorted({row.get("sys_id", ""): row for row in rows}.values(), key=lambda row: row.get("sys_id", ""))


def _matching(instance: str, asked: Mapping[str, Any], rows: list[TableRow]) -> list[TableRow]:
    """Return the rows in which every queried column has its value; queried columns were read in addition to `fields`."""
    query = asked["query"]
    # Columns of another table come along only when they are asked for by name.
    checked = [name for name in query if asked["fields"] or "." not in name]
    unknown = sorted({name for name in checked for row in rows if name not in row})
    if unknown:
        raise InvalidInput(
            f"{instance}: {asked['table']} has no field {', '.join(unknown)}, or the account may not read it; the instance ignores "
            f"such a condition and answers with every row"
        )
    values = {name: _accepted(query[name]) for name in checked}
    return [row for row in rows if all(_holds(row[name], values[name]) for name in checked)]


def _accepted(wanted: Any) -> dict[str, set[str]]:
    """Return the values of a condition in their normal form, by kind."""
    accepted: dict[str, set[str]] = {}
    for value in wanted if isinstance(wanted, (list, tuple)) else [wanted]:
        accepted.setdefault(kind_of(value), set()).add(normal(kind_of(value), value))
    return accepted


def _holds(actual: str, accepted: Mapping[str, set[str]]) -> bool:
    return any(normal(kind, actual) in values for kind, values in accepted.items())
