# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated fleet for each test process, a fresh instance for each test, and a way to run playbooks on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands import Commands
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.integration.sampling import ALWAYS, WALK, sample
from tests.integration.saved_fleets import SavedFleets
from tests.integration.tenant import learn, learn_data_connector
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import DATA_CONNECTOR

NewInstance = Callable[..., Instance]
Learned = Callable[[str], Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sample", metavar="SEED", help="run some cases of each walk, chosen by the seed")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{WALK}(count): of all cases of this test, or tests of this file, a sample has this number"
    )
    config.addinivalue_line("markers", f"{ALWAYS}: each sample of the file has this test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.getoption("--sample")
    if seed:
        left_out = sample(items, seed)
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seed = config.getoption("--sample")
    if seed:
        terminalreporter.write_line(f"of the walks a sample was run, SEED={seed}; `make walks` runs all")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    """The simulated fleet of this test process."""
    with SandboxProcess() as running:
        yield running


@pytest.fixture
def new_instance(sandbox: SandboxProcess) -> Iterator[NewInstance]:
    """A maker of fresh instances with some knobs turned."""
    made: list[Instance] = []

    def make(**knobs: Any) -> Instance:
        made.append(Instance(sandbox, sandbox.new_instance(**knobs), **knobs))
        return made[-1]

    yield make
    for each in made:
        sandbox.remove(each.name)


@pytest.fixture
def instance(new_instance: NewInstance) -> Instance:
    """A fresh instance."""
    return new_instance()


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """The fork servers of this test process."""
    with Commands(tmp_path_factory.mktemp("commands")) as running:
        yield running


@pytest.fixture(scope="session")
def saved_fleets(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> SavedFleets:
    """The fleets that a test of this process has onboarded for others."""
    return SavedFleets(sandbox, tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="session")
def learned(sandbox: SandboxProcess, commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """What returns the file of the contract that is learned from a kept capture, once for all tests of this process."""

    @cache
    def contract(name: str) -> Path:
        learn_it = learn_data_connector if name.startswith(DATA_CONNECTOR) else learn
        playbooks = Playbooks(tmp_path_factory.mktemp("learned"), sandbox.base_url, commands)
        run, path = learn_it(playbooks, sandbox.base_url, name)
        run.went_well()
        return path

    return contract


@pytest.fixture
def playbook(tmp_path: Path, sandbox: SandboxProcess, commands: Commands, saved_fleets: SavedFleets) -> Playbooks:
    """A way to run tasks and playbooks."""
    commands.forget_calls()
    return Playbooks(tmp_path, sandbox.base_url, commands, saved_fleets)


@pytest.fixture
def real_playbook(tmp_path: Path, sandbox: SandboxProcess) -> Playbooks:
    """A way to run tasks and playbooks by the command itself, as users do."""
    return Playbooks(tmp_path, sandbox.base_url)


@pytest.fixture
def tenant(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> Defender:
    """A tenant of one subscription with the plan on, and one instance."""
    return Defender(playbook, sandbox, instance, subscriptions=1)
