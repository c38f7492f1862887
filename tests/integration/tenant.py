# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated tenant, as tests see it: how tasks reach it, its content, and the requests that it received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.integration.playbooks import COLLECTION, Done, Playbooks, Run, Task
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import DATA_CONNECTOR, WIZARD, capture

HOST = "tenant"
AZURE = (
    "azure_tenant_id", "azure_client_id", "azure_client_secret", "azure_authority_url", "azure_graph_url", "azure_arm_url",
    "azure_subscription_id",
)  # fmt: skip
MDA = ("mda_url", "mda_api_token", "mda_portal_cookie", "mda_portal_xsrf_token")
WRITING = (
    "create_rule",
    "update_rule",
    "connector_onboarding",
    "POST /portal/apiproxy/exposure",
    "PUT /portal/apiproxy/exposure",
    "policies/{key}/{verb}",
    "DELETE ",
    "PUT /arm",
    "/execute",
    "v1/policy/{kind}",
    "PATCH /graph",
    "POST /graph/v1.0/identity/",
    "POST /graph/v1.0/applications",
    "POST /graph/v1.0/servicePrincipals",
)


class SimulatedTenant:
    """A fresh tenant; its instances are those of the sandbox."""

    def __init__(self, sandbox: SandboxProcess, **knobs: Any) -> None:
        self.sandbox = sandbox
        self.knobs = knobs
        self.access = sandbox.new_tenant(connect_seconds=0.0, data_delay=0.0, **knobs)
        sandbox.reset_requests(HOST)

    def hosts(self, *left_out: str, **more: Any) -> dict[str, dict[str, Any]]:
        """Return an inventory host for the tenant, with some variables left out or more of them."""
        known = {name: self.access[name] for name in (*AZURE, *MDA) if name in self.access and name not in left_out}
        return {HOST: {**known, **more}}

    def with_session(self) -> dict[str, dict[str, Any]]:
        """Return the inventory host with a signed-in portal session."""
        return self.hosts(**self.sandbox.portal_session())

    def rows(self, table: str, **columns: Any) -> list[dict[str, Any]]:
        """Return the rows of a table whose columns have these values."""
        found = self.sandbox.tenant_state(table)
        return [row for row in found if all(row.get(name) == value for name, value in columns.items())]

    def connector(self, name: str, url: str, **columns: Any) -> None:
        """Insert a connector behind everyone's back."""
        values = {"name": name, "instance_url": url, "username": "svc", "password": "not used", "state": "connected"}
        self.sandbox.tamper_tenant("connectors", {**values, **columns}, insert=True)

    def requests(self) -> dict[str, int]:
        """Return how often each route was called since the tenant was made."""
        routes: dict[str, int] = self.sandbox.requests(HOST)["routes"]
        return routes

    def writes(self) -> dict[str, int]:
        """Return the calls that can change the tenant, by route."""
        return {route: count for route, count in self.requests().items() if is_write(route)}


def is_write(route: str) -> bool:
    """Return whether a route of the tenant changes anything; most of those that read are POST, too."""
    return any(part in route for part in WRITING)


def writes_of(done: Done) -> dict[str, int]:
    """Return the calls of one task that can change the tenant, by route."""
    return {route: count for route, count in done.requests.items() if is_write(route)}


def play(**more: Any) -> dict[str, Any]:
    """Return the keywords of a play whose tasks sign in with the host's variables."""
    azure = {name: f"{{{{ {name} | default(omit) }}}}" for name in (*AZURE, "retries")}
    mda = {**azure, **{name: f"{{{{ {name} | default(omit) }}}}" for name in MDA}}
    defaults = {f"group/{COLLECTION}.azure": azure, f"group/{COLLECTION}.mda": mda}
    return {"module_defaults": defaults, **more}


def tenant_run(playbook: Playbooks, tasks: list[Task], hosts: Mapping[str, Any], *words: str, **options: Any) -> Run:
    """Run tasks on the tenant."""
    return playbook(tasks, hosts, *words, play=play(), **options)


def learn(
    playbook: Playbooks, base_url: str, name: str = WIZARD, values: Mapping[str, str] | None = None, **changes: str
) -> tuple[Run, Path]:
    """Run the playbook learn_contract on a kept capture; return the run and where the contract is to be.

    `values` replace all that was typed, `changes` some of it.
    """
    har, typed = capture(name, base_url)
    return learn_from(playbook, json.dumps(har), {**(typed if values is None else values), **changes})


def learn_data_connector(playbook: Playbooks, base_url: str, name: str = DATA_CONNECTOR) -> tuple[Run, Path]:
    """Run the playbook learn_contract on a kept capture of a data connector; return the run and where the contract is to be."""
    har, typed = capture(name, base_url)
    return learn_from(playbook, json.dumps(har), typed, learn_contract_target="msem_connector")


def learn_from(playbook: Playbooks, har: str, values: Mapping[str, str], **more: str) -> tuple[Run, Path]:
    """Run the playbook learn_contract on the text of a capture; return the run and where the contract is to be.

    `more` are further variables.
    """
    record, contract = playbook.folder / "record.har", playbook.folder / "contract.yml"
    record.write_text(har)
    variables = {
        "learn_contract_har": str(record),
        "learn_contract_name": "acme-learned",
        "learn_contract_values": dict(values),
        "learn_contract_file": str(contract),
        "learn_contract_confirm": False,
        **more,
    }
    return playbook("learn_contract", {HOST: {}}, variables=variables), contract


def loaded(contract: Path | str) -> str:
    """Return the expression that loads a contract."""
    return f"{{{{ lookup('ansible.builtin.file', '{contract}') | from_yaml }}}}"
