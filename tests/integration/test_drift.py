# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook drift: every deviation found, nothing changed, a report, and a failed run where that is wanted."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks, Run
from tests.integration.test_onboard import APPLICATIONS, USERS, enter_rules

pytestmark = pytest.mark.walk(4)

CALLBACK = (f"{COLLECTION}.drift",)
APPLICATION = {"name": APPLICATIONS["mda"]}
NAME = f"oauth_application {APPLICATIONS['mda']}"


def connected(playbook: Playbooks, new_instance: NewInstance, count: int) -> list[Instance]:
    """Return instances that are in sync, access rules included."""
    instances = [new_instance() for _number in range(count)]
    playbook.onboarded(*instances)
    for instance in instances:
        enter_rules(instance)
    return instances


def look(playbook: Playbooks, instances: list[Instance], environment: Any = None, **variables: Any) -> Run:
    # The hardening baseline has tests of its own, in test_hardening_playbooks.py.
    variables = {"drift_report_dir": str(playbook.folder / "report"), "drift_include_hardening": False, **variables}
    # Without the tag, a tenant would have to be there.
    options = {"variables": variables, "callbacks": CALLBACK, "environment": environment}
    return playbook("drift", instances, "--tags", "snow", **options)


def report(playbook: Playbooks) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((playbook.folder / "report" / "drift.json").read_text())
    return document


@pytest.mark.always
def test_drift_is_found_reported_and_left_as_it_is(playbook: Playbooks, new_instance: NewInstance) -> None:
    clean, changed, robbed, broken = instances = connected(playbook, new_instance, 4)
    run = look(playbook, instances).went_well()
    assert run.summary.startswith("4 instances: 4 in sync; ")
    assert {host["status"] for host in report(playbook)["hosts"].values()} == {"in_sync"}

    changed.change("oauth_entity", APPLICATION, access_token_lifespan="300", client_secret="other-secret-1")
    user = robbed.row("sys_user", user_name=USERS["mda"])["sys_id"]
    robbed.remove("sys_user_has_role", user=user)
    broken.turn(faults=[{"kind": "hibernating"}])
    before = {each.name: each.content() for each in instances}
    run = look(playbook, instances)
    assert run.status == 2
    assert run.recap[broken.name]["failed"] == 1
    assert "2 hosts are not in sync; see the summary" in run.output
    assert not any(done.writes for done in run.done)
    broken.turn(faults=[])
    assert {each.name: each.content() for each in instances} == before
    lines = run.summary.splitlines()
    assert lines[0].startswith("4 instances: 1 in sync, 2 drift, 1 failed; ")
    assert any(line.startswith(f"failed: {broken.name}: ") for line in lines)
    assert f"drift: {changed.name}: {NAME} (access_token_lifespan), {NAME} (client_secret)" in lines
    assert f"drift: {robbed.name}: user svc_defender_cloud_apps (roles)" in lines
    assert len(lines) == 4

    document = report(playbook)
    assert {host: entry["status"] for host, entry in document["hosts"].items()} == {
        clean.name: "in_sync", changed.name: "drift", robbed.name: "drift", broken.name: "failed",
    }  # fmt: skip
    fields = {entry["field"]: (entry["before"], entry["after"]) for entry in document["hosts"][changed.name]["drift"]}
    assert {str(each) for each in fields["access_token_lifespan"]} == {"300", "3600"}
    assert "*" in fields["client_secret"][0]
    suites = ElementTree.parse(playbook.folder / "report" / "drift.xml").getroot().iter("testsuite")
    assert {suite.get("name") for suite in suites} >= {clean.name, changed.name}
    page = (playbook.folder / "report" / "drift.html").read_text()
    assert changed.name in page
    assert "other-secret-1" not in page

    repaired = playbook("onboard", [changed, robbed]).went_well()
    assert all(numbers["changed"] == 1 for numbers in repaired.recap.values())
    look(playbook, instances).went_well()


