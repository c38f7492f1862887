# SPDX-License-Identifier: GPL-3.0-or-later
"""What remains to be done by hand in Defender for Cloud (docs/facts/defender_for_cloud.md#automatic-tickets)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.result import ManualStep
from ..arm.scopes import Scope
from .governance_rule_conditions import (
    CATEGORIES,
    RECOMMENDATIONS,
    RISK_LEVELS,
    SEVERITIES,
    Condition,
    read_condition,
)
from .governance_rule_properties import days_of, owner_of
from .governance_rules_api import SERVICENOW

PRICES = "https://azure.microsoft.com/pricing/details/defender-for-cloud/"

RULES = "https://portal.azure.com > Microsoft Defender for Cloud > Environment settings > Governance rules"
CONDITION_LABELS = {
    SEVERITIES: "By severity",
    RISK_LEVELS: "By risk level",
    CATEGORIES: "By recommendation category",
    RECOMMENDATIONS: "By specific recommendations",
}

DECISION = "Variables of the tenant's host (of the module mdc_plan: the option accept_costs), then run again"
CONSENT = {"servicenow_defender_accept_costs": "true"}


def accept_costs_step(name: str, scope: Scope) -> ManualStep:
    """Return the decision that turning a plan on requires."""
    return ManualStep(
        id=f"plan:{name}:accept_costs",
        title=f"Decide whether Microsoft may bill the plan {name} on {scope}",
        reason=f"The plan is off, and Microsoft bills it from the day it is on, for each resource that it covers ({PRICES}). It was not turned on, "
        f"and what requires it waits for it",
        where=DECISION,
        values=CONSENT,
    )


def accept_more_costs_step(name: str, scope: Scope, fields: Sequence[str]) -> ManualStep:
    """Return the decision that a change requires for which Microsoft bills more than the plan."""
    return ManualStep(
        id=f"plan:{name}:accept_costs",
        title=f"Decide whether Microsoft may bill more for the plan {name} on {scope}: {', '.join(fields)}",
        reason=f"A sub plan has a price of its own, and Microsoft bills some extensions in addition to the plan ({PRICES}). This was not changed",
        where=DECISION,
        values=CONSENT,
    )


def servicenow_step(
    name: str, scope: Scope, properties: Mapping[str, Any], integration: str, ticket_type: str | None
) -> ManualStep:
    """Return what to enter in the portal so that a rule creates tickets, by the labels there.

    See docs/facts/defender_for_cloud.md#automatic-tickets.
    """
    condition = read_condition(properties.get("conditionSets"))
    tickets = {
        "Integration instance": integration or "the integration of your ServiceNow instance",
        "ServiceNow ticket type": (ticket_type or "incident, problem or change request").replace("_", " "),
    }
    return ManualStep(
        id=f"governance_rule:servicenow:{name}",
        title=f"Choose the integration and the ticket type of the governance rule {name}",
        reason="Microsoft's public schema has no field for either. Once the rule has them, they are kept, and other rules can copy them (learn_from)",
        where=f"{RULES} > {name}",
        values=_rule_values(name, scope, {**properties, "ruleType": SERVICENOW}, condition, tickets),
    )


def condition_step(
    name: str, scope: Scope, properties: Mapping[str, Any], condition: Condition, *, exists: bool
) -> ManualStep:
    """Return what to enter in the portal for a condition of which it is not known how it is written.

    See docs/facts/defender_for_cloud.md#governance-rules.
    """
    what = CONDITION_LABELS[condition.kind].removeprefix("By ")
    return ManualStep(
        id=f"governance_rule:condition:{name}",
        title=f"{'Set the condition of' if exists else 'Create'} the governance rule {name}",
        reason=f"Microsoft does not publish by which property a rule selects by {what}. Once one rule of {scope} does, the next run copies the path "
        f"from it, and writes further rules itself",
        where=f"{RULES} > {name if exists else 'Create governance rule'}",
        values=_rule_values(name, scope, properties, condition, {}),
    )


def _rule_values(
    name: str, scope: Scope, properties: Mapping[str, Any], condition: Condition | None, more: Mapping[str, str]
) -> dict[str, str]:
    """Return the values of a rule by the labels of the portal, without empty ones."""
    owner = owner_of(properties.get("ownerSource") or {})
    selects = f"{CONDITION_LABELS[condition.kind]}: {', '.join(condition.values)}" if condition else "unchanged"
    values = {
        "Rule name": name,
        "Scope": scope.path,
        "Type": str(properties.get("ruleType") or ""),
        "Priority": str(properties.get("rulePriority")),
        **more,
        "Condition": selects,
        "Owner": ", ".join(map(str, owner.values())),
        "Remediation timeframe": f"{days_of(properties)} days" if properties.get("remediationTimeframe") else "",
        "Apply grace period": "yes" if properties.get("isGracePeriod") else "no",
    }
    return {label: value for label, value in values.items() if value}
