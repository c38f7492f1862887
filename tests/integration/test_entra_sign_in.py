# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in with a certificate; the simulated Entra verifies its signature."""

from __future__ import annotations

import pytest

from tests.client_certificates import PASSWORD, client_certificate
from tests.integration.playbooks import SHELLS, Playbooks, task
from tests.integration.tenant import SimulatedTenant, tenant_run
from tests.integration.test_leaks import found_in
from tests.sandbox.process import SandboxProcess

WRONG = {"ignore_errors": True}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_certificate_signs_in(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant, mine, other = SimulatedTenant(sandbox), client_certificate(), client_certificate("other")
    application = {"appId": tenant.access["azure_client_id"]}
    sandbox.tamper_tenant("applications", {"keyCredentials": [mine.uploaded]}, match=application)
    files = {
        "pem": mine.pem(playbook.folder / "client.pem"),
        "pfx": mine.pfx(playbook.folder / "client.pfx", PASSWORD),
        "other": other.pem(playbook.folder / "other.pem"),
        "expired": client_certificate("late", days=-1).pem(playbook.folder / "late.pem"),
    }
    hosts = tenant.hosts("azure_client_secret")
    password = {"azure_client_certificate_password": "{{ lookup('ansible.builtin.env', 'PASSWORD_OF_TEST') }}"}
    tasks = [
        task(
            "graph_secure_score_info", name, azure_auth_source="certificate", azure_client_certificate=path, more=WRONG
        )
        for name, path in files.items()
    ]
    tasks[1][next(key for key in tasks[1] if key.endswith("graph_secure_score_info"))].update(password)
    run = tenant_run(playbook, tasks, hosts, "-vvv", shell=shell, environment={"PASSWORD_OF_TEST": PASSWORD})
    assert not run["pem"].failed, run["pem"].message
    assert not run["pfx"].failed, run["pfx"].message
    assert "AADSTS700027" in run["other"].message
    assert (
        "Likely cause: the certificate is not one of the application's. Upload its public part" in run["other"].message
    )
    assert "expired on" in run["expired"].message
    assert run["expired"].requests == {}
    assert not found_in(run.output, {"password": PASSWORD})
