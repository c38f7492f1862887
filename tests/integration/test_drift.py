# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook drift: every deviation found, nothing changed, a report, and a failed run where that is wanted."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks, Run
from tests.integration.test_onboard import APPLICATIONS, USERS, closing, enter_rules

CALLBACK = (f"{COLLECTION}.drift",)
APPLICATION = {"name": APPLICATIONS["mda"]}


def connected(playbook: Playbooks, new_instance: NewInstance, count: int) -> list[Instance]:
    """Return instances that are as described, access rules included."""
    instances = [new_instance() for _number in range(count)]
    playbook("onboard", instances).went_well()
    for instance in instances:
        enter_rules(instance)
    return instances


def look(playbook: Playbooks, instances: list[Instance], **variables: Any) -> Run:
    # The hardening baseline has tests of its own, in test_hardening_playbooks.py.
    variables = {"drift_report_dir": str(playbook.folder / "report"), "drift_include_hardening": False, **variables}
    return playbook("drift", instances, variables=variables, callbacks=CALLBACK)


def report(playbook: Playbooks) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((playbook.folder / "report" / "drift.json").read_text())
    return document


def test_deviations_are_found_reported_and_left_as_they_are(playbook: Playbooks, new_instance: NewInstance) -> None:
    clean, changed, robbed, broken = instances = connected(playbook, new_instance, 4)
    run = look(playbook, instances).went_well()
    assert all("; as described" in closing(run, each) for each in instances)
    assert {host["status"] for host in report(playbook)["hosts"].values()} == {"clean"}

    changed.change("oauth_entity", APPLICATION, access_token_lifespan="300", client_secret="other-secret-1")
    user = robbed.row("sys_user", user_name=USERS["mda"])["sys_id"]
    robbed.remove("sys_user_has_role", user=user)
    broken.turn(faults=[{"kind": "hibernating"}])
    before = {each.name: each.content() for each in instances}
    run = look(playbook, instances)
    assert run.status == 2
    assert {host for host, numbers in run.recap.items() if numbers["failed"]} == {
        changed.name, robbed.name, broken.name,
    }  # fmt: skip
    assert not any(done.writes for done in run.done)
    broken.turn(faults=[])
    assert {each.name: each.content() for each in instances} == before
    assert "2 deviations: oauth_application Microsoft Defender for Cloud Apps (access_token_lifespan)" in closing(
        run, changed
    )
    assert "user svc_defender_cloud_apps (roles)" in closing(run, robbed)

    document = report(playbook)
    assert {host: entry["status"] for host, entry in document["hosts"].items()} == {
        clean.name: "clean", changed.name: "drift", robbed.name: "drift", broken.name: "failed",
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
    assert "1 deviation: oauth_application" in closing(run, instance)
    assert report(playbook)["hosts"][instance.name]["status"] == "drift"


def test_a_manual_step_that_is_open_is_drift(playbook: Playbooks, instance: Instance) -> None:
    playbook("onboard", instance).went_well()
    run = look(playbook, [instance])
    assert run.status == 2
    assert "13 deviations: 13 x table_acl" in closing(run, instance)
    assert len(report(playbook)["hosts"][instance.name]["manual_steps"]) == 1


def test_an_instance_never_onboarded_deviates_in_everything(playbook: Playbooks, instance: Instance) -> None:
    run = look(playbook, [instance])
    assert run.status == 2
    assert not any(done.writes for done in run.done)
    objects = {entry["object"] for entry in report(playbook)["hosts"][instance.name]["drift"]}
    assert {f"user {USERS['mda']}", f"oauth_application {APPLICATIONS['mda']}"} <= objects


def test_looking_for_drift_costs_one_batch_and_the_probes(playbook: Playbooks, new_instance: NewInstance) -> None:
    (instance,) = connected(playbook, new_instance, 1)
    instance.forget_requests()
    look(playbook, [instance]).went_well()
    # The password is one probe, the client secret two.
    assert instance.requests() == {
        "POST /api/now/v1/batch": 1,
        "GET /api/now/table/sys_user": 1,
        "POST /oauth_token.do": 2,
    }
