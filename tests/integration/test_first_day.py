# SPDX-License-Identifier: GPL-3.0-or-later
"""The first ten minutes of README, what the playbooks init and doctor do besides, and how little the callback summary prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, ROOT, Playbooks, task
from tests.integration.printed import CONSOLE, TEXT, YAML, Reader, blocks_of
from tests.integration.tenant import AZURE, HOST, SimulatedTenant
from tests.integration.test_inventory_plugins import Project
from tests.integration.test_onboard import enter_rules
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(2)

SUMMARY = {"ANSIBLE_STDOUT_CALLBACK": f"{COLLECTION}.summary"}
# A warning about this inventory has seven of them.
MAX_LINES = 15


def status_of(output: str) -> int:
    return int(output.rpartition(" ")[2])


def files_of(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.always
def test_the_first_ten_minutes_of_readme(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    instance = Instance(sandbox, sandbox.new_instance("acme-dev"))
    section = (ROOT / "README.md").read_text().split("## The first ten minutes\n")[1].split("\n## ")[0]
    (playbook.folder / "README.md").write_text(section)
    reader = Reader(playbook, playbook.folder, {})
    # The only thing that a reader has and a simulated instance has not: an address of its own.
    reader.write("acme/host_vars/acme-dev.yml", yaml.safe_dump({"snow_url": instance.connection["snow_url"]}))
    try:
        for block in blocks_of(playbook.folder / "README.md"):
            if block.kind == CONSOLE:
                for command in block.commands():
                    if ".drift" in command:
                        enter_rules(instance)
                    reader.run(command)
                    if command.startswith("export"):
                        reader.environment["SN_PASSWORD"] = instance.access.password
            elif block.kind == YAML:
                assert block.text == (reader.folder / "inventory.yml").read_text()
            elif block.kind == TEXT:
                assert reader.has_shown(block), (block.text, *reader.outputs)
        for command, output in reader.typed:
            assert status_of(output) == 0, f"$ {command}\n{output}"
            assert instance.access.password not in output
    finally:
        sandbox.remove("acme-dev")


def test_init_keeps_what_exists_and_check_mode_shows_what_would_be_written(playbook: Playbooks) -> None:
    project = Project(playbook)
    answers = (
        "-e",
        "init_dir=own",
        "-e",
        "init_instances=acme-dev",
        "-e",
        "init_username=me",
        "-e",
        "init_tenant_url=https://acme.example",
    )
    command = ("playbook", f"{COLLECTION}.init", *answers)
    status, output = project.run(*command, "--check", "--diff")
    assert status == 0, output
    assert "+    snow_username: me" in output
    assert (
        "would be written: inventory.yml, group_vars/servicenow/vault.yml, group_vars/defender/vault.yml, ansible.cfg, .gitignore"
        in output
    )
    assert not (project.folder / "own").exists()
    project.write("own/ansible.cfg", "[defaults]\nforks = 7\n")
    status, output = project.run(*command)
    assert status == 0, output
    written = files_of(project.folder / "own")
    assert written["ansible.cfg"] == "[defaults]\nforks = 7\n"
    assert "kept: ansible.cfg" in output
    assert len(written) == 5
    status, output = project.run(*command, *answers[:6], "-e", "init_username=other")
    assert (status, files_of(project.folder / "own")) == (0, written)
    assert "changed=0" in output
    status, output = project.run(
        "playbook", f"{COLLECTION}.init", *answers[:2], "-e", "init_instances=bad!", *answers[4:]
    )
    assert status == 2
    assert "which is neither a name of an instance nor a URL" in " ".join(output.split())


def doctor(project: Project, *words: str, **environment: str) -> tuple[int, str]:
    return project.run("playbook", f"{COLLECTION}.doctor", "-i", "inventory.yml", *words, **SUMMARY, **environment)


def test_doctor_reads_both_sides_as_far_as_it_can(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, tmp_path: Path
) -> None:
    project, tenant, instances = Project(playbook), SimulatedTenant(sandbox), [new_instance() for _number in range(2)]
    hosts: dict[str, dict[str, Any]] = {each.name: dict(each.connection) for each in instances}
    good, bad = (each.name for each in instances)
    hosts[bad]["snow_password"] = "wrong-password-1"
    common = {
        "ansible_connection": "local",
        "servicenow_defender_services": ["mda", "mdc", "msem"],
        "mdc_itsm_rule": [],
    }
    of_tenant = {name: tenant.access[name] for name in (*AZURE, "mda_url", "mda_api_token")}
    tenant.connector(f"ServiceNow {good}", instances[0].connection["snow_url"])
    hosts[good]["mda_connection_name"] = "ServiceNow {{ inventory_hostname }}"
    inventory = {
        "servicenow": {"hosts": hosts, "vars": {**common, "mdc_configuration_compliance_client_id": "0b8f8a3e"}},
        "defender": {"hosts": {HOST: {"ansible_connection": "local", **of_tenant, "mdc_itsm_rule": []}}},
    }
    project.write("inventory.yml", inventory)
    before = {each.name: each.content() for each in instances}
    report = {
        "ANSIBLE_CALLBACKS_ENABLED": f"{COLLECTION}.drift",
        "SERVICENOW_DEFENDER_REPORT_DIR": str(tmp_path / "report"),
    }
    status, output = doctor(project, **report)
    assert status == 2, output
    lines = output.splitlines()
    assert "mdc_itsm_rule is not a variable of this collection. Did you mean mdc_itsm_rules?" in output
    assert "instances: 1 of 2 answered" in lines
    assert any(line.startswith(f"- error: {bad}: snow_instance_info: ") and "401" in line for line in lines)
    assert "- Defender for Cloud Apps: 1 connector" in lines
    assert any("onboard does so" in line and line.startswith("- warning: Defender CSPM") for line in lines)
    trusts = lines[lines.index("trusts:") + 1 :]
    for start in ("Defender for Cloud ->", "Defender for Cloud Apps ->", "Exposure Management ->"):
        assert any(line.startswith(f"- {start} {good}: signs in as svc_") for line in trusts), output
    assert "; connector connected" in next(line for line in trusts if line.startswith("- Defender for Cloud Apps ->"))
    assert any(
        line.startswith(f"- {good} -> Defender for Cloud (Configuration Compliance): application unproven")
        for line in trusts
    )
    assert any(line.startswith("next: correct the errors above, then ") for line in lines)
    assert not tenant.writes()
    assert {each.name: each.content() for each in instances} == before
    assert not (tmp_path / "report").exists(), "what compares nothing is no report"
    for secret in ("wrong-password-1", of_tenant["azure_client_secret"], of_tenant["mda_api_token"]):
        assert secret not in output
    status, output = doctor(project, "--limit", good)
    assert "instances: 1 of 1 answered" in output.splitlines(), "localhost is not in the limit"
    project.write("inventory.yml", {"servicenov": {"hosts": hosts}})
    status, output = doctor(project)
    assert status == 2
    assert "the inventory has no hosts in the group servicenow. Did you mean servicenov?" in output
    assert "next: correct the error" in output


def test_doctor_reads_the_scopes_and_names_that_the_instances_have(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    project, tenant = Project(playbook), SimulatedTenant(sandbox)
    of_tenant = {name: tenant.access[name] for name in (*AZURE, "mda_url", "mda_api_token")}
    second = f"/subscriptions/{tenant.access['azure_subscription_ids'][1]}"
    properties = {"displayName": f"Our {instance.name}", "integrationType": "ServiceNow"}
    sandbox.tamper_tenant("integrations", {"name": "i-1", "scope": second, "properties": properties}, insert=True)
    tenant.connector(f"Our {instance.name}", instance.connection["snow_url"])

    def diagnosed(**variables: Any) -> tuple[int, list[str]]:
        named = {
            "mda_connection_name": "Our {{ inventory_hostname }}",
            "mdc_itsm_display_name": "Our {{ inventory_hostname }}",
        }
        both = {"ansible_connection": "local", "servicenow_defender_services": ["mda", "mdc"], **named, **variables}
        hosts = {instance.name: dict(instance.connection)}
        defender = {"hosts": {HOST: {"ansible_connection": "local", **of_tenant}}}
        project.write("inventory.yml", {"servicenow": {"hosts": hosts, "vars": both}, "defender": defender})
        status, output = doctor(project)
        return status, output.splitlines()

    status, lines = diagnosed(mdc_itsm_scope=second)
    assert "- Defender for Cloud, integrations: 1 integration" in lines
    assert any(line.startswith("- Defender for Cloud ->") and "; integration enabled" in line for line in lines)
    assert any(line.startswith("- Defender for Cloud Apps ->") and "; connector connected" in line for line in lines)
    status, lines = diagnosed(mdc_itsm_scope="{{ nothing }}", mda_connection_name="")
    assert status == 2
    said = f"variable mdc_itsm_scope cannot be evaluated for {instance.name}: 'nothing' is undefined"
    assert f"- error: {said}" in lines, lines
    assert any(line.startswith(f"- error: {instance.name}: mda_connection_name is empty.") for line in lines)


def test_a_run_without_instances_fails_in_one_sentence(playbook: Playbooks, instance: Instance) -> None:
    project = Project(playbook)
    hosts = {instance.name: dict(instance.connection)}
    project.write("inventory.yml", {"servicenov": {"hosts": hosts}})
    project.write("empty.yml", {"all": {}})
    said = "the inventory has no instances in the group servicenow."
    for words in (("drift",), ("onboard", "--limit", instance.name), ("verify", "--tags", "mda")):
        status, output = project.run("playbook", f"{COLLECTION}.{words[0]}", "-i", "inventory.yml", *words[1:])
        assert status == 2, output
        assert f"{said} Did you mean servicenov?" in " ".join(output.split())
    status, output = project.run("playbook", f"{COLLECTION}.drift", "-i", "empty.yml")
    assert status == 2, output
    assert f"{said} Add it, or set servicenow_defender_instances" in " ".join(output.split())


def test_a_run_that_would_leave_out_instances_names_why(playbook: Playbooks, instance: Instance) -> None:
    project, hosts = (
        Project(playbook),
        {instance.name: dict(instance.connection), "servicenow": dict(instance.connection)},
    )
    project.write("hidden.yml", {"servicenow": {"hosts": hosts}})
    status, output = project.run("playbook", f"{COLLECTION}.harden", "-i", "hidden.yml", "--check")
    assert status == 2, output
    assert f"Ansible takes the host alone and leaves out {instance.name}. Rename the host" in " ".join(output.split())
    for value, said in (("{{ nothing }}", "cannot be evaluated: 'nothing' is undefined"), ([], "is empty")):
        hosts["servicenow"] = {**instance.connection, "servicenow_defender_services": value}
        project.write("inventory.yml", {"servicenow": {"hosts": {"other": hosts["servicenow"], instance.name: {}}}})
        for name in ("harden", "verify"):
            status, output = project.run("playbook", f"{COLLECTION}.{name}", "-i", "inventory.yml", "--check")
            assert status == 2, output
            assert f"other: servicenow_defender_services {said}" in " ".join(output.split())
        status, output = doctor(project)
        assert f"- error: other: servicenow_defender_services {said}" in output
    project.write("inventory.yml", {"servicenow": {"hosts": {"other": {**instance.connection}}}})
    status, output = project.run("playbook", f"{COLLECTION}.harden", "-i", "inventory.yml", "--skip-tags", "snwo")
    assert status == 2, output
    assert "snwo is not a tag of this collection. Did you mean snow? Nothing was done" in output, "it would be too much"
    for words in (("--tags", "alwyas"), ("--skip-tags", "always"), ("--skip-tags", "tagged")):
        status, output = project.run("playbook", f"{COLLECTION}.drift", "-i", "inventory.yml", *words)
        assert status != 0 and "Nothing was done" in " ".join(output.split()), output
    for name, variable in {"respond": "respond_protected", "drift": "drift_report_dir"}.items():
        words = ("-e", f"{variable}='{{{{ nothing }}}}'")
        status, output = project.run("playbook", f"{COLLECTION}.{name}", "-i", "inventory.yml", *words)
        assert status == 2, output
        assert f"other: {variable} cannot be evaluated: 'nothing' is undefined" in output, "no default takes its place"
    words = ("-e", "servicenow_defender_change='{{ nothing }}'")
    status, output = project.run("playbook", f"{COLLECTION}.harden", "-i", "inventory.yml", *words)
    assert status == 2, output
    assert (
        "other: servicenow_defender_change cannot be evaluated: 'nothing' is undefined. Nothing was written" in output
    )


def test_a_report_that_no_callback_writes_is_named(playbook: Playbooks, instance: Instance, tmp_path: Path) -> None:
    report = tmp_path / "report"
    wanted = {"drift_report_dir": str(report), "drift_fail": False}
    run = playbook("drift", instance, "--tags", "snow", variables=wanted).went_well()
    assert f"no report in {report}: the callback that writes it is not enabled" in run.output
    assert not report.exists()


def test_the_callback_prints_as_much_for_many_instances_as_for_one(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instances = [new_instance() for _number in range(5)]
    playbook.onboarded(*instances)
    for instance in instances:
        enter_rules(instance)
    run = playbook("onboard", instances, environment=SUMMARY).went_well()
    lines = run.output.splitlines()
    assert "5 instances: 5 in sync, 5 tokens verified; tenant: unproven (the inventory has no group defender)" in lines
    assert len(lines) <= MAX_LINES, run.output
    assert not any(instance.name in run.output for instance in instances)
    broken = {each.name: {**each.connection, "snow_password": "wrong-password-1"} for each in instances}
    failed = playbook("onboard", broken, environment=SUMMARY)
    assert failed.status == 2
    for name in broken:
        # Shortened when it occurs, and in the summary; not a third time by the exit status.
        assert failed.output.count(f"failed: {name}: ") == 2, failed.output
    assert "PLAY RECAP" not in failed.output


def test_the_callback_shows_messages_differences_and_with_verbosity_all(
    playbook: Playbooks, instance: Instance
) -> None:
    tasks = [
        {"name": "Greet", "ansible.builtin.debug": {"msg": "hello {{ item }}"}, "loop": ["one", "two"]},
        task("snow_role", "Make a role", name="x_reader"),
        {"name": "Give up", "ansible.builtin.fail": {"msg": "because " + "of this " * 40}},
    ]
    run = playbook(tasks, instance, check=True, environment=SUMMARY)
    lines = run.output.splitlines()
    assert [line for line in lines if line.startswith("hello")] == ["hello one", "hello two"]
    assert f"{instance.name}: Make a role" in lines
    assert '+        "state": "present"' in run.output
    assert [line.endswith("...") for line in lines if line.startswith(f"failed: {instance.name}: ")] == [True, False]
    assert "TASK [Greet]" in playbook(tasks[:1], instance, "-v", environment=SUMMARY).went_well().output
