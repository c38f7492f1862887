# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications, their secrets and roles, according to the documentation (docs/facts/entra.md#applications)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sandbox.arm_client import AUDIENCE, ArmClient, refusal
from tests.unit.sandbox.graph_client import GraphClient
from tests.unit.sandbox.tenant_client import Json

MakeArm = Callable[..., ArmClient]
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
NAME = "5d9e7a36-1111-4000-8000-000000000001"


def made(graph: GraphClient, name: str = "ServiceNow") -> Json:
    answer = graph.call("POST", "/applications", {"displayName": name, "tags": ["mine"]})
    assert answer.status_code == 201, answer.text
    content: Json = answer.json()
    return content


def principal(graph: GraphClient, application: Json) -> Json:
    answer = graph.call("POST", "/servicePrincipals", {"appId": application["appId"]})
    assert answer.status_code == 201, answer.text
    content: Json = answer.json()
    return content


def test_a_secret_is_returned_once_and_signs_in_until_it_is_removed(arm: ArmClient) -> None:
    graph = GraphClient(arm)
    application = made(graph)
    assert made(graph)["appId"] != application["appId"], "names need not be unique"
    assert len(graph.get("/applications?$filter=displayName eq 'ServiceNow'&$select=appId")["value"]) == 2
    path = f"/applications(appId='{application['appId']}')"
    secret = graph.call("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "one"}}).json()
    assert (secret["displayName"], secret["hint"]) == ("one", secret["secretText"][:3])
    (shown,) = graph.get(f"/applications/{application['id']}")["passwordCredentials"]
    assert (shown["keyId"], shown["secretText"]) == (secret["keyId"], None)
    given = {"client_id": application["appId"], "client_secret": secret["secretText"], "scope": f"{AUDIENCE}/.default"}
    assert arm.token(**given).json()["error_codes"] == [7000229], "it has no service principal yet"
    principal(graph, application)
    assert graph.error("POST", "/servicePrincipals", {"appId": application["appId"]})[0] == 409
    assert arm.token(**given).status_code == 200
    assert arm.token(**{**given, "client_secret": "other"}).json()["error_codes"] == [7000215]
    assert graph.call("POST", f"{path}/removePassword", {"keyId": secret["keyId"]}).status_code == 204
    assert graph.error("POST", f"{path}/removePassword", {"keyId": secret["keyId"]}) == (400, "Request_BadRequest")
    assert arm.token(**given).json()["error_codes"] == [7000215]
    assert graph.call("DELETE", path).status_code == 204
    assert graph.error("GET", path) == (404, "Request_ResourceNotFound")
    assert arm.token(**given).json()["error_codes"] == [700016]


def test_a_role_gives_an_application_its_rights(make_arm: MakeArm) -> None:
    arm = make_arm(azure_role="Owner")
    graph = GraphClient(arm)
    application = made(graph)
    holder = principal(graph, application)["id"]
    secret = graph.call("POST", f"/applications/{application['id']}/addPassword", {}).json()["secretText"]
    token = arm.token(client_id=application["appId"], client_secret=secret, scope=f"{AUDIENCE}/.default").json()
    header = {"Authorization": f"Bearer {token['access_token']}"}
    path = f"{arm.subscription}{ASSIGNMENTS}/{NAME}"

    def sees() -> int:
        return arm.request("GET", arm.subscription, version="2022-12-01", headers=header).status_code

    assert sees() == 403
    role = f"/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    wanted = {"roleDefinitionId": role, "principalId": holder, "principalType": "ServicePrincipal"}
    unknown = {**wanted, "principalId": NAME}
    assert refusal(arm.request("PUT", path, {"properties": unknown}, version="2022-04-01"))[1] == "PrincipalNotFound"
    arm.put(path, wanted, "2022-04-01", 201)
    assert sees() == 200
    other = path.replace("0001", "0002")
    refused = arm.request("PUT", other, {"properties": wanted}, version="2022-04-01")
    assert refusal(refused) == (409, "RoleAssignmentExists")
    (row,) = arm.get_json(f"{arm.subscription}{ASSIGNMENTS}", "2022-04-01", filter=f"principalId eq '{holder}'")[
        "value"
    ]
    assert (row["name"], row["properties"]["scope"]) == (NAME, arm.subscription)
    assert arm.request("DELETE", path, version="2022-04-01").status_code == 200
    assert sees() == 403


@pytest.mark.parametrize("role", ["Contributor", "Security Admin"])
def test_only_an_owner_assigns_roles(make_arm: MakeArm, role: str) -> None:
    arm = make_arm(azure_role=role)
    body = {"properties": {"roleDefinitionId": READER, "principalId": NAME}}
    path = f"{arm.subscription}{ASSIGNMENTS}/{NAME}"
    assert refusal(arm.request("PUT", path, body, version="2022-04-01")) == (403, "AuthorizationFailed")


def test_permissions_and_owners_decide(make_arm: MakeArm) -> None:
    owned = GraphClient(make_arm(graph_permissions=["Application.ReadWrite.OwnedBy"]))
    mine = made(owned)
    (other,) = [row for row in owned.get("/applications")["value"] if row["displayName"] == "automation"]
    assert owned.call("POST", f"/applications/{mine['id']}/addPassword", {}).status_code == 200
    assert owned.error("POST", f"/applications/{other['id']}/addPassword", {}) == (403, "Authorization_RequestDenied")
    assert GraphClient(make_arm(graph_permissions=["User.Read.All"])).error("GET", "/applications")[0] == 403


def test_a_new_application_is_known_after_a_while(make_arm: MakeArm) -> None:
    graph = GraphClient(make_arm(directory_delay=60.0))
    application = made(graph)
    assert len(graph.get("/applications")["value"]) == 1
    status, code = graph.error("POST", "/servicePrincipals", {"appId": application["appId"]})
    assert (status, code) == (400, "Request_BadRequest")
    assert graph.error("POST", f"/applications/{application['id']}/addPassword", {})[0] == 404
    graph.sandbox.turn_tenant(directory_delay=0.0)
    principal(graph, application)
