# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of Defender for Cloud (docs/facts/defender_for_cloud.md#plans)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_plan
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import answer
from tests.unit.plugins.module_utils.microsoft.fake_arm import SCOPE, SECURITY, ResourceManagerDouble, error, properties

PATH = f"{SCOPE}{SECURITY}/pricings/CloudPosture"
SCAN, DATA = "AgentlessVmScanning", "SensitiveDataDiscovery"


def extension(name: str, *, on: bool, code: str = "Succeeded", message: str = "done", **more: Any) -> dict[str, Any]:
    return {"name": name, "isEnabled": str(on), "operationStatus": {"code": code, "message": message}, **more}


def is_on(arm: ResourceManagerDouble, *extensions: dict[str, Any], **more: Any) -> None:
    read_only = {"freeTrialRemainingTime": "PT0S", "enablementTime": "2026-01-01T00:00:00Z", "inherited": "False"}
    arm.has(PATH, pricingTier="Standard", extensions=list(extensions), **read_only, **more)


def test_a_plan_is_switched_on_once(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    foretold = arm.run(mdc_plan, tier="Standard", check_mode=True)
    assert not arm.writes
    done = arm.run(mdc_plan, tier="Standard")
    assert arm.puts == [{"properties": {"pricingTier": "Standard"}}]
    assert (
        foretold["drift"]
        == done["drift"]
        == [{"object": "plan CloudPosture", "field": "tier", "before": "Free", "after": "Standard"}]
    )
    assert (foretold["diff"], foretold["changed"]) == (done["diff"], True)
    assert done["plan"]["tier"] == "Standard"
    again = arm.run(mdc_plan, tier="Standard")
    assert (again["changed"], again["drift"], len(arm.puts)) == (False, [], 1)


def test_a_tier_that_is_not_set_is_not_managed(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    assert arm.run(mdc_plan)["changed"] is False
    with pytest.raises(InvalidInput, match="is off, and extensions and sub_plan belong to tier Standard"):
        arm.run(mdc_plan, extensions=[{"name": SCAN}])
    assert arm.puts == []


def test_words_for_booleans_are_no_deviation(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(SCAN, on=True), extension(DATA, on=False))
    wanted = [{"name": SCAN}, {"name": DATA, "enabled": False}]
    assert arm.run(mdc_plan, extensions=wanted)["changed"] is False


def test_what_is_not_described_of_a_plan_that_is_on_goes_along_as_it_is(arm: ResourceManagerDouble) -> None:
    kept = {"additionalExtensionProperties": {"ExclusionTags": [{"key": "scan", "value": "no"}]}}
    is_on(arm, extension(SCAN, on=True, **kept), extension(DATA, on=True), subPlan="P2", enforce="True")
    arm.run(mdc_plan, extensions=[{"name": DATA, "enabled": False}])
    assert arm.puts == [
        {
            "properties": {
                "pricingTier": "Standard",
                "subPlan": "P2",
                "enforce": "True",
                "extensions": [{"name": SCAN, "isEnabled": "True", **kept}, {"name": DATA, "isEnabled": "False"}],
            }
        }
    ]


def test_properties_of_an_extension_are_compared_and_sent_as_the_platform_keeps_them(
    arm: ResourceManagerDouble,
) -> None:
    is_on(arm, extension(DATA, on=True, additionalExtensionProperties={"Cap": "5000", "Other": "1"}))
    assert arm.run(mdc_plan, extensions=[{"name": DATA, "properties": {"Cap": 5000}}])["changed"] is False
    done = arm.run(mdc_plan, extensions=[{"name": DATA, "properties": {"Cap": 100}}])
    assert properties(arm.puts[0])["extensions"][0]["additionalExtensionProperties"] == {"Cap": "100", "Other": "1"}
    assert done["drift"][0]["field"] == f"properties of extension {DATA}"


def test_a_plan_that_is_switched_on_gets_only_what_is_described(arm: ResourceManagerDouble) -> None:
    arm.has(
        PATH,
        pricingTier="Free",
        extensions=[{"name": SCAN, "isEnabled": "False"}, {"name": DATA, "isEnabled": "False"}],
    )
    arm.run(mdc_plan, tier="Standard", extensions=[{"name": DATA}])
    assert arm.puts == [
        {"properties": {"pricingTier": "Standard", "extensions": [{"name": DATA, "isEnabled": "True"}]}}
    ]


@pytest.mark.parametrize("headers", [{}, {"retry_after": "12"}])
def test_another_update_is_waited_for_with_progress(arm: ResourceManagerDouble, clock: Clock, headers: Any) -> None:
    is_on(arm, extension(SCAN, on=True), extension(DATA, on=True))
    refusals = 1 if headers else 4
    arm.script(f"PUT {PATH}", *[error("Conflict", "another update", 409, **headers)] * refusals)
    # The other update sets something, too: it must not be undone by what was read before.
    arm.script(f"GET {PATH}", answer(arm.documents[PATH]), answer(arm.documents[PATH]))
    arm.documents[PATH] = {**arm.documents[PATH], "properties": {**properties(arm.documents[PATH]), "enforce": "True"}}
    done = arm.run(mdc_plan, extensions=[{"name": DATA, "enabled": False}])
    assert [properties(body).get("enforce") for body in arm.puts] == [None, *["True"] * refusals]
    low, high = (11.9, 12.1) if headers else (14.9, 30)
    assert low <= sum(clock.naps) <= high
    assert done.progress
    assert "waiting for another update of the plans of subscription" in done.progress[0]


def test_another_update_that_does_not_settle_is_an_error(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    arm.script(f"PUT {PATH}", *[error("Conflict", "try later", 409)] * 9)
    with pytest.raises(EngineError, match=r"has not ended within 60 s \(Conflict: try later\).*wait_timeout"):
        arm.run(mdc_plan, tier="Standard", wait_timeout=60)


def test_a_failed_extension_within_success_is_a_failure_that_names_it(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")

    def fail(document: dict[str, Any]) -> None:
        failed = extension(SCAN, on=False, code="Failed", message="no right to assign roles")
        document["properties"]["extensions"] = [failed, extension(DATA, on=True)]

    arm.changes = fail
    with pytest.raises(EngineError) as raised:
        arm.run(mdc_plan, tier="Standard")
    assert f"extension {SCAN} -> Failed: no right to assign roles. Kept: tier Standard, {DATA} on" in str(raised.value)
    # It is not forgotten: described, it is tried again; else it is warned of.
    assert any("has the status Failed" in warning for warning in arm.run(mdc_plan).warnings)
    arm.changes = None
    assert arm.run(mdc_plan, extensions=[{"name": SCAN}])["drift"][0]["before"] == "failed: no right to assign roles"


def test_switching_off_says_what_stops(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(SCAN, on=True), extension(DATA, on=False))
    arm.has(f"{SCOPE}{SECURITY}/integrations/1", displayName="prod-itsm")
    done = arm.run(mdc_plan, tier="Free", check_mode=True)
    (warning,) = done.warnings
    assert f"extension {SCAN}, governance rules, the ServiceNow integration prod-itsm with its tickets" in warning
    assert DATA not in warning
    arm.run(mdc_plan, tier="Free")
    assert arm.puts == [{"properties": {"pricingTier": "Free"}}]
    assert arm.run(mdc_plan, tier="Free").warnings == []


def test_what_the_platform_drops_is_an_error(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(DATA, on=True))
    arm.changes = lambda document: document["properties"].update(extensions=[extension(DATA, on=True)])
    with pytest.raises(EngineError, match="extension Unheard is False, not True"):
        arm.run(mdc_plan, extensions=[{"name": "Unheard"}])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "Nothing"}, "has no plan 'Nothing'"),
        ({"tier": "Free", "extensions": [{"name": SCAN}]}, "belong to tier Standard"),
        ({"extensions": [{"name": SCAN}, {"name": SCAN}]}, "lists an extension twice"),
        ({"scope": "/providers/Microsoft.Management/managementGroups/acme"}, "here it must be a subscription"),
    ],
)
def test_what_cannot_be_meant_is_refused(arm: ResourceManagerDouble, options: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        arm.run(mdc_plan, **options)
    assert not arm.writes


def test_a_subscription_that_is_not_there_is_named(arm: ResourceManagerDouble) -> None:
    arm.script(f"GET {PATH}", error("SubscriptionNotFound", "The subscription could not be found", 404))
    with pytest.raises(Refused, match="Check the subscription's id"):
        arm.run(mdc_plan)
