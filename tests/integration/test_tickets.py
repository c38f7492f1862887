# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents, problems and change requests: their lifecycle, and what the platform leaves to users."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task

MODULE = "snow_tickets"
GROUP = "Security Operations"
OPEN_PORT: dict[str, Any] = {
    "correlation_id": "finding-1",
    "short_description": "Management ports should be closed",
    "description": "Found on vm-web-1.\nClose them.",
    "impact": "medium",
    "urgency": "high",
}
STORAGE: dict[str, Any] = {"correlation_id": "finding-2, with ^ odd", "short_description": "Restrict network access"}


def tickets(name: str, /, *desired: dict[str, Any], more: Any = None) -> Any:
    return task(MODULE, name, tickets=list(desired), more=more)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {entry["correlation_id"]: entry["status"] for entry in result["results"]}


def notes_of(instance: Instance, row: dict[str, str]) -> list[str]:
    return [entry["value"] for entry in instance.rows("sys_journal_field", element_id=row["sys_id"])]


def test_an_incident_is_open_from_its_finding_to_its_end(playbook: Playbooks, new_instance: NewInstance) -> None:
    changed = {**OPEN_PORT, "urgency": "3", "assigned_to": "itil_agent", "work_note": "Seen again"}
    ended = {"correlation_id": "finding-1", "state": "resolved", "close_notes": "Healthy", "work_note": "Healed"}
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        tickets("create", {**OPEN_PORT, "assignment_group": GROUP, "work_note": "Found"}, STORAGE),
        tickets("change", {**changed, "caller": "employee", "extra_fields": {"category": "network"}}, STORAGE),
        tickets("resolve", ended, {"correlation_id": STORAGE["correlation_id"], "state": "canceled"}),
    )
    for row in (instance.row("incident", correlation_id="finding-1"),):
        assert (row["impact"], row["urgency"], row["priority"]) == ("2", "3", "4")
        assert row["description"] == OPEN_PORT["description"]
        assert row["correlation_display"] == "Microsoft Defender for Cloud"
        assert row["assignment_group"] == instance.row("sys_user_group", name=GROUP)["sys_id"]
        assert row["assigned_to"] == instance.row("sys_user", user_name="itil_agent")["sys_id"]
        assert row["caller_id"] == instance.row("sys_user", user_name="employee")["sys_id"]
        assert (row["category"], row["state"], row["close_code"]) == ("network", "6", "Solution provided")
        assert row["close_notes"] == "Healthy"
        assert sorted(notes_of(instance, row)) == ["Found", "Healed", "Seen again"]
    assert instance.row("incident", correlation_id=STORAGE["correlation_id"])["state"] == "8"
    first, second = run["create: real"]["results"]
    assert (first["status"], first["state"], first["platform_state"]) == ("changed", "open", "New")
    assert first["number"] == instance.row("incident", correlation_id="finding-1")["number"]
    assert first["link"] == (
        f"{instance.connection['snow_url']}/nav_to.do?uri=%2Fincident.do%3Fsys_id%3D{first['sys_id']}"
    )
    predicted = run["create: check"]["results"][0]
    assert (predicted["status"], predicted["number"], predicted["sys_id"], predicted["link"]) == ("changed", "", "", "")
    assert statuses(run["create: again"].result) == {"finding-1": "ok", second["correlation_id"]: "ok"}
    resolved, canceled = run["resolve: real"]["results"]
    assert (resolved["state"], resolved["platform_state"]) == ("resolved", "Resolved")
    assert (canceled["state"], canceled["platform_state"]) == ("canceled", "Canceled")
    assert {"object": "incident finding-1", "field": "urgency", "before": "1", "after": "3"} in run["change: real"][
        "drift"
    ]


