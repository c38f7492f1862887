# SPDX-License-Identifier: GPL-3.0-or-later
"""A governance rule on a scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import Plan, SecretDecision
from ...engine.result import ABSENT, PRESENT
from ...engine.snapshot import Row
from ..arm.json_properties import contains, properties_of
from ..arm.scopes import Scope, same_paths
from .governance_rule_conditions import (
    CATEGORY_NAMES,
    KINDS,
    ORDER,
    RECOMMENDATIONS,
    SEVERITIES,
    Condition,
    desired_condition,
    read_condition,
    values_of,
)
from .governance_rule_properties import KNOWN, OWNERS, days_of, owner_of, unknown_of
from .governance_rules_api import COLLECTION, INTEGRATED, SERVICENOW
from .manual_steps import condition_step, servicenow_step
from .scoped_object import Aspect, ScopedObject

MAX_PRIORITY = 1000
ASSESSMENT_NAME = re.compile(r"[-\w._()]+")
# Option -> property, where both have the same value.
PLAIN = {
    "rule_type": "ruleType",
    "priority": "rulePriority",
    "description": "description",
    "grace_period": "isGracePeriod",
    "disabled": "isDisabled",
    "include_members": "includeMemberScopes",
}
NOTIFICATIONS = {"notify_owner": "disableOwnerEmailNotification", "notify_manager": "disableManagerEmailNotification"}
TICKET_TYPES = ("incident", "problem", "change_request")

RULE_OPTIONS: dict[str, dict[str, Any]] = {
    "scope": {"type": "str"},
    "display_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
    "rule_type": {"type": "str", "choices": [INTEGRATED, SERVICENOW]},
    "priority": {"type": "int"},
    "severities": {"type": "list", "elements": "str", "choices": list(ORDER)},
    "severity_property": {"type": "str"},
    "risk_levels": {"type": "list", "elements": "str", "choices": list(ORDER)},
    "categories": {"type": "list", "elements": "str", "choices": list(CATEGORY_NAMES)},
    "recommendations": {"type": "list", "elements": "str"},
    "owner": {"type": "dict", "options": {"by_tag": {"type": "str"}, "email": {"type": "str"}}},
    "remediation_timeframe_days": {"type": "int"},
    "grace_period": {"type": "bool"},
    "disabled": {"type": "bool"},
    "description": {"type": "str"},
    "include_members": {"type": "bool"},
    "excluded_scopes": {"type": "list", "elements": "str"},
    "notify_owner": {"type": "bool"},
    "notify_manager": {"type": "bool"},
    "extra_properties": {"type": "dict"},
    "learn_from": {"type": "str"},
    "integration": {"type": "str"},
    "ticket_type": {"type": "str", "choices": list(TICKET_TYPES)},
    "execute": {"type": "bool", "default": False},
    "override": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 600.0},
}
RULE_RULES: dict[str, Any] = {"mutually_exclusive": [KINDS]}


class GovernanceRule(ScopedObject):
    """One rule. `integrations` returns the names of the integrations in effect on the scope, and is called only when needed."""

    noun, kind, collection = "governance_rule", COLLECTION, COLLECTION
    read_only = frozenset({"tenantId", "metadata"})

    def __init__(self, params: Mapping[str, Any], scope: Scope, integrations: Callable[[], list[str]]) -> None:
        super().__init__(params, scope)
        self.integrations = integrations
        self.extra: dict[str, Any] = dict(params["extra_properties"] or {})
        self.row_id = ""
        # A condition of which no rule of the scope shows how it is written.
        self.untaught: Condition | None = None
        for name in KNOWN & set(self.extra):
            raise InvalidInput(
                f"{self.label}: extra_properties contains {name}, which has its own option or is read-only"
            )
        if self.state == PRESENT:
            self._check_values()

    def _check_values(self) -> None:
        owner = self.params["owner"]
        if owner is not None and sum(bool((value or "").strip()) for value in owner.values()) != 1:
            raise InvalidInput(f"{self.label}: owner requires exactly one of by_tag (key of a tag) and email (address)")
        if owner and owner.get("email") and "@" not in owner["email"]:
            raise InvalidInput(f"{self.label}: owner.email must be an e-mail address, not {owner['email']!r}")
        for option in KINDS:
            if self.params[option] == []:
                raise InvalidInput(
                    f"{self.label}: {option} must not be empty; a rule without a condition applies to nothing"
                )
        for key in self.params[RECOMMENDATIONS] or ():
            if not ASSESSMENT_NAME.fullmatch(key):
                raise InvalidInput(
                    f"{self.label}: recommendations must be names of assessments, such as 4fb67663-9ab9-475d-b026-8c544cced439, not {key!r}"
                )
        if self.params["execute"] and self.params["disabled"]:
            raise InvalidInput(f"{self.label}: a disabled rule does not run; remove execute or disabled")

    # -- comparing ----------------------------------------------------------------------------------------------------

    def initial_properties(self) -> dict[str, Any]:
        """Return the properties that every rule has."""
        return {"displayName": self.name, "sourceResourceType": "Assessments", "ruleType": INTEGRATED}

    def aspects(self, properties: Mapping[str, Any], rows: list[Row]) -> Iterator[Aspect]:
        """Yield the options that are set."""
        for option, name in PLAIN.items():
            value = self.params[option]
            if value is not None:
                yield Aspect(option, _like(properties.get(name), value), value, {name: value})
        yield from self._condition(properties, rows)
        yield from self._owner(properties, rows)
        days = self.params["remediation_timeframe_days"]
        if days is not None:
            yield Aspect(
                "remediation_timeframe_days", days_of(properties), days, {"remediationTimeframe": f"{days}.00:00:00"}
            )
        excluded = self.params["excluded_scopes"]
        if excluded is not None:
            found = properties.get("excludedScopes")
            same = same_paths(found, excluded)
            yield Aspect("excluded_scopes", excluded if same else found, excluded, {"excludedScopes": excluded})
        mails = properties.get("governanceEmailNotification") or {}
        for option, name in NOTIFICATIONS.items():
            value = self.params[option]
            if value is not None:
                # Not disabled by default.
                before = not mails.get(name) if properties else None
                yield Aspect(option, before, value, {"governanceEmailNotification": {name: not value}})
        for name, value in {**self._learned(properties, rows), **self.extra}.items():
            found = properties.get(name)
            yield Aspect(f"extra_properties.{name}", value if contains(found, value) else found, value, {name: value})

    def _condition(self, properties: Mapping[str, Any], rows: list[Row]) -> Iterator[Aspect]:
        sets: Any = properties.get("conditionSets")
        wanted = desired_condition(self.params, [sets, *(properties_of(row).get("conditionSets") for row in rows)])
        self.untaught = wanted if wanted and not wanted.can_be_written else None
        if wanted is None or self.untaught:
            return
        given = wanted.kind == SEVERITIES and bool(self.params["severity_property"])
        found = read_condition(sets)
        before: Any = sets
        after: Any = wanted.wire()
        if wanted.same(found, path=given):
            before = after = list(wanted.values)
        elif not wanted.same(found, path=False):
            before, after = values_of(found, wanted.kind, sets), list(wanted.values)
        yield Aspect(wanted.kind, before, after, {"conditionSets": wanted.wire()})

    def _owner(self, properties: Mapping[str, Any], rows: list[Row]) -> Iterator[Aspect]:
        wanted = {name: value for name, value in (self.params["owner"] or {}).items() if value}
        source = properties.get("ownerSource") or {}
        for name, value in wanted.items():
            wire = {"type": OWNERS[name], "value": value}
            found = owner_of(source) if source else None
            yield Aspect("owner", found, {name: value}, {"ownerSource": wire})
        template = None if wanted or source else self._template(rows)
        if template and properties_of(template).get("ownerSource"):
            learned = properties_of(template)["ownerSource"]
            yield Aspect("owner", None, owner_of(learned), {"ownerSource": learned})

    def _learned(self, properties: Mapping[str, Any], rows: list[Row]) -> dict[str, Any]:
        """Return the properties of the rule in `learn_from` that the public schema does not have."""
        if not self.params["learn_from"]:
            return {}
        template = self._template(rows)
        if template is None:
            if unknown_of(properties):
                return {}
            raise InvalidInput(
                f"{self.label}: learn_from is {self.params['learn_from']!r}, but {self.scope} has no rule of that name or id. Create one in the "
                f"portal (Environment settings > Governance rules > Create), then run again"
            )
        return unknown_of(properties_of(template))

    def _template(self, rows: list[Row]) -> Row | None:
        wanted = (self.params["learn_from"] or "").casefold()
        return next((row for row in rows if wanted and wanted in (row["name"].casefold(), row["id"].casefold())), None)

    # -- before the first write ---------------------------------------------------------------------------------------

    def check(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        """Refuse a rule that lacks a required option, and a priority that another rule of the scope has."""
        needed = {
            "rulePriority": "priority",
            "conditionSets": f"{KINDS[0]} (or {', '.join(KINDS[1:])})",
            "ownerSource": "owner",
        }
        missing = [option for name, option in needed.items() if wanted.get(name) in (None, [], {})]
        if self.untaught:
            missing = [option for option in missing if option != needed["conditionSets"]]
        if missing:
            raise InvalidInput(
                f"{self.label} does not exist yet, and a new rule requires {', '.join(missing)}. Nothing was written"
            )
        others = {
            int(properties_of(other)["rulePriority"]): other["name"]
            for other in rows
            if other["own"]
            and (row is None or other["id"] != row["id"])
            and isinstance(properties_of(other).get("rulePriority"), int)
        }
        priority = wanted["rulePriority"]
        if priority in others and properties_of(row).get("rulePriority") != priority:
            free = next((n for n in [*range(priority, MAX_PRIORITY + 1), *range(1, priority)] if n not in others), None)
            raise InvalidInput(
                f"{self.label}: priority {priority} on {self.scope} is taken by the rule {others[priority]!r}, and Microsoft accepts each priority once. "
                f"The next free priority is {free}. Nothing was written"
            )

    def add_to_plan(self, plan: Plan, row: Row | None, rows: list[Row], secrets: SecretDecision) -> bool:
        """Warn of a rule in `learn_from` that has nothing to copy."""
        template = self._template(rows)
        if template and not unknown_of(properties_of(template)):
            plan.warnings.append(
                f"{self.label}: the rule {template['name']!r} in learn_from has no properties beyond the public schema, so there is nothing to copy"
            )
        return False

    def _write(self, plan: Plan, row: Row | None, rows: list[Row], wanted: Mapping[str, Any]) -> None:
        """Write the rule, unless it is a new one whose condition cannot be written: a rule has to have one."""
        if row is not None or not self.untaught:
            super()._write(plan, row, rows, wanted)

    def add_manual_steps(self, plan: Plan, properties: Mapping[str, Any]) -> None:
        """Add a step for what the public schema has no field for: some conditions, the integration and the type of ticket.

        See docs/facts/defender_for_cloud.md#governance-rules.
        """
        if self.untaught:
            found = values_of(read_condition(properties.get("conditionSets")), self.untaught.kind, None)
            plan.add_drift(self.untaught.kind, found, list(self.untaught.values))
            step = condition_step(self.name, self.scope, properties, self.untaught, exists=plan.row is not None)
            plan.manual_steps.append(step)
            if plan.row is None:
                return
        if properties.get("ruleType") != SERVICENOW:
            return
        names = self.integrations()
        if not names:
            plan.warnings.append(
                f"{self.label}: no ServiceNow integration is in effect on {self.scope}, so the rule creates no tickets. Create one (mdc_integration)"
            )
        if not unknown_of(properties):
            plan.add_drift("integration instance and ticket type", "not set", "set in the portal")
            integration = self.params["integration"] or (names[0] if len(names) == 1 else "")
            plan.manual_steps.append(
                servicenow_step(self.name, self.scope, properties, integration, self.params["ticket_type"])
            )

    # -- result -------------------------------------------------------------------------------------------------------

    def as_result(self, row: Row | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rule for the module's result."""
        self.row_id = row["id"] if row else ""
        condition = read_condition(properties.get("conditionSets"))
        mails = properties.get("governanceEmailNotification") or {}
        result: dict[str, Any] = {
            "id": self.row_id,
            "scope": self.scope.path,
            "display_name": self.name,
            **{option: properties.get(name) for option, name in PLAIN.items()},
            **{kind: list(condition.values) if condition and condition.kind == kind else [] for kind in KINDS},
            "condition_sets": properties.get("conditionSets") or [],
            "owner": owner_of(properties.get("ownerSource") or {}),
            "remediation_timeframe_days": days_of(properties),
            "excluded_scopes": properties.get("excludedScopes") or [],
            **{option: None if mails.get(name) is None else not mails[name] for option, name in NOTIFICATIONS.items()},
            "extra_properties": unknown_of(properties),
        }
        return result


def _like(found: Any, value: Any) -> Any:
    """Return what was found, or the wanted value where both mean the same: a missing description is an empty one."""
    return value if contains(found, value) or (value == "" and found is None) else found
