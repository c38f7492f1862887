# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped examples of backends, with the variables that their comments show, against servers that answer as the products document."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.integration.instances import Instance
from tests.integration.playbooks import ROOT, Playbooks

EXAMPLES = ROOT / "examples/secrets"
TOKEN = "token-of-the-backend-1"


class Vault(BaseHTTPRequestHandler):
    """Key-value engine version 2 of HashiCorp Vault, and the secrets of Azure Key Vault: 404 for what does not exist."""

    stored: dict[str, str]

    def do_GET(self) -> None:
        """Return a secret."""
        value = self.stored.get(self._path())
        if value is None:
            self._answer(404, {"errors": []})
        elif self._path().startswith("/v1/secret/data/"):
            self._answer(200, {"data": {"data": {"value": value}, "metadata": {"version": 1}}})
        else:
            self._answer(200, {"value": value, "id": self.path, "attributes": {"enabled": True}})

    def do_POST(self) -> None:
        """Write a secret of Vault."""
        self.stored[self._path()] = self._body()["data"]["value"]
        self._answer(200, {"data": {"version": 1}})

    def do_PUT(self) -> None:
        """Write a secret of Key Vault."""
        name = self._path().rpartition("/")[2]
        assert name.replace("-", "").isalnum(), "letters, digits and dashes"
        self.stored[self._path()] = self._body()["value"]
        self._answer(200, {"value": self.stored[self._path()], "id": self.path})

    def _path(self) -> str:
        sent = {self.headers.get("X-Vault-Token"), self.headers.get("Authorization")}
        return urlsplit(self.path).path if sent & {TOKEN, f"Bearer {TOKEN}"} else "(not signed in)"

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write no log."""


@pytest.fixture
def backend() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server, and what it has stored."""
    stored: dict[str, str] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Server", (Vault,), {"stored": stored}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", stored
    server.shutdown()


def documented(name: str) -> dict[str, Any]:
    """Return the variables in the comment of an example."""
    lines = (EXAMPLES / f"{name}.yml").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line == "#")
    block = [line[4:] for line in lines[start + 1 :] if line.startswith("#   ")]
    variables: dict[str, Any] = yaml.safe_load("\n".join(block))
    assert variables["servicenow_defender_secrets"]["write"] == f"examples/secrets/{name}.yml"
    return variables


@pytest.mark.parametrize("name", ["hashicorp_vault", "azure_key_vault"])
def test_an_example_keeps_the_secrets(
    playbook: Playbooks, instance: Instance, backend: tuple[str, dict[str, str]], name: str
) -> None:
    address, stored = backend
    variables = documented(name)
    variables["servicenow_defender_secrets"]["write"] = str(EXAMPLES / f"{name}.yml")
    if name == "hashicorp_vault":
        variables["vault_secrets"] = f"{address}/v1/secret/data/servicenow_defender"
    else:
        variables |= {
            "key_vault_secrets": f"{address}/secrets",
            "key_vault_headers": {"Authorization": f"Bearer {TOKEN}"},
        }
    options: dict[str, Any] = {"variables": variables, "environment": {"VAULT_TOKEN": TOKEN}}
    first = playbook("onboard", instance, "-vvv", **options).went_well()
    assert len(stored) == 2
    assert not any(secret in first.output for secret in stored.values())
    kept = dict(stored)
    assert playbook("onboard", instance, **options).went_well().recap[instance.name]["changed"] == 0
    assert stored == kept
    stored.clear()
    lost = playbook("onboard", instance, **options)
    assert lost.status == 2
    assert "exists on the instance, but its secret is not stored" in lost.output
    assert not stored


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yml")} == {"hashicorp_vault", "azure_key_vault", "plain_file"}
    assert documented("plain_file")["servicenow_defender_secrets"]["read"].startswith("lookup(")
