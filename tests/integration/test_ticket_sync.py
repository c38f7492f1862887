# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook tickets: one ticket for each selected recommendation, both ways, as often as one likes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender, closing, drift_of
from tests.integration.findings import arm_writes
from tests.integration.instances import Instance
from tests.integration.playbooks import ORDINARY, Playbooks, Run
from tests.integration.tenant import HOST
from tests.integration.test_tickets import notes_of
from tests.integration.test_tickets_safety import PATIENCE, kill, wait_until
from tests.sandbox.process import SandboxProcess

Row = dict[str, Any]
TICKETS, BACK = "Bring the tickets to their described state", "Write them back to the assignments"
EVERY = ["Critical", "High", "Medium", "Low"]
KEY = re.compile(r"mdc-[0-9a-f]{40}(-\d+)?")
RATINGS = {"Critical": ("1", "1", "1"), "High": ("2", "1", "2"), "Medium": ("2", "2", "3"), "Low": ("3", "3", "5")}
FOREIGN = "https://acme.example/nav_to.do?uri=incident.do?sys_id=0123456789abcdef0123456789abcdef"


@pytest.fixture
def tenant(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> Defender:
    """A tenant of one subscription with the plan on, and one instance."""
    return Defender(playbook, sandbox, instance, subscriptions=1)


def unhealthy(tenant: Defender, severity: Iterable[str] = ("Critical", "High")) -> list[Row]:
    """Return the unhealthy findings of these severities."""
    known = tenant.rows("assessments")
    return [
        row
        for row in known
        if row["properties"]["status"]["code"] == "Unhealthy" and row["properties"]["risk"]["level"] in severity
    ]


def turn(tenant: Defender, finding: Row, status: str) -> None:
    tenant.sandbox.tamper_tenant("assessments", {"status": status}, match={"_id": finding["_id"]})


def ours(instance: Instance, table: str = "incident") -> list[dict[str, str]]:
    """Return the tickets that the playbook made, in the order of their numbers."""
    rows = [row for row in instance.rows(table) if KEY.fullmatch(row.get("correlation_id", ""))]
    return sorted(rows, key=lambda row: row["number"])


def tickets_of(instance: Instance, finding: Row, table: str = "incident") -> list[dict[str, str]]:
    """Return the tickets about a finding: their text names it."""
    return [row for row in ours(instance, table) if f"\nAssessment: {finding['_id']}\n" in row["description"]]


def ticket_of(instance: Instance, finding: Row, table: str = "incident") -> dict[str, str]:
    (row,) = tickets_of(instance, finding, table)
    return row


def noted(tenant: Defender, finding: Row) -> dict[str, Any]:
    """Return what the assignment of a finding says of its ticket, {} where there is none."""
    rows = [row for row in tenant.rows("assignments", assessment=finding["name"]) if row["scope"] == finding["scope"]]
    assert len(rows) < 2
    return dict(rows[0]["properties"].get("additionalData", {})) if rows else {}


def digits(row: dict[str, str]) -> int:
    return int(re.sub(r"\D", "", row["number"]))


def assert_each_once(tenant: Defender, instance: Instance, wanted: list[Row]) -> None:
    """Check that each of `wanted` and nothing else has one ticket that is not canceled, and an assignment that names it."""
    alive = [row for row in ours(instance) if row["state"] != "8"]
    assert len(alive) == len({row["correlation_id"] for row in alive}) == len(wanted)
    for finding in wanted:
        (row,) = [row for row in tickets_of(instance, finding) if row["state"] != "8"]
        told = noted(tenant, finding)
        assert (told["ticketNumber"], told["ticketStatus"]) == (digits(row), "open")
        assert row["sys_id"] in told["ticketLink"]
        assert told["ticketLink"].endswith(f"#{row['number']}")
    assert len(tenant.rows("assignments")) == len(wanted)


def settled(tenant: Defender, **options: Any) -> Run:
    """Run the playbook once more and check that it has nothing to do."""
    tenant.forget_requests()
    run = tenant("tickets", **options).went_well()
    assert not tenant.written(), run.output
    assert run.recap[HOST]["changed"] == 0
    assert not drift_of(run)
    return run


# -- one ticket for each ----------------------------------------------------------------------------------------------


def test_each_selected_finding_gets_one_ticket(tenant: Defender, instance: Instance) -> None:
    wanted = unhealthy(tenant)
    foretold, real, again = tenant.told_and_done("tickets")
    count = len(wanted)
    assert 2 < count <= 6 < len(unhealthy(tenant, severity=EVERY))
    assert_each_once(tenant, instance, wanted)
    for finding in wanted:
        row = ticket_of(instance, finding)
        severity = finding["properties"]["risk"]["level"]
        assert (row["impact"], row["urgency"], row["priority"]) == RATINGS[severity]
        assert row["short_description"].startswith(finding["properties"]["displayName"])
        assert f"Severity: {severity}" in row["description"]
        assert finding["scope"] in row["description"]
        assert "What to do:\n1. Open the resource." in row["description"]
    assert closing(foretold) == f"{HOST}: {2 * count} deviations: {count} x incident, {count} x assignment"
    assert closing(real).startswith(f"{HOST}: now as described; {2 * count} deviations corrected: ")
    assert closing(again) == f"{HOST}: as described"


def test_looking_again_costs_the_paged_reads(tenant: Defender, instance: Instance) -> None:
    tenant("tickets").went_well()
    settled(tenant)
    # The tickets that there are, and once more those that are to be, with the choices of their fields.
    assert instance.requests() == {"GET /api/now/table/task": 1, "POST /api/now/v1/batch": 1}
    reads = tenant.requests()
    kinds = {(row["name"], "securityconnectors" in row["scope"].lower()) for row in unhealthy(tenant)}
    assignments = [count for route, count in reads.items() if route.endswith("governanceAssignments")]
    assert sum(assignments) == 2 * len(kinds), "one list for each kind, by the first task and by the last"
    assert sum(count for route, count in reads.items() if route.endswith("/assessments")) == 1


def test_it_runs_by_ordinary_modules_too(tenant: Defender, instance: Instance) -> None:
    tenant("tickets", shell=ORDINARY).went_well()
    assert_each_once(tenant, instance, unhealthy(tenant))
    settled(tenant)


def test_more_tickets_than_a_page_are_known(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> None:
    """What people closed among the first hundreds is known, and tickets of others are left alone."""
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, findings=150)
    tenant.variables["mdc_tickets_severities"] = EVERY
    instance.add("incident", short_description="Not ours", correlation_display="Microsoft Defender for Cloud")
    tenant("tickets").went_well()
    wanted = unhealthy(tenant, severity=EVERY)
    assert_each_once(tenant, instance, wanted)
    last = max(ours(instance), key=lambda row: row["sys_id"])
    instance.change("incident", {"sys_id": last["sys_id"]}, state="7", close_notes="Accepted", active="false")
    run = tenant("tickets").went_well()
    assert [field for _object, field in drift_of(run)] == ["ticket_status"]
    settled(tenant)


# -- the life of a finding --------------------------------------------------------------------------------------------


def test_tickets_and_assignments_follow_findings_and_people(tenant: Defender, instance: Instance) -> None:
    """Six findings with six fates; each step in check mode, for real, and again."""
    tenant.variables["mdc_tickets_severities"] = EVERY
    findings = unhealthy(tenant, severity=EVERY)
    heals, returns, closed, deleted, gone, stays = findings[:6]
    tenant("tickets").went_well()
    first = {row["_id"]: ticket_of(instance, row) for row in findings}

    for finding in (heals, returns):
        turn(tenant, finding, "Healthy")
    by_hand = {"state": "7", "close_code": "Solution provided", "close_notes": "We accept it", "active": "false"}
    instance.change("incident", {"sys_id": first[closed["_id"]]["sys_id"]}, **by_hand)
    instance.remove("incident", sys_id=first[deleted["_id"]]["sys_id"])
    tenant.sandbox.tamper_tenant("assessments", match={"_id": gone["_id"]}, delete=True)
    _foretold, real, _again = tenant.told_and_done("tickets")

    for finding in (heals, returns):
        row = ticket_of(instance, finding)
        assert (row["state"], row["close_code"]) == ("6", "Solution provided")
        assert row["close_notes"].startswith("Resolved by Defender for Cloud: the resource is healthy since 20")
        assert noted(tenant, finding)["ticketStatus"] == "resolved"
    assert ticket_of(instance, closed)["state"] == "7"
    assert noted(tenant, closed)["ticketStatus"] == "closed"
    new = ticket_of(instance, deleted)
    assert new["sys_id"] == first[deleted["_id"]]["sys_id"] or new["number"] != first[deleted["_id"]]["number"]
    (note,) = notes_of(instance, new)
    assert note == (
        f"Defender for Cloud: ticket {first[deleted['_id']]['number']}, which stood for this recommendation, is not there any more."
    )
    assert noted(tenant, deleted)["ticketNumber"] == digits(new)
    row = ticket_of(instance, gone)
    assert row["state"] == "6"
    assert row["close_notes"].startswith("Resolved by Defender for Cloud: the recommendation is gone")
    assert ticket_of(instance, stays) == first[stays["_id"]]
    assert f"incident {ticket_of(instance, heals)['correlation_id']}" in dict(drift_of(real))

    # Resolved by us and unhealthy again: reopened. Closed by then: the next one.
    turn(tenant, heals, "Unhealthy")
    instance.change("incident", {"sys_id": first[returns["_id"]]["sys_id"]}, state="7", active="false")
    turn(tenant, returns, "Unhealthy")
    tenant.told_and_done("tickets")
    row = ticket_of(instance, heals)
    assert (row["number"], row["state"]) == (first[heals["_id"]]["number"], "2")
    assert any(note.startswith("Defender for Cloud: unhealthy again since 20") for note in notes_of(instance, row))
    assert noted(tenant, heals)["ticketStatus"] == "open"
    old, new = tickets_of(instance, returns)
    assert (old["state"], new["state"]) == ("7", "1")
    assert new["correlation_id"] == f"{old['correlation_id']}-2"
    assert any(note.endswith(f"It was {old['number']} before.") for note in notes_of(instance, new))
    assert (noted(tenant, returns)["ticketNumber"], noted(tenant, returns)["ticketStatus"]) == (digits(new), "open")
    assert len(ours(instance)) == len(findings) + 1

    # And the next one heals in its turn, while what people closed stays as it is.
    for finding in (returns, closed):
        turn(tenant, finding, "NotApplicable")
    tenant.told_and_done("tickets")
    old, new = tickets_of(instance, returns)
    assert (old["state"], new["state"]) == ("7", "6")
    assert "does not apply" in new["close_notes"]
    assert noted(tenant, returns)["ticketStatus"] == "resolved"
    assert (ticket_of(instance, closed)["state"], noted(tenant, closed)["ticketStatus"]) == ("7", "closed")


def test_what_people_change_of_a_ticket_stays_unless_it_is_to_be_refreshed(
    tenant: Defender, instance: Instance
) -> None:
    tenant("tickets").went_well()
    finding = unhealthy(tenant)[0]
    before = ticket_of(instance, finding)
    theirs = {"short_description": "Ours now", "impact": "3", "assigned_to": "itil_agent"}
    instance.change("incident", {"sys_id": before["sys_id"]}, **theirs)
    settled(tenant)
    row = instance.row("incident", sys_id=before["sys_id"])
    assert (row["short_description"], row["impact"]) == ("Ours now", "3")
    tenant.told_and_done("tickets", variables={"mdc_tickets_refresh": True})
    now = instance.row("incident", sys_id=before["sys_id"])
    assert (now["short_description"], now["impact"]) == (before["short_description"], before["impact"])
    assert now["assigned_to"] == row["assigned_to"]


# -- what the user chooses --------------------------------------------------------------------------------------------


def test_severity_and_filter_select(tenant: Defender, instance: Instance) -> None:
    tenant.variables |= {"mdc_tickets_severities": ["Medium"], "mdc_tickets_filter": "source == 'azure'"}
    wanted = [
        row
        for row in unhealthy(tenant, severity=["Medium"])
        if row["properties"]["resourceDetails"]["source"] == "Azure"
    ]
    assert 0 < len(wanted) < len(unhealthy(tenant, severity=["Medium"]))
    tenant("tickets").went_well()
    assert_each_once(tenant, instance, wanted)
    # No longer selected: left alone, until it heals.
    tenant.variables |= {"mdc_tickets_severities": ["Critical"], "mdc_tickets_filter": ""}
    tenant("tickets").went_well()
    assert all(ticket_of(instance, finding)["state"] == "1" for finding in wanted)
    turn(tenant, wanted[0], "Healthy")
    tenant("tickets").went_well()
    assert [ticket_of(instance, finding)["state"] for finding in wanted[:2]] == ["6", "1"]
    settled(tenant)


def test_new_tickets_get_what_is_described(tenant: Defender, instance: Instance) -> None:
    tenant.variables |= {
        "mdc_tickets_assignment_group": "Security Operations",
        "mdc_tickets_assigned_to": "itil_agent",
        "mdc_tickets_caller": "employee",
        "mdc_tickets_ratings": {"High": {"impact": 3, "urgency": 3}},
        "mdc_tickets_extra_fields": {"category": "network"},
        "mdc_tickets_close_code": "Workaround provided",
        "mdc_tickets_owner": "owner@acme.example",
        "mdc_tickets_due_days": 7,
    }
    tenant.told_and_done("tickets")
    finding = unhealthy(tenant, severity=["High"])[0]
    row = ticket_of(instance, finding)
    assert row["assignment_group"] == instance.row("sys_user_group", name="Security Operations")["sys_id"]
    assert row["assigned_to"] == instance.row("sys_user", user_name="itil_agent")["sys_id"]
    assert row["caller_id"] == instance.row("sys_user", user_name="employee")["sys_id"]
    assert (row["impact"], row["urgency"], row["category"]) == ("3", "3", "network")
    assert {row["properties"]["owner"] for row in tenant.rows("assignments")} == {"owner@acme.example"}
    turn(tenant, finding, "Healthy")
    tenant.told_and_done("tickets")
    assert ticket_of(instance, finding)["close_code"] == "Workaround provided"


def test_a_problem_is_resolved_by_a_person(tenant: Defender, instance: Instance) -> None:
    tenant.variables["mdc_tickets_type"] = "problem"
    tenant("tickets").went_well()
    finding, *others = unhealthy(tenant)
    row = ticket_of(instance, finding, "problem")
    assert noted(tenant, finding)["ticketNumber"] == digits(row)
    turn(tenant, finding, "Healthy")
    for _time in range(2):
        tenant.forget_requests()
        run = tenant("tickets").went_well()
        assert not tenant.written()
        assert run.recap[HOST]["changed"] == 0
        assert f"1 deviation: problem {row['correlation_id']} (state)" in closing(run)
        assert "1 manual step open: " in closing(run)
        assert row["number"] in closing(run)
        assert noted(tenant, finding)["ticketStatus"] == "open", "it is not resolved yet"
    done = {"state": "107", "resolution_code": "fix_applied", "active": "false"}
    instance.change("problem", {"sys_id": row["sys_id"]}, **done)
    run = tenant("tickets").went_well()
    assert noted(tenant, finding)["ticketStatus"] == "closed"
    assert "manual step" not in closing(settled(tenant))
    assert len(ours(instance, "problem")) == len(others) + 1


def test_change_requests_are_made_and_ended_where_their_model_lets_it(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    instance = new_instance(tickets={"change_transitions": "free"})
    group = {"mdc_tickets_type": "change_request", "mdc_tickets_assignment_group": "Security Operations"}
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, variables=group)
    tenant.told_and_done("tickets")
    finding = unhealthy(tenant)[0]
    assert ticket_of(instance, finding, "change_request")["number"].startswith("CHG")
    assert instance.requests()
    turn(tenant, finding, "Healthy")
    tenant.told_and_done("tickets")
    row = ticket_of(instance, finding, "change_request")
    assert (row["state"], row["close_code"]) == ("3", "successful")
    assert noted(tenant, finding)["ticketStatus"] == "closed"
    # Unhealthy again: a change request that is closed is not opened again.
    turn(tenant, finding, "Unhealthy")
    tenant("tickets").went_well()
    _old, new = tickets_of(instance, finding, "change_request")
    assert new["correlation_id"].endswith("-2")
    settled(tenant)


def test_a_change_request_that_its_model_holds_is_left_to_a_person(tenant: Defender, instance: Instance) -> None:
    tenant.variables["mdc_tickets_type"] = "change_request"
    tenant("tickets").went_well()
    finding = unhealthy(tenant)[0]
    turn(tenant, finding, "Healthy")
    for _time in range(2):
        run = tenant("tickets").went_well()
        assert run.recap[HOST]["changed"] == 0
        assert "1 manual step open: " in closing(run)
        assert noted(tenant, finding)["ticketStatus"] == "open"


# -- beside the vendor's integration ----------------------------------------------------------------------------------


def test_a_ticket_of_somebody_else_is_left_to_them(tenant: Defender, instance: Instance) -> None:
    theirs, *others = unhealthy(tenant)
    held = {"ticketNumber": 4711, "ticketLink": FOREIGN, "ticketStatus": "New"}
    where = {"name": "0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33", "scope": theirs["scope"], "assessment": theirs["name"]}
    due = {"remediationDueDate": "2027-01-01T00:00:00Z"}
    tenant.sandbox.tamper_tenant("assignments", {**where, **due, "additionalData": held}, insert=True)
    tenant.told_and_done("tickets")
    assert not tickets_of(instance, theirs)
    assert noted(tenant, theirs) == held
    assert all(tickets_of(instance, finding) for finding in others)
    turn(tenant, theirs, "Healthy")
    settled(tenant)


def test_tickets_of_the_vendors_integration_get_no_twin(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    """The vendor makes tickets for Critical by a rule; the playbook makes those of High, and leaves the others alone."""
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, findings=24, vendor_tickets=True)
    tenant("onboard").went_well()
    (integration,) = tenant.rows("integrations")
    rule = {
        "display_name": "Tickets",
        "priority": 1,
        "severities": ["Critical"],
        "owner": {"by_tag": "owner"},
        "rule_type": "ServiceNow",
        "extra_properties": {
            "additionalData": {"integrationId": integration["name"], "ticketType": "Incident"},
        },
        "execute": True,
    }
    tenant("onboard", variables={"mdc_itsm_rules": [rule]}).went_well()
    critical = unhealthy(tenant, severity=["Critical"])
    assert all("nav_to.do" in noted(tenant, finding)["ticketLink"] for finding in critical)
    before = {finding["_id"]: noted(tenant, finding) for finding in critical}
    tenant.told_and_done("tickets")
    assert not any(tickets_of(instance, finding) for finding in critical)
    assert {finding["_id"]: noted(tenant, finding) for finding in critical} == before
    high = unhealthy(tenant, severity=["High"])
    assert high
    assert all(len(tickets_of(instance, finding)) == 1 for finding in high)


# -- what can go wrong ------------------------------------------------------------------------------------------------


def test_without_writing_back_the_tenant_is_only_read(tenant: Defender, instance: Instance) -> None:
    quiet = {"mdc_tickets_write_back": False}
    tenant.told_and_done("tickets", variables=quiet)
    assert len(ours(instance)) == len(unhealthy(tenant))
    assert not tenant.rows("assignments")
    before = ours(instance)
    tenant.told_and_done("tickets")
    assert ours(instance) == before
    assert_each_once(tenant, instance, unhealthy(tenant))


def test_what_the_plan_forbids_is_done_once_it_is_on(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, plan="Free")
    run = tenant("tickets")
    assert run.status == 2
    (failed,) = [done for done in run.done if done.failed]
    assert failed.task.endswith(BACK)
    assert "Switch on Defender CSPM" in failed.message
    assert failed.message.count("\n") == 0
    before = ours(instance)
    assert len(before) == len(unhealthy(tenant))
    tenant.sandbox.tamper_tenant("pricings", {"pricingTier": "Standard"}, match={"name": "CloudPosture"})
    tenant("tickets").went_well()
    assert ours(instance) == before
    assert_each_once(tenant, instance, unhealthy(tenant))
    settled(tenant)


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "filter": ({}, {"mdc_tickets_filter": "source =="}, ("filter",)),
    "severity": ({}, {"mdc_tickets_severities": ["Severe"]}, ("Severe", "Critical, High, Medium, Low")),
    "type": ({}, {"mdc_tickets_type": "task"}, ("incident, problem, change_request",)),
    "scope": ({}, {"mdc_tickets_scopes": ["/subscriptions/00000000-0000-4000-8000-000000000000"]}, ("SubscriptionNotFound",)),
    "group": ({}, {"mdc_tickets_assignment_group": "Nobody here"}, ("Nobody here",)),
    "choice": ({}, {"mdc_tickets_ratings": {"High": {"impact": 9}}}, ("impact", "9")),
    "instance": (
        {},
        {"mdc_tickets_instance": "acme-nowhere"},
        ("mdc_tickets_instance is acme-nowhere, which is no host of the inventory", "group servicenow"),
    ),
    "rights": (
        {"azure_role": "none"},
        {},
        ("AuthorizationFailed", "Security Admin, Contributor or Owner"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_the_run_before_anything_is_written(tenant: Defender, instance: Instance, case: str) -> None:
    knobs, variables, words = BAD[case]
    tenant.sandbox.turn_tenant(**knobs)
    run = tenant("tickets", variables=variables)
    assert run.status == 2
    (failed,) = [done for done in run.done if done.failed]
    assert all(word in str(failed.result) for word in words), failed.result
    assert "Traceback" not in run.output
    assert not tenant.written()


def test_a_scope_that_cannot_be_read_keeps_its_tickets(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=2)
    one, other = tenant.scopes
    tenant.variables["mdc_tickets_scopes"] = [one, other]
    tenant("tickets").went_well()
    states = {row["number"]: row["state"] for row in ours(instance)}
    sandbox.turn_tenant(azure_roles={other: "none"})
    run = tenant("tickets")
    assert run.status == 2
    line = closing(run)
    name = other.rpartition("/")[2]
    assert line.startswith(f"{HOST}: as described; tickets left as they are: subscription {name} could not be read")
    assert "AuthorizationFailed" in line
    assert {row["number"]: row["state"] for row in ours(instance)} == states
    assert not any(arm_writes(done) for done in run.done)


# -- runs that are killed, and runs that overlap ----------------------------------------------------------------------


def started(tenant: Defender, home: Path | None = None) -> subprocess.Popen[bytes]:
    """Start the playbook; `home` is that of another machine."""
    environment = {"ANSIBLE_HOME": str(home)} if home else None
    command, variables, _results = tenant.command("tickets", environment=environment)
    return subprocess.Popen(
        command,
        cwd=tenant.playbook.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.parametrize("part", ["tickets", "assignments"])
def test_a_killed_run_is_finished_by_the_next_one(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, part: str
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, findings=150)
    tenant.variables["mdc_tickets_severities"] = EVERY
    wanted = unhealthy(tenant, severity=EVERY)
    if part == "tickets":
        instance.turn(latency_ms=150)
    else:
        sandbox.turn_tenant(latency_ms=20)
    process = started(tenant)
    try:
        wait_until(lambda: len(ours(instance) if part == "tickets" else tenant.rows("assignments")) > 20)
    finally:
        kill(process)
    instance.turn(latency_ms=0)
    sandbox.turn_tenant(latency_ms=0)
    left = len(wanted) - len(ours(instance))
    open_assignments = len(wanted) - len(tenant.rows("assignments"))
    assert left > 0 if part == "tickets" else open_assignments > 0 == left, "killed in the middle"
    run = tenant("tickets").went_well()
    assert sum(object_.startswith("incident") for object_, _field in drift_of(run)) == left
    assert sum(object_.startswith("assignment") for object_, _field in drift_of(run)) == open_assignments
    assert_each_once(tenant, instance, wanted)
    settled(tenant)


def test_runs_that_overlap_on_one_machine_make_one_ticket_for_each(tenant: Defender, instance: Instance) -> None:
    instance.turn(latency_ms=150)
    processes = [started(tenant), started(tenant)]
    assert [process.wait(timeout=PATIENCE) for process in processes] == [0, 0]
    instance.turn(latency_ms=0)
    assert len(ours(instance)) == len(unhealthy(tenant))
    assert_each_once(tenant, instance, unhealthy(tenant))
    settled(tenant)


def test_runs_that_overlap_on_two_machines_leave_one_ticket_for_each(
    tenant: Defender, instance: Instance, tmp_path: Path
) -> None:
    instance.turn(latency_ms=300)
    processes = [started(tenant, tmp_path / "one"), started(tenant, tmp_path / "two")]
    assert [process.wait(timeout=PATIENCE) for process in processes] == [0, 0]
    instance.turn(latency_ms=0)
    tenant("tickets").went_well()
    assert_each_once(tenant, instance, unhealthy(tenant))
    settled(tenant)


# -- thousands --------------------------------------------------------------------------------------------------------


def test_two_thousand_findings_of_ten_subscriptions(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=10, findings=200)
    tenant.variables |= {"mdc_tickets_severities": EVERY, "mdc_tickets_scopes": tenant.scopes}
    wanted = unhealthy(tenant, severity=EVERY)
    assert len(wanted) == 2000
    run = tenant("tickets", timeout=400).went_well()
    print(run.output[-3000:])
    for done in run.done:
        print(done.task, done.requests, done.result.get("api_calls"))
    tenant.forget_requests()
    again = tenant("tickets", timeout=400).went_well()
    for done in again.done:
        print(done.task, done.requests, done.result.get("api_calls"))
    print(again.output[-3000:])
