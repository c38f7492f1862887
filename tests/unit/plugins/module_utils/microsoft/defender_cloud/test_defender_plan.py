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
from tests.unit.plugins.module_utils.microsoft.fake_arm import (
    SCOPE,
    SECURITY,
    Done,
    ResourceManagerDouble,
    error,
    properties,
)

PATH = f"{SCOPE}{SECURITY}/pricings/CloudPosture"
SCAN, DATA = "AgentlessVmScanning", "SensitiveDataDiscovery"


def extension(name: str, *, on: bool, code: str = "Succeeded", message: str = "done", **more: Any) -> dict[str, Any]:
    return {"name": name, "isEnabled": str(on), "operationStatus": {"code": code, "message": message}, **more}


def run(arm: ResourceManagerDouble, **options: Any) -> Done:
    """Run the module with the costs accepted."""
    return arm.run(mdc_plan, **{"accept_costs": True, "tier": "Standard", **options})


def is_on(arm: ResourceManagerDouble, *extensions: dict[str, Any], **more: Any) -> None:
    read_only = {"freeTrialRemainingTime": "PT0S", "enablementTime": "2026-01-01T00:00:00Z", "inherited": "False"}
    arm.has(PATH, pricingTier="Standard", extensions=list(extensions), **read_only, **more)


