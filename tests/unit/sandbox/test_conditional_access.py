# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access of the simulated Graph, with the bodies of the vendor's reference.

See docs/facts/microsoft_graph.md#conditional-access-policies, docs/facts/microsoft_graph.md#named-locations.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.tenant.conditional_access.enterprise_applications import servicenow
from tests.unit.sandbox.graph_client import GraphClient
from tests.unit.sandbox.tenant_client import TenantClient

APP_ID = "00000002-0000-0ff1-ce00-000000000000"
POLICIES, LOCATIONS = "/identity/conditionalAccess/policies", "/identity/conditionalAccess/namedLocations"
LOCATION = {
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    "displayName": "Untrusted IP named location",
    "isTrusted": False,
    "ipRanges": [
        {"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "12.34.221.11/22"},
        {"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:0:9d38:90d6:0:0:0:0/63"},
    ],
}
POLICY: dict[str, Any] = {
    "displayName": "Access to EXO requires MFA",
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["mobileAppsAndDesktopClients", "browser"],
        "applications": {"includeApplications": [APP_ID]},
        "users": {"includeGroups": ["ba8e7ded-8b0f-4836-ba06-8ff1ecc5c8ba"]},
        "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}


@pytest.fixture
def graph(tenant: TenantClient) -> GraphClient:
    tenant.sandbox.tamper_tenant("service_principals", servicenow("Exchange", APP_ID, "https://x.example"), insert=True)
    return GraphClient(tenant)


def test_a_policy_is_created_changed_in_part_and_listed(graph: GraphClient) -> None:
    created = graph.call("POST", POLICIES, POLICY)
    assert created.status_code == 201
    policy = created.json()
    assert policy["sessionControls"] is None
    assert policy["conditions"]["users"]["excludeUsers"] == []
    change = {"conditions": {"signInRiskLevels": ["high"]}, "state": "disabled"}
    assert graph.call("PATCH", f"{POLICIES}/{policy['id']}", change).status_code == 204
    (row,) = graph.all(POLICIES)
    assert (row["state"], row["conditions"]["signInRiskLevels"]) == ("disabled", ["high"])
    assert row["conditions"]["locations"] == POLICY["conditions"]["locations"]
    assert graph.call("POST", POLICIES, POLICY).status_code == 201, "names need not be unique"


def test_a_location_is_created_and_returned_as_sent(graph: GraphClient) -> None:
    location = graph.call("POST", LOCATIONS, LOCATION).json()
    change = {"@odata.type": LOCATION["@odata.type"], "ipRanges": LOCATION["ipRanges"][:1]}
    assert graph.call("PATCH", f"{LOCATIONS}/{location['id']}", change).status_code == 204
    (row,) = graph.all(LOCATIONS)
    assert [each["cidrAddress"] for each in row["ipRanges"]] == ["12.34.221.11/22"]
    assert graph.error("POST", LOCATIONS, {**LOCATION, "@odata.type": ""}) == (400, "BadRequest")
    large = [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "8.0.0.0/8"}]
    assert graph.error("POST", LOCATIONS, {**LOCATION, "ipRanges": large}) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"applications": {"includeApplications": []}}, "1011: 'applications' condition must specify"),
        ({"clientAppTypes": []}, "1064: 'clientAppTypes' condition does not support []"),
        ({"users": {"excludeUsers": ["x"]}}, "must specify the users"),
        ({"locations": {"includeLocations": ["0854951d-5fc0-4eb1-b392-9b2c9d7949c2"]}}, "does not exist"),
    ],
)
def test_an_invalid_condition_is_refused(graph: GraphClient, conditions: dict[str, Any], words: str) -> None:
    answer = graph.call("POST", POLICIES, {**POLICY, "conditions": {**POLICY["conditions"], **conditions}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert words in answer.json()["error"]["message"]


def test_all_permissions_of_a_write_are_required(tenant: TenantClient) -> None:
    needed = ["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"]
    for missing in needed:
        tenant.sandbox.turn_tenant(graph_permissions=[each for each in needed if each != missing])
        assert GraphClient(tenant).error("POST", POLICIES, POLICY) == (403, "AccessDenied")
