# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance rules and long-running operations.

See docs/facts/defender_for_cloud.md#governance-rules, docs/facts/defender_for_cloud.md#long-running-operations.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.arm_client import ASSESSMENTS, DUE, GOVERNANCE, SECURITY, ArmClient, Json, refusal

MakeArm = Callable[..., ArmClient]
RULES = f"{SECURITY}/governanceRules"
FIRST = "ad9a8e26-29d9-4829-bb30-e597a58cdbb8"
SECOND = "4106f43c-6d82-4fc8-a92c-dcfe50799d1d"


def rule(*severities: str, **changes: Any) -> Json:
    """The properties of a rule for some severities, or for all."""
    wanted = json.dumps(severities or ["Low", "Medium", "High", "Critical"])
    condition = {"property": "$.Metadata.Severity", "operator": "In", "value": wanted}
    return {
        "displayName": "A rule",
        "rulePriority": 100,
        "ruleType": "Integrated",
        "sourceResourceType": "Assessments",
        "conditionSets": [{"conditions": [condition]}],
        "ownerSource": {"type": "Manually", "value": "ann@example.com"},
        "remediationTimeframe": "7.00:00:00",
        **changes,
    }


def run(arm: ArmClient, path: str, **body: Any) -> None:
    """Execute a rule and wait."""
    started = arm.request("POST", f"{path}/execute", body or None, version=GOVERNANCE)
    assert started.status_code == 202, started.text
    done = arm.wait_finished(started.headers["Location"])
    assert (done.status_code, done.json()) == (200, {"status": "Succeeded"})


def assigned(arm: ArmClient) -> list[Json]:
    return arm.sandbox.tenant_state("assignments")


def test_a_rule_is_written_read_listed_and_deleted(arm: ArmClient) -> None:
    path = f"{arm.subscription}{RULES}/{FIRST}"
    made = arm.put(path, rule(), GOVERNANCE, 201)
    assert made["id"] == path.lstrip("/"), "as in the vendor's examples"
    assert made["properties"]["tenantId"] == arm.known["azure_tenant_id"]
    metadata = made["properties"]["metadata"]
    changed = arm.put(path, rule(description="Changed"), GOVERNANCE)
    assert changed["properties"]["metadata"]["createdOn"] == metadata["createdOn"]
    assert changed["properties"]["metadata"]["updatedOn"] > metadata["updatedOn"]
    assert arm.get_json(path, GOVERNANCE) == changed
    assert arm.list_all(f"{arm.subscription}{RULES}", GOVERNANCE) == [changed]
    started = arm.request("DELETE", path, version=GOVERNANCE)
    assert started.status_code == 202
    assert arm.get_json(path, GOVERNANCE) == changed, "it is there until the operation is done"
    assert arm.wait_finished(started.headers["Location"]).status_code == 200
    assert refusal(arm.request("GET", path, version=GOVERNANCE)) == (404, "NotFound")
    assert arm.request("DELETE", path, version=GOVERNANCE).status_code == 204


@pytest.mark.parametrize(
    ("change", "target"),
    [
        *(({name: None}, name) for name in ("displayName", "rulePriority", "ruleType", "conditionSets", "ownerSource")),
        ({"rulePriority": 1001}, "rulePriority"),
        ({"rulePriority": "5"}, "rulePriority"),
        ({"ruleType": "Other"}, "ruleType"),
        ({"remediationTimeframe": "7 days"}, "remediationTimeframe"),
        ({"ownerSource": {"type": "Nobody"}}, "ownerSource"),
        ({"isGracePeriod": "True"}, "isGracePeriod"),
        (
            {"conditionSets": [{"property": "$.Metadata.Severity", "operator": "Equals", "value": "Low"}]},
            "conditionSets",
        ),
        ({"conditionSets": [{"conditions": [{"property": "p", "operator": "In", "value": ["x"]}]}]}, "conditionSets"),
        ({"conditionSets": [{"conditions": [{"property": "p", "operator": "Like", "value": "x"}]}]}, "conditionSets"),
    ],
)
def test_an_invalid_rule_is_refused(arm: ArmClient, change: Json, target: str) -> None:
    answer = arm.request(
        "PUT", f"{arm.subscription}{RULES}/{FIRST}", {"properties": rule(**change)}, version=GOVERNANCE
    )
    assert refusal(answer) == (400, "BadRequest")
    assert answer.json()["error"]["target"].endswith(target)


