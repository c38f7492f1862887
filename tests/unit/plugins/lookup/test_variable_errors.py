# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups that are set and not in the inventory; the check of variables itself is tested in plugin_utils."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.lookup import variable_errors

GROUPS = {"all": ["a", "t"], "servicenow": ["a"], "defender": ["t"]}


def errors(**variables: Any) -> list[str]:
    lookup = variable_errors.LookupModule(loader=DataLoader(), templar=Templar(DataLoader()))
    lookup._load_name = "secops.servicenow_defender.variable_errors"
    lookup.set_options = lambda **_options: None
    return lookup.run([], variables={"hostvars": {}, "groups": GROUPS, **variables})


def test_the_groups_of_the_inventory_are_accepted() -> None:
    assert errors() == []
    assert errors(servicenow_defender_tenant="defender", servicenow_defender_instances="servicenow") == []


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("servicenow_defender_tenant", "defendr", " Did you mean defender?"),
        ("servicenow_defender_tenant", "none", ""),
        ("servicenow_defender_instances", "service-now", " Did you mean servicenow?"),
    ],
)
def test_a_group_that_does_not_exist_is_an_error(name: str, value: str, hint: str) -> None:
    assert errors(**{name: value}) == [f"{name} is {value!r}, which is not a group of the inventory.{hint}"]
