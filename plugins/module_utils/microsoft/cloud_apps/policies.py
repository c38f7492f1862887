# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in policies of a tenant, enabled or disabled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, OK, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.result import Drift
from ...engine.snapshot import Query, Row, Snapshot
from .manual_steps import policy_step
from .policies_api import COLLECTION, PoliciesEndpoint
from .policy_lifecycle import lifecycle_note, lifecycle_of

COLUMNS = ("id", "name", "type", "severity", "enabled")
STATES = {"enabled": True, "disabled": False}
OPERATIONS = {"enabled": "enable", "disabled": "disable"}

POLICY_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "state": {"type": "str", "choices": list(STATES), "default": "enabled"},
}


class Policies(Resource):
    """The desired policies, identified by name or id."""

    label = "policies"

    def __init__(self, entries: list[Mapping[str, Any]], endpoint: PoliciesEndpoint) -> None:
        self.entries, self.endpoint = entries, endpoint
        keys = [entry.get("id") or entry.get("name") for entry in entries]
        for key in keys:
            if keys.count(key) > 1:
                raise InvalidInput(f"policies names {key!r} twice")

    def reads(self) -> list[Query]:
        """Query every policy: one list returns them."""
        return [Query(COLLECTION, "name", (), COLUMNS)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare policy by policy; without a contract, a deviation is a manual step."""
        plan = Plan(self.label, bulk=True)
        rows = snapshot.all_rows(COLLECTION, "name")
        for entry in self.entries:
            self._plan_one(plan, entry, _find(entry, rows))
        return plan

    def _plan_one(self, plan: Plan, entry: Mapping[str, Any], row: Row | None) -> None:
        state = entry["state"]
        name = row["name"] if row else str(entry.get("name") or entry.get("id"))
        label = f"policy {name}"
        lifecycle = lifecycle_of(name, row["type"] if row else "")
        outcome: dict[str, Any] = {
            "object": label,
            "name": name,
            "status": OK,
            "standing": lifecycle.standing,
            "successors": list(lifecycle.successors),
            "date": lifecycle.date,
        }
        plan.outcomes.append(outcome)
        note = lifecycle_note(name, lifecycle) if state == "enabled" else ""
        if note:
            plan.warnings.append(note)
        if row is None:
            if state == "enabled":
                outcome["status"] = "missing"
                plan.drift.append(Drift(label, "state", "absent", state))
            return
        outcome["id"] = row["id"]
        if row["enabled"] == STATES[state]:
            return
        before = {enabled: name for name, enabled in STATES.items()}.get(row["enabled"], "unknown")
        plan.drift.append(Drift(label, "state", before, state))
        plan.before[label], plan.after[label] = before, state
        operation, replay = OPERATIONS[state], self.endpoint.replay
        if replay and replay.offers(operation):
            replay.check(operation, {"id": row["id"], "name": name, "policy_type": row["type"]}, label)
            outcome["status"] = CHANGED
            values: dict[str, Any] = {"enabled": STATES[state], "name": name, "policy_type": row["type"]}
            plan.writes.append(Write(UPDATE, COLLECTION, label, values, row["id"], outcome=outcome))
            return
        outcome["status"] = "drift"
        plan.manual_steps.append(policy_step(name, state))


def _find(entry: Mapping[str, Any], rows: list[Row]) -> Row | None:
    if entry.get("id"):
        found = [row for row in rows if row["id"] == entry["id"]]
        if not found:
            raise InvalidInput(f"the tenant has no policy with the id {entry['id']}")
        return found[0]
    found = [row for row in rows if row["name"].casefold() == entry["name"].casefold()]
    if len(found) > 1:
        ids = ", ".join(sorted(row["id"] for row in found))
        raise InvalidInput(
            f"the tenant has {len(found)} policies named {entry['name']!r} ({ids}); set id to select one"
        )
    return found[0] if found else None
