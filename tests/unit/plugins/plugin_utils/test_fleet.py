# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of other hosts, as filters and lookups read them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils import fleet


class HostVars:
    """`hostvars`, which merges all variables of a host on each access."""

    def __init__(self) -> None:
        self.merged = 0

    def __contains__(self, host: object) -> bool:
        return host == "acme-dev"

    def raw_get(self, host: str) -> dict[str, Any]:
        self.merged += 1
        return {"inventory_hostname": host, "read": self.merged}


@pytest.fixture
def hostvars(monkeypatch: pytest.MonkeyPatch) -> HostVars:
    monkeypatch.setattr(fleet, "_of_worker", {})
    return HostVars()


def run_as(monkeypatch: pytest.MonkeyPatch, parent: object, **process: Any) -> None:
    monkeypatch.setattr(fleet, "parent_process", lambda: parent)
    monkeypatch.setattr(fleet, "current_process", lambda: SimpleNamespace(**process))


def test_a_worker_merges_the_variables_of_a_host_once(hostvars: HostVars, monkeypatch: pytest.MonkeyPatch) -> None:
    run_as(monkeypatch, object(), _task="Configure")
    assert [fleet.raw_variables(hostvars, "acme-dev")["read"] for _time in range(3)] == [1, 1, 1]
    assert fleet.raw_variables(hostvars, "nowhere") == {}


@pytest.mark.parametrize(("parent", "process"), [(None, {"_task": "Configure"}), (object(), {})])
def test_between_tasks_the_variables_of_a_host_change(
    hostvars: HostVars, monkeypatch: pytest.MonkeyPatch, parent: object, process: dict[str, Any]
) -> None:
    run_as(monkeypatch, parent, **process)
    assert [fleet.raw_variables(hostvars, "acme-dev")["read"] for _time in range(2)] == [1, 2]
