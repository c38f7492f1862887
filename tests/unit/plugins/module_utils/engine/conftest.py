# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance to bring to its desired state."""

from __future__ import annotations

import pytest

from tests.unit.plugins.module_utils.fake_store import Platform


@pytest.fixture
def platform() -> Platform:
    """An instance with a few roles."""
    made = Platform()
    for name in ("itil", "rest_service", "admin"):
        made.add("sys_user_role", name=name)
    return made
