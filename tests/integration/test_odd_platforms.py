# SPDX-License-Identifier: GPL-3.0-or-later
"""Platforms that answer as few do: query access rules, numbers with decimals, names in lower case."""

from __future__ import annotations

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, task
from tests.integration.test_itsm import HIGH
from tests.sandbox.process import SandboxProcess

WRONG = {"ignore_errors": True}


def test_an_account_that_may_not_sort_reads_and_writes_as_any_other(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    tables = dict.fromkeys(("sys_user", "sys_user_group", "sys_user_role", "sys_user_has_role"), ["*"])
    instance = new_instance(acl={"deny_range": tables}, unstable_order=True)
    user = task("snow_user", "user", user_name="svc_defender", roles=["itil"])
    query = {"name": "Security Operations"}
    run = playbook(
        [
            user,
            {**user, "name": "again"},
            task("snow_record_info", "by value", table="sys_user_group", query=query),
            task("snow_record_info", "by range", table="sys_user_group", query="nameSTARTSWITHCloud", more=WRONG),
        ],
        instance,
    )
    assert run["user"].changed and not run["again"].changed
    assert len(run["by value"]["records"]) == 1
    assert "Insufficient rights to query records" in run["by range"].message
    assert "query_match, query_range" in run["by range"].message


def test_states_with_decimals_are_the_same_states(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(tickets={"whole_numbers": "decimal", "change_transitions": "free"})
    keys = {"incident": "finding-1", "change_request": "finding-2", "problem": "finding-3"}
    opened = [
        {"type": kind, "correlation_id": key, "short_description": "Close the port", "impact": "low", "urgency": "low"}
        for kind, key in keys.items()
    ]
    ended = [
        {"type": "incident", "correlation_id": "finding-1", "state": "closed"},
        {"type": "change_request", "correlation_id": "finding-2", "state": "canceled"},
    ]
    run = playbook(
        [
            task("snow_tickets", "open", tickets=opened),
            task("snow_tickets", "open again", tickets=opened),
            task("snow_tickets", "end", tickets=ended),
            task("snow_tickets", "end again", tickets=ended),
        ],
        instance,
    ).went_well()
    assert [name for name in ("open", "open again", "end", "end again") if run[name].changed] == ["open", "end"]
    assert [entry["state"] for entry in run["end again"]["results"]] == ["closed", "canceled"]
    assert run["open again"]["results"][0]["platform_state"] == "New"


def test_names_in_lower_case_are_the_same_names(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(
        playbook, sandbox, instance, subscriptions=1, lost_case=True, variables={"mdc_itsm_rules": [HIGH]}
    )
    first = tenant("onboard").went_well()
    assert sum(numbers["changed"] for numbers in first.recap.values()) > 0
    again = tenant("onboard").went_well()
    assert sum(numbers["changed"] for numbers in again.recap.values()) == 0, again.output
    assert "1 instance: 1 in sync" in tenant("drift").went_well().summary
