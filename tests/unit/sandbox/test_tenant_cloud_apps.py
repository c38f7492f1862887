# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented Cloud Apps API: sign-in, permissions, filters, pages, limit, IP ranges.

See docs/facts/defender_for_cloud_apps.md#documented-api.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.tenant_client import GRAPH, TenantClient

MakeTenant = Callable[..., TenantClient]
NOW = 1900000000000


@pytest.fixture
def events(make_tenant: MakeTenant) -> TenantClient:
    """A tenant with seven events of two instances, three of one moment."""
    tenant = make_tenant(page_size=3, scan_size=3, throttle=0)
    for place, moment in enumerate((1, 2, 3, 3, 3, 4, 5)):
        row = {"_id": f"e{place}", "appId": 14509, "timestamp": NOW + moment, "instance": 14509 + (place % 2 << 20)}
        text = {"description": f"Log on {place}", "user": {"userName": "abel" if place < 3 else "Berta"}}
        tenant.sandbox.tamper_tenant("activities", {**row, **text, "source": 2}, insert=True)
    return tenant


def test_the_legacy_token_has_the_form_that_clients_check(tenant: TenantClient) -> None:
    assert re.fullmatch(r"[0-9a-zA-Z=]{64,192}", tenant.known["mda_api_token"])
    assert tenant.api("GET", "/api/v1/activities/").json() == {"data": [], "hasNext": False, "total": 0}


def test_both_prefixes_and_both_methods_list(tenant: TenantClient) -> None:
    for method in ("GET", "POST"):
        for path in (
            "/api/v1/entities/",
            "/cas/api/v1/entities/",
            "/api/v1/alerts/",
            "/api/v1/subnet/",
            "/api/subnet/",
        ):
            assert tenant.api(method, path).status_code == 200, (method, path)


