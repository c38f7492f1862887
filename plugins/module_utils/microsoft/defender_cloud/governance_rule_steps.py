# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance rules in words: what of one is known, and what a person has to enter in the portal.

See docs/facts/defender_for_cloud.md#automatic-tickets, docs/facts/defender_for_cloud.md#governance-rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...engine.result import ManualStep
from ..arm.scopes import Scope
from .governance_rule_conditions import RECOMMENDATIONS, SEVERITIES, read_condition
from .governance_rules_api import SERVICENOW

# Everything that the public schema knows (docs/facts/defender_for_cloud.md#governance-rules). What a GET shows beyond
# it was made in the portal.
KNOWN = frozenset({
    "tenantId", "displayName", "description", "remediationTimeframe", "isGracePeriod", "rulePriority", "isDisabled", "ruleType",
    "sourceResourceType", "excludedScopes", "conditionSets", "includeMemberScopes", "ownerSource", "governanceEmailNotification", "metadata",
})  # fmt: skip
OWNERS = {"by_tag": "ByTag", "email": "Manually"}
TIMEFRAME = re.compile(r"([0-9]+)\.00:00:00")


def unknown_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that the public schema does not know."""
    return {name: value for name, value in properties.items() if name not in KNOWN}


def owner_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return an owner in the words of the module; one that options cannot say as it is."""
    name = next((name for name, kind in OWNERS.items() if kind == source.get("type")), "")
    return {name: source.get("value")} if name else dict(source)


def days_of(properties: Mapping[str, Any]) -> Any:
    """Return the days until a recommendation is due; a text where they are not whole, None where there are none."""
    text = properties.get("remediationTimeframe")
    found = TIMEFRAME.fullmatch(str(text))
    return int(found[1]) if found else text


def servicenow_step(
    name: str, scope: Scope, properties: Mapping[str, Any], integration: str, ticket_type: str | None
) -> ManualStep:
    """Return what a person enters to let a rule make tickets, by the labels of the portal.

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
        "Condition": f"{by[condition.kind]}: {', '.join(condition.values)}" if condition else "as it is",
        "Owner": ", ".join(map(str, owner.values())),
        "Remediation timeframe": f"{days_of(properties)} days" if properties.get("remediationTimeframe") else "",
        "Apply grace period": "yes" if properties.get("isGracePeriod") else "no",
    }
    return ManualStep(
        id=f"governance_rule:servicenow:{name}",
        title=f"Choose the integration and the ticket type of the governance rule {name}",
        reason="Microsoft's public schema has no field for either. Once the rule has them, they are kept, and can be learned by other rules (learn_from)",
        where=f"https://portal.azure.com > Microsoft Defender for Cloud > Environment settings > Governance rules > {name}",
        values={label: value for label, value in values.items() if value},
    )
