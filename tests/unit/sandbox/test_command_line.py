# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: inventory, TLS, state, many instances, stopping."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml  # type: ignore[import-untyped, unused-ignore]

from tests.sandbox.process import PROJECT, SandboxError, SandboxProcess


def session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    return made


def read_inventory(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_inventory_has_the_fleet_and_the_tenant(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    with SandboxProcess("--instances", "3", "--inventory", str(path), "--seed", "7") as sandbox:
        groups = read_inventory(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        hosts = groups["servicenow"]["hosts"]
        assert list(hosts) == ["acme-dev", "acme-test", "acme-prod"]
        assert groups["servicenow"]["vars"] == {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        assert list(groups["defender"]["hosts"]) == ["tenant"]
        for name, host in hosts.items():
            assert host["snow_url"] == f"{sandbox.base_url}/{name}"
            answer = session().get(
                f"{host['snow_url']}/api/now/table/sys_user", auth=(host["snow_username"], host["snow_password"])
            )
            assert answer.status_code == 200
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_seed_gives_the_same_passwords(tmp_path: Path) -> None:
    passwords = []
    for seed in ("7", "7", "8"):
        path = tmp_path / "inventory.yml"
        with SandboxProcess("--instances", "1", "--inventory", str(path), "--seed", seed):
            passwords.append(read_inventory(path)["servicenow"]["hosts"]["acme-dev"]["snow_password"])
    assert passwords[0] == passwords[1] != passwords[2]


def test_five_hundred_instances_start_fast_and_stay_light(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    started = time.monotonic()
    with SandboxProcess("--instances", "500", "--inventory", str(path)) as sandbox:
        # About a second on an idle machine; much else may run on this one.
        assert time.monotonic() - started < 60
        hosts = read_inventory(path)["servicenow"]["hosts"]
        assert (len(hosts), list(hosts)[0], list(hosts)[-1]) == (500, "acme-001", "acme-500")
        status = Path(f"/proc/{sandbox.pid}/status")
        if status.exists():
            resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
            assert int(resident.split()[1]) < 150_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    sandbox = SandboxProcess("--instances", "1")
    with session() as open_connection:
        open_connection.get(f"{sandbox.base_url}/_sandbox")
        assert sandbox.stop(number) == 0


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    arguments = ("--instances", "2", "--state", str(state))
    with SandboxProcess(*arguments) as sandbox:
        sandbox.tamper("acme-dev", "oauth_entity", {"name": "Kept", "client_secret": "s"}, insert=True)
        sandbox.new_instance("extra", release="xanadu", faults=[{"kind": "503", "count": 3}])
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    with SandboxProcess(*arguments) as sandbox:
        assert [row for row in sandbox.state("acme-dev", "oauth_entity") if row["name"] == "Kept"]
        assert not [row for row in sandbox.state("acme-test", "oauth_entity") if row["name"] == "Kept"]
        assert session().get(f"{sandbox.base_url}/extra/api/now/table/sys_user").status_code == 503
        shown = session().get(f"{sandbox.base_url}/_sandbox/instances/extra").json()
        assert (shown["release"], shown["knobs"]["faults"][0]["count"]) == ("xanadu", 2)


def test_switches_reach_every_instance(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    switches = ("--basic-auth-enforced", "--release", "australia", "--latency", "50", "--fault", "429:0.5")
    with SandboxProcess("--instances", "1", "--inventory", str(path), *switches) as sandbox:
        shown = session().get(f"{sandbox.base_url}/_sandbox/instances/acme-dev").json()
        assert shown["knobs"]["basic_auth_enforced"] is True
        assert (shown["release"], shown["knobs"]["latency_ms"]) == ("australia", 50.0)
        url = f"{sandbox.base_url}/acme-dev/stats.do"
        started = time.monotonic()
        assert {session().get(url).status_code for _ in range(16)} == {200, 429}
        assert time.monotonic() - started > 16 * 0.05


def test_tls_trusts_its_own_authority_and_its_client_certificates(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    with SandboxProcess("--instances", "1", "--tls", "--inventory", str(path)) as sandbox:
        groups = read_inventory(path)
        authority = groups["servicenow"]["vars"]["ca_path"]
        assert Path(authority).parent == tmp_path
        url = groups["servicenow"]["hosts"]["acme-dev"]["snow_url"] + "/api/now/ui/user/current_user"
        assert url.startswith("https://127.0.0.1:")
        with pytest.raises(requests.exceptions.SSLError):
            session().get(url)
        assert session().get(url, verify=authority).status_code == 401
        access = sandbox.new_instance("acme-dev")
        assert stat.S_IMODE(Path(access.client_key).stat().st_mode) == 0o600
        answer = session().get(url, verify=authority, cert=(access.client_cert, access.client_key))
        assert answer.json()["result"]["user_name"] == "svc_ansible"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--fault", "nonsense:1"], "unknown fault kind"),
        (["--fault", "500:much"], "could not convert"),
        (["--release", "oslo"], "invalid choice"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: list[str], complaint: str) -> None:
    command = [sys.executable, "-m", "tests.sandbox", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, complaint in done.stderr) == (2, True)


def test_a_port_in_use_is_an_error_in_one_line() -> None:
    with SandboxProcess("--instances", "1") as sandbox:
        port = sandbox.base_url.rpartition(":")[2]
        command = [sys.executable, "-m", "tests.sandbox", "--port", port]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        with pytest.raises(SandboxError, match="did not start"):
            SandboxProcess("--port", port)


def test_the_help_lists_every_option_and_fault() -> None:
    command = [sys.executable, "-m", "tests.sandbox", "--help"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)
    for word in ("--instances", "--inventory", "--state", "--tls", "500-after-commit", "_sandbox"):
        assert word in "".join(done.stdout.split()), "lines break after hyphens"


def test_nothing_is_imported_from_the_collection() -> None:
    code = (
        "import json, sys, tests.sandbox.__main__; "
        "print(json.dumps([name for name in sys.modules if 'ansible' in name or name.startswith('plugins')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(done.stdout) == []
