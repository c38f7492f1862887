# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point drift of role snow_connection: its task has the options that the variables of its host give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, SHELLS, Playbooks, Run

COMPARE = [
    {"name": "Compare", "ansible.builtin.import_role": {"name": f"{COLLECTION}.snow_connection", "tasks_from": "drift"}}
]
TASK = "Compare account, application, role and settings"
ENVIRONMENT = {"ANSIBLE_INJECT_INVOCATION": "true", "OWN_TABLE": "sysevent"}


def arguments(run: Run, instance: Instance) -> dict[str, Any]:
    found: dict[str, Any] = run.on(instance.name, TASK)["invocation"]["module_args"]
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_variables_of_any_kind_reach_the_task(playbook: Playbooks, new_instance: NewInstance, shell: str) -> None:
    first, second = new_instance(), new_instance()
    hosts = {
        each.name: {
            **each.connection,
            "stage": stage,
            "snow_connection_user_name": "svc_{{ stage }}_{{ snow_connection_service }}",
            "snow_preflight_tables": ["{{ lookup('ansible.builtin.env', 'OWN_TABLE') }}", "sys_user"],
            "snow_preflight_properties": "{{ nowhere | default(omit) }}",
            "snow_hardening_baseline": "",
            "snow_hardening_ids": "{{ ['auth.mfa_enabled'] if stage == 'prod' else ['session.idle_timeout'] }}",
            "snow_hardening_max_writes": "{{ snow_hardening_ids | length }}",
            "timeout": "{{ hostvars[inventory_hostname].stage | length + 10 }}",
        }
        for each, stage in ((first, "prod"), (second, "dev"))
    }
    run = playbook(COMPARE, hosts, shell=shell, environment=ENVIRONMENT).went_well()
    for each, stage, setting in ((first, "prod", "auth.mfa_enabled"), (second, "dev", "session.idle_timeout")):
        found = arguments(run, each)
        assert found["snow_url"] == each.connection["snow_url"]
        assert found["timeout"] == len(stage) + 10
        assert found["preflight"] == {"tables": ["sysevent", "sys_user"]}
        # ansible-core 2.18 makes text of the number.
        assert {**found["hardening"], "max_writes": int(found["hardening"]["max_writes"])} == {
            "ids": [setting],
            "max_writes": 1,
        }
        assert [user["user_name"] for user in found["instance"]["users"]] == [f"svc_{stage}_mda"]
        assert (found["fail_on"], found["ignore"]) == (["error"], [])


def test_defaults_of_the_play_for_the_module_win(playbook: Playbooks, instance: Instance) -> None:
    defaults = {
        f"group/{COLLECTION}.snow": {"snow_url": "https://elsewhere.invalid"},
        f"{COLLECTION}.snow_drift_info": {"fail_on": ["warning"], "timeout": 7},
    }
    play = {"module_defaults": defaults, "vars": {"snow_connection_compare_hardening": False}}
    run = playbook(COMPARE, instance, play=play, environment=ENVIRONMENT)
    found = arguments(run, instance)
    assert (found["fail_on"], found["timeout"]) == (["warning"], 7)
    assert (found["snow_url"], found["hardening"]) == (instance.connection["snow_url"], None)


def test_hosts_that_are_not_in_sync_have_no_task_but_one_of_their_own(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instances = [new_instance() for _number in range(3)]
    broken = new_instance(faults=[{"kind": "hibernating"}])
    variables = {"drift_include_hardening": False, "drift_report_dir": str(playbook.folder / "report")}
    run = playbook("drift", [*instances, broken], variables=variables)
    assert run.status == 2
    assert "3 hosts are not in sync; see the summary" in run.output
    assert (run.recap[broken.name]["failed"], run.recap[instances[0].name]["failed"]) == (1, 1)
    for each in instances[1:]:
        assert (run.recap[each.name]["ok"], run.recap[each.name]["skipped"]) == (1, 0)
    run = playbook("drift", [*instances, broken], variables={**variables, "drift_fail": False})
    assert run.status == 2, "an instance failed"
    assert not [done for done in run.done if done.failed and done.task == "Fail if hosts are not in sync"]
