# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of a tenant, enabled or disabled; missing ones are created by contract, or are a manual step."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, CREATE, OK, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.result import ABSENT, UNKNOWN, Drift
from ...engine.snapshot import Query, Row, Snapshot
from ...recorded_api.replay import Replay
from .manual_steps import built_in_policy_step, new_policy_step, policy_step
from .policies_api import COLLECTION, PoliciesEndpoint
from .policy_catalogue import BUILT_IN, PAGE
from .policy_lifecycle import ANOMALY, ending, has_ended, lifecycle_note, lifecycle_of, on_page

NOT_SHOWN = "the tenant's list does not show whether it is enabled. The platform has changed: look in the portal"
COLUMNS = ("id", "name", "type", "severity", "enabled")
STATES = {"enabled": True, "disabled": False}
OPERATIONS = {"enabled": "enable", "disabled": "disable"}

POLICY_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "state": {"type": "str", "choices": list(STATES), "default": "enabled"},
    "contract": {"type": "raw"},
}


class Policies(Resource):
    """The desired policies, identified by name or id."""

    label = "policies"

    def __init__(self, entries: list[Mapping[str, Any]], endpoint: PoliciesEndpoint) -> None:
        self.entries, self.endpoint = entries, endpoint
        # Those of the tenant that retire; None as long as the policies were not read.
        self.ending: list[dict[str, Any]] | None = None
        keys = [entry.get("id") or entry.get("name") for entry in entries]
        for key in keys:
            if keys.count(key) > 1:
                raise InvalidInput(f"policies names {key!r} twice")

    def reads(self) -> list[Query]:
        """Query every policy: one list returns them."""
        return [Query(COLLECTION, "name", (), COLUMNS, optional=True)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare policy by policy; without a contract, a deviation is a manual step."""
        plan = Plan(self.label, bulk=True)
        rows = snapshot.all_rows(COLLECTION, "name")
        refused = snapshot.refused(COLLECTION, "name")
        if refused:
            plan.outcomes += [_unread(str(entry.get("name") or entry.get("id")), refused) for entry in self.entries]
            unknown = "whether the policies are in sync" if self.entries else "which policies retire"
            plan.warnings.append(f"{unknown} is unknown: {refused}")
            return plan
        self.ending = ending(rows)
        for entry in self.entries:
            self._plan_one(plan, entry, _find(entry, rows))
        return plan

    def _plan_one(self, plan: Plan, entry: Mapping[str, Any], row: Row | None) -> None:
        state = entry["state"]
        name = row["name"] if row else str(entry.get("name") or entry.get("id"))
        label = f"policy {name}"
        lifecycle = lifecycle_of(name, row["type"] if row else "")
        standing = _standing(name, row["type"] if row else "")
        outcome: dict[str, Any] = {"object": label, "name": name, "status": OK, **standing}
        plan.outcomes.append(outcome)
        note = lifecycle_note(name, lifecycle) if state == "enabled" else ""
        if note:
            plan.warnings.append(note)
        if row is None:
            if state == "enabled":
                self._plan_missing(plan, outcome)
            return
        outcome["id"] = row["id"]
        if row["enabled"] == STATES[state]:
            return
        if row["enabled"] is None:
            outcome.update(status=UNKNOWN, reason=NOT_SHOWN)
            return
        before = {enabled: name for name, enabled in STATES.items()}[row["enabled"]]
        plan.drift.append(Drift(label, "state", before, state))
        plan.before[label], plan.after[label] = before, state
        operation = OPERATIONS[state]
        replay = self._replay(name, operation)
        if replay:
            replay.check(operation, {"id": row["id"], "name": name, "policy_type": row["type"]}, label)
            outcome["status"] = CHANGED
            values: dict[str, Any] = {"enabled": STATES[state], "name": name, "policy_type": row["type"]}
            plan.writes.append(Write(UPDATE, COLLECTION, label, values, row["id"], outcome=outcome))
            return
        outcome["status"] = "drift"
        plan.manual_steps.append(policy_step(name, state))

    def _plan_missing(self, plan: Plan, outcome: dict[str, Any]) -> None:
        """Plan to create a policy by its own contract; without one, say what an operator can do."""
        name, label = outcome["name"], outcome["object"]
        plan.drift.append(Drift(label, "state", ABSENT, "enabled"))
        outcome["status"] = "missing"
        page, creator = on_page(name), self.endpoint.creators.get(name)
        if has_ended(lifecycle_of(name)):
            outcome["reason"] = "file policies have ended and cannot be created any more; remove it from policies"
        elif creator and creator.offers("create"):
            creator.check("create", {"name": name}, label)
            outcome["status"] = CHANGED
            plan.after[label] = "enabled"
            plan.writes.append(
                Write(CREATE, COLLECTION, label, {"name": name}, identity={"name": name}, outcome=outcome)
            )
        elif page is None:
            outcome["reason"] = (
                f"the tenant has no such policy, and Microsoft's page about ServiceNow does not list it{_similar(name)}"
            )
        else:
            step = built_in_policy_step(name) if page.kind == BUILT_IN else new_policy_step(name, page)
            plan.manual_steps.append(step)

    def _replay(self, name: str, operation: str) -> Replay | None:
        """Return the contract that switches a policy: its own, or that of the task."""
        own = self.endpoint.creators.get(name)
        return next((each for each in (own, self.endpoint.replay) if each and each.offers(operation)), None)


def _similar(name: str) -> str:
    known = [title for each in PAGE for title in (each.name, *each.aliases)]
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _unread(name: str, reason: str) -> dict[str, Any]:
    return {"object": f"policy {name}", "name": name, "status": UNKNOWN, **_standing(name, ""), "reason": reason}


def _standing(name: str, kind: str) -> dict[str, Any]:
    lifecycle = lifecycle_of(name, kind)
    return {"standing": lifecycle.standing, "successors": list(lifecycle.successors), "date": lifecycle.date}


def _find(entry: Mapping[str, Any], rows: list[Row]) -> Row | None:
    if entry.get("id"):
        found = [row for row in rows if row["id"] == entry["id"]]
        if not found:
            raise InvalidInput(f"the tenant has no policy with the id {entry['id']}")
        return found[0]
    found = [row for row in rows if row["name"].casefold() == entry["name"].casefold()] or _built_in(
        entry["name"], rows
    )
    if len(found) > 1:
        ids = ", ".join(sorted(row["id"] for row in found))
        raise InvalidInput(
            f"the tenant has {len(found)} policies named {entry['name']!r} ({ids}); set id to select one"
        )
    return found[0] if found else None


def _built_in(name: str, rows: list[Row]) -> list[Row]:
    """Return the built-in policies that a name of Microsoft's page means: tenants show longer and other names for them."""
    page = on_page(name)
    if page is None or page.kind != BUILT_IN:
        return []
    return [row for row in rows if row["type"].upper() in (ANOMALY, "") and on_page(row["name"]) is page]