def test_what_users_ended_stays_so_and_is_reported(playbook: Playbooks, instance: Instance) -> None:
    keys = {"resolved": "6", "closed": "7", "canceled": "8"}
    desired = [{**OPEN_PORT, "correlation_id": name} for name in keys]
    playbook([tickets("create", *desired)], instance).went_well()
    for name, state in keys.items():
        instance.change("incident", {"correlation_id": name}, state=state, close_code="User error", close_notes="No")
    changed = [{**one, "impact": "high", "work_note": "Still there"} for one in desired]
    ending = [{"correlation_id": name, "state": state} for state in keys for name in keys if name != "resolved"]
    run = playbook(
        [tickets("again", *changed), *(tickets(f"end {n}", one) for n, one in enumerate(ending))], instance
    ).went_well()
    assert all(not done.changed and not done.writes for done in run.done)
    for entry in run["again"]["results"]:
        assert (entry["status"], entry["state"]) == ("ok", entry["correlation_id"])
        assert f"it has been {entry['correlation_id']} and stays {entry['correlation_id']}" in entry["reason"]
    assert not run["again"]["drift"]


def test_a_resolved_incident_is_reopened_on_demand_and_a_closed_one_never(
    playbook: Playbooks, instance: Instance
) -> None:
    desired = [{**OPEN_PORT, "correlation_id": name} for name in ("resolved", "closed")]
    playbook([tickets("create", *desired)], instance).went_well()
    for name, state in (("resolved", "6"), ("closed", "7")):
        instance.change("incident", {"correlation_id": name}, state=state, close_code="User error", close_notes="No")
    again = [{**one, "reopen": True, "impact": "high", "work_note": "Back again", "close_notes": ""} for one in desired]
    check = tickets("check", *again, more={"check_mode": True})
    run = playbook([check, tickets("reopen", *again), tickets("again", *again)], instance).went_well()
    assert statuses(run["reopen"].result) == {"resolved": "changed", "closed": "ok"}
    assert run["check"]["drift"] == run["reopen"]["drift"]
    row = instance.row("incident", correlation_id="resolved")
    assert (row["state"], row["impact"], row.get("close_notes", "")) == ("2", "1", "")
    assert "Back again" in notes_of(instance, row)
    assert run["reopen"]["results"][0]["platform_state"] == "In Progress"
    assert not run["again"].changed
    closed = instance.row("incident", correlation_id="closed")
    assert (closed["state"], closed["close_notes"]) == ("7", "No")


def test_what_is_not_there_need_not_be_ended(playbook: Playbooks, instance: Instance) -> None:
    ended = [
        {"type": kind, "correlation_id": f"{kind}-{state}", "state": state}
        for kind in ("incident", "problem", "change_request")
        for state in ("resolved", "closed", "canceled")
    ]
    run = playbook([tickets("end", *ended)], instance).went_well()
    assert not run.last.changed
    assert not run.last["drift"]
    for entry in run.last["results"]:
        assert (entry["status"], entry["state"], entry["number"], entry["link"]) == ("absent", "absent", "", "")


ITIL = {"tickets": {"password": "tickets-Pass-1", "roles": ["itil"], "web_service_access_only": "true"}}


@pytest.fixture
def itil_instance(new_instance: NewInstance) -> Instance:
    """An instance with an account that works on tickets and is no administrator."""
    return new_instance(users=ITIL)


def itil(instance: Instance) -> dict[str, dict[str, Any]]:
    """Return the instance as that account sees it."""
    return {instance.name: {**instance.connection, "snow_username": "tickets", "snow_password": "tickets-Pass-1"}}


