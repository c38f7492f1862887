# SPDX-License-Identifier: GPL-3.0-or-later
"""Insert, update and delete rows: access control, encoding, rules, audit columns.

See docs/facts/servicenow_platform.md#records-on-the-wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from . import business_rules
from .acls import AccessCheck
from .callers import Caller
from .errors import NO_RECORD, Refused
from .instance import Instance
from .schema import AUDIT_NAMES
from .server_functions import FORMAT
from .store import Row
from .values import Encoder
from .write_context import WriteContext


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes rows for a caller, or for the platform itself (`caller` None: no access control, no aborting rules)."""

    instance: Instance
    caller: Caller | None
    encoder: Encoder
    keep_stamps: bool = False
    """sysparm_suppress_auto_sys_field: leave sys_updated_* alone."""

    def insert(self, table: str, values: Mapping[str, object]) -> Row:
        """Add a row; unknown columns are dropped silently."""
        if self.caller is not None:
            AccessCheck(self.instance, self.caller).check_write(table, "create", None)
        columns = self.instance.database.schema.tables[table].columns
        row = {name: column.default for name, column in columns.items() if column.default}
        row.update(self._encoded(table, values, "create"))
        row["sys_id"] = self._new_id(table, values)
        row.update(self.instance.stamps(self._user_name))
        if "sys_class_name" in columns:
            row["sys_class_name"] = table
        change = WriteContext(self.instance, self.caller, table, "insert", None, row)
        business_rules.before(change)
        self._name(table, row)
        self.instance.database.put(table, _without_empty(change.row))
        business_rules.after(change)
        return self._stored(table, row["sys_id"])

    def update(self, table: str, sys_id: str, values: Mapping[str, object]) -> Row:
        """Change a row; nothing happens, not even to the audit columns, when no value differs."""
        place, old = self._existing(table, sys_id)
        if self.caller is not None:
            AccessCheck(self.instance, self.caller).check_write(place, "write", old)
        known = self.instance.database.schema.tables[table].columns
        encoded = self._encoded(place, {name: value for name, value in values.items() if name in known}, "write")
        if all(old.get(name, "") == value for name, value in encoded.items()):
            return old
        row = {**old, **encoded}
        change = WriteContext(self.instance, self.caller, place, "update", old, row)
        business_rules.before(change)
        self._name(place, row)
        if _without_empty(row) == old and not change.is_journaled:
            return old
        if not self.keep_stamps:
            row["sys_updated_by"] = self._user_name
            row["sys_updated_on"] = self.instance.moment().strftime(FORMAT)
            row["sys_mod_count"] = str(int(old.get("sys_mod_count", "0")) + 1)
        self.instance.database.put(place, _without_empty(change.row))
        business_rules.after(change)
        return self._stored(place, sys_id)

    def delete(self, table: str, sys_id: str) -> None:
        """Remove a row and its dependent rows."""
        place, old = self._existing(table, sys_id)
        if self.caller is not None:
            AccessCheck(self.instance, self.caller).check_write(place, "delete", old)
        change = WriteContext(self.instance, self.caller, place, "delete", old, old)
        business_rules.before(change)
        if not change.is_absorbed:
            self.instance.database.remove(place, sys_id)
        business_rules.after(change)

    @property
    def _user_name(self) -> str:
        return self.caller.user_name if self.caller is not None else "system"

    def _existing(self, table: str, sys_id: str) -> tuple[str, Row]:
        found = self.instance.database.find(table, sys_id)
        if found is None or (self.caller is not None and not AccessCheck(self.instance, self.caller).sees(*found)):
            raise Refused(404, *NO_RECORD)
        return found

    def _encoded(self, table: str, values: Mapping[str, object], operation: str) -> Row:
        columns = self.instance.database.schema.tables[table].columns
        hidden = (
            AccessCheck(self.instance, self.caller).hidden_columns(table, operation) if self.caller is not None else ()
        )
        encoded: Row = {}
        for name, value in values.items():
            column = columns.get(name)
            if column is None or name in AUDIT_NAMES or name == "sys_id" or name in hidden:
                continue
            stored = self.encoder.encode(column, value)
            if stored is not None:
                encoded[name] = stored
        return encoded

    def _name(self, table: str, row: Row) -> None:
        definition = self.instance.database.schema.tables[table]
        if "sys_name" in definition.columns:
            row["sys_name"] = row.get(definition.display, "")

    def _new_id(self, table: str, values: Mapping[str, object]) -> str:
        # Many tables are reported to accept a sys_id in the body, undocumented
        # (docs/facts/servicenow_platform.md#write-safety).
        wanted = str(values.get("sys_id", ""))
        usable = re.fullmatch("[0-9a-f]{32}", wanted) and self.instance.database.find(table, wanted) is None
        return wanted if usable else self.instance.new_id()

    def _stored(self, table: str, sys_id: str) -> Row:
        found = self.instance.database.find(table, sys_id)
        if found is None:
            raise Refused(404, *NO_RECORD)
        return found[1]


def _without_empty(row: Row) -> Row:
    return {name: value for name, value in row.items() if value != ""}
