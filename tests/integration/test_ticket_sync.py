# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook tickets: one ticket for each selected recommendation, both ways, as often as one likes."""

from __future__ import annotations

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import ORDINARY, Playbooks, Run
from tests.integration.tenant import HOST
from tests.integration.test_tickets import notes_of
from tests.integration.ticket_sync import (
    EVERY,
    RATINGS,
    assert_each_once,
    digits,
    lists_for,
    noted,
    ours,
    settled,
    ticket_of,
    tickets_of,
    turn,
    unhealthy,
)
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(2)

# -- one ticket for each ----------------------------------------------------------------------------------------------


@pytest.mark.always
def test_each_selected_finding_gets_one_ticket(tenant: Defender, instance: Instance) -> None:
    wanted = unhealthy(tenant)
    predicted, real, again = tenant.predicted_and_done("tickets")
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
    found = [_kind(count, "incident", predicted), _kind(count, "assignment", predicted)]
    counted = f"{HOST}: {count} findings in {count} groups\n- by severity: "
    assert predicted.summary.startswith(
        f"tenant: would be corrected\nwould be corrected: {HOST}: {', '.join(found)}\n{counted}"
    )
    assert real.summary.startswith(f"tenant: corrected\ncorrected: {HOST}: {', '.join(found)}\n{counted}")
    assert f"\n{count} tickets:\n- INC" in real.summary
    assert again.summary == "tenant: in sync"


def _kind(count: int, kind: str, run: Run) -> str:
    """Return how the summary names the deviations of a kind: many of them are only counted."""
    names = [f"{about} ({field})" for about, field in drift_of(run) if about.startswith(f"{kind} ")]
    assert len(names) == count
    return f"{count} x {kind}" if count > 5 else ", ".join(names)


def test_reading_again_costs_the_paged_reads(tenant: Defender, instance: Instance) -> None:
    tenant("tickets").went_well()
    settled(tenant)
    # The tickets that there are, and once more those that are to be, with the choices of their fields.
    assert instance.requests() == {"POST /api/now/v1/batch": 2}
    reads = tenant.requests()
    kinds = lists_for(unhealthy(tenant))
    assignments = [count for route, count in reads.items() if route.endswith("governanceAssignments")]
    assert sum(assignments) == len(kinds), "one list for each kind; what is recorded is not read again"
    assert sum(count for route, count in reads.items() if route.endswith("/assessments")) == 1


def test_it_runs_by_ordinary_modules_too(tenant: Defender, instance: Instance) -> None:
    tenant("tickets", shell=ORDINARY).went_well()
    assert_each_once(tenant, instance, unhealthy(tenant))
    settled(tenant)


def test_more_tickets_than_a_page_are_known(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> None:
    """Also the last one of hundreds is resolved when its finding is gone; tickets of others are left alone."""
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, findings=150)
    tenant.variables["mdc_tickets_severities"] = EVERY
    instance.add("incident", short_description="Not ours", correlation_display="Microsoft Defender for Cloud")
    tenant("tickets").went_well()
    wanted = unhealthy(tenant, severity=EVERY)
    assert_each_once(tenant, instance, wanted)
    # The one that a read of one page would miss.
    last = max(ours(instance), key=lambda row: row["sys_id"])
    (finding,) = [row for row in wanted if f"\nAssessment: {row['_id']}\n" in last["description"]]
    tenant.sandbox.tamper_tenant("assessments", match={"_id": finding["_id"]}, delete=True)
    run = tenant("tickets").went_well()
    assert drift_of(run) == [(f"incident {last['correlation_id']}", "state")]
    assert ticket_of(instance, finding)["state"] == "6"
    settled(tenant)


# -- the life of a finding --------------------------------------------------------------------------------------------


@pytest.mark.always
def test_tickets_and_assignments_follow_findings_and_users(tenant: Defender, instance: Instance) -> None:
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
    _predicted, real, _again = tenant.predicted_and_done("tickets")

    for finding in (heals, returns):
        row = ticket_of(instance, finding)
        assert (row["state"], row["close_code"]) == ("6", "Solution provided")
        assert row["close_notes"].startswith("Resolved by Defender for Cloud: the resource is healthy since 20")
        assert noted(tenant, finding)["ticketStatus"] == "resolved"
    assert ticket_of(instance, closed)["state"] == "7"
    assert noted(tenant, closed)["ticketStatus"] == "closed"
    new = ticket_of(instance, deleted)
    assert new["number"] != first[deleted["_id"]]["number"]
    (note,) = notes_of(instance, new)
    assert note == (
        f"Defender for Cloud: the former ticket of this recommendation, {first[deleted['_id']]['number']}, no longer exists."
    )
    assert noted(tenant, deleted)["ticketNumber"] == digits(new)
    row = ticket_of(instance, gone)
    assert row["state"] == "6"
    assert row["close_notes"].startswith("Resolved by Defender for Cloud: the recommendation no longer exists")
    assert ticket_of(instance, stays) == first[stays["_id"]]
    assert f"incident {ticket_of(instance, heals)['correlation_id']}" in dict(drift_of(real))

    # Resolved by us and unhealthy again: reopened. Closed by then: the next one.
    turn(tenant, heals, "Unhealthy")
    instance.change("incident", {"sys_id": first[returns["_id"]]["sys_id"]}, state="7", active="false")
    turn(tenant, returns, "Unhealthy")
    tenant.predicted_and_done("tickets")
    row = ticket_of(instance, heals)
    assert (row["number"], row["state"]) == (first[heals["_id"]]["number"], "2")
    assert any(note.startswith("Defender for Cloud: unhealthy again since 20") for note in notes_of(instance, row))
    assert noted(tenant, heals)["ticketStatus"] == "open"
    old, new = tickets_of(instance, returns)
    assert (old["state"], new["state"]) == ("7", "1")
    assert new["correlation_id"] == f"{old['correlation_id']}-2"
    assert any(note.endswith(f"The former ticket is {old['number']}.") for note in notes_of(instance, new))
    assert (noted(tenant, returns)["ticketNumber"], noted(tenant, returns)["ticketStatus"]) == (digits(new), "open")
    assert len(ours(instance)) == len(findings) + 1

    # Then the next finding is healthy, while what users closed stays as it is.
    for finding in (returns, closed):
        turn(tenant, finding, "NotApplicable")
    tenant.predicted_and_done("tickets")
    old, new = tickets_of(instance, returns)
    assert (old["state"], new["state"]) == ("7", "6")
    assert "does not apply" in new["close_notes"]
    assert noted(tenant, returns)["ticketStatus"] == "resolved"
    assert (ticket_of(instance, closed)["state"], noted(tenant, closed)["ticketStatus"]) == ("7", "closed")


