# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Score of the tenant, which follows the settings of connected instances.

See docs/facts/servicenow_hardening.md#secure-score-controls, docs/facts/microsoft_graph.md#secure-score.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.client import RestClient
from tests.unit.sandbox.graph_client import GraphClient
from tests.unit.sandbox.tenant_client import Json, TenantClient, wait

MakeTenant = Callable[..., TenantClient]
Make = Callable[..., RestClient]
PROFILES = "/security/secureScoreControlProfiles"
SCORES = "/security/secureScores"
QUICK = {"connect_seconds": 0.0, "data_delay": 0.0}
TIMEOUT = "MDA_SNOW_uiSessionTimeout"
VENDOR = {"vendor": "Microsoft", "provider": "SecureScore", "providerVersion": None, "subProvider": None}
# The settings of an administrator for all 22 controls, through REST or out of band.
GOOD = {
    "glide.authenticate.multifactor": "true",
    "glide.basicauth.required.jsonv2": "true",
    "glide.basicauth.required.soap": "true",
    "glide.basicauth.required.unl": "true",
    "glide.basicauth.required.scriptedprocessor": "true",
    "glide.ui.concourse.onmessage_enforce_same_origin": "true",
    "glide.enable.password_policy": "true",
    "glide.http.cache_control": "private",
    "glide.login.no_blank_password": "true",
    "glide.script.ccsi.ispublic": "false",
    "glide.script.secure.ajaxgliderecord": "true",
    "glide.script.use.sandbox": "true",
    "glide.sm.default_mode": "deny",
    "glide.soap.require_content_type_xml": "true",
    "glide.soap.strict_security": "true",
    "glide.ui.session_timeout": "30",
    "glide.security.use_csrf_token": "true",
    "glide.ui.user_cookie.max_life_span_in_days": "30",
}


@pytest.fixture
def graph(make_tenant: MakeTenant) -> GraphClient:
    return GraphClient(make_tenant(**QUICK))


def of_servicenow(graph: GraphClient) -> dict[str, Json]:
    rows = graph.all(f"{SCORES}?$top=1")[0]["controlScores"]
    return {row["controlName"]: row for row in rows if row["controlName"].startswith("MDA_SNOW_")}


def points(graph: GraphClient) -> float:
    return sum(row["score"] for row in of_servicenow(graph).values())


def harden(instance: RestClient, **changes: Any) -> None:
    instance.sandbox.turn(instance.name, properties={**GOOD, **changes})
    match = {"name": "SNC User Lockout Check"}
    instance.sandbox.tamper(instance.name, "sysevent_script_action", {"active": "true"}, match=match)


def connect(graph: GraphClient, *instances: RestClient) -> None:
    for instance in instances:
        assert graph.tenant.connect(instance.name, instance)["api"]["isConnected"]


def test_the_controls_of_servicenow_are_as_published(graph: GraphClient) -> None:
    found = {row["id"]: row for row in graph.all(PROFILES) if row["service"] == "MDA_SNOW"}
    assert (len(found), sum(row["maxScore"] for row in found.values())) == (22, 114)
    row = found["MDA_SNOW_highSecurity"]
    assert (row["title"], row["maxScore"], row["tier"], row["actionType"]) == (
        *("Enable high security plugin", 7, "Core"),
        "Config",
    )
    assert (row["controlStateUpdates"], row["deprecated"], row["vendorInformation"]) == ([], False, VENDOR)
    assert graph.get(f"{PROFILES}/MDA_SNOW_highSecurity")["id"] == "MDA_SNOW_highSecurity"
    assert graph.error("GET", f"{PROFILES}/MDA_SNOW_explicitRoles") == (404, "ResourceNotFound")


def test_without_a_connected_instance_the_controls_have_no_score(graph: GraphClient) -> None:
    score = graph.all(f"{SCORES}?$top=1")[0]
    assert of_servicenow(graph) == {}
    assert (score["currentScore"], score["maxScore"]) == (24, 32)


