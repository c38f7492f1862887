# SPDX-License-Identifier: GPL-3.0-or-later
"""Assessments, their metadata, and governance assignments.

See docs/facts/defender_for_cloud.md#assessments, docs/facts/defender_for_cloud.md#assessment-metadata,
docs/facts/defender_for_cloud.md#governance-assignments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.process import SandboxError
from tests.unit.sandbox.arm_client import ASSESSMENTS, DUE, GOVERNANCE, SECURITY, ArmClient, refusal

MakeArm = Callable[..., ArmClient]
KEY = "6634ff9f-127b-4bf2-8e6e-b1737f5e789c"
WITH = f"{SECURITY}/assessments"


def assignment(finding: dict[str, Any]) -> str:
    """The path of an assignment of a finding."""
    return f"{finding['id']}/governanceAssignments/{KEY}"


def test_findings_come_in_pages_and_are_the_same_for_the_same_seed(make_arm: MakeArm) -> None:
    arm = make_arm(arm_page=5)
    first = arm.get_json(f"{arm.subscription}{WITH}", ASSESSMENTS)
    assert len(first["value"]) == 5 and first["nextLink"].startswith(f"{arm.known['azure_arm_url']}{arm.subscription}")
    rows = arm.list_all(f"{arm.subscription}{WITH}", ASSESSMENTS)
    assert len({row["id"] for row in rows}) == len(rows) > 12
    codes = [row["properties"]["status"]["code"] for row in rows]
    assert (codes.count("Unhealthy"), set(codes)) == (12, {"Unhealthy", "Healthy", "NotApplicable"})
    assert {row["properties"]["resourceDetails"]["source"] for row in rows} == {"Azure", "Aws", "Gcp"}
    again = make_arm()
    assert again.list_all(f"{again.subscription}{WITH}", ASSESSMENTS) == rows
    assert len(arm.findings(arm.group)) == 24, "both subscriptions"
    assert refusal(arm.request("GET", f"{arm.subscription}{WITH}", version=ASSESSMENTS, skipToken="x"))[0] == 400


def test_two_thousand_findings_of_ten_subscriptions(make_arm: MakeArm) -> None:
    arm = make_arm(subscriptions=10, findings=200)
    assert len(arm.findings(arm.group)) == 2000
    assert len(arm.known["azure_subscription_ids"]) == 10
    routes = arm.sandbox.requests("tenant")["routes"]
    assert routes["GET /arm/{scope}/providers/Microsoft.Security/assessments"] == 12


def test_links_and_metadata_are_expanded_on_request(arm: ArmClient) -> None:
    row = arm.findings()[0]
    assert {"links", "metadata"}.isdisjoint(arm.get_json(row["id"], ASSESSMENTS)["properties"])
    metadata = arm.get_json(row["id"], ASSESSMENTS, expand="metadata")["properties"]["metadata"]
    assert (metadata["displayName"], metadata["severity"]) == (row["properties"]["displayName"], "High")
    assert (
        "portal.azure.com"
        in arm.get_json(row["id"], ASSESSMENTS, expand="links")["properties"]["links"]["azurePortalUri"]
    )
    assert refusal(arm.request("GET", row["id"], version=ASSESSMENTS, expand="all"))[0] == 400
    for scope in ("", arm.subscription):
        found = arm.get_json(f"{scope}{SECURITY}/assessmentMetadata/{row['name']}", ASSESSMENTS)
        assert found["properties"] == metadata
    severities = {
        version: {each["properties"]["severity"] for each in arm.list_all(f"{SECURITY}/assessmentMetadata", version)}
        for version in (ASSESSMENTS, "2021-06-01")
    }
    assert severities[ASSESSMENTS] == severities["2021-06-01"] | {"Critical"}


def test_older_versions_return_less(arm: ArmClient) -> None:
    row_id = arm.findings()[0]["id"]
    assert "risk" in arm.get_json(row_id, ASSESSMENTS)["properties"]
    assert "risk" not in arm.get_json(row_id, "2021-06-01")["properties"]
    assert set(arm.get_json(row_id, "2020-01-01")["properties"]["status"]) == {"code"}


def test_a_custom_finding_needs_its_metadata_first(arm: ArmClient) -> None:
    path = f"{arm.subscription}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1{WITH}/own-1"
    finding = {"resourceDetails": {"source": "Azure"}, "status": {"code": "Unhealthy"}}
    assert refusal(arm.request("PUT", path, {"properties": finding}, version=ASSESSMENTS)) == (400, "BadRequest")
    about = {"displayName": "Own", "severity": "Low", "assessmentType": "CustomerManaged"}
    arm.put(f"{arm.subscription}{SECURITY}/assessmentMetadata/own-1", about, ASSESSMENTS)
    made = arm.put(path, finding, ASSESSMENTS, 201)["properties"]
    assert made["displayName"] == "Own"
    same = arm.put(path, finding, ASSESSMENTS)["properties"]["status"]
    assert same == made["status"]
    healed = arm.put(path, {**finding, "status": {"code": "Healthy"}}, ASSESSMENTS)["properties"]["status"]
    assert healed["firstEvaluationDate"] == made["status"]["firstEvaluationDate"]
    assert healed["statusChangeDate"] > made["status"]["statusChangeDate"]
    wrong = {**finding, "status": {"code": "Fine"}}
    assert refusal(arm.request("PUT", path, {"properties": wrong}, version=ASSESSMENTS))[0] == 400
    assert [arm.request("DELETE", path, version=ASSESSMENTS).status_code for _ in range(2)] == [200, 204]
    assert refusal(arm.request("GET", path, version=ASSESSMENTS))[0] == 404


def test_an_assignment_carries_the_ticket(arm: ArmClient) -> None:
    finding = arm.findings()[0]
    ticket = {"ticketNumber": 10023, "ticketLink": "https://acme.service-now.com/x", "ticketStatus": "New"}
    properties = {"remediationDueDate": DUE, "owner": "ann@example.com", "additionalData": ticket}
    made = arm.put(assignment(finding), properties, GOVERNANCE, 201)
    assert made["id"] == assignment(finding) and made["type"] == "Microsoft.Security/assessments/governanceAssignments"
    assert made["properties"]["additionalData"] == ticket
    assert arm.get_json(assignment(finding), GOVERNANCE) == made
    for scope in (arm.subscription, finding["id"].split(WITH)[0]):
        assert arm.list_all(f"{scope}{WITH}/{finding['name']}/governanceAssignments", GOVERNANCE) == [made]
    replaced = arm.put(assignment(finding), {"remediationDueDate": DUE}, GOVERNANCE)
    assert {"owner", "additionalData"}.isdisjoint(replaced["properties"]), "what is not sent is gone"
    answers = [arm.request("DELETE", assignment(finding), version=GOVERNANCE).status_code for _ in range(2)]
    assert answers == [200, 204]


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"remediationDueDate": None}, "remediationDueDate"),
        ({"remediationDueDate": "tomorrow"}, "remediationDueDate"),
        ({"additionalData": {"ticketNumber": 2**31}}, "ticketNumber"),
        ({"additionalData": {"ticketNumber": -1}}, "ticketNumber"),
        ({"additionalData": {"ticketNumber": "INC0010023"}}, "ticketNumber"),
        ({"remediationEta": {"eta": DUE}}, "remediationEta"),
        ({"owner": 7}, "owner"),
    ],
)
def test_an_invalid_assignment_is_refused(arm: ArmClient, change: dict[str, Any], target: str) -> None:
    body = {"properties": {"remediationDueDate": DUE, **change}}
    answer = arm.request("PUT", assignment(arm.findings()[0]), body, version=GOVERNANCE)
    assert refusal(answer) == (400, "BadRequest")
    assert answer.json()["error"]["target"].endswith(target)


def test_an_assignment_needs_its_finding_and_the_plan(arm: ArmClient, make_arm: MakeArm) -> None:
    finding = arm.findings()[0]
    elsewhere = assignment(finding).replace(finding["name"], KEY)
    body = {"properties": {"remediationDueDate": DUE}}
    assert refusal(arm.request("PUT", elsewhere, body, version=GOVERNANCE)) == (404, "NotFound")
    without = make_arm(plan="Free")
    answer = without.request("PUT", assignment(finding), body, version=GOVERNANCE)
    assert refusal(answer)[0] == 403 and "Standard" in answer.text


def test_findings_become_healthy_appear_and_disappear(arm: ArmClient) -> None:
    finding = arm.findings()[0]
    arm.put(assignment(finding), {"remediationDueDate": DUE}, GOVERNANCE, 201)
    tamper = arm.sandbox.tamper_tenant
    match = {"_id": finding["id"]}
    assert tamper("assessments", {"status": "Healthy"}, match=match) == [finding["id"]]
    after = arm.get_json(finding["id"], ASSESSMENTS)["properties"]["status"]
    before = finding["properties"]["status"]
    assert (after["code"], after["firstEvaluationDate"]) == ("Healthy", before["firstEvaluationDate"])
    assert after["statusChangeDate"] > before["statusChangeDate"]
    tamper("assignments", {"additionalData": {"ticketNumber": 5}}, match={"name": KEY})
    assert arm.get_json(assignment(finding), GOVERNANCE)["properties"]["additionalData"] == {"ticketNumber": 5}
    tamper("assessments", match=match, delete=True)
    assert refusal(arm.request("GET", assignment(finding), version=GOVERNANCE))[0] == 404
    new = {"name": finding["name"], "scope": f"{arm.subscription}/resourceGroups/rg/providers/Microsoft.X/y/z"}
    (made,) = tamper("assessments", new, insert=True)
    assert arm.get_json(made, ASSESSMENTS)["properties"]["displayName"] == finding["properties"]["displayName"]
    with pytest.raises(SandboxError, match="status must be one of Healthy"):
        tamper("assessments", {"status": "fine"}, match={"_id": made})
    with pytest.raises(SandboxError, match="no row of assessments matches"):
        tamper("assessments", {"status": "Healthy"}, match={"_id": "none"})
    assert len(arm.sandbox.tenant_state("assessments")) > 12


def test_a_subscription_can_list_nothing_any_more(make_arm: MakeArm) -> None:
    arm = make_arm()
    before = len(arm.findings(arm.group))
    arm.sandbox.turn_tenant(emptied=[arm.known["azure_subscription_id"]])
    assert arm.findings() == []
    assert 0 < len(arm.findings(arm.group)) < before, "the other subscription still does"


def test_resource_graph_can_truncate_without_a_token(make_arm: MakeArm) -> None:
    arm = make_arm(graph_truncates=5)
    path, version = "/providers/Microsoft.ResourceGraph/resources", "2021-03-01"
    query = {"query": "securityresources | where type == 'microsoft.security/assessments'"}
    answer = arm.request("POST", path, version=version, body=query).json()
    assert (len(answer["data"]), answer["resultTruncated"]) == (5, "true")
    assert answer["totalRecords"] > 5
    assert "$skipToken" not in answer


def test_the_quota_of_resource_graph_shows_when_it_is_renewed(make_arm: MakeArm) -> None:
    arm = make_arm(graph_quota=1)
    path, version = "/providers/Microsoft.ResourceGraph/resources", "2021-03-01"
    query = {"query": "securityresources | where tostring(properties.status.code) in~ ('UNHEALTHY')"}
    answers = [arm.request("POST", path, version=version, body=query) for _call in range(3)]
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.headers["x-ms-user-quota-resets-after"] in {f"00:00:0{seconds}" for seconds in range(1, 6)}
    assert "Retry-After" not in refused.headers
    assert {row["properties"]["status"]["code"] for row in answers[0].json()["data"]} == {"Unhealthy"}


def test_links_can_name_the_default_port(make_arm: MakeArm) -> None:
    arm = make_arm(arm_page=5, default_port=True)
    first = arm.request("GET", f"{arm.subscription}{WITH}", version=ASSESSMENTS).json()
    assert first["nextLink"].startswith(f"https://management.azure.com:443{arm.subscription}/")
