# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for all tests of a worker, one fresh instance for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.process import SandboxProcess
from tests.unit.sandbox.client import Plain


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def make(sandbox: SandboxProcess) -> Iterator[Callable[..., Plain]]:
    made: list[str] = []

    def make_instance(**knobs: Any) -> Plain:
        access = sandbox.new_instance(**knobs)
        made.append(access.name)
        return Plain(sandbox, access)

    yield make_instance
    for name in made:
        sandbox.remove(name)


@pytest.fixture
def instance(make: Callable[..., Plain]) -> Plain:
    return make()
