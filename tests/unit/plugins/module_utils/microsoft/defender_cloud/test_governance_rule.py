# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance rules.

See docs/facts/defender_for_cloud.md#automatic-tickets, docs/facts/defender_for_cloud.md#governance-rules.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.governance_rule_conditions import (
    read_condition,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_governance_rule
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, answer
from tests.unit.plugins.module_utils.microsoft.fake_arm import (
    SCOPE,
    SECURITY,
    Done,
    ResourceManagerDouble,
    error,
    properties,
)

RULES = f"{SCOPE}{SECURITY}/governanceRules"
KEY = "4fb67663-9ab9-475d-b026-8c544cced439"
GROUP = "/providers/Microsoft.Management/managementGroups/acme"
PORTAL = {"additionalData": {"integrationId": "i-1", "ticketType": "incident"}}
NEW: dict[str, Any] = {
    "display_name": "High",
    "priority": 100,
    "severities": ["High", "Critical"],
    "owner": {"by_tag": "owner"},
}
EXISTING: dict[str, Any] = {
    "displayName": "High",
    "rulePriority": 100,
    "ruleType": "Integrated",
    "sourceResourceType": "Assessments",
    "conditionSets": [{"conditions": [{"property": "$.AssessmentKey", "operator": "In", "value": f'["{KEY}"]'}]}],
    "ownerSource": {"type": "ByTag", "value": "owner"},
    "tenantId": "t-1",
    "metadata": {"createdBy": "somebody"},
}


def rule(arm: ResourceManagerDouble, **options: Any) -> Done:
    return arm.run(mdc_governance_rule, **options)


def has_rule(arm: ResourceManagerDouble, row_id: str = "r-1", **changes: Any) -> str:
    return arm.has(f"{RULES}/{row_id}", **{**EXISTING, **changes})


def test_a_rule_is_made_once_under_an_id_of_its_own(arm: ResourceManagerDouble) -> None:
    wanted = {
        **NEW,
        "remediation_timeframe_days": 7,
        "grace_period": True,
        "notify_manager": False,
        "description": "ours",
    }
    predicted = rule(arm, **wanted, check_mode=True)
    assert not arm.writes
    done = rule(arm, **wanted)
    (body,) = arm.puts
    assert properties(body) == {
        "displayName": "High",
        "description": "ours",
        "rulePriority": 100,
        "ruleType": "Integrated",
        "sourceResourceType": "Assessments",
        "conditionSets": [
            {
                "conditions": [
                    {"property": "properties.metadata.severity", "operator": "In", "value": '["High", "Critical"]'}
                ]
            }
        ],
        "ownerSource": {"type": "ByTag", "value": "owner"},
        "remediationTimeframe": "7.00:00:00",
        "isGracePeriod": True,
        "governanceEmailNotification": {"disableManagerEmailNotification": True},
    }
    assert (predicted["drift"], predicted["diff"], predicted["changed"]) == (done["drift"], done["diff"], True)
    assert done["governance_rule"]["id"] == arm.writes[0].rpartition("/")[2]
    assert done["governance_rule"]["owner"] == {"by_tag": "owner"}
    again = rule(arm, **wanted)
    assert (again["changed"], again["drift"], len(arm.puts)) == (False, [], 1)


def test_recommendations_are_a_text_that_holds_a_list(arm: ResourceManagerDouble) -> None:
    done = rule(arm, display_name="Keys", priority=1, recommendations=[KEY, "b"], owner={"email": "a@example.com"})
    assert properties(arm.puts[0])["conditionSets"] == [
        {"conditions": [{"property": "$.AssessmentKey", "operator": "In", "value": json.dumps([KEY, "b"])}]}
    ]
    assert properties(arm.puts[0])["ownerSource"] == {"type": "Manually", "value": "a@example.com"}
    assert done["governance_rule"]["recommendations"] == [KEY, "b"]


