# SPDX-License-Identifier: GPL-3.0-or-later
"""A fresh instance and a fresh tenant: everything is proven after one run of onboard, with contracts without a manual step."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.playbooks import Playbooks, Run
from tests.integration.tenant import HOST, SimulatedTenant, learn, learn_data_connector
from tests.integration.test_exposure_management import ASSET
from tests.integration.update_set_fleet import CICD, add_source
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import MANAGEMENT

pytestmark = pytest.mark.walk(1)

ALL = ["mda", "mdc", "msem"]
AGREED = {"servicenow_defender_accept_costs": True, "drift_include_hardening": False}


class Fresh:
    """An instance whose rules are complete, a fresh one, and a tenant in which nothing is turned on."""

    def __init__(self, playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance) -> None:
        self.playbook, self.sandbox = playbook, sandbox
        self.tenant = SimulatedTenant(sandbox, plan="Free", foundational_plan="Free", provider="Registered")
        self.source, self.instance = new_instance(), new_instance(cicd=CICD)
        self.instance.add("cmdb_ci", name="srv-1")
        add_source(self.instance, self.source)

    def run(self, name: str, **more: Any) -> Run:
        """Run a playbook: the fresh instance has all services, the other one that for which its rules are needed."""
        hosts = {
            self.source.name: {**self.source.connection, "servicenow_defender_services": ["mda"]},
            self.instance.name: {**self.instance.connection, "servicenow_defender_services": ALL},
            **self.tenant.with_session(),
        }
        return self.playbook(name, hosts, defender=[HOST], variables={**AGREED, **more})

    def complete_rules(self) -> None:
        """Do on the source, once for the fleet, what only an administrator can do: import the update set of the rules."""
        file = self.playbook.folder / "rules.xml"
        hosts = {self.source.name: self.source.connection}
        save = {"servicenow_defender_services": ["mda"], "snow_connection_update_set_file": str(file)}
        self.playbook("onboard", hosts, "--tags", "snow", variables=save).went_well()
        assert self.sandbox.import_update_set(self.source.name, file.read_text())["problems"] == []


def test_one_run_and_one_manual_step_prove_all_services(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    learned, contract = learn(playbook, sandbox.base_url, MANAGEMENT)
    learned.went_well()
    fresh = Fresh(playbook, sandbox, new_instance)
    fresh.complete_rules()
    given = {"mda_connection_contract": str(contract), "snow_table_acls_source": fresh.source.name}
    run = fresh.run("onboard", **given).went_well()
    lines = run.summary.splitlines()
    assert [line for line in lines if "manual step" in line] == ["1 manual step:"], run.summary
    # Microsoft documents no API that writes data connectors.
    assert f"- Connect {fresh.instance.name} to Exposure Management ({HOST})" in lines

    # The step, and what follows from it at Microsoft.
    sandbox.tamper_tenant("exposure_nodes", ASSET, insert=True)
    proven = fresh.run("verify", **given).went_well()
    assert "unproven" not in proven.summary
    assert "manual step" not in proven.summary
    clean = fresh.run("drift", **given).went_well()
    assert clean.summary.splitlines()[0] == "2 instances: 2 in sync; tenant: in sync"


def test_with_both_contracts_there_is_no_manual_step(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    learned, path = learn(playbook, sandbox.base_url, MANAGEMENT)
    learned.went_well()
    given = {"mda_connection_contract": str(path.rename(path.with_name("cloud_apps.yml")))}
    learned, path = learn_data_connector(playbook, sandbox.base_url)
    learned.went_well()
    given["msem_connection_contract"] = str(path)
    fresh = Fresh(playbook, sandbox, new_instance)
    fresh.complete_rules()
    given["snow_table_acls_source"] = fresh.source.name
    run = fresh.run("onboard", **given).went_well()
    assert "manual step" not in run.summary
    proven = fresh.run("verify", **given).went_well()
    assert "unproven" not in proven.summary
    assert "manual step" not in proven.summary
    clean = fresh.run("drift", **given).went_well()
    assert clean.summary.splitlines()[0] == "2 instances: 2 in sync; tenant: in sync"
    again = fresh.run("onboard", **given).went_well()
    assert all(count["changed"] == 0 for count in again.recap.values())
