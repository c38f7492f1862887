# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings that share a ticket: what they have in common, how they come and go, and how many tickets one run makes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given, settings
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
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.tickets.existing_tickets import (
    existing_ticket,
    key_of,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.tickets.ticket_list import (
    Listed,
    file_content,
    listed_in,
    section,
    with_section,
)
from tests.unit.plugins.module_utils.microsoft.defender_cloud.assessment_rows import (
    OTHER_SUB,
    SUB,
    assessment,
    machine,
    metadata,
)

Row = dict[str, Any]
OURS = "Resolved by Defender for Cloud: all findings have healed."
STATES = {"open": "1", "resolved": "6", "closed": "7", "canceled": "8"}


def finding(
    name: str = "vm1",
    status: str = "Unhealthy",
    severity: str = "High",
    category: str = "SoftwareUpdate",
    owner: str = "",
    sub: str = SUB,
    **more: Any,
) -> Row:
    """Return a finding as it is since findings are individual: with an assessment of its own."""
    resource = machine(name, sub)
    about = metadata(severity=severity, recommendationCategory=category)["properties"]
    row = recommendation(assessment(resource, name=f"a-{name}", status=status, displayName=f"Update {name}"), about)
    return {**row, "selected": True, "assignment": {"owner": owner} if owner else None, **more}


def plan(*rows: Row, known: Any = (), **options: Any) -> Row:
    found: Row = tickets_for_recommendations(rows, list(known), **{"scopes_read": [SUB], **options})
    return found


@dataclass
class Instance:
    """The tickets of an instance, which does what a plan returns."""

    rows: dict[str, Row] = field(default_factory=dict)
    by_people: set[str] = field(default_factory=set)
    writes: int = 0
    notes: list[str] = field(default_factory=list)

    def run(self, *rows: Row, most: int | None = None, **options: Any) -> Row:
        """Do what the filter returns; `most` entries of it, when the run is killed."""
        found = plan(*rows, known=self.rows.values(), **options)
        for entry in found["tickets"][:most]:
            self._apply(entry)
        return found

    def _apply(self, entry: Row) -> None:
        known = self.rows.get(entry["correlation_id"])
        if known is None:
            assert entry["state"] == "open"
            assert len(entry["description"]) <= 3900
            number = f"INC{len(self.rows) + 1:04}"
            known = {"number": number, "sys_id": number, "active": "true", "close_notes": "", "attachment": None}
            self.rows[entry["correlation_id"]] = {**known, **entry, "state": "1", "attachment": None}
            self._attach(entry)
            self.writes += 1
            return
        state = STATES[entry["state"]]
        if (state == "1") != (known["state"] == "1"):
            assert entry["correlation_id"] not in self.by_people, "what users ended was touched"
            assert state != "1" or entry["reopen"]
            assert not known["close_notes"].startswith("Moved"), "what has moved was reopened"
            known |= {"state": state, "close_notes": entry.get("close_notes", known["close_notes"])}
            self.writes += 1
        if entry.get("description", known["description"]) != known["description"]:
            known["description"] = entry["description"]
            self.writes += 1
        self.notes += [entry["work_note"]] if entry.get("work_note") else []
        self._attach(entry)

    def _attach(self, entry: Row) -> None:
        wanted = entry.get("attachment")
        row = self.rows[entry["correlation_id"]]
        if wanted and (row["attachment"] or {}).get("content") != wanted["content"]:
            row["attachment"] = {"content": wanted["content"]}
            self.writes += 1

    def person(self, number: int, state: str) -> None:
        """A user ends a ticket that is open, or the instance closes one that was resolved."""
        if not self.rows:
            return
        row = list(self.rows.values())[number % len(self.rows)]
        if row["state"] == "1":
            row |= {"state": state, "close_notes": "By hand"}
            self.by_people.add(row["correlation_id"])
        elif row["state"] == "6":
            row["state"] = "7"
        row["active"] = "true" if row["state"] in ("1", "6") else "false"

    def open(self) -> list[Row]:
        return [row for row in self.rows.values() if row["state"] == "1"]

    def holders(self, row: Row) -> list[str]:
        """Return the open tickets that list a finding."""
        return [each["number"] for each in self.open() if row["key"] in (members(each) or ())]


def members(row: Row) -> Mapping[str, Listed] | None:
    return existing_ticket(row, *key_of(row["correlation_id"]), "incident").listed


# -- one ticket for many ----------------------------------------------------------------------------------------------


def test_findings_of_one_category_and_owner_share_a_ticket() -> None:
    rows = [finding(f"vm{n}", owner="a@acme.example" if n % 2 else "B@acme.example") for n in range(6)]
    rows.append(finding("vm7", category="", owner="a@acme.example"))
    instance = Instance()
    counts = instance.run(*rows)["counts"]
    assert (counts["findings"], counts["groups"], counts["new"]) == (7, 3, 3)
    assert sorted(row["short_description"] for row in instance.open()) == [
        "Software update (owner B@acme.example)",
        "Software update (owner a@acme.example)",
        "Virtual machines (owner a@acme.example)",
    ]
    first = next(row for row in instance.open() if "B@" in row["short_description"])
    assert f"Open findings: 3\nHigh: Update vm0 (vm0)\nAssessment: {rows[0]['id']}\n" in first["description"]
    assert set(members(first) or ()) == {rows[n]["key"] for n in (0, 2, 4)}
    writes = instance.writes
    assert all(set(entry) == {"type", "correlation_id", "state"} for entry in instance.run(*rows)["tickets"])
    assert instance.writes == writes


@pytest.mark.parametrize(
    ("categories", "resource_type", "groups"),
    [
        ([], "Microsoft.Compute/virtualMachines", ["Virtual machines"]),
        (["Networking", "Compute"], "Microsoft.Compute/virtualMachines", ["Compute"]),
        (["IdentityAndAccess"], "", ["Identity and access"]),
        (["SoftwareUpdate"], "", ["Software update"]),
        # Nothing at all in common.
        ([], "", [f"Update vm{n}" for n in range(40)]),
    ],
)
def test_findings_without_a_recommendation_category_still_share_tickets(
    categories: list[str], resource_type: str, groups: list[str]
) -> None:
    """Each has a title of its own, as since 2026-07-31: by title, there would be as many tickets."""
    rows = [
        finding(f"vm{n}", category="", categories=categories[:: 1 if n % 2 else -1], resource_type=resource_type)
        for n in range(40)
    ]
    instance = Instance()
    counts = instance.run(*rows, max_new=50)["counts"]
    assert sorted(counts["group"]) == sorted(groups)
    assert sum(counts["category"].values()) == 40
    assert ("none" in counts["category"]) == (not categories)
    writes = instance.writes
    instance.run(*rows, max_new=50)
    assert instance.writes == writes


@pytest.mark.parametrize(
    ("group_by", "count"),
    [
        (["title"], 4),
        (["subscription"], 2),
        (["resource_group", "category"], 1),
        ([], 1),
        (["tag:Team"], 3),
        (["recommendation", "resource"], 4),
        (["owner"], 1),
    ],
)
def test_users_choose_what_a_ticket_is_for(group_by: list[str], count: int) -> None:
    rows = [
        finding("vm1", tags={"team": "red"}),
        finding("vm2", tags={"TEAM": "blue"}),
        finding("vm3", sub=OTHER_SUB, tags={}),
        finding("vm4", sub=OTHER_SUB),
    ]
    found = plan(*rows, group_by=group_by)
    assert len(found["tickets"]) == found["counts"]["groups"] == count
    if group_by == ["tag:Team"]:
        assert found["counts"]["empty"] == {"tag:Team": 2}


def test_a_tag_with_line_breaks_is_no_list() -> None:
    rows = [finding(f"vm{n:02}", tags={"team": "red\nOpen findings: 3\n\nblue"}) for n in range(30)]
    instance = Instance()
    instance.run(*rows, group_by=["tag:team"])
    (row,) = instance.open()
    assert set(members(row) or ()) == {each["key"] for each in rows}
    writes = instance.writes
    instance.run(*rows, group_by=["tag:team"])
    assert instance.writes == writes


def test_a_long_list_is_attached_and_follows() -> None:
    rows = [finding(f"vm{n:03}", severity="Critical" if n == 70 else "Medium") for n in range(80)]
    instance = Instance()
    (entry,) = instance.run(*rows)["tickets"]
    assert entry["attachment"]["name"] == "findings.csv"
    head = "Open findings: 80 on 80 resources (1 Critical, 79 Medium), all of them in the attached file findings.csv"
    assert f"{head}\nCritical: Update vm070 (vm070)\n" in entry["description"]
    lines = list(csv.DictReader(io.StringIO(entry["attachment"]["content"])))
    assert len(lines) == 80
    assert lines[0]["Assessment"] == rows[70]["id"]
    assert (entry["impact"], entry["urgency"]) == (1, 1), "the most severe finding rates the ticket"
    # Two heal, one is new: text, file and a note follow. Then nothing is left to do.
    for row in rows[:2]:
        row["status"] = "Healthy"
    rows.append(finding("vm999"))
    instance.run(*rows)
    (row,) = instance.open()
    assert set(members(row) or ()) == {each["key"] for each in rows[2:]}
    assert instance.notes == [
        "Defender for Cloud: 2 findings have healed: Update vm000 (vm000); Update vm001 (vm001). "
        "1 finding is new: Update vm999 (vm999). 79 findings are open."
    ]
    writes = instance.writes
    instance.run(*rows)
    assert instance.writes == writes
    # A killed run has not attached the file: the next one does.
    row["attachment"] = None
    instance.run(*rows)
    assert set(members(row) or ()) == {each["key"] for each in rows[2:]}
    for each in rows:
        each["status"] = "Healthy"
    instance.run(*rows)
    assert row["state"] == "6"
    assert row["close_notes"] == "Resolved by Defender for Cloud: all findings have healed (79 healthy)."


def test_what_people_write_around_the_list_stays() -> None:
    rows = [finding("vm1"), finding("vm2")]
    instance = Instance()
    instance.run(*rows)
    (row,) = instance.open()
    row["description"] = "Call the vendor first.\n\n" + row["description"] + "\n\nTalk to Security."
    rows[0]["status"] = "Healthy"
    instance.run(*rows)
    assert row["description"].startswith("Call the vendor first.\n\n")
    assert row["description"].endswith("\n\nTalk to Security.")
    assert set(members(row) or ()) == {rows[1]["key"]}
    # Without a list or file, whether its findings have healed is not known, and that is said.
    row["description"] = "Rewritten"
    rows[1]["status"] = "Healthy"
    found = instance.run(*rows)
    assert row["state"] == "1"
    (entry,) = found["unproven"]
    assert entry["object"] == f"incident {row['correlation_id']}"
    assert entry["reason"].startswith("INC0001: its list of findings cannot be read")


def test_a_description_that_was_saved_in_a_form_is_the_same() -> None:
    """Forms store line breaks as carriage return and line feed."""
    rows = [finding("vm1"), finding("vm2")]
    instance = Instance()
    instance.run(*rows)
    (row,) = instance.open()
    row["description"] = f"{row['description']}\n\nTalk to Security.".replace("\n", "\r\n")
    before = instance.writes
    instance.run(*rows)
    assert instance.writes == before
    rows[0]["status"] = "Healthy"
    instance.run(*rows)
    assert row["description"].endswith("\n\nTalk to Security.")
    assert instance.notes == ["Defender for Cloud: 1 finding has healed: Update vm1 (vm1). 1 finding is open."]


@pytest.mark.parametrize("length", [1200, 3000, 3500, 3740])
def test_a_list_is_as_long_as_the_text_of_people_lets_it(length: int) -> None:
    rows = [finding(f"vm{number:02}") for number in range(9)]
    instance = Instance()
    instance.run(rows[0])
    (row,) = instance.open()
    theirs = "Called the vendor. " * (length // 19)
    row["description"] = f"{theirs}\n\n{section([Listed.of(rows[0])])}\n\nTalk to Security."
    most = max(3900, len(row["description"]))
    for _run in range(2):
        before = instance.writes
        instance.run(*rows)
        assert set(members(row) or ()) == {each["key"] for each in rows}
        assert row["description"].startswith(theirs) and row["description"].endswith("\n\nTalk to Security.")
        assert len(row["description"]) <= most
    assert instance.writes == before
    # What heals leaves the list, also if only its file has it.
    rows[8]["status"] = "Healthy"
    instance.run(*rows)
    assert set(members(row) or ()) == {each["key"] for each in rows[:8]}


def test_the_text_of_people_stays_whole_where_the_shortest_list_grows() -> None:
    """The column holds 4000 characters."""
    rows = [finding(f"vm{number:02}") for number in range(10)]
    theirs = f"\n\n{'Called the vendor. ' * 202}"
    head = section([Listed.of(each) for each in rows[:9]], 0)
    text = f"{head}{theirs}{'.' * (3950 - len(head) - len(theirs))}"
    grown = with_section(text, [Listed.of(each) for each in rows])
    assert grown == text.replace("Open findings: 9,", "Open findings: 10,")


def test_a_refreshed_ticket_needs_no_second_run() -> None:
    """What to do is in the description as long as it is the same for all findings."""
    rows = [finding("vm1", remediation="Update it"), finding("vm2", remediation="Remove it")]
    instance = Instance()
    instance.run(rows[0], refresh=True)
    (row,) = instance.open()
    assert "Update it" in row["description"]
    instance.run(*rows, refresh=True)
    assert "Update it" not in row["description"] and set(members(row) or ()) == {each["key"] for each in rows}
    writes = instance.writes
    instance.run(*rows, refresh=True)
    assert instance.writes == writes


def test_people_decide_about_the_findings_that_their_ticket_has() -> None:
    rows = [finding("vm1", changed_at="2026-03-01T00:00:00Z"), finding("vm2", changed_at="2026-03-01T00:00:00Z")]
    instance = Instance()
    instance.run(*rows)
    instance.person(0, "7")
    (row,) = instance.rows.values()
    row["closed_at"] = "2026-03-02 00:00:00"
    assert plan(*rows, known=instance.rows.values())["tickets"] == []
    # A later finding of the group gets the next ticket, and so does one that is unhealthy again after that.
    rows.append(finding("vm3"))
    (entry,) = instance.run(*rows)["tickets"]
    assert entry["correlation_id"] == f"{row['correlation_id']}-2"
    assert "came after INC0001 was closed" in entry["work_note"]
    assert set(members(instance.open()[0]) or ()) == {rows[2]["key"]}
    rows[0]["changed_at"] = "2026-03-03T00:00:00Z"
    instance.run(*rows)
    assert set(members(instance.open()[0]) or ()) == {rows[0]["key"], rows[2]["key"]}


def test_exempt_findings_get_no_ticket_and_leave_theirs() -> None:
    rows = [finding("vm1"), finding("vm2")]
    instance = Instance()
    instance.run(*rows)
    for row in rows:
        row |= {"status": "NotApplicable", "cause": "Exempt", "is_exempt": True}
    instance.run(*rows)
    (row,) = instance.rows.values()
    assert row["close_notes"] == "Resolved by Defender for Cloud: all findings have healed (2 exempt)."
    assert plan(finding("vm3", is_exempt=True))["tickets"] == []


# -- moving -----------------------------------------------------------------------------------------------------------


def test_another_grouping_moves_findings_once() -> None:
    rows = [finding(f"vm{n}", owner="a@b.c") for n in range(4)]
    instance = Instance()
    instance.run(*rows)
    (old,) = instance.open()
    found = instance.run(*rows, group_by=["title"])
    assert found["problems"] == []
    assert all(len(instance.holders(row)) == 1 for row in rows)
    assert old["state"] == "6"
    assert old["close_notes"].startswith(
        "Moved by Defender for Cloud: 4 findings are in another ticket now: the one about Update vm0,"
    )
    writes = instance.writes
    instance.run(*rows, group_by=["title"])
    assert instance.writes == writes
    # Back again: no ticket is reopened, and none has a finding twice.
    instance.run(*rows)
    (new,) = instance.open()
    assert new["correlation_id"] == f"{old['correlation_id']}-2"
    assert old["state"] == "6"


def test_a_finding_with_another_owner_changes_the_ticket() -> None:
    rows = [finding("vm1", owner="a@b.c"), finding("vm2", owner="a@b.c")]
    instance = Instance()
    instance.run(*rows)
    rows[0]["assignment"] = {"owner": "x@y.z"}
    instance.run(*rows)
    assert len(instance.open()) == 2
    assert instance.notes == [
        "Defender for Cloud: 1 finding is in another ticket now: the one about Software update (owner x@y.z). 1 finding is open."
    ]
    assert all(len(instance.holders(row)) == 1 for row in rows)


def test_a_move_waits_for_the_ticket_to_move_to() -> None:
    rows = [finding(f"vm{n}") for n in range(3)]
    instance = Instance()
    instance.run(*rows)
    found = instance.run(*rows, group_by=["title"], max_new=1)
    assert found["counts"]["left"] == {"groups": 2, "findings": 0, "held": 2, "option": "mdc_tickets_max_new=3"}
    assert all(len(instance.holders(row)) == 1 for row in rows)
    assert len(instance.open()) == 2


def test_a_new_ticket_says_which_tickets_its_findings_leave_and_which_do_not_exist_any_more() -> None:
    rows = [finding("vm1"), finding("vm2")]
    instance = Instance()
    instance.run(*rows)
    (old,) = instance.open()
    for row in rows:
        row["assignment"] = {
            "id": "x",
            "ticket_number": 1,
            "ticket_link": f"https://acme.example/?sys_id={'0' * 32}#{old['number']}",
        }
    found = plan(*rows, known=instance.rows.values(), group_by=["title"])
    notes = [entry["work_note"] for entry in found["tickets"] if "short_description" in entry]
    assert notes == [f"Defender for Cloud: these findings were in {old['number']} until now."] * 2


def test_a_list_that_people_removed_is_attached() -> None:
    rows = [finding(f"vm{n}") for n in range(2)]
    instance = Instance()
    instance.run(*rows)
    (known,) = instance.open()
    known["description"] = "Another text"
    (entry,) = plan(*rows, known=[known])["tickets"]
    assert entry["description"] == "Another text"
    assert "work_note" not in entry
    assert listed_in(entry["description"], entry["attachment"]["content"]).keys() == {row["key"] for row in rows}


def test_a_caller_is_for_types_that_have_one() -> None:
    for kind, has in (("incident", True), ("problem", False), ("sc_req_item", False), ("sn_si_incident", True)):
        (entry,) = plan(finding(), caller="jane", type=kind)["tickets"]
        assert ("caller" in entry) == has


# -- limits -----------------------------------------------------------------------------------------------------------


def test_the_most_severe_groups_come_first_and_the_rest_is_counted() -> None:
    severities = ["Low", "Critical", "Medium", "High"]
    rows = [finding(f"vm{n}", severity=severity, category="") for n, severity in enumerate(severities * 3)]
    found = plan(*rows, max_new=4, group_by=["title"])
    assert [entry["description"].count("Critical: ") for entry in found["tickets"]].count(1) == 3
    assert len(found["tickets"]) == 4
    counts = found["counts"]
    assert counts["left"] == {"groups": 8, "findings": 8, "held": 0, "option": "mdc_tickets_max_new=12"}
    assert counts["severity"] == {"Critical": 3, "High": 3, "Medium": 3, "Low": 3}
    assert counts["category"] == {"none": 12}
    assert counts["risk_level"] == {"none": 12}
    assert len(plan(*rows, group_by=["title"])["tickets"]) == 12


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        *((limit, "is .*; it must be a number, such as 50") for limit in ("many", "1.5", "25%")),
        *((limit, "must be between 0 and 1000000, not ") for limit in (-1, "-1", 1_000_001)),
    ],
)
def test_a_limit_of_new_tickets_that_makes_no_sense_is_refused(limit: str, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"mdc_tickets_max_new {words}"):
        plan(max_new=limit)


