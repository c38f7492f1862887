# SPDX-License-Identifier: GPL-3.0-or-later
"""Users in Graph and actions on them (docs/facts/microsoft_graph.md#user-actions)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.graph_client import GraphClient
from tests.unit.sandbox.tenant_client import Json, TenantClient

MakeTenant = Callable[..., TenantClient]
DOMAIN = "acme.onmicrosoft.com"
EMPLOYEE = f"employee@{DOMAIN}"
ADMIN = f"admin@{DOMAIN}"
STATE = "?$select=id,accountEnabled,onPremisesSyncEnabled,userType,signInSessionsValidFromDateTime"
OFF = {"accountEnabled": False}


@pytest.fixture
def graph(tenant: TenantClient) -> GraphClient:
    return GraphClient(tenant)


def test_a_user_is_found_by_id_and_by_name_and_shows_little_by_default(graph: GraphClient) -> None:
    shown = graph.get(f"/users/{EMPLOYEE.upper()}")
    assert (shown["displayName"], shown["mail"]) == ("Plain Employee", "employee@example.com")
    assert "accountEnabled" not in shown
    state = graph.get(f"/users/{shown['id']}{STATE}")
    assert (state["accountEnabled"], state["userType"], state["onPremisesSyncEnabled"]) == (True, "Member", None)
    assert graph.error("GET", f"/users/nobody@{DOMAIN}") == (404, "Request_ResourceNotFound")


def test_the_directory_has_all_kinds_of_users(graph: GraphClient) -> None:
    select = "userPrincipalName,accountEnabled,onPremisesSyncEnabled,userType"
    rows = {row["userPrincipalName"].partition("@")[0]: row for row in graph.all(f"/users?$select={select}&$top=999")}
    assert rows["former"]["accountEnabled"] is False
    assert rows["service.owner"]["onPremisesSyncEnabled"] is True
    guest = rows["partner_example.org#EXT#"]
    assert guest["userType"] == "Guest"


@pytest.mark.parametrize(
    ("test", "found"),
    [
        (f"userPrincipalName eq '{EMPLOYEE}'", ["Plain Employee"]),
        ("mail eq 'EMPLOYEE@example.com'", ["Plain Employee"]),
        ("mail eq 'employee@example.com' or mail eq 'former@example.com'", ["Plain Employee", "Former Employee"]),
        ("accountEnabled eq false", ["Former Employee"]),
        ("startswith(displayName, 'Group') and userType eq 'Member'", ["Group Member"]),
        ("displayName eq 'O''Neil'", []),
    ],
)
def test_users_are_filtered(graph: GraphClient, test: str, found: list[str]) -> None:
    assert [row["displayName"] for row in graph.all(f"/users?$filter={test}")] == found


def test_users_come_in_pages(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant(graph_page=3))
    assert len(graph.get("/users")["value"]) == 3
    assert len({row["id"] for row in graph.all("/users")}) == 10


def test_revoking_sessions_shows_in_the_time_from_which_sessions_hold(graph: GraphClient) -> None:
    before = graph.get(f"/users/{EMPLOYEE}{STATE}")
    answer = graph.call("POST", f"/users/{EMPLOYEE}/revokeSignInSessions")
    assert (answer.status_code, answer.json()["value"]) == (200, True)
    after = graph.get(f"/users/{EMPLOYEE}{STATE}")
    assert after["signInSessionsValidFromDateTime"] > before["signInSessionsValidFromDateTime"]


def test_revoking_is_delayed_and_never_affects_a_guest(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant(revoke_seconds=600.0))
    guest = "partner_example.org%23EXT%23@" + DOMAIN
    before = [graph.get(f"/users/{user}{STATE}") for user in (EMPLOYEE, guest)]
    for user in (EMPLOYEE, guest):
        assert graph.call("POST", f"/users/{user}/revokeSignInSessions").json()["value"] is True
    assert [graph.get(f"/users/{user}{STATE}") for user in (EMPLOYEE, guest)] == before
    graph.sandbox.turn_tenant(time_shift=700.0)
    after = [graph.get(f"/users/{user}{STATE}") for user in (EMPLOYEE, guest)]
    assert [after[0] == before[0], after[1] == before[1]] == [False, True]


def test_a_user_is_suspended_and_reinstated(graph: GraphClient) -> None:
    for wanted in (False, True):
        answer = graph.call("PATCH", f"/users/{EMPLOYEE}", {"accountEnabled": wanted})
        assert (answer.status_code, answer.content) == (204, b"")
        assert graph.get(f"/users/{EMPLOYEE}{STATE}")["accountEnabled"] is wanted


@pytest.mark.parametrize("user", [ADMIN, f"user.manager@{DOMAIN}", f"cloud.admin@{DOMAIN}"])
def test_a_privileged_user_requires_more_than_a_permission(graph: GraphClient, user: str) -> None:
    assert graph.error("PATCH", f"/users/{user}", OFF) == (403, "Authorization_RequestDenied")
    assert graph.get(f"/users/{user}{STATE}")["accountEnabled"] is True
    graph.sandbox.turn_tenant(application_is_privileged=True)
    assert graph.call("PATCH", f"/users/{user}", OFF).status_code == 204


def test_a_synced_user_keeps_its_on_premises_state(graph: GraphClient) -> None:
    user = f"service.owner@{DOMAIN}"
    assert graph.call("PATCH", f"/users/{user}", OFF).status_code == 204
    assert graph.get(f"/users/{user}{STATE}")["accountEnabled"] is True
    graph.sandbox.turn_tenant(synced_users="refused")
    assert graph.error("PATCH", f"/users/{user}", OFF) == (400, "Request_BadRequest")


@pytest.mark.parametrize("body", [{}, {"accountEnabled": "no"}, {"isSuspended": True}])
def test_an_invalid_change_is_refused(graph: GraphClient, body: Any) -> None:
    assert graph.error("PATCH", f"/users/{EMPLOYEE}", body) == (400, "Request_BadRequest")


READ, ENABLE, REVOKE = "User.Read.All", "User.EnableDisableAccount.All", "User.RevokeSessions.All"
DENIED = 403


@pytest.mark.parametrize(
    ("permissions", "statuses"),
    [
        ([], [DENIED, DENIED, DENIED, DENIED, DENIED]),
        ([READ], [200, DENIED, DENIED, 200, DENIED]),
        ([ENABLE], [DENIED, DENIED, DENIED, DENIED, DENIED]),
        ([READ, ENABLE], [200, 204, DENIED, 200, DENIED]),
        ([REVOKE], [DENIED, DENIED, 200, DENIED, DENIED]),
        (["User.ReadWrite.All"], [200, 204, 200, 200, DENIED]),
        (["Directory.Read.All"], [200, DENIED, DENIED, 200, 200]),
        (["RoleManagement.Read.Directory"], [DENIED, DENIED, DENIED, DENIED, 200]),
    ],
)
def test_each_call_requires_its_own_permissions(
    make_tenant: MakeTenant, permissions: list[str], statuses: list[int]
) -> None:
    graph = GraphClient(make_tenant(graph_permissions=permissions))
    user = f"/users/{EMPLOYEE}"
    calls: list[tuple[str, str, Json | None]] = [
        ("GET", user, None),
        ("PATCH", user, OFF),
        ("POST", f"{user}/revokeSignInSessions", None),
        ("GET", f"{user}/memberOf", None),
        ("GET", "/directoryRoles", None),
    ]
    assert [graph.call(*call).status_code for call in calls] == statuses
    assert graph.error("POST", f"{user}/sendMail", {}) == (403, "Authorization_RequestDenied")


def kinds(rows: list[Json]) -> list[tuple[str, Any]]:
    return [(row["@odata.type"].rpartition(".")[2], row["displayName"]) for row in rows]


def test_administrators_are_identified_by_roles_and_groups(graph: GraphClient) -> None:
    assert kinds(graph.all(f"/users/{ADMIN}/memberOf")) == [("directoryRole", "Global Administrator")]
    user = f"cloud.admin@{DOMAIN}"
    direct = graph.all(f"/users/{user}/memberOf")
    assert kinds(direct) == [("group", "Tier Zero")] and direct[0]["isAssignableToRole"] is True
    through = [("group", "Tier Zero"), ("directoryRole", "Global Administrator")]
    assert kinds(graph.all(f"/users/{user}/transitiveMemberOf")) == through
    assert kinds(graph.all(f"/users/{EMPLOYEE}/transitiveMemberOf")) == []


def test_without_the_right_to_read_roles_they_come_without_names(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant(graph_permissions=[READ]))
    rows = graph.all(f"/users/{ADMIN}/memberOf")
    assert kinds(rows) == [("directoryRole", None)] and rows[0]["id"] and rows[0]["roleTemplateId"] is None


def test_the_members_of_a_role_are_users_and_groups(graph: GraphClient) -> None:
    roles = {row["displayName"]: row for row in graph.all("/directoryRoles")}
    role = roles["Global Administrator"]
    members = [("user", "System Administrator"), ("group", "Tier Zero")]
    found = graph.all(f"/directoryRoles/{role['id']}/members")
    assert kinds(found) == members
    assert kinds(graph.all(f"/directoryRoles(roleTemplateId='{role['roleTemplateId']}')/members")) == members
    assert kinds(graph.all(f"/groups/{found[1]['id']}/members")) == [("user", "Cloud Administrator")]
    assert graph.error("GET", "/directoryRoles/none/members") == (404, "Request_ResourceNotFound")


def test_an_application_has_no_me(graph: GraphClient) -> None:
    assert graph.error("GET", "/me") == (400, "BadRequest")


def test_a_message_is_sent(graph: GraphClient) -> None:
    message = {
        "subject": "Sign in again",
        "body": {"contentType": "Text", "content": "Please"},
        "toRecipients": [{"emailAddress": {"address": "employee@example.com"}}],
    }
    assert graph.call("POST", f"/users/secadmin@{DOMAIN}/sendMail", {"message": message}).status_code == 202
    mail = graph.sandbox.tenant_state("mails")[0]
    assert (mail["from"], mail["to"], mail["subject"]) == (
        f"secadmin@{DOMAIN}",
        *(["employee@example.com"], "Sign in again"),
    )
    assert graph.error("POST", f"/users/secadmin@{DOMAIN}/sendMail", {"message": {}})[0] == 400


def test_a_batch_answers_each_call_by_itself(graph: GraphClient) -> None:
    json = {"Content-Type": "application/json"}
    found = graph.batch(
        {"id": "1", "method": "POST", "url": f"/users/{EMPLOYEE}/revokeSignInSessions"},
        {"id": "2", "method": "PATCH", "url": f"/users/{EMPLOYEE}", "headers": json, "body": OFF},
        {"id": "3", "method": "PATCH", "url": f"/users/{ADMIN}", "headers": json, "body": OFF},
        {"id": "4", "method": "GET", "url": "/users/nobody"},
        {"id": "5", "method": "GET", "url": f"/users/{EMPLOYEE}", "dependsOn": ["4"]},
        {"id": "6", "method": "GET", "url": f"/users/{EMPLOYEE}?$select=id", "dependsOn": ["1"]},
        {"id": "7", "method": "GET", "url": "/nowhere"},
    )
    assert {key: each["status"] for key, each in found.items()} == {
        "1": 200,
        "2": 204,
        "3": 403,
        "4": 404,
        "5": 424,
        "6": 200,
        "7": 400,
    }
    assert "body" not in found["2"] and found["3"]["body"]["error"]["code"] == "Authorization_RequestDenied"
    assert set(found["6"]["body"]) == {"@odata.context", "id"}


def test_a_batch_takes_twenty_calls_with_ids_of_their_own(graph: GraphClient) -> None:
    def requests(*ids: str) -> Json:
        return {"requests": [{"id": each, "method": "GET", "url": f"/users/{EMPLOYEE}"} for each in ids]}

    assert graph.call("POST", "/$batch", requests(*map(str, range(20)))).status_code == 200
    assert graph.error("POST", "/$batch", requests(*map(str, range(21)))) == (400, "BadRequest")
    assert graph.error("POST", "/$batch", requests("same", "same")) == (400, "BadRequest")
    assert graph.error("POST", "/$batch", {"requests": []}) == (400, "BadRequest")


def test_calls_in_a_batch_are_throttled_one_by_one(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant(graph_calls=2, graph_window=60.0))
    found = graph.batch(*({"id": str(each), "method": "GET", "url": f"/users/{EMPLOYEE}"} for each in range(3)))
    assert [found[key]["status"] for key in "012"] == [200, 200, 429]
    assert int(found["2"]["headers"]["Retry-After"]) > 0


def test_a_call_without_a_token_is_refused(tenant: TenantClient) -> None:
    url = f"{tenant.known['azure_graph_url']}/v1.0/users"
    assert tenant.call("GET", url).status_code == 401


def test_hunting_returns_the_user_of_an_account(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(suspects=["employee", "admin", "stranger"])
    query = "CloudAppEvents | where ActionType == 'Failed log on' | project AccountId, AccountObjectId"
    found = {row["AccountId"]: row["AccountObjectId"] for row in tenant.hunt_rows(query)}
    graph = GraphClient(tenant)
    ids = [graph.get(f"/users/{user}")["id"] for user in (EMPLOYEE, ADMIN)]
    assert found == {"employee": ids[0], "admin": ids[1], "stranger": None}


def test_users_change_out_of_band(graph: GraphClient) -> None:
    graph.sandbox.tamper_tenant("users", {"accountEnabled": False}, match={"userPrincipalName": EMPLOYEE})
    assert graph.get(f"/users/{EMPLOYEE}{STATE}")["accountEnabled"] is False
    routes = graph.sandbox.requests("tenant")["routes"]
    assert routes["GET /graph/v1.0/users/{key}"] == 1
