# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a task's result gets into the report, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.collect import (
    HIDDEN_MESSAGE,
    NO_MESSAGE,
    Fleet,
    TaskReport,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import make
from tests.unit.plugins.plugin_utils.report.fleets import LIFESPAN, NOW, PLAY, RESTRICTED, STATE, deviation, elevation
from tests.unit.plugins.plugin_utils.report.strategies import document_of

CENSORED = {"censored": "the output has been hidden due to the fact that 'no_log: true' was specified for this result"}


def report(result: dict[str, Any], **task: Any) -> TaskReport:
    return TaskReport(**{"host": "acme-dev", "action": STATE, "result": result, "check_mode": True, **task})


def host_of(*found: TaskReport) -> dict[str, Any]:
    host: dict[str, Any] = document_of(list(found))["hosts"]["acme-dev"]
    return host


def test_drift_found_in_check_mode_is_open() -> None:
    host = host_of(report({"changed": True, "drift": [LIFESPAN]}))
    assert host["status"] == "drift"
    assert host["drift"] == [
        {**LIFESPAN, "kind": "oauth_application", "name": "CloudAppSecurity", "repaired": False},
    ]


def test_drift_that_a_real_run_changed_is_repaired_and_leaves_the_instance_clean() -> None:
    host = host_of(report({"changed": True, "drift": [LIFESPAN]}, check_mode=False))
    assert (host["status"], host["repaired"], host["drift"][0]["repaired"]) == ("in_sync", 1, True)


@pytest.mark.parametrize(
    ("result", "task"),
    [
        ({"changed": False, "drift": [LIFESPAN]}, {}),
        ({"changed": True, "drift": [LIFESPAN], "failed": True}, {}),
        ({"changed": True, "drift": [LIFESPAN]}, {"outcome": "failed", "ignored": True}),
        ({"changed": True, "drift": [{**LIFESPAN, "repaired": False}]}, {}),
    ],
)
def test_drift_that_a_real_run_did_not_correct_stays_open(result: dict[str, Any], task: dict[str, Any]) -> None:
    assert host_of(report(result, check_mode=False, **task))["drift"][0]["repaired"] is False


def test_a_real_run_leaves_open_what_it_could_not_change() -> None:
    drift = [
        LIFESPAN,
        deviation("property glide.a", "value", "1", "2"),
        deviation("table_acl incident (a)", "read", "x", "y"),
    ]
    rows = [
        {"object": "oauth_application CloudAppSecurity", "status": "changed"},
        {"object": "property glide.a", "name": "glide.a", "status": "needs_elevation"},
        {"object": "table_acl incident (a)", "table": "incident", "status": "missing"},
    ]
    host = host_of(report({"changed": True, "drift": drift, "results": rows}, check_mode=False))
    assert [entry["repaired"] for entry in host["drift"]] == [True, False, False]
    assert host["status"] == "drift"


def test_an_object_with_drift_makes_its_host_drift() -> None:
    assert host_of(report({"results": [{"object": "plugin a", "status": "not_entitled"}]}))["status"] == "drift"


def test_the_same_drift_reported_by_two_tasks_counts_once() -> None:
    host = host_of(report({"drift": [LIFESPAN]}), report({"drift": [dict(LIFESPAN)]}))
    assert len(host["drift"]) == 1


def test_drift_that_a_later_task_repairs_is_repaired() -> None:
    found = report({"changed": True, "drift": [LIFESPAN]})
    host = host_of(found, report({"changed": True, "drift": [LIFESPAN]}, check_mode=False))
    assert (host["status"], len(host["drift"]), host["repaired"]) == ("in_sync", 1, 1)


def test_a_manual_step_counts_as_drift_and_twice_the_same_step_as_one() -> None:
    host = host_of(*[report({"manual_steps": [elevation("incident"), elevation("sysevent")]})] * 2)
    assert host["status"] == "drift"
    assert [step["id"] for step in host["manual_steps"]] == ["grant_read_acl_incident", "grant_read_acl_sysevent"]


def test_a_manual_step_never_carries_the_value_of_a_secret_label() -> None:
    step = {
        **elevation("incident"),
        "values": {"Client Secret": "planted", "Name": "x"},
        "secret_values": ["Client Secret"],
    }
    (kept,) = host_of(report({"manual_steps": [step]}))["manual_steps"]
    assert kept["values"] == {"Client Secret": "********", "Name": "x"}


def test_problems_are_kept_but_are_no_drift() -> None:
    host = host_of(report({"problems": [RESTRICTED]}), report({"problems": [RESTRICTED]}))
    assert (host["status"], host["problems"]) == ("in_sync", [RESTRICTED])


def test_every_item_of_a_loop_is_read() -> None:
    items = [{"drift": [LIFESPAN]}, {"skipped": True, "drift": [LIFESPAN]}, {"problems": [RESTRICTED], "drift": []}]
    host = host_of(report({"results": items, "changed": True}, loop=True))
    assert (len(host["drift"]), len(host["problems"])) == (1, 1)