@pytest.mark.parametrize("header", [None, "Token wrong", "Bearer nonsense", "Basic eDp5"])
def test_without_a_valid_token_nothing_is_returned(tenant: TenantClient, header: str | None) -> None:
    answer = tenant.api("GET", "/api/v1/activities/", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401


def test_a_token_for_graph_does_not_open_cloud_apps(tenant: TenantClient) -> None:
    answer = tenant.api("GET", "/api/v1/activities/", headers=tenant.bearer(GRAPH))
    assert (answer.status_code, "audience" in answer.text) == (401, True)


def test_a_revoked_legacy_token(make_tenant: MakeTenant) -> None:
    assert make_tenant(api_token="revoked").api("GET", "/api/v1/activities/").status_code == 401


@pytest.mark.parametrize(
    ("permission", "allowed", "refused"),
    [
        ("Investigation.read", ["/api/v1/activities/", "/api/v1/subnet/"], ["/api/v1/files/"]),
        ("Settings.read", ["/api/v1/subnet/"], ["/api/v1/activities/", "/api/v1/entities/"]),
        ("Investigation.manage", ["/api/v1/alerts/"], ["/api/v1/files/", "/cas/api/v1/policies/"]),
        ("Discovery.read", [], ["/api/v1/activities/", "/api/v1/subnet/"]),
    ],
)
def test_each_permission_allows_its_routes(
    make_tenant: MakeTenant, permission: str, allowed: list[str], refused: list[str]
) -> None:
    tenant = make_tenant(mda_permissions=[permission])
    bearer = tenant.bearer()
    assert {tenant.api("GET", path, headers=bearer).status_code for path in allowed} <= {200}
    answers = [tenant.api("GET", path, headers=bearer) for path in refused]
    assert {answer.status_code for answer in answers} == {403}
    assert "Insufficient role based permissions" in answers[0].text


def test_reading_does_not_allow_writing(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(mda_permissions=["Investigation.read"])
    new = {"name": "x", "category": 1, "subnets": ["192.0.2.0/24"]}
    assert tenant.api("POST", "/api/v1/subnet/create_rule/", new, headers=tenant.bearer()).status_code == 403
    assert tenant.sandbox.tenant_state("subnets")[0]["name"] == "Head office"


def test_the_thirty_first_call_of_a_minute_is_throttled(tenant: TenantClient) -> None:
    codes = [tenant.api("GET", "/api/v1/alerts/").status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]
    answer = tenant.api("GET", "/api/v1/alerts/", headers=tenant.bearer())
    assert (answer.status_code, "throttled" in answer.text, "Retry-After" in answer.headers) == (429, True, False)
    tenant.sandbox.turn_tenant(time_shift=61)
    assert tenant.api("GET", "/api/v1/alerts/").status_code == 200


@pytest.mark.parametrize("form", ["json", "text", "empty"])
def test_the_format_of_throttling_depends_on_the_knobs(make_tenant: MakeTenant, form: str) -> None:
    tenant = make_tenant(throttle=1, throttle_body=form, retry_after=True)
    tenant.api("GET", "/api/v1/alerts/")
    answer = tenant.api("GET", "/api/v1/alerts/")
    assert (answer.status_code, 1 <= int(answer.headers["Retry-After"]) <= 60) == (429, True)
    assert answer.headers["Content-Type"].startswith("application/json" if form == "json" else "text/plain")


def keys(rows: list[dict[str, Any]]) -> str:
    return "".join(row["_id"].removeprefix("e") for row in rows)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"service": {"eq": [14509]}}, 7),
        ({"service": {"eq": 20893}}, 0),
        ({"service": {"neq": [14509]}}, 0),
        ({"instance": {"eq": [14509 | 1 << 20]}}, 3),
        ({"user.username": {"eq": ["ABEL", "nobody"]}}, 3),
        ({"user.username": {"startswith": "ber"}, "instance": {"eq": 14509}}, 2),
        ({"date": {"gte": NOW + 4}}, 2),
        ({"date": {"range": [{"start": NOW + 2, "end": NOW + 3}]}}, 4),
        ({"date": {"lt": NOW + 3, "gt": NOW + 1}}, 1),
        ({"text": {"text": "on 6"}}, 1),
        ({"activity.alertId": {"isset": True}}, 0),
        ({"activity.alertId": {"isnotset": True}}, 7),
        ({"date": {"lte_ndays": 1}}, 0),
        ({"date": {"gte_ndays": 1}}, 7),
    ],
)
def test_filters(events: TenantClient, filters: dict[str, Any], expected: int) -> None:
    answer = events.api("POST", "/api/v1/activities/", {"filters": filters}).json()
    assert answer["total"] == expected
    by_get = events.api("GET", "/api/v1/activities/", params={"filters": json.dumps(filters)}).json()
    assert by_get["total"] == expected


@pytest.mark.parametrize(
    "body",
    [{"filters": {"bogus": {"eq": 1}}}, {"filters": {"service": {"is": 1}}}, {"filters": ["x"]}, {"skip": "x"}, [1]],
)
def test_an_invalid_list_query_is_refused(events: TenantClient, body: object) -> None:
    assert events.api("POST", "/api/v1/activities/", body).status_code == 400


def test_pages_by_skip_and_limit(events: TenantClient) -> None:
    pages = [events.api("POST", "/api/v1/activities/", {"skip": skip, "limit": 100}).json() for skip in (0, 3, 6)]
    assert [len(page["data"]) for page in pages] == [3, 3, 1]
    assert [page["hasNext"] for page in pages] == [True, True, False]
    assert sorted(keys([row for page in pages for row in page["data"]])) == list("0123456")
    oldest = events.rows("/api/v1/activities/", sortField="date", sortDirection="asc", limit=1)
    assert keys(oldest) == "0"


def test_a_scan_follows_the_filters_it_is_given_and_lists_nothing_twice(events: TenantClient) -> None:
    asked: dict[str, Any] = {"filters": {"service": {"eq": [14509]}}, "isScan": True}
    pages, found = 0, ""
    while True:
        content = events.api("POST", "/api/v1/activities/", asked).json()
        found, pages = found + keys(content["data"]), pages + 1
        if not content["hasNext"]:
            break
        asked["filters"] = content["nextQueryFilters"]
    assert "nextQueryFilters" not in content
    # Three events of the same time do not fit after the first two: they move to the next page.
    assert (pages, sorted(found), len(found)) == (3, list("0123456"), 7)


