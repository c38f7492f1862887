# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of Defender for Cloud, with its extensions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.snapshot import Query, Row, Snapshot
from ..arm.json_properties import flag, merge_patch, properties_of, same_text, text_of
from ..arm.scopes import Scope
from .manual_steps import accept_costs_step, accept_more_costs_step
from .pricings_api import COLLECTION, FAILED, FOUNDATIONAL, FREE, STANDARD, extensions_of

# Extensions that Microsoft bills in addition to their plan, and changes of a sub plan to a cheaper one
# (docs/facts/defender_for_cloud.md#prices), all in lower case.
BILLED_EXTENSIONS = frozenset({"onuploadmalwarescanning"})
CHEAPER = frozenset({("p2", "p1")})
# Plans that cost nothing, and that older subscriptions may not list (docs/facts/defender_for_cloud.md#plans).
FREE_OF_CHARGE = frozenset({FOUNDATIONAL.casefold()})

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
# Sub-plans by plan that Microsoft refuses to turn on, and their successors (docs/facts/defender_for_cloud.md#plans).
OLD_SUB_PLANS = {("keyvaults", "pertransaction"): "PerKeyVault", ("arm", "perapicall"): "PerSubscription"}


class DefenderPlan(Resource):
    """One plan. `what_stops` lists what stops when the plan is turned off, and is called only then."""

    def __init__(self, params: Mapping[str, Any], scope: Scope, what_stops: Callable[[], Iterable[str]]) -> None:
        self.name, self.tier, self.sub_plan = params["name"], params["tier"], params["sub_plan"]
        self.scope, self.what_stops = scope, what_stops
        self.is_free_of_charge = self.name.casefold() in FREE_OF_CHARGE
        self.accept_costs = bool(params["accept_costs"]) or self.is_free_of_charge
        self._turned_on = False
        self.label = f"plan {self.name}"
        # By name, which the platform compares without regard to case (docs/facts/defender_for_cloud.md#plans).
        self.extensions = {entry["name"].casefold(): entry for entry in params["extensions"] or []}
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
        if not rows and self.is_free_of_charge:
            plan.add_unproven(
                f"{self.scope} does not list this plan, so whether its recommendations depend on it is unknown: check Environment settings > "
                f"Defender plans of Defender for Cloud"
            )
            plan.object = self._as_result({"id": ""}, {})
            return plan
        if not rows:
            raise InvalidInput(
                f"{self.scope} has no plan {self.name!r}; plans have Microsoft's names, such as CloudPosture"
            )
        properties = properties_of(rows[0])
        found = extensions_of(properties)
        before = _tier(properties.get("pricingTier"))
        if self.tier is None and before == FREE and (self.extensions or self.sub_plan):
            raise InvalidInput(
                f"{self.label} is off, and extensions and sub_plan belong to tier {STANDARD}. Set tier: {STANDARD} to turn it on"
            )
        if self.tier and before != self.tier:
            plan.add_drift("tier", before, self.tier)
        if self.sub_plan and str(properties.get("subPlan") or "").casefold() != self.sub_plan.casefold():
            plan.add_drift("sub_plan", properties.get("subPlan"), self.sub_plan)
        for key, entry in self.extensions.items():
            self._compare(plan, entry["name"], entry, found.get(key) if before == STANDARD else None)
        self._warn(plan, before, found)
        self._warn_of_retirement(plan, before, properties)
        if self.tier == STANDARD != before and not self.accept_costs:
            plan.manual_steps.append(accept_costs_step(self.name, self.scope))
            plan.object = {**self._as_result(rows[0], properties), "tier": before}
            return plan
        self._turned_on = self._turned_on or self.tier == STANDARD != before
        withheld = frozenset() if self.accept_costs else self._costs_more(plan, properties)
        if withheld:
            plan.manual_steps.append(accept_more_costs_step(self.name, self.scope, sorted(withheld)))
        if any(entry.field not in withheld for entry in plan.drift):
            wanted = {"pricingTier": self.tier or before, **self._properties(found, withheld)}
            write = Write(UPDATE, COLLECTION, self.label, {"properties": wanted}, self.name)
            # Turning a plan on enables extensions that the same request turns off (docs/facts/defender_for_cloud.md#plans).
            write.second_pass = self._turned_on
            plan.writes.append(write)
        plan.object = self._as_result(rows[0], properties, withheld)
        return plan

    def _costs_more(self, plan: Plan, properties: Mapping[str, Any]) -> frozenset[str]:
        """Return the fields that deviate and whose correction Microsoft bills; what the plan costs anyway is none of them."""
        billed = {
            field
            for key, entry in self.extensions.items()
            if key in BILLED_EXTENSIONS and entry["enabled"]
            for field in _fields_of(entry["name"])
        }
        change = (str(properties.get("subPlan") or "").casefold(), str(self.sub_plan or "").casefold())
        if self.sub_plan and change not in CHEAPER:
            billed.add("sub_plan")
        return frozenset(entry.field for entry in plan.drift) & billed

    def _kept(self, withheld: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """Return the extensions without those of which something is withheld."""
        return {key: e for key, e in self.extensions.items() if not {*_fields_of(e["name"])} & {*withheld}}

    def _compare(self, plan: Plan, name: str, wanted: Mapping[str, Any], actual: Mapping[str, Any] | None) -> None:
        state = actual["enabled"] if actual else False
        state_field, properties_field = _fields_of(name)
        if actual and actual["status"].lower() == FAILED:
            plan.add_drift(state_field, f"failed: {actual['message']}", wanted["enabled"])
        elif state != wanted["enabled"]:
            plan.add_drift(state_field, state, wanted["enabled"])
        # The platform refuses properties of an extension that is off (docs/facts/defender_for_cloud.md#plans).
        properties = (wanted["properties"] or {}) if wanted["enabled"] else {}
        present = {key: actual["properties"].get(key) for key in properties} if actual else {}
        if not all(same_text(present.get(key), value) for key, value in properties.items()):
            plan.add_drift(properties_field, present or None, properties)

    def _properties(self, found: Mapping[str, Mapping[str, Any]], withheld: Collection[str]) -> dict[str, Any]:
        wire: dict[str, Any] = {"subPlan": self.sub_plan} if self.sub_plan and "sub_plan" not in withheld else {}
        extensions: dict[str, Any] = {}
        for key, entry in self._kept(withheld).items():
            name = found[key]["name"] if key in found else entry["name"]
            extensions[name] = {"isEnabled": text_of(entry["enabled"])}
            if entry["properties"] and entry["enabled"]:
                extensions[name]["additionalExtensionProperties"] = {
                    option: text_of(value) for option, value in entry["properties"].items()
                }
        return {**wire, **({"extensions": extensions} if extensions else {})}

    def _warn(self, plan: Plan, before: Any, found: Mapping[str, Mapping[str, Any]]) -> None:
        if before == STANDARD and self.tier == FREE:
            ends = [*(f"extension {e['name']}" for e in found.values() if e["enabled"]), *self.what_stops()]
            plan.warnings.append(
                f"turning off plan {self.name} on {self.scope} stops: {', '.join(ends) or 'its detections'}"
            )
        for entry in found.values():
            if entry["status"].lower() == FAILED and entry["name"].casefold() not in self.extensions:
                plan.warnings.append(
                    f"{self.label}: extension {entry['name']} has the status {entry['status']}: {entry['message']}. List it under extensions "
                    f"to have it set again"
                )

    def _warn_of_retirement(self, plan: Plan, before: Any, properties: Mapping[str, Any]) -> None:
        """Warn of a deprecated plan, which the platform refuses to turn on (docs/facts/defender_for_cloud.md#plans)."""
        sub_plan = self.sub_plan or str(properties.get("subPlan") or "")
        newer = OLD_SUB_PLANS.get((self.name.casefold(), sub_plan.casefold()))
        if newer and self.tier != FREE:
            plan.warnings.append(
                f"{self.label} on {self.scope}: sub plan {sub_plan} is deprecated; use {newer} instead"
            )
        if not flag(properties.get("deprecated")):
            return
        successors = ", ".join(map(str, properties.get("replacedBy") or []))
        refused = ". Microsoft refuses to turn it on" if self.tier == STANDARD != before else ""
        use = f"; use {successors} instead" if successors else ""
        plan.warnings.append(f"{self.label} on {self.scope} is deprecated{refused}{use}")

    def _as_result(self, row: Row, properties: Mapping[str, Any], withheld: Collection[str] = ()) -> dict[str, Any]:
        extensions = extensions_of(properties)
        for key, entry in self._kept(withheld).items():
            desired = {"enabled": entry["enabled"], "properties": entry["properties"] or {}}
            new = {"name": entry["name"], "status": "", "message": ""}
            extensions[key] = merge_patch(extensions.get(key, new), desired)
        return {
            "name": row["id"] or self.name,
            "scope": self.scope.path,
            "tier": self.tier or str(properties.get("pricingTier") or ""),
            "sub_plan": ("" if "sub_plan" in withheld else self.sub_plan) or properties.get("subPlan") or "",
            "extensions": list(extensions.values()),
            "enforced": str(properties.get("enforce") or "").lower() == "true",
            "coverage": str(properties.get("resourcesCoverageStatus") or ""),
            "enabled_at": str(properties.get("enablementTime") or ""),
            "deprecated": bool(flag(properties.get("deprecated"))),
            "replaced_by": list(properties.get("replacedBy") or []),
        }


def _fields_of(extension: str) -> tuple[str, str]:
    """Return the fields of drift in which an extension and its properties deviate."""
    return f"extension {extension}", f"properties of extension {extension}"


def _tier(found: Any) -> Any:
    """Return a tier as the option has it; some clients write it in lower case."""
    return next((tier for tier in (STANDARD, FREE) if tier.casefold() == str(found).casefold()), found)
