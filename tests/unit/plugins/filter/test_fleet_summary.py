# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run: counts first, then only what is not in sync, equal findings once."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.filter.fleet_summary import (
    FilterModule,
    fleet_summary,
    hosts_to_fail,
    tenant_gap,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.summary.activities import OTHERS

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
def test_drift_is_named_by_its_outcome(mode: dict[str, bool], word: str) -> None:
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


def test_one_host_represents_all_that_are_not_in_sync() -> None:
    hosts = {"a": DRIFT, "b": {**DRIFT, **failure("x")}, "c": DRIFT, "d": IN_SYNC}
    assert hosts_to_fail(hosts, drift=True) == ["a", "b", "c"]
    assert hosts_to_fail(hosts, drift=True, representative=True) == ["b", "a"]
    assert hosts_to_fail({"b": hosts["b"]}, drift=True, representative=True) == ["b"]


def test_a_long_message_is_cut() -> None:
    (_counts, line) = fleet_summary({"a": instance(**failure("word " * 500))})
    assert len(line) < 600
    assert line.endswith("...")


def test_an_unreachable_host_is_counted_as_such_and_fails() -> None:
    hosts = {"a": instance(snow_connection_result={"unreachable": True, "msg": "no route to host"})}
    assert fleet_summary(hosts) == ["1 instance: 1 unreachable", "unreachable: a: no route to host"]
    assert hosts_to_fail(hosts) == ["a"]


def test_skipped_results_and_items_of_loops() -> None:
    items = [
        {"ansible_loop_var": "item", "item": "mda", "verified": True},
        {"ansible_loop_var": "item", "item": "mdc", "verified": True},
    ]
    hosts = {"a": instance(snow_preflight_result={"skipped": True}, snow_connection_token={"results": items})}
    assert fleet_summary(hosts) == ["1 instance: 1 verified, 2 tokens verified"], "nothing was compared"


def test_an_account_that_reads_no_row_is_unproven_unless_its_rules_are_compared() -> None:
    items = [{"ansible_loop_var": "item", "item": "msem", "verified": True, "row_read": False}]
    hosts = {"a": instance(snow_connection_token={"results": items})}
    counts, reason = fleet_summary(hosts)
    assert counts == "1 instance: 1 unproven, 1 token verified"
    assert reason.startswith("unproven: a: account msem (it is signed in, but reads no row")
    assert hosts_to_fail(hosts, unproven=True) == ["a"]
    compared = {"a": instance(snow_connection_result={"drift": []}, snow_connection_token={"results": items})}
    assert fleet_summary(compared) == ["1 instance: 1 in sync, 1 token verified"]


@pytest.mark.parametrize(
    ("groups", "more", "word", "reason"),
    [
        ({"defender": ["t"]}, {}, "not checked", "not selected by --limit"),
        ({"defender": []}, {}, "not checked", "the group defender has no host in this inventory or job slice"),
        ({}, {"tags": ["snow"]}, "not checked", "left out by --tags"),
        ({}, {"skip_tags": ["mda"]}, "not checked", "left out by --tags"),
        ({}, {"tags": ["verify"]}, "not checked", "left out by --tags"),
        ({}, {"tags": ["verify"], "service_tags": ["verify"]}, "unproven", "the inventory has no group defender"),
        ({}, {"tags": ["mda"]}, "unproven", "the inventory has no group defender"),
        ({"all": [], "defendr": ["t"]}, {}, "unproven", "the inventory has no group defender. Did you mean defendr?"),
        ({}, {"tenant_group": "contoso"}, "unproven", "the inventory has no group contoso"),
    ],
)
def test_a_tenant_that_takes_no_part_is_named_with_the_reason(
    groups: dict[str, list[str]], more: dict[str, Any], word: str, reason: str
) -> None:
    hosts = {"a": IN_SYNC}
    assert fleet_summary(hosts, groups=groups, **more) == [f"1 instance: 1 in sync; tenant: {word} ({reason})"]
    gap = tenant_gap(hosts, groups, **more)
    group = more.get("tenant_group", "defender")
    entry = {"host": group, "object": f"tenant {group}", "field": "state", "reason": reason}
    assert gap == ([entry] if word == "unproven" else [])
    assert tenant_gap(hosts, groups, hosts=True, **more) == (["a"] if word == "unproven" else [])
    assert tenant_gap(hosts, None) == []


