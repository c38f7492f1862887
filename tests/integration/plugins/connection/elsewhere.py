# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine under another name: a task on it is delegated as far as Ansible is concerned, so it runs as an ordinary module."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from typing import Any

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = r"""
name: elsewhere
short_description: The local connection under another name
description: For tests only.
extends_documentation_fragment: [connection_pipelining]
"""


class Connection(LocalConnection):  # type: ignore[misc]  # ansible-core declares no types
    """Runs commands here and claims to be somewhere else."""

    transport = "elsewhere"

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command; by the fork server of modules if there is one and `python` is to run what it is sent."""
        path = os.environ.get("TEST_MODULE_SERVER")
        if path and in_data is not None and cmd == f"/bin/sh -c '{sys.executable} && sleep 0'":
            return run_program(path, in_data)
        done: tuple[int, bytes, bytes] = super().exec_command(cmd, in_data, sudoable)
        return done


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
