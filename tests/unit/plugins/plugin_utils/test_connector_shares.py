# SPDX-License-Identifier: GPL-3.0-or-later
"""The connectors of all instances are found by one task on the tenant: the summary and the report count them alike."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.filter.fleet_summary import fleet_summary
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.connector_shares import shares
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.collect import Fleet, TaskReport
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import make, summary
from tests.unit.plugins.plugin_utils.report.fleets import NOW

Json = dict[str, Any]
NOTHING: Json = {"drift": [], "results": [], "changed": False}
MISSING = {"object": "connector a", "field": "status", "before": "absent", "after": "connected"}
STEP = {
    "id": "connector:create:a",
    "title": "Connect a",
    "reason": "x",
    "where": "y",
    "values": {},
    "secret_values": [],
}
UNREAD = {"object": "connector a", "field": "state", "reason": "the list of connectors is refused"}
RESULTS: dict[str, tuple[Json, str, str]] = {
    "all there": (NOTHING, "in sync", "in sync"),
    "missing": ({**NOTHING, "drift": [MISSING], "changed": True}, "drift", "drift"),
    "by hand": ({**NOTHING, "manual_steps": [STEP]}, "drift", "drift"),
    "unread, and a step that may be needed": (
        {**NOTHING, "unproven": [UNREAD], "manual_steps": [STEP]},
        "unproven",
        "unproven",
    ),
    "unread": ({**NOTHING, "unproven": [UNREAD]}, "unproven", "unproven"),
    "of another host": (
        {**NOTHING, "drift": [{**MISSING, "object": "connector z"}], "changed": True},
        "in sync",
        "drift",
    ),
}


@pytest.mark.parametrize(("result", "instance", "tenant"), RESULTS.values(), ids=RESULTS)
def test_summary_and_report_have_one_verdict_on_a_connector(result: Json, instance: str, tenant: str) -> None:
    done = {"changed": False, "drift": [], "results": [{"object": "user svc", "status": "ok"}]}
    selected = {"started": True}
    hostvars = {
        "a": {"servicenow_defender_selected": selected, "snow_connection_result": done},
        "b": {"servicenow_defender_selected": selected, "snow_connection_result": done},
        "t": {"servicenow_defender_selected_tenant": selected, "mda_connection_result": result},
    }
    first = fleet_summary(hostvars, check_mode=True, read_only=True)[0]
    counts = "2 in sync" if instance == "in sync" else f"1 in sync, 1 {instance}"
    assert first.startswith(f"2 instances: {counts}")
    assert first.endswith(f"; tenant: {tenant}")

    fleet = Fleet(inventory=("a", "b", "t"), tenants=frozenset({"t"}))
    for host in "ab":
        fleet.add(TaskReport(host, "secops.servicenow_defender.snow_instance", done, check_mode=True))
    fleet.add(TaskReport("t", "secops.servicenow_defender.mda_connectors", result, check_mode=True))
    document = make(fleet, {"playbooks": [], "plays": [], "started_at": NOW.isoformat(), "run_id": None}, NOW)
    totals = document["totals"]["instances"]
    assert (totals["in_sync"], totals["drift"], totals["unproven"]) == (
        1 + (instance == "in sync"), int(instance == "drift"), int(instance == "unproven"),
    )  # fmt: skip
    assert summary(document).endswith(f"; tenant: {tenant}")


@pytest.mark.parametrize("failed", [False, True])
def test_what_a_failed_task_left_of_a_connector_is_not_corrected(failed: bool) -> None:
    done = {"changed": False, "drift": [], "results": [{"object": "user svc", "status": "ok"}]}
    result = {**NOTHING, "drift": [MISSING], "changed": True, "failed": failed, "msg": "connector a is error"}
    hostvars = {
        "a": {"servicenow_defender_selected": {"started": True}, "snow_connection_result": done},
        "t": {"servicenow_defender_selected_tenant": {"started": True}, "mda_connection_result": result},
    }
    first = fleet_summary(hostvars)[0]
    assert first.startswith(
        "1 instance: 1 drift; tenant: failed" if failed else "1 instance: 1 in sync; tenant: corrected"
    )


def test_each_entry_belongs_to_one_share() -> None:
    problem = {"id": "connector_token:b", "message": "x"}
    result = {**NOTHING, "drift": [MISSING, {**MISSING, "object": "ip range a"}], "problems": [problem], "msg": "m"}
    found = dict(shares(result, ["a", "b", "c"]))
    assert list(found) == ["a", "b", ""]
    assert (found["a"]["drift"], found["b"]["problems"]) == ([MISSING], [problem])
    assert (found[""]["drift"], found[""]["problems"]) == ([{**MISSING, "object": "ip range a"}], [])
    assert found[""]["msg"] == "m"
