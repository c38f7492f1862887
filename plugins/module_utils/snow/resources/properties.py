# SPDX-License-Identifier: GPL-3.0-or-later
"""System properties, many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import BOOLEAN, INTEGER, kind_of, normal, wire_text
from ...engine.plan import (
    CHANGED,
    CREATE,
    OK,
    REFUSED,
    UPDATE,
    Need,
    Plan,
    Resource,
    SecretDecision,
    Value,
    Write,
)
from ...engine.result import ON_PLATFORM, Drift, ManualStep
from ...engine.snapshot import Query, Row, Snapshot
from ...secret_names import SECRET_NAME
from ..account import ADMIN

TABLE = "sys_properties"
MISSING, NEEDS_ELEVATION = "missing", "needs_elevation"
ELEVATED_ROLE = "security_admin"
ENCRYPTED_TYPES = frozenset({"password", "password2"})
# Property types by the kind of a desired value, as the platform names them.
TYPES = {BOOLEAN: "boolean", INTEGER: "integer"}
KINDS = {"boolean": BOOLEAN, "true|false": BOOLEAN, "integer": INTEGER}


class Properties(Resource):
    """Records of `sys_properties`, found by name.

    Every change flushes caches on all nodes of the instance (docs/facts/servicenow_platform.md#property-rows): only
    differences are written, and at most `max_writes` (0: no limit) in one run. A property whose write roles hold
    `security_admin` cannot be written by REST and becomes a manual step.
    """

    label = "properties"
    stage = 5

    def __init__(self, properties: Mapping[str, Any], *, create_missing: bool = True, max_writes: int = 0) -> None:
        self.desired = {name: _entry(name, value) for name, value in properties.items()}
        self.create_missing, self.max_writes = create_missing, max_writes
        # Which deviations this run may write; chosen by the first plan, so that a later plan does not choose others.
        self._chosen: set[str] | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Properties:
        """Return the properties of a task."""
        return cls(params["properties"], create_missing=params["create_missing"], max_writes=params["max_writes"] or 0)

    def reads(self) -> list[Query]:
        """Return one query for all properties."""
        if not self.desired:
            return []
        columns = ("sys_id", "name", "value", "type", "description", "write_roles")
        return [Query(TABLE, "name", tuple(self.desired), columns)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare each property; note one outcome for each."""
        plan = Plan(self.label, bulk=True)
        for name, entry in self.desired.items():
            rows = snapshot.rows(TABLE, "name", name)
            if len(rows) > 1:
                ids = ", ".join(sorted(row["sys_id"] for row in rows))
                raise InvalidInput(
                    f"{len(rows)} {TABLE} records are named {name} ({ids}). Nothing was changed; remove all but one"
                )
            if not rows and snapshot.case_variants(TABLE, "name", name):
                near = snapshot.case_variants(TABLE, "name", name)[0]["name"]
                raise InvalidInput(
                    f"property {name}: the instance has {near!r}, which differs in upper and lower case only; use that spelling"
                )
            self._plan_one(plan, name, entry, rows[0] if rows else None)
        self._limit(plan)
        if plan.writes:
            plan.needs += [Need("create system properties", (ADMIN,))] * any(w.action == CREATE for w in plan.writes)
        return plan

    def _plan_one(self, plan: Plan, name: str, entry: Mapping[str, Any], row: Row | None) -> None:
        outcome: dict[str, Any] = {"object": f"property {name}", "name": name, "status": OK}
        plan.outcomes.append(outcome)
        if row is None:
            self._plan_new(plan, name, entry, outcome)
            return
        if row.get("type") in ENCRYPTED_TYPES:
            outcome.update(
                status=REFUSED,
                reason=f"its type is {row['type']}: the value is stored encrypted and cannot be compared; use snow_record with write_only",
            )
            return
        changes = _differences(entry, row)
        if not changes:
            outcome["value"] = row.get("value", "")
            return
        outcome["value"] = actual = _shown(name, row.get("value", ""))
        for column, value in changes.items():
            before = actual if column == "value" else row.get(column, "")
            plan.drift.append(Drift(f"property {name}", column, before, value))
        if ELEVATED_ROLE in [role.strip() for role in row.get("write_roles", "").split(",")]:
            outcome["status"] = NEEDS_ELEVATION
            plan.manual_steps.append(_step(name, changes))
            return
        outcome.update(status=CHANGED, value=changes.get("value", actual))
        values: dict[str, Value] = dict(changes)
        plan.writes.append(Write(UPDATE, TABLE, f"property {name}", values, row["sys_id"], self.stage, outcome=outcome))

    def _plan_new(self, plan: Plan, name: str, entry: Mapping[str, Any], outcome: dict[str, Any]) -> None:
        value = wire_text(entry["value"])
        plan.drift.append(Drift(f"property {name}", "value", None, value))
        if not self.create_missing:
            outcome.update(status=MISSING, reason="the instance has no record for it, and create_missing is false")
            return
        outcome.update(status=CHANGED, value=value)
        kind = kind_of(entry["value"])
        values: dict[str, Value] = {
            "name": name,
            "value": value,
            "type": entry.get("type") or TYPES.get(kind, "string"),
        }
        if entry.get("description"):
            values["description"] = entry["description"]
        plan.writes.append(
            Write(CREATE, TABLE, f"property {name}", values, stage=self.stage, identity={"name": name}, outcome=outcome)
        )

    def _limit(self, plan: Plan) -> None:
        """Keep the writes within `max_writes`; the others are reported as left for the next run."""
        if self._chosen is None:
            labels = [write.label for write in plan.writes]
            self._chosen = set(labels[: self.max_writes] if self.max_writes else labels)
        postponed = [write for write in plan.writes if write.label not in self._chosen]
        plan.writes = [write for write in plan.writes if write.label in self._chosen]
        found = {(entry.object, entry.field): entry for entry in plan.drift}
        for write in postponed:
            if write.outcome is not None:
                entry = found.get((write.label, "value"))
                actual = entry.before if entry else write.outcome["value"]
                reason = f"left for the next run: max_writes is {self.max_writes}"
                write.outcome.update(status=REFUSED, value=actual, reason=reason)
        for write in plan.writes:
            for entry in plan.drift:
                if entry.object == write.label:
                    name = write.label.split(" ", 1)[1] + ("" if entry.field == "value" else f" ({entry.field})")
                    plan.before[name], plan.after[name] = entry.before, entry.after
        if postponed:
            plan.warnings.append(
                f"{len(postponed)} properties still deviate after {self.max_writes} writes (max_writes); run again"
            )


def encrypted_values(properties: Mapping[str, Any]) -> list[Any]:
    """Return the values of properties whose type the platform encrypts."""
    entries = [entry for entry in properties.values() if isinstance(entry, Mapping)]
    return [entry.get("value") for entry in entries if entry.get("type") in ENCRYPTED_TYPES]


def _entry(name: str, given: Any) -> dict[str, Any]:
    if not name.strip():
        raise InvalidInput("a property without a name")
    if not isinstance(given, Mapping):
        given = {"value": given}
    unknown = set(given) - {"value", "type", "description"}
    if unknown or given.get("value") is None:
        raise InvalidInput(
            f"property {name}: give a value, or a dictionary of value, type and description"
            + (f"; {', '.join(sorted(map(str, unknown)))} is not one of them" if unknown else "")
        )
    if given.get("type") in ENCRYPTED_TYPES:
        raise InvalidInput(
            f"property {name}: a value of type {given['type']} is stored encrypted and cannot be compared; "
            f"use snow_record with write_only"
        )
    return dict(given)


def _differences(entry: Mapping[str, Any], row: Row) -> dict[str, str]:
    """Return the deviating columns with their desired values; the value compares by the type of the record."""
    kind = KINDS.get(row.get("type", ""), kind_of(entry["value"]))
    changes = {}
    if normal(kind, entry["value"]) != normal(kind, row.get("value", "")):
        changes["value"] = wire_text(entry["value"])
    for column in ("type", "description"):
        if entry.get(column) is not None and entry[column] != row.get(column, ""):
            changes[column] = str(entry[column])
    return changes


def _shown(name: str, value: str) -> str:
    """Return what the instance has, masked for a property that is named like a secret; it is no argument of the task."""
    return ON_PLATFORM if value and SECRET_NAME.search(name) else value


def _step(name: str, changes: Mapping[str, str]) -> ManualStep:
    return ManualStep(
        id=f"property:{name}",
        title=f"Set the system property {name}",
        reason=f"Its write roles include {ELEVATED_ROLE}, an elevated role that no API call can have",
        where=f"ServiceNow: user menu > Elevate role > {ELEVATED_ROLE}, then sys_properties.list > {name}",
        values={"Name": name, **{column.capitalize(): value for column, value in changes.items()}},
    )
