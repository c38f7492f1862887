# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks of the collection, run by ansible-rulebook."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.automation.conftest import COLLECTION, Fleet

REPORT = "drift-report/drift.json"
# Java starts, and a playbook runs on a machine that is busy with other checks.
PATIENCE = 180
TOKEN = "rulebook-token-7f3a"


@contextmanager
def rulebook(fleet: Fleet, name: str, **variables: str | int) -> Iterator[Path]:
    """Run a rulebook in the background and yield the file with its output."""
    (fleet.folder / "vars.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    output = fleet.folder / f"{name}.log"
    words = ["-r", f"{COLLECTION}.{name}", "-i", str(fleet.inventory), "--vars", str(fleet.folder / "vars.yml")]
    with output.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ansible-rulebook"), *words, "--print-events"],
            cwd=fleet.folder,
            env=fleet.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield output
        finally:
            process.terminate()
            process.wait(30)


def wait_for(reached: Callable[[], bool], output: Path) -> None:
    """Wait until something is so; fail with the output of the rulebook."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, output.read_text()
        time.sleep(0.3)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post(port: int, payload: dict[str, str], token: str) -> int:
    """Post an event and return the status; 0 if nothing listens yet."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/endpoint",
        data=json.dumps(payload).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def drift(fleet: Fleet) -> dict[str, Any]:
    """Run the playbook drift with its report and return what it says of each host."""
    done = fleet.play("drift", ANSIBLE_CALLBACKS_ENABLED=f"{COLLECTION}.drift")
    hosts: dict[str, Any] = json.loads((fleet.folder / REPORT).read_text())["hosts"]
    assert {"acme-dev", "tenant"} <= hosts.keys(), done.stdout + done.stderr
    return hosts


def kinds(hosts: dict[str, Any]) -> set[str]:
    """Return the kinds of objects that deviate."""
    return {entry["kind"] for host in hosts.values() for entry in host["drift"]}


def test_drift_of_the_connection_is_repaired_by_the_rulebook(fleet: Fleet) -> None:
    assert kinds(drift(fleet)) >= {"oauth_application", "role", "user", "setting"}
    secrets = {"servicenow_defender_secrets": str(fleet.secrets)}
    with rulebook(fleet, "repair_drift", drift_report=str(fleet.folder / REPORT), **secrets) as output:
        wait_for(lambda: "PLAY RECAP" in output.read_text(), output)
    assert not kinds(drift(fleet)) & {"oauth_application", "role", "user"}
    stored = [path for path in fleet.secrets.glob("acme-dev/*") if path.is_file()]
    assert stored, "secrets are not in the temporary folder of the run"
    printed = output.read_text()
    assert not [path for path in stored if path.read_text().strip() in printed]


def test_drift_of_settings_is_repaired_by_another_one(fleet: Fleet) -> None:
    before = drift(fleet)["acme-dev"]["drift"]
    with rulebook(fleet, "harden_drift", drift_report=str(fleet.folder / REPORT)) as output:
        wait_for(lambda: "PLAY RECAP" in output.read_text(), output)
    after = drift(fleet)["acme-dev"]["drift"]
    assert len([one for one in after if one["kind"] == "setting"]) < len(
        [one for one in before if one["kind"] == "setting"]
    )


def test_a_threat_posted_with_the_token_ends_the_sign_ins_of_the_user(fleet: Fleet) -> None:
    port = free_port()
    with rulebook(fleet, "respond_to_threat", webhook_port=port, webhook_token=TOKEN) as output:
        wait_for(lambda: post(port, {"user": "alex.wilber@acme.example"}, "another") == 401, output)
        planted = fleet.folder / "planted"
        template = f"{{{{ lookup('ansible.builtin.pipe', 'touch {planted}') }}}}"
        assert post(port, {"user": template}, TOKEN) == 200
        assert post(port, {"user": "alex.wilber@acme.example"}, TOKEN) == 200
        wait_for(lambda: "PLAY RECAP" in output.read_text(), output)
    assert "alex.wilber@acme.example" in output.read_text()
    assert not planted.exists(), "who may post is not who may run commands here"
    assert TOKEN not in output.read_text()
