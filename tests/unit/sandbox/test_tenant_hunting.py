# SPDX-License-Identifier: GPL-3.0-or-later
"""Advanced hunting through Graph (docs/facts/microsoft_graph.md#hunting)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.tenant_client import TenantClient

MakeTenant = Callable[..., TenantClient]
NOW = int(time.time() * 1000)
HOUR = 3600 * 1000


@pytest.fixture
def events(tenant: TenantClient) -> TenantClient:
    rows = (
        ("Log on", "abel", 1, 0),
        ("Log on", "Berta", 2, 0),
        ("Create user", "abel", 30, 1),
        ("Log on", "abel", 900, 1),
    )
    for action, user, hours, number in rows:
        shared = {"appId": 14509, "appName": "ServiceNow", "instance": number << 20 | 14509}
        row = {"timestamp": NOW - hours * HOUR, "actionType": action, "user": {"userName": user}, **shared}
        tenant.sandbox.tamper_tenant("activities", row, insert=True)
    tenant.sandbox.tamper_tenant(
        "activities", {"appId": 11161, "appName": "Other", "timestamp": NOW - HOUR}, insert=True
    )
    return tenant


def test_the_documented_query(events: TenantClient) -> None:
    query = """
        CloudAppEvents
        | where ApplicationId == 14509
        | summarize Events=count(), First=min(Timestamp), Last=max(Timestamp),
                    Actions=make_set(ActionType, 20) by Application, ApplicationId, AppInstanceId, AuditSource
    """
    content = events.hunt(query).json()
    assert [column["name"] for column in content["schema"]] == [
        *("Application", "ApplicationId", "AppInstanceId", "AuditSource"),
        *("Events", "First", "Last", "Actions"),
    ]
    rows = {row["AppInstanceId"]: row for row in content["results"]}
    # The oldest event is before the 30 days that a query covers by default.
    assert {number: row["Events"] for number, row in rows.items()} == {0: 2, 1: 1}
    assert (rows[1]["Actions"], rows[0]["Application"]) == (["Create user"], "ServiceNow")


@pytest.mark.parametrize(
    ("pipe", "expected"),
    [
        ("| where ActionType == 'Log on' and AccountId == \"Berta\" | project AccountId", [{"AccountId": "Berta"}]),
        ("| where AccountId =~ 'BERTA' | project Who = tostring(AccountId)", [{"Who": "Berta"}]),
        ("| where ActionType has 'create' | project ActionType", [{"ActionType": "Create user"}]),
        ("| where ActionType in ('Create user', 'x') | summarize count()", [{"count_": 1}]),
        ("| where ActionType != 'Create user' and ApplicationId == 14509 | summarize count()", [{"count_": 2}]),
        ("| where isnotnull(AccountId) // a comment\n| summarize max(AppInstanceId)", [{"max_AppInstanceId": 1}]),
        ("| where AuditSource has 'app connector' | summarize N=count() by ApplicationId | order by N desc | take 1",
         [{"ApplicationId": 14509, "N": 3}]),
        ("| summarize N=count() by AppInstanceId, ApplicationId | where N >= 2 | project AppInstanceId;",
         [{"AppInstanceId": 0}]),
        ("| where ApplicationId == 14509 | sort by Timestamp asc | project ActionType | take 1",
         [{"ActionType": "Create user"}]),
        ("| where RawEventData.user == 'Berta' | project RawEventData.user", [{"RawEventData_user": "Berta"}]),
        ("| where ApplicationId > 14509 | summarize Events=count()", [{"Events": 0}]),
    ],
)  # fmt: skip
def test_supported_queries(events: TenantClient, pipe: str, expected: list[dict[str, Any]]) -> None:
    assert events.hunt_rows(f"CloudAppEvents {pipe}") == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("CloudAppEvent | take 1", "'CloudAppEvent'"),
        ("CloudAppEvents | where Bogus == 1", "'Bogus'"),
        ("CloudAppEvents | join Other", "the operator 'join' is not supported"),
        ("CloudAppEvents | where ActionType == ", "end of query"),
        ("CloudAppEvents | where ActionType == 'a' or ActionType == 'b'", "'or'"),
        ("CloudAppEvents | where Timestamp > ago(1h)", "could not be parsed at '1h)'"),
        ("CloudAppEvents | where ApplicationId == '14509'", "types int and str"),
        ("CloudAppEvents | summarize median(Timestamp)", "'median'"),
        ("CloudAppEvents | where ActionType == 'open", "could not be parsed"),
        ("CloudAppEvents | project Twice = AppInstanceId * 2", "could not be parsed"),
        ("  ", "missing"),
    ],
)
def test_invalid_and_unsupported_queries_are_refused(events: TenantClient, query: str, message: str) -> None:
    answer = events.hunt(query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert message in answer.json()["error"]["message"]
    assert answer.json()["error"]["innerError"]["request-id"]


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("PT90M", 1),
        ("P1D", 2),
        ("P2D", 3),
        ("P90D", 3),
        ("2026-01-01T00:00:00Z/P1D", 0),
        ("P1D/2030-01-01T00:00:00Z", 0),
    ],
)
def test_a_query_covers_a_timespan(events: TenantClient, span: str, expected: int) -> None:
    (row,) = events.hunt_rows("CloudAppEvents | where ApplicationId == 14509 | summarize Count=count()", Timespan=span)
    assert row["Count"] == expected
    assert events.hunt("CloudAppEvents", Timespan="soon").status_code == 400


def test_the_missing_permission_is_named(make_tenant: MakeTenant) -> None:
    answer = make_tenant(graph_permissions=["SecurityEvents.Read.All"]).hunt("CloudAppEvents")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")
    assert "ThreatHunting.Read.All" in answer.json()["error"]["message"]


def test_a_token_for_cloud_apps_does_not_open_graph(tenant: TenantClient) -> None:
    url = f"{tenant.known['azure_graph_url']}/v1.0/security/runHuntingQuery"
    for headers in ({}, tenant.bearer(), tenant.legacy):
        answer = tenant.call("POST", url, json={"Query": "CloudAppEvents"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_the_quota_returns_retry_after(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(hunting_calls=2)
    assert [tenant.hunt("CloudAppEvents").status_code for _ in range(3)] == [200, 200, 429]
    assert 1 <= int(tenant.hunt("CloudAppEvents").headers["Retry-After"]) <= 61


def test_the_schema_keys_have_either_spelling(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(hunting_schema="Name")
    assert tenant.hunt("CloudAppEvents | project Timestamp").json()["schema"] == [
        {"Name": "Timestamp", "Type": "DateTime"}
    ]
    assert tenant.hunt_rows("BehaviorInfo | take 1") == []
