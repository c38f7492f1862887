# SPDX-License-Identifier: GPL-3.0-or-later
"""From recommendations to tickets and back: each finding has one ticket at most, with any changes between two runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.filter.assignments_for_tickets import (
    assignments_for_tickets,
)
from ansible_collections.secops.servicenow_defender.plugins.filter.tickets_for_recommendations import (
    tickets_for_recommendations,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.assessments import (
    recommendation,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.tickets.text import (
    moment,
    short_description,
    without_html,
)
from tests.unit.plugins.module_utils.microsoft.defender_cloud.assessment_rows import SUB, assessment, machine, metadata

OURS = "Resolved by Defender for Cloud: the resource is healthy."
INCIDENT_STATES = {"open": "1", "resolved": "6", "closed": "7", "canceled": "8"}
EACH = ["recommendation", "resource"]
Row = dict[str, Any]


def finding(name: str = "vm1", status: str = "Unhealthy", severity: str = "High", **more: Any) -> Row:
    row = recommendation(assessment(machine(name), status=status), metadata(severity=severity)["properties"])
    return {**row, "selected": True, **more}


def ticket(row: Row, state: str = "1", notes: str = "", suffix: str = "", **more: Any) -> Row:
    return {
        "correlation_id": row["key"] + suffix,
        "number": f"INC{row['resource_name']}{suffix}",
        "state": state,
        "active": "false" if state in ("7", "8") else "true",
        "close_notes": notes,
        "sys_id": f"id-{row['resource_name']}{suffix}",
        "sys_class_name": "incident",
        "description": f"Something\nAssessment: {row['id']}\nmore",
        **more,
    }


def wanted(*rows: Row, known: tuple[Row, ...] = (), **options: Any) -> list[Row]:
    """Return the tickets where each finding has one of its own."""
    plan = tickets_for_recommendations(rows, known, **{"group_by": EACH, "max_new": 1000, **options})
    found: list[Row] = plan["tickets"]
    return found


def brief(entries: list[Row]) -> list[tuple[str, str]]:
    return [(entry["correlation_id"], entry["state"]) for entry in entries]


# -- one run ----------------------------------------------------------------------------------------------------------


def test_a_new_finding_gets_a_ticket_with_all_details() -> None:
    row = finding(
        risk_level="Critical",
        assessment_description="Attackers <b>love</b> it",
        remediation="Do this:<br>1. Open&nbsp;it<br />2. Close it",
        portal_url="https://portal.azure.com/#1",
    )
    (entry,) = wanted(row, assignment_group="Cloud security", caller="svc_mdc", extra_fields={"category": "security"})
    assert (entry["type"], entry["correlation_id"], entry["state"]) == ("incident", row["key"], "open")
    assert (entry["impact"], entry["urgency"]) == (2, 1)
    assert (entry["assignment_group"], entry["caller"], entry["extra_fields"]) == (
        "Cloud security",
        "svc_mdc",
        {"category": "security"},
    )
    assert "assigned_to" not in entry
    assert entry["short_description"].endswith("(vm1)")
    for words in (
        "Attackers love it",
        "1. Open\xa0it\n2. Close it",
        machine("vm1"),
        "https://portal.azure.com/#1",
        "Risk level: Critical",
    ):
        assert words in entry["description"]
    assert f"\nAssessment: {row['id']}\n" in entry["description"]


@pytest.mark.parametrize(
    ("severity", "rating"),
    [("Critical", (1, 1)), ("High", (1, 3)), ("Medium", (2, 2)), ("Low", (3, 3)), ("", (None, None))],
)
def test_ratings_follow_severity_and_can_be_replaced(severity: str, rating: tuple[Any, Any]) -> None:
    (entry,) = wanted(finding(severity=severity), ratings={"High": {"impact": 1, "urgency": 3}})
    assert (entry.get("impact"), entry.get("urgency")) == rating


def test_an_open_ticket_is_left_to_its_users() -> None:
    row = finding()
    assert wanted(row, known=(ticket(row, "3"),), assignment_group="Cloud security") == [
        {"type": "incident", "correlation_id": row["key"], "state": "open"}
    ]
    (entry,) = wanted(row, known=(ticket(row, "3"),), refresh=True, assignment_group="Cloud security")
    assert entry["impact"] == 2
    assert "assignment_group" not in entry


@pytest.mark.parametrize(
    ("status", "words"), [("Healthy", "the resource is healthy"), ("NotApplicable", "does not apply to the resource")]
)
@pytest.mark.parametrize("selected", [True, False])
def test_a_healthy_finding_is_resolved_whether_selected_or_not(status: str, words: str, selected: bool) -> None:
    row = finding(status=status, selected=selected)
    (entry,) = wanted(row, known=(ticket(row, "2"),), close_code="Solution provided")
    assert (entry["state"], entry["close_code"]) == ("resolved", "Solution provided")
    assert entry["close_notes"].startswith("Resolved by Defender for Cloud:")
    assert words in entry["close_notes"]
    assert wanted(row, known=(ticket(row, "6", OURS),)) == []
    assert wanted(row) == []


def test_what_is_unhealthy_again_is_reopened_or_followed_by_a_new_ticket() -> None:
    row = finding(changed_at="2026-03-04")
    (again,) = wanted(row, known=(ticket(row, "6", OURS),))
    assert (again["state"], again["reopen"], again["correlation_id"]) == ("open", True, row["key"])
    assert again["close_notes"] == "", "who resolves it next without notes would be taken for us"
    closed = ticket(row, "7", OURS)
    (second,) = wanted(row, known=(closed,))
    assert second["correlation_id"] == f"{row['key']}-2"
    assert "The former ticket is INCvm1" in second["work_note"]
    third = wanted(row, known=(ticket(row, "8", OURS, "-2"), closed))
    assert brief(third) == [(f"{row['key']}-3", "open")]
    assert brief(wanted(row, known=(ticket(row, "1", suffix="-10"), ticket(row, "7", OURS, "-9")))) == [
        (f"{row['key']}-10", "open")
    ]


@pytest.mark.parametrize("state", ["6", "7", "8"])
def test_what_users_ended_stays(state: str) -> None:
    row = finding()
    assert wanted(row, known=(ticket(row, state, "We accept the risk"),)) == []


def test_a_finding_that_is_not_selected_is_left_alone() -> None:
    row = finding(selected=False)
    assert wanted(row) == wanted(row, known=(ticket(row),)) == wanted(row, known=(ticket(row, "6", OURS),)) == []
    assert brief(wanted(row, selected=[row])) == brief(wanted(row, selected=[row["key"]])) == [(row["key"], "open")]
    assert wanted(finding(), selected=[]) == []


def test_gone_is_only_what_would_have_been_read() -> None:
    row, other = finding(), finding("vm9", "Healthy")
    known = (ticket(row),)
    (entry,) = wanted(other, known=known, scopes_read=[SUB.upper()])
    assert entry["state"] == "resolved"
    assert "no longer exists" in entry["close_notes"]
    assert wanted(other, known=known, scopes_read=[]) == []
    assert wanted(other, known=known, scopes_read=[SUB[:-1], "/subscriptions/other"]) == []
    assert wanted(other, known=(ticket(row, description="rewritten manually"),), scopes_read=[SUB]) == []
    assert (
        wanted(other, known=(ticket(row, description=f"Assessment: {finding('vm2')['id']}"),), scopes_read=[SUB]) == []
    )
    assert wanted(other, known=(ticket(row, "7", "done"),), scopes_read=[SUB]) == []


def test_tickets_keep_their_type_and_strangers_are_ignored() -> None:
    row = finding(status="Healthy")
    problem = ticket(row, "104", sys_class_name="problem")
    assert [entry["type"] for entry in wanted(row, known=(problem,))] == ["problem"]
    assert (
        wanted(finding(), known=({"correlation_id": "SR-1", "state": "1"}, {"number": "INC1"}))[0]["correlation_id"]
        == finding()["key"]
    )


@pytest.mark.parametrize(
    ("kind", "state", "more", "word"),
    [
        ("incident", "3", {}, "open"),
        ("incident", "20", {"active": "false"}, "closed"),
        ("problem", "106", {}, "resolved"),
        ("problem", "107", {"resolution_code": "canceled"}, "canceled"),
        ("change_request", "0", {}, "open"),
        ("change_request", "4", {}, "canceled"),
        ("change_request", "resolved", {}, "resolved"),
    ],
)
def test_states_are_distinguished(kind: str, state: str, more: Row, word: str) -> None:
    row = finding()
    known = ticket(row, state, sys_class_name=kind, **{"active": "true", **more})
    (entry,) = assignments_for_tickets([], [row], known=[known])
    assert entry["ticket_status"] == word


def test_errors_in_the_input_are_reported() -> None:
    with pytest.raises(AnsibleFilterError, match="type must be one of incident"):
        wanted(finding(), type="task")
    with pytest.raises(AnsibleFilterError, match="pass the recommendations that mdc_recommendation_info returns"):
        tickets_for_recommendations([{"id": "1"}], [])
    with pytest.raises(AnsibleFilterError, match="pass the recommendations that mdc_recommendation_info returns"):
        assignments_for_tickets([], [{"id": "1"}])


# -- back to assignments ----------------------------------------------------------------------------------------------


def test_results_are_written_back_to_the_recommendation() -> None:
    row, gone = finding(), finding("vm9")
    result = {"type": "incident", "number": "INC0010023", "state": "open", "status": "changed"}
    results = [
        {**result, "correlation_id": row["key"], "link": "https://acme.example/incident.do?sys_id=1"},
        {**result, "correlation_id": gone["key"], "link": "https://acme.example/incident.do?sys_id=2"},
        {"correlation_id": finding("vm3")["key"], "status": "refused", "number": ""},
    ]
    assert assignments_for_tickets(results, [row, finding("vm3")], owner="a@b.c") == [
        {
            "recommendation": row["name"],
            "resource_id": row["resource_id"],
            "ticket_number": "INC0010023",
            "ticket_link": "https://acme.example/incident.do?sys_id=1#INC0010023",
            "ticket_status": "open",
            "create": True,
            "owner": "a@b.c",
        }
    ]


def test_known_tickets_count_where_nothing_was_to_be_done() -> None:
    row = finding()
    known = [ticket(row, "7", "Accepted")]
    (entry,) = assignments_for_tickets([], [row], known=known, instance_url="https://acme.example/")
    assert (entry["ticket_status"], entry["ticket_link"]) == (
        "closed",
        "https://acme.example/nav_to.do?uri=%2Fincident.do%3Fsys_id%3Did-vm1#INCvm1",
    )
    newer = {
        **known[0],
        "correlation_id": f"{row['key']}-2",
        "number": "INC2",
        "state": "open",
        "link": "https://acme.example/INC2",
    }
    (entry,) = assignments_for_tickets([newer], [row], known=known)
    assert (entry["ticket_number"], entry["ticket_link"]) == ("INC2", "https://acme.example/INC2")
    assert assignments_for_tickets([], [finding(status="Healthy")], known=known)[0]["create"] is False


# -- texts ------------------------------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_short_descriptions_always_fit(name: str, resource: str) -> None:
    text = short_description({"display_name": name, "resource_name": resource})
    assert len(text) <= 160
    assert len(text.splitlines()) <= 1


@given(st.dictionaries(st.sampled_from(sorted(finding())), st.text(max_size=9000)))
def test_any_finding_makes_a_ticket_of_limited_length(changes: Row) -> None:
    (entry,) = wanted({**finding(), **changes, "status": "Unhealthy", "is_exempt": False, "selected": True})
    assert len(entry["description"]) <= 3900
    assert len(entry["short_description"]) <= 160


def test_plain_text_keeps_what_is_no_html() -> None:
    assert without_html("a < b<br>\n<p class='x'>and c &gt; d</p>") == "a < b\nand c > d"


# -- many runs --------------------------------------------------------------------------------------------------------


@dataclass
class Snapshot:
    """Findings, tickets, and users who change them in any way between two runs."""

    statuses: dict[str, str]
    tickets: dict[str, Row] = field(default_factory=dict)
    by_people: set[str] = field(default_factory=set)
    writes: int = 0
    numbers: int = 0

    def run(self, most: int | None = None) -> None:
        """Do what the filter returns; `most` entries of it, when the run is killed."""
        rows = [finding(name, status) for name, status in self.statuses.items() if status != "gone"]
        for entry in wanted(*rows, known=tuple(self.tickets.values()), scopes_read=[SUB])[:most]:
            self._apply(entry)

    def _apply(self, entry: Row) -> None:
        found = self.tickets.get(entry["correlation_id"])
        if found is None:
            assert entry["state"] == "open"
            self.numbers += 1
            self.tickets[entry["correlation_id"]] = {
                "number": f"INC{self.numbers:07}",
                "sys_id": str(self.numbers),
                "active": "true",
                "close_notes": "",
                "sys_class_name": "incident",
                **entry,
                "state": "1",
            }
            self.writes += 1
            return
        assert entry["correlation_id"] not in self.by_people, "what users ended was touched"
        state = INCIDENT_STATES[entry["state"]]
        if (state == "1") != (found["state"] == "1"):
            assert state != "1" or entry["reopen"]
            self.writes += 1
            found |= {"state": state, "close_notes": entry.get("close_notes", found["close_notes"])}

    def person(self, number: int, state: str) -> None:
        """A user ends a ticket that is open, or the instance closes one that was resolved."""
        if not self.tickets:
            return
        found = list(self.tickets.values())[number % len(self.tickets)]
        if found["state"] == "1":
            found |= {"state": state, "close_notes": "By hand"}
            self.by_people.add(found["correlation_id"])
        elif found["state"] == "6":
            found["state"] = "7"
        found["active"] = "true" if found["state"] in ("1", "6") else "false"


MOVES = st.lists(
    st.one_of(
        st.tuples(
            st.just("finding"), st.integers(0, 3), st.sampled_from(["Unhealthy", "Healthy", "NotApplicable", "gone"])
        ),
        st.tuples(st.just("person"), st.integers(0, 9), st.sampled_from(["6", "7", "8"])),
        st.tuples(st.just("run"), st.integers(0, 4), st.just("")),
    ),
    max_size=30,
)


@given(MOVES)
def test_there_is_one_open_ticket_at_most_and_the_next_run_has_nothing_to_do(
    moves: list[tuple[str, int, str]],
) -> None:
    snapshot = Snapshot({f"vm{n}": "Unhealthy" for n in range(4)})
    for kind, number, what in moves:
        if kind == "finding":
            snapshot.statuses[f"vm{number}"] = what
        elif kind == "person":
            snapshot.person(number, what)
        else:
            snapshot.run(number)
    snapshot.run()
    writes = snapshot.writes
    snapshot.run()
    assert snapshot.writes == writes, "a second run changes nothing"
    for name, status in snapshot.statuses.items():
        key = finding(name)["key"]
        mine = [entry for known, entry in snapshot.tickets.items() if known.startswith(key)]
        is_open = [entry for entry in mine if entry["state"] == "1"]
        ended_by_people = bool(mine) and mine[-1]["correlation_id"] in snapshot.by_people
        assert len(is_open) == (1 if status == "Unhealthy" and not ended_by_people else 0)


# -- next to tickets of others ----------------------------------------------------------------------------------------

THEIRS = {"id": "/x/governanceAssignments/by-a-rule", "ticket_number": 7, "ticket_link": "https://acme.example/7"}


@pytest.mark.parametrize("state", ["1", "6", "7"])
def test_a_ticket_of_another_user_is_kept_next_to_ours(state: str) -> None:
    row = finding(assignment=THEIRS)
    known = [ticket(row, state, "" if state == "1" else OURS)]
    assert brief(wanted(row, known=tuple(known))) == ([(row["key"], "open")] if state == "1" else [])
    assert assignments_for_tickets([], [row], known=known) == []


def test_an_assignment_that_leads_to_our_ticket_is_ours() -> None:
    row = finding()
    known = [ticket(row, "1", sys_id="0" * 32)]
    row["assignment"] = {**THEIRS, "ticket_link": f"https://acme.example/incident.do?sys_id={'0' * 32}"}
    assert len(assignments_for_tickets([], [row], known=known)) == 1


def test_of_a_ticket_to_come_only_the_old_number_is_known_to_go() -> None:
    row = finding()
    (entry,) = wanted(row)
    outcome = {**entry, "status": "changed", "number": "", "sys_id": "", "link": "", "state": "open"}
    (new,) = assignments_for_tickets([outcome], [row])
    assert "ticket_number" not in new
    row["assignment"] = {**THEIRS, "id": "", "ticket_link": "", "ticket_number": None}
    assert "ticket_number" not in assignments_for_tickets([outcome], [row])[0]


# -- what is not believed ---------------------------------------------------------------------------------------------


def left(*rows: Row, known: tuple[Row, ...] = (), **options: Any) -> list[str]:
    plan = tickets_for_recommendations(rows, known, scopes_read=[SUB], group_by=EACH, **options)
    found = plan["problems"]
    assert all(problem["severity"] == "error" for problem in found)
    return [f"{problem['message']}. {problem['remedy']}" for problem in found]


def test_a_subscription_that_lists_nothing_any_more_is_not_believed() -> None:
    known = tuple(ticket(finding(f"vm{number}")) for number in range(3))
    assert wanted(known=known, scopes_read=[SUB]) == []
    (problem,) = left(known=known)
    name = SUB.rpartition("/")[2]
    assert problem.startswith(
        f"subscription {name} has 3 open tickets and lists no recommendation any more; none was resolved"
    )
    assert "Foundational CSPM" in problem
    # With a single recommendation left, of any status, the others are believed to be gone.
    healthy = finding("vm9", "Healthy")
    assert len(wanted(healthy, known=known, scopes_read=[SUB])) == 3
    assert left(healthy, known=known) == []
    # So it is where the operator sets it.
    assert len(wanted(known=known, scopes_read=[SUB], max_resolved="100%")) == 3
    assert left(known=known, max_resolved="100%") == []


def test_a_scope_that_was_not_read_is_no_problem_and_its_findings_are_counted() -> None:
    """It may be that of another run, for another tenant."""
    known = (ticket(finding()), ticket(finding("vm2")), ticket(finding("vm3"), "6", OURS))
    scopes = ["/subscriptions/00000000-0000-0000-0000-0000000000ff"]
    plan = tickets_for_recommendations([], known, scopes_read=scopes)
    assert plan["problems"] == [] and plan["tickets"] == []
    assert plan["counts"]["unread"] == {"findings": 2, "tickets": 2}
    assert tickets_for_recommendations([finding("vm9")], known, scopes_read=[SUB])["counts"]["unread"] == {}


@pytest.mark.parametrize(
    ("limit", "healed", "resolved"),
    [("", 10, 10), ("", 11, 0), ("50%", 20, 20), ("50%", 21, 0), ("3", 4, 0), (3, 3, 3), ("0", 1, 0), ("100%", 40, 40)],
)
def test_no_more_tickets_are_resolved_than_the_limit(limit: Any, healed: int, resolved: int) -> None:
    rows = [finding(f"vm{number}", "Healthy" if number < healed else "Unhealthy") for number in range(40)]
    known = tuple(ticket(row) for row in rows)
    entries = wanted(*rows, known=known, max_resolved=limit)
    assert sum(entry["state"] == "resolved" for entry in entries) == resolved
    assert sum(entry["state"] == "open" for entry in entries) == 40 - healed
    problems = left(*rows, known=known, max_resolved=limit)
    if resolved:
        assert problems == []
    else:
        assert problems[0].startswith(f"{healed} of 40 open tickets would be resolved")
        assert f"mdc_tickets_max_resolved={healed}" in problems[0]


@pytest.mark.parametrize("limit", ["many", "-1", "1.5", "25 percent"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    for call in (wanted, left):
        with pytest.raises(AnsibleFilterError, match="must be a number, or a percentage"):
            call(max_resolved=limit)


def test_times_are_written_as_people_write_them() -> None:
    assert moment("2026-11-29T16:30:08.0724150Z") == "2026-11-29 16:30 UTC"
    assert [moment(each) for each in ("", None, "soon")] == ["", "", "soon"]
