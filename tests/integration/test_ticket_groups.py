# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook tickets with findings that share tickets: thousands of individual ones become some that people can work with."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.integration.test_tickets import ITIL, itil, notes_of
from tests.integration.ticket_sync import EVERY, noted, ours, settled, turn, unhealthy
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(1)

GROUPED = {"mdc_tickets_group_by": ["category", "owner"], "mdc_tickets_max_new": 50, "mdc_tickets_severities": EVERY}
MACHINES = "contains(resource_id, '/virtualMachines/')"


def grouped(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, variables: Any = None, **knobs: Any
) -> Defender:
    """Return a tenant whose findings have a recommendation each, and share tickets."""
    known = {**GROUPED, **(variables or {})}
    return Defender(playbook, sandbox, instance, variables=known, **{"subscriptions": 1, "individual": True, **knobs})


def files_of(instance: Instance, ticket: dict[str, str]) -> list[dict[str, str]]:
    return [row for row in instance.rows("sys_attachment") if row.get("table_sys_id") == ticket["sys_id"]]


def listed_in(instance: Instance, ticket: dict[str, str]) -> set[str]:
    """Return the assessments that a ticket lists, in its file or else in its text."""
    files = files_of(instance, ticket)
    if not files:
        return {
            line.partition(": ")[2] for line in ticket["description"].splitlines() if line.startswith("Assessment: ")
        }
    (file,) = files
    (part,) = instance.rows("sys_attachment_doc", sys_attachment=file["sys_id"])
    content = base64.b64decode(part["data"]).decode()
    return {row["Assessment"] for row in csv.DictReader(io.StringIO(content))}


def open_tickets(instance: Instance) -> list[dict[str, str]]:
    return [row for row in ours(instance) if row["state"] in ("1", "2")]


def assert_each_in_one(instance: Instance, wanted: list[dict[str, Any]]) -> None:
    """Check that each of `wanted` and nothing else is in one open ticket."""
    found = [each for ticket in open_tickets(instance) for each in listed_in(instance, ticket)]
    assert sorted(found) == sorted(row["_id"] for row in wanted)


