# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run: counts first, then only what is not in sync, equal findings once."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.filter.fleet_summary import (
    FilterModule,
    fleet_summary,
    hosts_to_fail,
)

CHECKED = {"changed": False}
LIFESPAN = {"object": "oauth_application A", "field": "access_token_lifespan", "before": "300", "after": "3600"}
SETTING = {"object": "setting session.idle_timeout", "field": "glide.ui.session_timeout", "before": "9", "after": "6"}
ACLS = [{"object": f"table_acl t{n} (r)", "field": "read", "before": "missing", "after": "granted"} for n in range(13)]
STEP = {
    "id": "x",
    "title": "Create a rule",
    "where": "Portal > New",
    "values": {"Name": "x", "Type": "record"},
    "secret_values": ["Password"],
}
POSTURE = {
    "posture": {
        "settings": {"compliant": 19, "deviating": 4, "unknown": 0, "not_applicable": 0},
        "secure_score": {"controls": 22, "compliant": 18, "points": 96, "unknown_points": 0, "possible_points": 114},
    }
}


def state(drift: list[dict[str, Any]], status: str = "changed", **more: Any) -> dict[str, Any]:
    rows = [{"object": entry["object"], "status": status} for entry in drift]
    return {"drift": drift, "results": rows, "changed": bool(drift) and status == "changed", **more}


def instance(**results: Any) -> dict[str, Any]:
    return {"servicenow_defender_selected": CHECKED, **results}


def tenant(**results: Any) -> dict[str, Any]:
    return {"servicenow_defender_selected_tenant": CHECKED, **results}


def failure(message: str) -> dict[str, Any]:
    return {"servicenow_defender_failure": {"task": "t", "message": message}}


IN_SYNC = instance(snow_connection_result=state([]))
DRIFT = instance(snow_connection_result=state([LIFESPAN]))


def test_a_fleet_in_sync_is_one_line() -> None:
    hosts = {"a": IN_SYNC, "b": IN_SYNC, "t": tenant(mda_connection_result=state([])), "other": {}}
    assert fleet_summary(hosts, read_only=True) == ["2 instances: 2 in sync; tenant: in sync"]
    assert hosts_to_fail(hosts, drift=True) == []


def test_equal_findings_are_one_line() -> None:
    hosts = {**dict.fromkeys("abcde", DRIFT), "f": IN_SYNC}
    assert fleet_summary(hosts, read_only=True) == [
        "6 instances: 1 in sync, 5 drift",
        "drift: a, b and 3 more: oauth_application A (access_token_lifespan)",
    ]
    assert hosts_to_fail(hosts, drift=True) == list("abcde")
    assert hosts_to_fail(hosts) == []


@pytest.mark.parametrize(
    ("mode", "word"),
    [({}, "corrected"), ({"check_mode": True}, "would be corrected"), ({"read_only": True}, "drift")],
)
def test_a_deviation_is_named_by_what_became_of_it(mode: dict[str, bool], word: str) -> None:
    lines = fleet_summary({"a": DRIFT}, **mode)
    assert lines == [f"1 instance: 1 {word}", f"{word}: a: oauth_application A (access_token_lifespan)"]


def test_a_manual_step_has_each_value_on_its_line() -> None:
    result = state(ACLS, "needs_elevation", manual_steps=[STEP])
    hosts = dict.fromkeys("ab", instance(snow_connection_result=result))
    assert fleet_summary(hosts) == [
        "2 instances: 2 drift, 2 with manual steps",
        "drift: a, b: 13 x table_acl",
        "1 manual step:",
        "- Create a rule (a, b)",
        "    Where: Portal > New",
        "    Name: x",
        "    Type: record",
        "    Password: (secret)",
    ]


def test_failures_have_their_message_and_win_over_drift() -> None:
    hosts = {"a": {**DRIFT, **failure("x: no\nanswer")}, "b": IN_SYNC, "c": instance()}
    assert fleet_summary(hosts, read_only=True) == [
        "3 instances: 1 in sync, 1 failed, 1 not checked",
        "failed: a: x: no answer",
        "drift: a: oauth_application A (access_token_lifespan)",
    ]
    assert hosts_to_fail(hosts, drift=True) == ["a"]


