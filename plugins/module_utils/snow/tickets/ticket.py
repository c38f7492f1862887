# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of one ticket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import Field, Reference, kind_of, normal, wire_text
from ...engine.plan import Value
from ...engine.snapshot import Row, Snapshot
from ...option_names import named_option
from ..options import Options
from .choices import Choices
from .configuration_items import configuration_item
from .ticket_types import CHANGE_REQUEST, CLOSED, OPEN, RESOLVED, TYPES

# See docs/facts/servicenow_tickets.md#task-columns; the lengths are LIKELY.
MAX_KEY = 100
MAX_SHORT_DESCRIPTION = 160
SYS_ID = re.compile("[0-9a-f]{32}")
GROUP, USER = Reference("sys_user_group", "name"), Reference("sys_user", "user_name")
TEMPLATE = Reference("std_change_record_producer", "name")
CLOSE_NOTES = "Closed by Ansible (secops.servicenow_defender)."
# Columns that other options set, read-only columns, and journal fields, which cannot be read back.
RESERVED = frozenset(
    {
        "sys_id", "number", "correlation_id", "correlation_display", "state", "incident_state", "problem_state", "active",
        "short_description", "description", "impact", "urgency", "assignment_group", "assigned_to", "close_code",
        "close_notes", "work_notes", "comments",
    }
)  # fmt: skip
TICKET_OPTIONS: Options = {
    "type": {"type": "str", "choices": list(TYPES), "default": "incident"},
    "correlation_id": {"type": "str", "required": True},
    "short_description": {"type": "str"},
    "description": {"type": "str"},
    "impact": {"type": "str"},
    "urgency": {"type": "str"},
    "assignment_group": {"type": "str"},
    "caller": {"type": "str"},
    "assigned_to": {"type": "str"},
    "template": {"type": "str"},
    "change_type": {"type": "str", "choices": ["normal", "emergency"]},
    "cloud_resource": {"type": "str"},
    "attachment": {
        "type": "dict",
        "options": {"name": {"type": "str", "required": True}, "content": {"type": "str", "required": True}},
    },
    "state": {"type": "str", "choices": ["open", "resolved", "closed", "canceled"], "default": "open"},
    "reopen": {"type": "bool", "default": False},
    "begin": {"type": "bool", "default": False},
    "close_code": {"type": "str"},
    "close_notes": {"type": "str"},
    "work_note": {"type": "str"},
    "extra_fields": {"type": "dict"},
}


