# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to an instance that the loopback server plays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import (
    TaskContext,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import (
    SNOW_OPTIONS,
    InstanceStore,
    ServiceNowClient,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import TRANSPORT_OPTIONS
from tests.unit.plugins.module_utils.loopback import Loopback


@pytest.fixture
def options(server: Loopback) -> Callable[..., dict[str, Any]]:
    """Return the connection options of a task, all of them, as Ansible hands them over; none is given but the address."""

    def with_defaults(**given: Any) -> dict[str, Any]:
        transport = {name: spec.get("default") for name, spec in TRANSPORT_OPTIONS.items()}
        return {**transport, **dict.fromkeys(SNOW_OPTIONS), "snow_url": server.url, **given}

    return with_defaults


@pytest.fixture
def client_of(options: Callable[..., dict[str, Any]], context: TaskContext) -> Callable[..., ServiceNowClient]:
    """Return the client for connection options."""

    def make(**given: Any) -> ServiceNowClient:
        return ServiceNowClient.from_params(options(**given), context)

    return make


@pytest.fixture
def client(client_of: Callable[..., ServiceNowClient]) -> ServiceNowClient:
    """The instance, as `svc_ansible` sees it over Basic authentication."""
    return client_of(snow_username="svc_ansible", snow_password="Pass-word-1", retries=2)


@pytest.fixture
def store(client: ServiceNowClient) -> InstanceStore:
    """The same instance as the engine's store."""
    return InstanceStore(client)