def test_a_long_message_is_cut() -> None:
    (_counts, line) = fleet_summary({"a": instance(**failure("word " * 500))})
    assert len(line) < 600
    assert line.endswith("...")


def test_a_failed_or_unreachable_result_without_a_recorded_failure_counts_as_failed() -> None:
    hosts = {"a": instance(snow_connection_result={"unreachable": True, "msg": "no route to host"})}
    assert fleet_summary(hosts) == ["1 instance: 1 failed", "failed: a: no route to host"]
    assert hosts_to_fail(hosts) == ["a"]


def test_skipped_results_and_items_of_loops() -> None:
    items = [
        {"ansible_loop_var": "item", "item": "mda", "verified": True},
        {"ansible_loop_var": "item", "item": "mdc", "verified": True},
    ]
    hosts = {"a": instance(snow_preflight_result={"skipped": True}, snow_connection_token={"results": items})}
    assert fleet_summary(hosts) == ["1 instance: 1 in sync, 2 tokens verified"]


@pytest.mark.parametrize(
    ("hosts", "text"),
    [(["t"], "not selected by --limit"), ([], "its group in the inventory is empty")],
)
def test_a_missing_tenant_is_not_checked(hosts: list[str], text: str) -> None:
    assert fleet_summary({"a": IN_SYNC}, tenant=hosts) == [f"1 instance: 1 in sync; tenant: not checked ({text})"]


def test_connectors_and_tokens_that_end_soon() -> None:
    rows = [
        {"name": "a", "evidence": [], "status": "connected", "days_left": 89},
        {"name": "b", "evidence": [], "status": "connected", "days_left": 9},
        {"name": "c", "evidence": [], "status": "error", "message": "403 Forbidden", "days_left": None},
    ]
    hosts = {"t": tenant(mda_connection_result={"drift": [], "results": rows})}
    assert fleet_summary(hosts, instances=[]) == [
        "tenant: in sync",
        "t: refresh token of connector b ends in 9 days, connector c is error (403 Forbidden)",
    ]


def test_problems_and_unknown_objects_are_reported() -> None:
    problem = {"id": "release_unknown", "severity": "warning", "message": "No release", "remedy": "Check it"}
    unknown = {"drift": [], "results": [{"object": "table_acl t (r)", "status": "unknown"}]}
    hosts = {
        "a": instance(snow_preflight_result={"instance": {}, "problems": [problem]}, snow_connection_result=unknown)
    }
    assert fleet_summary(hosts) == [
        "1 instance: 1 unproven",
        "unproven: a: table_acl t (r)",
        "a: warning release_unknown: No release. Check it",
    ]


def test_what_is_unproven_is_named_with_its_reason_and_fails_where_asked() -> None:
    refused = "the list of connectors is refused (HTTP 403)"
    rows = [
        {"object": f"connector {n}", "name": n, "status": "unknown", "evidence": [refused, "x"]} for n in ("a", "b")
    ]
    hosts = {"i": IN_SYNC, "t": tenant(mda_connection_verified={"drift": [], "results": rows})}
    assert fleet_summary(hosts, read_only=True) == [
        "1 instance: 1 in sync; tenant: unproven",
        f"unproven: t: connector a, connector b ({refused})",
    ]
    assert hosts_to_fail(hosts, unproven=True) == ["t"]
    assert hosts_to_fail(hosts) == []


def test_drift_wins_over_what_is_unproven() -> None:
    result = state([LIFESPAN])
    result["results"].append({"object": "plugin x", "status": "unknown", "reason": "v_plugin is closed"})
    assert fleet_summary({"a": instance(snow_connection_result=result)}, read_only=True) == [
        "1 instance: 1 drift",
        "drift: a: oauth_application A (access_token_lifespan)",
        "unproven: a: plugin x (v_plugin is closed)",
    ]


def test_a_tenant_that_is_required_and_missing_is_unproven() -> None:
    text = "its group in the inventory is empty"
    lines = fleet_summary({"a": IN_SYNC}, read_only=True, tenant=[], requires_tenant=True)
    assert lines == [f"1 instance: 1 in sync; tenant: unproven ({text})"]
    assert hosts_to_fail({"a": IN_SYNC}, unproven=True, tenant=[], requires_tenant=True) == ["a"]
    # One that --limit left out is not checked, which is no failure.
    assert hosts_to_fail({"a": IN_SYNC}, unproven=True, tenant=["t"], requires_tenant=True) == []
    assert hosts_to_fail({"a": IN_SYNC}, unproven=True, tenant=[]) == []


