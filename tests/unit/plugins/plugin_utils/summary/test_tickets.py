# SPDX-License-Identifier: GPL-3.0-or-later
"""What summary and report show of tickets: numbers of findings, and every ticket that was made or changed."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.collect import Fleet, TaskReport
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import make
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.summary.results import host_result
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.summary.tickets import ticket_lines

MADE: dict[str, Any] = {
    "object": "incident mdc-1",
    "type": "incident",
    "correlation_id": "mdc-1",
    "status": "changed",
    "action": "created",
    "number": "INC0010001",
    "link": "https://acme.example/1",
    "state": "open",
    "short_description": "Software update (owner a@b.c)",
}
IN_SYNC = {**MADE, "correlation_id": "mdc-2", "status": "ok", "action": "", "number": "INC0010002"}
RESULT = {"changed": True, "results": [MADE, IN_SYNC], "drift": [], "manual_steps": []}
COUNTS: dict[str, Any] = {
    "findings": 30,
    "groups": 12,
    "new": 1,
    "severity": {"Critical": 1, "High": 29},
    "category": {"Software update": 30},
    "risk_level": {"none": 30},
    "group": {f"group {n}": n for n in range(12)},
    "empty": {"owner": 4},
    "left": {"groups": 11, "findings": 29, "option": "mdc_tickets_max_new=12"},
}


def lines(check: bool = False, counts: Any = COUNTS, rows: Any = None) -> list[str]:
    result = RESULT if rows is None else {**RESULT, "results": rows}
    registered = {"mdc_tickets_plan": {"problems": [], "counts": counts}, "mdc_tickets_result": result}
    return list(ticket_lines(host_result("tenant", registered, check_mode=check), check_mode=check))


def test_the_summary_counts_findings_and_names_each_ticket() -> None:
    shown = lines()
    assert shown[:5] == [
        "tenant: 30 findings in 12 groups",
        "- by severity: 1 Critical, 29 High",
        "- by category: 30 Software update",
        "- by risk level: 30 none",
        f"- by group: {', '.join(f'{n} group {n}' for n in range(10))}, and 2 more",
    ]
    assert shown[5:] == [
        "- without a value to group by: 4 owner",
        "tenant: 11 groups with 29 findings get no ticket in this run; mdc_tickets_max_new=12 lets them through",
        "1 ticket:",
        "- INC0010001 created: Software update (owner a@b.c) https://acme.example/1",
    ]


def test_check_mode_says_what_would_be_done() -> None:
    planned = [{**MADE, "number": "", "link": ""}]
    assert lines(True, rows=planned)[-1] == "- new incident would be created: Software update (owner a@b.c)"


def test_a_run_with_nothing_to_do_shows_nothing() -> None:
    assert lines(counts={**COUNTS, "new": 0, "left": {}}, rows=[IN_SYNC]) == []


def test_a_problem_of_the_plan_is_shown_also_as_a_warning() -> None:
    problem = {"id": "rule_unmatched", "severity": "warning", "message": "x", "remedy": "y"}
    found = host_result("tenant", {"mdc_tickets_plan": {"problems": [problem], "counts": COUNTS}}, check_mode=False)
    assert found.problems == [problem]


def test_the_report_has_number_and_link() -> None:
    fleet = Fleet()
    fleet.add(TaskReport("tenant", "secops.servicenow_defender.snow_tickets", RESULT, "Create tickets"))
    document = make(fleet, {"plays": [], "playbooks": [], "run_id": "1"}, datetime.now(timezone.utc))
    (ticket,) = document["hosts"]["tenant"]["tickets"]
    assert (ticket["number"], ticket["link"], ticket["action"]) == ("INC0010001", "https://acme.example/1", "created")


def test_findings_that_wait_in_other_tickets_are_no_findings_without_a_ticket() -> None:
    left = {"groups": 1, "findings": 0, "held": 3, "option": "mdc_tickets_max_new=2"}
    shown = lines(counts={**COUNTS, "left": left})
    line = "tenant: 1 group with 3 findings that other tickets list until then gets no ticket in this run; mdc_tickets_max_new=2 lets them through"
    assert line in shown


def test_what_was_not_read_is_counted() -> None:
    known = {**COUNTS, "new": 0, "left": {}}
    assert lines(counts={**known, "unread": {"findings": 1, "tickets": 1}}, rows=[]) == [
        "tenant: 1 finding in 1 open ticket is in no scope that was read (mdc_tickets_scopes), and stays as it is"
    ]
    (line,) = lines(counts={"unread": {"tickets": 12, "numbers": ["INC1", "INC2"]}}, rows=[])
    assert line.startswith(
        "tenant: 12 open tickets are about alerts or incidents that were not read, and stay as they are: INC1, INC2, .... See "
    )


def test_an_exemption_that_has_ended_is_named() -> None:
    row = {"object": "exemption a on /s/1", "recommendation": "a", "status": "expired", "reason": "it ended"}
    found = host_result("tenant", {"mdc_tickets_exempted": {"changed": False, "results": [row]}}, check_mode=False)
    assert [each["reason"] for each in found.kept] == ["it ended"]


def test_the_summary_says_why_tickets_are_left_as_they_are() -> None:
    why = "'Nonsense' is not a valid close_code on this instance. It was left out; valid values are: 1, 2"
    refused = {**MADE, "status": "refused", "action": "", "reason": f"incident mdc-1: {why}"}
    other = {
        **refused,
        "object": "incident mdc-2",
        "correlation_id": "mdc-2",
        "number": "INC0010002",
        "reason": f"incident mdc-2: {why}",
    }
    # One that does not exist fails the run, with its reason.
    new = {**refused, "correlation_id": "mdc-3", "number": ""}
    assert lines(counts={}, rows=[refused, other, new]) == [
        "2 tickets left as they are:",
        f"- INC0010001, INC0010002: {why}",
    ]