def test_what_users_change_of_a_ticket_stays_unless_it_is_to_be_refreshed(tenant: Defender, instance: Instance) -> None:
    tenant("tickets").went_well()
    finding = unhealthy(tenant)[0]
    before = ticket_of(instance, finding)
    theirs = {"short_description": "Ours now", "impact": "3", "assigned_to": "itil_agent"}
    instance.change("incident", {"sys_id": before["sys_id"]}, **theirs)
    settled(tenant)
    row = instance.row("incident", sys_id=before["sys_id"])
    assert (row["short_description"], row["impact"]) == ("Ours now", "3")
    tenant.predicted_and_done("tickets", variables={"mdc_tickets_refresh": True})
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
    # No longer selected: left alone, until it is healthy.
    tenant.variables |= {"mdc_tickets_severities": ["Critical"], "mdc_tickets_filter": ""}
    tenant("tickets").went_well()
    assert all(ticket_of(instance, finding)["state"] == "1" for finding in wanted)
    turn(tenant, wanted[0], "Healthy")
    tenant("tickets").went_well()
    assert [ticket_of(instance, finding)["state"] for finding in wanted[:2]] == ["6", "1"]
    settled(tenant)


def test_new_tickets_get_the_desired_values(tenant: Defender, instance: Instance) -> None:
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
    tenant.predicted_and_done("tickets")
    finding = unhealthy(tenant, severity=["High"])[0]
    row = ticket_of(instance, finding)
    assert row["assignment_group"] == instance.row("sys_user_group", name="Security Operations")["sys_id"]
    assert row["assigned_to"] == instance.row("sys_user", user_name="itil_agent")["sys_id"]
    assert row["caller_id"] == instance.row("sys_user", user_name="employee")["sys_id"]
    assert (row["impact"], row["urgency"], row["category"]) == ("3", "3", "network")
    assert {row["properties"]["owner"] for row in tenant.rows("assignments")} == {"owner@acme.example"}
    turn(tenant, finding, "Healthy")
    tenant.predicted_and_done("tickets")
    assert ticket_of(instance, finding)["close_code"] == "Workaround provided"


def test_resolving_a_problem_is_a_manual_step(tenant: Defender, instance: Instance) -> None:
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
        assert f"drift: {HOST}: problem {row['correlation_id']} (state)" in run.summary
        assert "\n1 manual step:\n- " in run.summary
        assert row["number"] in run.summary
        assert noted(tenant, finding)["ticketStatus"] == "open", "it is not resolved yet"
    done = {"state": "107", "resolution_code": "fix_applied", "active": "false"}
    instance.change("problem", {"sys_id": row["sys_id"]}, **done)
    run = tenant("tickets").went_well()
    assert noted(tenant, finding)["ticketStatus"] == "closed"
    assert "manual step" not in settled(tenant).summary
    assert len(ours(instance, "problem")) == len(others) + 1


def test_change_requests_are_made_and_ended_where_their_model_lets_it(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    instance = new_instance(tickets={"change_transitions": "free"})
    group = {"mdc_tickets_type": "change_request", "mdc_tickets_assignment_group": "Security Operations"}
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, variables=group)
    tenant.predicted_and_done("tickets")
    finding = unhealthy(tenant)[0]
    assert ticket_of(instance, finding, "change_request")["number"].startswith("CHG")
    assert instance.requests()
    turn(tenant, finding, "Healthy")
    tenant.predicted_and_done("tickets")
    row = ticket_of(instance, finding, "change_request")
    assert (row["state"], row["close_code"]) == ("3", "successful")
    assert noted(tenant, finding)["ticketStatus"] == "closed"
    # Unhealthy again: a change request that is closed is not opened again.
    turn(tenant, finding, "Unhealthy")
    tenant("tickets").went_well()
    _old, new = tickets_of(instance, finding, "change_request")
    assert new["correlation_id"].endswith("-2")
    settled(tenant)


def test_a_change_request_that_its_model_holds_is_a_manual_step(tenant: Defender, instance: Instance) -> None:
    tenant.variables["mdc_tickets_type"] = "change_request"
    tenant("tickets").went_well()
    finding = unhealthy(tenant)[0]
    turn(tenant, finding, "Healthy")
    for _time in range(2):
        run = tenant("tickets").went_well()
        assert run.recap[HOST]["changed"] == 0
        assert "\n1 manual step:\n- " in run.summary
        assert noted(tenant, finding)["ticketStatus"] == "open"