def test_an_expired_token_is_said_to_be_expired() -> None:
    rows = [{"name": "b", "evidence": [], "status": "connected", "days_left": -3}]
    hosts = {"t": tenant(mda_connection_result={"drift": [], "results": rows})}
    assert fleet_summary(hosts, instances=[])[1] == "t: refresh token of connector b has expired"


def test_the_posture_shows_what_is_withheld_and_left() -> None:
    result = state([SETTING], "withheld", **POSTURE, writes_left=4)
    assert fleet_summary({"a": instance(snow_hardening_result=result)}) == [
        "1 instance: 1 drift",
        "drift: a: setting session.idle_timeout (glide.ui.session_timeout)",
        "a: hardening 18/22 Secure Score settings, 96 of 114 points; 1 withheld; 4 left for the next run",
        "1 withheld setting:",
        "- session.idle_timeout: withheld (a)",
    ]


def withheld(id: str, by: str, switch: str, reason: str, points: int = 0, status: str = "withheld") -> dict[str, Any]:
    row = {"object": f"setting {id}", "status": status, "withheld_by": by, "switch": switch, "reason": reason}
    return {**row, "points": points}


def test_withheld_settings_are_named_once_with_points_reason_and_switch() -> None:
    once = "once changed it cannot be changed back"
    rows = [
        withheld("auth.password_policy", "irreversible", "allow_irreversible", once, 6),
        withheld("acl.public", "irreversible", "allow_irreversible", once),
        withheld("net.address", "connection", "services", "svc would be locked out", status="refused"),
        withheld("log.level", "max_writes", "max_writes", "left for the next run"),
    ]
    hosts = {name: instance(snow_hardening_result={"drift": [], "results": rows, **POSTURE}) for name in ("a", "b")}
    hosts["c"] = instance(snow_hardening_result={"drift": [], "results": rows[:1], **POSTURE})
    assert fleet_summary(hosts)[1:] == [
        "a, b: hardening 18/22 Secure Score settings, 96 of 114 points; 3 withheld; 1 refused",
        "c: hardening 18/22 Secure Score settings, 96 of 114 points; 1 withheld",
        "3 withheld settings:",
        "- auth.password_policy (6 points): once changed it cannot be changed back; switch: allow_irreversible (a, b, c)",
        "- acl.public: once changed it cannot be changed back; switch: allow_irreversible (a, b)",
        "- net.address: svc would be locked out; switch: services (a, b)",
    ]


def test_a_posture_without_a_score_counts_settings() -> None:
    posture = {"posture": {"settings": {"compliant": 3, "deviating": 1, "unknown": 1, "not_applicable": 2}}}
    lines = fleet_summary({"a": instance(snow_hardening_result=posture)})
    assert lines[1] == "a: hardening 3/5 settings as recommended"


def test_actions_name_every_user() -> None:
    def outcome(name: str, status: str) -> dict[str, Any]:
        return {"object": f"user {name}", "user_principal_name": name, "action": "suspend", "status": status}

    rows = [outcome("ann", "changed"), outcome("bob", "changed"), outcome("cyd", "ok"), outcome("root", "protected")]
    hosts = {"t": tenant(respond_result={"drift": [], "results": rows})}
    rest = ["suspend was in effect for cyd", "suspend not done (protected) for root"]
    assert fleet_summary(hosts, instances=[])[1:] == ["suspend done for ann, bob", *rest]
    assert fleet_summary(hosts, instances=[], check_mode=True)[1:] == ["suspend would be done for ann, bob", *rest]


def test_a_run_on_the_tenant_alone_shows_that_no_instance_was_checked() -> None:
    hosts = {"a": {}, "t": tenant(mda_connection_result=state([]))}
    assert fleet_summary(hosts) == ["tenant: in sync", "instances: not checked (none was selected)"]


def test_the_filters_are_offered_to_playbooks() -> None:
    assert set(FilterModule().filters()) == {"fleet_summary", "hosts_of_run", "hosts_to_fail"}
