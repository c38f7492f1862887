# SPDX-License-Identifier: GPL-3.0-or-later
"""One object on a scope, known by its display name there: what deviates is changed, everything else goes along as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CREATE, DELETE, UPDATE, Plan, SecretDecision, Write
from ...engine.result import ABSENT, PRESENT
from ...engine.snapshot import PlannedId, Query, Row, Snapshot
from ..arm.json_properties import overlaid, own_id, properties_of
from ..arm.scopes import Scope
from .scoped_objects_api import INHERITED, OWN


@dataclass(frozen=True)
class Aspect:
    """One described thing: `before` and `after` in the user's words, and what a PUT says to get there."""

    name: str
    before: Any
    after: Any
    properties: dict[str, Any]

    @property
    def deviates(self) -> bool:
        """Whether it is not as described."""
        return bool(self.before != self.after)


class ScopedObject:
    """Subclasses say what is compared (`aspects`), and what a new object is made of (`new`)."""

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

    def planned_ids(self) -> list[PlannedId]:
        """Promise nothing."""
        return []

    def reads(self) -> list[Query]:
        """Ask for everything on the scope: one list tells all."""
        return [Query(self.collection, "name", (self.name,), ("sys_id", "name", "own"))]

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
        aspects = [aspect for aspect in self.aspects(properties, rows) if row is None or aspect.deviates]
        if row is None:
            plan.add_drift("state", ABSENT, PRESENT)
            plan.after.update({aspect.name: aspect.after for aspect in aspects})
        else:
            for aspect in aspects:
                plan.add_drift(aspect.name, aspect.before, aspect.after)
        wanted: dict[str, Any] = self.new() if row is None else self.kept(properties)
        for aspect in aspects:
            wanted = overlaid(wanted, aspect.properties)
        self.also(plan, row, rows, secrets)
        if plan.drift:
            self.check(plan, row, rows, wanted)
            self._write(plan, row, rows, wanted)
        if row is None:
            self._warn_of_inherited(plan, rows)
        self.finish(plan, wanted)
        plan.object = self.described(row, wanted, rows)
        return plan

    def find(self, rows: list[Row]) -> Row | None:
        """Return the object that is meant, None where there is none; raise `InvalidInput` for two of one name."""
        found = [row for row in rows if row["name"] == self.name and row["own"] == OWN]
        if len(found) > 1:
            ids = ", ".join(sorted(row["sys_id"] for row in found))
            raise InvalidInput(
                f"{self.scope} has {len(found)} objects named {self.name!r} among its {self.kind} ({ids}). Neither was touched; rename or "
                f"remove one in the portal"
            )
        return found[0] if found else None

    def inherited(self, rows: list[Row]) -> list[Row]:
        """Return the objects of this name that the scope inherits."""
        return [row for row in rows if row["name"] == self.name and row["own"] == INHERITED]

    def _write(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        text = json.dumps(wanted)
        if row is not None:
            plan.writes.append(Write(UPDATE, self.collection, self.label, {"properties": text}, row["sys_id"]))
            return
        new_id = own_id(self.scope.path, self.kind, self.name, [other["sys_id"] for other in rows])
        identity = {"name": self.name, "own": OWN}
        plan.writes.append(
            Write(CREATE, self.collection, self.label, {"id": new_id, "properties": text}, identity=dict(identity))
        )

    def _plan_absence(self, plan: Plan, row: Row | None, rows: list[Row]) -> None:
        if row is None:
            if self.inherited(rows):
                plan.warnings.append(
                    f"{self.label} is not defined on {self.scope} but inherited, and was left alone; describe it on the scope it comes from"
                )
            plan.object = {"display_name": self.name, "scope": self.scope.path}
            return
        plan.add_drift("state", PRESENT, ABSENT)
        self.check_absence(plan, row)
        plan.writes.append(Write(DELETE, self.collection, self.label, row=row["sys_id"]))
        plan.object = self.described(row, properties_of(row), rows)

    def _warn_of_inherited(self, plan: Plan, rows: list[Row]) -> None:
        if self.inherited(rows):
            plan.warnings.append(
                f"{self.scope} also inherits a {self.label}; the one described here is another one, of its own"
            )

    def kept(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return everything that a GET showed and a PUT may hold, also what nobody has heard of."""
        return {name: value for name, value in properties.items() if name not in self.read_only}

    # -- what subclasses say ------------------------------------------------------------------------------------------

    def new(self) -> dict[str, Any]:
        """Return the properties that a new object has whatever is described."""
        raise NotImplementedError

    def aspects(self, properties: Mapping[str, Any], rows: list[Row]) -> Iterator[Aspect]:
        """Yield everything that is described; `properties` are empty for an object that is not there."""
        raise NotImplementedError

    def described(self, row: Row | None, properties: Mapping[str, Any], rows: list[Row]) -> dict[str, Any]:
        """Return the object for the module's result."""
        raise NotImplementedError

    def check(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        """Raise `InvalidInput` for what must not be written."""

    def check_absence(self, plan: Plan, row: Row) -> None:
        """Raise `InvalidInput` for what must not be removed."""

    def also(self, plan: Plan, row: Row | None, rows: list[Row], secrets: SecretDecision) -> None:
        """Add what is no property: deviations, warnings, manual steps."""

    def finish(self, plan: Plan, properties: Mapping[str, Any]) -> None:
        """Add what is left to a person once the object has these properties."""