def test_an_answer_that_got_lost_makes_no_second_rule(arm: ResourceManagerDouble) -> None:
    path = f"{RULES}/{_id_of_new(arm)}"
    arm.documents.clear()
    arm.script(f"PUT {path}", DROPPED)
    rule(arm, **NEW)
    assert (list(arm.documents), len(arm.puts)) == ([path], 3)


def _id_of_new(arm: ResourceManagerDouble) -> str:
    rule(arm, **NEW)
    return arm.writes[-1].rpartition("/")[2]


def test_a_renamed_rule_is_not_overwritten_by_a_new_one_of_its_old_name(arm: ResourceManagerDouble) -> None:
    first = _id_of_new(arm)
    properties(arm.documents[f"{RULES}/{first}"]).update(displayName="Renamed", rulePriority=7)
    rule(arm, **NEW)
    assert sorted(properties(document)["displayName"] for document in arm.documents.values()) == ["High", "Renamed"]


def test_what_is_not_desired_stays_even_unknown_fields(arm: ResourceManagerDouble) -> None:
    mails = {"disableOwnerEmailNotification": True, "emailNotificationDayOfWeek": 1}
    path = has_rule(arm, governanceEmailNotification=mails, ruleType="ServiceNow", **PORTAL)
    done = rule(arm, display_name="High", notify_owner=True, remediation_timeframe_days=30)
    sent = properties(arm.puts[0])
    assert arm.writes == [f"PUT {path}"]
    assert sent["additionalData"] == PORTAL["additionalData"]
    assert sent["governanceEmailNotification"] == {
        "disableOwnerEmailNotification": False,
        "emailNotificationDayOfWeek": 1,
    }
    assert sent["ruleType"] == "ServiceNow"
    assert {entry["field"] for entry in done["drift"]} == {"notify_owner", "remediation_timeframe_days"}
    assert done["governance_rule"]["extra_properties"] == PORTAL
    assert done["manual_steps"] == []


def test_a_rule_made_in_the_portal_means_the_same_in_other_words(arm: ResourceManagerDouble) -> None:
    sets = [{"conditions": [{"property": "$.Metadata.Severity", "operator": "In", "value": '["Critical", "High"]'}]}]
    has_rule(arm, conditionSets=sets)
    assert rule(arm, display_name="High", severities=["High", "Critical"])["changed"] is False
    # And the path is learned by another rule of the scope.
    rule(arm, **{**NEW, "display_name": "Medium", "priority": 5, "severities": ["Medium"]})
    assert properties(arm.puts[0])["conditionSets"][0]["conditions"][0]["property"] == "$.Metadata.Severity"
    done = rule(arm, display_name="High", severities=["High", "Critical"], severity_property="$.Severity")
    assert done["drift"][0]["before"] == sets


def condition(path: str, operator: str, value: Any) -> dict[str, Any]:
    return {"conditions": [{"property": path, "operator": operator, "value": value}]}


# Notations of public clients (docs/facts/defender_for_cloud.md#governance-rules).
NOTATIONS = [
    [condition("properties.metadata.severity", "In", '["Low", "medium"]')],
    [condition("properties.metadata.severity", "In", ["Medium", "Low"])],
    [condition("Properties.Metadata.Severity", "in", "Low, Medium")],
    [condition("$.Severity", "Equals", "LOW"), condition("$.Severity", "Equals", "Medium")],
    [condition("$.Metadata.Severity", "Equals", "Low"), condition("$.Metadata.Severity", "In", ["Medium"])],
]


@pytest.mark.parametrize("sets", NOTATIONS)
def test_every_notation_of_a_severity_condition_is_understood_and_kept(arm: ResourceManagerDouble, sets: Any) -> None:
    has_rule(arm, conditionSets=sets)
    assert rule(arm, display_name="High", severities=["Low", "Medium"])["changed"] is False
    done = rule(arm, display_name="High", severities=["Low"])
    assert (done["drift"][0]["field"], done["drift"][0]["after"]) == ("severities", ["Low"])
    first = sets[0]["conditions"][0]
    operator = first["operator"].capitalize()
    value = {"Equals": "Low", "In": '["Low"]'}[operator]
    assert properties(arm.puts[0])["conditionSets"] == [condition(first["property"], operator, value)]


