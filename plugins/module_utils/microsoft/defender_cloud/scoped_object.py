# SPDX-License-Identifier: GPL-3.0-or-later
"""One object on a scope, known by its display name there: drift is corrected, all other properties are sent unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CREATE, DELETE, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.result import ABSENT, PRESENT
from ...engine.snapshot import Query, Row, Snapshot
from ..arm.json_properties import merge_patch, new_id, properties_of
from ..arm.scopes import Scope


@dataclass(frozen=True)
class Aspect:
    """One option of the desired state: `before` and `after` as the user writes them, and the properties that a PUT sets for it."""

    name: str
    before: Any
    after: Any
    properties: dict[str, Any]

    @property
    def is_drift(self) -> bool:
        """Whether it differs from the desired state."""
        return bool(self.before != self.after)


class ScopedObject(Resource):
    """Subclasses define what is compared (`aspects`), and what a new object starts with (`initial_properties`)."""

    noun = ""
    kind = ""
    collection = ""
    read_only: frozenset[str] = frozenset()

    def __init__(self, params: Mapping[str, Any], scope: Scope) -> None:
        self.params, self.scope = params, scope
        self.name, self.state = params["display_name"], params["state"]
        if not self.name.strip():
            raise InvalidInput(f"{self.noun}: display_name must not be empty")
        self.label = f"{self.noun} {self.name}"

    def reads(self) -> list[Query]:
        """Read every object on the scope: it is one list."""
        return [Query(self.collection, "name", (self.name,), ("id", "name", "own"))]

    # -- planning -----------------------------------------------------------------------------------------------------

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare with the one object of this name that is defined on the scope."""
        plan = Plan(self.label)
        rows = snapshot.all_rows(self.collection, "name")
        row = plan.row = self.find(rows)
        if self.state == ABSENT:
            self._plan_absence(plan, row, rows)
            return plan
        properties = properties_of(row)
        aspects = [aspect for aspect in self.aspects(properties, rows) if row is None or aspect.is_drift]
        if row is None:
            plan.add_drift("state", ABSENT, PRESENT)
            plan.after.update({aspect.name: aspect.after for aspect in aspects})
        else:
            for aspect in aspects:
                plan.add_drift(aspect.name, aspect.before, aspect.after)
        wanted: dict[str, Any] = self.initial_properties() if row is None else self.kept(properties)
        for aspect in aspects:
            wanted = merge_patch(wanted, aspect.properties)
        if self.add_to_plan(plan, row, rows, secrets) or plan.drift:
            self.check(plan, row, rows, wanted)
            self._write(plan, row, rows, wanted)
        if row is None:
            self._warn_of_inherited(plan, rows)
        self.add_manual_steps(plan, wanted)
        plan.object = self.as_result(row, wanted)
        return plan

    def find(self, rows: list[Row]) -> Row | None:
        """Return the object of this name, None where there is none; raise `InvalidInput` where there are several."""
        found = [row for row in rows if row["name"] == self.name and row["own"]]
        if len(found) > 1:
            ids = ", ".join(sorted(row["id"] for row in found))
            raise InvalidInput(
                f"{self.scope} has {len(found)} objects named {self.name!r} among its {self.kind} ({ids}). None was changed; rename or "
                f"remove all but one in the portal"
            )
        return found[0] if found else None

    def inherited(self, rows: list[Row]) -> list[Row]:
        """Return the objects of this name that the scope inherits."""
        return [row for row in rows if row["name"] == self.name and not row["own"]]

    def _write(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        if row is not None:
            plan.writes.append(Write(UPDATE, self.collection, self.label, {"properties": wanted}, row["id"]))
            return
        object_id = new_id(self.scope.path, self.kind, self.name, [other["id"] for other in rows])
        identity: dict[str, Any] = {"name": self.name, "own": True}
        plan.writes.append(
            Write(
                CREATE,
                self.collection,
                self.label,
                {"id": object_id, "properties": wanted},
                identity=identity,
                has_own_id=True,
            )
        )

    def _plan_absence(self, plan: Plan, row: Row | None, rows: list[Row]) -> None:
        if row is None:
            if self.inherited(rows):
                plan.warnings.append(
                    f"{self.label} is inherited by {self.scope}, not defined there, and was left unchanged; manage it on the scope that defines it"
                )
            plan.object = {"display_name": self.name, "scope": self.scope.path}
            return
        plan.add_drift("state", PRESENT, ABSENT)
        self.check_absence(plan, row)
        plan.writes.append(Write(DELETE, self.collection, self.label, row=row["id"]))
        plan.object = self.as_result(row, properties_of(row))

    def _warn_of_inherited(self, plan: Plan, rows: list[Row]) -> None:
        if self.inherited(rows):
            plan.warnings.append(
                f"{self.scope} also inherits a {self.label}; this task manages the one that the scope itself defines"
            )

    def kept(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return everything that a GET returned and a PUT accepts, unknown properties included."""
        return {name: value for name, value in properties.items() if name not in self.read_only}

    # -- defined by subclasses ----------------------------------------------------------------------------------------

    def initial_properties(self) -> dict[str, Any]:
        """Return the properties that every new object has."""
        raise NotImplementedError

    def aspects(self, properties: Mapping[str, Any], rows: list[Row]) -> Iterator[Aspect]:
        """Yield the desired state, option by option; `properties` is empty for an object that does not exist."""
        raise NotImplementedError

    def as_result(self, row: Row | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the object for the module's result."""
        raise NotImplementedError

    def check(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        """Raise `InvalidInput` for what must not be written."""

    def check_absence(self, plan: Plan, row: Row) -> None:
        """Raise `InvalidInput` for what must not be removed."""

    def add_to_plan(self, plan: Plan, row: Row | None, rows: list[Row], secrets: SecretDecision) -> bool:
        """Add what is not a property: drift and warnings. Return whether to write although nothing is known to deviate."""
        return False

    def add_manual_steps(self, plan: Plan, properties: Mapping[str, Any]) -> None:
        """Add what remains to be done by hand once the object has these properties."""
