# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant that the loopback server plays, with its own record of calls and a clock that does not wait."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import (
    TaskContext,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft import collection_store
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps import (
    TENANT_OPTIONS,
    CloudAppsClient,
    rate_limit,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import TRANSPORT_OPTIONS
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback


@pytest.fixture(autouse=True)
def own_record(monkeypatch: pytest.MonkeyPatch, clock: Clock, tmp_path: Path) -> None:
    """Keep the record of calls in a folder of the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for module in (collection_store, rate_limit):
        monkeypatch.setattr(module, "time", clock)


@pytest.fixture
def tenant_of(server: Loopback, context: TaskContext) -> Callable[..., CloudAppsClient]:
    """Return the tenant that connection options describe."""

    def make(**given: Any) -> CloudAppsClient:
        options = {"mda_url": server.url, "mda_api_token": "legacy-t0ken-text", "retries": 1, **given}
        checked = ArgumentSpecValidator({**TENANT_OPTIONS, **TRANSPORT_OPTIONS}).validate(options)
        assert not checked.error_messages
        return CloudAppsClient.from_params(checked.validated_parameters, context)

    return make


@pytest.fixture
def tenant(tenant_of: Callable[..., CloudAppsClient]) -> CloudAppsClient:
    """The tenant, as an API token of the portal sees it."""
    return tenant_of()