def test_an_item_that_failed_repaired_nothing_while_its_neighbour_did() -> None:
    second = deviation("role a", "description", "", "x")
    items = [
        {"changed": True, "drift": [LIFESPAN]},
        {"changed": True, "drift": [second], "failed": True, "msg": "refused"},
    ]
    found = report({"results": items, "msg": "One or more items failed"}, loop=True, outcome="failed", check_mode=False)
    host = host_of(found)
    assert [entry["repaired"] for entry in host["drift"]] == [True, False]
    assert host["message"] == "refused"


def test_a_loop_that_failed_repaired_nothing_if_no_item_says_that_it_failed() -> None:
    items = [{"changed": True, "drift": [LIFESPAN]}]
    found = report({"results": items, "msg": "One or more items failed"}, loop=True, outcome="failed", check_mode=False)
    assert [entry["repaired"] for entry in host_of(found)["drift"]] == [False]


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("hidden", [CENSORED, {"_ansible_no_log": True}])
def test_a_result_hidden_by_no_log_is_counted_and_nothing_of_it_is_taken(hidden: dict[str, Any], loop: bool) -> None:
    planted = {"drift": [deviation("user a", "password", "planted", "planted")], "msg": "planted"}
    found = report({**planted, **hidden, "results": [planted]}, outcome="failed", loop=loop)
    document = document_of([found])
    assert "planted" not in str(document)
    assert document["hosts"]["acme-dev"]["message"] == HIDDEN_MESSAGE
    assert document["totals"]["hidden_results"] == 1


def test_one_hidden_item_of_a_loop_does_not_hide_the_others() -> None:
    items = [{**CENSORED, "msg": "planted"}, {"drift": [LIFESPAN]}]
    document = document_of([report({"results": items}, loop=True)])
    assert document["totals"]["hidden_results"] == 1
    assert document["totals"]["deviations"] == 1


@pytest.mark.parametrize("outcome", ["failed", "unreachable"])
def test_a_host_that_dropped_out_has_a_reason(outcome: str) -> None:
    host = host_of(report({"drift": [LIFESPAN]}), report({"msg": "asleep"}, outcome=outcome, task="Compare"))
    assert (host["status"], host["message"]) == (outcome, "asleep")
    assert host["failures"] == [{"status": outcome, "task": "Compare", "message": "asleep"}]
    assert len(host["drift"]) == 1


def test_a_failure_without_words_is_still_a_failure() -> None:
    assert host_of(report({}, outcome="failed"))["message"] == NO_MESSAGE


def test_a_rescued_failure_does_not_count() -> None:
    fleet = Fleet()
    fleet.add(report({"msg": "rescued"}, outcome="failed"))
    fleet.add(report({"msg": "fatal"}, outcome="failed"))
    fleet.add(report({"msg": "rescued"}, outcome="failed", host="acme-test", action="ansible.builtin.fail"))
    fleet.settle({"acme-dev": 1, "acme-test": 0})
    hosts = make(fleet, PLAY, NOW)["hosts"]
    assert list(hosts) == ["acme-dev"]
    assert [failure["message"] for failure in hosts["acme-dev"]["failures"]] == ["fatal"]


def test_neither_an_ignored_failure_nor_the_verdict_on_drift_makes_a_host_failed() -> None:
    fleet = Fleet()
    fleet.add(report({"msg": "ignored", "drift": [LIFESPAN]}, outcome="failed", ignored=True))
    fleet.add(report({"msg": "there is drift"}, outcome="failed", action="ansible.builtin.assert", verdict=True))
    fleet.settle({"acme-dev": 1})
    assert make(fleet, PLAY, NOW)["hosts"]["acme-dev"]["status"] == "drift"


def test_a_run_of_other_modules_is_no_business_of_the_report() -> None:
    fleet = Fleet()
    fleet.add(report({"msg": "broken", "changed": True}, action="ansible.builtin.command", outcome="failed"))
    fleet.add(report({"drift": "no list"}, action="example.other.thing"))
    assert not fleet.seen


def test_a_foreign_module_takes_part_by_returning_drift_but_debug_repeats_only() -> None:
    fleet = Fleet()
    fleet.add(report({"drift": [LIFESPAN]}, action="ansible.builtin.debug"))
    assert not fleet.seen
    fleet.add(report({"drift": [LIFESPAN]}, action="example.other.thing"))
    assert fleet.seen


def test_a_failure_elsewhere_is_reported_once_the_collection_took_part() -> None:
    failed = report({"msg": "no such file"}, action="ansible.builtin.copy", outcome="failed", host="acme-test")
    hosts = document_of([report({"drift": []}), failed])["hosts"]
    assert {name: host["status"] for name, host in hosts.items()} == {"acme-dev": "in_sync", "acme-test": "failed"}


