# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated fleet whose inventory is a folder, as a controller has it, and the commands that the tests run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox.process import PROJECT, SandboxProcess

COLLECTION = "secops.servicenow_defender"
COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(PROJECT / ".cache" / "collections"))


@dataclass(frozen=True)
class Fleet:
    """A sandbox with its inventory, and a folder in which commands run."""

    sandbox: SandboxProcess
    folder: Path

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a command: commands of the virtual environment come first."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_NOCOLOR": "true", **more}

    def play(self, playbook: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection."""
        words = [f"{COLLECTION}.{playbook}", "-i", str(self.inventory), *arguments]
        words += ["-e", f"servicenow_defender_secrets={self.secrets}"]
        return self.run([sys.executable, "-m", "ansible", "playbook", *words], environment)

    def run(self, command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Four instances and a tenant."""
    (tmp_path / "inventory").mkdir()
    with SandboxProcess("--instances", "3", "--inventory", str(tmp_path / "inventory" / "fleet.yml")) as sandbox:
        yield Fleet(sandbox, tmp_path)