def test_a_tenant_that_no_service_needs_is_not_missing() -> None:
    hosts = {"a": {**IN_SYNC, "servicenow_defender_services": []}}
    assert fleet_summary(hosts, groups={}) == ["1 instance: 1 in sync"]
    assert tenant_gap(hosts, {}) == tenant_gap({"a": IN_SYNC, "t": tenant()}, {}) == []


def test_the_host_that_notes_a_missing_tenant_represents_it() -> None:
    gap = tenant_gap({"a": IN_SYNC}, {})
    hosts = {"a": {**IN_SYNC, "servicenow_defender_unproven": {"unproven": gap}}, "b": IN_SYNC}
    assert fleet_summary(hosts, read_only=True, groups={}) == [
        "2 instances: 2 in sync; tenant: unproven (the inventory has no group defender)"
    ]
    assert hosts_to_fail(hosts, unproven=True) == ["a"]
    assert hosts_to_fail(hosts, drift=True) == []


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


def test_a_connector_that_a_contract_writes_is_corrected_and_one_with_a_manual_step_is_open() -> None:
    rows = [
        {"object": f"connector {name}", "name": name, "evidence": [], "status": status}
        for name, status in (("a", "connected"), ("b", "absent"))
    ]
    drift = [
        {"object": f"connector {name}", "field": "status", "before": "absent", "after": "connected"} for name in "ab"
    ]
    steps = [{**STEP, "id": "connector:create:b", "title": "Connect b"}]
    result = {"drift": drift, "results": rows, "changed": True, "manual_steps": steps}
    hosts = {"t": tenant(mda_connection_result=result)}
    shown = fleet_summary(hosts)
    assert "corrected: t: connector a (status)" in shown
    assert "drift: t: connector b (status)" in shown
    assert "would be corrected: t: connector a (status)" in fleet_summary(hosts, check_mode=True)


def unproven(*objects: str, reason: str = "v_plugin is closed", field: str = "state") -> dict[str, Any]:
    return {"unproven": [{"object": name, "field": field, "reason": reason} for name in objects]}


def test_a_problem_that_leaves_something_unproven_is_named_once() -> None:
    problem = {"id": "release_unknown", "severity": "warning", "message": "No release", "remedy": "Check it"}
    entry = unproven("problem release_unknown", reason="No release. Check it")
    preflight = {"instance": {}, "problems": [problem], **entry}
    hosts = {"a": instance(snow_preflight_result=preflight)}
    assert fleet_summary(hosts) == [
        "1 instance: 1 unproven",
        "unproven: a: problem release_unknown (No release. Check it)",
    ]
    # The user accepts it.
    hosts["a"]["snow_preflight_ignore"] = ["release_unknown"]
    assert fleet_summary(hosts) == ["1 instance: 1 in sync", "a: warning release_unknown: No release. Check it"]
    assert hosts_to_fail(hosts, unproven=True) == []


def test_what_is_unproven_is_named_with_its_reason_and_fails_on_request() -> None:
    refused = "the list of connectors is refused (HTTP 403)"
    result = {"drift": [], "results": [], **unproven("connector a", "connector b", reason=refused)}
    hosts = {"i": IN_SYNC, "t": tenant(mda_connection_verified=result)}
    assert fleet_summary(hosts, read_only=True) == [
        "1 instance: 1 in sync; tenant: unproven",
        f"unproven: t: connector a, connector b ({refused})",
    ]
    assert hosts_to_fail(hosts, unproven=True) == ["t"]
    assert hosts_to_fail(hosts) == []


def test_what_is_unproven_of_several_hosts_is_one_line_and_names_the_field() -> None:
    result = {**state([]), **unproven("integration x", reason="no digest", field="password")}
    assert fleet_summary(dict.fromkeys("abcd", instance(snow_connection_result=result))) == [
        "4 instances: 4 unproven",
        "unproven: a, b and 2 more: integration x (password) (no digest)",
    ]


