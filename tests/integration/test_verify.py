# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify: what it cannot prove is named with its reason, and is no success."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.integration.tenant import HOST, SimulatedTenant
from tests.integration.test_onboard import enter_rules
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(4)

TERMINATED = "Activity performed by terminated user"
TOLERANT = {"verify_fail": False}
QUIET = {"drift_include_hardening": False}
ENTERED = {"mda_connection_credentials_entered": True}


def test_without_a_tenant_the_connection_is_unproven(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    run = playbook("verify", instance)
    assert run.status == 2
    assert "tenant: unproven (the inventory has no group defender)" in run.summary
    assert "1 token verified" in run.summary
    assert playbook("verify", instance, variables=TOLERANT).went_well().summary == run.summary


def test_the_instances_alone_are_verified_as_they_are_compared(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    enter_rules(instance)
    run = playbook("verify", instance, "--tags", "snow").went_well()
    assert run.summary == "1 instance: 1 verified, 1 token verified; tenant: not checked (left out by --tags)"


def test_a_group_that_does_not_exist_or_has_two_tenants_is_an_error_before_anything_is_done(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    hosts = {instance.name: instance.connection, **SimulatedTenant(sandbox).hosts()}
    wrong = {"servicenow_defender_tenant": "defendr"}
    for what in ("verify", "onboard", "drift"):
        run = playbook(what, hosts, variables=wrong, defender=[HOST])
        assert run.status == 2
        assert "servicenow_defender_tenant is 'defendr', which is not a group of the inventory" in run.output
        assert "Did you mean defender?" in run.output
    two = {**hosts, "acme-other": hosts[HOST]}
    run = playbook("onboard", two, defender=[HOST, "acme-other"])
    assert run.status == 2
    assert (
        f"the group defender has 2 hosts ({HOST}, acme-other), and a run works with one tenant. Nothing was"
        in run.output
    )
    assert not instance.requests()


def test_a_list_of_connectors_that_is_refused_proves_nothing(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = SimulatedTenant(sandbox)
    playbook.onboarded(instance)
    # Without an API token the list is refused, and nothing else is known of this instance.
    hosts = {instance.name: instance.connection, **tenant.hosts("mda_api_token")}
    run = playbook("verify", hosts, defender=[HOST])
    assert run.status == 2
    assert f"unproven: {HOST}: connector {instance.name} (the list of connectors is refused" in run.summary
    assert "tenant: unproven" in run.summary
    playbook("verify", hosts, variables=TOLERANT, defender=[HOST]).went_well()


def connected_by_hand(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> tuple[SimulatedTenant, dict[str, dict[str, Any]]]:
    """Return a tenant with a connector whose credentials were entered in the portal, and the hosts of the inventory, onboarded."""
    tenant = SimulatedTenant(sandbox)
    tenant.connector(instance.name, instance.connection["snow_url"])
    hosts = {instance.name: instance.connection, **tenant.hosts()}
    playbook("onboard", hosts, variables=ENTERED, defender=[HOST]).went_well()
    return tenant, hosts


def test_a_revoked_api_token_leaves_a_connected_instance_unproven(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant, hosts = connected_by_hand(playbook, sandbox, instance)
    sandbox.turn_tenant(api_token="revoked")
    for what in ("onboard", "verify"):
        run = playbook(what, hosts, "--tags", "mda", defender=[HOST])
        assert f"connector {instance.name} (the list of connectors is refused" in run.summary, what
        assert "refused mda_api_token (POST /cas/api/v1/app_connectors/ -> 401 Invalid token.)" in run.summary, what
        assert "Issue one under Settings > Cloud Apps > System > API tokens" in run.summary, what
        assert f"Connect {instance.name}" not in run.output, what
        assert f"Look whether {instance.name}" not in run.output, what
        assert "absent" not in run.summary, what
    assert not tenant.writes()
    shown = playbook("activity", hosts, defender=[HOST]).went_well()
    assert "no activities of ServiceNow" in shown.summary


def test_a_tenant_alone_is_verified(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    run = playbook("verify", SimulatedTenant(sandbox).hosts(), defender=[HOST]).went_well()
    assert run.summary.splitlines() == ["tenant: in sync", "instances: not checked (none was selected)"]


def test_a_tenant_outside_the_limit_is_not_checked_and_no_failure(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    # Its account reads without access rules that people have to enter.
    mdc = {"servicenow_defender_services": ["mdc"]}
    playbook("onboard", instance, variables=mdc).went_well()
    hosts = {instance.name: instance.connection, **SimulatedTenant(sandbox).hosts()}
    run = playbook("verify", hosts, "--limit", instance.name, defender=[HOST], variables=mdc).went_well()
    assert run.summary.count("not checked") == 1
    assert "tenant: not checked (not selected by --limit)" in run.summary


def test_drift_names_a_policy_that_was_switched_off(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    _tenant, hosts = connected_by_hand(playbook, sandbox, instance)
    enter_rules(instance)
    found = playbook("drift", hosts, variables=QUIET, defender=[HOST]).went_well()
    assert found.summary.splitlines()[0].endswith("tenant: in sync")
    sandbox.tamper_tenant("connectors", {"posture": False})
    switched = {"mda_connection_secure_score": "enabled", **ENTERED}
    run = playbook("verify", hosts, variables=switched, defender=[HOST])
    assert run.status == 2
    words = f"connectors whose Secure Score recommendations are not as desired: {instance.name}. Run onboard"
    assert words in run.on(HOST, "Fail if a connector has other credentials than its instance").message
    sandbox.tamper_tenant("policies", {"enabled": False}, match={"name": TERMINATED})
    run = playbook("drift", hosts, variables=QUIET, defender=[HOST])
    assert run.status == 2
    assert f"drift: {HOST}: policy {TERMINATED} (state)" in run.summary
    found = playbook("onboard", hosts, defender=[HOST]).went_well()
    assert f"policy {TERMINATED} (state)" in found.summary


def test_an_account_without_its_access_rules_is_unproven(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    run = playbook("verify", instance)
    assert run.status == 2
    assert f"unproven: {instance.name}: account mda (it is signed in, but reads no row of its table" in run.summary


def test_a_connector_that_is_to_be_disabled_is_no_failure(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    _tenant, hosts = connected_by_hand(playbook, sandbox, instance)
    sandbox.tamper_tenant("connectors", {"state": "disabled"}, match={"name": instance.name})
    words = f"not connected: {instance.name} is disabled"
    assert words in playbook("verify", hosts, "--tags", "mda", defender=[HOST]).summary
    wanted = playbook("verify", hosts, "--tags", "mda", variables={"mda_connection_state": "disabled"}, defender=[HOST])
    assert words not in wanted.went_well().summary