@pytest.mark.parametrize(
    "sets",
    [
        [condition("name", "In", f'["{KEY}"]')],
        [condition("$.name", "Equals", KEY.upper())],
        [condition("name", "In", [KEY])],
    ],
)
def test_a_recommendation_can_be_selected_by_its_name(arm: ResourceManagerDouble, sets: Any) -> None:
    has_rule(arm, conditionSets=sets)
    assert rule(arm, display_name="High", recommendations=[KEY])["changed"] is False
    rule(arm, display_name="Other", priority=5, recommendations=["b"], owner=NEW["owner"])
    sent = properties(arm.puts[0])["conditionSets"][0]["conditions"][0]
    assert (sent["property"], sent["operator"]) == tuple(
        sets[0]["conditions"][0][key] for key in ("property", "operator")
    )


@pytest.mark.parametrize(
    "sets",
    [
        None,
        [],
        [{"conditions": []}],
        [{"conditions": [{"property": "$.Cloud", "operator": "Equals", "value": "AWS"}]}],
        ["x"],
    ],
)
def test_conditions_that_options_cannot_express_are_shown_as_they_are(arm: ResourceManagerDouble, sets: Any) -> None:
    assert read_condition(sets) is None
    has_rule(arm, conditionSets=sets)
    shown = rule(arm, display_name="High")["governance_rule"]
    assert (shown["severities"], shown["recommendations"], shown["condition_sets"]) == ([], [], sets or [])


def test_a_priority_that_is_taken_is_explained(arm: ResourceManagerDouble) -> None:
    has_rule(arm, displayName="Other")
    has_rule(arm, "r-2", displayName="Another", rulePriority=101)
    with pytest.raises(InvalidInput, match="is taken by the rule 'Other'.*The next free priority is 102"):
        rule(arm, **NEW)
    assert not arm.writes
    # One of another scope does no harm.
    inherited = arm.documents.pop(f"{RULES}/r-1")
    arm.documents[f"{RULES}/r-1"] = {**inherited, "id": f"{GROUP}{SECURITY}/governanceRules/r-1"}
    assert rule(arm, **NEW)["changed"] is True


def test_ids_without_a_slash_in_front_are_the_scopes_own(arm: ResourceManagerDouble) -> None:
    path = has_rule(arm)
    arm.documents[path]["id"] = path.lstrip("/").upper()
    assert rule(arm, display_name="High", priority=100)["changed"] is False


def test_two_rules_of_one_name_are_named_and_left_alone(arm: ResourceManagerDouble) -> None:
    has_rule(arm)
    has_rule(arm, "r-2", rulePriority=3)
    with pytest.raises(InvalidInput, match=r"\(r-1, r-2\). None was changed"):
        rule(arm, display_name="High", disabled=True)
    assert not arm.writes


def test_an_inherited_rule_is_left_alone(arm: ResourceManagerDouble) -> None:
    path = has_rule(arm, rulePriority=4)
    arm.documents[path]["id"] = f"{GROUP}{SECURITY}/governanceRules/r-1"
    done = rule(arm, display_name="High", state="absent")
    assert (done["changed"], arm.writes) == (False, [])
    assert "not defined there, and was left unchanged" in done.warnings[0]
    assert "also inherits" in rule(arm, **NEW, check_mode=True).warnings[0]


