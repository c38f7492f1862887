# SPDX-License-Identifier: GPL-3.0-or-later
"""Integrations with ServiceNow according to the draft, and Resource Graph.

See docs/facts/defender_for_cloud.md#integrations, docs/facts/defender_for_cloud.md#resource-graph.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.arm_client import DUE, GOVERNANCE, INTEGRATIONS, SECURITY, ArmClient, Json, refusal
from tests.unit.sandbox.client import RestClient
from tests.unit.sandbox.tenant_client import wait
from tests.unit.sandbox.test_arm_governance import FIRST, RULES, SECOND, rule, run

MakeArm = Callable[..., ArmClient]
PATH = f"{SECURITY}/integrations"


def credentials(instance: RestClient) -> Json:
    """The credentials of an integration."""
    known = instance.application(f"mdc-{uuid.uuid4()}")
    return {
        "instanceUrl": instance.url,
        "userName": instance.access.admin_username,
        "password": instance.access.admin_password,
        "clientId": known["client_id"],
        "clientSecret": known["client_secret"],
    }


def integration(details: Json | None = None, **changes: Any) -> Json:
    more = {"integrationPlatform": "ServiceNow", **({"authenticationDetails": details} if details else {})}
    return {"displayName": "prod-itsm", "integrationType": "ServiceNow", "additionalData": more, **changes}


FAKE = {
    "instanceUrl": "https://acme.service-now.com",
    "userName": "svc_mdc",
    "password": "s3cret-1",
    "clientId": "id-1",
    "clientSecret": "s3cret-2",
}


def test_an_integration_never_returns_its_credentials(arm: ArmClient) -> None:
    path = f"{arm.subscription}{PATH}/{FIRST}"
    made = arm.put(path, integration(FAKE, futureThing={"a": 1}), INTEGRATIONS, 201)
    assert made["id"] == path.lstrip("/") and made["properties"]["futureThing"] == {"a": 1}
    assert made["properties"]["integrationRootDetails"] == {"resourceId": path.lstrip("/"), "distance": 0}
    assert made["properties"]["additionalData"]["tablesConfigurations"][0]["isMandatory"] is True
    shown = arm.request("GET", path, version=INTEGRATIONS)
    assert shown.json() == made and "s3cret" not in shown.text and "svc_mdc" not in shown.text
    (state,) = arm.sandbox.tenant_state("integrations")
    assert "s3cret" not in str(state) and "password" in state["holds"]
    arm.put(path, integration(displayName="Other"), INTEGRATIONS)
    assert arm.sandbox.tenant_state("integrations")[0]["holds"] == [], "without credentials it loses them"
    arm.sandbox.turn_tenant(bare_ids=False)
    assert arm.get_json(path, INTEGRATIONS)["id"] == path


def test_a_second_put_without_credentials_depends_on_the_knob(make_arm: MakeArm) -> None:
    arm = make_arm(plan="Standard", integration_reput="keeps")
    path = f"{arm.subscription}{PATH}/{FIRST}"
    arm.put(path, integration(FAKE), INTEGRATIONS, 201)
    arm.put(path, integration(), INTEGRATIONS)
    assert "password" in arm.sandbox.tenant_state("integrations")[0]["holds"]
    arm.sandbox.turn_tenant(integration_reput="refused")
    assert refusal(arm.request("PUT", path, {"properties": integration()}, version=INTEGRATIONS))[0] == 400


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": ""},
        {"integrationType": "Jira"},
        {"additionalData": {}, "isDisabled": "no"},
        {"additionalData": {"x": 1}},
    ],
)
def test_an_invalid_integration_is_refused(arm: ArmClient, change: Json) -> None:
    path = f"{arm.subscription}{PATH}/{FIRST}"
    assert refusal(arm.request("PUT", path, {"properties": integration(**change)}, version=INTEGRATIONS))[0] == 400
    assert refusal(arm.request("PUT", f"{path}-x", {"properties": integration()}, version=INTEGRATIONS))[0] == 400


def test_inherited_integrations_are_listed_with_their_root(arm: ArmClient) -> None:
    arm.put(f"{arm.group}{PATH}/{FIRST}", integration(FAKE, includeMembersInScopes=True), INTEGRATIONS, 201)
    arm.put(f"{arm.subscription}{PATH}/{SECOND}", integration(FAKE), INTEGRATIONS, 201)
    rows = {row["name"]: row for row in arm.list_all(f"{arm.subscription}{PATH}", INTEGRATIONS)}
    roots = {name: row["properties"]["integrationRootDetails"]["distance"] for name, row in rows.items()}
    assert roots == {FIRST: 1, SECOND: 0}
    assert "managementGroups" in rows[FIRST]["properties"]["integrationRootDetails"]["resourceId"]
    assert arm.list_all(f"{arm.aws}{PATH}", INTEGRATIONS) == [], "a connector needs one of its own"
    assert arm.request("DELETE", f"{arm.subscription}{PATH}/{FIRST}", version=INTEGRATIONS).status_code == 204
    excluded = integration(FAKE, includeMembersInScopes=True, excludedScopes=[arm.subscription])
    arm.put(f"{arm.group}{PATH}/{FIRST}", excluded, INTEGRATIONS)
    assert [row["name"] for row in arm.list_all(f"{arm.subscription}{PATH}", INTEGRATIONS)] == [SECOND]


def test_the_plan_is_required(make_arm: MakeArm) -> None:
    arm = make_arm(plan="Free")
    answer = arm.request(
        "PUT", f"{arm.subscription}{PATH}/{FIRST}", {"properties": integration(FAKE)}, version=INTEGRATIONS
    )
    assert refusal(answer)[0] == 403
    arm.turn_plan_on()
    arm.put(f"{arm.subscription}{PATH}/{FIRST}", integration(FAKE), INTEGRATIONS, 201)


def test_deleting_an_integration_deletes_its_assignments(arm: ArmClient) -> None:
    path = f"{arm.subscription}{PATH}/{FIRST}"
    arm.put(path, integration(FAKE), INTEGRATIONS, 201)
    for number, link in enumerate(("https://acme.service-now.com/a", "https://other.example/b")):
        properties = {"remediationDueDate": DUE, "additionalData": {"ticketLink": link}}
        arm.put(f"{arm.findings()[number]['id']}/governanceAssignments/{FIRST}", properties, GOVERNANCE, 201)
    started = arm.request("DELETE", path, version=INTEGRATIONS)
    assert started.status_code == 202
    assert arm.wait_finished(started.headers["Location"]).status_code == 204
    assert refusal(arm.request("GET", path, version=INTEGRATIONS))[0] == 404
    (left,) = arm.sandbox.tenant_state("assignments")
    assert left["properties"]["additionalData"]["ticketLink"] == "https://other.example/b"
    assert arm.request("DELETE", path, version=INTEGRATIONS).status_code == 204


def test_the_connection_test_signs_in_to_the_instance(arm: ArmClient, instance: RestClient) -> None:
    path = f"{arm.subscription}{SECURITY}/getIntegrationTablesConfigurations"
    details = credentials(instance)

    def tried(**changes: str) -> Json:
        answer = arm.request("POST", path, {**details, **changes}, version=INTEGRATIONS)
        assert answer.status_code == 200 and answer.headers["x-ms-request-id"], answer.text
        content: Json = answer.json()
        return content

    good = tried()
    assert (good["authenticationSucceeded"], good["errorType"], good["errorDescription"]) == (True, "None", "")
    columns = good["serviceNowTablesConfigurations"]
    assert {each["table"] for each in columns} == {"Incident", "Problem", "ChangeRequest"}
    assert {"short_description", "assigned_to"} <= {each["serviceNowKey"] for each in columns}
    for wrong in ({"password": "no"}, {"clientSecret": "no"}, {"instanceUrl": "https://acme.service-now.com"}):
        content = tried(**wrong)
        assert (content["authenticationSucceeded"], content["errorType"]) == (False, "WrongCredentials")
    instance.user("agent", "Made-up-1", roles=["itil"])
    instance.user("plain", "Made-up-1", roles=[])
    assert tried(userName="agent", password="Made-up-1")["errorType"] == "None"
    assert tried(userName="plain", password="Made-up-1")["errorType"] == "UserUnauthorized"
    arm.sandbox.turn_tenant(integration_reads="dictionary")
    assert tried(userName="agent", password="Made-up-1")["errorType"] == "UserUnauthorized"
    assert {"assignment_group"} <= {each["serviceNowKey"] for each in tried()["serviceNowTablesConfigurations"]}
    assert refusal(arm.request("POST", path, {"userName": "x"}, version=INTEGRATIONS))[0] == 400
    arm.sandbox.turn_tenant(connection_test=False)
    answer = arm.request("POST", path, details, version=INTEGRATIONS)
    assert refusal(answer) == (404, "InvalidResourceType")


def test_users_and_groups_come_from_the_instance(arm: ArmClient, instance: RestClient) -> None:
    path = f"{arm.subscription}{PATH}/{FIRST}"
    arm.put(path, integration(credentials(instance)), INTEGRATIONS, 201)
    instance.sandbox.tamper(
        instance.name, "sys_user_group", {"name": "Cloud team", "email": "c@example.com"}, insert=True
    )
    groups = arm.request("POST", f"{path}/groups", "Cloud t", version=INTEGRATIONS).json()
    assert groups == [{"name": "Cloud team", "email": "c@example.com", "description": ""}]
    users = arm.request("POST", f"{path}/users", "", version=INTEGRATIONS).json()
    assert len(users) > 1 and set(users[0]) == {"name", "email"}
    assert refusal(arm.request("POST", f"{path}/users", {"prefix": "x"}, version=INTEGRATIONS))[0] == 400


def test_the_tenant_creates_tickets_with_the_knob(make_arm: MakeArm, instance: RestClient) -> None:
    arm = make_arm(plan="Standard", vendor_tickets=True, operation_seconds=0.0)
    arm.put(f"{arm.subscription}{PATH}/{FIRST}", integration(credentials(instance)), INTEGRATIONS, 201)
    path = f"{arm.subscription}{RULES}/{SECOND}"
    arm.put(path, rule("High", ruleType="ServiceNow"), GOVERNANCE, 201)
    run(arm, path)

    def tickets() -> list[Json]:
        rows = arm.sandbox.tenant_state("assignments")
        return [row["properties"].get("additionalData", {}) for row in rows]

    wait(lambda: len(tickets()) > 1 and all("ticketNumber" in each for each in tickets()))
    incidents = {row["number"]: row for row in instance.rows("incident", "correlation_idSTARTSWITH/subscriptions")}
    assert {f"INC{each['ticketNumber']:07d}" for each in tickets()} == set(incidents)
    first = next(iter(incidents.values()))
    instance.sandbox.tamper(instance.name, "incident", {"state": "7"}, match={"sys_id": first["sys_id"]})
    arm.sandbox.sync_tenant()
    wait(lambda: sorted({each["ticketStatus"] for each in tickets()}) == ["Closed", "New"])
    run(arm, path)
    assert len(instance.rows("incident", "correlation_idSTARTSWITH/subscriptions")) == len(incidents)


def graph(arm: ArmClient, query: str, **more: Any) -> Json:
    url = "/providers/Microsoft.ResourceGraph/resources"
    answer = arm.request("POST", url, {"query": query, **more}, version="2021-03-01")
    assert answer.status_code == 200, answer.text
    content: Json = answer.json()
    return content


def test_resource_graph_returns_readable_rows(arm: ArmClient) -> None:
    query = """
        securityresources
        | where type == "microsoft.security/assessments"
        | where properties.status.code == "Unhealthy" and properties.metadata.severity =~ "high"
        | project id, code = properties.status.code, source = properties.resourceDetails.Source, subscriptionId
        | order by id asc
    """
    content = graph(arm, query, subscriptions=[arm.known["azure_subscription_id"]])
    assert content["count"] == content["totalRecords"] == len(content["data"]) > 3
    assert {row["source"] for row in content["data"]} == {"Azure", "Aws", "Gcp"}
    first = graph(arm, query, options={"$top": 2})
    second = graph(arm, query, options={"$top": 2, "$skipToken": first["$skipToken"]})
    assert [row["id"] for row in first["data"] + second["data"]] == sorted(
        {row["id"] for row in first["data"] + second["data"]}
    )
    finding = arm.findings()[0]
    arm.put(f"{finding['id']}/governanceAssignments/{FIRST}", {"remediationDueDate": DUE}, GOVERNANCE, 201)
    arm.put(f"{arm.subscription}{PATH}/{FIRST}", integration(FAKE), INTEGRATIONS, 201)
    (row,) = graph(arm, "securityresources | where type has 'governanceassignments'")["data"]
    assert row["properties"]["assignedResourceId"] == finding["id"].lower()
    found = graph(arm, "securityresources | where type == 'microsoft.security/integrations'")
    assert len(found["data"]) == 1 and "s3cret" not in str(found)
    answer = arm.request(
        "POST", "/providers/Microsoft.ResourceGraph/resources", {"query": "nothing | x"}, version="2021-03-01"
    )
    assert refusal(answer) == (400, "BadRequest") and "nothing" in answer.text
    arm.sandbox.turn_tenant(azure_role="none", azure_roles={arm.subscription: "Security Reader"})
    subscriptions = {row["subscriptionId"] for row in graph(arm, "securityresources | project subscriptionId")["data"]}
    assert subscriptions <= {arm.known["azure_subscription_id"], ""}
