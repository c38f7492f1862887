# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that never signed in, and no way to sign in left over in the environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft import collection_store
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.entra import credentials
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport import polling, token_cache
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback
from tests.unit.plugins.module_utils.microsoft.fake_arm import ResourceManagerDouble


@pytest.fixture(autouse=True)
def no_sign_in(monkeypatch: pytest.MonkeyPatch, clock: Clock, tmp_path: object) -> None:
    """Forget every token; the product's clock is ours."""
    credentials.TOKENS.clear()
    for module in (collection_store, polling, token_cache):
        monkeypatch.setattr(module, "time", clock)
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def arm(server: Loopback) -> Iterator[ResourceManagerDouble]:
    """A Resource Manager without a document; in the end, what it was sent has to fit the specifications."""
    double = ResourceManagerDouble(server)
    yield double
    double.check()
