# SPDX-License-Identifier: GPL-3.0-or-later
"""What remains to be done by hand in Defender for Cloud (docs/facts/defender_for_cloud.md#automatic-tickets)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.result import ManualStep
from ..arm.scopes import Scope
from .governance_rule_conditions import RECOMMENDATIONS, SEVERITIES, read_condition
from .governance_rule_properties import days_of, owner_of
from .governance_rules_api import SERVICENOW

PRICES = "https://azure.microsoft.com/pricing/details/defender-for-cloud/"


def accept_costs_step(name: str, scope: Scope) -> ManualStep:
    """Return the decision that turning a plan on requires."""
    return ManualStep(
        id=f"plan:{name}:accept_costs",
        title=f"Decide whether Microsoft may bill the plan {name} on {scope}",
        reason=f"The plan is off, and Microsoft bills it from the day it is on, for each resource that it covers ({PRICES}). It was not turned on, "
        f"and what requires it waits for it",
        where="Variables of the tenant's host (of the module mdc_plan: the option accept_costs), then run again",
        values={"servicenow_defender_accept_costs": "true"},
    )


def servicenow_step(
    name: str, scope: Scope, properties: Mapping[str, Any], integration: str, ticket_type: str | None
) -> ManualStep:
    """Return what to enter in the portal so that a rule creates tickets, by the labels there.

    See docs/facts/defender_for_cloud.md#automatic-tickets.
    """
    condition = read_condition(properties.get("conditionSets"))
    by = {SEVERITIES: "By severity", RECOMMENDATIONS: "By specific recommendations"}
    owner = owner_of(properties.get("ownerSource") or {})
    values = {
        "Rule name": name,
        "Scope": scope.path,
        "Type": SERVICENOW,
        "Priority": str(properties.get("rulePriority")),
        "Integration instance": integration or "the integration of your ServiceNow instance",
        "ServiceNow ticket type": (ticket_type or "incident, problem or change request").replace("_", " "),
        "Condition": f"{by[condition.kind]}: {', '.join(condition.values)}" if condition else "unchanged",
        "Owner": ", ".join(map(str, owner.values())),
        "Remediation timeframe": f"{days_of(properties)} days" if properties.get("remediationTimeframe") else "",
        "Apply grace period": "yes" if properties.get("isGracePeriod") else "no",
    }
    return ManualStep(
        id=f"governance_rule:servicenow:{name}",
        title=f"Choose the integration and the ticket type of the governance rule {name}",
        reason="Microsoft's public schema has no field for either. Once the rule has them, they are kept, and other rules can copy them (learn_from)",
        where=f"https://portal.azure.com > Microsoft Defender for Cloud > Environment settings > Governance rules > {name}",
        values={label: value for label, value in values.items() if value},
    )
