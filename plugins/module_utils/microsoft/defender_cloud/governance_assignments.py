# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance assignments, thousands of them in one plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.errors import EngineError, InvalidInput
from ...engine.plan import (
    CHANGED,
    CREATE,
    DELETE,
    OK,
    REFUSED,
    UPDATE,
    Plan,
    SecretDecision,
    Write,
)
from ...engine.reconcile import reconcile, summarize_messages
from ...engine.result import ABSENT, PRESENT, Drift, Result
from ...engine.snapshot import PlannedId, Query, Row, Snapshot
from ..arm.client import ArmClient
from ..collection_store import CollectionStore
from .governance_assignment import Assignment, Pair
from .governance_assignments_api import COLLECTION, COLUMNS, EXPIRED, AssignmentsEndpoint


class Assignments:
    """The described assignments. `routes` has to be set before the engine runs: it tells what could not be read."""

    label = "assignments"

    def __init__(self, entries: Sequence[Mapping[str, Any]], default_due_days: int) -> None:
        if default_due_days < 0:
            raise InvalidInput(f"default_due_days must be 0 or more, not {default_due_days}")
        self.default_due_days = default_due_days
        self.described: dict[str, Assignment] = {}
        for entry in entries:
            assignment = Assignment(entry)
            if assignment.pair.key in self.described:
                raise InvalidInput(f"assignments describes {assignment.pair.label} twice (case makes no difference)")
            self.described[assignment.pair.key] = assignment
        self.routes: AssignmentsEndpoint

    @property
    def pairs(self) -> list[Pair]:
        """What the assignments are for."""
        return [assignment.pair for assignment in self.described.values()]

    @property
    def creating(self) -> list[Pair]:
        """What assignments may have to be made for."""
        return [assignment.pair for assignment in self.described.values() if assignment.may_create]

    def planned_ids(self) -> list[PlannedId]:
        """Promise nothing."""
        return []

    def reads(self) -> list[Query]:
        """Ask for all pairs at once."""
        return [Query(COLLECTION, "pair", tuple(self.described), COLUMNS)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare assignment by assignment; what cannot be known or be meant is refused for itself."""
        plan = Plan(self.label, bulk=True)
        rows: dict[str, list[Row]] = {}
        for row in snapshot.all_rows(COLLECTION, "pair"):
            rows.setdefault(row["pair"], []).append(row)
        for key, assignment in self.described.items():
            self._plan_one(plan, assignment, rows.get(key, []))
        self.routes.planned, self.routes.done = len(plan.writes), 0
        plan.warnings += summarize_messages(
            [outcome["reason"] for outcome in plan.outcomes if outcome["status"] == REFUSED]
        )
        notes = [assignment.note for assignment in self.described.values() if assignment.note]
        plan.warnings += summarize_messages(notes, "assignments cannot hold the ticket's number")
        return plan

    def _plan_one(self, plan: Plan, assignment: Assignment, rows: list[Row]) -> None:
        pair = assignment.pair
        outcome: dict[str, Any] = {
            "object": pair.label,
            "recommendation": pair.recommendation,
            "resource_id": pair.resource_id,
            "status": OK,
            "id": "",
            **assignment.shown({}),
        }
        plan.outcomes.append(outcome)
        row, refusal = self._find(pair, rows)
        if refusal:
            outcome.update(status=REFUSED, reason=refusal)
        elif not assignment.is_wanted:
            self._plan_absence(plan, pair, row, outcome)
        elif row is None:
            self._plan_creation(plan, assignment, outcome)
        else:
            self._plan_update(plan, assignment, row, outcome)

    def _find(self, pair: Pair, rows: list[Row]) -> tuple[Row | None, str]:
        """Return the assignment of a pair, whoever made it, or why that cannot be summarize_messages."""
        if pair.key in self.routes.refused:
            return None, f"{pair.label}: its assignments could not be read. {self.routes.refused[pair.key]}"
        ours = [row for row in rows if row["name"].casefold() == pair.name]
        if len(rows) > 1 and len(ours) != 1:
            ids = " and ".join(sorted(row["sys_id"] for row in rows))
            return None, f"{pair.label}: there are {len(rows)} of them, {ids}. Remove all but one; nothing was written"
        if not rows and pair.key in self.routes.expired:
            return None, f"{pair.label}: {EXPIRED}"
        return next(iter(ours or rows), None), ""

    def _plan_absence(self, plan: Plan, pair: Pair, row: Row | None, outcome: dict[str, Any]) -> None:
        if row is None:
            outcome["status"] = ABSENT
            return
        outcome.update(status=CHANGED, id=row["sys_id"])
        plan.drift.append(Drift(pair.label, "state", PRESENT, ABSENT))
        plan.before[pair.label], plan.after[pair.label] = PRESENT, ABSENT
        plan.writes.append(Write(DELETE, COLLECTION, pair.label, row=row["sys_id"], outcome=outcome))

    def _plan_creation(self, plan: Plan, assignment: Assignment, outcome: dict[str, Any]) -> None:
        if not assignment.may_create:
            outcome["status"] = ABSENT
            return
        pair = assignment.pair
        properties = assignment.created(self.default_due_days)
        outcome.update(status=CHANGED, **assignment.shown(properties), **_reason(assignment))
        plan.drift.append(Drift(pair.label, "state", ABSENT, PRESENT))
        plan.after[pair.label] = {**assignment.values, "due_date": properties["remediationDueDate"]}
        values = {
            "pair": pair.key,
            "path": pair.assessment_path,
            "name": pair.name,
            "properties": json.dumps(properties),
        }
        plan.writes.append(
            Write(CREATE, COLLECTION, pair.label, {**values}, identity={"pair": pair.key}, outcome=outcome)
        )

    @staticmethod
    def _plan_update(plan: Plan, assignment: Assignment, row: Row, outcome: dict[str, Any]) -> None:
        label = assignment.pair.label
        properties, deviating = assignment.compared(json.loads(row["properties"]))
        outcome.update(id=row["sys_id"], **assignment.shown(properties), **_reason(assignment))
        if not deviating:
            return
        outcome["status"] = CHANGED
        plan.drift += [Drift(label, option, before, after) for option, before, after in deviating]
        plan.before[label] = {option: before for option, before, _after in deviating}
        plan.after[label] = {option: after for option, _before, after in deviating}
        values = {"properties": json.dumps(properties)}
        plan.writes.append(Write(UPDATE, COLLECTION, label, {**values}, row["sys_id"], outcome=outcome))


def _reason(assignment: Assignment) -> dict[str, str]:
    return {"reason": assignment.note} if assignment.note else {}


def ensured(client: ArmClient, assignments: Assignments) -> Result:
    """Bring `assignments` to their described state. Raises `EngineError` when all of them were refused."""
    endpoint = AssignmentsEndpoint(client, assignments.pairs, assignments.creating)
    assignments.routes = endpoint
    result = reconcile(CollectionStore(client, {COLLECTION: endpoint}), assignments)
    outcomes = result.output["results"]
    if outcomes and all(outcome["status"] == REFUSED for outcome in outcomes):
        reasons = [outcome["reason"] for outcome in outcomes]
        raise EngineError("; ".join(summarize_messages(reasons)), result.as_dict(with_diff=False))
    return result
