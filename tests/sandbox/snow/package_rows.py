# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of packages, built once from the tables in `data` and shared by all instances that have them."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from functools import lru_cache

from .base_data import access_controls, dictionary, roles, users
from .base_rows import Base, read_cells
from .data import compliance
from .schema import schema_of
from .store import Rows


@lru_cache(maxsize=64)
def added_rows(release: str, table_definitions: tuple[str, ...], packages: tuple[str, ...]) -> dict[str, Rows]:
    """The rows of packages: dictionary, roles, users, properties, ACLs."""
    base = Base(schema_of(release, table_definitions))
    plain = schema_of(release).tables
    dictionary(base, [table for name, table in base.schema.tables.items() if name not in plain])
    brought = {name: _of(packages, getattr(compliance, name)) for name in ("ROLES", "CONTAINED", "USERS", "PROPERTIES")}
    roles(base, brought["ROLES"])
    for role, child in read_cells(brought["CONTAINED"], 2):
        ids = {"role": base.id_of("sys_user_role", role), "contains": base.id_of("sys_user_role", child)}
        base.add("sys_user_role_contains", f"{role}>{child}", **ids)
    users(base, brought["USERS"])
    for name, value in read_cells(brought["PROPERTIES"], 2):
        base.add("sys_properties", name, name=name, value=value, type="string")
    added = [name for name in base.schema.tables if name not in plain]
    access_controls(base, "\n".join(_rules_for(added)))
    return base.tables


def _of(packages: tuple[str, ...], text: str) -> str:
    """The lines of a data table whose first cell is one of the packages, without that cell."""
    rows = (line.partition("|") for line in text.strip().splitlines())
    return "\n".join(rest for name, _, rest in rows if name.strip() in packages)


def _rules_for(tables: list[str]) -> Iterator[str]:
    for pattern, operations, asked in read_cells(compliance.RULES, 3):
        for table in tables:
            if fnmatch(table, pattern):
                yield f"{table} | {operations} | {asked}"