def test_names_priorities_scopes_and_the_plan(arm: ArmClient, make_arm: MakeArm) -> None:
    body = {"properties": rule()}
    answer = arm.request("PUT", f"{arm.subscription}{RULES}/my-rule", body, version=GOVERNANCE)
    assert refusal(answer) == (400, "InvalidParameter") and "ruleId" in answer.text
    arm.put(f"{arm.subscription}{RULES}/{FIRST}", rule(), GOVERNANCE, 201)
    answer = arm.request("PUT", f"{arm.subscription}{RULES}/{SECOND}", body, version=GOVERNANCE)
    assert refusal(answer) == (409, "Conflict") and "100" in answer.text
    arm.put(f"{arm.aws}{RULES}/{SECOND}", rule(), GOVERNANCE, 201)
    group = f"{arm.subscription}/resourceGroups/rg-app-1"
    assert refusal(arm.request("PUT", f"{group}{RULES}/{FIRST}", body, version=GOVERNANCE)) == (400, "InvalidScope")
    gone = arm.aws.replace("aws-prod", "aws-test")
    assert refusal(arm.request("GET", f"{gone}{RULES}", version=GOVERNANCE)) == (404, "ResourceNotFound")
    without = make_arm(plan="Free")
    assert refusal(without.request("PUT", f"{without.subscription}{RULES}/{FIRST}", body, version=GOVERNANCE))[0] == 403


def test_executing_a_rule_assigns_what_it_covers(arm: ArmClient) -> None:
    path = f"{arm.subscription}{RULES}/{FIRST}"
    arm.put(path, rule("High"), GOVERNANCE, 201)
    run(arm, path)
    high = {row["id"] for row in arm.findings() if "securityconnectors" not in row["id"]}
    high = {
        each
        for each in high
        if arm.get_json(each, ASSESSMENTS, expand="metadata")["properties"]["metadata"]["severity"] == "High"
    }
    rows = assigned(arm)
    assert {row["_id"].rpartition("/governanceAssignments/")[0] for row in rows} == high != set()
    assert {row["properties"]["owner"] for row in rows} == {"ann@example.com"}
    shown = arm.get_json(rows[0]["_id"], GOVERNANCE)
    assert shown["properties"]["remediationDueDate"] > DUE[:4]
    assert arm.request("GET", f"{path}/operationResults/{FIRST}", version=GOVERNANCE).status_code == 404


def test_a_rule_for_recommendations_on_a_connector(arm: ArmClient) -> None:
    (first, *_) = arm.findings(arm.aws)
    named = {"property": "$.AssessmentKey", "operator": "Equals", "value": first["name"]}
    path = f"{arm.aws}{RULES}/{FIRST}"
    arm.put(path, rule(conditionSets=[{"conditions": [named]}]), GOVERNANCE, 201)
    run(arm, path)
    assert {row["assessment"] for row in assigned(arm)} == {first["name"]}
    assert all("/securityconnectors/aws-prod/" in row["_id"] for row in assigned(arm))


def test_assignments_stay_unless_overridden(arm: ArmClient) -> None:
    path = f"{arm.subscription}{RULES}/{FIRST}"
    finding = next(row for row in arm.findings() if "securityconnectors" not in row["id"])
    ticket = {"ticketNumber": 7, "ticketStatus": "New"}
    mine = {"remediationDueDate": DUE, "owner": "bob@example.com", "additionalData": ticket}
    arm.put(f"{finding['id']}/governanceAssignments/{FIRST}", mine, GOVERNANCE, 201)
    arm.put(path, rule(), GOVERNANCE, 201)
    run(arm, path, override=False)
    before = {row["_id"]: row["properties"] for row in assigned(arm)}
    own = f"{finding['id']}/governanceAssignments/{FIRST}"
    assert before[own]["owner"] == "bob@example.com" and len(before) > 5
    run(arm, path, override=True)
    after = {row["_id"]: row["properties"] for row in assigned(arm)}
    assert after.keys() == before.keys()
    assert (after[own]["owner"], after[own]["additionalData"]) == ("ann@example.com", ticket)


