# SPDX-License-Identifier: GPL-3.0-or-later
"""Trust: private certificate authorities and client certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.instances import Instance
from tests.integration.playbooks import SHELLS, Playbooks, Task, task
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tls import make_certificates


@pytest.fixture(scope="module")
def secure_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A fleet that is reached by https, with a certificate authority of its own."""
    inventory = tmp_path_factory.mktemp("tls") / "inventory.yml"
    with SandboxProcess("--instances", "0", "--tls", "--inventory", str(inventory)) as running:
        yield running


@pytest.fixture
def secure(secure_sandbox: SandboxProcess) -> Instance:
    """A fresh instance of it."""
    return Instance(secure_sandbox, secure_sandbox.new_instance())


@pytest.fixture
def secure_playbook(tmp_path: Path, secure_sandbox: SandboxProcess) -> Playbooks:
    """A way to run tasks on it."""
    return Playbooks(tmp_path, secure_sandbox.base_url)


def look(name: str, **options: Any) -> Task:
    return task("snow_instance_info", name, **options, more={"ignore_errors": True})


@pytest.mark.parametrize("shell", SHELLS)
def test_an_authority_is_trusted_when_it_is_named(
    secure_playbook: Playbooks, secure: Instance, tmp_path: Path, shell: str
) -> None:
    other = make_certificates(tmp_path / "other", "somebody")
    account = {"snow_username": secure.access.username, "snow_password": secure.access.password}
    certificate = {"snow_client_cert": secure.access.client_cert, "snow_client_key": secure.access.client_key}
    strange = {"snow_client_cert": str(other.client_certificate), "snow_client_key": str(other.client_key)}
    trusted = {"ca_path": secure.access.ca_path}
    run = secure_playbook(
        [
            look("trusted", **account, **trusted),
            look("not named", **account),
            look("another authority", **account, ca_path=str(other.authority)),
            look("no such file", **account, ca_path="/nonexistent/ca.pem"),
            look("not verified", **account, validate_certs=False),
            look("client certificate", **certificate, **trusted),
            look("certificate of another authority", **strange, **trusted),
            look("no such certificate", snow_client_cert="/nonexistent/client.pem", **trusted),
        ],
        {secure.name: {"snow_url": secure.access.url}},
        shell=shell,
    )
    assert run["trusted"]["instance"]["caller"]["user_name"] == "svc_ansible"
    for name in ("not named", "another authority"):
        assert run[name].failed
        assert "the TLS connection failed" in run[name].message
        assert "certificate" in run[name].message
        assert "Set ca_path to the certificate authority" in run[name].message
        assert not run[name].requests
        assert "warnings" not in run[name].result, "a retry would not help"
    assert "ca_path /nonexistent/ca.pem does not exist" in run["no such file"].message
    assert not run["not verified"].failed
    assert "anyone on the network path can read and change" in run["not verified"]["warnings"][0]
    found = run["client certificate"]["instance"]
    assert (found["grant_type"], found["caller"]["user_name"]) == ("mtls", "svc_ansible")
    assert run["certificate of another authority"].failed
    assert "client" in run["certificate of another authority"].message
    assert "the client certificate file /nonexistent/client.pem cannot be read" in run["no such certificate"].message


def test_the_token_call_trusts_the_same_authority(secure_playbook: Playbooks, secure: Instance) -> None:
    client = {"snow_client_id": "ansible-client", "snow_client_secret": "client-secret-1"}
    secure.add("oauth_entity", name="Ansible", client_id="ansible-client", client_secret="client-secret-1")
    run = secure_playbook([look("token", **client)], secure).went_well()
    assert run.last["instance"]["grant_type"] == "password"
    assert run.last.requests["POST /oauth_token.do"] == 1


def test_https_that_serves_plain_http_is_named(playbook: Playbooks, instance: Instance) -> None:
    address = instance.access.url.replace("http://", "https://")
    run = playbook([look("plain", snow_url=address)], instance)
    assert run.last.failed
    assert "the TLS connection failed" in run.last.message
