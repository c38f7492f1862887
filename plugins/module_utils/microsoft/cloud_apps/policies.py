# SPDX-License-Identifier: GPL-3.0-or-later
"""Built-in policies of a tenant, on or off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, OK, UPDATE, Plan, SecretDecision, Write
from ...engine.result import Drift
from ...engine.snapshot import PlannedId, Query, Row, Snapshot
from .manual_steps import policy_step
from .policies_api import COLLECTION, PoliciesEndpoint
from .policy_lifecycle import note_of, told

COLUMNS = ("sys_id", "name", "type", "severity", "enabled")
STATES = {"enabled": "true", "disabled": "false"}

POLICY_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "state": {"type": "str", "choices": list(STATES), "default": "enabled"},
}


class Policies:
    """The described policies, found by name or by id."""

    label = "policies"

    def __init__(self, entries: list[Mapping[str, Any]], routes: PoliciesEndpoint) -> None:
        self.entries, self.routes = entries, routes
        keys = [entry.get("id") or entry.get("name") for entry in entries]
        for key in keys:
            if keys.count(key) > 1:
                raise InvalidInput(f"policies names {key!r} twice")

    def planned_ids(self) -> list[PlannedId]:
        """Promise nothing."""
        return []

    def reads(self) -> list[Query]:
        """Ask for every policy: one list tells all."""
        return [Query(COLLECTION, "name", (), COLUMNS)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare policy by policy; without a contract, what deviates is a manual step."""
        plan = Plan(self.label, bulk=True)
        rows = snapshot.all_rows(COLLECTION, "name")
        for entry in self.entries:
            self._plan_one(plan, entry, _find(entry, rows))
        return plan

    def _plan_one(self, plan: Plan, entry: Mapping[str, Any], row: Row | None) -> None:
        state = entry["state"]
        name = row["name"] if row else str(entry.get("name") or entry.get("id"))
        label = f"policy {name}"
        note = note_of(name, row["type"] if row else "")
        outcome = {"object": label, "name": name, "status": OK, "standing": note.standing}
        plan.outcomes.append(outcome)
        if state == "enabled" and told(name, note):
            plan.warnings.append(told(name, note))
        if row is None:
            if state == "enabled":
                outcome["status"] = "missing"
                plan.drift.append(Drift(label, "state", "absent", state))
            return
        outcome["id"] = row["sys_id"]
        if row["enabled"] == STATES[state]:
            return
        before = "enabled" if row["enabled"] == "true" else "disabled" if row["enabled"] == "false" else "unknown"
        plan.drift.append(Drift(label, "state", before, state))
        plan.before[label], plan.after[label] = before, state
        operation = {"enabled": "enable", "disabled": "disable"}[state]
        if self.routes.replay and self.routes.replay.offers(operation):
            self.routes.replay.check(operation, {"id": row["sys_id"], "name": name, "policy_type": row["type"]}, label)
            outcome["status"] = CHANGED
            values: dict[str, Any] = {"enabled": STATES[state], "name": name, "policy_type": row["type"]}
            plan.writes.append(Write(UPDATE, COLLECTION, label, values, row["sys_id"], outcome=outcome))
            return
        outcome["status"] = "drift"
        plan.manual_steps.append(policy_step(name, state))


def _find(entry: Mapping[str, Any], rows: list[Row]) -> Row | None:
    if entry.get("id"):
        found = [row for row in rows if row["sys_id"] == entry["id"]]
        if not found:
            raise InvalidInput(f"the tenant has no policy with the id {entry['id']}")
        return found[0]
    found = [row for row in rows if row["name"].casefold() == entry["name"].casefold()]
    if len(found) > 1:
        ids = ", ".join(sorted(row["sys_id"] for row in found))
        raise InvalidInput(f"the tenant has {len(found)} policies named {entry['name']!r} ({ids}); pick one with id")
    return found[0] if found else None
