# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to change of incidents, many in one plan; an id that was merged stands for the incident that it ended in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, OK, REFUSED, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.reconcile import summarize_messages
from ...engine.result import Drift
from ...engine.snapshot import Query, Row, Snapshot
from .incident import CLASSIFICATIONS, DETERMINATIONS, WRITABLE_STATUSES, on_the_wire, spelled
from .incidents_api import COLLECTION, COLUMNS

INCIDENT_OPTIONS: dict[str, dict[str, Any]] = {
    "id": {"type": "str", "required": True},
    "status": {"type": "str"},
    "classification": {"type": "str"},
    "determination": {"type": "str"},
    "assigned_to": {"type": "str"},
    "tags": {"type": "list", "elements": "str"},
    "comment": {"type": "str"},
}
INCIDENTS_OPTIONS: dict[str, dict[str, Any]] = {
    "incidents": {"type": "list", "elements": "dict", "required": True, "options": INCIDENT_OPTIONS},
}
# Option -> words that it may have.
WORDS = {"status": WRITABLE_STATUSES, "classification": CLASSIFICATIONS, "determination": DETERMINATIONS}
WIRE = {"assigned_to": "assignedTo", "tags": "customTags"}
SHOWN = ("status", "classification", "determination", "assigned_to", "tags", "redirect_incident_id")


class IncidentUpdate:
    """One entry. `refusal` says why it makes no sense: the others are not affected by that."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.id = str(entry["id"]).strip()
        self.comment = str(entry.get("comment") or "").strip()
        self.values: dict[str, Any] = {}
        self.refusal = "" if self.id else "its id is empty"
        for name, known in WORDS.items():
            if entry.get(name) is not None:
                self.values[name] = spelled(known, str(entry[name]))
                if not self.values[name]:
                    self.refusal = f"{entry[name]!r} is no {name}; they are {', '.join(known)}"
        if entry.get("assigned_to") is not None:
            self.values["assigned_to"] = entry["assigned_to"].strip()
        if entry.get("tags") is not None:
            self.values["tags"] = list(dict.fromkeys(entry["tags"]))

    def contradicts(self, other: IncidentUpdate) -> str:
        """Return the first option in which two entries about one incident differ, "" for none."""
        both = self.values.keys() & other.values.keys()
        return next((name for name in sorted(both) if not _same(name, self.values[name], other.values[name])), "")

    def differences(self, incident: Mapping[str, Any]) -> dict[str, Any]:
        """Return what differs, by option; a comment that the incident has is not added again."""
        found = {name: value for name, value in self.values.items() if not _same(name, incident[name], value)}
        if self.comment and self.comment not in [each["comment"].strip() for each in incident["comments"]]:
            found["comment"] = self.comment
        return found


class IncidentUpdates(Resource):
    """The desired properties of incidents."""

    label = "incidents"

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.updates = [IncidentUpdate(entry) for entry in entries]
        ids = [update.id for update in self.updates]
        for incident_id in ids:
            if incident_id and ids.count(incident_id) > 1:
                raise InvalidInput(f"incidents lists {incident_id} twice")

    @property
    def ids(self) -> list[str]:
        """The ids that are to be read."""
        return [update.id for update in self.updates if not update.refusal]

    def reads(self) -> list[Query]:
        """Read all incidents at once."""
        return [Query(COLLECTION, "id", (), COLUMNS)] if self.ids else []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare incident by incident; one that makes no sense is refused, the others are not affected."""
        plan = Plan(self.label, bulk=True)
        rows = {row["id"]: row for row in snapshot.all_rows(COLLECTION, "id")}
        taken: dict[str, IncidentUpdate] = {}
        for update in self.updates:
            self._plan_one(plan, update, rows.get(update.id), taken)
        plan.warnings += summarize_messages(
            [outcome["reason"] for outcome in plan.outcomes if outcome["status"] == REFUSED]
        )
        return plan

    def _plan_one(self, plan: Plan, update: IncidentUpdate, row: Row | None, taken: dict[str, IncidentUpdate]) -> None:
        incident = (row or {}).get("incident") or {}
        label = f"Defender incident {update.id}"
        outcome: dict[str, Any] = {"object": label, "id": update.id, "incident": incident.get("id", ""), "status": OK}
        plan.outcomes.append(outcome)
        refusal = update.refusal or ((row or {}).get("problem") if not incident else "")
        before = taken.setdefault(incident["id"], update) if incident else update
        option = update.contradicts(before)
        if option:
            refusal = (
                f"it and incident {before.id} were merged into {incident['id']}, and their entries differ in {option}"
            )
        if refusal or not incident:
            outcome |= {"status": REFUSED, "reason": f"{label}: {refusal or 'the tenant has no such incident'}"}
            return
        outcome |= {f"incident_{name}" if name == "status" else name: incident[name] for name in SHOWN[:-1]}
        changes = update.differences(incident)
        if before is not update:
            # Another entry about the same incident writes what both have.
            changes = {name: value for name, value in changes.items() if name not in before.values}
            if update.comment and update.comment == before.comment:
                changes.pop("comment", None)
        if not changes:
            return
        outcome |= {"status": CHANGED}
        outcome |= {
            f"incident_{name}" if name == "status" else name: changes[name] for name in SHOWN[:-1] if name in changes
        }
        shown = {name: incident.get(name) for name in changes if name != "comment"}
        plan.drift += [Drift(label, name, shown.get(name), value) for name, value in changes.items()]
        plan.before[label], plan.after[label] = shown, dict(changes)
        values = {WIRE.get(name, name): _wire(name, value) for name, value in changes.items()}
        write = Write(UPDATE, COLLECTION, label, values, incident["id"], outcome=outcome, bulk_noun="incidents")
        plan.writes.append(write)


def _same(name: str, one: Any, other: Any) -> bool:
    if name == "tags":
        return sorted(map(str, one)) == sorted(map(str, other))
    return str(one).casefold() == str(other).casefold() if name == "assigned_to" else bool(one == other)


def _wire(name: str, value: Any) -> Any:
    if name in WORDS:
        return on_the_wire(value)
    return None if name == "assigned_to" and value == "" else value
