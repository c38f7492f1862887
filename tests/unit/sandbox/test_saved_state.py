# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of instances and tenant, saved and restored while the sandbox runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.process import SandboxError
from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]


def test_instances_and_tenant_are_as_they_were(make: Make) -> None:
    instance = make(release="zurich")
    sandbox = instance.sandbox
    sandbox.new_tenant(subscriptions=2)
    instance.insert("oauth_entity", {"name": "A"})
    sandbox.tamper_tenant("connectors", {"name": "one", "instance_url": "https://one.example"}, insert=True)
    saved = sandbox.saved(instance.name)
    assert saved == sandbox.saved(instance.name)

    instance.insert("oauth_entity", {"name": "B"})
    sandbox.remove(instance.name)
    sandbox.new_tenant()
    assert sandbox.tenant_state("connectors") == []
    sandbox.restore(saved)
    assert sandbox.saved(instance.name) == saved
    assert [row["name"] for row in instance.rows("oauth_entity", "nameINA,B")] == ["A"]
    assert [row["name"] for row in sandbox.tenant_state("connectors")] == ["one"]
    assert len(sandbox.tenant()["azure_subscription_ids"]) == 2


def test_instances_alone_can_be_restored_and_the_tenant_stays(make: Make) -> None:
    instance = make()
    sandbox = instance.sandbox
    sandbox.new_tenant()
    saved = sandbox.saved(instance.name)
    instance.insert("oauth_entity", {"name": "A"})
    sandbox.tamper_tenant("connectors", {"name": "one", "instance_url": "https://one.example"}, insert=True)
    sandbox.restore({"instances": saved["instances"]})
    assert instance.rows("oauth_entity", "name=A") == []
    assert [row["name"] for row in sandbox.tenant_state("connectors")] == ["one"]


def test_an_instance_that_does_not_exist_is_named(make: Make) -> None:
    with pytest.raises(SandboxError, match="no instance is called nowhere"):
        make().sandbox.saved("nowhere")
