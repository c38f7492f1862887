# SPDX-License-Identifier: GPL-3.0-or-later
"""Existing governance rules in the options of their module."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_governance_rule, mdc_governance_rule_info
from tests.unit.plugins.module_utils.microsoft.defender_cloud.test_governance_rule import GROUP, KEY, PORTAL, has_rule
from tests.unit.plugins.module_utils.microsoft.fake_arm import SECURITY, ResourceManagerDouble

MAILS = "governanceEmailNotification"


def described(arm: ResourceManagerDouble) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = arm.run(mdc_governance_rule_info)["governance_rules"]
    return found


def severity(*names: str) -> list[dict[str, Any]]:
    return [
        {"conditions": [{"property": "$.Metadata.Severity", "operator": "Equals", "value": name}]} for name in names
    ]


def test_a_rule_is_in_sync_with_the_options_that_describe_it(arm: ResourceManagerDouble) -> None:
    has_rule(
        arm, description="ours", remediationTimeframe="14.00:00:00", isGracePeriod=True, isDisabled=False,
        excludedScopes=["/subscriptions/x"], **{MAILS: {"disableManagerEmailNotification": True}}, **PORTAL,
    )  # fmt: skip
    has_rule(arm, "r-2", displayName="By severity", rulePriority=101, conditionSets=severity("High", "Critical"),
             ownerSource={"type": "Manually", "value": "soc@example.com"})  # fmt: skip
    by_severity, by_name = described(arm)
    assert by_name["not_described"] == by_severity["not_described"] == []
    assert by_name["options"] == {
        "display_name": "High", "rule_type": "Integrated", "priority": 100, "description": "ours", "grace_period": True,
        "disabled": False, "recommendations": [KEY], "owner": {"by_tag": "owner"}, "remediation_timeframe_days": 14,
        "excluded_scopes": ["/subscriptions/x"], "notify_manager": False, "extra_properties": PORTAL,
    }  # fmt: skip
    assert by_severity["options"]["severities"] == ["High", "Critical"]
    for each in (by_severity, by_name):
        done = arm.run(mdc_governance_rule, **each["options"])
        assert done["drift"] == []
    assert arm.writes == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"conditionSets": [{"conditions": [{"property": "$.Type", "operator": "In", "value": "[1]"}]}]}, "conditionSets"),
        ({"conditionSets": severity("Terrible")}, "conditionSets"),
        ({"ownerSource": {"type": "ByTeam", "value": "soc"}}, "ownerSource"),
        ({"ownerSource": {"type": "Manually", "value": "no address"}}, "ownerSource"),
        ({"remediationTimeframe": "1.12:00:00"}, "remediationTimeframe"),
        ({"rulePriority": 5000}, "rulePriority"),
        ({"sourceResourceType": "Alerts"}, "sourceResourceType"),
        ({MAILS: {"copyTo": "soc@example.com"}}, f"{MAILS}.copyTo"),
        ({"additionalData": {"clientSecret": "x"}}, "additionalData"),
    ],
)  # fmt: skip
def test_what_no_option_expresses_is_named_and_the_rest_described(
    arm: ResourceManagerDouble, changes: dict[str, Any], named: str
) -> None:
    has_rule(arm, **changes)
    (found,) = described(arm)
    assert found["not_described"] == [named]
    assert found["options"]["display_name"] == "High"
    assert arm.run(mdc_governance_rule, **found["options"])["drift"] == []


def test_rules_that_the_module_cannot_manage_have_no_options(arm: ResourceManagerDouble) -> None:
    has_rule(arm)
    has_rule(arm, "r-2", rulePriority=101)
    has_rule(arm, "r-3", rulePriority=102, displayName="Tickets", ruleType="ServiceNow")
    path = has_rule(arm, "r-4")
    arm.documents[path]["id"] = f"{GROUP}{SECURITY}/governanceRules/r-4"
    found = {(rule["display_name"], rule["inherited_from"]): rule for rule in described(arm)}
    assert found["High", ""]["options"] == {}
    assert found["High", ""]["not_described"] == ["displayName"]
    assert found["Tickets", ""]["options"] == {}
    assert found["Tickets", ""]["not_described"] == ["integration instance and ticket type"]
    assert found["High", GROUP]["options"]["display_name"] == "High"