def test_the_rule_of_higher_priority_wins(arm: ArmClient) -> None:
    weak, strong = f"{arm.subscription}{RULES}/{FIRST}", f"{arm.group}{RULES}/{SECOND}"
    arm.put(weak, rule(rulePriority=1), GOVERNANCE, 201)
    whole = rule("High", rulePriority=900, includeMemberScopes=True, excludedScopes=[])
    arm.put(strong, whole, GOVERNANCE, 201)
    assert {row["name"] for row in arm.list_all(f"{arm.subscription}{RULES}", GOVERNANCE)} == {FIRST, SECOND}
    run(arm, weak)
    severities = {"Low", "Medium", "Critical"}
    known = {row["_id"]: row for row in arm.sandbox.tenant_state("assessments")}
    found = {
        known[row["_id"].rpartition("/governanceAssignments/")[0]]["properties"]["risk"]["level"]
        for row in assigned(arm)
    }
    assert found == severities
    arm.put(strong, {**whole, "excludedScopes": [arm.subscription]}, GOVERNANCE)
    run(arm, weak)
    assert len(assigned(arm)) > len(found)
    arm.put(weak, rule(isDisabled=True, rulePriority=1), GOVERNANCE)
    for row in assigned(arm):
        arm.request("DELETE", row["_id"], version=GOVERNANCE)
    run(arm, weak)
    assert assigned(arm) == []


def test_an_operation_in_either_style(make_arm: MakeArm) -> None:
    arm = make_arm(plan="Standard", operation_style="Azure-AsyncOperation", operation_retry_after=2)
    path = f"{arm.subscription}{RULES}/{FIRST}"
    arm.put(path, rule(), GOVERNANCE, 201)
    started = arm.request("POST", f"{path}/execute", version=GOVERNANCE)
    assert started.status_code == 202 and started.headers["Retry-After"] == "2" and "Location" not in started.headers
    address = started.headers["Azure-AsyncOperation"]
    assert arm.request("GET", address).json()["status"] == "InProgress"
    arm.sandbox.turn_tenant(operation_outcome="Failed", time_shift=60.0)
    content = arm.request("GET", address).json()
    assert (content["status"], content["error"]["code"]) == ("Failed", "OperationFailed")
    assert assigned(arm) == []
    arm.sandbox.turn_tenant(operation_style="Location", operation_outcome="Canceled")
    started = arm.request("POST", f"{path}/execute", version=GOVERNANCE)
    running = arm.request("GET", started.headers["Location"])
    assert (running.status_code, running.headers["Location"]) == (202, started.headers["Location"])
    assert arm.wait_finished(started.headers["Location"]).json() == {"status": "Canceled"}


def test_a_rule_of_the_portal_has_unpublished_properties(make_arm: MakeArm) -> None:
    arm = make_arm(plan="Standard", servicenow_rules="refused bare")
    path = f"{arm.subscription}{RULES}/{FIRST}"
    bare = rule(ruleType="ServiceNow")
    assert refusal(arm.request("PUT", path, {"properties": bare}, version=GOVERNANCE))[0] == 400
    more = {"integrationId": SECOND, "ticketType": "Incident"}
    arm.sandbox.tamper_tenant(
        "rules", {**bare, "name": FIRST, "scope": arm.subscription, "additionalData": more}, insert=True
    )
    learned = arm.get_json(path, GOVERNANCE)["properties"]
    assert learned["additionalData"] == more
    arm.put(path, {**learned, "displayName": "Other"}, GOVERNANCE)
    assert arm.get_json(path, GOVERNANCE)["properties"]["additionalData"] == more
    run(arm, path)
    assert assigned(arm) == [], "the tenant creates no tickets without the knob"
