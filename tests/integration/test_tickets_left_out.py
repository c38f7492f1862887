# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets that an instance cannot have, exemptions among the variables, and security incidents: named, and the rest is written."""

from __future__ import annotations

import pytest

from tests.integration.alert_sync import EVERYTHING, incident, set_incident, ticket_of
from tests.integration.alert_sync import settled as alerts_settled
from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, task
from tests.integration.test_ticket_types import SIR
from tests.integration.ticket_sync import noted, ours, tickets_of, turn, unhealthy
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(2)


def test_a_rule_that_the_instance_cannot_follow_is_named_and_the_rest_is_written(
    tenant: Defender, instance: Instance
) -> None:
    count = len(unhealthy(tenant))
    for route, words in (
        ({"assignment_group": "No Such Group"}, "sys_user_group has no row with name 'No Such Group'"),
        (
            {"type": "change_request", "template": "No Such"},
            "std_change_record_producer has no row with name 'No Such'",
        ),
        ({"type": "sn_si_incident"}, "cannot read sn_si_incident: "),
    ):
        run = tenant("tickets", variables={"mdc_tickets_rules": [{"categories": ["Compute"], **route}]})
        assert run.status == 2, run.output
        assert words in run.summary
        assert "Nothing was written" not in run.summary
        assert 0 < len(ours(instance)) < count
    tenant("tickets").went_well()
    assert len(ours(instance)) == count


def test_a_ticket_that_cannot_be_resolved_is_named_with_the_reason(tenant: Defender, instance: Instance) -> None:
    tenant("tickets").went_well()
    finding = unhealthy(tenant)[0]
    turn(tenant, finding, "Healthy")
    run = tenant("tickets", variables={"mdc_tickets_close_code": "Nonsense"})
    (row,) = tickets_of(instance, finding)
    assert row["state"] == "1"
    assert f"1 ticket left as it is:\n- {row['number']}: 'Nonsense' is not a valid close_code" in run.summary


def test_a_ticket_that_the_instance_refuses_to_change_keeps_no_other_out_of_its_assignment(
    tenant: Defender, instance: Instance
) -> None:
    tenant("tickets").went_well()
    healed, closed, *_rest = unhealthy(tenant)
    turn(tenant, healed, "Healthy")
    (row,) = tickets_of(instance, healed)
    instance.change("incident", {"sys_id": tickets_of(instance, closed)[0]["sys_id"]}, state="7", active="false")
    instance.turn(acl={"deny_update": ["incident"]})
    run = tenant("tickets")
    assert run.status == 2 and f"refused to change incident {row['correlation_id']}" in run.summary
    assert noted(tenant, closed)["ticketStatus"] == "closed"
    instance.turn(acl={"deny_update": []})
    tenant("tickets").went_well()
    assert tickets_of(instance, healed)[0]["state"] == "6"


def test_exemptions_are_written_and_one_that_has_ended_is_named(tenant: Defender, instance: Instance) -> None:
    one, other, *_rest = unhealthy(tenant)
    entry = {"category": "waiver", "reason": "Replaced soon"}
    listed = [
        {**entry, "recommendation": one["name"], "resource_id": one["scope"], "expires_at": "2099-12-31"},
        {**entry, "recommendation": other["name"], "resource_id": other["scope"], "expires_at": "2020-12-31"},
    ]
    variables = {"mdc_tickets_exemptions": listed}
    predicted, _real, again = tenant.predicted_and_done("tickets", variables=variables)
    assert f"exemption {one['name']} on " in predicted.output
    assert len(tenant.rows("exemptions")) == 1
    assert "it ended at 2020-12-31" in again.summary
    refused = {**entry, "recommendation": one["name"], "resource_id": "vm1", "expires_at": "2099-12-31"}
    run = tenant("tickets", variables={"mdc_tickets_exemptions": [listed[0], refused]})
    assert run.status == 2 and "resource_id must be" in run.summary
    assert tickets_of(instance, other)


