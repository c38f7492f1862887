# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugins by the commands that users run: fleet files, and what a tenant knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.commands import STARTED_BY, run_command
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks
from tests.integration.tenant import AZURE, SimulatedTenant
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(3)

CACHE = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": ".inventory-cache"}


class Project:
    """A folder in which commands run."""

    def __init__(self, playbook: Playbooks) -> None:
        self.folder = playbook.folder
        self.environment = playbook.base_environment()
        self._run = playbook.commands.run if playbook.commands else run_command

    def write(self, name: str, content: Any) -> None:
        """Write a file; anything but text as YAML."""
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def run(self, *words: str, **environment: str) -> tuple[int, str]:
        """Run a command of Ansible; return its status and what it printed."""
        return self._run([*STARTED_BY, *words], self.folder, {**self.environment, **environment}, 240)

    def inventory(self, source: str, *words: str, **environment: str) -> tuple[dict[str, Any], str]:
        """Return the inventory of a source, and what was printed before it."""
        status, output = self.run("inventory", "-i", source, "--list", *words, **environment)
        assert status == 0, output
        warnings, brace, document = output.partition("{")
        # Warnings are on the error output, before or after.
        found, end = json.JSONDecoder().raw_decode(brace + document)
        return found, " ".join((warnings + (brace + document)[end:]).split())


def secrets_in(folder: Path, access: Mapping[str, Any]) -> list[str]:
    """Return the secrets of a tenant that a folder holds."""
    text = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    return [name for name in ("azure_client_secret", "mda_api_token") if str(access[name]) in text]


