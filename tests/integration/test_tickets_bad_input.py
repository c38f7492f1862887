# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets that are invalid, or impossible on the instance: each its own message, and nothing half-done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.integration.test_tickets import OPEN_PORT, statuses, tickets
from tests.sandbox.process import SandboxProcess

GOOD: dict[str, Any] = {"correlation_id": "good", "short_description": "Good"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"assignment_group": "No Such Group"},
            "assignment_group: sys_user_group has no row with name 'No Such Group', or the account cannot read it. "
            "Nothing was written",
        ),
        ({"caller": "missing"}, "caller: sys_user has no row with user_name 'missing'"),
        ({"assigned_to": "0" * 32}, f"assigned_to: sys_user has no row with user_name '{'0' * 32}'"),
        (
            {"impact": "9"},
            "'9' is not a valid impact on this instance. Nothing was written; valid values are: 1 (1 - High), 2 (",
        ),
        ({"extra_fields": {"category": "cloud"}}, "'cloud' is not a valid category on this instance"),
        ({"extra_fields": {"u_unknown": "x"}}, "incident has no field u_unknown on this instance"),
        (
            {"extra_fields": {"comments": "x"}},
            "(mdc_tickets_extra_fields or defender_alerts_extra_fields in the roles) contains comments, which other options set, or which are read-only",
        ),
        ({"correlation_id": "k" * 101}, "correlation_id has 101 characters, but the column holds 100"),
        ({"correlation_id": " k"}, "correlation_id must not be empty, or have leading or trailing spaces"),
        ({"short_description": ""}, "short_description must not be empty"),
        ({"short_description": None}, "it does not exist, and creating it requires short_description"),
        ({"correlation_id": "good"}, "incident good is listed more than once"),
        ({"type": "problem", "caller": "employee"}, "a problem has no caller"),
        ({"correlation_id": "javascript:gs.log()"}, "would be run by the instance, so it is never sent"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_invalid_input_is_reported_before_the_first_write(
    playbook: Playbooks, instance: Instance, wrong: dict[str, Any], words: str
) -> None:
    desired = {**OPEN_PORT, **wrong}
    check = tickets("check", GOOD, desired, more={"check_mode": True, "ignore_errors": True})
    run = playbook([check, tickets("real", GOOD, desired)], instance)
    assert words in run["real"].message
    assert run["real"].failed
    assert not run["real"].changed
    if "u_unknown" not in str(wrong):
        assert run["check"].message == run["real"].message
    assert not instance.rows("incident", correlation_id="good")


def test_a_close_code_that_the_instance_lacks_is_answered_with_those_it_has(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    own = {"Fixed": "Fixed", "Not a fault": "Not a fault"}
    instance = new_instance(tickets={"choices": {"incident.close_code": own}})
    ended = {"correlation_id": "good", "state": "resolved"}
    wrong = {**ended, "close_code": "Solution provided"}
    run = playbook(
        [
            tickets("create", GOOD),
            tickets("wrong", wrong, more={"ignore_errors": True}),
            tickets("none", ended, more={"ignore_errors": True}),
            tickets("right", {**ended, "close_code": "Fixed"}),
        ],
        instance,
    ).went_well()
    assert "'Solution provided' is not a valid close_code on this instance" in run["wrong"].message
    assert run["wrong"].message.endswith("valid values are: Fixed, Not a fault")
    assert (
        "set close_code (mdc_tickets_close_code or defender_alerts_close_code in the roles) to one of: Fixed, Not a fault"
        in run["none"].message
    )
    assert run["right"]["results"][0]["state"] == "resolved"


def test_a_name_of_two_groups_is_ambiguous(playbook: Playbooks, instance: Instance) -> None:
    ids = sorted(instance.add("sys_user_group", name="Twins") for _ in range(2))
    run = playbook(
        [
            tickets("name", {**GOOD, "assignment_group": "Twins"}, more={"ignore_errors": True}),
            tickets("id", {**GOOD, "assignment_group": ids[0]}),
        ],
        instance,
    ).went_well()
    assert "2 sys_user_group records have the name 'Twins'" in run["name"].message
    assert instance.row("incident", correlation_id="good")["assignment_group"] == ids[0]


def test_two_open_tickets_with_one_key_are_both_named(playbook: Playbooks, instance: Instance) -> None:
    ids = [instance.add("incident", correlation_id="good", short_description="Theirs") for _ in range(2)]
    done = playbook([tickets("create", GOOD, {**OPEN_PORT})], instance).last
    assert done.failed
    assert "2 open tickets have the key of incident good" in done.message
    assert all(row_id in done.message for row_id in ids)
    assert not done.writes


def test_an_ended_ticket_with_the_same_key_does_not_hide_the_open_one(playbook: Playbooks, instance: Instance) -> None:
    instance.add("incident", correlation_id="good", short_description="Old", state="7")
    instance.add("incident", correlation_id="good", short_description="New")
    run = playbook([tickets("change", {**GOOD, "short_description": "Newer"})], instance).went_well()
    assert run.last["results"][0]["state"] == "open"
    assert sorted(row["short_description"] for row in instance.rows("incident", correlation_id="good")) == [
        "Newer",
        "Old",
    ]


def test_a_deleted_ticket_is_created_again_or_not_needed(playbook: Playbooks, instance: Instance) -> None:
    playbook([tickets("create", GOOD, OPEN_PORT)], instance).went_well()
    before = {row["number"] for row in instance.rows("incident")}
    instance.remove("incident", correlation_id="good")
    instance.remove("incident", correlation_id="finding-1")
    run = playbook([tickets("again", GOOD, {"correlation_id": "finding-1", "state": "resolved"})], instance).went_well()
    assert statuses(run.last.result) == {"good": "changed", "finding-1": "absent"}
    assert run.last["results"][0]["number"] not in before


def test_a_mandatory_field_of_the_instance_is_reported_with_its_ticket(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(tickets={"mandatory": {"incident": ["caller_id"]}})
    run = playbook([tickets("create", GOOD, {**OPEN_PORT, "caller": "employee"})], instance).went_well()
    assert statuses(run.last.result) == {"good": "refused", "finding-1": "changed"}
    assert "Data Policy Exception: Caller is mandatory" in run.last["results"][0]["reason"]
    assert any("refused to create incident good" in warning for warning in run.last["warnings"])
    assert run.last.changed


def test_a_group_that_itil_may_not_assign_to_is_reported_with_its_ticket(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(users={"t": {"password": "t-Pass-1", "roles": ["itil"]}})
    account = {instance.name: {**instance.connection, "snow_username": "t", "snow_password": "t-Pass-1"}}
    wrong = {**OPEN_PORT, "assignment_group": "Instance Administrators"}
    run = playbook([tickets("create", GOOD, wrong)], account).went_well()
    assert statuses(run.last.result) == {"good": "changed", "finding-1": "refused"}
    assert "Restrict assignment to privileged groups" in run.last["results"][1]["reason"]


def test_a_long_title_is_cut_and_stays_in_sync(playbook: Playbooks, instance: Instance) -> None:
    long = {**GOOD, "short_description": "Machines should have vulnerability findings resolved " * 4}
    run = playbook([tickets("create", long), tickets("again", long)], instance).went_well()
    title = instance.row("incident", correlation_id="good")["short_description"]
    assert len(title) <= 160
    assert title.endswith("...")
    assert not run["again"].changed


def test_without_the_right_to_read_choices_the_platform_decides(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(acl={"deny_table": {"sys_choice": "403"}})
    ended = {"correlation_id": "finding-1", "state": "resolved"}
    run = playbook([tickets("create", OPEN_PORT), tickets("end", ended), tickets("again", ended)], instance).went_well()
    row = instance.row("incident", correlation_id="finding-1")
    assert (row["impact"], row["urgency"], row["close_code"]) == ("2", "1", "Solution provided")
    assert run["end"]["results"][0]["platform_state"] == "6"
    assert not run["again"].changed


@pytest.mark.parametrize("name", ["mdc_tickets_filter", "mdc_tickets_scopes"])
def test_a_selection_that_cannot_be_evaluated_selects_nothing(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, name: str
) -> None:
    tenant = Defender(playbook, sandbox, instance)
    before = len(instance.rows("incident"))
    run = tenant("tickets", variables={"mdc_tickets_instance": instance.name, name: "{{ nothing }}"})
    assert run.status == 2
    assert "'nothing' is undefined" in run.summary
    assert len(instance.rows("incident")) == before
