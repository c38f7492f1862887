# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of any table, without values that may be secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import InvalidInput
from ..engine.field import kind_of, normal
from ..transport.redact import MASK
from .client import ServiceNowClient
from .query import TableQuery, TableRow, encoded

# Columns whose value the platform stores encrypted or hashed: reading it is useless, and showing it is unsafe.
SECRET_COLUMN = re.compile(r"(^|[_.])(password|passwd|secret|private_key|shared_key|token|token_received|passphrase)$")


def records(
    client: ServiceNowClient, table: str, query: Mapping[str, Any] | str | None, fields: Sequence[str], limit: int
) -> list[dict[str, str]]:
    """Return up to `limit` (0: all) rows of `table` that `query` finds, sorted by its ORDERBY or by sys_id.

    A dictionary is checked again row by row: a platform that does not know a queried field returns every row.
    """
    if limit < 0:
        raise InvalidInput(f"limit must be 0 (all rows) or more, not {limit}")
    if isinstance(query, Mapping):
        rows = _matching(client, table, query, fields, limit)
    elif query is None or isinstance(query, str):
        (answer,) = client.query([TableQuery(table, query or "", tuple(fields), limit)])
        rows = list(answer.rows)
    else:
        raise InvalidInput(f"query must be a dictionary or an encoded query, not a {type(query).__name__}")
    shown = [{name: row[name] for name in sorted(row) if not fields or name in fields} for row in rows]
    return [
        {name: MASK if value and SECRET_COLUMN.search(name) else value for name, value in row.items()} for row in shown
    ]


def _matching(
    client: ServiceNowClient, table: str, query: Mapping[str, Any], fields: Sequence[str], limit: int
) -> list[TableRow]:
    """Return the rows in which every queried column has its value; queried columns are read in addition to `fields`."""
    wanted = tuple(dict.fromkeys((*fields, *query))) if fields else ()
    (answer,) = client.query([TableQuery(table, encoded(query), wanted, limit)])
    # Columns of another table come along only when they are asked for by name.
    checked = [name for name in query if wanted or "." not in name]
    unknown = sorted({name for name in checked for row in answer.rows if name not in row})
    if unknown:
        raise InvalidInput(
            f"{client.name}: {table} has no field {', '.join(unknown)}, or the account may not read it; the instance ignores "
            f"such a condition and answers with every row"
        )
    return [row for row in answer.rows if all(_holds(row[name], query[name]) for name in checked)]


def _holds(actual: str, wanted: Any) -> bool:
    values = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    return any(normal(kind_of(value), actual) == normal(kind_of(value), value) for value in values)
