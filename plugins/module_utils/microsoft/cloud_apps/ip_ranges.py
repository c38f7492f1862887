# SPDX-License-Identifier: GPL-3.0-or-later
"""The IP ranges of a tenant, identified by name: corporate, risky, VPN and other addresses."""

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
    Resource,
    SecretDecision,
    Write,
)
from ...engine.result import ABSENT, PRESENT, Drift
from ...engine.snapshot import Query, Row, Snapshot
from ...option_names import named_option
from .ip_ranges_api import CATEGORIES, COLLECTION, network

SETTINGS = ("category", "subnets", "tags", "organization")
ON_CREATE = {"category": "other"}

IP_RANGE_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "category": {"type": "str", "choices": list(CATEGORIES)},
    "subnets": {"type": "list", "elements": "str", "required": True},
    "tags": {"type": "list", "elements": "str"},
    "organization": {"type": "str"},
}


class IpRanges(Resource):
    """The desired ranges in one plan; with `purge`, all others except the vendor's own are deleted."""

    label = "ip_ranges"

    def __init__(self, entries: list[Mapping[str, Any]], *, purge: bool) -> None:
        self.purge = purge
        self.desired: dict[str, dict[str, Any]] = {}
        # Other ranges, by id: the result also lists those that were deleted.
        self.others: dict[str, Row] = {}
        for entry in entries:
            if entry["name"] in self.desired:
                raise InvalidInput(f"{named_option('ip_ranges', 'mda_protection')} names {entry['name']!r} twice")
            self.desired[entry["name"]] = _desired(entry)

    def reads(self) -> list[Query]:
        """Query every range: one list returns them."""
        return [Query(COLLECTION, "name", tuple(self.desired), ("id", "name", *SETTINGS))]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare range by range."""
        plan = Plan(self.label, bulk=True)
        rows = snapshot.all_rows(COLLECTION, "name")
        for name, wanted in self.desired.items():
            found = [row for row in rows if row["name"] == name]
            if len(found) > 1:
                ids = ", ".join(sorted(row["id"] for row in found))
                raise InvalidInput(f"the tenant has {len(found)} IP ranges named {name!r} ({ids}); remove all but one")
            self._plan_one(plan, name, wanted, found[0] if found else None)
        if self.purge:
            self._plan_removals(plan, rows)
        return plan

    def _plan_one(self, plan: Plan, name: str, wanted: Mapping[str, Any], row: Row | None) -> None:
        label = label_of(name)
        outcome = {"object": label, "name": name, "status": OK}
        plan.outcomes.append(outcome)
        if row is None:
            outcome["status"] = CHANGED
            plan.drift.append(Drift(label, "state", ABSENT, PRESENT))
            created = {**ON_CREATE, **wanted}
            plan.after[label] = created
            plan.writes.append(Write(CREATE, COLLECTION, label, {"name": name, **created}, identity={"name": name}))
            return
        outcome["id"] = row["id"]
        deviating = [setting for setting, value in wanted.items() if row[setting] != value]
        if not deviating:
            return
        outcome["status"] = CHANGED
        plan.drift += [Drift(label, setting, row[setting], wanted[setting]) for setting in deviating]
        plan.before[label] = {setting: row[setting] for setting in deviating}
        plan.after[label] = {setting: wanted[setting] for setting in deviating}
        # An update replaces the whole range, so it includes the settings that are not managed.
        current = {setting: row[setting] for setting in ("name", *SETTINGS)}
        plan.writes.append(Write(UPDATE, COLLECTION, label, {**current, **wanted}, row["id"]))

    def _plan_removals(self, plan: Plan, rows: list[Row]) -> None:
        others = {row["id"]: row for row in rows if row["name"] not in self.desired and not row["built_in"]}
        self.others |= others
        for row_id, row in self.others.items():
            label = label_of(row["name"])
            plan.outcomes.append({"object": label, "name": row["name"], "id": row_id, "status": CHANGED})
            if row_id in others:
                plan.drift.append(Drift(label, "state", PRESENT, ABSENT))
                plan.before[label] = {setting: row[setting] for setting in SETTINGS}
                plan.writes.append(Write(DELETE, COLLECTION, label, row=row_id, stage=1))


def label_of(name: str) -> str:
    """Return how results name a range."""
    return f"ip_range {name}"


def _desired(entry: Mapping[str, Any]) -> dict[str, Any]:
    subnets = set()
    for text in entry["subnets"]:
        try:
            subnets.add(network(text))
        except ValueError:
            raise InvalidInput(
                f"ip_range {entry['name']}: subnets: {text!r} is not a subnet. Write 192.0.2.0/24, or a single address"
            ) from None
    if not subnets:
        raise InvalidInput(f"ip_range {entry['name']}: subnets is empty")
    desired: dict[str, Any] = {"category": entry["category"]} if entry.get("category") is not None else {}
    desired["subnets"] = sorted(subnets)
    if entry.get("tags") is not None:
        if any("," in tag for tag in entry["tags"]):
            raise InvalidInput(f"ip_range {entry['name']}: a tag cannot contain a comma")
        desired["tags"] = sorted(set(entry["tags"]))
    if entry.get("organization") is not None:
        desired["organization"] = entry["organization"]
    return desired