def test_one_activity(events: TenantClient) -> None:
    assert events.api("GET", "/api/v1/activities/e3/").json()["description"] == "Log on 3"
    assert events.api("GET", "/api/v1/activities/none/").status_code == 404
    assert events.api("POST", "/api/v1/activities/e3/feedback/", {"feedback": "x"}).status_code == 200


def test_alerts_are_closed_by_filter(tenant: TenantClient) -> None:
    tenant.sandbox.tamper_tenant("alerts", {"service": 14509, "timestamp": NOW, "isOpen": True}, insert=True)
    listed = tenant.api("POST", "/api/v1/alerts/", {"filters": {"entity.service": {"eq": [14509]}}}).json()
    assert (listed["total"], listed["moreThanTotal"]) == (1, False)
    closed = {"filters": {"entity.service": {"eq": [14509]}}, "comment": "made up"}
    assert tenant.api("POST", "/api/v1/alerts/close_benign/", closed).json() == {"closed_benign": 1}
    assert tenant.sandbox.tenant_state("alerts")[0]["resolutionStatusValue"] == 4


def test_an_ip_range_is_created_updated_and_deleted(tenant: TenantClient) -> None:
    new = {"name": "Lab", "category": 3, "subnets": ["192.0.2.0/24"], "organization": "ACME", "tags": ["lab"]}
    key = tenant.api("POST", "/api/v1/subnet/create_rule/", new).json()
    assert isinstance(key, str)
    row = next(row for row in tenant.rows("/api/v1/subnet/") if row["_id"] == key)
    assert (row["category"], row["organization"], row["subnets"][0]["originalString"]) == (3, "ACME", "192.0.2.0/24")
    # The whole object is replaced: missing fields are cleared.
    changed = {"name": "Lab", "category": 6, "subnets": ["192.0.2.0/25"]}
    assert tenant.api("POST", f"/api/v1/subnet/{key}/update_rule/", changed).status_code == 200
    row = next(row for row in tenant.rows("/api/v1/subnet/") if row["_id"] == key)
    assert (row["category"], row["organization"], row["tags"]) == (6, None, [])
    assert tenant.api("DELETE", f"/api/v1/subnet/{key}/").status_code == 200
    assert tenant.api("DELETE", f"/api/v1/subnet/{key}/").status_code == 404


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"category": 7}, {"subnets": []}, {"subnets": ["192.0.2.0/99"]}, {"name": "Head office"}]
)
def test_an_invalid_ip_range_is_refused(tenant: TenantClient, change: dict[str, Any]) -> None:
    new = {"name": "Lab", "category": 1, "subnets": ["192.0.2.0/24"], **change}
    assert tenant.api("POST", "/api/v1/subnet/create_rule/", new).status_code == 400
    assert len(tenant.sandbox.tenant_state("subnets")) == 1


def test_unknown_paths_and_methods(tenant: TenantClient) -> None:
    assert tenant.api("GET", "/api/v1/nothing/").status_code == 404
    assert tenant.api("DELETE", "/api/v1/activities/").status_code == 405
    # No documented or publicly known route creates a connector.
    assert tenant.api("POST", "/cas/api/v1/connector_onboarding/submissions/", {}).status_code == 404


def test_faults_and_counts_work_as_for_an_instance(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(faults=[{"kind": "503", "count": 1, "path": "/mda/*"}])
    assert [tenant.api("GET", "/api/v1/alerts/").status_code for _ in range(2)] == [503, 200]
    tenant.api("GET", "/api/v1/alerts/0123/")
    routes = tenant.sandbox.requests("tenant")["routes"]
    assert routes == {"GET /mda/api/v1/alerts": 2, "GET /mda/api/v1/alerts/{key}": 1}
