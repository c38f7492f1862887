# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify: what it cannot prove is named with its reason, and is no success."""

from __future__ import annotations

from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.integration.tenant import HOST, SimulatedTenant
from tests.integration.test_onboard import enter_rules
from tests.sandbox.process import SandboxProcess

TERMINATED = "Activity performed by terminated user"
TOLERANT = {"verify_fail": False}
QUIET = {"drift_include_hardening": False}


def test_without_a_tenant_the_connection_is_unproven(playbook: Playbooks, instance: Instance) -> None:
    playbook("onboard", instance).went_well()
    run = playbook("verify", instance)
    assert run.status == 2
    assert "tenant: unproven (its group in the inventory is empty)" in run.summary
    assert "1 token verified" in run.summary
    assert playbook("verify", instance, variables=TOLERANT).went_well().summary == run.summary


def test_a_group_that_does_not_exist_is_an_error_before_anything_is_done(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    hosts = {instance.name: instance.connection, **SimulatedTenant(sandbox).hosts()}
    wrong = {"servicenow_defender_tenant": "defendr"}
    for what in ("verify", "onboard", "drift"):
        run = playbook(what, hosts, variables=wrong, defender=[HOST])
        assert run.status == 2
        assert "servicenow_defender_tenant is 'defendr', which is not a group of the inventory" in run.output
        assert "Did you mean defender?" in run.output
    assert not instance.requests()


def test_a_list_of_connectors_that_is_refused_proves_nothing(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = SimulatedTenant(sandbox)
    playbook("onboard", instance).went_well()
    # Without an API token the list is refused, and nothing else is known of this instance.
    hosts = {instance.name: instance.connection, **tenant.hosts("mda_api_token")}
    run = playbook("verify", hosts, defender=[HOST])
    assert run.status == 2
    assert f"unproven: {HOST}: connector {instance.name} (the list of connectors is refused" in run.summary
    assert "tenant: unproven" in run.summary
    playbook("verify", hosts, variables=TOLERANT, defender=[HOST]).went_well()


def test_a_tenant_outside_the_limit_is_not_checked_and_no_failure(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    playbook("onboard", instance).went_well()
    hosts = {instance.name: instance.connection, **SimulatedTenant(sandbox).hosts()}
    run = playbook("verify", hosts, "--limit", instance.name, defender=[HOST]).went_well()
    assert run.summary.count("not checked") == 1
    assert "tenant: not checked (not selected by --limit)" in run.summary


def test_drift_names_a_policy_that_was_switched_off(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = SimulatedTenant(sandbox)
    tenant.connector(instance.name, instance.connection["snow_url"])
    playbook("onboard", instance).went_well()
    enter_rules(instance)
    hosts = {instance.name: instance.connection, **tenant.hosts()}
    assert playbook("drift", hosts, variables=QUIET, defender=[HOST]).went_well().summary.endswith("tenant: in sync")
    sandbox.tamper_tenant("policies", {"enabled": False}, match={"name": TERMINATED})
    run = playbook("drift", hosts, variables=QUIET, defender=[HOST])
    assert run.status == 2
    assert f"drift: {HOST}: policy {TERMINATED} (state)" in run.summary
    found = playbook("onboard", hosts, defender=[HOST]).went_well()
    assert f"policy {TERMINATED} (state)" in found.summary
