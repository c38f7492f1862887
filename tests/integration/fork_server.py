# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has done imports and forks a child for each run of a program, which is spared them. There are two kinds.

*ansible* runs `python -m ansible`. ansible reads its configuration from the environment when it is imported, so a server
has one environment: exactly that of its runs, but for the variables of `PER_RUN`, which plugins read when they run;
it imports in a folder that holds no configuration. It has also imported the collections of that environment, loaded ansible-core's
plugins, and remembers templates and files (`remembered.py`). A child differs from the command in when that was done, in the seed
of hashes and the archives of ordinary modules, which it shares with the other children, in its waits, in that tasks which
ansible-core computes itself have no worker (`own_process.py`), and in that ordinary modules are run by a server of the other kind
(`module_server.py`).

*modules* runs ordinary modules, whose program Ansible sends to the standard input of `python`. It has imported what modules
need of Python's own and of other libraries, nothing of Ansible or the collection, and any environment will do. Of those two it
has compiled the files only. A child differs from `python` in when the imports were done, and in its waits.

In the children of both kinds, the collection waits for a small part of the time (`preload.shorten_waits`).

Usage: `python fork_server.py ansible NUMBER` or `python fork_server.py modules NUMBER PATH`, where NUMBER is the file
descriptor of a connected socket and PATH that of the one to make for callers. The server sends `ready`. For each run the
caller sends one line of JSON with the descriptors of the run's input, output and errors; the server answers with the process
id of the child, and with its exit status when it has ended. When the caller is gone, the child is killed.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PER_RUN = ("PYTEST_", "SERVICENOW_DEFENDER_", "TEST_")
ANSIBLE, MODULES = "ansible", "modules"
MAX_REQUEST = 65536
ARCHIVES = "ansiballz_cache"


def tree(root: int) -> set[int]:
    """Return a process and all that descend from it: the workers of ansible are in sessions of their own."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def end_tree(root: int) -> None:
    """Kill a process and all that descend from it; they are stopped first, as each could start another one in the meantime."""
    stopped: set[int] = set()
    while more := tree(root) - stopped:
        send(signal.SIGSTOP, more)
        stopped |= more
    send(signal.SIGKILL, stopped)


def send(number: signal.Signals, processes: Iterable[int]) -> None:
    """Send a signal to the processes that still exist."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def take_place(request: Mapping[str, Any], descriptors: Iterable[int]) -> None:
    """Give this process the place of the program that it is to run: session, files, folder and environment."""
    os.setsid()
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["", *request["arguments"]]


def run_ansible() -> None:
    """Do what `python -m ansible` does."""
    sys.path[0] = os.getcwd()
    # The temporary folder is made on import and removed at the end: each command has its own.
    constants: Any = importlib.import_module("ansible.constants")
    manager: Any = importlib.import_module("ansible.config.manager")
    manager.atexit.unregister(manager.cleanup_tmp_file)
    archives = Path(constants.DEFAULT_LOCAL_TMP, ARCHIVES)
    constants.DEFAULT_LOCAL_TMP = constants.config.get_config_value("DEFAULT_LOCAL_TMP")
    archives.mkdir(exist_ok=True)
    Path(constants.DEFAULT_LOCAL_TMP, ARCHIVES).symlink_to(archives)
    runpy.run_module("ansible", run_name="__main__", alter_sys=True)


def run_module() -> None:
    """Do what `python` does with a program on its standard input."""
    sys.path[0] = ""
    main_module = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(sys.stdin.buffer.read(), "<stdin>", "exec", dont_inherit=True), main_module.__dict__)


class Server:
    """Waits for requests on a socket and runs each in a child, once it has called `learn` with the arguments."""

    def __init__(self, caller: socket.socket, learn: Callable[[Sequence[str]], None]) -> None:
        self.caller, self.learn = caller, learn
        self.ended, self.end = os.pipe()
        for descriptor in (self.ended, self.end):
            os.set_blocking(descriptor, False)

    def serve(self) -> bool:
        """Return True in a child, which is to run the program, and False in the server when the caller is gone."""
        # Any handler will do: it is the number on the pipe that wakes the server up.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.end)
        self._send("ready")
        while True:
            line, descriptors, _flags, _address = socket.recv_fds(self.caller, MAX_REQUEST, 3)
            if not line:
                return False
            request = json.loads(line)
            self.learn(request["arguments"])
            child = os.fork()
            if not child:
                self._leave()
                take_place(request, descriptors)
                return True
            for descriptor in descriptors:
                os.close(descriptor)
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
                os.read(self.ended, MAX_REQUEST)
            elif not self.caller.recv(1, socket.MSG_PEEK):
                end_tree(child)
                os.waitpid(child, 0)
                return False


def accept(starter: socket.socket, path: str) -> socket.socket | None:
    """Return the connection of a caller, in a process of its own; None when the process that started the server is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        starter.sendall(b"ready\n")
        while True:
            ready, _, _ = select.select([listener.fileno(), starter.fileno()], [], [])
            if starter.fileno() in ready:
                return None
            caller, _address = listener.accept()
            if not os.fork():
                starter.close()
                return caller
            caller.close()


def main(kind: str, number: str, path: str = "") -> None:
    """Serve until the caller is gone; in a child, run the program."""
    preload: Any = importlib.import_module("preload")
    remembered: Any = importlib.import_module("remembered")
    own_process: Any = importlib.import_module("own_process")
    module_server: Any = importlib.import_module("module_server")
    # The folder of this file is not among those of the programs.
    sys.path[0] = os.getcwd()
    caller: socket.socket | None = socket.socket(fileno=int(number))
    preload.shorten_waits()
    if kind == ANSIBLE:
        preload.preload_ansible()
        own_process.run_here()
        module_server.run_modules_there()
        learn = remembered.remember()
    else:
        preload.preload_modules()
        learn = remembered.nothing
    gc.collect()
    gc.freeze()
    if kind == MODULES and caller:
        caller = accept(caller, path)
    if caller and Server(caller, learn).serve():
        run_ansible() if kind == ANSIBLE else run_module()


if __name__ == "__main__":
    main(*sys.argv[1:])
