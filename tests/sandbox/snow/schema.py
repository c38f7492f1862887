# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and columns of one release, read from the text tables in `data`.

A table is a head line `name | label | parent | display column | since` followed by indented column lines
`name (Label) | type | default | choices | since`; trailing cells are optional. Types are the platform's own;
`string(40)` has a maximum length, `reference:sys_user` a target. Choices are `value=Label; value=Label`. `since` is
the first release that has the table or column.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import chain

from ..settings import SettingError
from .data import (
    tables_application,
    tables_identity,
    tables_platform,
    tables_task,
)
from .releases import RELEASES, Release

AUDIT_COLUMNS = """
    sys_id (Sys ID)              | GUID
    sys_created_by (Created by)  | string(40)
    sys_created_on (Created)     | glide_date_time
    sys_updated_by (Updated by)  | string(40)
    sys_updated_on (Updated)     | glide_date_time
    sys_mod_count (Updates)      | integer
    sys_tags (Tags)              | string
"""
# Columns that only the platform writes (docs/facts/servicenow_platform.md#application-registry,
# docs/facts/servicenow_tickets.md#task-columns).
AUDIT_NAMES = frozenset(
    (
        "sys_created_by",
        "sys_created_on",
        "sys_updated_by",
        "sys_updated_on",
        "sys_mod_count",
        "sys_tags",
        "sys_class_name",
    )
)
TEXT_TYPES = frozenset(("string", "url", "html", "choice", "journal_input", "glide_list"))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    label: str
    kind: str
    default: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    since: int = 0
    reference: str = ""
    max_length: int = 0

    @property
    def is_secret(self) -> bool:
        """Whether the column is a one-way (`password`) or two-way (`password2`) encrypted one."""
        return self.kind in ("password", "password2")


@dataclass(frozen=True, slots=True)
class Table:
    """One table with all columns it has in a release, inherited ones included."""

    name: str
    label: str
    parent: str
    display: str
    columns: dict[str, Column]
    own_columns: frozenset[str]


class Schema:
    """All tables of one release, and of applications whose tables are given as text."""

    def __init__(self, release: Release, table_definitions: tuple[str, ...] = ()) -> None:
        self.release = release
        self.tables: dict[str, Table] = {}
        self._children: dict[str, list[str]] = {}
        audit = {column.name: column for column in map(_column, AUDIT_COLUMNS.strip().splitlines())}
        for head, read_cells in chain(_definitions(), *map(_read, table_definitions)):
            self._add(head, read_cells, audit)
        self._families = {name: tuple(self._descend(name)) for name in self.tables}

    def _add(self, head: list[str], read_cells: list[str], audit: dict[str, Column]) -> None:
        name, label, parent, display, since = (head + [""] * 5)[:5]
        if _order(since) > self.release.order:
            return
        own = {column.name: column for column in map(_column, read_cells) if column.since <= self.release.order}
        inherited = self.tables[parent].columns if parent else audit
        self.tables[name] = Table(
            name,
            label,
            parent,
            display or (self.tables[parent].display if parent else ""),
            {**inherited, **own},
            frozenset(own),
        )
        if parent:
            self._children.setdefault(parent, []).append(name)

    def _descend(self, name: str) -> Iterator[str]:
        yield name
        for child in self._children.get(name, ()):
            yield from self._descend(child)

    def with_choices(self, choices: Mapping[tuple[str, str], dict[str, str]]) -> Schema:
        """A schema whose columns have other choice lists: value -> label by table and column.

        A default that is no longer among the choices is replaced by the first of them.
        """
        changed = copy.copy(self)
        changed.tables = dict(self.tables)
        for (table, name), listed in choices.items():
            column = self.tables[table].columns.get(name) if table in self.tables else None
            if column is None or column.choices == listed:
                continue
            default = column.default if not column.default or column.default in listed else next(iter(listed), "")
            fresh = replace(column, choices=listed, default=default)
            for place in self._families[table]:
                present = changed.tables[place]
                if present.columns[name] is column:
                    changed.tables[place] = replace(present, columns={**present.columns, name: fresh})
        return changed

    def with_lengths(self, lengths: Mapping[str, int]) -> Schema:
        """A schema whose columns, each as `table.column`, have other lengths; a column keeps it in all extending tables."""
        changed = copy.copy(self)
        changed.tables = dict(self.tables)
        for path, length in lengths.items():
            table, _, name = path.partition(".")
            if table not in self.tables or name not in self.tables[table].columns:
                raise SettingError(f"there is no column {path}")
            for place in self._families[table]:
                present = changed.tables[place]
                fresh = replace(present.columns[name], max_length=length)
                changed.tables[place] = replace(present, columns={**present.columns, name: fresh})
        return changed

    def family(self, name: str) -> tuple[str, ...]:
        """The table and every table that extends it: where its rows can be stored."""
        return self._families[name]

    def ancestry(self, name: str) -> Iterator[str]:
        """The table and every table it extends, nearest first."""
        while name:
            yield name
            name = self.tables[name].parent

    def column(self, table: str, path: str) -> tuple[Column, str] | None:
        """Find the column at the end of a dot-walked path and the table that holds it; None when a step is unknown."""
        steps = path.split(".")
        for step in steps[:-1]:
            column = self.tables[table].columns.get(step)
            if column is None or not column.reference or column.reference not in self.tables:
                return None
            table = column.reference
        last = self.tables[table].columns.get(steps[-1])
        return (last, table) if last else None


@lru_cache(maxsize=64)
def schema_of(release: str, table_definitions: tuple[str, ...] = ()) -> Schema:
    """The schema of a release and of added tables, shared by all instances that have the same."""
    return Schema(RELEASES[release], table_definitions)


@cache
def _definitions() -> tuple[tuple[list[str], list[str]], ...]:
    modules = (tables_platform, tables_identity, tables_application, tables_task)
    return tuple(definition for module in modules for definition in _read(module.TABLES))


def _read(text: str) -> list[tuple[list[str], list[str]]]:
    found: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.startswith(" "):
            found[-1][1].append(line)
        else:
            found.append((_cells(line), []))
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def _order(release: str) -> int:
    return RELEASES[release].order if release else 0


@cache
def _column(line: str) -> Column:
    named, kind, default, choices, since = (_cells(line) + [""] * 5)[:5]
    name, _, label = named.partition(" (")
    kind, _, reference = kind.partition(":")
    sized = re.fullmatch(r"(\w+)\((\d+)\)", kind)
    pairs = (pair.partition("=") for pair in choices.split(";") if pair.strip())
    return Column(
        name=name,
        label=label.rstrip(")") or name.replace("_", " ").capitalize(),
        kind=sized[1] if sized else kind,
        default=default,
        choices={value.strip(): text.strip() or value.strip() for value, _, text in pairs},
        since=_order(since),
        reference=reference,
        max_length=int(sized[2]) if sized else 0,
    )
