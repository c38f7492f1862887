# SPDX-License-Identifier: GPL-3.0-or-later
"""Defender plans (docs/facts/defender_for_cloud.md#plans)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.arm_client import PRICINGS, SECURITY, ArmClient, refusal
from tests.unit.sandbox.tenant_client import wait

MakeArm = Callable[..., ArmClient]
DEFAULT = [
    "AgentlessVmScanning",
    "AgentlessDiscoveryForKubernetes",
    "SensitiveDataDiscovery",
    "ContainerRegistriesVulnerabilityAssessments",
]


@pytest.fixture
def arm(make_arm: MakeArm) -> ArmClient:
    return make_arm()


def plan(arm: ArmClient, name: str = "CloudPosture") -> str:
    return f"{arm.subscription}{SECURITY}/pricings/{name}"


def test_the_list_has_no_pages_and_can_be_filtered(make_arm: MakeArm) -> None:
    arm = make_arm(arm_page=2)
    path = plan(arm, "").rstrip("/")
    content = arm.get_json(path, PRICINGS)
    assert set(content) == {"value"} and len(content["value"]) > 10
    some = arm.get_json(path, PRICINGS, filter="name in (CloudPosture, keyvaults)")["value"]
    assert [row["name"] for row in some] == ["KeyVaults", "CloudPosture"]
    assert refusal(arm.request("GET", path, version=PRICINGS, filter="name eq 'x'"))[0] == 400
    assert content["value"][0]["properties"] == {
        "pricingTier": "Free",
        "freeTrialRemainingTime": "PT0S",
        "enforce": "False",
        "resourcesCoverageStatus": "NotCovered",
    }


def test_switching_it_on_brings_the_extensions(arm: ArmClient) -> None:
    done = arm.put(plan(arm), {"pricingTier": "Standard"}, PRICINGS)["properties"]
    assert [each["name"] for each in done["extensions"]] == DEFAULT
    assert {each["operationStatus"]["code"] for each in done["extensions"]} == {"Succeeded"}
    shown = arm.get_json(plan(arm), PRICINGS)["properties"]
    assert shown["extensions"] == [{"name": name, "isEnabled": "True"} for name in DEFAULT]
    assert (shown["pricingTier"], shown["resourcesCoverageStatus"]) == ("Standard", "FullyCovered")
    assert shown["enablementTime"] == done["enablementTime"]


def test_only_one_change_at_a_time(make_arm: MakeArm) -> None:
    arm = make_arm(pricing_seconds=0.4)
    arm.put(plan(arm), {"pricingTier": "Standard"}, PRICINGS)
    body = {"properties": {"pricingTier": "Standard"}}
    answer = arm.request("PUT", plan(arm, "KeyVaults"), body, version=PRICINGS)
    assert refusal(answer) == (409, "Conflict") and "Another update operation is in progress" in answer.text
    other = plan(arm).replace(*arm.known["azure_subscription_ids"])
    assert arm.request("PUT", other, body, version=PRICINGS).status_code == 200, "another subscription is not busy"
    wait(lambda: arm.request("PUT", plan(arm, "KeyVaults"), body, version=PRICINGS).status_code == 200)


def test_an_extension_fails_inside_a_success(make_arm: MakeArm) -> None:
    arm = make_arm(failing_extensions=["SensitiveDataDiscovery"], pricing_seconds=0)
    done = arm.put(plan(arm), {"pricingTier": "Standard"}, PRICINGS)["properties"]["extensions"]
    assert {each["name"]: each["operationStatus"]["code"] for each in done}["SensitiveDataDiscovery"] == "Failed"


def test_extensions_that_are_not_sent_stay(make_arm: MakeArm) -> None:
    arm = make_arm(plan="Standard", pricing_seconds=0)
    off = {"name": "AgentlessVmScanning", "isEnabled": "False"}
    more = {"name": "EntraPermissionsManagement", "isEnabled": "True"}
    arm.put(plan(arm), {"pricingTier": "Standard", "extensions": [off, more]}, PRICINGS)
    arm.put(plan(arm), {"pricingTier": "Standard"}, PRICINGS)
    states = {each["name"]: each["isEnabled"] for each in arm.get_json(plan(arm), PRICINGS)["properties"]["extensions"]}
    assert states == {**dict.fromkeys(DEFAULT, "True"), off["name"]: "False", more["name"]: "True"}
    arm.put(plan(arm), {"pricingTier": "Free"}, PRICINGS)
    assert {"extensions", "enablementTime"}.isdisjoint(arm.get_json(plan(arm), PRICINGS)["properties"])


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"pricingTier": "Premium"},
        {"pricingTier": "Standard", "enforce": True},
        {"pricingTier": "Standard", "extensions": [{"name": "AgentlessVmScanning", "isEnabled": True}]},
        {"pricingTier": "Standard", "extensions": [{"name": "Nothing", "isEnabled": "True"}]},
    ],
)
def test_booleans_are_strings_and_names_are_known(arm: ArmClient, properties: dict[str, Any]) -> None:
    assert refusal(arm.request("PUT", plan(arm), {"properties": properties}, version=PRICINGS))[0] == 400
    assert arm.get_json(plan(arm), PRICINGS)["properties"]["pricingTier"] == "Free"


def test_invalid_requests_are_refused(arm: ArmClient) -> None:
    answer = arm.request("GET", plan(arm, "default"), version=PRICINGS)
    assert refusal(answer)[0] == 400 and "Possible pricing bundle names: VirtualMachines" in answer.text
    assert refusal(arm.request("PUT", plan(arm), {}, version=PRICINGS)) == (400, "InvalidRequestContent")
    assert refusal(arm.request("PUT", plan(arm), None, version=PRICINGS)) == (400, "InvalidRequestContent")
    assert refusal(arm.request("DELETE", plan(arm), version=PRICINGS))[0] == 400


def test_a_machine_inherits_its_plan(arm: ArmClient) -> None:
    path = f"{arm.subscription}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1{SECURITY}/pricings"
    shown = arm.get_json(path, PRICINGS)["value"][0]["properties"]
    assert (shown["inherited"], shown["inheritedFrom"]) == ("True", arm.subscription)
    arm.put(f"{path}/VirtualMachines", {"pricingTier": "Standard", "subPlan": "P1"}, PRICINGS)
    assert arm.get_json(f"{path}/VirtualMachines", PRICINGS)["properties"]["inherited"] == "False"
    answers = [arm.request("DELETE", f"{path}/VirtualMachines", version=PRICINGS).status_code for _ in range(2)]
    assert answers == [200, 204]


def test_a_plan_can_be_changed_out_of_band(arm: ArmClient) -> None:
    match = {"name": "CloudPosture", "scope": arm.subscription}
    arm.sandbox.tamper_tenant("pricings", {"pricingTier": "Standard"}, match=match)
    assert arm.get_json(plan(arm), PRICINGS)["properties"]["pricingTier"] == "Standard"
