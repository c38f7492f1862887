# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of controls of Secure Score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, OK, UPDATE, Plan, Resource, SecretDecision, Value, Write
from ...engine.result import Drift
from ...engine.snapshot import Query, Row, Snapshot
from .control_profiles_api import COLLECTION, STATES

COLUMNS = ("id", "title", "service", "deprecated", "state", "comment")
MANAGED = ("state", "comment")

CONTROL_OPTIONS: dict[str, dict[str, Any]] = {
    "id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": list(STATES), "required": True},
    "comment": {"type": "str"},
}
CONTROLS_OPTIONS: dict[str, dict[str, Any]] = {
    "controls": {"type": "list", "elements": "dict", "required": True, "options": CONTROL_OPTIONS},
}


class SecureScoreControls(Resource):
    """The desired states, one for each control."""

    label = "secure_score_controls"

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.entries = entries
        ids = [entry["id"] for entry in entries]
        for control in ids:
            if ids.count(control) > 1:
                raise InvalidInput(f"controls lists {control!r} twice")

    def reads(self) -> list[Query]:
        """Read every control: it is one list."""
        return [Query(COLLECTION, "id", (), COLUMNS)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare control by control."""
        plan = Plan(self.label, bulk=True)
        rows = {row["id"]: row for row in snapshot.all_rows(COLLECTION, "id")}
        self._check_ids(rows)
        for entry in self.entries:
            self._plan_one(plan, entry, rows[entry["id"]])
        return plan

    def _check_ids(self, rows: Mapping[str, Row]) -> None:
        unknown = [entry["id"] for entry in self.entries if entry["id"] not in rows]
        if unknown:
            ids = "; ".join(f"{control!r}{_similar(control, rows)}" for control in unknown)
            raise InvalidInput(
                f"the tenant has no control of Secure Score with the id {ids}. Nothing was written. "
                f"graph_secure_score_info lists them; those of ServiceNow appear with the first connected instance"
            )

    @staticmethod
    def _plan_one(plan: Plan, entry: Mapping[str, Any], row: Row) -> None:
        label = f"control {row['id']}"
        outcome: dict[str, Any] = {"object": label, "id": row["id"], "title": row["title"], "status": OK}
        outcome |= {name: row[name] for name in MANAGED}
        plan.outcomes.append(outcome)
        if row["deprecated"]:
            plan.warnings.append(f"{label} is deprecated: Microsoft does not score it any more, in any state")
        wanted = {name: entry[name] for name in MANAGED if entry.get(name) is not None}
        drifted = [name for name, value in wanted.items() if row[name] != value]
        if not drifted:
            return
        outcome |= {"status": CHANGED, **wanted}
        plan.drift += [Drift(label, name, row[name], wanted[name]) for name in drifted]
        plan.before[label] = {name: row[name] for name in drifted}
        plan.after[label] = {name: wanted[name] for name in drifted}
        values: dict[str, Value] = {**wanted}
        plan.writes.append(Write(UPDATE, COLLECTION, label, values, row["id"]))


def _similar(control: str, rows: Mapping[str, Row]) -> str:
    """Return a suggestion: similar ids, and the ids of similar titles."""
    by_name = {name.casefold(): row["id"] for row in rows.values() for name in (row["id"], row["title"])}
    close = get_close_matches(control.casefold(), by_name, n=3)
    found = list(dict.fromkeys(by_name[name] for name in close))
    return f" (did you mean {' or '.join(found)}?)" if found else ""
