# SPDX-License-Identifier: GPL-3.0-or-later
"""Recommendations of Defender for Cloud and their governance assignments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.findings import Findings, arm_reads, arm_writes
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, Run, Task, task
from tests.sandbox.process import SandboxProcess

IGNORED = {"ignore_errors": True}
TICKET = {"ticket_number": "INC0010023", "ticket_link": "https://acme.example/INC0010023", "ticket_status": "open"}
NOBODYS = "/subscriptions/00000000-0000-4000-8000-000000000000"


def assign(name: str, *entries: dict[str, Any], **options: Any) -> Task:
    return task("mdc_assignments", name, assignments=list(entries), **options)


def assert_predicted_then_done_then_in_sync(run: Run, name: str) -> None:
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False), name
    assert not arm_writes(predicted)
    assert not arm_writes(again)
    assert real["api_calls"]["write"] == sum(arm_writes(real).values()) > 0
    assert predicted["api_calls"]["write"] == again["api_calls"]["write"] == 0
    for part in ("drift", "diff"):
        assert predicted[part] == real[part], f"{name} does not predict {part}"
    assert again["drift"] == []


# -- recommendations --------------------------------------------------------------------------------------------------


def test_recommendations_are_read_whole_and_alike_in_both_shells(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, subscriptions=3, findings=20, arm_page=7)
    looks = [
        task("mdc_recommendation_info", "all", scopes=tenant.scopes),
        task(
            "mdc_recommendation_info",
            "some",
            scopes=tenant.scopes,
            severities=["critical", "HIGH"],
            filter="source == 'azure'",
        ),
        task("mdc_recommendation_info", "few", limit=3),
        task("mdc_recommendation_info", "whole", status=["Healthy"], include_unselected=True),
    ]
    runs = [tenant.run(playbook, looks, shell=shell).went_well() for shell in SHELLS]
    for here, there in zip(*(run.done for run in runs), strict=True):
        assert {**here.result, "api_calls": 0} == {**there.result, "api_calls": 0}
        assert here.result["api_calls"]["write"] == 0
    run = runs[0]
    found = run["all"]["recommendations"]
    assert len({row["key"] for row in found}) == len(found) == 60
    assert run["all"]["scopes_read"] == tenant.scopes
    assert all(row["severity"] and row["remediation"] and row["resource_name"] for row in found)
    (problem,) = run["all"]["problems"]
    assert problem["id"] == "integration_scope"
    assert "aws-prod" in problem["remedy"] and "gcp-prod" in problem["remedy"]
    assert {row["severity"] for row in run["some"]["recommendations"]} == {"Critical", "High"}
    assert 0 < len(run["some"]["recommendations"]) < 60
    assert len(run["few"]["recommendations"]) == 3
    assert len(run["whole"]["recommendations"]) == len(
        [row for row in tenant.rows("assessments") if row["_id"].startswith(tenant.scopes[0])]
    )
    assert sum(row["selected"] for row in run["whole"]["recommendations"]) == 4
    # Three subscriptions in pages of seven, thirteen kinds of recommendations, once.
    assert sum(arm_reads(run["all"]).values()) == 3 * 4 + 2


def test_resource_graph_gives_the_same_in_one_call(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, subscriptions=3, findings=20)
    given: dict[str, Any] = {"scopes": tenant.scopes, "severities": ["High"], "filter": "source != 'gcp'"}
    looks = [
        task("mdc_recommendation_info", source, source=source, **given) for source in ("assessments", "resource_graph")
    ]
    run = tenant.run(playbook, looks).went_well()
    lists, graph = ({row["key"]: row for row in done["recommendations"]} for done in run.done)
    assert lists == graph != {}
    assert not arm_reads(run["resource_graph"])
    assert run["resource_graph"]["api_calls"] == {"read": 2, "write": 0}, "a token and a query"


def test_bad_scopes_and_filters_are_reported(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox)
    one, other = tenant.scopes
    tenant.sandbox.turn_tenant(azure_roles={other: "none"})
    looks = [
        task("mdc_recommendation_info", "denied", scope=other, more=IGNORED),
        task("mdc_recommendation_info", "unknown", scope=NOBODYS, more=IGNORED),
        task("mdc_recommendation_info", "one denied", scopes=[one, other]),
        task("mdc_recommendation_info", "no scope", scope="acme", more=IGNORED),
        task("mdc_recommendation_info", "no expression", filter="severity =", more=IGNORED),
        task("mdc_recommendation_info", "both", scope=one, scopes=[other], more=IGNORED),
    ]
    run = tenant.run(playbook, looks)
    expected = {
        "denied": "Security Reader is enough",
        "unknown": "Check the subscription's id",
        "no scope": "scope must be /subscriptions/<id>",
        "no expression": "filter is not a valid JMESPath expression",
        "both": "mutually exclusive",
    }
    for name, words in expected.items():
        assert run[name].failed, name
        assert words in run[name].message, name
    assert run["one denied"]["scopes_read"] == [one]
    assert f"scope_refused:{other.rsplit('/', 1)[1]}" in [problem["id"] for problem in run["one denied"]["problems"]]


# -- assignments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_assignments_are_created_and_deleted(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant = Findings(sandbox, findings=10)
    first, second, *_others = ({key: one[key] for key in ("recommendation", "resource_id")} for one in tenant.desired())
    made_by_a_rule = {
        "name": "11111111-2222-4333-8444-555555555555",
        "assessment": second["recommendation"],
        "scope": second["resource_id"],
        "remediationDueDate": "2026-12-31T00:00:00.0000000Z",
        "owner": "owner@example.com",
        "additionalData": {"ticketStatus": "New"},
    }
    tenant.sandbox.tamper_tenant("assignments", made_by_a_rule, insert=True)
    eta = {"eta": "2026-12-01", "eta_justification": "A window is planned"}
    steps = [
        assign("create", {**first, **TICKET, "due_date": "2026-12-31", **eta}, {**second, "ticket_status": "open"}),
        assign(
            "change",
            {**first, "ticket_status": "closed", "grace_period": True},
            {**second, "owner": "other@example.com"},
        ),
        assign("remove", {**first, "state": "absent"}, {**second, "owner": "other@example.com"}),
    ]
    tasks = [each for step in steps for each in predicted_and_done(step)]
    run = tenant.run(playbook, tasks, shell=shell).went_well()
    for step in steps:
        assert_predicted_then_done_then_in_sync(run, step["name"])
    (left,) = tenant.rows("assignments")
    assert left["name"] == made_by_a_rule["name"]
    assert left["properties"]["additionalData"] == {"ticketStatus": "open"}
    assert left["properties"]["remediationDueDate"] == made_by_a_rule["remediationDueDate"]
    (created, changed) = run["create: real"]["results"]
    assert (created["status"], created["ticket_number"], created["ticket_status"]) == ("changed", 10023, "open")
    assert changed["id"] == left["_id"]


def test_many_assignments_take_few_reads_and_the_second_run_only_those(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    tenant = Findings(sandbox, subscriptions=2, findings=120)
    entries = tenant.desired(**TICKET)
    run = tenant.run(playbook, [assign("first", *entries), assign("second", *entries)]).went_well()
    assert len(tenant.rows("assignments")) == len(entries) == 240
    assert sum(arm_writes(run["first"]).values()) == 240
    assert [row["resource_id"] for row in run["first"]["results"]] == [one["resource_id"] for one in entries]
    assert not run["second"].changed
    kinds = {
        (one["recommendation"], one["resource_id"].split("/")[2], "securityconnectors" in one["resource_id"])
        for one in entries
    }
    assert sum(arm_reads(run["second"]).values()) == len(kinds) < 30


def test_links_with_the_default_port_are_followed(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, subscriptions=1, findings=20, arm_page=7, default_port=True)
    looks = [task("mdc_recommendation_info", "all"), task("mdc_recommendation_info", "graph", source="resource_graph")]
    run = tenant.run(playbook, looks).went_well()
    found = {row["key"] for row in run["all"]["recommendations"]}
    assert len(found) == 20
    assert {row["key"] for row in run["graph"]["recommendations"]} == found


def test_throttling_only_takes_time(real_playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """The simulated limit counts seconds of a real clock."""
    tenant = Findings(sandbox, subscriptions=1, findings=24, arm_writes=20)
    run = tenant.run(real_playbook, [assign("throttled", *tenant.desired(**TICKET))]).went_well()
    assert len(tenant.rows("assignments")) == 24
    assert [warning for warning in run["throttled"]["warnings"] if "throttled this task" in warning] == run[
        "throttled"
    ]["warnings"]
    assert "Defender for Cloud" in run.output or "Resource Manager is throttling" in run.output


def test_what_is_refused_is_reported_and_the_rest_is_written(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, findings=6)
    one, other = tenant.scopes
    mine, *_ = (entry for entry in tenant.desired(**TICKET) if entry["resource_id"].startswith(one))
    theirs, *_ = (entry for entry in tenant.desired(**TICKET) if entry["resource_id"].startswith(other))
    gone = {**mine, "resource_id": f"{one}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/gone"}
    large = {**mine, "ticket_number": "INC2147483648"}
    tenant.sandbox.turn_tenant(azure_roles={other: "Security Reader"})
    cases = [
        assign("some", gone, theirs, large, more={"check_mode": True}),
        assign("some for real", gone, theirs, large),
        assign("all", gone, {**theirs, "resource_id": NOBODYS}, more=IGNORED),
        assign("bad number", {**mine, "ticket_link": None}, more=IGNORED),
    ]
    run = tenant.run(playbook, cases)
    assert [outcome["status"] for outcome in run["some"]["results"]] == ["refused", "refused", "changed"]
    expired, denied, written = run["some for real"]["results"]
    assert [outcome["status"] for outcome in (expired, denied, written)] == ["refused", "refused", "changed"]
    assert "the recommendation has expired" in expired["reason"]
    assert "Security Admin, Contributor or Owner" in denied["reason"]
    assert "INC2147483648 is greater than 2147483647" in written["reason"]
    (row,) = tenant.rows("assignments")
    assert row["properties"]["additionalData"] == {"ticketLink": TICKET["ticket_link"], "ticketStatus": "open"}
    assert run["all"].failed
    assert "the recommendation has expired" in run["all"].message
    assert "Check the subscription's id" in run["all"].message
    assert len(run["all"]["results"]) == 2
    assert "requires ticket_link" in run["bad number"].message


def test_without_the_plan_nothing_can_be_assigned(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, plan="Free")
    run = tenant.run(playbook, [assign("no plan", tenant.desired()[0], more=IGNORED)])
    assert run["no plan"].failed
    assert "Switch on Defender CSPM" in run["no plan"].message


# -- with tickets -----------------------------------------------------------------------------------------------------


def test_the_filters_lead_from_findings_to_tickets_and_back(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = Findings(sandbox, subscriptions=1, findings=8)
    keyed = (
        "{{ found.recommendations | secops.servicenow_defender.tickets_for_recommendations([], scopes_read=found.scopes_read, "
        "group_by=['recommendation', 'resource']) }}"
    )
    tickets = "{{ plan.tickets | map('combine', {'number': 'INC0010023', 'link': 'https://acme.example/x'}) }}"
    tasks: list[Task] = [
        task(
            "mdc_recommendation_info",
            "read",
            include_unselected=True,
            filter="severity != 'Low'",
            more={"register": "found"},
        ),
        {"name": "decide", "ansible.builtin.set_fact": {"plan": keyed}},
        {"name": "make", "ansible.builtin.set_fact": {"made": tickets}},
        task(
            "mdc_assignments",
            "back",
            assignments="{{ made | secops.servicenow_defender.assignments_for_tickets(found.recommendations, findings=plan.findings) }}",
        ),
    ]
    run = tenant.run(playbook, tasks).went_well()
    plan = run["decide"]["ansible_facts"]["plan"]
    wanted = plan["tickets"]
    selected = [row for row in run["read"]["recommendations"] if row["selected"]]
    assert set(plan["findings"]) == {row["key"] for row in selected}
    assert set(plan["findings"].values()) == {entry["correlation_id"] for entry in wanted}
    assert 0 < len(wanted) < 8
    assert {row["properties"]["additionalData"]["ticketLink"] for row in tenant.rows("assignments")} == {
        "https://acme.example/x#INC0010023"
    }
    assert len(tenant.rows("assignments")) == len(wanted)
