# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the local connection of ansible, and those that extend it, run ordinary modules by the fork server of modules."""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import tempfile
from typing import Any

# Where runs find the server.
ADDRESS = "TEST_MODULE_SERVER"


def run_modules_there() -> None:
    """Send what `python` is to run to the server, if there is one; all else runs as before."""
    connection: Any = importlib.import_module("ansible.plugins.connection.local").Connection
    execute = connection.exec_command

    def execute_there(
        self: Any, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        path = os.environ.get(ADDRESS)
        if path and in_data is not None and cmd == f"/bin/sh -c '{sys.executable} && sleep 0'":
            return run_program(path, in_data)
        done: tuple[int, bytes, bytes] = execute(self, cmd, in_data, sudoable)
        return done

    connection.exec_command = execute_there


def run_program(path: str, program: bytes) -> tuple[int, bytes, bytes]:
    """Run a program of Python by the server behind a socket; return its status, output and errors."""
    request: dict[str, Any] = {"arguments": [], "folder": os.getcwd(), "environment": dict(os.environ)}
    with (
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        socket.socket(socket.AF_UNIX) as server,
        server.makefile("r") as answers,
    ):
        source.write(program)
        source.seek(0)
        server.connect(path)
        assert answers.readline() == "ready\n"
        descriptors = [file.fileno() for file in (source, output, errors)]
        socket.send_fds(server, [json.dumps(request).encode() + b"\n"], descriptors)
        _child, status = answers.readline(), int(answers.readline())
        output.seek(0)
        errors.seek(0)
        return status, output.read(), errors.read()
