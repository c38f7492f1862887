# SPDX-License-Identifier: GPL-3.0-or-later
"""One record of any table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import Field, kind_of, wire_text
from ..account import WRITERS
from ..options import STATE_OPTION, Options
from ..record_resource import RecordResource

# Tables that only a module of their own can manage.
OWN_MODULES = {"sys_security_acl": "snow_table_acls", "sys_security_acl_role": "snow_table_acls"}
RECORD_OPTIONS: Options = {
    "table": {"type": "str", "required": True},
    "match": {"type": "dict", "required": True},
    "values": {"type": "dict"},
    "write_only": {"type": "list", "elements": "str"},
    "state": STATE_OPTION,
}


def write_only_values(entry: Mapping[str, Any]) -> list[Any]:
    """Return the secrets in `values` of a task or of an entry of `snow_instance`."""
    values = entry.get("values") or {}
    return [values[name] for name in entry.get("write_only") or [] if name in values]


class Record(RecordResource):
    """One record of `table`, found by the columns and values of `match`; `write_only` names columns that cannot be read back.

    A write-only column is written with the record, and again only for a record whose creation was interrupted.
    """

    noun = "record"
    stage = 7

    def __init__(
        self, table: str, match: Mapping[str, Any], values: Mapping[str, Any], write_only: list[str], state: str
    ) -> None:
        self.table = table
        self.key = tuple(match)
        # Who may write a property, its own write roles decide.
        self.needs_roles = WRITERS.get(table, ()) if table != "sys_properties" else ()
        unknown = set(write_only) - set(values)
        if not match or any(wire_text(value) == "" for value in match.values()):
            raise InvalidInput(f"record of {table}: match must name at least one column, each with a value")
        if unknown:
            raise InvalidInput(
                f"record of {table}: write_only names {', '.join(sorted(unknown))}, which values does not set"
            )
        if table in OWN_MODULES:
            raise InvalidInput(
                f"{table} cannot be written without elevation, which REST cannot give; use {OWN_MODULES[table]}"
            )
        foreign = [name for name in (*match, *values) if "." in name]
        if foreign:
            raise InvalidInput(
                f"record of {table}: {', '.join(foreign)} is a column of another table; name columns of {table} itself, "
                f"a reference by its sys_id"
            )
        both = {name for name in set(match) & set(values) if wire_text(match[name]) != wire_text(values[name])}
        if both:
            raise InvalidInput(f"record of {table}: match and values disagree on {', '.join(sorted(both))}")
        desired = {**values, **match}
        self.fields = tuple(
            Field(name, kind=kind_of(value), secret="" if name in write_only else None)
            for name, value in desired.items()
        )
        super().__init__(desired, state=state, update_secret="on_create")
        self.label = f"{table} {self.display_name}"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Record:
        """Return the record of a task or of an entry of `snow_instance`."""
        return cls(
            params["table"],
            params["match"],
            params.get("values") or {},
            params.get("write_only") or [],
            params["state"],
        )
