# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has imported ansible and forks a child for each `python -m ansible playbook`: it saves the imports.

ansible reads its configuration from the environment when it is imported. So a server serves one environment: it is started
with exactly that of its runs, but for the variables of `PER_RUN`, which only the tests' own plugins read, and in
a folder that holds no configuration. What it imports it imports as the command does. A child differs from the command only
in when the imports were done, and in the seed of hashes that it shares with the other children.

Usage: `python fork_server.py NUMBER`, where NUMBER is the file descriptor of a connected socket. The caller sends one line of
JSON for each run with the descriptor of the run's output; the server answers with the process id of the child, and with its
exit status when it has ended. When the caller is gone, the child is killed and the server ends.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PER_RUN = ("TEST_", "PYTEST_")
LARGEST_REQUEST = 65536
# What every play imports besides the command: ansible-core's own plugins, and what the collection needs.
LATER = (
    "ansible.executor.process.worker",
    "ansible.executor.task_executor",
    "ansible.parsing.yaml.dumper",
    "ansible.playbook.handler_task_include",
    "ansible.playbook.included_file",
    "ansible.playbook.role_include",
    "ansible.plugins.become.su",
    "ansible.plugins.become.sudo",
    "ansible.plugins.cache.memory",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "ansible.plugins.connection.ssh",
    "ansible.plugins.inventory.host_list",
    "ansible.plugins.inventory.ini",
    "ansible.plugins.inventory.yaml",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
    "ansible.plugins.vars.host_group_vars",
    "ansible.utils.encrypt",
    "ansible.utils.unsafe_proxy",
    "jmespath",
    "multiprocessing.popen_fork",
    "multiprocessing.synchronize",
    "requests",
    "xml.etree.ElementTree",
)


def end_tree(root: int) -> None:
    """Kill a process and all that descends from it: the workers of ansible are in sessions of their own."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def preload() -> None:
    """Import what the command imports, and compile and parse beforehand what is only compiled and parsed."""
    importlib.import_module("ansible.cli.playbook")
    for name in LATER:
        with suppress(ImportError):
            importlib.import_module(name)
    finder: Any = importlib.import_module("ansible.utils.collection_loader._collection_finder")
    # The same bytes give the same code, and the same table of redirections.
    finder.compile = functools.cache(compile)
    for folder in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep):
        for path in Path(folder, "ansible_collections").glob("*/*/plugins/**/*.py"):
            source, filename = path.read_bytes(), str(path)
            finder.compile(source=source, filename=filename, mode="exec", flags=0, dont_inherit=True)
    finder._meta_yml_to_dict = functools.cache(finder._meta_yml_to_dict)
    routing = Path(importlib.import_module("ansible").__file__ or "").parent / "config" / "ansible_builtin_runtime.yml"
    if routing.exists():
        finder._meta_yml_to_dict(routing.read_bytes(), ("ansible.builtin", "runtime.yml"))
    gc.collect()
    gc.freeze()


def become_command(request: Mapping[str, Any], output: int) -> None:
    """Make this process what `python -m ansible` would be before its first line."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, standard)
    os.close(nothing)
    os.close(output)
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    sys.argv = ["ansible", *request["arguments"]]
    sys.path[0] = request["folder"]
    # The temporary folder is made on import and removed at the end: each command has its own.
    constants: Any = importlib.import_module("ansible.constants")
    manager: Any = importlib.import_module("ansible.config.manager")
    manager.atexit.unregister(manager.cleanup_tmp_file)
    constants.DEFAULT_LOCAL_TMP = constants.config.get_config_value("DEFAULT_LOCAL_TMP")


class Server:
    """Waits for requests on a socket and runs each in a child."""

    def __init__(self, caller: socket.socket) -> None:
        self.caller = caller
        self.ended, self.end = os.pipe()
        for descriptor in (self.ended, self.end):
            os.set_blocking(descriptor, False)

    def serve(self) -> bool:
        """Return True in a child, which is to run the command, and False in the server when the caller is gone."""
        # Any handler will do: it is the number on the pipe that wakes the server up.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.end)
        self._send("ready")
        while True:
            line, descriptors, _flags, _address = socket.recv_fds(self.caller, LARGEST_REQUEST, 1)
            if not line:
                return False
            child = os.fork()
            if not child:
                self._leave()
                become_command(json.loads(line), descriptors[0])
                return True
            os.close(descriptors[0])
            self._send(str(child))
            if not self._wait(child):
                return False

    def _send(self, word: str) -> None:
        with suppress(BrokenPipeError):
            self.caller.sendall(f"{word}\n".encode())

    def _leave(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.caller.close()
        os.close(self.ended)
        os.close(self.end)

    def _wait(self, child: int) -> bool:
        """Wait until the child has ended and answer with its status; False when the caller is gone before."""
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._send(str(os.waitstatus_to_exitcode(status)))
                return True
            ready, _, _ = select.select([self.caller.fileno(), self.ended], [], [])
            if self.ended in ready:
                os.read(self.ended, LARGEST_REQUEST)
            elif not self.caller.recv(1, socket.MSG_PEEK):
                end_tree(child)
                os.waitpid(child, 0)
                return False


def main(number: int) -> None:
    """Serve until the caller is gone; in a child, run the command as `python -m ansible` does."""
    # The folder of this file is not among those of the command.
    sys.path[0] = os.getcwd()
    preload()
    if Server(socket.socket(fileno=number)).serve():
        import runpy

        runpy.run_module("ansible", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
