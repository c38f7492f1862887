# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the integration with Defender for Cloud, wherever the instance keeps it.

See docs/facts/configuration_compliance.md#private-configuration-table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ...engine.field import LIST, Field, wire_text
from ...engine.plan import Plan, SecretDecision, Value
from ...engine.result import ManualStep
from ...engine.secret_policy import ALWAYS
from ...engine.snapshot import Query, Row, Snapshot
from ..record_resource import RecordResource
from .constants import ALL, LABELS, MANAGEMENT_GROUPS, PARAMETERS, SUBSCRIPTIONS
from .discovery import Storage
from .settings import LISTS

TOUCHED = ("sys_updated_on", "sys_updated_by")


class FoundRow(RecordResource):
    """A row that discovery found, or whose place it found. A write that is refused becomes the manual step `step`.

    What may not be read is unknown: nothing is written then. `unreadable` says why after a plan, `unknown` names the fields,
    `written` whether any plan of it had a write. `looks_only`: nothing of the row is described. A row that is not there is
    made where `makes_new` says so; else it is `absent`.
    """

    extra: tuple[str, ...] = ()
    looks_only = False
    makes_new = True

    def __init__(self, values: Mapping[str, Any], label: str, step: ManualStep, **more: Any) -> None:
        super().__init__(values, **more)
        self.label, self.step = label, step
        self.unreadable = ""
        self.unknown: set[str] = set()
        self.row: Row | None = None
        self.absent = False
        self.written = False

    def reads(self) -> list[Query]:
        """Ask as every row does; a refusal is an answer."""
        first, *others = super().reads()
        wanted = replace(first, columns=tuple(dict.fromkeys((*first.columns, *self.extra))))
        return [replace(read, optional=True) for read in (wanted, *others)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare the row with its description, unless it may not be read."""
        self.unknown = set()
        self.row = None
        self.unreadable = self._hidden(snapshot)
        if self.unreadable:
            return Plan(self.label)
        plan = super().plan(snapshot, FirstSecret(secrets, self, snapshot))
        self.row = plan.row
        self.absent = plan.row is None and not self.makes_new
        if self.looks_only or self.absent:
            return Plan(self.label, row=plan.row)
        self.written = self.written or bool(plan.writes)
        for write in plan.writes:
            if write.secret:
                # Two writes, two refusals: one must not pass for the other.
                write.label = f"{self.label}: {LABELS['client_secret']}"
            write.outcome, write.step, write.hint = {}, self.step, self.step.reason
        return plan

    def _hidden(self, snapshot: Snapshot) -> str:
        """Return why the row may be there and not be seen; "" when it is seen, or surely not there."""
        mine = self.reads()[0]
        answers = [
            answer for read, answer in snapshot.answers
            if (read.collection, read.column, read.where) == (mine.collection, mine.column, mine.where)
        ]  # fmt: skip
        refused = next((answer.refused for answer in answers if answer.refused), "")
        if refused or self._is_seen(snapshot):
            return refused
        if self.row_id:
            return f"the row {self.row_id} of {self.table} is not shown to the account"
        if any(answer.total is None or answer.total > len(answer.rows) for answer in answers):
            return f"{self.table} may have rows that are not shown to the account"
        return ""

    def _is_seen(self, snapshot: Snapshot) -> bool:
        if self.row_id:
            return bool(snapshot.rows(self.table, "sys_id", self.row_id))
        return bool(snapshot.rows(self.table, self.key[0], self.key_values[self.key[0]], self.key_values))

    def secret_is_new(self, row: Row, snapshot: Snapshot) -> bool:
        """Return whether the row surely holds no secret for what is described."""
        return False

    def _compare(self, plan: Plan, field: Field, row: Row, snapshot: Snapshot, changes: dict[str, Value]) -> None:
        wanted = self.values[field.name]
        if field.column not in row:
            self.unknown.add(field.name)
            return
        same = _ids(row[field.column]) == _ids(wanted) if field.kind == LIST else False
        # The root of an API is the same with and without a slash behind it.
        if not same and (field.name != "api_url" or row[field.column].rstrip("/") != wire_text(wanted).rstrip("/")):
            super()._compare(plan, field, row, snapshot, changes)

    def as_result(self, row: Row | None = None) -> dict[str, Any]:
        """Return the row as results show it, without what could not be read."""
        shown = super().as_result(row)
        return {name: value for name, value in shown.items() if name not in self.unknown}


def _ids(value: Any) -> set[str]:
    """Return the ids of a list; their order and case say nothing."""
    return {part.strip().casefold() for part in wire_text(value).split(",") if part.strip()}


@dataclass
class FirstSecret:
    """Judges as `secrets` does, but has a secret written in any case where the row holds none for what is described."""

    secrets: SecretDecision
    resource: FoundRow
    snapshot: Snapshot

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return whether the secret has to be written."""
        policy = ALWAYS if self.resource.secret_is_new(row, self.snapshot) else policy
        return self.secrets.must_write(label, wanted, value, policy, row, changing=changing)


class Configuration(FoundRow):
    """The row of the form's private table that belongs to an integration instance."""

    noun = "configuration"
    stage = 1

    def __init__(
        self,
        storage: Storage,
        values: Mapping[str, Any],
        label: str,
        step: ManualStep,
        *,
        owner: str,
        row_id: str,
        policy: str,
    ) -> None:
        self.table, self.storage = storage.table, storage
        self.by_hand = values.get("import_from", "") if _unmapped(storage, values) else ""
        self.key = (storage.instance_column or "sys_id",)
        secret = storage.columns.get("client_secret", "")
        self.extra = (
            *TOUCHED,
            *((secret,) if secret else ()),
            *((storage.validation_column,) if storage.validation_column else ()),
        )
        self.fields = tuple(_field(name, column, storage.choices) for name, column in storage.columns.items())
        if storage.instance_column:
            self.fields = (Field(storage.instance_column), *self.fields)
        described = {name: value for name, value in values.items() if name in storage.columns}
        self.makes_new = {"tenant_id", "client_id"} <= set(described)
        if self.by_hand:
            described.pop("import_from")
        key = {storage.instance_column: owner} if storage.instance_column else {}
        super().__init__({**described, **key}, label, step, row_id=row_id or None, update_secret=policy)

    def secret_is_new(self, row: Row, snapshot: Snapshot) -> bool:
        """Return True where the secret's column is empty, or another application is to be signed in as."""
        client = self.storage.columns.get("client_id", "")
        other = client in row and "client_id" in self.values and row[client] != self.values["client_id"]
        return bool(other or row.get(self.storage.columns.get("client_secret", ""), None) == "")

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; a choice whose stored value is not known is left to a person."""
        plan = super().plan(snapshot, secrets)
        if self.by_hand and not self.unreadable and not self.absent:
            actual = self.row.get(self.storage.columns["import_from"]) if self.row else None
            leave_choice(plan, self.step, actual, self.by_hand)
        return plan


class Parameter(FoundRow):
    """One instance parameter: the row of an integration instance and a definition that holds the value of `option`."""

    noun = "parameter"
    stage = 1
    table = PARAMETERS
    key = ("configuration", "implementation")
    column: ClassVar[str] = "value"

    def __init__(
        self,
        storage: Storage,
        option: str,
        value: Any,
        label: str,
        step: ManualStep,
        *,
        owner: str,
        client_id: str,
        policy: str,
    ) -> None:
        self.storage, self.option, self.owner, self.client_id = storage, option, owner, client_id
        self.by_hand = value if option == "import_from" and value is not None else ""
        self.extra = (*TOUCHED, self.column)
        wanted = Field(option, self.column, kind=LIST if option in LISTS else "text", secret=self._secret())
        self.fields = (Field("implementation"), Field("configuration"), wanted)
        values = {"implementation": owner, "configuration": storage.columns[option]}
        if value is not None and not self.by_hand:
            values[option] = value
        self.looks_only = option not in values
        super().__init__(values, f"{label}: {LABELS[option]}", step, update_secret=policy)

    def _secret(self) -> str | None:
        return None

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; the choice, whose stored value is not known, is left to a person."""
        plan = super().plan(snapshot, secrets)
        if self.by_hand and not self.unreadable:
            leave_choice(plan, self.step, self.row.get(self.column) if self.row else None, self.by_hand)
        return plan


class SecretParameter(Parameter):
    """The parameter that is the client secret. It goes before the client ID, so that an interrupted run judges alike again."""

    stage = 0
    column = "password_value"

    def _secret(self) -> str | None:
        return ""

    def secret_is_new(self, row: Row, snapshot: Snapshot) -> bool:
        """Return True where none is kept, or another application is to be signed in as."""
        definition = self.storage.columns.get("client_id", "")
        rows = snapshot.rows(self.table, "configuration", definition, {"implementation": self.owner})
        other = bool(self.client_id and rows) and rows[0].get("value", self.client_id) != self.client_id
        return other or row.get(self.column) == ""


def _field(name: str, column: str, choices: Mapping[str, str]) -> Field:
    if name == "client_secret":
        return Field(name, column, secret="")
    if name == "import_from":
        return Field(name, column, choices=choices)
    return Field(name, column, kind=LIST if name in LISTS else "text")


def _unmapped(storage: Storage, values: Mapping[str, Any]) -> bool:
    return "import_from" in storage.columns and values.get("import_from", "") not in ("", *storage.choices)


def leave_choice(plan: Plan, step: ManualStep, actual: str | None, wanted: str) -> None:
    """Note that `import_from` deviates as far as its stored value tells, and have a person choose."""
    found = recognised(actual)
    if found == wanted:
        return
    plan.add_drift("import_from", found or actual, wanted)
    label = LABELS["import_from"]
    reason = "Which value the instance stores for this choice may not be read (sys_choice), so it is not written"
    plan.manual_steps.append(
        replace(
            step,
            id=f"{step.id}:import_from",
            reason=reason,
            values={label: step.values.get(label, wanted)},
            secret_values=[],
        )
    )


def recognised(value: str | None) -> str:
    """Return the choice that a stored value surely stands for, else ""."""
    words = (value or "").casefold().replace("_", " ").split()
    if "management" in words:
        return MANAGEMENT_GROUPS
    if "all" in words:
        return ALL
    return SUBSCRIPTIONS if {"subscription", "subscriptions"} & set(words) else ""
