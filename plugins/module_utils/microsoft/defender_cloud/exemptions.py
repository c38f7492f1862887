# SPDX-License-Identifier: GPL-3.0-or-later
"""Exemptions of recommendations, many in one plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput
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
from ..arm.denials import Denials
from .exemption import DEFAULT_STANDARD, EXEMPTION_OPTIONS, PARTS, Exemption
from .exemptions_api import COLLECTION, COLUMNS, TYPE_PATH, ExemptionsEndpoint

EXPIRED = "expired"
ACTIONS = {CREATE: "write", UPDATE: "write", DELETE: "delete"}
EXEMPTIONS_OPTIONS: dict[str, dict[str, Any]] = {
    "exemptions": {"type": "list", "elements": "dict", "required": True, "options": EXEMPTION_OPTIONS},
    "standard": {"type": "str", "default": DEFAULT_STANDARD},
}


def desired_exemptions(params: Mapping[str, Any]) -> list[Exemption]:
    """Return the exemptions of a task; raise `InvalidInput` for one that is listed twice."""
    found = [Exemption(entry, params["standard"].strip()) for entry in params["exemptions"]]
    keys = [each.key for each in found]
    for each in found:
        if keys.count(each.key) > 1:
            raise InvalidInput(f"exemptions lists {each.label} twice (case is ignored)")
    return found


class Exemptions(Resource):
    """The desired exemptions. `endpoint` holds what could not be read."""

    label = "exemptions"

    def __init__(self, desired: Sequence[Exemption], endpoint: ExemptionsEndpoint) -> None:
        self.desired, self.endpoint = desired, endpoint
        self.denials = Denials(endpoint.client)

    def reads(self) -> list[Query]:
        """Read all exemptions at once."""
        return [Query(COLLECTION, "key", (), COLUMNS)] if self.endpoint.exemptions else []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare exemption by exemption; one that makes no sense or is ambiguous is refused, the others are not affected."""
        plan = Plan(self.label, bulk=True, in_sync_statuses=(OK, EXPIRED))
        rows: dict[str, list[Row]] = {}
        for row in snapshot.all_rows(COLLECTION, "key"):
            rows.setdefault(row["key"], []).append(row)
        for exemption in self.desired:
            self._plan_one(plan, exemption, rows.get(exemption.key, []))
        plan.warnings += summarize_messages(
            [outcome["reason"] for outcome in plan.outcomes if outcome["status"] in (REFUSED, EXPIRED)],
            "exemptions are refused or have expired",
        )
        return plan

    def _plan_one(self, plan: Plan, exemption: Exemption, rows: list[Row]) -> None:
        row, refusal = self._find(exemption, rows)
        properties = row["properties"] if row else {}
        outcome: dict[str, Any] = {
            "object": exemption.label,
            "recommendation": exemption.recommendation,
            "resource_id": exemption.resource_id,
            "status": OK,
            "id": row["id"] if row else "",
            **_shown(properties),
        }
        plan.outcomes.append(outcome)
        if refusal:
            outcome |= {"status": REFUSED, "reason": f"{exemption.label}: {refusal}"}
            return
        if not exemption.is_wanted:
            write = self._absence(plan, exemption, row)
        elif row is None:
            write = self._creation(plan, exemption, outcome)
        else:
            write = self._update(plan, exemption, row, outcome)
        if write:
            outcome["status"] = CHANGED
            write.outcome = outcome
            plan.writes.append(write)

    def _find(self, exemption: Exemption, rows: list[Row]) -> tuple[Row | None, str]:
        """Return the exemption, whoever created it, or the reason why it cannot be managed."""
        if exemption.refusal:
            return None, exemption.refusal
        if exemption.key in self.endpoint.refused:
            return None, f"it could not be read. {self.endpoint.refused[exemption.key]}"
        ours = [row for row in rows if row["name"].casefold() == exemption.name]
        if len(rows) > 1 and not ours:
            ids = " and ".join(sorted(row["id"] for row in rows))
            return None, f"there are {len(rows)} exemptions, {ids}. Remove all but one; nothing was written"
        row = next(iter(ours or rows), None)
        if row is None and exemption.is_wanted and "category" not in exemption.values:
            return None, "it does not exist, and creating it requires category"
        action = self._action(exemption, row)
        if action and self.denials.denies(exemption.scope, f"Microsoft.Security/standardAssignments/{action}"):
            return None, (
                f"the identity may not change it (Microsoft.Security/standardAssignments/{action}). "
                f"Give it Security Admin, Contributor or Owner there"
            )
        return row, ""

    @staticmethod
    def _action(exemption: Exemption, row: Row | None) -> str:
        """Return the action that the exemption needs, "" for none."""
        if not exemption.is_wanted:
            return "delete" if row else ""
        if row is None:
            return "" if exemption.is_over else "write"
        return "write" if exemption.differences(row["properties"]) else ""

    @staticmethod
    def _absence(plan: Plan, exemption: Exemption, row: Row | None) -> Write | None:
        if row is None:
            return None
        label = exemption.label
        plan.drift.append(Drift(label, "state", PRESENT, ABSENT))
        plan.before[label], plan.after[label] = PRESENT, ABSENT
        return Write(DELETE, COLLECTION, label, row=row["id"], bulk_noun="exemptions")

    @staticmethod
    def _creation(plan: Plan, exemption: Exemption, outcome: dict[str, Any]) -> Write | None:
        label = exemption.label
        if exemption.is_over:
            reason = f"{label}: it ended at {exemption.values['expires_at']}, so it is not created. Remove it, or set a later end"
            outcome |= {"status": EXPIRED, "reason": reason}
            return None
        properties = exemption.created()
        outcome |= _shown(properties)
        plan.drift.append(Drift(label, "state", ABSENT, PRESENT))
        plan.after[label] = dict(exemption.values)
        path = f"{exemption.resource_id}{TYPE_PATH}/{exemption.name}"
        values: dict[str, Any] = {"key": exemption.key, "path": path, "name": exemption.name, "properties": properties}
        outcome["id"] = path
        identity = {"key": exemption.key}
        return Write(CREATE, COLLECTION, label, values, identity=identity, bulk_noun="exemptions", has_own_id=True)

    @staticmethod
    def _update(plan: Plan, exemption: Exemption, row: Row, outcome: dict[str, Any]) -> Write | None:
        label, differences = exemption.label, exemption.differences(row["properties"])
        if not differences:
            if exemption.is_over:
                reason = f"{label}: it ended at {exemption.values['expires_at']} and has no effect any more. Remove it, or set a later end"
                outcome |= {"status": EXPIRED, "reason": reason}
            return None
        properties = exemption.patched(row["properties"])
        outcome |= _shown(properties)
        plan.drift += [Drift(label, option, before, after) for option, before, after in differences]
        plan.before[label] = {option: before for option, before, _after in differences}
        plan.after[label] = {option: after for option, _before, after in differences}
        return Write(UPDATE, COLLECTION, label, {"properties": properties}, row["id"], bulk_noun="exemptions")


def _shown(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what results show of an exemption; `reason` there is that of a refusal."""
    return {part.option: part.read(properties) for part in PARTS if part.option != "reason"}
