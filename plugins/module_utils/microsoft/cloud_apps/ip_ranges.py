# SPDX-License-Identifier: GPL-3.0-or-later
"""IP ranges of a tenant, known by their name: what makes an address corporate, risky, a VPN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import (
    CHANGED,
    CREATE,
    DELETE,
    OK,
    UPDATE,
    Plan,
    SecretDecision,
    Value,
    Write,
)
from ...engine.result import ABSENT, PRESENT, Drift
from ...engine.snapshot import PlannedId, Query, Row, Snapshot
from .ip_ranges_api import CATEGORIES, COLLECTION, network

NAME_OF = {str(number): name for name, number in CATEGORIES.items()}
COLUMNS = ("name", "category", "subnets", "tags", "organization")

IP_RANGE_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "category": {"type": "str", "choices": list(CATEGORIES), "default": "other"},
    "subnets": {"type": "list", "elements": "str", "required": True},
    "tags": {"type": "list", "elements": "str"},
    "organization": {"type": "str"},
}


class IpRanges:
    """All described ranges in one plan; with `purge`, no others but the vendor's own."""

    label = "ip_ranges"

    def __init__(self, entries: list[Mapping[str, Any]], *, purge: bool) -> None:
        self.purge = purge
        self.described: dict[str, dict[str, str]] = {}
        # Others, by id: what was removed still belongs into the result.
        self.others: dict[str, Row] = {}
        for entry in entries:
            if entry["name"] in self.described:
                raise InvalidInput(f"ip_ranges names {entry['name']!r} twice")
            self.described[entry["name"]] = _wire(entry)

    def planned_ids(self) -> list[PlannedId]:
        """Promise nothing."""
        return []

    def reads(self) -> list[Query]:
        """Ask for every range: one list tells all."""
        return [Query(COLLECTION, "name", tuple(self.described), ("sys_id", *COLUMNS))]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare range by range."""
        plan = Plan(self.label, bulk=True)
        rows = snapshot.all_rows(COLLECTION, "name")
        for name, wanted in self.described.items():
            found = [row for row in rows if row["name"] == name]
            if len(found) > 1:
                ids = ", ".join(sorted(row["sys_id"] for row in found))
                raise InvalidInput(f"the tenant has {len(found)} IP ranges named {name!r} ({ids}); remove all but one")
            self._plan_one(plan, name, wanted, found[0] if found else None)
        if self.purge:
            self._plan_removals(plan, rows)
        return plan

    def _plan_one(self, plan: Plan, name: str, wanted: Mapping[str, str], row: Row | None) -> None:
        label = f"ip_range {name}"
        outcome = {"object": label, "name": name, "status": OK}
        plan.outcomes.append(outcome)
        if row is None:
            outcome["status"] = CHANGED
            plan.drift.append(Drift(label, "state", ABSENT, PRESENT))
            plan.after[label] = _shown(wanted)
            values: dict[str, Value] = {"name": name, **wanted}
            plan.writes.append(Write(CREATE, COLLECTION, label, values, identity={"name": name}))
            return
        outcome["id"] = row["sys_id"]
        deviating = [column for column, value in wanted.items() if row[column] != value]
        if not deviating:
            return
        outcome["status"] = CHANGED
        before, after = _shown(row), _shown(wanted)
        plan.drift += [Drift(label, column, before[column], after[column]) for column in deviating]
        plan.before[label] = {column: before[column] for column in deviating}
        plan.after[label] = {column: after[column] for column in deviating}
        # What is not described has to go along: an update replaces the whole range.
        kept: dict[str, Value] = {column: row[column] for column in COLUMNS}
        plan.writes.append(Write(UPDATE, COLLECTION, label, {**kept, **wanted}, row["sys_id"]))

    def _plan_removals(self, plan: Plan, rows: list[Row]) -> None:
        others = {r["sys_id"]: r for r in rows if r["name"] not in self.described and r["built_in"] != "true"}
        self.others |= others
        for row_id, row in self.others.items():
            label = f"ip_range {row['name']}"
            plan.outcomes.append({"object": label, "name": row["name"], "id": row_id, "status": CHANGED})
            if row_id in others:
                plan.drift.append(Drift(label, "state", PRESENT, ABSENT))
                plan.before[label] = _shown(row)
                plan.writes.append(Write(DELETE, COLLECTION, label, row=row_id, stage=1))


def _wire(entry: Mapping[str, Any]) -> dict[str, str]:
    subnets = []
    for text in entry["subnets"]:
        try:
            subnets.append(network(text))
        except ValueError:
            raise InvalidInput(
                f"ip_range {entry['name']}: {text!r} is no subnet; write 192.0.2.0/24, or one address"
            ) from None
    if not subnets:
        raise InvalidInput(f"ip_range {entry['name']}: subnets is empty")
    wire = {"category": str(CATEGORIES[entry["category"]]), "subnets": ",".join(sorted(set(subnets)))}
    if entry.get("tags") is not None:
        if any("," in tag for tag in entry["tags"]):
            raise InvalidInput(f"ip_range {entry['name']}: a tag cannot hold a comma")
        wire["tags"] = ",".join(sorted(set(entry["tags"])))
    if entry.get("organization") is not None:
        wire["organization"] = entry["organization"]
    return wire


def _shown(row: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for column in COLUMNS[1:]:
        if column in row:
            value: Any = row[column]
            if column == "category":
                value = NAME_OF.get(row[column], row[column])
            elif column != "organization":
                value = [part for part in row[column].split(",") if part]
            shown[column] = value
    return shown