def test_security_incidents_for_alerts(playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance) -> None:
    instance = new_instance(plugins=SIR)
    variables = {**EVERYTHING, "defender_alerts_type": "sn_si_incident"}
    alerts = Defender(playbook, sandbox, instance, subscriptions=1, variables=variables)
    alerts.predicted_and_done("alerts")
    assert ticket_of(instance, "28282", "sn_si_incident")["state"] == "10"
    set_incident(alerts, "28282", status="inProgress")
    alerts.predicted_and_done("alerts")
    row = ticket_of(instance, "28282", "sn_si_incident")
    assert row["state"] == "16"
    alerts_settled(alerts)
    instance.change("sn_si_incident", {"sys_id": row["sys_id"]}, state="3", active="false")
    alerts("alerts").went_well()
    assert incident(alerts, "28282")["status"] == "resolved"
    alerts_settled(alerts)
    set_incident(alerts, "28283", status="resolved")
    alerts.predicted_and_done("alerts")
    assert ticket_of(instance, "28283", "sn_si_incident")["state"] == "3"
    # Tickets of another type are known further.
    alerts_settled(alerts, variables={"defender_alerts_type": "incident"})


def test_tickets_that_the_instance_cannot_have_are_left_out(playbook: Playbooks, instance: Instance) -> None:
    good = {"correlation_id": "good", "short_description": "Good"}
    wrong = [
        {"correlation_id": "group", "short_description": "Bad", "assignment_group": "No Such Group"},
        {"correlation_id": "choice", "short_description": "Bad", "impact": "9"},
        {"correlation_id": "table", "short_description": "Bad", "type": "sn_si_incident"},
    ]
    entries = [*wrong, good]
    tasks = [
        {**task("snow_tickets", "predicted", tickets=entries, skip_invalid=True), "check_mode": True},
        task("snow_tickets", "real", tickets=entries, skip_invalid=True),
    ]
    run = playbook(tasks, {instance.name: instance.connection}).went_well()
    for name in ("predicted", "real"):
        rows = run[name]["results"]
        assert [row["status"] for row in rows] == ["refused", "refused", "refused", "changed"]
        assert all("It was left out" in row["reason"] for row in rows[:3])
        assert {entry["object"] for entry in run[name]["drift"]} == {row["object"] for row in rows}
    (row,) = instance.rows("incident", correlation_display="Microsoft Defender for Cloud")
    assert row["correlation_id"] == "good"


def test_a_ticket_that_is_hidden_gets_no_twin(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    """Rules can hide single tickets from the account; the instance counts them."""
    instance = new_instance(acl={"hidden_rows": {"incident": "hold_reason=99"}})
    alerts = Defender(playbook, sandbox, instance, subscriptions=1, variables=EVERYTHING)
    alerts("alerts").went_well()
    row = ticket_of(instance, "28283")
    count = len(instance.rows("incident"))
    instance.change("incident", {"sys_id": row["sys_id"]}, hold_reason="99")
    set_incident(alerts, "28282", status="resolved")
    for check in (True, False, False):
        run = alerts("alerts", check=check)
        assert run.status == 2
        assert f"incident {row['correlation_id']}: the instance has it, and hides it from the account" in run.summary
    assert len(instance.rows("incident")) == count
    assert ticket_of(instance, "28282")["state"] == "6", "the rest continues"
    instance.change("incident", {"sys_id": row["sys_id"]}, hold_reason="")
    alerts_settled(alerts)
    # So it is with findings, also where no assignment names the ticket.
    variables = {"mdc_tickets_write_back": False}
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, variables=variables)
    tenant("tickets").went_well()
    count = len(instance.rows("incident"))
    instance.change("incident", {"correlation_id": ours(instance)[0]["correlation_id"]}, hold_reason="99")
    run = tenant("tickets")
    assert run.status == 2 and "the instance has it, and hides it from the account" in run.summary
    assert len(instance.rows("incident")) == count
