# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant in the inventory, in the control API, and after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
import yaml

from tests.sandbox.process import SandboxError, SandboxProcess
from tests.sandbox.tenant.cloud_apps import captures
from tests.unit.sandbox.client import RestClient
from tests.unit.sandbox.tenant_client import TenantClient, wait

VARIABLES = [
    "azure_tenant_id",
    "azure_client_id",
    "azure_client_secret",
    "azure_authority_url",
    "azure_graph_url",
    "azure_arm_url",
    "azure_subscription_id",
    "mda_url",
    "mda_api_token",
]


def test_the_inventory_has_the_addresses_of_the_tenant(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    with SandboxProcess("--instances", "1", "--tls", "--inventory", str(path)) as sandbox:
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))
        host = groups["defender"]["hosts"]["tenant"]
        assert list(host) == VARIABLES
        assert {name: sandbox.tenant()[name] for name in VARIABLES} == host
        assert groups["defender"]["vars"] == groups["servicenow"]["vars"]
        authority = groups["defender"]["vars"]["ca_path"]
        token = {"Authorization": f"Token {host['mda_api_token']}"}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{host['mda_url']}/api/v1/subnet/", headers=token, verify=authority, timeout=20)
        assert answer.json()["total"] == 1


def test_a_connector_reaches_an_instance_behind_the_sandbox_s_own_certificate(tmp_path: Path) -> None:
    with SandboxProcess("--instances", "0", "--tls", "--inventory", str(tmp_path / "inventory.yml")) as sandbox:
        known = sandbox.new_tenant(connect_seconds=0.0)
        access = sandbox.new_instance("acme-dev")
        values = {"name": "acme-dev", "mode": "password", "state": "connected", "synced": 1}
        account = {"instance_url": access.url, "username": access.username, "password": access.password}
        sandbox.tamper_tenant("connectors", {**values, **account}, insert=True)
        sandbox.sync_tenant()
        wait(lambda: sandbox.tenant_state("entities") != [])
        assert known["mda_url"].startswith("https://")


def test_the_tenant_survives_a_restart(tmp_path: Path) -> None:
    arguments = ("--instances", "1", "--state", str(tmp_path / "state.json"))
    with SandboxProcess(*arguments) as sandbox:
        secret = sandbox.new_tenant(wizard_confirm=False)["azure_client_secret"]
        sandbox.tamper_tenant("connectors", {"name": "acme-dev", "state": "error"}, insert=True)
        sandbox.tamper_tenant("policies", {"enabled": True}, match={"name": "Impossible travel"})
        sandbox.tamper_tenant("users", {"accountEnabled": False}, match={"mailNickname": "employee"})
    with SandboxProcess(*arguments) as sandbox:
        known = sandbox.tenant()
        assert (known["azure_client_secret"], known["knobs"]["wizard_confirm"]) == (secret, False)
        assert [row["name"] for row in sandbox.tenant_state("connectors")] == ["acme-dev"]
        enabled = {row["name"] for row in sandbox.tenant_state("policies") if row["enabled"]}
        assert "Impossible travel" in enabled
        disabled = {row["mailNickname"] for row in sandbox.tenant_state("users") if not row["accountEnabled"]}
        assert disabled == {"employee", "former"}


def test_a_reset_tenant_keeps_only_ids_and_secrets(tenant: TenantClient) -> None:
    tenant.sandbox.tamper_tenant("connectors", {"name": "acme-dev"}, insert=True)
    again = tenant.sandbox.new_tenant()
    assert {name: again[name] for name in VARIABLES} == {name: tenant.known[name] for name in VARIABLES}
    assert tenant.sandbox.tenant_state("connectors") == []
    assert tenant.sandbox.requests("tenant")["total"] == 0


def test_an_unknown_knob_table_or_field_is_refused_with_the_known_ones(tenant: TenantClient) -> None:
    sandbox = tenant.sandbox
    with pytest.raises(SandboxError, match="unknown knob nonsense; known: .*wizard_strict"):
        sandbox.new_tenant(nonsense=1)
    with pytest.raises(SandboxError, match="must be one of 'token', 'refused', 'any'"):
        sandbox.turn_tenant(connector_routes="open")
    with pytest.raises(SandboxError, match="unknown table 'nothing'; known: connectors"):
        sandbox.tenant_state("nothing")
    with pytest.raises(SandboxError, match="unknown field bogus"):
        sandbox.tamper_tenant("connectors", {"bogus": 1}, insert=True)
    with pytest.raises(SandboxError, match="no row of policies matches"):
        sandbox.tamper_tenant("policies", {"enabled": True}, match={"name": "none"})
    with pytest.raises(SandboxError, match="'tenant' is not an instance name"):
        sandbox.new_instance("tenant")


def test_the_state_shows_no_secret(tenant: TenantClient, instance: RestClient) -> None:
    secrets = {"password": "s3cret-1", "client_secret": "s3cret-2", "refresh_token": "s3cret-3"}
    tenant.sandbox.tamper_tenant("connectors", {"name": "acme-dev", **secrets}, insert=True)
    shown = requests.get(f"{tenant.sandbox.base_url}/_sandbox/tenant/state", timeout=10).text
    assert "acme-dev" in shown and "s3cret" not in shown
    assert "client_secret" in tenant.sandbox.tenant_state("connectors")[0]["holds"]


@pytest.mark.parametrize("name", [captures.WIZARD, captures.MANAGEMENT])
def test_a_capture_is_rewritten_for_the_running_sandbox(sandbox: SandboxProcess, name: str) -> None:
    har, typed = captures.capture(name, sandbox.base_url)
    urls = {entry["request"]["url"] for entry in har["log"]["entries"]}
    assert all(url.startswith(f"{sandbox.base_url}/tenant/portal") for url in urls if not url.startswith("data:"))
    assert typed["instance_url"].startswith(sandbox.base_url)