@pytest.mark.parametrize("key", ["severities", "tag:", "", "owners"])
def test_a_key_that_does_not_exist_is_refused(key: str) -> None:
    with pytest.raises(AnsibleFilterError, match="is no key; they are category, title, recommendation, owner"):
        plan(finding(), group_by=["title", key])


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_one_finding_gets_a_ticket_by_hand_and_keeps_it() -> None:
    rows = [finding("vm1", severity="Low", selected=False), finding("vm2"), finding("vm3", category="", owner="x@y.z")]
    instance = Instance()
    found = instance.run(*rows, finding=rows[0]["id"].upper())
    assert len(found["tickets"]) == 1
    (made,) = instance.open()
    assert made["short_description"] == "Update vm1 (vm1)"
    # Out of the ticket of its group, the rest of which stays as it is.
    instance.run(*rows)
    assert len(instance.open()) == 3
    rows[2]["status"] = "Healthy"
    instance.run(*rows, finding=rows[1]["key"])
    assert sorted(row["state"] for row in instance.rows.values()) == ["1", "1", "1", "6"]
    assert instance.holders(rows[2])
    writes = instance.writes
    instance.run(*rows[:2])
    assert instance.writes == writes + 1, "the ticket of what is gone"
    assert all(len(instance.holders(row)) == 1 for row in rows[:2])
    with pytest.raises(AnsibleFilterError, match="there is no finding nonsense among the 3"):
        plan(*rows, finding="nonsense")
    with pytest.raises(AnsibleFilterError, match="is Healthy, so it needs no ticket"):
        plan(*rows, finding=rows[2]["key"])