def test_a_servicenow_rule_makes_a_manual_step_of_what_has_no_field(arm: ResourceManagerDouble) -> None:
    arm.has(f"{SCOPE}{SECURITY}/integrations/i-1", displayName="prod-itsm")
    wanted = {**NEW, "rule_type": "ServiceNow", "ticket_type": "change_request", "remediation_timeframe_days": 7}
    done = rule(arm, **wanted)
    (step,) = done["manual_steps"]
    assert step["values"] == {
        "Rule name": "High",
        "Scope": SCOPE,
        "Type": "ServiceNow",
        "Priority": "100",
        "Integration instance": "prod-itsm",
        "ServiceNow ticket type": "change request",
        "Condition": "By severity: High, Critical",
        "Owner": "owner",
        "Remediation timeframe": "7 days",
        "Apply grace period": "no",
    }
    assert done.warnings == []
    again = rule(arm, **wanted)
    # Drift until it is done, and no write to repair what no write can.
    assert (again["changed"], len(again["drift"]), len(again["manual_steps"]), len(arm.puts)) == (False, 1, 1, 1)
    (document,) = [document for path, document in arm.documents.items() if path.startswith(RULES)]
    properties(document).update(PORTAL)
    assert (rule(arm, **wanted)["manual_steps"], rule(arm, **wanted)["drift"]) == ([], [])


def test_a_servicenow_rule_without_an_integration_is_warned_of(arm: ResourceManagerDouble) -> None:
    (warning,) = rule(arm, **NEW, rule_type="ServiceNow", extra_properties=PORTAL).warnings
    assert "no ServiceNow integration is in effect on subscription" in warning
    assert properties(arm.puts[0])["additionalData"] == PORTAL["additionalData"]


def test_properties_are_recorded_from_a_rule_made_in_the_portal(arm: ResourceManagerDouble) -> None:
    owner = {"type": "Manually", "value": "somebody@example.com"}
    path = has_rule(
        arm, displayName="Made in the portal", rulePriority=1, ruleType="ServiceNow", ownerSource=owner, **PORTAL
    )
    wanted = {name: value for name, value in NEW.items() if name != "owner"}
    done = rule(arm, **wanted, rule_type="ServiceNow", learn_from="made in the PORTAL")
    assert properties(arm.puts[0])["additionalData"] == PORTAL["additionalData"]
    assert properties(arm.puts[0])["ownerSource"] == owner
    assert done["manual_steps"] == []
    # The teacher may go once its properties are there.
    del arm.documents[path]
    assert rule(arm, **wanted, rule_type="ServiceNow", learn_from="made in the PORTAL")["changed"] is False
    arm.documents.clear()
    with pytest.raises(InvalidInput, match="has no rule of that name or id. Create one in the portal"):
        rule(arm, **wanted, rule_type="ServiceNow", learn_from="made in the PORTAL")


def test_extra_properties_are_merged_and_compared_in_part(arm: ResourceManagerDouble) -> None:
    has_rule(arm, **PORTAL)
    assert (
        rule(arm, display_name="High", extra_properties={"additionalData": {"ticketType": "incident"}})["changed"]
        is False
    )
    done = rule(arm, display_name="High", extra_properties={"additionalData": {"ticketType": "problem"}})
    assert properties(arm.puts[0])["additionalData"] == {"integrationId": "i-1", "ticketType": "problem"}
    assert done["drift"][0]["field"] == "extra_properties.additionalData"


def test_extra_properties_that_the_platform_drops_are_an_error(arm: ResourceManagerDouble) -> None:
    arm.changes = lambda document: document["properties"].pop("additionalData", None)
    with pytest.raises(EngineError, match="returned a different value.*extra_properties.additionalData is None"):
        rule(arm, **NEW, extra_properties=PORTAL)


def operation(arm: ResourceManagerDouble, method: str, path: str, *ends: Any) -> None:
    place = f"{path.removesuffix('/execute')}/operationResults/o-1"
    arm.script(f"{method} {path}", answer(None, 202, location=f"{arm.server.url}{place}"))
    arm.script(f"GET {place}", answer(None, 202, location=f"{arm.server.url}{place}"), *ends)