def test_a_run_can_report_without_failing(playbook: Playbooks, new_instance: NewInstance) -> None:
    (instance,) = connected(playbook, new_instance, 1)
    instance.change("oauth_entity", APPLICATION, access_token_lifespan="300")
    run = look(playbook, [instance], drift_fail=False).went_well()
    assert f"drift: {instance.name}: oauth_application" in run.summary
    assert report(playbook)["hosts"][instance.name]["status"] == "drift"


def test_a_manual_step_that_is_open_is_drift(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    run = look(playbook, [instance])
    assert run.status == 2
    assert f"drift: {instance.name}: 13 x table_acl" in run.summary
    assert len(report(playbook)["hosts"][instance.name]["manual_steps"]) == 1


def test_an_instance_never_onboarded_drifts_in_everything(playbook: Playbooks, instance: Instance) -> None:
    run = look(playbook, [instance])
    assert run.status == 2
    assert not any(done.writes for done in run.done)
    objects = {entry["object"] for entry in report(playbook)["hosts"][instance.name]["drift"]}
    assert {f"user {USERS['mda']}", f"oauth_application {APPLICATIONS['mda']}"} <= objects
    assert "is created without client_secret" not in run.output, "a comparison creates nothing"


def test_reading_drift_costs_one_batch_and_the_probes(playbook: Playbooks, new_instance: NewInstance) -> None:
    (instance,) = connected(playbook, new_instance, 1)
    instance.forget_requests()
    look(playbook, [instance]).went_well()
    # The password is one probe, the client secret two.
    assert instance.requests() == {
        "POST /api/now/v1/batch": 1,
        "GET /api/now/table/sys_user": 1,
        "POST /oauth_token.do": 2,
    }


def test_equal_findings_of_several_instances_are_one_line(playbook: Playbooks, new_instance: NewInstance) -> None:
    instances = connected(playbook, new_instance, 5)
    for each in instances[:4]:
        each.change("oauth_entity", APPLICATION, access_token_lifespan="300")
    run = look(playbook, instances)
    first, second = instances[0].name, instances[1].name
    assert run.summary.splitlines() == [
        "5 instances: 1 in sync, 4 drift; tenant: not checked (left out by --tags)",
        f"drift: {first}, {second} and 2 more: {NAME} (access_token_lifespan)",
    ]
    assert run.output.count("fatal: ") == 1, "one message for all that are not in sync"
    assert "4 hosts are not in sync; see the summary" in run.output


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_the_summary_comes_once_when_whole_batches_fail(
    playbook: Playbooks, new_instance: NewInstance, strategy: str
) -> None:
    instances = [new_instance(faults=[{"kind": "hibernating"}]) for _number in range(3)]
    run = look(playbook, instances, servicenow_defender_serial=1, environment={"ANSIBLE_STRATEGY": strategy})
    assert run.status == 2
    assert run.summary.startswith("3 instances: 3 failed; ")
    assert all(run.recap[each.name]["failed"] == 1 for each in instances)
    assert "Traceback" not in run.output


def test_only_the_instances_of_the_limit_are_compared(playbook: Playbooks, new_instance: NewInstance) -> None:
    one, other = new_instance(), new_instance()
    run = playbook("drift", [one, other], "--limit", one.name)
    assert run.summary.startswith("1 instance: 1 drift")
    assert not other.requests()


@pytest.mark.parametrize("count", [1, 2], ids=["all", "one"])
def test_an_unreachable_instance_does_not_hide_the_summary(
    playbook: Playbooks, new_instance: NewInstance, count: int
) -> None:
    lost, *others = [new_instance() for _number in range(count)]
    hosts = {lost.name: {**lost.connection, "ansible_connection": "lost"}, **{i.name: i.connection for i in others}}
    run = playbook("drift", hosts)
    assert run.status == 2
    assert run.summary.startswith(f"{count} instance")
    assert "1 unreachable" in run.summary.splitlines()[0]
    assert any(line.startswith(f"unreachable: {lost.name}: ") for line in run.summary.splitlines())
    assert "no route to host" in run.summary
    assert run.recap[lost.name]["failed"] == 1