# -- routing ----------------------------------------------------------------------------------------------------------

RULES = [
    {"name": "Red", "tags": {"Team": "red"}, "assignment_group": "Red team", "priority": 2},
    {
        "name": "Other",
        "subscriptions": [OTHER_SUB],
        "type": "change_request",
        "priority": 3,
        "change_type": "emergency",
    },
    {"name": "Never", "owners": "nobody@acme.example"},
]


def test_the_first_rule_that_all_findings_match_routes_a_ticket() -> None:
    rows = [
        finding("vm1", tags={"team": "RED"}),
        finding("vm2", sub=OTHER_SUB),
        finding("vm3", category="ExposedSecrets", extra=1),
    ]
    found = plan(*rows, rules=RULES, group_by=["title"], assignment_group="Default", extra_fields={"category": "x"})
    red, other, rest = sorted(found["tickets"], key=lambda entry: str(entry["short_description"]))
    assert (red["assignment_group"], red["impact"], red["urgency"]) == ("Red team", 2, 1)
    assert (other["type"], other["change_type"]) == ("change_request", "emergency")
    assert other["extra_fields"] == {"category": "x", "priority": "3"}
    assert (rest["assignment_group"], rest["cloud_resource"]) == ("Default", machine("vm3"))
    assert [problem["message"] for problem in found["problems"]] == [
        "no ticket has only findings that match Never of mdc_tickets_rules"
    ]
    assert plan(*rows, rules=RULES)["tickets"][0].get("assignment_group") is None


