# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as JSON: field lists, dot-walking, references with links, display values.

See docs/facts/servicenow_platform.md#query-parameters, docs/facts/servicenow_platform.md#records-on-the-wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ..web import Call
from .acls import AccessCheck
from .callers import Caller
from .instance import Instance
from .matching import Getter, Matcher
from .schema import Column
from .store import Row
from .values import ValueFormatter, zone_named

Shown = str | dict[str, str]
STATES = ("state", "incident_state", "problem_state", "impact", "urgency", "priority", "sys_mod_count")
_PLAIN = frozenset(
    (
        "string",
        "choice",
        "integer",
        "boolean",
        "url",
        "GUID",
        "glide_date_time",
        "glide_date",
        "sys_class_name",
        "conditions",
        "script",
        "glide_list",
    )
)


@dataclass(frozen=True, slots=True)
class _Field:
    path: str
    column: Column
    get: Getter
    is_reference: bool
    is_plain: bool


class View:
    """Renders rows of one table according to the parameters of a call."""

    def __init__(self, instance: Instance, caller: Caller, table: str, call: Call) -> None:
        self._instance = instance
        self._table = table
        self._base = call.base
        self._mode = call.query.get("sysparm_display_value", "false").lower()
        self._with_link = not call.flag("sysparm_exclude_reference_link")
        self._formatter = ValueFormatter(instance, zone=zone_of(instance, caller))
        columns = instance.database.schema.tables[table].columns
        has_decimals = instance.knobs.tickets.whole_numbers == "decimal" and "correlation_id" in columns
        self._decimal = {name for name in STATES if has_decimals and name in columns}
        self._fields = list(self._chosen(AccessCheck(instance, caller), call.query.get("sysparm_fields", "")))

    def _chosen(self, access: AccessCheck, listed: str) -> Iterator[_Field]:
        schema = self._instance.database.schema
        hidden = access.hidden_columns(self._table)
        matcher = Matcher(self._instance.database, self._table, self._instance.query_context())
        paths = (
            dict.fromkeys(path.strip() for path in listed.split(",") if path.strip())
            or schema.tables[self._table].columns
        )
        for path in paths:
            found = schema.column(self._table, path)
            if found is None or path in hidden or ("." in path and not _may_walk(access, path, found[1])):
                continue
            column = found[0]
            is_reference = column.kind == "reference"
            yield _Field(path, column, matcher.getter(path), is_reference, column.kind in _PLAIN)

    def show(self, row: Row) -> dict[str, Shown]:
        """One row as a JSON object."""
        if self._mode == "all":
            return {field.path: self._both(field, field.get(row)) for field in self._fields}
        if self._mode == "true":
            return {field.path: self._display(field, field.get(row)) for field in self._fields}
        shown: dict[str, Shown] = {}
        for field in self._fields:
            stored = field.get(row)
            if field.column.name in self._decimal and stored.lstrip("-").isdecimal():
                shown[field.path] = f"{stored}.0"
            elif field.is_plain or not stored:
                shown[field.path] = stored
            elif field.is_reference:
                shown[field.path] = {"link": self._link(field, stored), "value": stored} if self._with_link else stored
            else:
                shown[field.path] = self._formatter.value(field.column, stored)
        return shown

    def _link(self, field: _Field, sys_id: str) -> str:
        return f"{self._base}/api/now/table/{field.column.reference}/{sys_id}"

    def _display(self, field: _Field, stored: str) -> Shown:
        text = self._formatter.display(field.column, stored)
        if field.is_reference and stored and self._with_link:
            return {"display_value": text, "link": self._link(field, stored)}
        return text

    def _both(self, field: _Field, stored: str) -> Shown:
        shown = {
            "display_value": self._formatter.display(field.column, stored),
            "value": self._formatter.value(field.column, stored),
        }
        if field.is_reference and stored and self._with_link:
            shown["link"] = self._link(field, stored)
        return shown


def _may_walk(access: AccessCheck, path: str, table: str) -> bool:
    return access.decide(table, "read").allowed and path.rpartition(".")[2] not in access.hidden_columns(table)


def zone_of(instance: Instance, caller: Caller) -> ZoneInfo:
    """The time zone of a caller: the user's, else the instance's."""
    found = instance.database.find("sys_user", caller.user_id)
    own = found[1].get("time_zone", "") if found is not None else ""
    return zone_named(own or instance.property("glide.sys.default.tz"))