def test_the_score_follows_the_instance(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    before = points(graph)
    rows = of_servicenow(graph)
    assert rows[TIMEOUT]["score"] == 0 and f"do not: {instance.name}" in rows[TIMEOUT]["implementationStatus"]
    assert rows["MDA_SNOW_highSecurity"]["score"] == 7
    row = instance.row("sys_properties", "name=glide.ui.session_timeout")
    instance.update("sys_properties", row["sys_id"], {"value": "60"})
    assert points(graph) == before + 4
    harden(instance)
    assert points(graph) == 114
    score = graph.all(f"{SCORES}?$top=1")[0]
    assert (score["currentScore"], score["maxScore"]) == (24 + 114, 32 + 114)


@pytest.mark.parametrize(
    ("name", "value", "is_won"),
    [
        ("glide.ui.session_timeout", "61", False),
        ("glide.ui.session_timeout", "soon", False),
        ("glide.ui.user_cookie.max_life_span_in_days", "179", True),
        ("glide.ui.user_cookie.max_life_span_in_days", "180", False),
        ("glide.sm.default_mode", "true", False),
        ("glide.http.cache_control", "PRIVATE", True),
        ("glide.script.ccsi.ispublic", "true", False),
    ],
)
def test_the_condition_of_each_control(
    graph: GraphClient, instance: RestClient, name: str, value: str, is_won: bool
) -> None:
    connect(graph, instance)
    harden(instance, **{name: value})
    assert (points(graph) == 114) is is_won


def test_plugins_and_either_lock_out_action_score_their_controls(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    harden(instance)
    instance.sandbox.turn(instance.name, plugins={"com.glide.role_management": False})
    assert points(graph) == 114
    instance.sandbox.turn(instance.name, plugins={"com.glide.role_management.inh_count": False})
    assert points(graph) == 108
    actions = {"name": "SNC User Lockout Check"}
    instance.sandbox.tamper(instance.name, "sysevent_script_action", {"active": "false"}, match=actions)
    assert points(graph) == 104
    actions = {"name": "SNC User Lockout Check with Auto Unlock"}
    instance.sandbox.tamper(instance.name, "sysevent_script_action", {"active": "true"}, match=actions)
    assert points(graph) == 108


def test_a_missing_row_fails_or_counts_as_its_default(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    gone = {"glide.script.use.sandbox": None, "glide.ui.session_timeout": None, "glide.enable.password_policy": None}
    harden(instance, **gone)
    assert points(graph) == 114 - 6 - 4 - 4
    graph.sandbox.turn_tenant(score_missing="in force")
    assert points(graph) == 114 - 4


def test_a_row_hidden_from_the_connector_counts_as_missing(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    harden(instance)
    instance.sandbox.turn(instance.name, hidden_properties=["glide.ui.session_timeout"])
    assert points(graph) == 110


@pytest.mark.parametrize(("combination", "won"), [("every", 0), ("any", 4), ("share", 2)])
def test_several_instances_combine_by_the_knob(graph: GraphClient, make: Make, combination: str, won: float) -> None:
    good, bad = make(), make()
    connect(graph, good, bad)
    harden(good)
    harden(bad, **{"glide.ui.session_timeout": "90"})
    graph.sandbox.turn_tenant(score_combination=combination)
    row = of_servicenow(graph)[TIMEOUT]
    assert row["score"] == won
    text = f"1 of 2 connected ServiceNow instances follow this recommendation. These do not: {bad.name}."
    assert row["implementationStatus"] == text


def test_the_score_is_delayed(make_tenant: MakeTenant, instance: RestClient) -> None:
    graph = GraphClient(make_tenant(**QUICK, posture_delay=86400.0))
    connect(graph, instance)
    before = points(graph)
    harden(instance)
    assert points(graph) == before
    graph.sandbox.turn_tenant(time_shift=86500.0)
    assert points(GraphClient(graph.tenant)) == 114


def test_hardening_that_locks_the_connector_out_leaves_it_in_error(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    wait(lambda: bool(graph.sandbox.tenant_state("connectors")[0]["synced"]))
    before = points(graph)
    rule = {"type": "deny", "range_start": "203.0.113.0", "range_end": "203.0.113.255"}
    instance.insert("ip_access", rule)
    instance.sandbox.turn(instance.name, plugins={"com.snc.ipauthenticator": True})
    harden(instance)
    assert points(graph) == before
    connector = graph.sandbox.tenant_state("connectors")[0]
    assert (connector["state"], connector["message"][-13:]) == ("error", "403 Forbidden")


def test_a_connector_without_posture_does_not_count(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    graph.sandbox.tamper_tenant("connectors", {"posture": False}, match={"name": instance.name})
    assert of_servicenow(graph) == {}


def test_snapshots_go_back_ninety_days_newest_first(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    rows = graph.all(SCORES)
    assert len(rows) == 90
    assert [row["createdDateTime"] for row in rows] == sorted((row["createdDateTime"] for row in rows), reverse=True)
    assert rows[0]["maxScore"] == 146 and rows[1]["maxScore"] == 32
    graph.sandbox.turn_tenant(time_shift=86400.0)
    assert [row["maxScore"] for row in GraphClient(graph.tenant).all(SCORES)[:3]] == [146, 146, 32]


def test_lists_are_paged_and_filtered(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant(graph_page=10))
    first = graph.get(f"{PROFILES}?$count=true")
    assert (len(first["value"]), first["@odata.count"]) == (10, 27)
    assert len({row["id"] for row in graph.all(PROFILES)}) == 27
    assert len(graph.all(f"{PROFILES}?$top=15")) == 15
    assert [row["id"] for row in graph.all(f"{PROFILES}?$top=1&$skip=1")] == ["MDA_SNOW_authRequiredJson2"]
    assert len(graph.all(f"{PROFILES}?$filter=service eq 'MDA_SNOW'")) == 22
    assert graph.all(f"{PROFILES}?$filter=maxScore eq 7 and deprecated eq false")[0]["id"] == "MDA_SNOW_highSecurity"
    assert graph.error("GET", f"{PROFILES}?$filter=contains(title,'x')") == (400, "BadRequest")
    assert graph.error("GET", f"{PROFILES}?$top=many") == (400, "BadRequest")


def test_marking_a_control_is_kept_and_changes_no_score(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    before = points(graph)
    body = {"state": "ThirdParty", "comment": "CHG0030001", "assignedTo": "secadmin", "vendorInformation": VENDOR}
    answer = graph.call("PATCH", f"{PROFILES}/{TIMEOUT}", body)
    assert (answer.status_code, answer.content) == (204, b"")
    answer = graph.call("PATCH", f"{PROFILES}/{TIMEOUT}", {**body, "state": "Reviewed"}, Prefer="return=representation")
    updates = answer.json()["controlStateUpdates"]
    assert [row["state"] for row in updates] == ["ThirdParty", "Reviewed"]
    assert (updates[0]["comment"], updates[0]["assignedTo"]) == ("CHG0030001", "secadmin")
    assert updates[1]["updatedDateTime"] == graph.get(f"{PROFILES}/{TIMEOUT}")["lastModifiedDateTime"]
    assert points(graph) == before


def test_the_knob_scores_third_party_controls(graph: GraphClient, instance: RestClient) -> None:
    connect(graph, instance)
    graph.sandbox.turn_tenant(score_third_party="won")
    graph.call("PATCH", f"{PROFILES}/{TIMEOUT}", {"state": "ThirdParty", "vendorInformation": VENDOR})
    assert of_servicenow(graph)[TIMEOUT]["score"] == 4


@pytest.mark.parametrize(
    "body",
    [
        {"state": "Reviewed"},
        {"state": "Reviewed", "vendorInformation": {"vendor": "Microsoft"}},
        {"state": "Done", "vendorInformation": VENDOR},
        [],
    ],
)
def test_an_invalid_mark_is_refused(graph: GraphClient, body: Any) -> None:
    assert graph.error("PATCH", f"{PROFILES}/{TIMEOUT}", body) == (400, "BadRequest")
    assert graph.get(f"{PROFILES}/{TIMEOUT}")["controlStateUpdates"] == []


def test_reading_requires_one_permission_and_marking_another(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant(graph_permissions=["SecurityEvents.Read.All"]))
    assert graph.all(PROFILES) and graph.all(SCORES)
    body = {"state": "Reviewed", "vendorInformation": VENDOR}
    assert graph.error("PATCH", f"{PROFILES}/{TIMEOUT}", body) == (403, "Forbidden")
    graph = GraphClient(make_tenant(graph_permissions=["User.Read.All"]))
    for path in (PROFILES, SCORES, f"{PROFILES}/{TIMEOUT}"):
        assert graph.error("GET", path) == (403, "Forbidden")


def test_controls_retire_and_appear_and_move_between_categories(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant())
    rows = {row["id"]: row["controlCategory"] for row in graph.all(PROFILES) if row["service"] == "MDA_SNOW"}
    assert set(rows.values()) == {"Identity", "Apps"}
    graph.sandbox.turn_tenant(score_categories="2024", score_retired=[TIMEOUT], score_unknown=["MDA_SNOW_new"])
    rows = {row["id"]: row["controlCategory"] for row in graph.all(PROFILES) if row["service"] == "MDA_SNOW"}
    assert set(rows.values()) == {"Apps"} and TIMEOUT not in rows and "MDA_SNOW_new" in rows
    graph.sandbox.turn_tenant(score_retired_as="deprecated")
    assert graph.get(f"{PROFILES}/{TIMEOUT}")["deprecated"] is True


def test_calls_of_scores_are_throttled(make_tenant: MakeTenant) -> None:
    graph = GraphClient(make_tenant(graph_calls=2, graph_window=60.0))
    assert [graph.call("GET", PROFILES).status_code for _ in range(3)] == [200, 200, 429]
    assert int(graph.call("GET", PROFILES).headers["Retry-After"]) > 0
    graph.sandbox.turn_tenant(graph_retry_after=False)
    assert "Retry-After" not in graph.call("GET", PROFILES).headers