def test_drift_wins_over_what_is_unproven_which_wins_over_what_is_corrected() -> None:
    hosts = {"a": instance(snow_connection_result={**state([LIFESPAN]), **unproven("plugin x")})}
    named = ["oauth_application A (access_token_lifespan)", "unproven: a: plugin x (v_plugin is closed)"]
    assert fleet_summary(hosts, read_only=True) == ["1 instance: 1 drift", f"drift: a: {named[0]}", named[1]]
    assert fleet_summary(hosts) == ["1 instance: 1 unproven", f"corrected: a: {named[0]}", named[1]]


def test_nothing_but_a_note_is_no_comparison() -> None:
    hosts = {"i": IN_SYNC, "t": tenant(mdc_itsm_unproven=unproven("integrations", reason="there is no scope"))}
    assert fleet_summary(hosts, read_only=True) == [
        "1 instance: 1 in sync; tenant: unproven",
        "unproven: t: integrations (there is no scope)",
    ]


def test_problems_of_the_access_check_are_evaluated_by_the_role() -> None:
    plan = {"id": "plan_off", "severity": "error", "message": "It is off", "remedy": "Turn it on"}
    access = {"problems": [plan], **unproven("problem provider_unknown", reason="x")}
    assert fleet_summary({"t": tenant(mdc_itsm_access=access)}, instances=[]) == [
        "tenant: unproven",
        "unproven: t: problem provider_unknown (x)",
    ]


def test_an_expired_token_is_reported_as_expired() -> None:
    rows = [{"name": "b", "evidence": [], "status": "connected", "days_left": 0, "ended_days_ago": 3}]
    hosts = {"t": tenant(mda_connection_result={"drift": [], "results": rows})}
    assert fleet_summary(hosts, instances=[])[1] == "t: refresh token of connector b ended 3 days ago"


def test_the_ends_of_refresh_tokens_are_named_where_nothing_is_written() -> None:
    def connector(name: str, days: int | None, ago: int | None = None) -> dict[str, Any]:
        return {"name": name, "evidence": [], "status": "connected", "days_left": days, "ended_days_ago": ago}

    rows = [connector("a", 89), connector("b", 0, 3), connector("c", 0), connector("d", 89), connector("e", None)]
    integration = {"display_name": "a", "days_left": 3649, "ended_days_ago": None}
    looped = {"results": [{"ansible_loop_var": "item", "integration": integration}]}
    hosts = {"t": tenant(mda_connection_result={"results": rows}, mdc_itsm_result=looped)}
    assert fleet_summary(hosts, instances=[], read_only=True)[2:] == [
        "refresh tokens of connectors: ended 3 days ago (b), end today (c), end in 89 days (a, d)",
        "refresh tokens of integrations: end in 3649 days (a)",
    ]
    assert not [line for line in fleet_summary(hosts, instances=[]) if line.startswith("refresh tokens of ")]


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
        "- auth.password_policy (6 points): once changed it cannot be changed back; variable: snow_hardening_allow_irreversible (a, b, c)",
        "- acl.public: once changed it cannot be changed back; variable: snow_hardening_allow_irreversible (a, b)",
        "- net.address: svc would be locked out; variable: snow_hardening_services (a, b)",
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


def test_the_connection_of_an_instance_that_failed_is_not_in_sync() -> None:
    connected = tenant(mda_connection_result=state([]))
    hosts = {"a": IN_SYNC, "b": instance(**failure("down")), "t": connected}
    assert fleet_summary(hosts) == [
        "2 instances: 1 in sync, 1 failed; tenant: unproven",
        "failed: b: down",
        "unproven: t: connection of b (not compared, as the work on the instance failed)",
    ]
    later = {"b": instance(**failure("down"), mdc_configuration_compliance_result=CHECKED), "t": connected}
    assert fleet_summary(later)[0] == "1 instance: 1 failed; tenant: in sync"
    assert fleet_summary({**hosts, "t": tenant(mdc_tickets_result=state([]))})[0].endswith("tenant: in sync")


def test_the_filters_are_offered_to_playbooks() -> None:
    assert set(FilterModule().filters()) == {
        "fleet_summary",
        "hosts_of_run",
        "hosts_to_fail",
        "predicted_failures",
        "tenant_gap",
    }


