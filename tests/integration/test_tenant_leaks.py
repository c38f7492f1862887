# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted secrets of a tenant are searched for in everything that runs leave behind, in every encoding."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.playbooks import SHELLS, Playbooks, Task, task
from tests.integration.tenant import SimulatedTenant, learn, loaded, play
from tests.integration.test_leaks import CommandLines, files_with_secrets, found_in
from tests.sandbox.process import SandboxProcess

PLANTED = {
    "password": 'conn"ector&p+ss%41\\wörd/1☃',
    "client_secret": "conn'ector=s&cret%+ö?#2 ☃",
    "azure_secret": 'azure"client&s%cr=t/6ñ',
    "azure_token": "azure-access&t+ken%=ü.11",
    "api_token": 'api"token&v+lue%=/12/abcd',
}


def value(name: str) -> str:
    """Return the template of a planted secret: no file of the play holds it."""
    return f"{{{{ planted.{name} }}}}"


def every_way(contract: str) -> list[Task]:
    """Return tasks that take every secret there is, those that go well and those that are refused."""
    wrong = {"ignore_errors": True}
    connector = {
        "name": "acme-dev",
        "instance_url": "http://127.0.0.1:9/acme-dev",
        "username": "svc_defender",
        "client_id": "connector-client",
        "password": value("password"),
        "client_secret": value("client_secret"),
    }
    waiting = {"wait": True, "wait_timeout": 5, "poll_interval": 0.3}
    contracted = {"connectors": [connector], "contract": contract, **waiting}
    return [
        task("mda_connectors", "manual", connectors=[connector], more=wrong),
        task("mda_connectors", "reported", **contracted, more={**wrong, "check_mode": True}),
        task("mda_connectors", "no session", **contracted, mda_portal_xsrf_token=value("api_token"), more=wrong),
        task("mda_connectors", "in error", **contracted, more=wrong),
        task("mda_connector_info", "look", more=wrong),
        task("mda_policy_info", "wrong token", mda_api_token=value("api_token"), more=wrong),
        task(
            "mda_activity_info", "wrong secret", mda_api_token="", azure_client_secret=value("azure_secret"), more=wrong
        ),
        task("mda_activity_info", "entra", mda_api_token="", more=wrong),
        task(
            "graph_hunting_info",
            "given token",
            azure_access_token=value("azure_token"),
            query="CloudAppEvents",
            more=wrong,
        ),
    ]


@pytest.mark.walk(1)
@pytest.mark.parametrize("shell", SHELLS)
def test_no_secret_of_a_tenant_is_left_behind(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    learned, contract = learn(playbook, sandbox.base_url)
    learned.went_well()
    (playbook.folder / "variables-1.yml").unlink()
    (playbook.folder / "record.har").unlink()
    tenant = SimulatedTenant(sandbox)
    hosts = tenant.with_session()
    own: dict[str, Any] = {
        name: hosts["tenant"][name]
        for name in ("mda_api_token", "azure_client_secret", "mda_portal_cookie", "mda_portal_xsrf_token")
    }
    own["session"] = own["mda_portal_cookie"].partition("=")[2].partition(";")[0]
    secrets = {**PLANTED, **own}
    environment = {
        "ANSIBLE_LOG_PATH": str(playbook.folder / "ansible.log"),
        "ANSIBLE_LOCAL_TEMP": str(playbook.folder / "local_temp"),
        "ANSIBLE_REMOTE_TEMP": str(playbook.folder / "remote_temp"),
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
    }
    with CommandLines() as lines:
        run = playbook(
            every_way(loaded(contract)),
            hosts,
            "-vvvv",
            "--diff",
            play=play(),
            shell=shell,
            environment=environment,
            variables={"planted": PLANTED},
        )
    statuses = {done.task: done.status for done in run.done}
    assert statuses == {
        "manual": "ok",
        "reported": "ok",
        "no session": "failed",
        "in error": "failed",
        "look": "ok",
        "wrong token": "failed",
        "wrong secret": "failed",
        "entra": "ok",
        "given token": "failed",
    }
    assert "stays in error" in run["in error"].message
    assert not found_in(run.output, secrets)
    assert not found_in("\n".join(lines.seen), secrets)
    # What the test itself wrote: the inventory and the variables.
    assert not files_with_secrets(playbook.folder, secrets, "inventory-", "variables-")