def test_every_row_of_a_fleet_file_is_in_the_summary(playbook: Playbooks, instance: Instance) -> None:
    project = Project(playbook)
    project.write("fleet.yml", {"plugin": f"{COLLECTION}.instances", "file": "files/fleet.csv", **CACHE})
    rows = [
        "name;release;services;url",
        f"{instance.name};Zurich;mda;{instance.connection['snow_url']}",
        "acme-x;;mdb;",
    ]
    project.write(
        "files/fleet.csv", "\n".join([*rows, f"{instance.name};Zurich;mda;{instance.connection['snow_url']}"])
    )
    variables = {name: value for name, value in instance.connection.items() if name != "snow_url"}
    project.write("group_vars/servicenow.yml", {"ansible_connection": "local", **variables})
    said = "fleet.csv line 3: acme-x has an unknown service 'mdb'"
    for _cached in (False, True):
        found, warnings = project.inventory("fleet.yml")
        assert sorted(found["servicenow"]["hosts"]) == sorted(["acme-x", instance.name])
        assert found["release_zurich"]["hosts"] == found["service_mda"]["hosts"] == [instance.name]
        assert said in warnings
        assert "fleet.csv line 4: " in warnings
    command = (
        "playbook",
        f"{COLLECTION}.drift",
        "-i",
        "fleet.yml",
        "--tags",
        "snow",
        "-e",
        "drift_include_hardening=false",
    )
    status, output = project.run(*command, ANSIBLE_STDOUT_CALLBACK=f"{COLLECTION}.summary")
    assert status == 2
    lines = output.splitlines()
    assert any(line.startswith("2 instances: ") and ", 1 failed" in line for line in lines), output
    assert any(line.startswith(f"failed: acme-x: {said}") for line in lines)
    # A file that was changed is read in spite of the cache.
    project.write("files/fleet.csv", "name\nacme-only\n")
    found, warnings = project.inventory("fleet.yml")
    assert found["servicenow"]["hosts"] == ["acme-only"]
    assert not warnings
    project.write("files/fleet.csv", "host\nacme-only\n")
    status, output = project.run("inventory", "-i", "fleet.yml", "--list", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1")
    assert status
    assert "fleet.csv line 1: no column name, only host" in " ".join(output.split())


def test_an_option_of_a_source_that_is_not_there_is_named(playbook: Playbooks) -> None:
    project = Project(playbook)
    for plugin, option, meant in (
        ("instances", "group_bye", "group_by"),
        ("defender", "azure_tenant", "azure_tenant_id"),
    ):
        project.write(
            "source.yml", {"plugin": f"{COLLECTION}.{plugin}", "instances": [{"name": "acme-dev"}], option: "x"}
        )
        _status, output = project.run("inventory", "-i", "source.yml", "--list")
        text = " ".join(output.split())
        assert f"source.yml: {option} is not an option of {COLLECTION}.{plugin}. Did you mean {meant}?" in text


def test_what_a_tenant_knows_is_cached_without_secrets(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    project, tenant = Project(playbook), SimulatedTenant(sandbox)
    tenant.connector("acme-prod", "https://acme-prod.service-now.com")
    tenant.connector("{{ 1 + 1 }}", "https://acme-test.service-now.com", state="error", message="Service {{ timeout }}")
    options = {name: tenant.access[name] for name in (*AZURE, "mda_url")}
    token = "{{ lookup('ansible.builtin.env', 'OWN_TOKEN') }}"
    project.write("connected.yml", {"plugin": f"{COLLECTION}.defender", **options, "mda_api_token": token, **CACHE})
    own = {"OWN_TOKEN": tenant.access["mda_api_token"]}
    known = {
        "name": "one",
        "scope": f"/subscriptions/{tenant.access['azure_subscription_id']}",
        "displayName": "acme-prod",
    }
    sandbox.tamper_tenant("integrations", {**known, "integrationType": "ServiceNow"}, insert=True)
    refused, warnings = project.inventory("connected.yml", OWN_TOKEN="wrong")
    assert refused["servicenow"]["hosts"] == ["acme-prod"], "what the other service knows"
    assert "the connectors of Defender for Cloud Apps are missing: listing them was refused" in warnings
    found, warnings = project.inventory("connected.yml", **own)
    assert not warnings
    assert found["service_mda"]["hosts"] == ["acme-prod", "1_1"]
    assert found["service_mdc"]["hosts"] == found["integration_enabled"]["hosts"] == ["acme-prod"]
    assert found["connector_error"]["hosts"] == ["1_1"]
    variables = found["_meta"]["hostvars"]["1_1"]
    assert "{{ 1 + 1 }}" in json.dumps(variables["mda_connection_name"]), "what a tenant returns is not evaluated"
    sandbox.reset_requests("tenant")
    again, _warnings = project.inventory("connected.yml", OWN_TOKEN="wrong")
    assert again == found
    assert not tenant.requests()
    assert secrets_in(project.folder / ".inventory-cache", tenant.access) == []
    assert list((project.folder / ".inventory-cache").iterdir())
    project.write("nothing.yml", {"plugin": f"{COLLECTION}.defender"})
    _status, output = project.run("inventory", "-i", "nothing.yml", "--list")
    assert "neither mda_url nor azure_subscription_id is set" in " ".join(output.split())


def test_a_fleet_file_that_does_not_exist_is_one_sentence(playbook: Playbooks) -> None:
    project = Project(playbook)
    project.write("fleet.yml", {"plugin": f"{COLLECTION}.instances", "file": "nowhere.csv"})
    status, output = project.run(
        "inventory", "-i", "fleet.yml", "--graph", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1"
    )
    assert status, output
    said = " ".join(output.split())
    assert "nowhere.csv does not exist; correct file in " in said
    assert "remote_src" not in said


def test_secrets_in_an_inventory_that_is_a_folder_are_no_hosts(playbook: Playbooks, instance: Instance) -> None:
    """Ansible reads each file in it as an inventory, and would show the secrets."""
    project = Project(playbook)
    project.write("inventory/hosts.yml", {"servicenow": {"hosts": {instance.name: dict(instance.connection)}}})
    for _run in range(2):
        status, output = project.run("playbook", f"{COLLECTION}.onboard", "-i", "inventory")
        assert status == 0, output
    stored = project.folder / "inventory" / ".servicenow_defender_secrets" / instance.name
    secrets = [(stored / name).read_text().strip() for name in ("mda_password", "mda_client_secret")]
    inventory, warnings = project.inventory("inventory")
    assert list(inventory["_meta"]["hostvars"]) == [instance.name]
    assert not [each for each in secrets if each in json.dumps(inventory) + warnings + output]