def test_a_refused_close_is_reported_with_the_remedy(playbook: Playbooks, itil_instance: Instance) -> None:
    desired = [{**OPEN_PORT, "correlation_id": name} for name in ("closed", "resolved")]
    ended = [{"correlation_id": name, "state": name} for name in ("closed", "resolved")]
    run = playbook([tickets("create", *desired), tickets("end", *ended)], itil(itil_instance)).went_well()
    closed, resolved = run["end"]["results"]
    assert (closed["status"], closed["state"], closed["platform_state"]) == ("refused", "open", "New")
    assert "aborted by Business Rule" in closed["reason"]
    assert "use state: resolved and let the instance close it" in closed["reason"]
    assert (resolved["status"], resolved["state"]) == ("changed", "resolved")
    assert any("refused to change incident closed" in warning for warning in run["end"]["warnings"])
    itil_instance.turn(tickets={"closing": "ignored"})
    ignored = playbook([tickets("close", ended[0])], itil(itil_instance)).last
    assert ignored.failed
    assert "returned a different value: incident closed: state is 'open', not 'closed'" in ignored.message
    assert "Closing requires the role itil_admin or admin" in ignored.message
    assert ignored["results"][0]["number"] == closed["number"]


def test_a_ticket_ends_with_a_code_that_the_instance_has(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(tickets={"close_codes": "old"})
    desired = [{**OPEN_PORT, "correlation_id": name} for name in ("a", "b")]
    ended = [{"correlation_id": "a", "state": "resolved"}]
    ended.append({"correlation_id": "b", "state": "resolved", "close_code": "solved (work around)"})
    playbook([tickets("create", *desired), tickets("end", *ended)], instance).went_well()
    codes = [instance.row("incident", correlation_id=name)["close_code"] for name in ("a", "b")]
    assert codes == ["Solved (Permanently)", "Solved (Work Around)"]


def test_a_problem_is_created_and_ending_it_is_a_manual_step(playbook: Playbooks, itil_instance: Instance) -> None:
    problem = {"type": "problem", "correlation_id": "p", "short_description": "Ports keep opening"}
    ended = {"type": "problem", "correlation_id": "p", "state": "resolved", "close_notes": "Policy assigned"}
    steps = [
        tickets("create", problem),
        tickets("change", {**problem, "impact": "high", "assigned_to": "itil_agent"}),
        tickets("check", ended, more={"check_mode": True}),
        tickets("end", ended),
    ]
    run = playbook(steps, itil(itil_instance)).went_well()
    row = itil_instance.row("problem", correlation_id="p")
    assert (row["state"], row["impact"]) == ("101", "1")
    assert row["number"].startswith("PRB")
    assert run["create"].changed
    assert run["change"].changed
    for name in ("check", "end"):
        assert not run[name].changed
        assert not run[name].writes
        (step,) = run[name]["manual_steps"]
        assert step["title"] == f"Resolve problem {row['number']}"
        assert step["values"] == {
            "State": "Resolved",
            "Resolution code": "Fix Applied",
            "Cause notes": "Policy assigned",
            "Fix notes": "Policy assigned",
        }
        assert "cannot change the state of a problem" in step["reason"]
        assert row["sys_id"] in step["where"]
        (entry,) = run[name]["results"]
        assert (entry["status"], entry["state"], entry["platform_state"]) == ("manual", "open", "New")
        assert [one["field"] for one in run[name]["drift"]] == ["state"]
    done = {"state": "106", "resolution_code": "fix_applied", "cause_notes": "x", "fix_notes": "x"}
    itil_instance.change("problem", {"correlation_id": "p"}, **done)
    after = playbook([tickets("end", ended)], itil(itil_instance)).went_well().last
    assert not after["drift"]
    assert not after["manual_steps"]
    assert after["results"][0]["state"] == "resolved"


def test_a_canceled_problem_is_distinguished_from_a_closed_one(playbook: Playbooks, instance: Instance) -> None:
    for code in ("canceled", "fix_applied"):
        instance.add("problem", correlation_id=code, short_description="x", state="107", resolution_code=code)
    both = [{"type": "problem", "correlation_id": code, "state": "canceled"} for code in ("canceled", "fix_applied")]
    run = playbook([tickets("end", *both)], instance).went_well()
    assert [entry["state"] for entry in run.last["results"]] == ["canceled", "closed"]


CHANGE = {"type": "change_request", "correlation_id": "c", "short_description": "Close the ports", "impact": "low"}


@pytest.mark.parametrize("shape", [{}, {"change_array": True, "change_values": "text"}])
def test_a_change_request_goes_through_its_own_api(
    playbook: Playbooks, new_instance: NewInstance, shape: dict[str, Any]
) -> None:
    other = {**CHANGE, "impact": "high", "extra_fields": {"risk": "Low", "justification": "Ports are open"}}
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        tickets("create", {**CHANGE, "assignment_group": GROUP, "work_note": "Found"}),
        tickets("change", other),
        tickets("cancel", {"type": "change_request", "correlation_id": "c", "state": "canceled"}),
        tickets=shape,
    )
    row = instance.row("change_request", correlation_id="c")
    assert (row["type"], row["impact"], row["risk"], row["state"]) == ("normal", "1", "4", "4")
    assert notes_of(instance, row) == ["Found"]
    assert run["create: real"].writes == {"POST /api/sn_chg_rest/v1/change": 1}
    assert [*run["cancel: real"].writes] == ["PATCH /api/sn_chg_rest/v1/change/{sys_id}"]
    assert run["create: real"]["results"][0]["number"].startswith("CHG")
    assert run["cancel: real"]["results"][0]["platform_state"] == "Canceled"


