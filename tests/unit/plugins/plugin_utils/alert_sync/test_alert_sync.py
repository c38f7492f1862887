# SPDX-License-Identifier: GPL-3.0-or-later
"""Who leads between a ticket and its alert or incident, what goes over once, and how merges end."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.secops.servicenow_defender.plugins.filter.alert_ticket_plan import (
    alert_ticket_ends,
    alert_ticket_plan,
    alert_ticket_queries,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.alerts import (
    alert_row,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.incidents.incident import (
    incident_row,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync import text
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync.change import SyncOptions
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync.plan import AlertSync, NewTickets
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync.rest import entries_left
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.alert_sync.text import (
    Base,
    base_in,
    with_lines,
)

Row = dict[str, Any]
STATES = {"new": "1", "in_progress": "2", "resolved": "6", "closed": "7", "canceled": "8"}


def incident(key: str = "7", status: str = "active", **more: Any) -> Row:
    row = {"id": key, "tenantId": "t", "displayName": f"Title {key}", "severity": "high", "status": status}
    row |= {"createdDateTime": f"2026-11-20T10:00:{int(key):02}Z"}
    return {**incident_row({**row, **more}), "merged_into": more.get("redirectIncidentId", "")}


def ticket(item: Row, phase: str = "new", base: Base | None = None, **more: str) -> Row:
    """Return a row of a ticket that was in step as `base` says, as new and active if it does not."""
    described = with_lines(f"Incident: {item['id']}\nTheirs", base or Base("active", "", "new", ""))
    return {
        "correlation_id": item["key"],
        "sys_class_name": "incident",
        "state": STATES[phase],
        "active": str(phase in ("new", "in_progress", "resolved")).lower(),
        "number": f"INC{item['id']}",
        "sys_id": f"id{item['id']}",
        "description": described,
        "assigned_to.user_name": "",
        "assigned_to.email": "",
        **more,
    }


def plan(tickets: list[Row], incidents: list[Row], answers: list[Row] | None = None, **options: Any) -> Row:
    new = options.pop("new", NewTickets(severities=("High",)))
    answers = answers if answers is not None else [{"table": "sys_journal_field", "records": [], "refused": ""}]
    sync = AlertSync.of(tickets, [], incidents, new=new, options=SyncOptions(**options), answers=answers)
    return sync.plan()


def test_the_line_of_a_ticket_holds_what_both_sides_had() -> None:
    bases = itertools.product(
        ("active", "resolved"), ("", "jane@acme.example"), ("new", "closed"), ("", "jane.doe"), (0, 1, 12)
    )
    for parts in bases:
        base = Base(*parts)
        described = with_lines("Severity: High\nIncident: 7\n\nWhat was found:\nIt", base, ["8", "9"])
        assert base_in(described) == base
        assert text.merged_in(described) == ["8", "9"]
        assert described.split("\n")[2] == base.line(), "behind the line that names the incident"
        assert with_lines(described, base, ["8", "9"]) == described
    assert base_in("Incident: 7\nTheirs") is None


# Defender, ticket; what they were; what is pushed, and what the ticket gets.
@pytest.mark.parametrize(
    ("status", "phase", "before", "pushed", "state"),
    [
        ("active", "new", ("active", "new"), None, None),
        ("resolved", "new", ("active", "new"), None, "resolved"),
        ("inProgress", "new", ("active", "new"), None, "open"),
        ("active", "in_progress", ("active", "new"), "in_progress", None),
        ("active", "resolved", ("active", "new"), "resolved", None),
        ("active", "canceled", ("active", "new"), "resolved", None),
        ("resolved", "resolved", ("active", "new"), None, None),
        # Both changed: an end beats work, and a ticket beats Defender.
        ("resolved", "in_progress", ("active", "new"), None, "resolved"),
        ("inProgress", "resolved", ("active", "new"), "resolved", None),
        ("inProgress", "new", ("active", "in_progress"), "active", None),
        # Reopened in Defender, after either side had ended it; what the instance closed by itself is no change.
        ("active", "resolved", ("resolved", "resolved"), None, "open"),
        ("active", "closed", ("resolved", "resolved"), None, "new"),
        ("resolved", "closed", ("resolved", "resolved"), None, None),
        # Reopened by people.
        ("resolved", "in_progress", ("resolved", "resolved"), "in_progress", None),
    ],
)
def test_who_changed_leads(status: str, phase: str, before: tuple[str, str], pushed: Any, state: Any) -> None:
    item = incident("7", status)
    row = ticket(item, phase, Base(before[0], "", before[1], ""))
    found = plan([row], [item])
    assert [push.get("status") for push in found["incidents"]] == ([pushed] if pushed else [])
    entry = found["tickets"][0] if found["tickets"] else {}
    if state == "new":
        assert entry["correlation_id"] == f"{item['key']}-2" and "former ticket is INC7" in entry["work_note"]
    else:
        assert entry.get("state") == state
    # Once both are written, nothing is left: no echo.
    after = dict(row)
    if entry and state != "new":
        after["state"] = {"resolved": "6", "open": "2" if entry.get("reopen") or entry.get("begin") else row["state"]}[
            entry["state"]
        ]
        after["description"] = entry.get("description", row["description"])
    rest = entries_left(found, [], [{"id": "7", "status": "changed"}])
    for left in (*rest["tickets"], *rest["records"]):
        after["description"] = left["description"]
    if state != "new":
        again = plan([after], [incident("7", pushed or status)])
        assert (again["tickets"], again["incidents"], again["rest"]["notes"]) == ([], [], [])


def test_what_defender_refused_is_tried_again() -> None:
    item = incident()
    found = plan([ticket(item, "resolved")], [item])
    assert found["incidents"][0]["status"] == "resolved"
    assert entries_left(found, [], [{"id": "7", "status": "refused"}]) == {"tickets": [], "records": []}
    done = entries_left(found, [], [{"id": "7", "status": "ok"}])
    assert [record["match"] for record in done["records"]] == [{"number": "INC7", "sys_id": "id7"}]


def test_a_ticket_whose_line_was_removed_is_taken_up_again() -> None:
    item = incident("7", "active")
    row = {**ticket(item, "resolved"), "description": "Incident: 7\nOurs"}
    assert plan([row], [item])["incidents"][0]["status"] == "resolved"
    by_us = {**row, "close_notes": f"{text.RESOLVED_BY_DEFENDER} it was resolved there."}
    found = plan([by_us], [item])
    assert found["incidents"] == [] and found["tickets"][0]["reopen"] is True
    (entry,) = plan([{**row, "state": "1"}], [item])["tickets"]
    assert entry["description"].split("\n")[0] == "Incident: 7" and base_in(entry["description"]) == Base(
        "active", "", "new", ""
    )
    assert entry["description"].endswith("Ours")


def test_a_description_that_was_saved_in_a_form_is_the_same() -> None:
    """Forms store line breaks as carriage return and line feed."""
    base = Base("in_progress", "", "new", "", 3)
    item = incident("7", "inProgress")
    row = ticket(item, base=base)
    row["description"] = row["description"].replace("\n", "\r\n")
    found = plan([row], [item])
    assert (found["tickets"], found["incidents"], found["rest"]["notes"]) == ([], [], [])


def test_people_resolve_a_reopened_ticket_without_notes_of_their_own() -> None:
    """The former close notes would say that Defender ended it."""
    by_us = {"close_notes": f"{text.RESOLVED_BY_DEFENDER} it was resolved there."}
    item = incident("7", "active")
    (entry,) = plan([ticket(item, "resolved", Base("resolved", "", "resolved", ""), **by_us)], [item])["tickets"]
    assert (entry["reopen"], entry["close_notes"]) == (True, "")
    (entry,) = plan(
        [ticket(item, "resolved", Base("resolved", "", "resolved", ""), close_notes="Nothing there")], [item]
    )["tickets"]
    assert entry["reopen"] and "close_notes" not in entry


def test_comments_go_over_once_and_never_back() -> None:
    said = {"comment": "Known", "createdByDisplayName": "jane", "createdDateTime": "2026-11-20T10:00:00.123Z"}
    ours = {"comment": "ServiceNow INC7, agent, 2026-11-20 09:00:00: Seen", "createdByDisplayName": "app"}
    item = incident("7", comments=[said, ours])
    entry = {"element_id": "id7", "sys_created_by": "agent"}
    journal = [
        {**entry, "value": "Seen", "sys_created_on": "2026-11-20 09:00:00"},
        {**entry, "value": "More", "sys_created_on": "2026-11-20 09:30:00"},
        {
            **entry,
            "value": "Microsoft Defender, joe, 2026-11-20 07:00:00: Old",
            "sys_created_on": "2026-11-20 08:00:00",
        },
    ]
    answers = [{"table": "sys_journal_field", "records": journal, "refused": ""}]
    found = plan([ticket(item)], [item], answers)
    assert found["tickets"][0]["work_note"] == "Microsoft Defender, jane, 2026-11-20 10:00:00: Known"
    assert [push["comment"] for push in found["incidents"]] == ["ServiceNow INC7, agent, 2026-11-20 09:30:00: More"]
    refused = [{"table": "sys_journal_field", "records": [], "refused": "403"}]
    blind = plan([ticket(item)], [item], refused)
    assert (blind["tickets"], blind["incidents"]) == ([], [])
    assert [problem["id"] for problem in blind["problems"]] == ["table_refused:sys_journal_field"]
    assert plan([ticket(item)], [item], answers, comments=False)["incidents"] == []
    only_reads = plan([ticket(item, "resolved")], [item], answers, write_back=False)
    assert only_reads["incidents"] == []


def test_owners_and_assignees_follow_each_other() -> None:
    users = {"table": "sys_user", "records": [{"user_name": "jane.doe", "email": "Jane@acme.example"}], "refused": ""}
    item = incident("7", assignedTo="jane@acme.example")
    (entry,) = plan([ticket(item)], [item], [users])["tickets"]
    assert entry["assigned_to"] == "jane.doe" and "Defender active, jane@acme.example" in entry["description"]
    theirs = {"assigned_to.user_name": "joe", "assigned_to.email": "joe@acme.example"}
    (push,) = plan([ticket(item, base=Base("active", "jane@acme.example", "new", "jane.doe"), **theirs)], [item])[
        "incidents"
    ]
    assert push["assigned_to"] == "joe@acme.example"
    mapped = plan([ticket(item, **theirs)], [item], assignees={"joe": "jane@acme.example"})
    assert mapped["incidents"] == [], "they are the same person"
    gone = incident("7", assignedTo=None)
    (entry,) = plan([ticket(gone, base=Base("active", "a@b.c", "new", "joe"), **theirs)], [gone])["tickets"]
    assert entry["assigned_to"] == ""
    stranger = plan([ticket(item)], [item], [])
    assert [problem["id"] for problem in stranger["problems"]] == ["assignee_missing:7"]


def test_two_incidents_merged_into_one_end_in_its_ticket() -> None:
    target = incident("9")
    one, other = (incident(key, "redirected", redirectIncidentId="9") for key in ("7", "8"))
    found = plan([ticket(one), ticket(other), ticket(target)], [one, other, target])
    (entry,) = found["tickets"]
    assert "Merged incidents: 7, 8" in entry["description"] and entry["work_note"].count("became part of this one") == 2
    written = [{"correlation_id": target["key"], "number": "INC9", "type": "incident"}]
    rest = entries_left(found, written, [], url="https://x")
    assert [row["state"] for row in rest["tickets"]] == ["resolved", "resolved"]
    assert all("Work continues in INC9 (https://x/nav_to.do?uri=" in row["close_notes"] for row in rest["tickets"])
    assert all(row["extra_fields"] == {"parent_incident": "id9"} for row in rest["tickets"])
    # Killed in between: the other ticket knows already, so it gets no second note.
    noted = {**ticket(target), "description": entry["description"]}
    assert plan([ticket(one), ticket(other), noted], [one, other, target])["tickets"] == []
    # Merged into one that is resolved, and has no ticket.
    ended = incident("9", "resolved")
    rest = entries_left(plan([ticket(one)], [one, ended]), [], [])
    assert rest["tickets"][0]["close_notes"].endswith("That one has ended, too.")
    # Where it went is not known: it stays open.
    lost = {**one, "merged_into": ""}
    assert plan([ticket(one)], [lost]) | {"problems": []} == {
        "tickets": [], "alerts": [], "incidents": [], "announcements": [], "rest": {"notes": [], "merges": []}, "problems": []
    }  # fmt: skip


def test_an_alert_is_named_by_any_of_its_ids() -> None:
    alert = alert_row(
        {
            "id": "/subscriptions/1/providers/Microsoft.Security/locations/westeurope/alerts/2518_A",
            "name": "2518_b",
            "properties": {
                "systemAlertId": "2518_c",
                "severity": "Low",
                "status": "Resolved",
                "alertDisplayName": "Miner",
            },
        }
    )
    for given in (alert["id"], f"{alert['id'].upper()}/", "2518_a", "2518_B", "2518_c", alert["key"]):
        sync = AlertSync.of([], [alert], [], new=NewTickets(by_hand=given), options=SyncOptions())
        (entry,) = sync.plan()["tickets"]
        assert entry["correlation_id"] == alert["key"], given
    (problem,) = AlertSync.of([], [alert], [], new=NewTickets(by_hand="2518"), options=SyncOptions()).plan()["problems"]
    assert problem["id"] == "alert_missing"


def test_the_most_severe_and_newest_get_tickets_first() -> None:
    rows = [
        incident(str(number), severity=severity) for number, severity in enumerate(["medium", "high", "high", "low"], 1)
    ]
    new = NewTickets(severities=("high", "Medium"), max_new=2)
    found = plan([], rows, new=new)
    assert [entry["correlation_id"] for entry in found["tickets"]] == [rows[2]["key"], rows[1]["key"]]
    (problem,) = found["problems"]
    assert (
        problem["message"].startswith("1 alert or incident got no ticket")
        and "defender_alerts_max_new=3" in problem["remedy"]
    )
    late = NewTickets(severities=("high",), since="2026-11-20T10:00:03Z")
    assert [entry["correlation_id"] for entry in plan([], rows, new=late)["tickets"]] == [rows[2]["key"]]


def test_comments_of_people_go_over_also_if_they_begin_with_the_name_of_a_platform() -> None:
    comment = {"createdByDisplayName": "jane", "createdDateTime": "2026-11-20T10:00:00Z"}
    item = incident("7", comments=[{**comment, "comment": "ServiceNow was right, see the ticket"}])
    entry = {"element_id": "id7", "sys_created_by": "agent", "sys_created_on": "2026-11-20 09:00:00"}
    journal = [{**entry, "value": "Microsoft Defender has blocked this host, ask Jane: it is hers"}]
    answers = [{"table": "sys_journal_field", "records": journal, "refused": ""}]
    found = plan([ticket(item)], [item], answers)
    assert "ServiceNow was right" in found["tickets"][0]["work_note"]
    assert "has blocked this host" in found["incidents"][0]["comment"]


def test_every_note_that_goes_over_is_known_as_ours() -> None:
    row = {"created_by": "Doe, Jane: Ltd", "created_at": "2026-11-20T10:00:00.123Z", "comment": "x"}
    for each in (row, {"comment": "x"}, {**row, "created_by": ""}):
        (note,) = text.notes_for([each])
        assert text.comments_for("INC7", [{"value": note}]) == []
    entry = {"sys_created_by": "jane", "sys_created_on": "2026-11-20 10:00:00", "value": "x"}
    for each in (entry, {"value": "x"}):
        (comment,) = text.comments_for("INC7", [each])
        assert text.notes_for([{"comment": comment}]) == []


@pytest.mark.parametrize(("kind", "initial", "other"), [("incident", "1", "3"), ("sn_si_incident", "10", "18")])
def test_work_that_begins_in_defender_begins_in_a_new_ticket(kind: str, initial: str, other: str) -> None:
    item = incident("7", "inProgress")
    row = {**ticket(item), "sys_class_name": kind, "state": initial}
    found = plan([row], [item])
    (entry,) = found["tickets"]
    assert entry["begin"]
    assert entry["work_note"] == "Microsoft Defender: incident 7 is now in progress."
    assert base_in(entry["description"]) == Base("in_progress", "", "in_progress", "")
    assert not found["incidents"]
    busy = {**ticket(item, base=Base("active", "", "in_progress", "")), "sys_class_name": kind, "state": other}
    assert "begin" not in plan([busy], [item])["tickets"][0]


def test_an_instance_without_security_incidents_is_no_problem() -> None:
    answers = [{"table": "sn_si_incident", "records": [], "refused": "Invalid table sn_si_incident"}]
    assert plan([], [], answers)["problems"] == []


@pytest.mark.parametrize("phase", ["closed", "canceled"])
def test_an_end_that_could_not_be_noted_in_a_closed_ticket_goes_over_once(phase: str) -> None:
    item = incident("7")
    row = ticket(item, phase, Base("active", "", "new", ""), close_notes="Not ours")
    (push,) = plan([row], [item])["incidents"]
    assert (push["status"], push["comment"]) == ("resolved", f"ServiceNow INC7 is {phase}: Not ours")
    said = {"comment": f"{push['comment']}\n\nMore", "createdByDisplayName": "app"}
    # The instance refused to note it: nothing is left, and nothing is tried again.
    again = plan([row], [incident("7", "resolved", comments=[said])])
    assert (again["tickets"], again["incidents"], again["rest"]["notes"]) == ([], [], [])
    # Analysts reopen it: there is a new ticket, and Defender is left alone.
    reopened = plan([row], [incident("7", comments=[said])])
    assert [entry["correlation_id"] for entry in reopened["tickets"]] == [f"{item['key']}-2"]
    assert (reopened["incidents"], reopened["rest"]["notes"]) == ([], [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"severities": ["High", "severe"]},
            "defender_alerts_severities: 'severe' is no severity; they are High, Medium",
        ),
        ({"ratings": {"Hgh": {"impact": 1}}}, "defender_alerts_ratings: 'Hgh' is no severity"),
        ({"max_new": -1}, "defender_alerts_max_new must be between 0 and 1000000, not -1"),
        ({"since_days": 0}, "defender_alerts_since_days must be between 1 and 36500 days, not 0"),
    ],
)
def test_options_that_would_select_nothing_are_refused(options: Row, words: str) -> None:
    for each in (alert_ticket_plan, alert_ticket_queries):
        with pytest.raises(AnsibleFilterError, match=words):
            each([], options=options)


def test_severities_are_read_in_any_case() -> None:
    options = {"severities": [" HIGH"], "ratings": {"high ": {"impact": 3}}}
    (entry,) = alert_ticket_plan([], incidents=[incident()], options=options)["tickets"]
    assert (entry["impact"], entry["urgency"]) == (3, 1)


# The alert, its ticket, what both were; what the log has; what is pushed, announced, and created.
@pytest.mark.parametrize(
    ("phase", "before", "log", "pushed", "announced", "created"),
    [
        # It ended just now.
        ("closed", ("active", "new"), {"status_set_at": ""}, "resolved", False, False),
        ("canceled", ("active", "new"), {"status_set_at": ""}, "dismissed", False, False),
        # Its end went over before, and analysts reopened it.
        ("closed", ("active", "new"), {"status_set_at": "2026-11-20T10:00:00Z"}, None, False, True),
        ("closed", ("resolved", "closed"), {}, None, False, True),
        # No log: first the ticket says so, then the alert follows.
        ("canceled", ("active", "new"), {"status_set_at": None, "status_set_refused": "403"}, "dismissed", True, False),
        (
            "canceled",
            ("active", "canceled"),
            {"status_set_at": None, "status_set_refused": "403"},
            "dismissed",
            False,
            False,
        ),
        # A ticket that is resolved takes notes.
        ("resolved", ("active", "new"), {}, "resolved", False, False),
    ],
)
def test_of_an_alert_and_a_ticket_that_has_ended_the_later_event_leads(
    phase: str, before: tuple[str, str], log: Row, pushed: str | None, announced: bool, created: bool
) -> None:
    about = {
        "status": "Active",
        "severity": "High",
        "alertDisplayName": "Miner",
        "timeGeneratedUtc": "2026-11-20T09:00:00Z",
    }
    alert = {
        **alert_row({"id": "/subscriptions/1/providers/Microsoft.Security/locations/w/alerts/25", "properties": about}),
        **log,
    }
    row = ticket({"id": "9", "key": alert["key"]}, phase, closed_at="2026-11-20 09:30:00")
    row["description"] = with_lines(f"Alert: {alert['id']}", Base(before[0], "", before[1], ""))
    found = AlertSync.of([row], [alert], [], new=NewTickets(), options=SyncOptions()).plan()
    assert [push["status"] for push in found["alerts"]] == ([pushed] if pushed else [])
    assert [entry["correlation_id"] for entry in found["tickets"]] == ([f"{alert['key']}-2"] if created else [])
    assert bool(found["announcements"]) == announced
    ends = alert_ticket_ends([row])
    assert ends == ({} if before[0] == "resolved" or phase == "resolved" else {alert["key"]: "2026-11-20 09:30:00"})
    if announced:
        (entry,) = found["announcements"]
        assert base_in(entry["description"]) == Base("active", "", phase, "")
        assert "is open. Whether it was reopened after that is not known" in entry["message"]
    # Both have ended: nothing is left, also where nothing could be noted.
    ended = {**alert, "status": pushed or "resolved"}
    again = AlertSync.of([row], [ended], [], new=NewTickets(), options=SyncOptions()).plan()
    assert (again["tickets"], again["alerts"], again["announcements"]) == ([], [], [])
    assert bool(again["rest"]["notes"]) == (phase == "resolved" or before == ("active", "canceled"))
