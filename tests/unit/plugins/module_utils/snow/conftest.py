# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to an instance that the loopback server plays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import (
    TaskContext,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import SNOW_OPTIONS, Instance, connect
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
def instance_of(options: Callable[..., dict[str, Any]], context: TaskContext) -> Callable[..., Instance]:
    """Return the instance that connection options describe."""

    def make(**given: Any) -> Instance:
        return connect(options(**given), context)

    return make


@pytest.fixture
def instance(instance_of: Callable[..., Instance]) -> Instance:
    """The instance, as `svc_ansible` sees it over Basic authentication."""
    return instance_of(snow_username="svc_ansible", snow_password="Pass-word-1", retries=2)
