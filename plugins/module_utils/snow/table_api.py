# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in the Table API: paths and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..engine.field import wire_text, without_decimals

TABLE_PATH = "/api/now/table"
# Columns of whole numbers that decide what a row means, on every table that has them: some instances return `3.0`
# (docs/facts/servicenow_tickets.md#change-management-api).
WHOLE_NUMBERS = frozenset(
    {"state", "incident_state", "problem_state", "impact", "urgency", "priority", "sys_mod_count"}
)
WRITE_QUERY = {"sysparm_exclude_reference_link": "true"}


def row_path(table: str, row_id: str = "") -> str:
    """Return the path of a row, or of its table, below the instance."""
    path = f"{TABLE_PATH}/{quote(table, safe='')}"
    return f"{path}/{quote(row_id, safe='')}" if row_id else path


def plain(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row with plain strings: a reference object is reduced to its sys_id in any case, a state of `3.0` is `3`."""
    # Nearly all values are strings.
    texts = {name: value if isinstance(value, str) else _plain_text(value) for name, value in row.items()}
    for name in WHOLE_NUMBERS & texts.keys():
        texts[name] = without_decimals(texts[name])
    return texts


def _plain_text(value: Any) -> str:
    return wire_text(value.get("value", "")) if isinstance(value, Mapping) else wire_text(value)
