# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook tickets next to the vendor's integration, and what keeps it from working."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.findings import arm_writes
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.integration.tenant import HOST
from tests.integration.test_tickets import ITIL, itil, notes_of
from tests.integration.ticket_sync import (
    BACK,
    FOREIGN,
    Row,
    assert_each_once,
    noted,
    ours,
    settled,
    ticket_of,
    tickets_of,
    turn,
    unhealthy,
)
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(4)

# -- next to the vendor's integration ---------------------------------------------------------------------------------


def hold(tenant: Defender, finding: Row) -> None:
    """Assign a finding with a ticket of another user."""
    held = {"ticketNumber": 4711, "ticketLink": FOREIGN, "ticketStatus": "New"}
    where = {"name": "0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33", "scope": finding["scope"], "assessment": finding["name"]}
    due = {"remediationDueDate": "2027-01-01T00:00:00Z"}
    tenant.sandbox.tamper_tenant("assignments", {**where, **due, "additionalData": held}, insert=True)


@pytest.mark.always
def test_a_ticket_of_another_user_is_left_alone(tenant: Defender, instance: Instance) -> None:
    theirs, *others = unhealthy(tenant)
    hold(tenant, theirs)
    before = noted(tenant, theirs)
    tenant.predicted_and_done("tickets")
    assert not tickets_of(instance, theirs)
    assert noted(tenant, theirs) == before
    assert all(tickets_of(instance, finding) for finding in others)
    turn(tenant, theirs, "Healthy")
    settled(tenant)


def test_a_later_ticket_of_another_user_is_not_overwritten(tenant: Defender, instance: Instance) -> None:
    tenant("tickets", variables={"mdc_tickets_write_back": False}).went_well()
    theirs, *others = unhealthy(tenant)
    hold(tenant, theirs)
    before = noted(tenant, theirs)
    tenant("tickets").went_well()
    assert noted(tenant, theirs) == before
    assert all(noted(tenant, finding)["ticketStatus"] == "open" for finding in others)
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
    tenant.predicted_and_done("tickets")
    assert not any(tickets_of(instance, finding) for finding in critical)
    assert {finding["_id"]: noted(tenant, finding) for finding in critical} == before
    high = unhealthy(tenant, severity=["High"])
    assert high
    assert all(len(tickets_of(instance, finding)) == 1 for finding in high)


# -- what can go wrong ------------------------------------------------------------------------------------------------


def test_without_writing_back_the_tenant_is_only_read(tenant: Defender, instance: Instance) -> None:
    quiet = {"mdc_tickets_write_back": False}
    tenant.predicted_and_done("tickets", variables=quiet)
    assert len(ours(instance)) == len(unhealthy(tenant))
    assert not tenant.rows("assignments")
    before = ours(instance)
    tenant.predicted_and_done("tickets")
    assert ours(instance) == before
    assert_each_once(tenant, instance, unhealthy(tenant))


def test_what_the_plan_forbids_is_done_once_it_is_on(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, plan="Free")
    foreseen = tenant("tickets", check=True)
    assert foreseen.status == 2
    assert "Defender CSPM (CloudPosture) is off on subscription" in foreseen.summary
    assert not tenant.written()
    run = tenant("tickets")
    assert run.status == 2
    (failed,) = run.failures
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