def test_policies_that_retire_are_one_line_for_the_tenant() -> None:
    row = {"enabled": True, "date": "2027-01-06", "successors": []}
    retiring = {"ending": [{**row, "name": "A"}, {**row, "name": "B"}], "changed": False}
    unread = {"ending": None, "changed": False}
    lines = fleet_summary({"t": tenant(mda_protection_policies_result=retiring, mda_protection_retiring=retiring)})
    assert lines.count("t: 2 policies end on 2027-01-06, and nothing replaces them for files in ServiceNow: A, B") == 1
    (unknown,) = [line for line in fleet_summary({"t": tenant(mda_protection_retiring=unread)}) if "end on" in line]
    assert unknown.startswith("t: which policies end on 2027-01-06 is unknown")
    assert "nothing replaces them for files in ServiceNow" in unknown


def test_activities_are_listed_by_instance_and_day_with_the_first_names() -> None:
    many = [{"user": f"user{n:02}", "count": 1} for n in range(12)]
    row = {
        "day": "2026-11-29",
        "instance": "1063085",
        "instance_name": "",
        "signed_in": many,
        "failed": [{"user": "", "count": 2}],
        "new_administrators": [{"name": "eve", "user": "root"}],
        "uploaded_files": [{"name": "", "user": "eve"}],
        "other": 4,
    }
    result = {"activities": [{}], "complete": True, "summary": [row], "changed": False}
    counts, *shown = fleet_summary({"t": tenant(activity_result=result)}, instances=[])
    assert counts == "tenant: 1 activity read", "nothing was compared, so nothing is in sync"
    assert shown == [
        "activity of 1063085 on 2026-11-29:",
        f"    signed in: {', '.join(f'user{n:02} (1)' for n in range(10))} and 2 more",
        "    failed sign-ins: unknown user (2)",
        "    new administrators: eve (by root)",
        "    uploaded files: unnamed (by eve)",
        "    other activities: 4",
        OTHERS,
    ]


def test_activities_that_were_not_read_are_never_none() -> None:
    row = {"day": "2026-11-29", "instance_name": "a", "signed_in": [], "failed": [], "other": 1}
    result = {"activities": [{}], "complete": False, "summary": [row], "changed": False}
    counts, unproven, *_rest = fleet_summary({"t": tenant(activity_result=result)}, instances=[])
    assert counts == "tenant: unproven"
    assert unproven.startswith("unproven: t: activities (there are more than the 1 that were read")
    assert "activity_limit" in unproven


def test_a_job_that_people_start_is_not_among_what_was_corrected() -> None:
    drift = [
        {"object": "configuration X", "field": "client_secret", "before": "a", "after": "b"},
        {"object": "job Assessment", "field": "last_run", "before": "running", "after": "Complete/Success"},
        {"object": "job Assessment", "field": "active", "before": False, "after": True},
    ]
    result = {"changed": True, "drift": drift, "manual_steps": []}
    shown = fleet_summary({"a": instance(mdc_configuration_compliance_result=result)})
    assert "drift: a: job Assessment (last_run)" in shown
    assert "corrected: a: configuration X (client_secret), job Assessment (active)" in shown


def test_findings_by_source_and_an_old_import_are_shown() -> None:
    compliance = {
        "counts": {"sources": {"azure": 9, "aws": 3, "gcp": 0, "on_premises": 1}},
        "last_import": {"ended_at": "2026-06-25T04:10:31Z", "age_hours": 60},
    }
    problem = {
        "id": "import_old",
        "severity": "warning",
        "message": "The last successful import ended 60 hours ago",
        "remedy": "x",
    }
    result = {"changed": False, "drift": [], "problems": [problem], "configuration_compliance": compliance}
    _counts, *shown = fleet_summary({"acme-prod": instance(mdc_configuration_compliance_result=result)}, read_only=True)
    assert shown == [
        "acme-prod: failed results imported: Azure 9, AWS 3, GCP 0, on premises 1; last import 60 hours ago, "
        "The last successful import ended 60 hours ago"
    ]