def test_a_standard_change_has_its_list_as_a_file() -> None:
    rows = [finding("vm1"), finding("vm2")]
    instance = Instance()
    change: Row = {"type": "change_request", "template": "Update", "change_type": "emergency"}
    (entry,) = plan(*rows, **change)["tickets"]
    assert "description" not in entry
    assert "change_type" not in entry
    # The template of the instance gives the description.
    row = {**entry, "number": "CHG1", "sys_id": "1", "state": "1", "description": "Of the template", "close_notes": ""}
    instance.rows[entry["correlation_id"]] = row
    rows[0]["status"] = "Healthy"
    (entry,) = instance.run(*rows, **change)["tickets"]
    assert (entry["description"], entry["state"]) == ("Of the template", "open")
    assert set(members(row) or ()) == {rows[1]["key"]}
    # Only change requests have a template.
    assert "template" not in plan(*rows, **{**change, "type": "incident"})["tickets"][0]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"group": "x"}, "rule 1 has group, which is not a key of a rule"),
        ({"name": "A", "priority": 9}, "A: priority is '9'"),
        ("x", "rule 1 is not a dictionary"),
        ({"tags": ["x"]}, "tags must be a dictionary"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        plan(finding(), rules=[rule])


# -- back to assignments ----------------------------------------------------------------------------------------------


def test_each_finding_records_its_ticket() -> None:
    rows = [finding("vm1"), finding("vm2"), finding("vm3")]
    instance = Instance()
    found = instance.run(*rows)

    def recorded(found: Row) -> dict[str, tuple[str, str]]:
        entries = assignments_for_tickets(
            [], rows, known=list(instance.rows.values()), findings=found["findings"], healed=found["healed"]
        )
        return {entry["resource_id"][-3:]: (entry["ticket_number"], entry["ticket_status"]) for entry in entries}

    assert recorded(found) == dict.fromkeys(("vm1", "vm2", "vm3"), ("INC0001", "open"))
    rows[0]["status"] = "Healthy"
    found = instance.run(*rows)
    assert recorded(found) == {"vm1": ("INC0001", "resolved"), **dict.fromkeys(("vm2", "vm3"), ("INC0001", "open"))}
    instance.person(0, "7")
    found = instance.run(*rows)
    assert recorded(found) == dict.fromkeys(("vm2", "vm3"), ("INC0001", "closed"))


def test_tickets_in_a_table_that_was_not_read_are_not_made_again() -> None:
    link = "https://acme.example/nav_to.do?uri=%2Fproblem.do%3Fsys_id%3D1"
    rows = [finding("vm1", assignment={"id": "", "ticket_number": 1, "ticket_link": link}), finding("vm2")]
    found = plan(*rows, unread=["problem"])
    assert [set(found["findings"])] == [{rows[1]["key"]}]


# -- the list ---------------------------------------------------------------------------------------------------------

TEXT = st.text(max_size=40)


@given(st.lists(st.tuples(TEXT, TEXT, st.sampled_from(["Critical", "High", ""])), min_size=1, max_size=40))
def test_any_list_is_read_as_it_was_written(entries: list[tuple[str, str, str]]) -> None:
    rows = [
        finding(f"vm{n}", display_name=title, resource_name=name, severity=severity)
        for n, (title, name, severity) in enumerate(entries)
    ]
    listed = [Listed.of(row) for row in rows]
    text = f"Before\n\n{section(listed)}\n\nAfter"
    found = listed_in(text, file_content(listed))
    assert found is not None
    assert set(found) == {row["key"] for row in rows}


def test_a_spreadsheet_runs_no_formula_of_a_resource_name() -> None:
    text = file_content([Listed.of(finding("vm1", resource_name="=HYPERLINK(1)", display_name="@x"))])
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["Resource"], line["Finding"]) == ("'=HYPERLINK[1]", "'@x")


