# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_compliance_rules: deviations of Configuration Compliance become tasks with owners."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import SHELLS, Playbooks, Task, task

OWNED = {
    "name": "Storage",
    "order": 50,
    "condition": "result=Failed",
    "description": "Ours",
    "group": "Security Operations",
}
GROUPED = {
    "name": "One for each test",
    "active": True,
    "condition": "active=true",
    "group_by": ["Assignment group", "Test"],
}
TABLES = {
    "classic": ("sn_vulc_assignment_rule", "sn_vulc_grouping_rule"),
    "usem": ("sn_sec_wf_assign_rule", "sn_sec_rem_task_rule"),
}


def rules(name: str = "configure", **options: Any) -> Task:
    wanted = {"assignment_rules": [OWNED], "remediation_task_rules": [GROUPED], **options}
    return {**task("snow_compliance_rules", **wanted), "name": name}


@pytest.mark.parametrize("line", TABLES)
def test_rules_are_created_once_changed_and_removed(playbook: Playbooks, new_instance: NewInstance, line: str) -> None:
    knobs = {"configuration_compliance": "tvm", "compliance": {"line": line}}
    run, instance = run_lifecycle(playbook, new_instance, rules(), **knobs)
    owned, grouped = TABLES[line]
    row = instance.row(owned, name="Storage")
    group = instance.row("sys_user_group", name="Security Operations")["sys_id"]
    assert (row["filter_of"], row["order"], row["using"], row["owner_group"]) == ("result=Failed", "50", "grp", group)
    assert row.get("table", "") == ("sn_vulc_result" if line == "usem" else "")
    assert instance.row(grouped, **{"rule_name" if line == "usem" else "name": GROUPED["name"]})["active"] == "true"
    (step,) = run["configure: real"]["manual_steps"]
    assert step["values"]["Group test results from: Test Result, using field"] == "Assignment group, Test"
    assert run["configure: again"]["manual_steps"] == []
    assert run["configure: again"].requests == {"POST /api/now/v1/batch": 2}

    instance.change(owned, {"name": "Storage"}, filter_of="result=Passed", owner_group="")
    gone = {"assignment_rules": [{**OWNED, "state": "absent"}], "remediation_task_rules": []}
    tasks = [{**rules("drift"), "check_mode": True}, rules("repaired"), rules("removed", **gone), rules("gone", **gone)]
    run = playbook(tasks, instance).went_well()
    assert [entry["field"] for entry in run["drift"]["drift"]] == ["condition", "group"]
    assert (run["repaired"].changed, run["removed"].changed, run["gone"].changed) == (True, True, False)
    assert not instance.rows(owned, name="Storage")


@pytest.mark.parametrize("shell", SHELLS)
def test_what_cannot_be_determined_or_written_is_a_step(
    playbook: Playbooks, new_instance: NewInstance, shell: str
) -> None:
    account = {"agent": {"password": "agent-Pass-1", "roles": ["itil", "sn_vulc.admin"]}}
    knobs = {"configuration_compliance": "tvm", "compliance": {"line": "classic"}, "users": account}
    hidden = new_instance(**knobs, acl={"deny_table": {"sys_dictionary": "403"}})
    ordered = {"remediation_task_rules": [{**GROUPED, "order": 5}]}
    tasks = [
        rules("hidden"),
        {**rules("unknown group", assignment_rules=[{**OWNED, "group": "Nobody"}]), "ignore_errors": True},
        {**rules("everything", assignment_rules=[{**OWNED, "condition": ""}]), "ignore_errors": True},
    ]
    run = playbook(tasks, hidden, shell=shell)
    assert [step["title"] for step in run["hidden"]["manual_steps"]] == [
        "Enter the assignment rule Storage",
        "Enter the remediation task rule One for each test",
    ]
    assert run["hidden"]["manual_steps"][0]["values"] == {
        "Name": "Storage",
        "Description": "Ours",
        "Execution order": "50",
        "Condition": "result=Failed",
        "User group": "Security Operations",
        "Assign using": "User group",
    }
    assert not run["hidden"].changed
    assert "condition is empty, which every result meets" in run["everything"].message
    seen = new_instance(**knobs)
    run = playbook([rules("no such field", **ordered)], seen, shell=shell).went_well()
    (step,) = run.last["manual_steps"]
    assert "Execution order" in step["reason"]
    assert not seen.rows("sn_vulc_grouping_rule", name=GROUPED["name"])
    absent = new_instance()
    tasks = [{**rules("check"), "check_mode": True}, {**rules("real"), "ignore_errors": True}]
    run = playbook(tasks, absent, shell=shell)
    assert "not installed yet" in run["check"]["unproven"][0]["reason"]
    assert "Configuration Compliance is not installed" in run["real"].message
