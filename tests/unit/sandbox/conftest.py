# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for all tests of a worker, one fresh instance for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.process import SandboxProcess
from tests.unit.sandbox.arm_client import ArmClient
from tests.unit.sandbox.client import RestClient
from tests.unit.sandbox.tenant_client import TenantClient


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def make(sandbox: SandboxProcess) -> Iterator[Callable[..., RestClient]]:
    made: list[str] = []

    def make_instance(**knobs: Any) -> RestClient:
        access = sandbox.new_instance(**knobs)
        made.append(access.name)
        return RestClient(sandbox, access)

    yield make_instance
    for name in made:
        sandbox.remove(name)


@pytest.fixture
def instance(make: Callable[..., RestClient]) -> RestClient:
    return make()


@pytest.fixture
def make_tenant(sandbox: SandboxProcess) -> Callable[..., TenantClient]:
    return lambda **knobs: TenantClient(sandbox, sandbox.new_tenant(**knobs))


@pytest.fixture
def tenant(make_tenant: Callable[..., TenantClient]) -> TenantClient:
    return make_tenant()


@pytest.fixture
def make_arm(sandbox: SandboxProcess) -> Callable[..., ArmClient]:
    return lambda **knobs: ArmClient(sandbox, sandbox.new_tenant(**knobs))


@pytest.fixture
def arm(make_arm: Callable[..., ArmClient]) -> ArmClient:
    return make_arm(plan="Standard")
