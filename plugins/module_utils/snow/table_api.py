# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in the Table API: paths and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..engine.field import wire_text

TABLE_PATH = "/api/now/table"
WRITE_QUERY = {"sysparm_exclude_reference_link": "true"}


def row_path(table: str, row_id: str = "") -> str:
    """Return the path of a row, or of its table, below the instance."""
    path = f"{TABLE_PATH}/{quote(table, safe='')}"
    return f"{path}/{quote(row_id, safe='')}" if row_id else path


def plain(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row with plain strings: a reference object is reduced to its sys_id in any case."""
    return {
        name: wire_text(value.get("value", "")) if isinstance(value, Mapping) else wire_text(value)
        for name, value in row.items()
    }