# -- many runs --------------------------------------------------------------------------------------------------------

GROUPINGS = [["category", "owner"], ["title"], ["recommendation", "resource"], ["resource"]]
MOVES = st.lists(
    st.one_of(
        st.tuples(
            st.just("finding"), st.integers(0, 4), st.sampled_from(["Unhealthy", "Healthy", "NotApplicable", "gone"])
        ),
        st.tuples(st.just("owner"), st.integers(0, 4), st.sampled_from(["", "a@b.c"])),
        st.tuples(st.just("person"), st.integers(0, 9), st.sampled_from(["6", "7", "8"])),
        st.tuples(st.just("grouping"), st.integers(0, 3), st.just("")),
        st.tuples(st.just("run"), st.integers(0, 4), st.just("")),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(MOVES)
def test_each_finding_is_in_one_open_ticket_and_the_next_run_has_nothing_to_do(
    moves: list[tuple[str, int, str]],
) -> None:
    instance = Instance()
    statuses = dict.fromkeys(range(5), "Unhealthy")
    owners = dict.fromkeys(range(5), "")
    group_by = GROUPINGS[0]

    def rows() -> list[Row]:
        known = [finding(f"vm{n}", status, owner=owners[n]) for n, status in statuses.items() if status != "gone"]
        return [*known, finding("healthy", "Healthy")]

    for kind, number, what in moves:
        if kind == "finding":
            statuses[number] = what
        elif kind == "owner":
            owners[number] = what
        elif kind == "person":
            instance.person(number, what)
        elif kind == "grouping":
            group_by = GROUPINGS[number]
        else:
            instance.run(*rows(), most=number, group_by=group_by)
    instance.run(*rows(), group_by=group_by)
    # A run that was killed, followed by another grouping, can leave tickets that the second run ends.
    instance.run(*rows(), group_by=group_by)
    writes = instance.writes
    instance.run(*rows(), group_by=group_by)
    assert instance.writes == writes, "a second run changes nothing"
    for number, status in statuses.items():
        row = finding(f"vm{number}")
        held = instance.holders(row)
        decided = any(
            row["key"] in (members(each) or ())
            for each in instance.rows.values()
            if each["correlation_id"] in instance.by_people
        )
        assert len(held) <= 1
        if status == "Unhealthy":
            assert held or decided
        else:
            assert not held


def test_a_finding_that_a_run_has_exempted_leaves_its_ticket_before_defender_shows_it() -> None:
    rows = [finding("vm1"), finding("vm2"), finding("vm3")]
    instance = Instance()
    instance.run(*rows)
    entries = [{"recommendation": row["name"].upper(), "resource_id": row["resource_id"]} for row in rows]
    entries[2]["resource_id"] = f"/subscriptions/{rows[2]['subscription_id']}"
    for statuses, left in (
        (["changed", "refused", "expired"], 2),
        (["ok", "ok", "changed"], 0),
        (["refused", "refused", "refused"], 3),
    ):
        results = [{"status": status} for status in statuses]
        found = plan(*rows, known=instance.rows.values(), exemptions=entries, exempted=results)
        (entry,) = found["tickets"]
        listed = listed_in(entry.get("description", ""), None) or {}
        assert (entry["state"] == "resolved") == (left == 0)
        assert left in (0, 3) or len(listed) == left
    absent = [{**entry, "state": "absent"} for entry in entries]
    found = plan(*rows, known=instance.rows.values(), exemptions=absent, exempted=[{"status": "changed"}] * 3)
    assert "description" not in found["tickets"][0]


def test_a_category_that_nothing_has_is_named() -> None:
    """Else a misspelt one selects nothing, and all seems to be in sync."""
    rows = [finding("vm1", categories=["Compute"]), finding("vm2", category="ExposedSecrets", categories=["Data"])]
    for known in (["softwareupdate", " Data "], ["SystemUpdate"], []):
        assert plan(*rows, categories=known)["problems"] == [], "documented ones may have no finding"
    (problem,) = plan(*rows, categories=["Softwareupdates", "Compute"])["problems"]
    assert problem["message"] == "no finding that was read has the category Softwareupdates of mdc_tickets_categories"
    assert problem["remedy"].endswith("those that were read have Compute, Data, ExposedSecrets, SoftwareUpdate")
    assert plan(categories=["Softwareupdates"])["problems"] == []