class Ticket:
    """A ticket of one type, identified by its `correlation_id`.

    Raises `InvalidInput` for values that no instance accepts.
    """

    def __init__(self, entry: Mapping[str, Any], display: str) -> None:
        self.type = TYPES[entry["type"]]
        self.key: str = entry["correlation_id"]
        self.label = f"{self.type.table} {self.key}"
        self.state: str = entry["state"]
        self.reopen: bool = entry["reopen"]
        self.begin: bool = entry.get("begin") or False
        self.template: str = entry.get("template") or ""
        self.change_type: str = entry.get("change_type") or ""
        self.cloud_resource: str = (entry.get("cloud_resource") or "").strip()
        self.attachment: Mapping[str, str] | None = entry.get("attachment")
        self.display = display
        self.work_note: str = clean(entry.get("work_note") or "")
        self.close_code: str = entry.get("close_code") or ""
        self.close_notes: str = clean(entry.get("close_notes") or "")
        self.clears_notes: bool = entry.get("close_notes") == ""
        self._check_key()
        self.values = {name: value for name, value in self._values(entry).items() if value is not None}
        self.fields = tuple(field for field in self._fields(entry) if field.name in self.values)
        self.extra = tuple(entry.get("extra_fields") or {})
        self._check_values()

    def _check_key(self) -> None:
        if not self.key.strip() or self.key != self.key.strip():
            raise InvalidInput(
                f"{self.type.noun} {self.key!r}: correlation_id must not be empty, or have leading or trailing spaces"
            )
        if len(self.key) > MAX_KEY:
            raise InvalidInput(
                f"{self.type.noun} {self.key[:40]}...: correlation_id has {len(self.key)} characters, but the column holds "
                f"{MAX_KEY}; a truncated one would not be found again. Use a shorter one, such as a digest"
            )

    def _values(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        named = ("short_description", "description", "impact", "urgency", "assignment_group", "assigned_to", "caller")
        extra = dict(entry.get("extra_fields") or {})
        taken = set(extra) & (RESERVED | {self.type.code, self.type.caller})
        if taken:
            raise InvalidInput(
                f"{self.label}: {named_option('extra_fields', 'mdc_tickets', 'defender_alerts')} contains {', '.join(sorted(taken))}, "
                f"which other options set, or which are read-only"
            )
        return {**{name: entry.get(name) for name in named}, **extra}

    def _fields(self, entry: Mapping[str, Any]) -> list[Field]:
        return [
            Field("short_description"),
            Field("description"),
            Field("impact"),
            Field("urgency"),
            Field("assignment_group", reference=GROUP),
            Field("assigned_to", reference=USER),
            Field("caller", self.type.caller, reference=USER),
            *(Field(name, kind=kind_of(value)) for name, value in (entry.get("extra_fields") or {}).items()),
        ]

    def _check_values(self) -> None:
        if self.template and self.type is not CHANGE_REQUEST:
            raise InvalidInput(f"{self.label}: a {self.type.noun} has no template; remove template")
        if self.change_type and (self.type is not CHANGE_REQUEST or self.template):
            raise InvalidInput(
                f"{self.label}: {named_option('change_type', 'mdc_tickets')} is for change requests without a template; remove it"
            )
        if "caller" in self.values and not self.type.caller:
            raise InvalidInput(f"{self.label}: a {self.type.noun} has no caller; remove caller")
        if self.values.get("short_description", "x").strip() == "":
            raise InvalidInput(f"{self.label}: short_description must not be empty")
        text = clean(self.values.get("short_description", ""))
        if len(text) > MAX_SHORT_DESCRIPTION:
            self.values["short_description"] = text[: MAX_SHORT_DESCRIPTION - 3].rstrip() + "..."

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns to read for this ticket."""
        dotted = [f"{field.column}.{field.reference.by}" for field in self.fields if field.reference]
        return (*(field.column for field in self.fields), *dotted)

    def names(self, reference: Reference) -> set[str]:
        """Return the names of rows that the ticket refers to by `reference`."""
        if reference is TEMPLATE:
            return {self.template} - {""}
        found = {self.values[f.name] for f in self.fields if f.reference == reference}
        return {wire_text(name) for name in found} - {""}

    # -- comparison with the instance ----------------------------------------------------------------------------------

    def wire(self, snapshot: Snapshot, choices: Choices) -> dict[str, str]:
        """Return the desired values, by column, as the instance stores them.

        Raises `InvalidInput` for a name or a choice that does not exist on the instance.
        """
        return {field.column: self._wire(field, snapshot, choices) for field in self.fields}

    def template_id(self, snapshot: Snapshot) -> str:
        """Return the id of the template of a new standard change, "" for other tickets. Raises `InvalidInput` if there is none."""
        return self._referred(Field("template"), TEMPLATE, self.template, snapshot)

    def item(self, snapshot: Snapshot) -> tuple[str, str]:
        """Return the id of the configuration item of the cloud resource, or why there is none; "" for both if none is wanted."""
        return configuration_item(self.cloud_resource, snapshot) if self.cloud_resource else ("", "")

    def _wire(self, field: Field, snapshot: Snapshot, choices: Choices) -> str:
        value = self.values[field.name]
        if field.reference:
            return self._referred(field, field.reference, wire_text(value), snapshot)
        text = clean(normal(field.kind, value))
        return choices.wire(self.type.table, field.column, text, self.label)

    def _referred(self, field: Field, reference: Reference, name: str, snapshot: Snapshot) -> str:
        if name == "":
            return ""
        if SYS_ID.fullmatch(name) and snapshot.rows(reference.collection, "sys_id", name):
            return name
        found = snapshot.resolve_id(reference.collection, reference.by, name)
        if isinstance(found, str):
            return found
        raise InvalidInput(
            f"{self.label}: {field.name}: {reference.collection} has no row with {reference.by} {name!r}, or the account cannot "
            f"read it. Nothing was written; create it first, or use another one"
        )

    def differences(self, wire: Mapping[str, str], row: Row) -> dict[str, Value]:
        """Return the changes to `row`, column to value."""
        changes: dict[str, Value] = {}
        for field in self.fields:
            actual = row.get(field.column, "")
            if wire[field.column] != (actual if field.reference else clean(normal(field.kind, actual))):
                changes[field.column] = wire[field.column]
        return changes

    def shown(self, column: str) -> tuple[str, Any]:
        """Return the option that sets `column`, and its desired value."""
        field = next(field for field in self.fields if field.column == column)
        return field.name, self.values[field.name]

    def before(self, column: str, row: Row) -> str:
        """Return the value of `column` in `row`, names instead of ids."""
        field = next(field for field in self.fields if field.column == column)
        name = row.get(f"{column}.{field.reference.by}") if field.reference else ""
        return str(name or row.get(column, ""))

    def ending(self, state: str, row: Row, choices: Choices) -> dict[str, Value]:
        """Return close code and notes for `state`, by column; those of `row` are kept unless the task sets them, or removes them.

        Resolving and closing require a code and notes, canceling does not (docs/facts/servicenow_tickets.md#incidents,
        docs/facts/servicenow_tickets.md#change-requests).
        """
        values: dict[str, Value] = {}
        if state == OPEN:
            return {"close_notes": ""} if self.clears_notes and row.get("close_notes") else values
        code = (
            self.type.code
            and self.close_code
            and choices.wire(self.type.table, self.type.code, self.close_code, self.label)
        )
        if self.type.code and not code and state in (RESOLVED, CLOSED) and not row.get(self.type.code):
            code = choices.best(self.type.table, self.type.code, self.type.codes, self.label)
        if code:
            values[self.type.code] = code
        if self.close_notes or not row.get("close_notes"):
            values["close_notes"] = self.close_notes or CLOSE_NOTES
        return values


def clean(text: str) -> str:
    """Return `text` without what forms and YAML add: leading and trailing blanks, carriage returns."""
    return wire_text(text).replace("\r\n", "\n").strip()
