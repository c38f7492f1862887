# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of any table, as they are, without what may be a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.errors import BadDescription
from ..transport.redact import MASK
from .query import TableQuery, encoded

if TYPE_CHECKING:
    from .client import Instance

# Columns whose value the platform keeps encrypted or hashed: what a read returns is no use, and none of anybody's business.
SECRET_COLUMN = re.compile(r"(^|[_.])(password|passwd|secret|private_key|shared_key|token|token_received|passphrase)$")


def records(
    instance: Instance, table: str, query: Mapping[str, Any] | str | None, fields: Sequence[str], limit: int
) -> list[dict[str, str]]:
    """Return up to `limit` (0: all) rows of `table` that `query` finds, sorted by its ORDERBY or by sys_id.

    A dictionary is re-checked row by row: a platform that does not know a queried field would answer with everything.
    """
    if limit < 0:
        raise BadDescription(f"limit must be 0 (all rows) or more, not {limit}")
    text = encoded(query) if isinstance(query, Mapping) else (query or "")
    (answer,) = instance.query([TableQuery(table, text, tuple(fields), limit)])
    if isinstance(query, Mapping) and answer.rows and not fields:
        unknown = sorted(name for name in query if "." not in name and name not in answer.rows[0])
        if unknown:
            raise BadDescription(
                f"{instance.name}: {table} has no field {', '.join(unknown)}, or the account may not read it; the instance ignores "
                f"such a condition and would answer with every row"
            )
    return [
        {name: MASK if value and SECRET_COLUMN.search(name) else value for name, value in sorted(row.items())}
        for row in answer.rows
    ]