def test_an_end_that_the_model_refuses_is_a_manual_step(playbook: Playbooks, itil_instance: Instance) -> None:
    ended = {"type": "change_request", "correlation_id": "c", "state": "closed", "close_notes": "Done"}
    steps = [tickets("create", CHANGE), tickets("close", ended), tickets("again", ended)]
    run = playbook(steps, itil(itil_instance)).went_well()
    row = itil_instance.row("change_request", correlation_id="c")
    assert row["state"] == "-5"
    for name in ("close", "again"):
        assert not run[name].changed
        (entry,) = run[name]["results"]
        assert (entry["status"], entry["state"]) == ("manual", "open")
        (step,) = run[name]["manual_steps"]
        assert step["title"] == f"Close change request {row['number']}"
        assert step["values"] == {"State": "Closed", "Close code": "Successful", "Close notes": "Done"}
        assert "Check State Transition" in step["reason"]
        assert [one["field"] for one in run[name]["drift"]] == ["state"]
    group = itil_instance.row("sys_user_group", name=GROUP)["sys_id"]
    itil_instance.change("change_request", {"correlation_id": "c"}, state="0", assignment_group=group)
    done = playbook([tickets("close", ended)], itil(itil_instance)).went_well().last
    assert done.changed
    assert done["results"][0]["platform_state"] == "Closed"
    assert itil_instance.row("change_request", correlation_id="c")["close_code"] == "successful"


def test_a_field_that_the_change_api_left_out_is_named(playbook: Playbooks, instance: Instance) -> None:
    # An empty table has no row to learn from which columns there are.
    odd = {**CHANGE, "extra_fields": {"u_unknown": "x"}}
    done = playbook([tickets("create", odd)], instance).last
    assert done.failed
    assert "was created, but the change API left out u_unknown" in done.message
    (entry,) = done["results"]
    assert (entry["status"], entry["number"]) == (
        "refused",
        instance.row("change_request", correlation_id="c")["number"],
    )
    known = playbook([tickets("again", odd)], instance).last
    assert known.failed
    assert "change_request has no field u_unknown on this instance" in known.message
    assert not known.writes


def test_without_the_change_api_the_table_takes_a_change_request(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(batch={"inner_errors": {"/api/sn_chg_rest/*": 404}})
    many = [{**CHANGE, "correlation_id": f"c{number}"} for number in range(3)]
    run = playbook([tickets("create", *many), tickets("again", *many)], instance).went_well()
    assert len(instance.rows("change_request")) == 3
    assert run["create"].writes["POST /api/now/table/change_request"] == 3
    assert not run["again"].changed
