# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource that is one record of a table, and its plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ..engine.errors import InvalidInput
from ..engine.field import Field, kind_of, normal, typed, wire_text
from ..engine.plan import CREATE, DELETE, UPDATE, Need, Plan, Resource, SecretCheck, SecretDecision, Value, Write
from ..engine.result import ABSENT, DESIRED, ON_PLATFORM, PRESENT
from ..engine.snapshot import PlannedId, Query, Row, Snapshot
from .m2m import JoinField, JoinOwner, join_queries, plan_joins


class RecordResource(Resource):
    """One record of `table`, found by its `key` columns; subclasses define its fields, the plan follows from them.

    `stage` orders resources: a record is created after the records it refers to. `needs_roles` may write it.
    `deactivated_by` is the column to set to false before a delete. `seen` are columns read in addition to the fields.
    `found_by_id`: its option `sys_id` selects one of several records of a name. `on_create` holds the values that a new
    record gets for options that are not set; on an existing record they are not managed.
    """

    noun: ClassVar[str]
    table: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    stage: ClassVar[int] = 0
    needs_roles: tuple[str, ...] = ()
    deactivated_by: ClassVar[str] = ""
    seen: ClassVar[tuple[str, ...]] = ()
    found_by_id: ClassVar[bool] = False
    on_create: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        state: str = PRESENT,
        row_id: str | None = None,
        update_secret: str = "on_mismatch",
        exclusive: Iterable[str] = (),
        extra_fields: Mapping[str, Any] | None = None,
    ) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}
        self.state = state
        self.row_id = row_id
        self.update_secret = update_secret
        self.exclusive = frozenset(exclusive)
        extra = dict(extra_fields or {})
        known = {field.column for field in self.fields}
        for name in known & set(extra):
            raise InvalidInput(f"{self.noun}: extra_fields names {name}, which has an option of its own")
        self.fields = self.fields + tuple(Field(name, kind=kind_of(value)) for name, value in extra.items())
        self.values.update(extra)
        for name in self.key:
            # An empty name would match any record without one, and a deletion would remove it.
            if not wire_text(self.values.get(name, self.row_id)).strip():
                raise InvalidInput(f"{self.noun}: {name} must not be empty")
        self.label = f"{self.noun} {self.display_name}"
        for field in self.fields:
            # An empty secret is a variable without a value; written, it would lock the account out.
            if field.secret and self.state != ABSENT and self.values.get(field.name) == "":
                raise InvalidInput(f"{self.label}: {field.name} is empty; give a value, or leave it out")
        self.check()

    @property
    def display_name(self) -> str:
        """The name of this object in messages."""
        return ", ".join(wire_text(self.values.get(name, self.row_id)) for name in self.key)

    @property
    def key_values(self) -> dict[str, str]:
        """The key, column to value."""
        return {name: wire_text(self.values.get(name, "")) for name in self.key}

    # -- reading ------------------------------------------------------------------------------------------------------

    def reads(self) -> list[Query]:
        """Return the queries for the record itself, for every record it refers to, and for its join rows."""
        plain = [field for field in self.fields if self._is_plain(field)]
        columns = ["sys_id", *self.key, *self.seen, *(field.column for field in plain)]
        columns += [f"{f.column}.{f.reference.by}" for f in plain if f.reference]
        if any(field.secret is not None for field in self.fields):
            columns += ["sys_mod_count", "sys_created_by"]
        column, *others = self.key
        reads = [
            Query(
                self.table,
                "sys_id" if self.row_id else column,
                (self.row_id or self.key_values[column],),
                tuple(dict.fromkeys(columns)),
                where=() if self.row_id else tuple((name, self.key_values[name]) for name in others),
            )
        ]
        for field in self.fields:
            if field.name in self.values and field.reference and self.values[field.name] != "":
                by = field.reference.by
                reads.append(
                    Query(field.reference.collection, by, (wire_text(self.values[field.name]),), ("sys_id", by))
                )
            if field.name in self.values and isinstance(field, JoinField):
                reads += join_queries(self._owner, field.join, self.values[field.name])
        return reads

    def planned_ids(self) -> list[PlannedId]:
        """Return the record's id, by which others refer to it through its first key column."""
        return [] if self.state == ABSENT or self.row_id else [self._pending()]

    def _pending(self) -> PlannedId:
        return PlannedId(self.table, self.key[0], self.key_values[self.key[0]])

    def find(self, snapshot: Snapshot) -> Row | None:
        """Return the one matching record, or None. Raises `InvalidInput` for two of one name."""
        if self.row_id:
            rows = snapshot.rows(self.table, "sys_id", self.row_id)
            if not rows and self.state != ABSENT:
                raise InvalidInput(f"{self.noun}: no {self.table} record has the sys_id {self.row_id}")
            return rows[0] if rows else None
        column = self.key[0]
        rows = self.candidates(snapshot.rows(self.table, column, self.key_values[column], self.key_values))
        if len(rows) > 1:
            ids = ", ".join(sorted(row["sys_id"] for row in rows))
            remedy = "set sys_id to select one" if self.found_by_id else "remove or rename one"
            message = f"{len(rows)} {self.table} records are named {self.display_name} ({ids}). Nothing was changed"
            raise InvalidInput(f"{message}; {remedy}")
        if not rows and self.state != ABSENT:
            for near in snapshot.case_variants(self.table, column, self.key_values[column])[:1]:
                raise InvalidInput(
                    f"{self.table} already has {near[column]!r} ({near['sys_id']}), which differs from "
                    f"{self.key_values[column]!r} in upper and lower case only; use that spelling"
                )
        return rows[0] if rows else None

    def candidates(self, rows: list[Row]) -> list[Row]:
        """Return those of the records with the right key that this resource can manage."""
        return rows

    # -- planning -----------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise `InvalidInput` for values that no platform would accept."""

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare the desired state with the record, field by field."""
        plan = Plan(self.label)
        row = plan.row = self.find(snapshot)
        if self.state == ABSENT:
            self._plan_absence(plan, row)
        elif row is None:
            self._plan_creation(plan, snapshot)
        else:
            self._plan_update(plan, row, snapshot, secrets)
        if plan.writes and self.needs_roles:
            plan.needs.append(Need(f"write {self.label}", self.needs_roles))
        return plan

    def _set_fields(self) -> list[Field]:
        return [field for field in self.fields if field.name in self.values]

    @staticmethod
    def _is_plain(field: Field) -> bool:
        return field.secret is None and not isinstance(field, JoinField)

    def _plan_absence(self, plan: Plan, row: Row | None) -> None:
        if row is None:
            return
        plan.add_drift("state", PRESENT, ABSENT)
        if self.deactivated_by and row.get(self.deactivated_by) == "true":
            values: dict[str, Value] = {self.deactivated_by: "false"}
            plan.writes.append(Write(UPDATE, self.table, self.label, values, row["sys_id"], 100 - self.stage))
        plan.writes.append(Write(DELETE, self.table, self.label, row=row["sys_id"], stage=100 - self.stage))

    def _plan_creation(self, plan: Plan, snapshot: Snapshot) -> None:
        me = self._pending()
        plan.add_drift("state", ABSENT, PRESENT)
        # From now on they are values like the others, so that the read after the write verifies them.
        self.values = {**self.on_create, **self.values}
        values: dict[str, Value] = {**self.defaults(), **self.key_values}
        for field in self._set_fields():
            if self._is_plain(field):
                values[field.column] = self._wire(field, snapshot)
        identity: dict[str, Value] = dict(self.key_values)
        plan.writes.append(
            Write(CREATE, self.table, self.label, values, stage=self.stage, identity=identity, planned_id=me)
        )
        plan.columns[self.table] = tuple(f.column for f in self._set_fields() if self._needs_column(f))
        for field in self._set_fields():
            if field.secret is not None:
                self._write_secret(plan, field, me)
            if isinstance(field, JoinField):
                self._plan_joins(plan, field, me, snapshot)
        plan.object = self.as_result()
        plan.after.update(self._desired_values(plan.object))

    def _plan_update(self, plan: Plan, row: Row, snapshot: Snapshot, secrets: SecretDecision) -> None:
        row_id = row["sys_id"]
        changes: dict[str, Value] = {}
        for field in self._set_fields():
            if isinstance(field, JoinField):
                self._plan_joins(plan, field, row_id, snapshot)
            elif field.secret is None:
                self._compare(plan, field, row, snapshot, changes)
        for field in self._set_fields():
            if field.secret is None:
                continue
            value, changing = wire_text(self.values[field.name]), bool(changes)
            if secrets.must_write(self.label, field, value, self.update_secret, row, changing=changing):
                plan.add_drift(field.name, ON_PLATFORM, DESIRED)
                self._write_secret(plan, field, row_id)
        if changes:
            # After the secret: a run after an interruption between them finds the record unchanged, and decides the same.
            plan.writes.append(Write(UPDATE, self.table, self.label, changes, row_id, self.stage))
        plan.object = self.as_result(row)

    def _compare(self, plan: Plan, field: Field, row: Row, snapshot: Snapshot, changes: dict[str, Value]) -> None:
        if field.column not in row:
            if not self._needs_column(field):
                return
            plan.unread[field.name] = (
                f"{self.table} has no field {field.column} on this instance, or the account may not read it; "
                f"{self.label} cannot get its {field.name}. Leave {field.name} out, or use a release that has it"
            )
            return
        wanted = self._wire(field, snapshot)
        actual = normal(field.kind, row[field.column])
        if wanted == actual:
            return
        changes[field.column] = wanted
        before = (
            row.get(f"{field.column}.{field.reference.by}") or actual if field.reference else field.from_wire(actual)
        )
        plan.add_drift(field.name, before, self.shown(field))

    def _needs_column(self, field: Field) -> bool:
        return self._is_plain(field) and (
            field.without_column is None or wire_text(self.values[field.name]) != field.without_column
        )

    def _wire(self, field: Field, snapshot: Snapshot) -> Value:
        value = self.values[field.name]
        if field.reference is None or value == "":
            return field.to_wire(value)
        found = snapshot.resolve_id(field.reference.collection, field.reference.by, wire_text(value))
        if found is None:
            raise InvalidInput(
                f"{self.label}: {field.name} names {value!r}, but no {field.reference.collection} record has that "
                f"{field.reference.by}, and nothing in this task creates it. If there is one, the account of this task may not read it"
            )
        return found

    def _write_secret(self, plan: Plan, field: Field, row: Value) -> None:
        # A secret is sent alone, as a display value, after everything else
        # (docs/facts/servicenow_platform.md#encrypted-columns).
        value = wire_text(self.values[field.name])
        plan.writes.append(Write(UPDATE, self.table, self.label, {field.column: value}, row, self.stage, secret=True))
        if field.secret:
            plan.secrets.append(SecretCheck(self.label, field.secret, value))

    def _plan_joins(self, plan: Plan, field: JoinField, row: Value, snapshot: Snapshot) -> None:
        names, exclusive = self.values[field.name], field.name in self.exclusive
        plan_joins(plan, self._owner, row, field, names, snapshot, exclusive=exclusive)

    @property
    def _owner(self) -> JoinOwner:
        return JoinOwner(self.label, self.key[0], self.key_values[self.key[0]], self.stage)

    # -- the result ---------------------------------------------------------------------------------------------------

    def defaults(self) -> dict[str, Value]:
        """Return column values of a new record that no option sets."""
        return {}

    def shown(self, field: Field) -> Any:
        """Return the desired value of `field` as results show it."""
        value = self.values[field.name]
        if field.hidden or field.reference or isinstance(field, JoinField):
            return DESIRED if field.hidden else value
        return field.from_wire(str(field.to_wire(value)))

    def _desired_values(self, result: Mapping[str, Any]) -> dict[str, Any]:
        set_names = {field.name for field in self._set_fields()}
        secrets = {f.name: DESIRED for f in self._set_fields() if f.secret is not None}
        return {**{name: value for name, value in result.items() if name in set_names}, **secrets}

    def as_result(self, row: Row | None = None) -> dict[str, Any]:
        """Return the object for the module's result: the desired values, and those of `row` for all others. Never a secret."""
        result: dict[str, Any] = {"sys_id": row["sys_id"]} if row else {}
        for field in self.fields:
            if field.secret is not None:
                continue
            if field.name in self.values:
                result[field.name] = typed(field, self.shown(field))
            elif row and self._is_plain(field) and field.column in row:
                shown = row.get(f"{field.column}.{field.reference.by}", "") if field.reference else row[field.column]
                result[field.name] = typed(field, field.from_wire(shown))
        return result
