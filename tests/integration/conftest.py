# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated fleet for each test process, a fresh instance for each test, and a way to run playbooks on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands import Commands
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.sandbox.process import SandboxProcess

NewInstance = Callable[..., Instance]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    """The simulated fleet of this test process."""
    with SandboxProcess() as running:
        yield running


@pytest.fixture
def new_instance(sandbox: SandboxProcess) -> Iterator[NewInstance]:
    """A maker of fresh instances with some knobs turned."""
    made: list[str] = []

    def make(**knobs: Any) -> Instance:
        access = sandbox.new_instance(**knobs)
        made.append(access.name)
        return Instance(sandbox, access)

    yield make
    for name in made:
        sandbox.remove(name)


@pytest.fixture
def instance(new_instance: NewInstance) -> Instance:
    """A fresh instance."""
    return new_instance()


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """The fork servers of this test process."""
    with Commands(tmp_path_factory.mktemp("commands")) as running:
        yield running


@pytest.fixture
def playbook(tmp_path: Path, sandbox: SandboxProcess, commands: Commands) -> Playbooks:
    """A way to run tasks and playbooks."""
    return Playbooks(tmp_path, sandbox.base_url, commands)


@pytest.fixture
def real_playbook(tmp_path: Path, sandbox: SandboxProcess) -> Playbooks:
    """A way to run tasks and playbooks by the command itself, as users do."""
    return Playbooks(tmp_path, sandbox.base_url)


@pytest.fixture
def tenant(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> Defender:
    """A tenant of one subscription with the plan on, and one instance."""
    return Defender(playbook, sandbox, instance, subscriptions=1)
