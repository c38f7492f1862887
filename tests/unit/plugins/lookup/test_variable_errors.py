# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups that are set and not in the inventory; the check of variables itself is tested in plugin_utils."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

try:
    from ansible.template import trust_as_template as template
except ImportError:  # ansible-core 2.18, for which any text is one

    def template(value: str) -> str:
        return value


from ansible_collections.secops.servicenow_defender.plugins.lookup import variable_errors

GROUPS = {"all": ["a", "t"], "servicenow": ["a"], "defender": ["t"]}


def errors(*hosts: str, **variables: Any) -> list[str]:
    lookup = variable_errors.LookupModule(loader=DataLoader(), templar=Templar(DataLoader()))
    lookup._load_name = "secops.servicenow_defender.variable_errors"
    lookup.set_options = lambda **_options: None
    lookup.get_option = {"connections": True}.get
    return lookup.run([*hosts], variables={"hostvars": {}, "groups": GROUPS, **variables})


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


def test_the_name_of_a_group_may_be_a_template() -> None:
    assert errors(servicenow_defender_tenant=template("{{ chosen }}"), chosen="defender") == []
    (error,) = errors(servicenow_defender_tenant=template("{{ chosen }}"), chosen="defendr")
    assert error.startswith("servicenow_defender_tenant is 'defendr', which is not a group")
    (error,) = errors(servicenow_defender_instances=template("{{ chosen }}"))
    assert error == "servicenow_defender_instances cannot be evaluated: 'chosen' is undefined"


def test_a_group_with_two_tenants_is_an_error_and_names_both() -> None:
    two = {**GROUPS, "defender": ["acme-tenant", "acme-other"], "one": ["acme-tenant"]}
    (error,) = errors(groups=two)
    assert error.startswith(
        "the group defender has 2 hosts (acme-tenant, acme-other), and a run works with one tenant."
    )
    assert errors(groups=two, servicenow_defender_tenant="one") == []


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({}, {}, ""),
        ({"change": "false", "plan": ""}, {}, ""),
        ({"change": True, "change_instance": "b"}, {"change": "yes"}, ""),
        (
            {"change": True},
            {},
            "a and b have different values of servicenow_defender_change or servicenow_defender_plan",
        ),
        ({"plan": "x"}, {"plan": "y"}, "a and b have different values of"),
        ({"change": True}, {"change": True}, "servicenow_defender_change requires servicenow_defender_change_instance"),
        ({"change": True, "change_instance": "bb"}, {"change": True}, "which is not a host of the inventory."),
        (
            {"change": True, "plan": "x"},
            {"change": True, "plan": "x"},
            "are both set: the change request holds the plan.",
        ),
    ],
)
def test_a_run_has_one_plan_and_one_place_that_allows_it(first: Any, second: Any, words: str) -> None:
    given = {
        host: {f"servicenow_defender_{key}": each[key] for key in each} for host, each in (("a", first), ("b", second))
    }
    found = errors("a", "b", hostvars=given)
    assert words in "".join(found)
    assert len(found) == bool(words)
