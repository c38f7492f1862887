# SPDX-License-Identifier: GPL-3.0-or-later
"""The fork server of the tests: what it runs behaves as the command does, and nothing outlives its caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration import preload
from tests.integration.commands import STARTED_BY, Commands, ForkServer, run_command

TIMEOUT = 60
CONNECTIONS = Path(__file__).parent / "plugins" / "connection"
# No other process of the machine sleeps as long.
SLEEPS = f"{1000 + os.getpid()}.5"

# What a process knows of itself; the process id and the temporary folder differ from run to run.
FACTS = "import os, sys; print(os.getcwd(), os.environ['TEST_WORD'], os.getsid(0) == os.getpgrp(), sys.stdin.read(), os.isatty(1))"
PLAYS: dict[str, list[dict[str, Any]]] = {
    "itself": [
        {"ansible.builtin.debug": {"msg": "{{ lookup('env', 'TEST_WORD') }} {{ ansible_version.full }} {{ playbook_dir }}"}},
        {"ansible.builtin.debug": {"msg": "{{ lookup('config', 'ANSIBLE_HOME', 'COLLECTIONS_PATHS', 'DEFAULT_FORKS') }}"}},
        {"ansible.builtin.debug": {"msg": "{{ lookup('env', 'HOME') }} {{ lookup('pipe', 'env | cut -d= -f1 | sort') }}"}},
        {"ansible.builtin.command": {"argv": ["{{ ansible_playbook_python }}", "-c", FACTS]}, "register": "facts"},
        {"ansible.builtin.debug": {"var": "facts.stdout"}},
    ],
    "failed": [{"ansible.builtin.fail": {"msg": "refused"}}],
    "unreachable": [{"ansible.builtin.ping": {}, "vars": {"ansible_connection": "ssh", "ansible_host": "nowhere.invalid"}}],
    "misspelt": [{"ansible.builtin.debugg": {"msg": "never shown"}}],
    "undefined": [{"ansible.builtin.debug": {"msg": "{{ (1, 2) | map('string') | first ~ missing.word }}"}, "when": "'\\d' is not none"}],
    "warned": [{"ansible.builtin.debug": {"msg": "shown"}, "vars": {"environment": "a reserved name"}}],
}  # fmt: skip
STATUSES = {"itself": 0, "failed": 2, "unreachable": 4, "misspelt": 4, "undefined": 2, "warned": 0}


ORDINARY: list[dict[str, Any]] = [
    {"ansible.builtin.command": {"argv": ["{{ ansible_playbook_python }}", "-c", FACTS]}, "register": "facts"},
    {"ansible.builtin.debug": {"var": "facts.stdout"}},
    {"ansible.builtin.command": {"cmd": "env"}, "environment": {"TEST_MORE": "more"}, "register": "more"},
    {"ansible.builtin.debug": {"msg": "{{ 'TEST_MORE=more' in more.stdout_lines }}"}},
    {"ansible.builtin.file": {"path": "/nowhere", "state": "file"}, "ignore_errors": True},
    {"ansible.builtin.file": {"path": "/nowhere", "state": "misspelt"}},
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment that the server was started with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTEST_", "TEST_"))}
    home = str(tmp_path_factory.mktemp("home"))
    return {**kept, "ANSIBLE_HOME": home, "ANSIBLE_NOCOLOR": "true", "ANSIBLE_FORKS": "3"}


@pytest.fixture(scope="module")
def server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """A running server."""
    running = ForkServer(tuple(environment.items()), tmp_path_factory.mktemp("empty"))
    yield running
    running.close()


def play(folder: Path, tasks: list[dict[str, Any]], connection: str = "local") -> list[str]:
    """Write a play; return the arguments that run it."""
    path = folder / "play.yml"
    python = {"ansible_python_interpreter": sys.executable}
    path.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "vars": python, "tasks": tasks}]))
    return ["playbook", "-i", "localhost,", "-c", connection, str(path)]


def processes_of(word: str, parent: int = 0) -> list[int]:
    """Return the processes whose command line holds a word, the children of one process if it is given."""
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    split = [line.split(None, 2) for line in lines]
    return [int(pid) for pid, ppid, words in split if word in words and parent in (0, int(ppid))]


def wait_until(reached: Any) -> None:
    end = time.monotonic() + TIMEOUT
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("name", PLAYS)
def test_a_run_prints_and_ends_as_the_command_does(
    server: ForkServer, environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    arguments = play(tmp_path, PLAYS[name])
    own = {"TEST_WORD": f"word of {name}"}
    temporary = set(Path(environment["ANSIBLE_HOME"], "tmp").iterdir())
    assert len(temporary) == 1, "that of the server"
    expected = run_command([*STARTED_BY, *arguments], tmp_path, {**environment, **own}, TIMEOUT)
    assert expected[0] == STATUSES[name], expected[1]
    for _ in range(2):
        assert server.run(arguments, tmp_path, {**environment, **own}, TIMEOUT) == expected
    assert set(Path(environment["ANSIBLE_HOME"], "tmp").iterdir()) == temporary, "each run removes its own"


def test_ordinary_modules_end_as_those_of_the_command_do(environment: dict[str, str], tmp_path: Path) -> None:
    plugins = {"ANSIBLE_CONNECTION_PLUGINS": str(CONNECTIONS), "ANSIBLE_PIPELINING": "true", "TEST_WORD": "word"}
    command = [*STARTED_BY, *play(tmp_path, ORDINARY, "elsewhere")]
    with Commands(tmp_path) as commands:
        served = [commands.run(command, tmp_path, {**environment, **plugins}, TIMEOUT) for _ in range(2)]
    expected = run_command(command, tmp_path, {**environment, **plugins}, TIMEOUT)
    assert expected[0] == 2, expected[1]
    assert served == [expected, expected]


WAITING = """
before = time.monotonic()
time.sleep(2)
waited = time.monotonic() - before
"""


def test_the_collection_waits_for_a_part_of_the_time_that_its_clock_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, slept = time.monotonic, []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", clock)
    preload.shorten_waits()
    waited = {}
    for name in ("ansible_collections.secops.servicenow_defender.plugins", "ansible.plugins"):
        scope: dict[str, Any] = {"__name__": name, "time": time}
        exec(WAITING, scope)
        waited[name.split(".")[0]] = scope["waited"]
    assert slept == [2 / preload.SHORTENING, 2]
    assert waited["ansible_collections"] >= 2 - slept[0] > waited["ansible"]


def test_the_command_line_is_refused_as_the_command_does(
    server: ForkServer, environment: dict[str, str], tmp_path: Path
) -> None:
    for arguments in (
        ["playbook", "--no-such-option"],
        ["playbook", "nowhere.yml"],
        ["playbook", "--version"],
        ["dance"],
    ):
        expected = run_command([*STARTED_BY, *arguments], tmp_path, environment, TIMEOUT)
        assert server.run(arguments, tmp_path, environment, TIMEOUT) == expected


@pytest.mark.parametrize("by_server", [False, True])
def test_a_run_that_lasts_too_long_is_killed_with_its_workers(
    environment: dict[str, str], tmp_path: Path, by_server: bool
) -> None:
    arguments = play(tmp_path, [{"ansible.builtin.command": {"argv": ["sleep", SLEEPS]}}])
    with pytest.raises(subprocess.TimeoutExpired):
        if by_server:
            server = ForkServer(tuple(environment.items()), tmp_path)
            server.run(arguments, tmp_path, environment, 5)
        else:
            run_command([*STARTED_BY, *arguments], tmp_path, environment, 5)
    # A process that was killed is there until the kernel has ended it.
    wait_until(lambda: not processes_of(SLEEPS))
    wait_until(lambda: not processes_of(str(tmp_path)))
    if by_server:
        server.close()


CALLER = """
import os, sys
from pathlib import Path
from tests.integration.commands import ForkServer
server = ForkServer(tuple(os.environ.items()), Path(sys.argv[1]))
server.run(sys.argv[2:], Path(sys.argv[1]), os.environ, 60)
"""


def test_nothing_outlives_a_caller_that_is_killed(environment: dict[str, str], tmp_path: Path) -> None:
    arguments = play(tmp_path, [{"ansible.builtin.command": {"argv": ["sleep", SLEEPS]}}])
    paths = os.pathsep.join(path for path in sys.path if path)
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(tmp_path), *arguments],
        env={**environment, "PYTHONPATH": paths, "TEST_CALLER": "yes"},
        stdin=subprocess.DEVNULL,
    )
    wait_until(lambda: processes_of(SLEEPS))
    (server,) = processes_of("fork_server.py", caller.pid)
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    wait_until(lambda: not processes_of(SLEEPS) and server not in processes_of("fork_server.py"))


def test_an_environment_is_served_at_once_or_from_the_second_time_on(
    environment: dict[str, str], tmp_path: Path
) -> None:
    before = len(processes_of("fork_server.py", os.getpid()))
    arguments = play(tmp_path, PLAYS["failed"])
    with Commands(tmp_path) as commands:
        for times, name, expected in ((1, "one", 2), (2, "one", 2), (3, "two", 2), (4, "two", 4)):
            own = {"TEST_WORD": str(times), "ANSIBLE_TEST": name}
            status, _ = commands.run([*STARTED_BY, *arguments], tmp_path, {**environment, **own}, TIMEOUT)
            assert status == 2
            assert len(processes_of("fork_server.py", os.getpid())) == before + expected
    assert len(processes_of("fork_server.py", os.getpid())) == before


def test_a_server_that_would_have_warned_is_not_used(environment: dict[str, str], tmp_path: Path) -> None:
    wrong = {**environment, "ANSIBLE_FORKS": "many"}
    with pytest.raises(OSError, match="ANSIBLE_FORKS|many"):
        ForkServer(tuple(wrong.items()), tmp_path)
