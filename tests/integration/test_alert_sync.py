# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook alerts: tickets for alerts and incidents, both ways, as often as one likes."""

from __future__ import annotations

import pytest

from tests.integration.alert_sync import (
    AGENT,
    EVERYTHING,
    add_incident,
    alert_status,
    comment,
    incident,
    journal,
    merge,
    notes_of,
    ours,
    set_incident,
    settled,
    ticket_of,
)
from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(2)


@pytest.fixture
def alerts(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> Defender:
    return Defender(playbook, sandbox, instance, subscriptions=1, variables=EVERYTHING)


@pytest.mark.always
def test_what_is_open_gets_one_ticket_each_and_follows_defender(alerts: Defender, instance: Instance) -> None:
    predicted, real, again = alerts.predicted_and_done("alerts")
    # Two alerts, two open incidents; one was merged before, one is resolved.
    assert len(ours(instance)) == 4
    first = ticket_of(instance, "28283")
    assert (first["impact"], first["urgency"]) == ("2", "1")
    assert (
        "Synchronized: Defender in_progress, unassigned; ServiceNow new, unassigned; 0 comments" in first["description"]
    )
    assert first["number"] in real.summary and first["sys_id"] in real.summary
    assert "would be" in predicted.summary and again.summary == "tenant: in sync"

    miner, sign_in = sorted(alerts.rows("cloud_alerts"), key=lambda row: row["properties"]["severity"])
    set_incident(alerts, "28283", status="resolved", classification="truePositive", determination="phishing")
    alerts.sandbox.tamper_tenant("cloud_alerts", {"status": "Dismissed"}, match={"_id": miner["_id"]})
    comment(alerts, "28282", "Known to us")
    alerts.predicted_and_done("alerts")
    done = ticket_of(instance, "28283")
    assert (done["state"], done["close_notes"]) == (
        "6", "Resolved by Microsoft Defender: it was resolved there (true positive, phishing).",
    )  # fmt: skip
    assert "false positive" in ticket_of(instance, miner["_id"])["close_notes"]
    assert ticket_of(instance, sign_in["_id"])["state"] == "1"
    assert notes_of(instance, ticket_of(instance, "28282")) == [
        "Microsoft Defender, jane@acme.example, 2026-11-20 10:00:00: Known to us"
    ]

    # Reopened in Defender: the resolved ticket is reopened, of a closed one there is a successor.
    set_incident(alerts, "28283", status="active")
    alerts.sandbox.tamper_tenant("cloud_alerts", {"status": "Active"}, match={"_id": miner["_id"]})
    instance.change("incident", {"sys_id": ticket_of(instance, miner["_id"])["sys_id"]}, state="7", active="false")
    alerts.predicted_and_done("alerts")
    assert ticket_of(instance, "28283")["state"] == "2"
    new = ticket_of(instance, miner["_id"])
    assert (new["state"], new["correlation_id"][-2:]) == ("1", "-2")
    settled(alerts)


def test_defender_follows_what_people_do_in_tickets(alerts: Defender, instance: Instance) -> None:
    alerts("alerts").went_well()
    miner, sign_in = sorted(alerts.rows("cloud_alerts"), key=lambda row: row["properties"]["severity"])
    alerts.variables["defender_alerts_classifications"] = {
        "User error": {"classification": "false_positive", "determination": "not_malicious"}
    }
    agent = instance.row("sys_user", user_name="itil_agent")
    ended = {"state": "6", "close_code": "User error", "close_notes": "Nothing there"}
    mass, travel = ticket_of(instance, "28282"), ticket_of(instance, "28283")
    instance.change("incident", {"sys_id": mass["sys_id"]}, **ended)
    instance.change("incident", {"sys_id": travel["sys_id"]}, state="2", assigned_to=agent["sys_id"])
    instance.change("incident", {"sys_id": ticket_of(instance, miner["_id"])["sys_id"]}, state="8", active="false")
    instance.change("incident", {"sys_id": ticket_of(instance, sign_in["_id"])["sys_id"]}, state="2")
    journal(instance, travel, "We look into it")
    alerts.predicted_and_done("alerts")
    one, other = incident(alerts, "28282"), incident(alerts, "28283")
    assert (one["status"], one["classification"], one["determination"]) == ("resolved", "falsePositive", "notMalicious")
    assert [each["comment"] for each in one["comments"]] == [f"ServiceNow {mass['number']} is resolved: Nothing there"]
    assert (other["status"], other["assignedTo"]) == ("inProgress", agent["email"] or "itil_agent")
    (said,) = other["comments"]
    assert said["comment"] == f"ServiceNow {travel['number']}, itil_agent, 2026-11-20 11:00:00: We look into it"
    assert (alert_status(alerts, miner), alert_status(alerts, sign_in)) == ("Dismissed", "InProgress")

    # Reopened in Defender after it was resolved by people: their ticket is reopened, and does not resolve it again.
    set_incident(alerts, "28282", status="active")
    alerts.predicted_and_done("alerts")
    assert (ticket_of(instance, "28282")["state"], incident(alerts, "28282")["status"]) == ("2", "active")
    # An owner from Defender, and an unknown one.
    set_incident(alerts, "28283", assignedTo="stranger@elsewhere.example")
    run = alerts("alerts").went_well()
    assert "stranger@elsewhere.example, who is no user of the instance" in run.output
    set_incident(alerts, "28283", assignedTo="employee")
    alerts.predicted_and_done("alerts")
    employee = instance.row("sys_user", user_name="employee")
    assert ticket_of(instance, "28283")["assigned_to"] == employee["sys_id"]
    settled(alerts)


def test_tickets_of_merged_incidents_are_linked_and_closed(alerts: Defender, instance: Instance) -> None:
    alerts("alerts").went_well()
    kept = ticket_of(instance, "28283")
    # One into an incident with a ticket; that one into one without.
    merge(alerts, "28282", "28283")
    alerts.predicted_and_done("alerts")
    gone = ticket_of(instance, "28282")
    assert (gone["state"], gone["parent_incident"]) == ("6", kept["sys_id"])
    assert gone["close_notes"].startswith(
        f"Merged by Microsoft Defender: incident 28282 became part of incident 28283. Work continues in {kept['number']}"
    )
    assert "Merged incidents: 28282" in ticket_of(instance, "28283")["description"]
    (note,) = notes_of(instance, kept)
    assert note == f"Microsoft Defender: incident 28282 became part of this one. Its ticket was {gone['number']}."
    set_incident(alerts, "28285", status="active", severity="informational")
    alerts.variables["defender_alerts_severities"] = ["High"]
    merge(alerts, "28283", "28285")
    alerts.predicted_and_done("alerts")
    new = ticket_of(instance, "28285")
    old = ticket_of(instance, "28283")
    assert (new["state"], old["state"], old["parent_incident"]) == ("1", "6", new["sys_id"])
    assert new["number"] in old["close_notes"]
    assert len(ours(instance)) == 5
    settled(alerts)


def test_new_tickets_are_limited_and_one_is_made_by_hand(alerts: Defender, instance: Instance) -> None:
    alerts.variables |= {"defender_alerts_max_new": 1, "defender_alerts_assignment_group": "Security Operations"}
    predicted = alerts("alerts", check=True).went_well()
    run = alerts("alerts").went_well()
    (first,) = ours(instance)
    assert first["correlation_id"] == ticket_of(instance, "28283")["correlation_id"], "the most severe and newest one"
    assert first["assignment_group"] == instance.row("sys_user_group", name="Security Operations")["sys_id"]
    for told in (predicted, run):
        assert (
            "3 alerts or incidents got no ticket, as one run makes at most 1 (defender_alerts_max_new)" in told.summary
        )
    # By hand: also what is resolved, by its id, the last part of it, and through what it was merged into.
    low = alerts.rows("cloud_alerts")[0]
    for wanted in (low["name"], "28285", "28284"):
        alerts("alerts", variables={"defender_alerts_alert": wanted}).went_well()
    assert len(ours(instance)) == 3
    assert ticket_of(instance, "28285")["state"] == "1"
    settled(alerts, variables={"defender_alerts_alert": "28285"})
    unknown = alerts("alerts", variables={"defender_alerts_alert": "4711"})
    assert unknown.status != 0
    assert "there is no alert and no incident with the id 4711; no ticket was made" in unknown.summary
    assert len(ours(instance)) == 3


def test_what_is_refused_is_named_and_the_rest_continues(alerts: Defender, instance: Instance) -> None:
    """No journal, no right to write in Defender XDR, a merge that leads nowhere, an unknown classification."""
    alerts("alerts").went_well()
    miner, *_others = alerts.rows("cloud_alerts")
    instance.turn(acl={"deny_table": {"sys_journal_field": "403", "problem": "403"}})
    mass, travel = ticket_of(instance, "28282"), ticket_of(instance, "28283")
    alerts.variables["defender_alerts_classifications"] = {"User error": {"classification": "harmless"}}
    instance.change("incident", {"sys_id": mass["sys_id"]}, state="6", close_code="User error", close_notes="Nothing")
    instance.change("incident", {"sys_id": travel["sys_id"]}, state="6", close_code="Known error", close_notes="Done")
    instance.change("incident", {"sys_id": ticket_of(instance, miner["_id"])["sys_id"]}, state="2")
    run = alerts("alerts")
    assert run.status != 0
    assert "'harmless' is no classification" in run.summary
    assert (
        "may not read sys_journal_field" in run.summary and "comments are passed on in neither direction" in run.summary
    )
    assert (incident(alerts, "28282")["status"], incident(alerts, "28283")["status"]) == ("active", "resolved")
    assert alert_status(alerts, miner) == "InProgress"
    # The next run has only the refused one left, until the variable is right.
    alerts.variables["defender_alerts_classifications"] = {}
    alerts("alerts")
    assert incident(alerts, "28282")["status"] == "resolved"
    alerts.sandbox.turn_tenant(graph_permissions=[])
    alerts.sandbox.tamper_tenant("cloud_alerts", {"status": "Resolved"}, match={"_id": miner["_id"]})
    run = alerts("alerts")
    assert "SecurityIncident.Read.All" in run.summary and run.status != 0
    assert ticket_of(instance, miner["_id"])["state"] == "6", "alerts of Defender for Cloud are still in step"


def test_a_ticket_that_people_copied_is_named_and_the_rest_continues(alerts: Defender, instance: Instance) -> None:
    """A copy of a ticket has its correlation id, too."""
    alerts("alerts").went_well()
    row = ticket_of(instance, "28283")
    copied = {name: value for name, value in row.items() if name not in ("sys_id", "number")}
    instance.add(
        "incident",
        **{**copied, "sys_created_by": "itil_agent", "sys_created_on": "2036-01-01 00:00:00", "number": "INC0999999"},
    )
    for key in ("28282", "28283"):
        set_incident(alerts, key, status="resolved")
    for _run in range(2):
        run = alerts("alerts")
        assert run.status == 2
        assert f"2 open tickets have the key of incident {row['correlation_id']}: {row['number']} (" in run.summary
        assert ticket_of(instance, "28282")["state"] == "6"
    instance.change("incident", {"number": "INC0999999"}, correlation_id="")
    alerts("alerts").went_well()
    assert ticket_of(instance, "28283")["state"] == "6"
    settled(alerts)


def test_what_defender_keeps_no_longer_is_named_as_long_as_its_ticket_is_open(
    alerts: Defender, instance: Instance
) -> None:
    alerts("alerts").went_well()
    row, miner = ticket_of(instance, "28283"), alerts.rows("cloud_alerts")[0]
    kept = ticket_of(instance, miner["_id"])
    alerts.sandbox.tamper_tenant("incidents", match={"id": "28283"}, delete=True)
    alerts.sandbox.tamper_tenant("cloud_alerts", match={"_id": miner["_id"]}, delete=True)
    run = alerts("alerts")
    assert run.status == 2
    what = f"resolve, close or cancel {row['number']} in ServiceNow"
    assert "incident 28283 could not be found: the tenant has no such incident" in run.summary and what in run.summary
    assert run.summary.count("28283 could not be found") == 1
    # An instance may let no one note in a ticket that has ended what went over.
    instance.change("incident", {"sys_id": row["sys_id"]}, state="8", active="false")
    run = alerts("alerts").went_well()
    assert "28283" not in run.summary
    assert f"Defender for Cloud does not list the alert of {kept['number']} any more" in run.summary
    instance.change("incident", {"sys_id": kept["sys_id"]}, state="6")
    assert settled(alerts).summary == "tenant: in sync"


def test_tickets_of_another_tenant_on_the_same_instance_are_left_alone(alerts: Defender, instance: Instance) -> None:
    """Its incidents have ids of their own, which may be those of this tenant's incidents, too."""
    alerts("alerts").went_well()
    row = ticket_of(instance, "28283")
    other = row["description"].replace(alerts.access["azure_tenant_id"], "00000000-0000-4000-8000-00000000000f")
    assert other != row["description"]
    copied = {name: value for name, value in row.items() if name not in ("sys_id", "number")}
    for number, key in (("INC0999998", "28283"), ("INC0999999", "77777")):
        described = other.replace("Incident: 28283", f"Incident: {key}")
        key = f"incident-{'0' * 35}{key}"
        instance.add("incident", **{**copied, "number": number, "correlation_id": key, "description": described})
    assert settled(alerts).summary == "tenant: in sync"
    set_incident(alerts, "28283", status="resolved")
    alerts("alerts").went_well()
    states = {each["number"]: each["state"] for each in ours(instance)}
    assert (states[row["number"]], states["INC0999998"], states["INC0999999"]) == ("6", "1", "1")


def test_tickets_about_what_a_run_does_not_read_are_counted(alerts: Defender, instance: Instance) -> None:
    alerts("alerts").went_well()
    numbers = sorted(ticket_of(instance, key)["number"] for key in ("28282", "28283"))
    run = settled(alerts, variables={"defender_alerts_sources": ["alerts"]})
    assert (
        f"2 open tickets are about alerts or incidents that were not read, and stay as they are: {', '.join(numbers)}. See"
        in run.summary
    )
    # Without the line with its id, an incident that the filter does not find is not found.
    row = ticket_of(instance, "28283")
    described = row["description"].replace("Incident: 28283\n", "")
    instance.change("incident", {"sys_id": row["sys_id"]}, description=described)
    set_incident(alerts, "28283", status="resolved")
    assert (
        f"1 open ticket is about an alert or incident that was not read, and stays as it is: {row['number']}. See"
        in settled(alerts).summary
    )


def test_an_incident_whose_new_ticket_is_refused_keeps_the_tickets_that_were_merged_into_it(
    alerts: Defender, instance: Instance
) -> None:
    alerts("alerts").went_well()
    set_incident(alerts, "28285", status="active", severity="informational")
    merge(alerts, "28283", "28285")
    lost = {**EVERYTHING, "defender_alerts_severities": ["High"], "defender_alerts_assignment_group": "No Such"}
    run = alerts("alerts", variables=lost)
    assert run.status == 2 and "sys_user_group has no row with name 'No Such'" in run.summary
    assert ticket_of(instance, "28283")["state"] == "1"
    alerts("alerts").went_well()
    assert (ticket_of(instance, "28283")["state"], ticket_of(instance, "28285")["state"]) == ("6", "1")


def test_an_alert_of_an_incident_has_no_ticket_of_its_own(alerts: Defender, instance: Instance) -> None:
    alert = alerts.rows("cloud_alerts")[0]
    alerts.sandbox.tamper_tenant(
        "defender_alerts", {"providerAlertId": alert["name"], "incidentId": "28282"}, match={"incidentId": "28283"}
    )
    alerts("alerts").went_well()
    assert len(ours(instance)) == 3
    assert "\nAlerts:\n- " in ticket_of(instance, "28282")["description"]


@pytest.mark.always
def test_reading_again_takes_few_requests(alerts: Defender, instance: Instance) -> None:
    alerts("alerts").went_well()
    settled(alerts)
    assert instance.requests() == {"POST /api/now/v1/batch": 1, "GET /api/now/table/sys_journal_field": 1}
    reads = alerts.requests()
    assert sum(count for route, count in reads.items() if "incidents" in route or "$batch" in route) <= 2
    assert sum(count for route, count in reads.items() if route.endswith("/alerts")) == 1


@pytest.mark.walk(1)
@pytest.mark.parametrize(("state", "status"), [("7", "Resolved"), ("8", "Dismissed")])
@pytest.mark.parametrize("role", ["Owner", "Security Admin"])
def test_an_alert_that_was_reopened_after_its_ticket_ended_gets_a_new_one(
    alerts: Defender, instance: Instance, state: str, status: str, role: str
) -> None:
    """An instance may let no one change a ticket that has ended, as itil by default: then the activity log has what was last.

    Without the log, the ticket has.
    """
    alerts.variables["defender_alerts_sources"] = ["alerts"]
    alerts.sandbox.turn_tenant(azure_role=role)
    alerts("alerts").went_well()
    miner, *_others = alerts.rows("cloud_alerts")
    first = ticket_of(instance, miner["_id"])
    for generation in (2, 3):
        ended = ticket_of(instance, miner["_id"])
        instance.change(
            "incident",
            {"sys_id": ended["sys_id"]},
            state=state,
            active="false",
            close_code="User error",
            close_notes="No",
        )
        instance.turn(acl={"deny_update": ["incident"]} if role == "Owner" else {})
        alerts("alerts").went_well()
        assert alert_status(alerts, miner) == status
        held = "active" if role == "Owner" else status.lower()
        assert f"Defender {held}" in ticket_of(instance, miner["_id"])["description"]
        settled(alerts)
        assert drift_of(alerts("alerts", check=True)) == []
        alerts.sandbox.tamper_tenant("cloud_alerts", {"status": "Active"}, match={"_id": miner["_id"]})
        instance.turn(acl={})
        alerts.predicted_and_done("alerts")
        new = ticket_of(instance, miner["_id"])
        assert (new["state"], new["correlation_id"]) == ("1", f"{first['correlation_id']}-{generation}")
        assert any(f"The former ticket is {ended['number']}" in note for note in notes_of(instance, new))
        assert alert_status(alerts, miner) == "Active"
        settled(alerts)


def test_an_alert_stays_as_it_is_where_nothing_says_what_was_last(alerts: Defender, instance: Instance) -> None:
    """Neither the activity log nor the ticket: it is named, again and again, until one of them does."""
    alerts.variables["defender_alerts_sources"] = ["alerts"]
    alerts("alerts").went_well()
    miner, *_others = alerts.rows("cloud_alerts")
    first = ticket_of(instance, miner["_id"])
    instance.change("incident", {"sys_id": first["sys_id"]}, state="8", active="false")
    instance.turn(acl={"deny_update": ["incident"]})
    for _time in range(2):
        run = alerts("alerts")
        assert run.status != 0
        assert f"{first['number']} is canceled, and alert {miner['name']} is open" in run.summary
        assert "ACL" in run.output, "the words of the instance"
        assert "Give the identity Reader there" in run.output
        assert alert_status(alerts, miner) == "Active"
    alerts.sandbox.turn_tenant(azure_role="Owner")
    alerts("alerts").went_well()
    assert alert_status(alerts, miner) == "Dismissed"
    settled(alerts)


def test_a_description_that_people_have_filled_loses_nothing_they_wrote(alerts: Defender, instance: Instance) -> None:
    """The column holds 4000 characters, and cuts what is longer."""
    alerts("alerts").went_well()
    row = ticket_of(instance, "28283")
    agent = instance.row("sys_user", user_name="itil_agent")
    words = [f"word{number:04}" for number in range((3960 - len(row["description"])) // 9)]
    filled = f"{row['description']}\n\n{' '.join(words)}"
    filled += "." * (4000 - len(filled))
    instance.change("incident", {"sys_id": row["sys_id"]}, description=filled, state="2", assigned_to=agent["sys_id"])
    for number in range(20):
        add_incident(alerts, str(30000 + number), status="redirected", redirectIncidentId="28283")
    set_incident(alerts, "28282", status="redirected", redirectIncidentId="28283")
    alerts.predicted_and_done("alerts")
    written = ticket_of(instance, "28283")["description"]
    assert f"ServiceNow in_progress, {AGENT};" in written and "Merged incidents: 28282" in written
    assert len(written) < 4000
    noted = "\n".join(notes_of(instance, row))
    assert noted.count("the description is full") == 1
    assert [word for word in words if word not in written and word not in noted] == []
    # Nor with what follows.
    set_incident(alerts, "28283", status="resolved")
    alerts.predicted_and_done("alerts")
    assert [word for word in words if word not in ticket_of(instance, "28283")["description"] + noted] == []
    assert "the description is full" not in str(incident(alerts, "28283")["comments"])


def test_a_ticket_that_the_instance_refuses_to_change_keeps_nothing_from_going_over(
    alerts: Defender, instance: Instance
) -> None:
    """Whether it is the only one to be written or not, the run fails, names it, and does the rest."""
    # As `-e defender_alerts_severities=High` does.
    alerts("alerts", variables={"defender_alerts_severities": "High"}).went_well()
    alerts("alerts", variables={"defender_alerts_type": "change_request"}).went_well()
    miner = next(row for row in alerts.rows("cloud_alerts") if row["properties"]["severity"] == "High")
    refused, change = ticket_of(instance, "28283"), ticket_of(instance, "28282", "change_request")
    set_incident(alerts, "28283", status="resolved")
    instance.change("incident", {"sys_id": ticket_of(instance, miner["_id"])["sys_id"]}, state="2")
    instance.turn(acl={"deny_update": ["incident"]})
    words = f"refused to change incident {refused['correlation_id']}"
    run = alerts("alerts")
    assert run.status == 2 and words in run.summary
    assert alert_status(alerts, miner) == "InProgress"
    set_incident(alerts, "28282", status="inProgress")
    run = alerts("alerts")
    assert run.status == 2 and words in run.summary
    described = instance.row("change_request", sys_id=change["sys_id"])["description"]
    assert "Synchronized: Defender in_progress" in described
    instance.turn(acl={"deny_update": []})
    alerts("alerts").went_well()
    assert ticket_of(instance, "28283")["state"] == "6"
    settled(alerts)