def test_the_expiry_of_a_refresh_token_becomes_days_left() -> None:
    applications = [
        {"name": "CloudAppSecurity", "refresh_token_expires_at": "2026-03-09 09:30:00"},
        {"name": "Later", "refresh_token_expires_at": "2026-03-02T08:00:00Z"},
        {"name": "Odd", "refresh_token_expires_at": "soon"},
        {"name": "None known", "refresh_token_expires_at": None},
    ]
    host = host_of(report({"oauth_applications": applications}, action=f"{STATE[:-10]}snow_oauth_application_info"))
    assert {token["name"]: token["days_left"] for token in host["tokens"]} == {
        "CloudAppSecurity": 7,
        "Later": 0,
        "Odd": None,
    }


@pytest.mark.parametrize(
    "junk", [None, "text", 3, [], ["text"], [{}], {"object": 1}, [{"object": None}], [{"object": "user a"}]]
)
def test_results_of_any_shape_do_no_harm(junk: Any) -> None:
    keys = ("drift", "manual_steps", "problems", "oauth_applications", "objects", "results", "user")
    document_of(
        [
            report(dict.fromkeys(keys, junk)),
            report({"results": junk}, loop=True),
            report({"msg": junk}, outcome="failed"),
        ]
    )


def test_each_instance_gets_its_share_of_what_one_host_did_for_all() -> None:
    connector = deviation("connector acme-prod", "status", "absent", "connected")
    result = {
        "changed": False,
        "drift": [connector],
        "results": [{"object": f"connector {host}", "status": "ok"} for host in ("acme-dev", "acme-prod", "elsewhere")],
        "manual_steps": [{"id": "connector:create:acme-prod", "title": "Connect acme-prod", "where": "", "values": {}}],
    }
    tenant = report(result, action="secops.servicenow_defender.mda_connectors")
    hosts = document_of([report({"drift": []}), report({"drift": []}, host="acme-prod"), tenant])["hosts"]
    assert (hosts["acme-dev"]["status"], hosts["acme-prod"]["status"]) == ("in_sync", "drift")
    assert [entry["object"] for entry in hosts["acme-prod"]["drift"]] == ["connector acme-prod"]
    assert [step["title"] for step in hosts["acme-prod"]["manual_steps"]] == ["Connect acme-prod"]
    assert [entry["object"] for entry in hosts["acme-dev"]["objects"]] == ["connector acme-dev", "connector elsewhere"]


@pytest.mark.parametrize(
    ("failed", "module", "status"),
    [
        ("acme-prod", "mda_connectors", "unproven"),
        ("acme-dev", "mda_connectors", "in_sync"),
        ("acme-prod", "mda_policies", "in_sync"),
    ],
)
def test_a_tenant_is_unproven_if_the_connection_of_an_instance_that_failed_was_not_compared(
    failed: str, module: str, status: str
) -> None:
    fleet = Fleet(inventory=("acme-dev", "acme-prod", "t"), tenants=frozenset({"t"}))
    fleet.add(report({"msg": "down"}, host=failed, outcome="failed"))
    result = {"drift": [], "results": [{"object": "connector acme-dev", "status": "ok"}]}
    fleet.add(report(result, host="t", action=f"secops.servicenow_defender.{module}"))
    fleet.settle({failed: 1})
    tenant = make(fleet, PLAY, NOW)["hosts"]["t"]
    assert tenant["status"] == status
    reasons = [entry["reason"] for entry in tenant["unproven"] if entry["object"] == f"connection of {failed}"]
    assert reasons == (["not compared, as the work on the instance failed"] if status == "unproven" else [])


def test_a_connector_returns_when_its_token_expires() -> None:
    end = "2027-02-19T09:00:00+00:00"
    result = {"results": [{"object": "connector acme-dev", "name": "acme-dev", "refresh_token_expires_at": end}]}
    host = host_of(report({"drift": []}), report(result, action="secops.servicenow_defender.mda_connectors"))
    assert [(token["of"], token["name"], token["expires_at"]) for token in host["tokens"]] == [
        ("connector", "acme-dev", end)
    ]


def test_the_last_report_of_an_object_decides_whether_it_is_unproven() -> None:
    row = {"object": "connector acme-dev", "name": "acme-dev", "status": "unknown"}
    entry = {"object": "connector acme-dev", "field": "state", "reason": "it is connecting"}
    before = report({"results": [row], "unproven": [entry]})
    after = report({"results": [{**row, "status": "connected"}], "unproven": []})
    assert host_of(before)["status"] == "unproven"
    assert (host_of(before, after)["status"], host_of(before, after)["unproven"]) == ("in_sync", [])
    assert host_of(after, before)["status"] == "unproven"


def test_one_field_of_an_object_can_be_unproven() -> None:
    entry = {"object": "user svc_defender", "field": "password", "reason": "no digest"}
    host = host_of(report({"objects": ["user svc_defender"], "unproven": [entry]}))
    assert [row["status"] for row in host["objects"]] == ["unproven"]