def test_a_plan_is_switched_on_once(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    predicted = run(arm, check_mode=True)
    assert not arm.writes
    done = run(arm)
    assert arm.puts == [{"properties": {"pricingTier": "Standard"}}]
    assert (
        predicted["drift"]
        == done["drift"]
        == [{"object": "plan CloudPosture", "field": "tier", "before": "Free", "after": "Standard"}]
    )
    assert (predicted["diff"], predicted["changed"]) == (done["diff"], True)
    assert done["plan"]["tier"] == "Standard"
    again = run(arm)
    assert (again["changed"], again["drift"], len(arm.puts)) == (False, [], 1)


def test_a_tier_that_is_not_set_is_not_managed(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    assert arm.run(mdc_plan)["changed"] is False
    with pytest.raises(InvalidInput, match="is off, and extensions and sub_plan belong to tier Standard"):
        arm.run(mdc_plan, extensions=[{"name": SCAN}])
    assert arm.puts == []


def test_words_for_booleans_are_no_drift(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(SCAN, on=True), extension(DATA, on=False))
    wanted = [{"name": SCAN}, {"name": DATA, "enabled": False}]
    assert run(arm, extensions=wanted)["changed"] is False


def test_what_is_not_desired_of_a_plan_that_is_on_is_sent_unchanged(arm: ResourceManagerDouble) -> None:
    kept = {"additionalExtensionProperties": {"ExclusionTags": [{"key": "scan", "value": "no"}]}}
    is_on(arm, extension(SCAN, on=True, **kept), extension(DATA, on=True), subPlan="P2", enforce="True")
    run(arm, extensions=[{"name": DATA, "enabled": False}])
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
    assert run(arm, extensions=[{"name": DATA, "properties": {"Cap": 5000}}])["changed"] is False
    done = run(arm, extensions=[{"name": DATA, "properties": {"Cap": 100}}])
    assert properties(arm.puts[0])["extensions"][0]["additionalExtensionProperties"] == {"Cap": "100", "Other": "1"}
    assert done["drift"][0]["field"] == f"properties of extension {DATA}"


def test_a_plan_that_is_switched_on_gets_only_the_desired_state(arm: ResourceManagerDouble) -> None:
    arm.has(
        PATH,
        pricingTier="Free",
        extensions=[{"name": SCAN, "isEnabled": "False"}, {"name": DATA, "isEnabled": "False"}],
    )
    run(arm, extensions=[{"name": DATA}])
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
    done = run(arm, extensions=[{"name": DATA, "enabled": False}])
    assert [properties(body).get("enforce") for body in arm.puts] == [None, *["True"] * refusals]
    low, high = (11.9, 12.1) if headers else (14.9, 30)
    assert low <= sum(clock.naps) <= high
    assert done.progress
    assert "waiting for another update of the plans of subscription" in done.progress[0]


def test_another_update_that_does_not_settle_is_an_error(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    arm.script(f"PUT {PATH}", *[error("Conflict", "try later", 409)] * 9)
    with pytest.raises(EngineError, match=r"has not ended within 60 s \(Conflict: try later\).*wait_timeout"):
        run(arm, wait_timeout=60)


def test_a_failed_extension_within_success_is_a_failure_that_names_it(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")

    def fail(document: dict[str, Any]) -> None:
        failed = extension(SCAN, on=False, code="Failed", message="no right to assign roles")
        document["properties"]["extensions"] = [failed, extension(DATA, on=True)]

    arm.changes = fail
    with pytest.raises(EngineError) as raised:
        run(arm)
    assert f"extension {SCAN} -> Failed: no right to assign roles. Kept: tier Standard, {DATA} on" in str(raised.value)
    # It is not forgotten: if desired, it is tried again; else it is warned of.
    assert any("has the status Failed" in warning for warning in run(arm).warnings)
    arm.changes = None
    assert run(arm, extensions=[{"name": SCAN}])["drift"][0]["before"] == "failed: no right to assign roles"


def test_switching_off_reports_what_stops(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(SCAN, on=True), extension(DATA, on=False))
    arm.has(f"{SCOPE}{SECURITY}/integrations/1", displayName="prod-itsm")
    done = run(arm, tier="Free", check_mode=True)
    (warning,) = done.warnings
    assert f"extension {SCAN}, governance rules, the ServiceNow integration prod-itsm with its tickets" in warning
    assert DATA not in warning
    run(arm, tier="Free")
    assert arm.puts == [{"properties": {"pricingTier": "Free"}}]
    assert run(arm, tier="Free").warnings == []


def test_what_the_platform_drops_is_an_error(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(DATA, on=True))
    arm.changes = lambda document: document["properties"].update(extensions=[extension(DATA, on=True)])
    with pytest.raises(EngineError, match="extension Unheard is False, not True"):
        run(arm, extensions=[{"name": "Unheard"}])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "Nothing"}, "has no plan 'Nothing'"),
        ({"tier": "Free", "extensions": [{"name": SCAN}]}, "belong to tier Standard"),
        ({"extensions": [{"name": SCAN}, {"name": SCAN}]}, "lists an extension twice"),
        ({"scope": "/providers/Microsoft.Management/managementGroups/acme"}, "here it must be a subscription"),
    ],
)
def test_invalid_input_is_refused(arm: ResourceManagerDouble, options: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        run(arm, **options)
    assert not arm.writes


def test_a_subscription_that_is_not_there_is_named(arm: ResourceManagerDouble) -> None:
    arm.script(f"GET {PATH}", error("SubscriptionNotFound", "The subscription could not be found", 404))
    with pytest.raises(Refused, match="Check the subscription's id"):
        run(arm)


# -- costs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_billed_plan_is_not_turned_on_without_consent(arm: ResourceManagerDouble, *, check_mode: bool) -> None:
    arm.has(PATH, pricingTier="Free")
    found = run(arm, accept_costs=False, extensions=[{"name": DATA}], check_mode=check_mode)
    assert (found["changed"], arm.writes) == (False, [])
    assert [(entry["field"], entry["before"], entry["after"]) for entry in found["drift"]] == [
        ("tier", "Free", "Standard"),
        (f"extension {DATA}", False, True),
    ]
    (step,) = found["manual_steps"]
    assert "bills it" in step["reason"]
    assert step["values"] == {"servicenow_defender_accept_costs": "true"}
    assert found["plan"]["tier"] == "Free"


def test_a_plan_that_is_on_needs_no_consent(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(DATA, on=True))
    done = run(arm, accept_costs=False, extensions=[{"name": DATA, "enabled": False}])
    assert (done["changed"], done["manual_steps"], len(arm.puts)) == (True, [], 1)
    assert run(arm, accept_costs=False, tier="Free")["changed"] is True


# -- extensions -------------------------------------------------------------------------------------------------------


MALWARE = "OnUploadMalwareScanning"


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_costs_more_than_the_plan_waits_for_consent_and_the_rest_is_changed(
    arm: ResourceManagerDouble, *, check_mode: bool
) -> None:
    is_on(arm, extension(SCAN, on=False), extension(MALWARE, on=False), subPlan="P1")
    wanted = {"sub_plan": "P2", "extensions": [{"name": SCAN}, {"name": MALWARE}]}
    found = run(arm, accept_costs=False, check_mode=check_mode, **wanted)
    assert {entry["field"] for entry in found["drift"]} == {"sub_plan", f"extension {SCAN}", f"extension {MALWARE}"}
    (step,) = found["manual_steps"]
    assert step["title"].endswith(f": extension {MALWARE}, sub_plan")
    assert step["values"] == {"servicenow_defender_accept_costs": "true"}
    assert found["plan"]["sub_plan"] == "P1"
    assert {entry["name"]: entry["enabled"] for entry in found["plan"]["extensions"]} == {SCAN: True, MALWARE: False}
    if check_mode:
        assert not arm.writes
        return
    (put,) = arm.puts
    assert put["properties"]["subPlan"] == "P1"
    assert {e["name"]: e["isEnabled"] for e in put["properties"]["extensions"]} == {SCAN: "True", MALWARE: "False"}
    again = run(arm, accept_costs=False, **wanted)
    assert (again["changed"], len(again["manual_steps"]), len(arm.puts)) == (False, 1, 1)
    assert run(arm, **wanted)["plan"]["sub_plan"] == "P2"


@pytest.mark.parametrize(
    ("properties", "options"),
    [
        ({"subPlan": "P2"}, {"sub_plan": "p1"}),
        ({"extensions": [extension(MALWARE, on=True)]}, {"extensions": [{"name": MALWARE, "enabled": False}]}),
        ({"extensions": [extension(DATA, on=False)]}, {"extensions": [{"name": DATA}]}),
    ],
)
def test_what_costs_less_or_is_included_needs_no_consent(
    arm: ResourceManagerDouble, properties: dict[str, Any], options: dict[str, Any]
) -> None:
    arm.has(PATH, pricingTier="Standard", **{"extensions": [], **properties})
    done = run(arm, accept_costs=False, **options)
    assert (done["changed"], done["manual_steps"]) == (True, [])


def test_an_extension_is_turned_off_without_its_properties(arm: ResourceManagerDouble) -> None:
    kept = {"additionalExtensionProperties": {"Cap": "5000"}}
    is_on(arm, extension(DATA, on=True, **kept), extension(SCAN, on=False, **kept))
    wanted = [{"name": DATA, "enabled": False, "properties": {"Cap": 100}}]
    run(arm, extensions=wanted)
    off = [{"name": name, "isEnabled": "False"} for name in (DATA, SCAN)]
    assert properties(arm.puts[0])["extensions"] == off
    assert run(arm, extensions=wanted)["changed"] is False


def test_what_turning_on_enables_against_the_request_is_turned_off_by_a_second_one(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")

    def enable_all(document: dict[str, Any]) -> None:
        arm.changes = None
        document["properties"]["extensions"] = [extension(SCAN, on=True), extension(DATA, on=True)]

    arm.changes = enable_all
    done = run(arm, extensions=[{"name": SCAN, "enabled": False}])
    assert done["changed"] is True
    assert [properties(body)["extensions"][0]["isEnabled"] for body in arm.puts] == ["False", "False"]
    states = {entry["name"]: entry["enabled"] for entry in done["plan"]["extensions"]}
    assert states == {SCAN: False, DATA: True}
    assert run(arm, extensions=[{"name": SCAN, "enabled": False}])["changed"] is False


def test_an_extension_that_stays_on_is_an_error_in_the_platforms_terms(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    arm.changes = lambda document: document["properties"].update(extensions=[extension(SCAN, on=True)])
    with pytest.raises(EngineError, match=f"extension {SCAN} is True, not False.*policy of the tenant") as raised:
        run(arm, extensions=[{"name": SCAN, "enabled": False}])
    assert "business rule" not in str(raised.value)
    assert len(arm.puts) == 2


# -- as recorded ------------------------------------------------------------------------------------------------------


def test_properties_are_sent_as_text_also_where_the_platform_has_none_yet(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="Free")
    tags = [{"key": "env", "value": "dev"}]
    wanted = [{"name": SCAN, "properties": {"Cap": 6000, "Deep": True, "Tags": tags}}]
    run(arm, extensions=wanted)
    sent = properties(arm.puts[0])["extensions"][0]["additionalExtensionProperties"]
    assert sent == {"Cap": "6000", "Deep": "True", "Tags": '[{"key":"env","value":"dev"}]'}
    assert run(arm, extensions=wanted)["changed"] is False


@pytest.mark.parametrize("found", ['[{"key":"env","value":"dev"}]', '[ {"value": "dev", "key": "env"} ]'])
@pytest.mark.parametrize("wanted", [[{"key": "env", "value": "dev"}], '[{"key": "env","value": "dev"}]'])
def test_a_structure_is_compared_by_its_meaning(arm: ResourceManagerDouble, found: str, wanted: Any) -> None:
    is_on(arm, extension(SCAN, on=True, additionalExtensionProperties={"ExclusionTags": found}))
    assert run(arm, extensions=[{"name": SCAN, "properties": {"ExclusionTags": wanted}}])["changed"] is False


def test_names_are_compared_without_regard_to_case(arm: ResourceManagerDouble) -> None:
    is_on(arm, extension(SCAN, on=True), extension(DATA, on=True), subPlan="P2")
    assert run(arm, sub_plan="p2", extensions=[{"name": SCAN.lower()}, {"name": DATA.upper()}])["changed"] is False
    run(arm, extensions=[{"name": SCAN.upper(), "enabled": False}])
    assert [entry["name"] for entry in properties(arm.puts[0])["extensions"]] == [SCAN, DATA]
    with pytest.raises(InvalidInput, match="lists an extension twice"):
        run(arm, extensions=[{"name": SCAN}, {"name": SCAN.lower()}])


def test_a_tier_in_lower_case_is_the_same_tier(arm: ResourceManagerDouble) -> None:
    arm.has(PATH, pricingTier="standard", extensions=[extension(SCAN, on=True)])
    assert run(arm, extensions=[{"name": SCAN}])["changed"] is False


@pytest.mark.parametrize("tier", ["Standard", "Free"])
def test_a_deprecated_plan_is_warned_of(arm: ResourceManagerDouble, tier: str) -> None:
    arm.has(PATH, pricingTier=tier, deprecated=True, replacedBy=["Containers"])
    (warning,) = run(arm).warnings
    assert "is deprecated" in warning
    assert "use Containers instead" in warning
    assert ("Microsoft refuses to turn it on" in warning) == (tier == "Free")


@pytest.mark.parametrize(
    ("name", "old", "new"), [("keyvaults", "pertransaction", "PerKeyVault"), ("Arm", "PerApiCall", "PerSubscription")]
)
def test_a_deprecated_sub_plan_is_warned_of(arm: ResourceManagerDouble, name: str, old: str, new: str) -> None:
    arm.has(PATH.replace("CloudPosture", name), pricingTier="Standard", subPlan=old)
    (warning,) = run(arm, name=name).warnings
    assert warning.endswith(f"sub plan {old} is deprecated; use {new} instead")


def test_foundational_cspm_needs_no_consent_and_may_be_missing(arm: ResourceManagerDouble) -> None:
    wanted = {"name": "FoundationalCspm", "tier": "Standard"}
    unlisted = arm.run(mdc_plan, **wanted)
    assert (unlisted["changed"], unlisted["drift"]) == (False, [])
    (unproven,) = unlisted["unproven"]
    assert "does not list this plan" in unproven["reason"]
    arm.has(PATH.replace("CloudPosture", "FoundationalCspm"), pricingTier="Free")
    done = arm.run(mdc_plan, **wanted)
    assert ([entry["after"] for entry in done["drift"]], done["manual_steps"]) == (["Standard"], [])
    assert arm.puts == [{"properties": {"pricingTier": "Standard"}}]
    assert arm.run(mdc_plan, **wanted)["drift"] == []
