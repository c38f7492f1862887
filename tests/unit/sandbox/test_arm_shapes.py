# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of Resource Manager that the vendor's SDKs send besides those of governance."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sandbox.arm_client import PRICINGS, SECURITY, ArmClient, refusal

MakeArm = Callable[..., ArmClient]
NEWEST = "2025-04-01"
ALERTS = "2022-01-01"
AUTHORIZATION = "/providers/Microsoft.Authorization"
SECURITY_ADMIN = "fb1c8493-542b-48eb-b624-b4c8fea62acd"


def test_resource_groups_are_those_of_the_findings(arm: ArmClient) -> None:
    path = f"{arm.subscription}/resourcegroups"
    names = [row["name"] for row in arm.list_all(path, NEWEST)]
    assert "rg-connectors" in names and "rg-app-2" in names and len(names) == len(set(map(str.lower, names)))
    shown = arm.get_json(f"{path}/RG-APP-2", NEWEST)
    assert (shown["name"], shown["type"]) == ("rg-app-2", "Microsoft.Resources/resourceGroups")
    found = [arm.request("HEAD", f"{path}/{name}", version=NEWEST).status_code for name in ("rg-app-2", "nothing")]
    assert found == [204, 404]
    assert refusal(arm.request("GET", f"{path}/nothing", version=NEWEST)) == (404, "ResourceGroupNotFound")
    assert refusal(arm.request("GET", path, version="2000-01-01")) == (400, "InvalidApiVersionParameter")


def test_providers_are_listed_in_the_newest_version(arm: ArmClient) -> None:
    rows = {row["namespace"]: row for row in arm.list_all(f"{arm.subscription}/providers", NEWEST)}
    assert rows["Microsoft.Security"] == arm.get_json(f"{arm.subscription}{SECURITY}", NEWEST)
    types = {each["resourceType"] for each in rows["Microsoft.Authorization"]["resourceTypes"]}
    assert "roleDefinitions" in types
    assert all("registrationState" not in row for row in arm.list_all("/providers", NEWEST))


def test_role_definitions_are_filtered_by_name(arm: ArmClient) -> None:
    path = f"{arm.subscription}{AUTHORIZATION}/roleDefinitions"
    assert len(arm.list_all(path, "2022-04-01")) == 6
    query = {"filter": "roleName eq 'security admin'"}
    (row,) = arm.get_json(path, "2022-04-01", **query)["value"]
    assert row["name"] == SECURITY_ADMIN and row["id"].startswith(arm.subscription)
    assert arm.get_json(f"{AUTHORIZATION}/roleDefinitions/{SECURITY_ADMIN}", "2022-04-01")["name"] == SECURITY_ADMIN
    assert refusal(arm.request("GET", f"{path}/{'0' * 8}", version="2022-04-01"))[0] == 404


def test_an_alert_changes_its_state(arm: ArmClient) -> None:
    (first, _second) = arm.list_all(f"{arm.subscription}{SECURITY}/alerts", ALERTS)
    assert first["properties"]["status"] == "Active" and first["type"] == "Microsoft.Security/Locations/alerts"
    group = first["id"].split("/providers/", 1)[0]
    assert first["id"] in [row["id"] for row in arm.list_all(f"{group}{SECURITY}/alerts", ALERTS)]
    (location,) = arm.list_all(f"{arm.subscription}{SECURITY}/locations", "2015-06-01-preview")
    path = f"{location['id']}/alerts/{first['name']}"
    for verb, state in {"inProgress": "InProgress", "resolve": "Resolved", "dismiss": "Dismissed"}.items():
        assert arm.request("POST", f"{path}/{verb}", version=ALERTS).status_code == 204
        assert arm.get_json(path, ALERTS)["properties"]["status"] == state
    assert refusal(arm.request("POST", f"{location['id']}/alerts/0/dismiss", version=ALERTS))[0] == 404


def test_a_reader_changes_no_alert(make_arm: MakeArm) -> None:
    arm = make_arm(azure_role="Security Reader")
    (first, *_others) = arm.list_all(f"{arm.subscription}{SECURITY}/alerts", ALERTS)
    answer = arm.request("POST", f"{first['id']}/dismiss", version=ALERTS)
    assert refusal(answer) == (403, "AuthorizationFailed")
    assert "Microsoft.Security/locations/alerts/dismiss/action" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["Api", "ai", "Discovery", "FoundationalCspm"])
def test_newer_plans_exist(arm: ArmClient, name: str) -> None:
    assert arm.get_json(f"{arm.subscription}{SECURITY}/pricings/{name}", PRICINGS)["name"].lower() == name.lower()


def test_without_foundational_cspm_there_are_no_recommendations(make_arm: MakeArm) -> None:
    arm = make_arm(foundational_plan="Free", pricing_seconds=0.0)
    assert arm.findings() == []
    arm.put(f"{arm.subscription}{SECURITY}/pricings/FoundationalCspm", {"pricingTier": "Standard"}, PRICINGS)
    assert arm.findings()


def test_machines_get_the_second_sub_plan_and_only_new_extensions_a_status(make_arm: MakeArm) -> None:
    arm = make_arm(pricing_seconds=0.0)
    path = f"{arm.subscription}{SECURITY}/pricings/VirtualMachines"
    assert arm.put(path, {"pricingTier": "Standard"}, PRICINGS)["properties"]["subPlan"] == "P2"
    more = [{"name": "mdeDesignatedSubscription", "isEnabled": "True"}]
    shown = arm.put(path, {"pricingTier": "Standard", "extensions": more}, PRICINGS)["properties"]
    assert {each["name"]: "operationStatus" in each for each in shown["extensions"]} == {
        "AgentlessVmScanning": False,
        "MdeDesignatedSubscription": True,
    }


@pytest.mark.parametrize(
    ("plan", "properties"),
    [("Dns", {}), ("KeyVaults", {"subPlan": "PerTransaction"}), ("Arm", {"subPlan": "PerApiCall"})],
)
def test_deprecated_plans_and_sub_plans_are_not_switched_on(
    arm: ArmClient, plan: str, properties: dict[str, str]
) -> None:
    path = f"{arm.subscription}{SECURITY}/pricings/{plan}"
    answer = arm.request("PUT", path, {"properties": {"pricingTier": "Standard", **properties}}, version=PRICINGS)
    assert refusal(answer)[0] == 400 and "deprecated" in answer.text


def test_a_slash_too_many_is_ignored(arm: ArmClient) -> None:
    assert arm.list_all(f"/{arm.subscription}{SECURITY}/governanceRules", "2022-01-01-preview") == []


def test_long_operations_name_the_time_of_the_next_poll(arm: ArmClient) -> None:
    rule = f"{arm.subscription}{SECURITY}/governanceRules/{SECURITY_ADMIN}"
    properties = {
        "displayName": "Owners",
        "remediationTimeframe": "7.00:00:00",
        "isGracePeriod": True,
        "rulePriority": 200,
        "isDisabled": False,
        "sourceResourceType": "Assessments",
        "ruleType": "Integrated",
        "ownerSource": {"type": "Manually", "value": "user@example.com"},
        "conditionSets": [{"conditions": [{"property": "$.AssessmentKey", "value": '["x"]', "operator": "In"}]}],
    }
    arm.put(rule, properties, "2022-01-01-preview", 201)
    answer = arm.request("POST", f"{rule}/execute", version="2022-01-01-preview")
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "1")
