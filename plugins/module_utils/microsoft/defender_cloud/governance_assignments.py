# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance assignments, thousands of them in one plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.plan import (
    CHANGED,
    CREATE,
    DELETE,
    OK,
    REFUSED,
    UPDATE,
    Plan,
    Resource,
    SecretDecision,
    Write,
)
from ...engine.reconcile import summarize_messages
from ...engine.result import ABSENT, PRESENT, Drift
from ...engine.snapshot import Query, Row, Snapshot
from .assignment_preflight import AssignmentPreflight
from .governance_assignment import ASSIGNMENT_OPTIONS, Assignment, Pair
from .governance_assignments_api import COLLECTION, COLUMNS, EXPIRED, AssignmentsEndpoint

ASSIGNMENTS_OPTIONS: dict[str, dict[str, Any]] = {
    "assignments": {"type": "list", "elements": "dict", "required": True, "options": ASSIGNMENT_OPTIONS},
    "default_due_days": {"type": "int", "default": 90},
}


class Assignments(Resource):
    """The desired assignments by the key of their pair. `endpoint` holds what could not be read.

    With `preflight`, as in check mode, writes that the platform would refuse are refused by the plan.
    """

    label = "assignments"

    def __init__(
        self,
        desired: Mapping[str, Assignment],
        default_due_days: int,
        endpoint: AssignmentsEndpoint,
        preflight: AssignmentPreflight | None = None,
    ) -> None:
        self.desired, self.default_due_days, self.endpoint = desired, default_due_days, endpoint
        self.preflight = preflight

    def reads(self) -> list[Query]:
        """Read the assignments of all pairs at once."""
        return [Query(COLLECTION, "pair", tuple(self.desired), COLUMNS)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare assignment by assignment; what cannot be read or is ambiguous is refused, the others are not affected."""
        plan = Plan(self.label, bulk=True)
        rows: dict[str, list[Row]] = {}
        for row in snapshot.all_rows(COLLECTION, "pair"):
            rows.setdefault(row["pair"], []).append(row)
        for key, assignment in self.desired.items():
            self._plan_one(plan, assignment, rows.get(key, []))
        if self.preflight:
            plan.writes = [write for write in plan.writes if not self._is_refused(write, self.preflight)]
        self.endpoint.planned, self.endpoint.done = len(plan.writes), 0
        plan.warnings += summarize_messages(
            [outcome["reason"] for outcome in plan.outcomes if outcome["status"] == REFUSED]
        )
        notes = [assignment.note for assignment in self.desired.values() if assignment.note]
        plan.warnings += summarize_messages(notes, "assignments cannot store the ticket's number")
        return plan

    @staticmethod
    def _is_refused(write: Write, preflight: AssignmentPreflight) -> bool:
        outcome = write.outcome or {}
        refusal = preflight.refusal(str(outcome.get("resource_id")))
        if refusal:
            outcome.update(status=REFUSED, reason=f"{write.label}: {refusal}")
        return bool(refusal)

    def _plan_one(self, plan: Plan, assignment: Assignment, rows: list[Row]) -> None:
        pair = assignment.pair
        outcome: dict[str, Any] = {
            "object": pair.label,
            "recommendation": pair.recommendation,
            "resource_id": pair.resource_id,
            "status": OK,
            "id": "",
            **assignment.as_result({}),
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
        """Return the assignment of a pair, whoever created it, or the reason why it cannot be determined."""
        if pair.key in self.endpoint.refused:
            return None, f"{pair.label}: its assignments could not be read. {self.endpoint.refused[pair.key]}"
        ours = [row for row in rows if row["name"].casefold() == pair.name]
        if len(rows) > 1 and len(ours) != 1:
            ids = " and ".join(sorted(row["id"] for row in rows))
            return (
                None,
                f"{pair.label}: there are {len(rows)} assignments, {ids}. Remove all but one; nothing was written",
            )
        if not rows and pair.key in self.endpoint.expired:
            return None, f"{pair.label}: {EXPIRED}"
        return next(iter(ours or rows), None), ""

    def _plan_absence(self, plan: Plan, pair: Pair, row: Row | None, outcome: dict[str, Any]) -> None:
        if row is None:
            outcome["status"] = ABSENT
            return
        outcome.update(status=CHANGED, id=row["id"])
        plan.drift.append(Drift(pair.label, "state", PRESENT, ABSENT))
        plan.before[pair.label], plan.after[pair.label] = PRESENT, ABSENT
        plan.writes.append(Write(DELETE, COLLECTION, pair.label, row=row["id"], outcome=outcome))

    def _plan_creation(self, plan: Plan, assignment: Assignment, outcome: dict[str, Any]) -> None:
        if not assignment.may_create:
            outcome["status"] = ABSENT
            return
        pair = assignment.pair
        properties = assignment.created(self.default_due_days)
        outcome.update(status=CHANGED, **assignment.as_result(properties), **_reason(assignment))
        plan.drift.append(Drift(pair.label, "state", ABSENT, PRESENT))
        plan.after[pair.label] = {**assignment.values, "due_date": properties["remediationDueDate"]}
        values: dict[str, Any] = {
            "pair": pair.key,
            "path": pair.assessment_path,
            "name": pair.name,
            "properties": properties,
        }
        identity = {"pair": pair.key}
        plan.writes.append(
            Write(CREATE, COLLECTION, pair.label, values, identity=identity, outcome=outcome, has_own_id=True)
        )

    @staticmethod
    def _plan_update(plan: Plan, assignment: Assignment, row: Row, outcome: dict[str, Any]) -> None:
        label = assignment.pair.label
        properties, drift = assignment.patched(row["properties"])
        outcome.update(id=row["id"], **assignment.as_result(properties), **_reason(assignment))
        if not drift:
            return
        outcome["status"] = CHANGED
        plan.drift += [Drift(label, option, before, after) for option, before, after in drift]
        plan.before[label] = {option: before for option, before, _after in drift}
        plan.after[label] = {option: after for option, _before, after in drift}
        plan.writes.append(Write(UPDATE, COLLECTION, label, {"properties": properties}, row["id"], outcome=outcome))


def _reason(assignment: Assignment) -> dict[str, str]:
    return {"reason": assignment.note} if assignment.note else {}