def test_a_number_that_an_assignment_cannot_hold_is_in_its_link(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    beyond = {"incident": {"prefix": "SEC-", "digits": 10, "first": 3000000000}}
    instance = new_instance(tickets={"numbering": beyond})
    tenant = Defender(playbook, sandbox, instance, subscriptions=1)
    _predicted, real, _again = tenant.predicted_and_done("tickets")
    assert "assignments cannot store the ticket's number" in real.output
    for finding in unhealthy(tenant):
        reported, row = noted(tenant, finding), ticket_of(instance, finding)
        assert "ticketNumber" not in reported
        assert reported["ticketLink"].endswith(f"#{row['number']}")
    # Deleted, it is known by its link.
    finding = unhealthy(tenant)[0]
    before = ticket_of(instance, finding)
    instance.remove("incident", sys_id=before["sys_id"])
    tenant("tickets").went_well()
    (note,) = notes_of(instance, ticket_of(instance, finding))
    assert f"the former ticket of this recommendation, {before['number']}, no longer exists" in note
    settled(tenant)


def test_an_account_with_the_role_itil_is_enough(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    instance = new_instance(users=ITIL)
    (instance.connection,) = itil(instance).values()
    tenant = Defender(playbook, sandbox, instance, subscriptions=1)
    tenant.predicted_and_done("tickets")
    assert_each_once(tenant, instance, unhealthy(tenant))
    finding = unhealthy(tenant)[0]
    turn(tenant, finding, "Healthy")
    tenant.predicted_and_done("tickets")
    assert ticket_of(instance, finding)["state"] == "6"


# What is wrong -> knobs of the tenant, variables of the run, and what is reported.
BAD: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "filter": ({}, {"mdc_tickets_filter": "source =="}, ("filter",)),
    "severity": ({}, {"mdc_tickets_severities": ["Severe"]}, ("Severe", "Critical, High, Medium, Low")),
    "type": ({}, {"mdc_tickets_type": "task"}, ("incident, problem, change_request",)),
    "scope": ({}, {"mdc_tickets_scopes": ["/subscriptions/00000000-0000-4000-8000-000000000000"]}, ("SubscriptionNotFound",)),
    "group": ({}, {"mdc_tickets_assignment_group": "Unknown group"}, ("Unknown group",)),
    # Of tickets that are all wrong; test_tickets_left_out has some that are right.
    "choice": ({}, {"mdc_tickets_ratings": dict.fromkeys(("Critical", "High"), {"impact": 9})}, ("impact", "9")),
    "instance": (
        {},
        {"mdc_tickets_instance": "acme-nowhere"},
        ("mdc_tickets_instance is acme-nowhere, which is not an inventory host", "group servicenow"),
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
    (failed,) = run.failures
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
    name = other.rpartition("/")[2]
    assert run.summary.startswith("tenant: failed\n")
    assert f"failed: {HOST}: tickets left unchanged: subscription {name} could not be read" in run.summary
    assert "AuthorizationFailed" in run.summary
    assert {row["number"]: row["state"] for row in ours(instance)} == states
    assert not any(arm_writes(done) for done in run.done)
    # So does one that is not asked for any more, which is no failure.
    sandbox.turn_tenant(azure_roles={})
    run = tenant("tickets", variables={"mdc_tickets_scopes": [one]}).went_well()
    count = sum(f"Assessment: {other}" in row["description"] for row in ours(instance))
    assert (
        f"{HOST}: {count} findings in {count} open tickets are in no scope that was read (mdc_tickets_scopes)"
        in run.summary
    )
    assert {row["number"]: row["state"] for row in ours(instance)} == states


def test_a_subscription_that_lists_nothing_any_more_keeps_its_tickets(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=1)
    tenant("tickets").went_well()
    states = {row["number"]: row["state"] for row in ours(instance)}
    for row in tenant.rows("assessments"):
        sandbox.tamper_tenant("assessments", match={"_id": row["_id"]}, delete=True)
    run = tenant("tickets")
    assert run.status == 2
    name = tenant.subscription.rpartition("/")[2]
    assert f"tickets left unchanged: subscription {name} has " in run.summary
    assert {row["number"]: row["state"] for row in ours(instance)} == states


def test_a_subscription_below_a_management_group_that_lists_nothing_any_more_keeps_its_tickets(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=2)
    group = f"/providers/Microsoft.Management/managementGroups/{tenant.access['azure_management_group_id']}"
    tenant.variables["mdc_tickets_scopes"] = [group]
    tenant("tickets").went_well()
    states = {row["number"]: row["state"] for row in ours(instance)}
    name = tenant.scopes[1].rpartition("/")[2]
    sandbox.turn_tenant(emptied=[name])
    run = tenant("tickets")
    assert run.status == 2
    assert f"tickets left unchanged: subscription {name} has " in run.summary
    assert {row["number"]: row["state"] for row in ours(instance)} == states


def test_a_run_that_would_resolve_too_much_resolves_nothing(tenant: Defender, instance: Instance) -> None:
    tenant("tickets").went_well()
    first, second, *_others = unhealthy(tenant)
    for finding in (first, second):
        turn(tenant, finding, "Healthy")
    run = tenant("tickets", variables={"mdc_tickets_max_resolved": 1})
    assert run.status == 2
    assert "2 of " in run.summary
    assert "mdc_tickets_max_resolved=2" in run.summary
    assert ticket_of(instance, first)["state"] == "1"
    tenant("tickets", variables={"mdc_tickets_max_resolved": 2}).went_well()
    assert [ticket_of(instance, finding)["state"] for finding in (first, second)] == ["6", "6"]
