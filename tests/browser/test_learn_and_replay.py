# SPDX-License-Identifier: GPL-3.0-or-later
"""One manual connection in a real browser, recorded as a contract, connects the rest of the fleet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.browser.test_portal_wizard import CAPTURES, browser, captured, sandbox
from tests.sandbox.process import PROJECT, SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import WIZARD

__all__ = ["browser", "captured", "sandbox"]

COLLECTION = "secops.servicenow_defender"
TENANT = (
    "mda_url",
    "mda_api_token",
    "azure_tenant_id",
    "azure_client_id",
    "azure_client_secret",
    "azure_authority_url",
    "azure_graph_url",
)


def play(folder: Path, playbook: str, *arguments: str) -> str:
    """Run a playbook of the collection and return what it printed; it must succeed."""
    collections = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(PROJECT / ".cache" / "collections"))
    command = [sys.executable, "-m", "ansible", "playbook", f"{COLLECTION}.{playbook}", *arguments]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections, "ANSIBLE_NOCOLOR": "true"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(path: Path, content: Any) -> str:
    """Write YAML and return its path."""
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def test_one_recorded_connection_serves_the_others(
    captured: dict[str, dict[str, str]], sandbox: SandboxProcess, tmp_path: Path
) -> None:
    contract = tmp_path / "contract.yml"
    typed = written(tmp_path / "typed.yml", {"learn_contract_values": captured[WIZARD]})
    options = {"har": CAPTURES / f"{WIZARD}.har", "name": "portal", "file": contract, "confirm": "false"}
    words = [word for name, value in options.items() for word in ("-e", f"learn_contract_{name}={value}")]
    learned = play(tmp_path, "learn_contract", "-e", f"@{typed}", *words)
    for secret in (captured[WIZARD]["password"], captured[WIZARD]["client_secret"]):
        assert secret not in learned + contract.read_text()

    tenant = sandbox.new_tenant(connect_seconds=0.2, data_delay=0.0)
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    fleet = {name: sandbox.new_instance(name).options() for name in ("acme-east", "acme-north", "acme-west")}
    inventory = {
        "servicenow": {"hosts": fleet, "vars": local | {"snow_connection_legacy_admin": True}},
        "defender": {"hosts": {"tenant": local | {name: tenant[name] for name in TENANT if name in tenant}}},
    }
    hosts = written(tmp_path / "inventory.yml", inventory)
    session = written(tmp_path / "session.yml", sandbox.portal_session())
    by_contract = (
        "-e",
        f"@{session}",
        "-e",
        f"mda_connection_contract={contract}",
        "-e",
        "mda_connection_poll_interval=1",
    )
    play(tmp_path, "onboard", "-i", hosts, "--check", *by_contract)
    assert sandbox.tenant_state("connectors") == []
    play(tmp_path, "onboard", "-i", hosts, *by_contract)
    assert {row["name"]: row["state"] for row in sandbox.tenant_state("connectors")} == dict.fromkeys(
        fleet, "connected"
    )
    assert play(tmp_path, "onboard", "-i", hosts).count("changed=0") == len(fleet) + 1, "the instances and the tenant"
