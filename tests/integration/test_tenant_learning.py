# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook learn_contract: what it saves, and when it refuses to."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.playbooks import Playbooks, Run
from tests.integration.tenant import HOST, learn, learn_from
from tests.integration.test_leaks import found_in
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import WIZARD, capture

SECRET = ("password", "client_secret")


def session_values(har: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of all cookies and XSRF tokens of a capture."""
    found: dict[str, str] = {}
    for entry in har["log"]["entries"]:
        for header in entry["request"]["headers"]:
            if header["name"].lower() in ("cookie", "x-xsrf-token"):
                found[f"{header['name']} {len(found)}"] = header["value"]
    return found


def test_a_contract_is_recorded_and_holds_no_secret(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    run, path = learn(playbook, sandbox.base_url)
    run.went_well()
    contract = yaml.safe_load(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "create" in contract["operations"]
    har, typed = capture(WIZARD, sandbox.base_url)
    secrets = {name: typed[name] for name in SECRET} | session_values(har)
    assert len(secrets) > len(SECRET)
    assert not found_in(path.read_text(), secrets)
    assert not found_in(run.output, secrets)
    assert typed["instance_url"] not in path.read_text()
    again, _ = learn(playbook, sandbox.base_url)
    assert again.went_well().recap["localhost"]["changed"] == 0


CASES = {
    "a value that was not typed": (
        {"password": "never typed here"},
        "password: not found in the requests of the wizard",
    ),
    "an unknown option": ({"realm": "something"}, "learn_contract_values accepts name, instance_url"),
    "a value too short": ({"username": "x"}, "username: too short to be found reliably"),
    "two of one value": ({"client_id": "svc_ansible"}, "have the same value"),
}


@pytest.mark.parametrize("name", CASES)
def test_values_that_do_not_fit_are_refused(playbook: Playbooks, sandbox: SandboxProcess, name: str) -> None:
    changes, words = CASES[name]
    _, typed = capture(WIZARD, sandbox.base_url)
    run, path = learn(playbook, sandbox.base_url, values=typed, **changes)
    assert_refused(run, path, words, {each: typed[each] for each in SECRET} | {"changed": changes.get("password", "")})


def refused_by_the_portal(har: dict[str, Any]) -> str:
    for entry in har["log"]["entries"]:
        entry["response"]["status"] = 403
    return json.dumps(har)


def without_the_wizard(har: dict[str, Any]) -> str:
    entries = har["log"]["entries"]
    har["log"]["entries"] = [entry for entry in entries if entry["request"]["method"] == "GET"]
    return json.dumps(har)


def of_another_kind(har: dict[str, Any]) -> str:
    return json.dumps({"version": har["log"]["version"]})


RECORDS = {
    "no record": (of_another_kind, "not a HAR file: log.entries is missing"),
    "refused": (refused_by_the_portal, "the portal refused every request of the wizard"),
    "no wizard": (without_the_wizard, ""),
}


@pytest.mark.parametrize("name", RECORDS)
def test_records_that_show_no_connection_are_refused(playbook: Playbooks, sandbox: SandboxProcess, name: str) -> None:
    change, words = RECORDS[name]
    har, typed = capture(WIZARD, sandbox.base_url)
    run, path = learn_from(playbook, change(har), typed)
    assert_refused(run, path, words, {each: typed[each] for each in SECRET})


def test_what_is_missing_is_named(playbook: Playbooks) -> None:
    run = playbook("learn_contract", {HOST: {}}, variables={"learn_contract_name": "acme"})
    assert run.status != 0
    assert "learn_contract needs learn_contract_har" in run["Validate that all variables are set"].message


def assert_refused(run: Run, path: Path, words: str, secrets: dict[str, str]) -> None:
    assert run.status != 0
    assert "learn_contract: " in run.output
    assert words in " ".join(run.output.split())
    assert not found_in(run.output, {name: secret for name, secret in secrets.items() if secret})
    assert not path.exists()