def test_a_rule_runs_once_it_is_in_sync(arm: ResourceManagerDouble, clock: Clock) -> None:
    path = has_rule(arm)
    wanted = {"display_name": "High", "disabled": False, "description": "new", "execute": True}
    predicted = rule(arm, **wanted, check_mode=True)
    assert (predicted["changed"], predicted["executed"], arm.writes) == (True, True, [])
    operation(arm, "POST", f"{path}/execute", answer({"status": "Succeeded"}))
    done = rule(arm, **wanted, override=True)
    assert arm.writes == [f"PUT {path}", f"POST {path}/execute"]
    (request,) = [request for request in arm.server.received if request.method == "POST"]
    assert request.json == {"override": True}
    assert (done["changed"], done["drift"], clock.naps != []) == (True, predicted["drift"], True)
    operation(arm, "POST", f"{path}/execute", answer({"status": "Succeeded"}))
    again = rule(arm, **wanted)
    assert (again["changed"], again["drift"]) == (True, [])


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_a_run_that_fails_is_a_failure(arm: ResourceManagerDouble, status: str) -> None:
    path = has_rule(arm)
    operation(arm, "POST", f"{path}/execute", answer({"status": status}))
    with pytest.raises(EngineError, match=f"the run of governance_rule High {status.lower()}"):
        rule(arm, display_name="High", execute=True)


def test_a_run_returns_its_duration(arm: ResourceManagerDouble, clock: Clock) -> None:
    path = has_rule(arm)
    still = [answer(None, 202, location=f"{arm.server.url}{path}/operationResults/o-1")] * 4
    operation(arm, "POST", f"{path}/execute", *still, answer({"status": "Succeeded"}))
    done = rule(arm, display_name="High", execute=True)
    assert len(done.progress) >= 1
    assert done.progress[0].startswith("the run of governance_rule High: running for")


