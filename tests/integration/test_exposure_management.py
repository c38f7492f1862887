# SPDX-License-Identifier: GPL-3.0-or-later
"""The service msem: an instance whose CMDB Exposure Management reads, from onboard to offboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run
from tests.integration.tenant import HOST, SimulatedTenant, learn_data_connector
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(1)

USER, APPLICATION = "svc_defender_exposure_management", "Microsoft Security Exposure Management"
ALLOWED = "glide.oauth.inbound.client.credential.grant_type.enabled"
ASSET = {
    "NodeId": "n1",
    "NodeName": "srv-1",
    "NodeProperties": {"rawData": {"serviceNowCmdbAssetInfo": {"sysId": "1"}}},
}
ONLY = {"servicenow_defender_services": ["msem"], "drift_include_hardening": False}


class Exposure:
    """An instance with the service msem, and its tenant."""

    def __init__(self, playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> None:
        self.playbook, self.instance, self.sandbox = playbook, instance, sandbox
        self.tenant = SimulatedTenant(sandbox)
        # What the account reads.
        instance.add("cmdb_ci", name="srv-1")
        self.contract = Path()

    def __call__(self, name: str, *words: str, **variables: object) -> Run:
        hosts = {self.instance.name: self.instance.connection, **self.tenant.hosts()}
        return self.playbook(name, hosts, *words, defender=[HOST], variables={**ONLY, **variables})

    def by_contract(self, name: str, *words: str, **variables: object) -> Run:
        """Run a playbook with the learned contract and a session of the portal."""
        hosts = {self.instance.name: self.instance.connection, **self.tenant.with_session()}
        given = {"msem_connection_contract": str(self.contract), **ONLY, **variables}
        return self.playbook(name, hosts, *words, defender=[HOST], variables=given)

    def learn(self) -> None:
        """Learn the contract from the kept capture."""
        learned, self.contract = learn_data_connector(self.playbook, self.sandbox.base_url)
        learned.went_well()

    def stored(self, name: str) -> Path:
        """Return the file of a stored secret or record of the instance."""
        (file,) = self.playbook.folder.rglob(f"{self.instance.name}/{name}")
        return file

    def deliver(self) -> None:
        """Let an asset of ServiceNow arrive in the exposure graph."""
        self.sandbox.tamper_tenant("exposure_nodes", ASSET, insert=True)


@pytest.fixture
def exposure(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> Exposure:
    return Exposure(playbook, sandbox, instance)


def test_a_client_reads_the_cmdb_and_the_portal_is_a_manual_step(exposure: Exposure, instance: Instance) -> None:
    predicted = exposure("onboard", "--check").went_well()
    assert not instance.rows("sys_user", user_name=USER)
    assert "Connect " in predicted.summary

    first = exposure("onboard").went_well()
    application = instance.row("oauth_entity", name=APPLICATION)
    user = instance.row("sys_user", user_name=USER)
    assert application["user"] == user["sys_id"]
    assert user["web_service_access_only"] == "true"
    assert instance.roles_of(USER) == ["cmdb_read"]
    assert instance.row("sys_properties", name=ALLOWED)["value"] == "true"
    for line in (f"Client ID: {application['client_id']}", "ServiceNow CMDB > Connect", "Client secret"):
        assert line in first.summary

    again = exposure("onboard").went_well()
    assert all(count["changed"] == 0 for count in again.recap.values())
    verified = exposure("verify")
    assert verified.status == 2
    assert "nothing shows that they were" in verified.summary

    exposure.deliver()
    exposure("onboard").went_well()
    assert "unproven" not in exposure("verify").went_well().summary
    assert exposure("drift").went_well()


def test_changes_on_either_side_are_drift(exposure: Exposure, instance: Instance) -> None:
    exposure.deliver()
    exposure("onboard", msem_connection_credentials_entered=True).went_well()
    exposure("drift").went_well()
    instance.change("sys_properties", {"name": ALLOWED}, value="false")
    instance.change("oauth_entity", {"name": APPLICATION}, user="")
    run = exposure("drift", snow_connection_client_secret="another-secret-of-the-user")
    assert run.status == 2
    for found in (ALLOWED, "oauth_user", f"data_connector {instance.name} (client_secret)"):
        assert found in run.summary
    assert "another-secret-of-the-user" not in run.output


def test_an_account_alone_signs_in_with_basic_authentication(exposure: Exposure, instance: Instance) -> None:
    exposure.deliver()
    basic = {"snow_connection_grant_type": "basic"}
    exposure("onboard", **basic, msem_connection_credentials_entered=True).went_well()
    assert not instance.rows("oauth_entity", name=APPLICATION)
    exposure("verify", **basic).went_well()
    instance.change("sys_user", {"user_name": USER}, locked_out="true")
    run = exposure("verify", **basic)
    assert run.status == 2
    assert f"{USER} is locked out" in run.output


def test_rotation_waits_for_consent_and_offboarding_for_the_portal(exposure: Exposure, instance: Instance) -> None:
    exposure.deliver()
    exposure("onboard", msem_connection_credentials_entered=True).went_well()
    left = exposure("rotate", secret_rotation_max_age_days=0).went_well()
    assert f"Rotate the secrets of {APPLICATION}" in left.summary
    rotated = exposure("rotate", secret_rotation_max_age_days=0, secret_rotation_allow_manual_steps=True).went_well()
    assert f"Enter the details of {instance.name} in Exposure Management again" in rotated.summary
    assert exposure("drift").status == 2
    exposure("onboard", msem_connection_credentials_entered=True).went_well()
    exposure("drift").went_well()

    waiting = exposure("offboard", offboarding_confirm=True)
    assert "disconnect it in the Defender portal" in waiting.summary
    assert instance.rows("sys_user", user_name=USER)
    exposure("offboard", offboarding_confirm=True, offboarding_microsoft_removed=True).went_well()
    assert not instance.rows("oauth_entity", name=APPLICATION)


def test_a_service_that_only_takes_the_password_grant_is_refused(exposure: Exposure, instance: Instance) -> None:
    run = exposure("onboard", servicenow_defender_services=["mdc"], snow_connection_grant_type="basic")
    assert run.status == 2
    assert "snow_connection_grant_type is 'basic', but mdc signs in with password" in run.output
    assert not instance.rows("sys_user", user_name="svc_defender_cloud")


def unchanged(run: Run) -> bool:
    return all(count["changed"] == 0 for count in run.recap.values())


@pytest.mark.always
def test_a_contract_connects_without_a_step(exposure: Exposure, instance: Instance) -> None:
    exposure.learn()
    predicted = exposure.by_contract("onboard", "--check").went_well()
    assert not exposure.tenant.writes()
    assert "manual step" not in predicted.summary
    first = exposure.by_contract("onboard", "-vvvv").went_well()
    assert "manual step" not in first.summary
    (connector,) = exposure.tenant.rows("data_connectors")
    application = instance.row("oauth_entity", name=APPLICATION)
    assert (connector["state"], connector["identity"]) == ("Connected", application["client_id"])
    assert exposure.stored("msem_client_secret").read_text().strip() not in first.output

    assert unchanged(exposure.by_contract("onboard").went_well())
    assert "unproven" not in exposure.by_contract("verify").went_well().summary
    exposure.by_contract("drift").went_well()

    # The run was killed before the record was stored: the next one completes it.
    exposure.stored("msem_accepted").unlink()
    exposure.by_contract("onboard").went_well()
    assert len(exposure.tenant.rows("data_connectors")) == 1
    exposure.by_contract("drift").went_well()

    exposure.sandbox.tamper_tenant("data_connectors", {}, delete=True)
    for read_only in ("drift", "verify"):
        found = exposure.by_contract(read_only)
        assert found.status == 2
        assert f"data_connector {instance.name}" in found.output
    assert not exposure.tenant.rows("data_connectors")
    exposure.by_contract("onboard").went_well()
    assert len(exposure.tenant.rows("data_connectors")) == 1


def test_a_contract_rotates_and_offboards(exposure: Exposure, instance: Instance) -> None:
    exposure.learn()
    exposure.by_contract("onboard").went_well()
    before = exposure.stored("msem_client_secret").read_text()
    exposure.sandbox.turn_tenant(portal_session="expired")
    refused = exposure.by_contract("rotate", secret_rotation_max_age_days=0)
    assert refused.status == 2
    assert "the portal session has ended" in refused.output
    exposure.sandbox.turn_tenant(portal_session="valid")
    # Nothing was changed: the connector still signs in.
    exposure.sandbox.sync_tenant()
    assert exposure.tenant.rows("data_connectors")[0]["state"] == "Connected"
    exposure.by_contract("rotate", secret_rotation_max_age_days=0).went_well()
    exposure.sandbox.sync_tenant()
    assert exposure.tenant.rows("data_connectors")[0]["state"] == "Connected"
    assert exposure.stored("msem_client_secret").read_text() != before
    exposure.by_contract("drift").went_well()

    exposure.by_contract("offboard", "--check").went_well()
    assert exposure.tenant.rows("data_connectors")
    exposure.by_contract("offboard", offboarding_confirm=True).went_well()
    assert not exposure.tenant.rows("data_connectors")
    assert not instance.rows("oauth_entity", name=APPLICATION)
    assert not instance.rows("sys_user", user_name=USER)
