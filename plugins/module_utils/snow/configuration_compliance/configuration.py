# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the integration with Defender for Cloud, wherever the instance stores it.

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
from .constants import ALL, LABELS, MANAGEMENT_GROUPS, ON_CREATE, PARAMETERS, SUBSCRIPTIONS
from .discovery import Storage
from .settings import LISTS

TOUCHED = ("sys_updated_on", "sys_updated_by")


class DiscoveredRow(RecordResource):
    """A row that discovery found, or whose table it found. A refused write becomes the manual step `step`.

    What cannot be read is unknown, and nothing is written then. After a plan, `unreadable` is the reason, `unknown` names
    the fields, and `written` is true if any plan had a write. `read_only`: no value of the row is desired. A missing row
    is created if `creates` is set; else it is `absent`.
    """

    extra: tuple[str, ...] = ()
    read_only = False
    creates = True

    def __init__(self, values: Mapping[str, Any], label: str, step: ManualStep, **more: Any) -> None:
        super().__init__(values, **more)
        self.label, self.step = label, step
        self.unreadable = ""
        self.unknown: set[str] = set()
        self.row: Row | None = None
        self.absent = False
        self.written = False

    def reads(self) -> list[Query]:
        """Return the queries; a refusal is accepted as a result."""
        first, *others = super().reads()
        wanted = replace(first, columns=tuple(dict.fromkeys((*first.columns, *self.extra))))
        return [replace(read, optional=True) for read in (wanted, *others)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare the row with its desired state, unless it cannot be read."""
        self.unknown = set()
        self.row = None
        self.unreadable = self._unreadable_reason(snapshot)
        if self.unreadable:
            return Plan(self.label)
        plan = super().plan(snapshot, InitialSecret(secrets, self, snapshot))
        self.row = plan.row
        self.absent = plan.row is None and not self.creates
        if self.read_only or self.absent:
            return Plan(self.label, row=plan.row)
        self.written = self.written or bool(plan.writes)
        for write in plan.writes:
            if write.secret:
                # Each of two refused writes is reported under its own label.
                write.label = f"{self.label}: {LABELS['client_secret']}"
            write.outcome, write.step, write.hint = {}, self.step, self.step.reason
        return plan

    def _unreadable_reason(self, snapshot: Snapshot) -> str:
        """Return why the row may exist but is not visible; "" if it is visible or certainly missing."""
        mine = self.reads()[0]
        answers = [
            answer for read, answer in snapshot.answers
            if (read.collection, read.column, read.where) == (mine.collection, mine.column, mine.where)
        ]  # fmt: skip
        refused = next((answer.refused for answer in answers if answer.refused), "")
        if refused or self._is_visible(snapshot):
            return refused
        if self.row_id:
            return f"the account cannot read the row {self.row_id} of {self.table}"
        if any(answer.total is None or answer.total > len(answer.rows) for answer in answers):
            return f"{self.table} may have rows that the account cannot read"
        return ""

    def _is_visible(self, snapshot: Snapshot) -> bool:
        if self.row_id:
            return bool(snapshot.rows(self.table, "sys_id", self.row_id))
        return bool(snapshot.rows(self.table, self.key[0], self.key_values[self.key[0]], self.key_values))

    def lacks_secret(self, row: Row, snapshot: Snapshot) -> bool:
        """Return whether the row certainly has no secret for the desired application."""
        return False

    def _compare(self, plan: Plan, field: Field, row: Row, snapshot: Snapshot, changes: dict[str, Value]) -> None:
        wanted = self.values[field.name]
        if field.column not in row:
            self.unknown.add(field.name)
            return
        same = _ids(row[field.column]) == _ids(wanted) if field.kind == LIST else False
        # The root of an API is the same with and without a trailing slash.
        if not same and (field.name != "api_url" or row[field.column].rstrip("/") != wire_text(wanted).rstrip("/")):
            super()._compare(plan, field, row, snapshot, changes)

    def as_result(self, row: Row | None = None) -> dict[str, Any]:
        """Return the row as modules return it, without the fields that cannot be read."""
        shown = super().as_result(row)
        return {name: value for name, value in shown.items() if name not in self.unknown}


def _ids(value: Any) -> set[str]:
    """Return the ids of a list; their order and case do not matter."""
    return {part.strip().casefold() for part in wire_text(value).split(",") if part.strip()}


@dataclass
class InitialSecret:
    """Decides as `secrets` does, but always writes a secret if the row has none for the desired application."""

    secrets: SecretDecision
    resource: DiscoveredRow
    snapshot: Snapshot

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return whether to write the secret."""
        policy = ALWAYS if self.resource.lacks_secret(row, self.snapshot) else policy
        return self.secrets.must_write(label, wanted, value, policy, row, changing=changing)


class Configuration(DiscoveredRow):
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
        self.manual_choice = values.get("import_from", "") if _unmapped(storage, values) else ""
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
        desired = {name: value for name, value in values.items() if name in storage.columns}
        self.on_create = {name: value for name, value in ON_CREATE.items() if name in storage.columns}
        self.creates = {"tenant_id", "client_id"} <= set(desired)
        if self.manual_choice:
            desired.pop("import_from")
        key = {storage.instance_column: owner} if storage.instance_column else {}
        super().__init__({**desired, **key}, label, step, row_id=row_id or None, update_secret=policy)

    def lacks_secret(self, row: Row, snapshot: Snapshot) -> bool:
        """Return True if the secret's column is empty, or if the application changes."""
        client = self.storage.columns.get("client_id", "")
        other = client in row and "client_id" in self.values and row[client] != self.values["client_id"]
        return bool(other or row.get(self.storage.columns.get("client_secret", ""), None) == "")

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; a choice whose stored value is not known becomes a manual step."""
        plan = super().plan(snapshot, secrets)
        if self.manual_choice and not self.unreadable and not self.absent:
            actual = self.row.get(self.storage.columns["import_from"]) if self.row else None
            add_choice_step(plan, self.step, actual, self.manual_choice)
        return plan


class Parameter(DiscoveredRow):
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
        self.manual_choice = value if option == "import_from" and value is not None else ""
        self.extra = (*TOUCHED, self.column)
        wanted = Field(option, self.column, kind=LIST if option in LISTS else "text", secret=self._secret())
        self.fields = (Field("implementation"), Field("configuration"), wanted)
        values = {"implementation": owner, "configuration": storage.columns[option]}
        if value is not None and not self.manual_choice:
            values[option] = value
        self.on_create = {name: default for name, default in ON_CREATE.items() if name == option}
        self.read_only = option not in values and not self.on_create
        super().__init__(values, f"{label}: {LABELS[option]}", step, update_secret=policy)

    def _secret(self) -> str | None:
        return None

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; a choice whose stored value is not known becomes a manual step."""
        plan = super().plan(snapshot, secrets)
        if self.manual_choice and not self.unreadable:
            add_choice_step(plan, self.step, self.row.get(self.column) if self.row else None, self.manual_choice)
        return plan


class SecretParameter(Parameter):
    """The parameter for the client secret. It is written before the client ID, so that an interrupted run decides the same again."""

    stage = 0
    column = "password_value"

    def _secret(self) -> str | None:
        return ""

    def lacks_secret(self, row: Row, snapshot: Snapshot) -> bool:
        """Return True if no secret is stored, or if the application changes."""
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


def add_choice_step(plan: Plan, step: ManualStep, actual: str | None, wanted: str) -> None:
    """Add the drift of `import_from` as far as its stored value is known, and a manual step to select the choice."""
    found = choice_of_value(actual)
    if found == wanted:
        return
    plan.add_drift("import_from", found or actual, wanted)
    label = LABELS["import_from"]
    reason = (
        "The account cannot read which value the instance stores for this choice (sys_choice), so it is not written"
    )
    plan.manual_steps.append(
        replace(
            step,
            id=f"{step.id}:import_from",
            reason=reason,
            values={label: step.values.get(label, wanted)},
            secret_values=[],
        )
    )


def choice_of_value(value: str | None) -> str:
    """Return the choice that a stored value certainly means, else ""."""
    parts = (value or "").casefold().replace("_", " ").split()
    if "management" in parts:
        return MANAGEMENT_GROUPS
    if "all" in parts:
        return ALL
    return SUBSCRIPTIONS if {"subscription", "subscriptions"} & set(parts) else ""
