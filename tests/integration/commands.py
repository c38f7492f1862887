# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `python -m ansible` to its end: by the command itself, or by a fork server, which spares the imports."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.integration import fork_server
from tests.integration.fork_server import ANSIBLE, MODULES, PER_RUN, end_tree
from tests.integration.module_server import ADDRESS

# Of environments; one holds some 90 MB.
MAX_SERVERS = 3
START_TIMEOUT = 60
# Set to anything, all runs are by the command itself.
REAL_COMMANDS = "REAL_COMMANDS"
STARTED_BY = [sys.executable, "-m", "ansible"]

Environment = tuple[tuple[str, str], ...]


def run_command(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> tuple[int, str]:
    """Run a command with the environment in the folder; return its status and what it printed.

    It and all that it started are killed after `timeout` seconds, and when the test is interrupted.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout)
        except BaseException:
            end_tree(process.pid)
            process.wait()
            raise
        return status, content(output)


def content(output: IO[bytes]) -> str:
    """Return the text of a file."""
    output.seek(0)
    return output.read().decode()


class ForkServer:
    """A running fork server; raises `OSError` when it does not start without a word."""

    def __init__(self, environment: Environment, folder: Path, *arguments: str) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(START_TIMEOUT)
        self._answers = self._socket.makefile("r")
        kind, *more = arguments or (ANSIBLE,)
        with theirs, tempfile.TemporaryFile() as output:
            self._process = subprocess.Popen(
                [sys.executable, str(fork_server.__file__), kind, str(theirs.fileno()), *more],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
            answer = self._answer()
            # A warning on import would be missing from the output of each run.
            if answer != "ready" or content(output):
                self.close()
                raise OSError(f"the fork server answers {answer!r}: {content(output)}")

    def _answer(self) -> str:
        return self._answers.readline().strip()

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> tuple[int, str]:
        """Run `python -m ansible` with the arguments, as `run_command` does."""
        request = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        with tempfile.TemporaryFile() as output, open(os.devnull, "rb") as nothing:
            self._socket.settimeout(timeout)
            descriptors = [nothing.fileno(), output.fileno(), output.fileno()]
            socket.send_fds(self._socket, [json.dumps(request).encode() + b"\n"], descriptors)
            child = int(self._answer())
            try:
                status = int(self._answer())
            except TimeoutError as error:
                end_tree(child)
                raise subprocess.TimeoutExpired(list(arguments), timeout, content(output)) from error
            return status, content(output)

    def close(self) -> None:
        """End the server, and the run that it is in, and wait for both."""
        self._answers.close()
        self._socket.close()
        self._process.wait()


class Servers:
    """The fork servers of one environment: that of the command, and that of the ordinary modules it runs."""

    def __init__(self, environment: Environment, folder: Path, path: Path) -> None:
        self._path = str(path)
        self._modules = ForkServer(environment, folder, MODULES, self._path)
        try:
            self._ansible = ForkServer(environment, folder)
        except OSError:
            self._modules.close()
            raise

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> tuple[int, str]:
        """Run `python -m ansible` with the arguments, as `run_command` does."""
        return self._ansible.run(arguments, folder, {**environment, ADDRESS: self._path}, timeout)

    def close(self) -> None:
        """End both, and the run that they are in."""
        self._ansible.close()
        self._modules.close()


class Commands:
    """Runs commands, those of the first environment and of all that come again by a fork server. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "ansible"
        self._folder = folder / "empty"
        self._folder.mkdir()
        self._sockets = itertools.count()
        self._seen: Counter[Environment] = Counter()
        self._servers: OrderedDict[Environment, Servers | None] = OrderedDict()

    def __enter__(self) -> Commands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._servers:
            self._close(next(iter(self._servers)))

    def run(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> tuple[int, str]:
        """Run a command that starts with the words of `STARTED_BY`, as `run_command` does."""
        common = tuple(sorted((name, value) for name, value in environment.items() if not name.startswith(PER_RUN)))
        server = None if (folder / "ansible.cfg").exists() else self._server(common)
        if not server or list(command[:3]) != STARTED_BY:
            return run_command(command, folder, environment, timeout)
        try:
            return server.run(command[3:], folder, environment, timeout)
        except BaseException:
            # It may still be in a run whose answers would be taken for those of the next.
            self._close(common)
            raise

    def forget_calls(self) -> None:
        """Remove the records of calls to tenants, whose rate is limited across runs: the next test has a tenant of its own."""
        for record in self.home.glob("tmp/servicenow_defender-*/*.calls"):
            record.unlink()

    def _server(self, environment: Environment) -> Servers | None:
        """Return the server of the environment; None where none can be, and the first time that it is another one than before:
        few of those are seen again.
        """
        self._seen[environment] += 1
        is_new = self._seen[environment] == 1 and len(self._seen) > 1
        if is_new or os.environ.get(REAL_COMMANDS) or not hasattr(os, "fork"):
            return None
        if environment not in self._servers:
            if len(self._servers) == MAX_SERVERS:
                self._close(next(iter(self._servers)))
            self._servers[environment] = None
            with suppress(OSError):
                path = self._folder.parent / f"modules-{next(self._sockets)}"
                self._servers[environment] = Servers(environment, self._folder, path)
        self._servers.move_to_end(environment)
        return self._servers[environment]

    def _close(self, environment: Environment) -> None:
        server = self._servers.pop(environment)
        if server:
            server.close()
