# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of Defender for Cloud, with its extensions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.field import wire_text
from ...engine.plan import UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.snapshot import Query, Row, Snapshot
from ..arm.json_properties import contains, merge_patch, properties_of
from ..arm.scopes import Scope
from .manual_steps import accept_costs_step
from .pricings_api import COLLECTION, FAILED, FREE, STANDARD, extensions_of

PLAN_OPTIONS: dict[str, dict[str, Any]] = {
    "scope": {"type": "str"},
    "name": {"type": "str", "default": "CloudPosture"},
    "tier": {"type": "str", "choices": [STANDARD, FREE]},
    "sub_plan": {"type": "str"},
    "extensions": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "enabled": {"type": "bool", "default": True},
            "properties": {"type": "dict"},
        },
    },
    "accept_costs": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 900.0},
}


class DefenderPlan(Resource):
    """One plan. `what_stops` lists what stops when the plan is turned off, and is called only then."""

    def __init__(self, params: Mapping[str, Any], scope: Scope, what_stops: Callable[[], Iterable[str]]) -> None:
        self.name, self.tier, self.sub_plan = params["name"], params["tier"], params["sub_plan"]
        self.scope, self.what_stops = scope, what_stops
        self.accept_costs = bool(params["accept_costs"])
        self._turned_on = False
        self.label = f"plan {self.name}"
        self.extensions = {entry["name"]: entry for entry in params["extensions"] or []}
        if not self.name.strip():
            raise InvalidInput("name must not be empty")
        if len(self.extensions) != len(params["extensions"] or []):
            raise InvalidInput(f"{self.label}: extensions lists an extension twice")
        if self.tier == FREE and (self.extensions or self.sub_plan):
            raise InvalidInput(
                f"{self.label}: extensions and sub_plan belong to tier {STANDARD}; tier {FREE} has none. Remove them"
            )

    def reads(self) -> list[Query]:
        """Read the plan."""
        return [Query(COLLECTION, "name", (self.name,), ("id", "name"))]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare tier, sub plan and the extensions of the desired state."""
        plan = Plan(self.label)
        rows = snapshot.rows(COLLECTION, "name", self.name)
        if not rows:
            raise InvalidInput(
                f"{self.scope} has no plan {self.name!r}; plans have Microsoft's names, such as CloudPosture"
            )
        properties = properties_of(rows[0])
        found = extensions_of(properties)
        before = properties.get("pricingTier")
        if self.tier is None and before == FREE and (self.extensions or self.sub_plan):
            raise InvalidInput(
                f"{self.label} is off, and extensions and sub_plan belong to tier {STANDARD}. Set tier: {STANDARD} to turn it on"
            )
        if self.tier and before != self.tier:
            plan.add_drift("tier", before, self.tier)
        if self.sub_plan and properties.get("subPlan") != self.sub_plan:
            plan.add_drift("sub_plan", properties.get("subPlan"), self.sub_plan)
        for name, entry in self.extensions.items():
            self._compare(plan, name, entry, found.get(name) if before == STANDARD else None)
        self._warn(plan, before, found)
        if self.tier == STANDARD != before and not self.accept_costs:
            plan.manual_steps.append(accept_costs_step(self.name, self.scope))
            plan.object = {**self._as_result(rows[0], properties), "tier": before}
            return plan
        self._turned_on = self._turned_on or self.tier == STANDARD != before
        if plan.drift:
            wanted = {"pricingTier": self.tier or before, **self._properties(found)}
            write = Write(UPDATE, COLLECTION, self.label, {"properties": wanted}, self.name)
            # Turning a plan on enables extensions that the same request turns off (docs/facts/defender_for_cloud.md#plans).
            write.second_pass = self._turned_on
            plan.writes.append(write)
        plan.object = self._as_result(rows[0], properties)
        return plan

    def _compare(self, plan: Plan, name: str, wanted: Mapping[str, Any], actual: Mapping[str, Any] | None) -> None:
        state = actual["enabled"] if actual else False
        if actual and actual["status"].lower() == FAILED:
            plan.add_drift(f"extension {name}", f"failed: {actual['message']}", wanted["enabled"])
        elif state != wanted["enabled"]:
            plan.add_drift(f"extension {name}", state, wanted["enabled"])
        # The platform refuses properties of an extension that is off (docs/facts/defender_for_cloud.md#plans).
        properties = (wanted["properties"] or {}) if wanted["enabled"] else {}
        present = {key: actual["properties"].get(key) for key in properties} if actual else {}
        if properties and not contains(present, properties):
            plan.add_drift(f"properties of extension {name}", present or None, properties)

    def _properties(self, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        wire: dict[str, Any] = {"subPlan": self.sub_plan} if self.sub_plan else {}
        extensions: dict[str, Any] = {}
        for name, entry in self.extensions.items():
            extensions[name] = {"isEnabled": _word(entry["enabled"])}
            if entry["properties"] and entry["enabled"]:
                known = found[name]["properties"] if name in found else {}
                extensions[name]["additionalExtensionProperties"] = {
                    key: _like(known.get(key), value) for key, value in entry["properties"].items()
                }
        return {**wire, **({"extensions": extensions} if extensions else {})}

    def _warn(self, plan: Plan, before: Any, found: Mapping[str, Mapping[str, Any]]) -> None:
        if before == STANDARD and self.tier == FREE:
            ends = [*(f"extension {e['name']}" for e in found.values() if e["enabled"]), *self.what_stops()]
            plan.warnings.append(
                f"turning off plan {self.name} on {self.scope} stops: {', '.join(ends) or 'its detections'}"
            )
        for entry in found.values():
            if entry["status"].lower() == FAILED and entry["name"] not in self.extensions:
                plan.warnings.append(
                    f"{self.label}: extension {entry['name']} has the status {entry['status']}: {entry['message']}. List it under extensions "
                    f"to have it set again"
                )

    def _as_result(self, row: Row, properties: Mapping[str, Any]) -> dict[str, Any]:
        extensions = extensions_of(properties)
        for name, entry in self.extensions.items():
            desired = {"enabled": entry["enabled"], "properties": entry["properties"] or {}}
            extensions[name] = merge_patch(extensions.get(name, {"name": name, "status": "", "message": ""}), desired)
        return {
            "name": row["id"] or self.name,
            "scope": self.scope.path,
            "tier": self.tier or str(properties.get("pricingTier") or ""),
            "sub_plan": self.sub_plan or properties.get("subPlan") or "",
            "extensions": list(extensions.values()),
            "enforced": str(properties.get("enforce") or "").lower() == "true",
            "coverage": str(properties.get("resourcesCoverageStatus") or ""),
            "enabled_at": str(properties.get("enablementTime") or ""),
            "deprecated": bool(properties.get("deprecated")),
            "replaced_by": list(properties.get("replacedBy") or []),
        }


def _word(value: bool) -> str:
    """Return a boolean as this API has it (a string, docs/facts/defender_for_cloud.md#plans)."""
    return "True" if value else "False"


def _like(known: Any, value: Any) -> Any:
    """Return a property in the type of the platform: a string where it has a string."""
    if not isinstance(known, str) or isinstance(value, (list, dict)):
        return value
    return _word(value) if isinstance(value, bool) else wire_text(value)
