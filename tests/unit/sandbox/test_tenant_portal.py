# SPDX-License-Identifier: GPL-3.0-or-later
"""The undocumented routes: session and XSRF token, reads, policies, and the sandbox's own wizard.

See docs/facts/defender_for_cloud_apps.md#undocumented-routes, docs/facts/defender_for_cloud_apps.md#policy-routes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.tenant_client import TenantClient, trace

MakeTenant = Callable[..., TenantClient]
LIST = "/v1/app_connectors/"
SUBMIT = "/v1/connector_onboarding/submissions/"


def test_the_list_needs_cookie_and_xsrf_token(tenant: TenantClient) -> None:
    grid = {
        "filters": {},
        "skip": 0,
        "limit": 100,
        "performAsyncTotal": False,
        "sortField": "app",
        "sortDirection": "desc",
    }
    answer = tenant.portal("POST", LIST, grid)
    assert (answer.status_code, [row["appId"] for row in answer.json()["data"]]) == (200, [11161])
    assert tenant.portal("POST", LIST, grid, Cookie="").status_code == 401
    assert tenant.portal("POST", LIST, grid, X_XSRF_TOKEN="").status_code == 403
    assert tenant.portal("POST", LIST, grid, X_XSRF_TOKEN="wrong").status_code == 403
    assert tenant.portal("POST", LIST, grid, x_tid="another").status_code == 403


def test_a_token_of_an_application_does_not_open_the_portal(tenant: TenantClient) -> None:
    assert tenant.portal("GET", LIST, Cookie="", **tenant.bearer()).status_code == 401


def test_the_xsrf_token_is_valid_for_five_minutes_and_renewed_meanwhile(tenant: TenantClient) -> None:
    assert "Set-Cookie" not in tenant.portal("GET", LIST).headers
    tenant.sandbox.turn_tenant(time_shift=200)
    assert "XSRF-TOKEN=" in tenant.portal("GET", LIST).headers["Set-Cookie"]
    tenant.sandbox.turn_tenant(time_shift=301)
    assert tenant.portal("GET", LIST).status_code == 403


def test_an_expired_session(tenant: TenantClient) -> None:
    assert tenant.portal("GET", LIST).status_code == 200
    tenant.sandbox.turn_tenant(portal_session="expired")
    answer = tenant.portal("GET", LIST)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")


def test_an_account_without_the_role(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(portal_routes="refused")
    assert tenant.portal("GET", LIST).status_code == 403
    assert tenant.portal("GET", "/v1/app_connectors/dashboard/get_apps_count_by_status").status_code == 500


@pytest.mark.parametrize(("knob", "legacy", "bearer"), [("token", 200, 403), ("refused", 403, 403), ("any", 200, 200)])
def test_access_to_the_list_at_the_api_host_is_a_knob(
    make_tenant: MakeTenant, knob: str, legacy: int, bearer: int
) -> None:
    tenant = make_tenant(connector_routes=knob)
    path = "/cas/api/v1/app_connectors/"
    assert tenant.api("GET", path).status_code == legacy
    assert tenant.api("GET", path, headers=tenant.bearer()).status_code == bearer
    assert tenant.api("GET", "/api/v1/app_connectors/").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/app_connectors/count/"),
        ("GET", "/v1/app_connectors/metadata/"),
        ("GET", "/v1/app_connectors/table_config_values/"),
        ("GET", "/v1/app_connectors/last_activity/"),
        ("GET", "/v1/app_connectors/dashboard/get_apps_count_by_status"),
        ("GET", "/v1/app_connectors/dashboard/get_app_connectors_count_by_status"),
        ("GET", "/v1/app_connectors/dashboard/get_instance_count_by_app"),
        ("GET", "/v1/app_connectors/dashboard/get_supported_apps_metadata"),
        ("GET", "/app_connectors/get_app_connectors_config/?appId=14509"),
        ("GET", "/v1/connected_services/apps/?getHierarchy=true"),
        ("GET", "/v1/connected_services/instances/"),
        ("GET", "/services/"),
        ("GET", "/v1/autocomplete/activity-types/?search=&service=eq(i%3A14509%2C)"),
        ("GET", "/about/server_url"),
        ("POST", "/v1/activities/"),
        ("POST", "/v1/governance/"),
    ],
)
def test_the_known_read_routes_are_there(tenant: TenantClient, method: str, path: str) -> None:
    assert tenant.portal(method, path, {} if method == "POST" else None).status_code == 200


def test_policies_are_listed_by_type_and_switched(tenant: TenantClient) -> None:
    asked = {"filters": {"type": {"eq": ["ANOMALY_DETECTION"]}}, "skip": 0, "limit": 100}
    rows = tenant.api("POST", "/cas/api/v1/policies/", asked).json()["data"]
    states = {row["name"]: row["enabled"] for row in rows}
    assert states["Ransomware detection"] is False
    assert states["Activity performed by terminated user"] is True
    key = next(row["_id"] for row in rows if row["name"] == "Impossible travel")
    assert tenant.portal("POST", f"/v1/policies/{key}/enable/").status_code == 200
    assert tenant.api("GET", f"/cas/api/v1/policies/ANOMALY_DETECTION/{key}/").json()["enabled"] is True
    assert tenant.api("POST", f"/cas/api/v1/policies/{key}/disable/").status_code == 200
    assert tenant.portal("GET", f"/v1/policies/{key}/").json()["enabled"] is False
    assert tenant.portal("POST", "/v1/policies/threat_detection/", {}).json()["total"] >= len(rows)
    assert tenant.portal("DELETE", f"/v1/policies/{key}/").status_code == 200
    assert tenant.portal("GET", f"/v1/policies/{key}/").status_code == 404


def test_no_permission_covers_policies(tenant: TenantClient) -> None:
    assert tenant.api("POST", "/cas/api/v1/policies/", {}, headers=tenant.bearer()).status_code == 403


def wizard(**changes: Any) -> dict[str, Any]:
    access = {
        "mode": "OAUTH",
        "endpoint": "https://acme-prod.service-now.com",
        "identity": {"login": "svc", "phrase": base64.b64encode(b"Made-up-1").decode()},
        "application": {"key": "id", "secret": "secret"},
        **changes,
    }
    return {**trace(), "connector": {"saasId": 14509, "label": "acme-prod", "access": access}}


QUERY = "?endpoint=https%3A%2F%2Facme-prod.service-now.com"


@pytest.mark.parametrize(
    ("query", "change"),
    [
        ("", {}),
        ("?endpoint=https%3A%2F%2Fother.example", {}),
        (QUERY, {"mode": "TOKEN"}),
        (QUERY, {"identity": {"login": "svc", "phrase": "not base64"}}),
        (QUERY, {"identity": {"login": " ", "phrase": "eA=="}}),
        (QUERY, {"application": {}}),
    ],
)
def test_the_wizard_refuses_incomplete_input(tenant: TenantClient, query: str, change: dict[str, Any]) -> None:
    assert tenant.portal("POST", SUBMIT + query, wizard(**change)).status_code == 400
    assert tenant.sandbox.tenant_state("connectors") == []


def test_the_wizard_response_differs_by_knob(tenant: TenantClient) -> None:
    answer = tenant.portal("POST", SUBMIT + QUERY, wizard()).json()
    assert set(answer["data"]["connector"]) == {"id", "label", "phase"}
    tenant.sandbox.turn_tenant(wizard_answer="field renamed")
    assert list(tenant.portal("POST", SUBMIT + QUERY, wizard()).json()["data"]) == ["appConnector"]
    tenant.sandbox.turn_tenant(wizard_answer="other status")
    assert tenant.portal("POST", SUBMIT + QUERY, wizard()).status_code == 202


def test_the_wizard_refuses_repeated_requests(tenant: TenantClient) -> None:
    body = wizard()
    assert [tenant.portal("POST", SUBMIT + QUERY, body).status_code for _ in range(2)] == [200, 409]
    old = {**wizard(), "trace": {"requestId": "6b20", "clientTime": 1767225600000}}
    assert tenant.portal("POST", SUBMIT + QUERY, old).status_code == 400
    tenant.sandbox.turn_tenant(wizard_strict=False)
    assert [tenant.portal("POST", SUBMIT + QUERY, body).status_code for _ in range(2)] == [200, 200]


def test_the_portal_user_signs_in_with_a_form(tenant: TenantClient) -> None:
    url, known = f"{tenant.known['portal_url']}/signin", tenant.known
    wrong = tenant.call("POST", url, data={"user": known["portal_user"], "password": "wrong"})
    assert (wrong.status_code, "is not right" in wrong.text) == (401, True)
    right = tenant.call("POST", url, data={"user": known["portal_user"], "password": known["portal_password"]})
    assert right.status_code == 302
    cookies = right.headers["Set-Cookie"]
    assert "sccauth=" in cookies and "HttpOnly" in cookies and "XSRF-TOKEN=" in cookies
    home = tenant.call("GET", right.headers["Location"], cookies=right.cookies.get_dict())
    assert "App connectors" in home.text
    assert tenant.call("GET", right.headers["Location"]).headers["Location"] == url
