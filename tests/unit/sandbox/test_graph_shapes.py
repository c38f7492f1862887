# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of Graph in the shapes in which the vendor's SDKs send them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sandbox.graph_client import GraphClient
from tests.unit.sandbox.tenant_client import TenantClient

EMPLOYEE = "employee@acme.onmicrosoft.com"
CLOUD_ADMIN = "cloud.admin@acme.onmicrosoft.com"
ADVANCED = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def graph(tenant: TenantClient) -> GraphClient:
    return GraphClient(tenant)


def test_an_action_has_a_qualified_name(graph: GraphClient) -> None:
    body = {"Query": "CloudAppEvents | take 1", "Timespan": "P1D"}
    for name in ("runHuntingQuery", "microsoft.graph.security.runHuntingQuery"):
        assert graph.call("POST", f"/security/{name}", body).status_code == 200
    revoke = f"/users/{EMPLOYEE}/microsoft.graph.revokeSignInSessions"
    assert graph.batch({"id": "1", "method": "POST", "url": revoke})["1"]["status"] == 200


def test_a_cast_selects_one_type(graph: GraphClient) -> None:
    path = f"/users/{CLOUD_ADMIN}/transitiveMemberOf"
    kinds = {row["@odata.type"] for row in graph.all(path)}
    assert kinds == {"#microsoft.graph.group", "#microsoft.graph.directoryRole"}
    for cast in ("microsoft.graph.directoryRole", "graph.directoryRole"):
        assert [row["displayName"] for row in graph.all(f"{path}/{cast}")] == ["Global Administrator"]
    assert graph.all(f"/users/{CLOUD_ADMIN}/memberOf/graph.directoryRole") == []
    assert graph.error("GET", f"{path}/graph.nothing") == (400, "BadRequest")


def test_a_number_requires_the_header_of_advanced_queries(graph: GraphClient) -> None:
    path = f"/users/{CLOUD_ADMIN}/transitiveMemberOf/microsoft.graph.directoryRole/$count"
    assert graph.error("GET", path) == (400, "Request_BadRequest")
    assert graph.call("GET", path, **ADVANCED).text == "1"
    answer = graph.call("GET", "/users/$count?$filter=accountEnabled eq false", **ADVANCED)
    assert (answer.text, answer.headers["Content-Type"]) == ("1", "text/plain")


def test_annotations_are_no_properties(graph: GraphClient) -> None:
    body = {"@odata.type": "#microsoft.graph.user", "accountEnabled": False}
    assert graph.call("PATCH", f"/users/{EMPLOYEE}", body).status_code == 204
    assert graph.get(f"/users/{EMPLOYEE}?$select=accountEnabled")["accountEnabled"] is False
    assert graph.error("PATCH", f"/users/{EMPLOYEE}", {"@odata.type": "#microsoft.graph.user"})[0] == 400


def test_parameters_of_an_action_are_read_without_regard_to_case(graph: GraphClient) -> None:
    message = {"subject": "Hello", "toRecipients": [{"emailAddress": {"address": "employee@example.com"}}]}
    path = f"/users/{CLOUD_ADMIN}/microsoft.graph.sendMail"
    assert graph.call("POST", path, {"Message": message, "SaveToSentItems": False}).status_code == 202
    assert [mail["subject"] for mail in graph.sandbox.tenant_state("mails")] == ["Hello"]


def test_unknown_routes_have_the_error_format_of_graph(graph: GraphClient) -> None:
    assert graph.error("GET", "/nowhere") == (400, "BadRequest")
    assert "'photo'" in graph.call("GET", f"/users/{EMPLOYEE}/photo").json()["error"]["message"]
    assert graph.error("DELETE", "/security/incidents") == (405, "Request_BadRequest")
    root = graph.tenant.known["azure_graph_url"]
    assert graph.error("GET", f"{root}/v3.0/users") == (400, "BadRequest")
    assert graph.call("GET", "/nowhere", Authorization="Bearer nothing").status_code == 401


def test_incidents_are_listed_with_their_alerts_and_updated(graph: GraphClient) -> None:
    merged = graph.all("/security/incidents?$filter=status eq 'redirected'")
    target = graph.get(f"/security/incidents/{merged[0]['redirectIncidentId']}?$expand=alerts")
    assert {alert["incidentId"] for alert in target["alerts"]} == {target["id"]} and len(target["alerts"]) == 2
    body = {"@odata.type": "#microsoft.graph.security.incident", "status": "resolved", "classification": "truePositive"}
    path = f"/security/incidents/{target['id']}"
    assert graph.call("PATCH", path, body).json()["status"] == "resolved"
    assert graph.call("POST", f"{path}/comments", {"comment": "Seen"}).json()["value"][0]["comment"] == "Seen"
    assert graph.error("PATCH", path, {"status": "finished"}) == (400, "BadRequest")
    assert graph.error("GET", "/security/incidents/1") == (404, "NotFound")
    assert graph.error("PATCH", path, {"determination": "harmless"}) == (400, "BadRequest")
    both = "(severity eq 'high' or severity eq 'medium') and status ne 'redirected' and displayName ne 'a (b) or c'"
    assert [row["id"] for row in graph.all(f"/security/incidents?$filter={both}")] == ["28282", "28283"]


def test_alerts_are_filtered_by_date_and_page_by_page(make_tenant: Callable[..., TenantClient]) -> None:
    graph = GraphClient(make_tenant(graph_page=2))
    every = graph.all("/security/alerts_v2")
    assert len(every) == 4
    since = every[2]["createdDateTime"]
    assert graph.all(f"/security/alerts_v2?$filter=createdDateTime ge {since}") == every[2:]
    assert graph.all(f"/security/alerts_v2?$filter=severity eq 'high' and createdDateTime lt {since}") == [every[1]]


def test_incidents_have_permissions_of_their_own(make_tenant: Callable[..., TenantClient]) -> None:
    graph = GraphClient(make_tenant(graph_permissions=["SecurityAlert.Read.All"]))
    assert graph.error("GET", "/security/incidents") == (403, "Forbidden")
    (alert, *_others) = graph.all("/security/alerts_v2")
    assert graph.error("PATCH", f"/security/alerts_v2/{alert['id']}", {"status": "resolved"}) == (403, "Forbidden")


def test_roles_and_groups_are_read_alone(graph: GraphClient) -> None:
    (first, *_others) = graph.all("/directoryRoles")
    assert graph.get(f"/directoryRoles/{first['id']}")["displayName"] == first["displayName"]
    key = f"(roleTemplateId='{first['roleTemplateId']}')"
    assert graph.get(f"/directoryRoles{key}")["id"] == first["id"]
    (group, *_others) = graph.all("/groups")
    assert graph.get(f"/groups/{group['id']}")["displayName"] == group["displayName"]
    assert graph.error("GET", "/groups/nothing") == (404, "Request_ResourceNotFound")


def test_one_score_is_read_alone(graph: GraphClient) -> None:
    newest = graph.get("/security/secureScores?$top=1")["value"][0]
    assert graph.get(f"/security/secureScores/{newest['id']}")["maxScore"] == newest["maxScore"]
    assert graph.error("GET", "/security/secureScores/nothing") == (404, "ResourceNotFound")
