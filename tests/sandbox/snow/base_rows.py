# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the initial rows of an instance, and reads the text tables that they come from."""

from __future__ import annotations

from collections.abc import Iterator

from .data import identity
from .schema import Schema
from .store import Rows, stable_id

CREATED_ON = "2025-01-15 08:00:00"


class Base:
    """Builds rows for a schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.tables: dict[str, Rows] = {}

    def add(self, table: str, key: str, /, **values: str) -> str:
        """Add a row; columns that are unknown to the release or empty are left out. Returns its sys_id."""
        definition = self.schema.tables[table]
        sys_id = values.get("sys_id") or identity.KNOWN_IDS.get(f"{table}:{key}") or stable_id(table, key)
        row = {name: column.default for name, column in definition.columns.items() if column.default}
        row.update((name, value) for name, value in values.items() if name in definition.columns)
        row.update(
            sys_id=sys_id,
            sys_created_by="system",
            sys_created_on=CREATED_ON,
            sys_updated_by="system",
            sys_updated_on=CREATED_ON,
            sys_mod_count="0",
        )
        if "sys_class_name" in definition.columns:
            row["sys_class_name"] = table
        if "sys_name" in definition.columns:
            row["sys_name"] = row.get(definition.display, "")
        rows = self.tables.setdefault(table, Rows()).by_id
        rows[sys_id] = {name: value for name, value in row.items() if value != ""}
        return sys_id

    def id_of(self, table: str, key: str) -> str:
        """The sys_id that `add` gives a row."""
        return identity.KNOWN_IDS.get(f"{table}:{key}") or stable_id(table, key)


def read_cells(text: str, width: int) -> Iterator[list[str]]:
    """Read a data table: one list of stripped cells per line, filled up to `width`."""
    for line in text.strip().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        yield cells + [""] * (width - len(cells))


def split_list(cell: str) -> list[str]:
    """Split a cell at its commas."""
    return [word.strip() for word in cell.split(",") if word.strip()]