def test_a_rule_is_removed_and_the_operation_followed(arm: ResourceManagerDouble) -> None:
    path = has_rule(arm)
    assert rule(arm, display_name="High", state="absent", check_mode=True)["changed"] is True
    operation(arm, "DELETE", path, answer(None, 200))
    with pytest.raises(EngineError, match="state is 'present', not 'absent'"):
        rule(arm, display_name="High", state="absent")
    done = rule(arm, display_name="High", state="absent")
    assert (done["changed"], arm.documents) == (True, {})
    assert rule(arm, display_name="High", state="absent")["changed"] is False


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"priority": None}, "a new rule requires priority"),
        (
            {"severities": None, "owner": None},
            r"a new rule requires severities \(or risk_levels, categories, recommendations\), owner",
        ),
        ({"severities": []}, "severities must not be empty"),
        ({"severities": None, "recommendations": [f"/providers/x/{KEY}"]}, "must be names of assessments"),
        ({"owner": {"by_tag": "a", "email": "b@example.com"}}, "requires exactly one of by_tag"),
        ({"owner": {"email": "nobody"}}, "must be an e-mail address"),
        ({"extra_properties": {"ruleType": "x"}}, "has its own option"),
        ({"display_name": " "}, "display_name must not be empty"),
        ({"execute": True, "disabled": True}, "does not run"),
    ],
)
def test_invalid_input_is_refused_before_the_first_write(
    arm: ResourceManagerDouble, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        rule(arm, **{name: value for name, value in {**NEW, **changes}.items() if value is not None})
    assert not arm.writes


def test_a_refusal_names_the_action_and_who_may_do_it(arm: ResourceManagerDouble) -> None:
    path = has_rule(arm)
    arm.script(f"PUT {path}", error("AuthorizationFailed", "no write", 403))
    with pytest.raises(
        Refused, match="could not change governance_rule High.*no write.*Security Admin, Contributor or Owner"
    ):
        rule(arm, display_name="High", disabled=True)


# -- risk levels and categories: the path is known only from a rule of the scope --------------------------------------

AT_RISK: dict[str, Any] = {
    "display_name": "At risk",
    "priority": 7,
    "risk_levels": ["Critical", "High"],
    "owner": {"email": "risk@example.com"},
    "remediation_timeframe_days": 7,
}


def selects(path: str, *values: str, operator: str = "In") -> list[dict[str, Any]]:
    value = json.dumps(values) if operator == "In" else values[0]
    return [{"conditions": [{"property": path, "operator": operator, "value": value}]}]


@pytest.mark.parametrize(
    ("option", "values", "condition"),
    [
        ("risk_levels", ["Critical", "High"], "By risk level: Critical, High"),
        ("categories", ["ExposedSecrets"], "By recommendation category: ExposedSecrets"),
    ],
)
def test_a_condition_that_no_rule_shows_is_a_step_with_every_value(
    arm: ResourceManagerDouble, option: str, values: list[str], condition: str
) -> None:
    has_rule(arm)
    wanted = {name: value for name, value in AT_RISK.items() if name != "risk_levels"} | {
        option: values,
        "execute": True,
    }
    for check_mode in (True, False):
        done = rule(arm, **wanted, check_mode=check_mode)
        assert not arm.writes
        assert (done["changed"], done["executed"]) == (False, False)
        assert [entry["field"] for entry in done["drift"]] == ["state", option]
        (step,) = done["manual_steps"]
        assert step["title"] == "Create the governance rule At risk"
        assert step["values"] == {
            "Rule name": "At risk",
            "Scope": SCOPE,
            "Type": "Integrated",
            "Priority": "7",
            "Condition": condition,
            "Owner": "risk@example.com",
            "Remediation timeframe": "7 days",
            "Apply grace period": "no",
        }


def test_a_rule_of_the_portal_teaches_by_which_property_rules_select(arm: ResourceManagerDouble) -> None:
    has_rule(arm, "r-9", displayName="By hand", rulePriority=9, conditionSets=selects("$.Risk.Level", "Low"))
    done = rule(arm, **AT_RISK)
    assert properties(arm.puts[0])["conditionSets"] == selects("$.Risk.Level", "Critical", "High")
    assert (done["manual_steps"], done["governance_rule"]["risk_levels"]) == ([], ["Critical", "High"])
    assert rule(arm, **AT_RISK)["changed"] is False
    assert rule(arm, display_name="By hand", risk_levels=["Low"])["drift"] == []


def test_another_condition_stays_until_the_portal_has_set_it(arm: ResourceManagerDouble) -> None:
    path = has_rule(arm)
    done = rule(arm, display_name="High", categories=["SystemUpdate"], description="ours")
    (body,) = arm.puts
    assert (arm.writes, properties(body)["conditionSets"]) == ([f"PUT {path}"], EXISTING["conditionSets"])
    assert {entry["field"]: entry["after"] for entry in done["drift"]} == {
        "description": "ours",
        "categories": ["SystemUpdate"],
    }
    (step,) = done["manual_steps"]
    assert step["title"] == "Set the condition of the governance rule High"
    arm.server.received.clear()
    properties(arm.documents[path])["conditionSets"] = selects("metadata.recommendationCategory", "SystemUpdate")
    assert rule(arm, display_name="High", categories=["SystemUpdate"], description="ours")["drift"] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [("$.RiskFactors", "Exposure to the internet"), ("$.Categories", "Compute"), ("$.Owner", "High")],
)
def test_what_looks_alike_teaches_nothing(arm: ResourceManagerDouble, path: str, value: str) -> None:
    has_rule(arm, conditionSets=selects(path, value))
    for option, wanted in (("risk_levels", ["High"]), ("categories", ["SystemUpdate"])):
        assert rule(arm, display_name="High", **{option: wanted})["manual_steps"]
    assert not arm.writes
