# SPDX-License-Identifier: GPL-3.0-or-later
"""In sync, drift or unproven: the same verdict in summary, drift.json, JUnit and exit status."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks, Run
from tests.integration.tenant import HOST, SimulatedTenant
from tests.integration.test_onboard import APPLICATIONS, USERS, enter_rules
from tests.sandbox.process import SandboxProcess

RANGES = {"mda_protection_ip_ranges": [{"name": "corporate", "subnets": ["192.0.2.0/24"]}]}
POLICY = "policy Activity performed by terminated user"


def drift(playbook: Playbooks, hosts: Any, *words: str, **variables: Any) -> Run:
    """Run the playbook drift with a report; the hardening baseline has tests of its own."""
    directory = str(playbook.folder / "report")
    return playbook(
        "drift",
        hosts,
        *words,
        variables={"drift_report_dir": directory, "drift_include_hardening": False, **variables},
        callbacks=[f"{COLLECTION}.drift"],
        defender=[HOST],
    )


def report(playbook: Playbooks) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((playbook.folder / "report" / "drift.json").read_text())
    return document


def errors(playbook: Playbooks, host: str) -> list[tuple[str | None, str | None]]:
    """Return type and test case of the errors in the JUnit report of a host."""
    suites = ElementTree.parse(playbook.folder / "report" / "drift.xml").getroot().iter("testsuite")
    (suite,) = (each for each in suites if each.get("name") == host)
    return [(case.find("error").get("type"), case.get("name")) for case in suite if case.find("error") is not None]  # type: ignore[union-attr]


def test_what_the_account_may_not_read_is_unproven_and_the_rest_is_compared(
    playbook: Playbooks, instance: Instance
) -> None:
    playbook.onboarded(instance)
    enter_rules(instance)
    closed = ("oauth_entity", "sys_security_acl", "sys_security_acl_role")
    instance.turn(acl={"deny_table": dict.fromkeys(closed, "403")})
    application = f"oauth_application {APPLICATIONS['mda']}"
    run = drift(playbook, instance, "--tags", "snow")
    assert run.status == 2
    assert not any(done.writes for done in run.done)
    lines = run.summary.splitlines()
    assert lines[0] == "1 instance: 1 unproven; tenant: not checked (left out by --tags)"
    assert lines[1].startswith(f"unproven: {instance.name}: ")
    assert f"{application} (the account may not read oauth_entity (" in run.summary
    assert "13 x table_acl (the calling account may not read sys_security_acl" in run.summary
    host = report(playbook)["hosts"][instance.name]
    assert (host["status"], host["drift"], host["manual_steps"]) == ("unproven", [], [])
    assert {entry["object"] for entry in host["unproven"]} >= {application}
    assert report(playbook)["totals"]["unproven"] == 1
    assert ("unproven", application) in errors(playbook, instance.name)
    assert drift(playbook, instance, "--tags", "snow", drift_fail=False).went_well().summary == run.summary

    # Drift is found in addition to what cannot be read.
    instance.change("sys_user", {"user_name": USERS["mda"]}, locked_out="true")
    run = drift(playbook, instance, "--tags", "snow")
    assert run.summary.startswith("1 instance: 1 drift")
    assert f"user {USERS['mda']} (locked_out)" in run.summary
    assert f"{application} (" in run.summary
    assert report(playbook)["hosts"][instance.name]["status"] == "drift"


def test_a_list_of_the_tenant_that_is_refused_is_unproven_and_one_that_fails_is_a_failure(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = SimulatedTenant(sandbox, mda_permissions=[])
    tenant.connector(instance.name, instance.connection["snow_url"])
    playbook.onboarded(instance)
    enter_rules(instance)
    # Without an API token all lists are refused.
    hosts = {instance.name: instance.connection, **tenant.hosts("mda_api_token")}
    run = drift(playbook, hosts, **RANGES)
    assert run.status == 2
    assert "ip_range corporate (" in run.summary
    assert f"unproven: {HOST}: connector {instance.name} (the list of connectors is refused" in run.summary
    assert f"{POLICY} (" in run.summary
    assert run.summary.startswith("1 instance: 1 unproven; tenant: unproven"), "its connector is not known"
    assert "drift: 0 of 1 instance deviate (1 manual step), 1 unproven; tenant: unproven; report:" in run.output
    host = report(playbook)["hosts"][HOST]
    assert host["status"] == report(playbook)["hosts"][instance.name]["status"] == "unproven"
    assert ("unproven", POLICY) in errors(playbook, HOST)
    found = playbook("onboard", hosts, defender=[HOST]).went_well()
    assert f"{POLICY} (" in found.summary

    predicted, written = (
        playbook("onboard", hosts, defender=[HOST], variables=RANGES, check=check) for check in (True, False)
    )
    assert written.status == 2, "what is to be written cannot be"
    message = written.on(HOST, "Fail if the work on this host failed").message
    assert "refused the call" in message
    assert predicted.status == 2
    assert message.endswith(predicted.on(HOST, "Fail if the work on this host failed").message)
    assert predicted.summary.splitlines()[0] == written.summary.splitlines()[0]

    path = "*/cas/api/v1/policies/"
    hosts = {instance.name: instance.connection, **tenant.hosts()}
    sandbox.turn_tenant(faults=[{"kind": "503", "path": path}])
    run = drift(playbook, hosts)
    assert run.status == 2
    assert "tenant: failed" in run.summary
    assert report(playbook)["hosts"][HOST]["status"] == "failed"


def test_a_tenant_group_that_is_misspelt_is_unproven_everywhere(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    playbook.onboarded(instance)
    enter_rules(instance)
    inventory = playbook.folder / "misspelt.yml"
    inventory.write_text(json.dumps({"defendr": {"hosts": {"contoso": {}}}}))
    words = ("-i", str(inventory))
    line = "1 instance: 1 in sync; tenant: unproven (the inventory has no group defender. Did you mean defendr?)"
    run = drift(playbook, instance, *words)
    assert (run.status, run.summary) == (2, line)
    document = report(playbook)
    assert {name: host["status"] for name, host in document["hosts"].items()} == {
        instance.name: "in_sync", "defender": "unproven",
    }  # fmt: skip
    assert errors(playbook, "defender") == [("unproven", "tenant defender")]
    assert drift(playbook, instance, *words, drift_fail=False).went_well().summary == line
    assert playbook("onboard", instance, *words).went_well().summary.endswith(line.partition("; ")[2])


def test_a_tenant_outside_the_limit_or_the_slice_is_not_checked_and_no_failure(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    playbook.onboarded(instance)
    enter_rules(instance)
    hosts = {instance.name: instance.connection, **SimulatedTenant(sandbox).hosts()}
    run = drift(playbook, hosts, "--limit", instance.name).went_well()
    assert run.summary == "1 instance: 1 in sync; tenant: not checked (not selected by --limit)"
    assert set(report(playbook)["hosts"]) == {instance.name}
    inventory = playbook.folder / "slice.yml"
    inventory.write_text(json.dumps({"defender": {"hosts": {}}}))
    run = drift(playbook, instance, "-i", str(inventory)).went_well()
    assert run.summary.count("not checked") == 1
    assert "tenant: not checked (the group defender has no host in this inventory or job slice)" in run.summary


def test_a_secret_that_the_instance_generates_is_named_when_it_is_made(playbook: Playbooks, instance: Instance) -> None:
    tasks = [{"name": "Create", f"{COLLECTION}.snow_oauth_application": {"name": "Reports"}}]
    made = playbook(tasks, instance).went_well()
    (warning,) = made.last["warnings"]
    assert warning.startswith(
        f"{made.last.message.partition(': ')[0]}: oauth_application Reports is created without client_secret"
    )
    assert "warnings" not in playbook(tasks, instance).went_well().last.result