def test_three_thousand_findings_become_fifty_tickets(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    each = {"mdc_tickets_write_back": False, "mdc_tickets_group_by": ["recommendation"]}
    tenant = grouped(playbook, sandbox, instance, each, findings=3000)
    assert len({row["name"] for row in unhealthy(tenant, EVERY)}) > 2900
    tenant.forget_requests()
    first = tenant("tickets", check=True).went_well()
    assert not tenant.written()
    assert "3000 findings in " in first.summary
    for label in ("severity", "category", "risk level", "group"):
        assert f"- by {label}: " in first.summary
    assert " get no ticket in this run; mdc_tickets_max_new=" in first.summary
    tenant.forget_requests()
    tenant("tickets").went_well()
    assert len(ours(instance)) == 50
    assert sum(instance.requests().values()) <= 40
    severities = [ticket["impact"] for ticket in ours(instance)]
    assert severities == sorted(severities), "the most severe ones first"
    # The next run makes the next ones; one that has nothing to make writes nothing.
    tenant.variables["mdc_tickets_max_new"] = 0
    tenant.forget_requests()
    run = tenant("tickets").went_well()
    assert not tenant.written()
    assert not drift_of(run)


def test_a_ticket_follows_its_findings(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> None:
    tenant = grouped(playbook, sandbox, instance, {"mdc_tickets_filter": MACHINES}, findings=180, exempt=9)
    findings = [row for row in unhealthy(tenant, EVERY) if "/virtualMachines/" in row["_id"]]
    _predicted, real, _again = tenant.predicted_and_done("tickets")
    assert_each_in_one(instance, findings)
    tickets = open_tickets(instance)
    assert {ticket["short_description"] for ticket in tickets} <= {
        "Software update", "System update", "Host misconfigurations", "Exposed secrets",
    }  # fmt: skip
    for ticket in tickets:
        assert f"- {ticket['number']} created: {ticket['short_description']} http" in real.summary
    with_file = [ticket for ticket in tickets if files_of(instance, ticket)]
    assert with_file
    assert {noted(tenant, row)["ticketStatus"] for row in findings} == {"open"}

    # Two findings of a long list heal: text, file and a note follow.
    ticket = with_file[0]
    first, second = (row for row in findings if row["_id"] in sorted(listed_in(instance, ticket))[:2])
    for row in (first, second):
        turn(tenant, row, "Healthy")
    _predicted, real, _again = tenant.predicted_and_done("tickets")
    left = [row for row in findings if row not in (first, second)]
    assert_each_in_one(instance, left)
    note = next(each for each in notes_of(instance, ticket) if "have healed" in each)
    assert note.startswith("Defender for Cloud: 2 findings have healed: ")
    assert noted(tenant, first)["ticketStatus"] == "resolved"
    assert f"- {ticket['number']} updated: " in real.summary

    # Another grouping moves them all, with nothing twice and nothing reopened.
    tenant.variables |= {"mdc_tickets_group_by": ["resource_group"], "mdc_tickets_max_resolved": "0"}
    tenant.predicted_and_done("tickets")
    assert_each_in_one(instance, left)
    assert all(row["state"] == "6" for row in ours(instance) if row["number"] in {each["number"] for each in tickets})

    # One finding by hand; the rest stays.
    finding = left[0]
    before = {row["number"] for row in ours(instance)}
    tenant("tickets", variables={"mdc_tickets_finding": finding["_id"]}).went_well()
    (made,) = [row for row in ours(instance) if row["number"] not in before]
    assert listed_in(instance, made) == {finding["_id"]}
    assert_each_in_one(instance, left)

    # When all have healed, no ticket is open.
    tenant.variables["mdc_tickets_max_resolved"] = "100%"
    for row in left:
        turn(tenant, row, "Healthy")
    tenant("tickets").went_well()
    assert not open_tickets(instance)
    settled(tenant)


def test_what_cannot_be_done_is_named_and_the_rest_is_done(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    """A tag that resources lack, a rule for nothing, a table that the account may not read."""
    instance = new_instance(users=ITIL, plugins={"com.snc.security_incident": True})
    (instance.connection,) = itil(instance).values()
    instance.add("sn_si_incident", short_description="x", correlation_display="Microsoft Defender for Cloud")
    rules = [
        {"name": "Unmatched", "owners": ["nobody@acme.example"]},
        {"name": "Red", "tags": {"Team": "red"}, "type": "sn_si_incident"},
        {"name": "Blue", "tags": {"team": "blue"}, "assignment_group": "Security Operations", "priority": 4},
    ]
    variables = {"mdc_tickets_write_back": False, "mdc_tickets_group_by": ["tag:team"], "mdc_tickets_rules": rules}
    tags = {"Team": ["red", "", "blue"]}
    tenant = grouped(playbook, sandbox, instance, variables, findings=30, resource_tags=tags, azure_role="Owner")
    run = tenant("tickets")
    found = {row["short_description"]: row for row in ours(instance)}
    assert set(found) == {"Findings of Defender for Cloud", "Findings of Defender for Cloud (team blue)"}, run.summary
    blue = found["Findings of Defender for Cloud (team blue)"]
    assert blue["assignment_group"] == instance.row("sys_user_group", name="Security Operations")["sys_id"]
    assert (blue["impact"], blue["urgency"], blue["priority"]) == ("2", "3", "4")
    assert "- without a value to group by: " in run.summary
    assert "no ticket has only findings that match Unmatched of mdc_tickets_rules" in run.summary
    assert "the account may not read sn_si_incident: 1 tickets there are hidden from it" in run.summary
    assert "sn_si_incident mdc-" in run.output


def test_findings_whose_tags_may_not_be_read_stay_in_their_tickets(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    """The roles of security do not include reading resources; Resource Graph leaves them out without a word."""
    variables = {"mdc_tickets_write_back": False, "mdc_tickets_group_by": ["tag:team"]}
    tags = {"Team": ["red", "blue"]}
    tenant = grouped(playbook, sandbox, instance, variables, findings=30, resource_tags=tags, azure_role="Owner")
    # As `-e mdc_tickets_group_by=tag:team` does.
    tenant("tickets", variables={"mdc_tickets_group_by": "tag:team"}).went_well()
    assert len(open_tickets(instance)) > 1
    sandbox.turn_tenant(azure_role="Security Admin")
    tenant.forget_requests()
    run = tenant("tickets")
    assert run.status == 2
    name = tenant.subscription.rpartition("/")[2]
    assert f"the tags of the resources of subscription {name} could not be read" in run.summary
    assert "Give the identity Reader on the subscription" in run.summary
    assert not tenant.written()
    sandbox.turn_tenant(azure_role="Owner")
    settled(tenant)
