# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of snow_drift_info, computed without the templates of the role's defaults, equal what these give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.drift_options import (
    HARDENING,
    INSTANCE_INFO,
    PROBLEMS,
    DriftOptions,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import defaults_of

from .test_connections import trusted

OMIT = "__omit_place_holder__"
ROLES_VARIABLES = {
    **{f"snow_preflight_{name}": ["{{ own }}"] for name in INSTANCE_INFO},
    **{f"snow_hardening_{name}": "{{ own }}" for name in HARDENING},
}


def variables(**more: Any) -> dict[str, Any]:
    return trusted({**defaults_of("snow_connection"), "omit": OMIT, "own": "mine", **more})


def templated(known: dict[str, Any], value: Any) -> Any:
    return Templar(DataLoader(), variables=known).template(value)


def options(**more: Any) -> dict[str, Any]:
    known = variables(**more)

    def instance(services: Iterable[str]) -> dict[str, Any]:
        return {"services": list(services)}

    return DriftOptions(
        known, lambda value: templated(known, value), lambda group: {"group": group}, instance
    ).options()


def without_omit(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value != OMIT}


@pytest.mark.parametrize(
    "own",
    [
        {},
        ROLES_VARIABLES,
        {"snow_hardening_baseline": "", "snow_hardening_ids": ["auth.mfa_enabled"]},
        {"snow_hardening_max_writes": 0, "snow_hardening_production": None},
        {"snow_hardening_exclude": "{{ nowhere | default(omit) }}", "snow_preflight_tables": []},
    ],
    ids=["none set", "all set", "no baseline", "empty values", "omitted"],
)
def test_a_default_is_what_its_template_gives(own: dict[str, Any]) -> None:
    known, found = variables(**own), options(**own)
    assert found["preflight"] == without_omit(templated(known, known["snow_connection_instance_info"]))
    assert found["hardening"] == without_omit(templated(known, known["snow_connection_hardening"]))


def test_what_no_variable_sets_is_left_to_the_module() -> None:
    found = options()
    assert set(found) == {"group", "preflight", "instance", "hardening"}
    assert (found["group"], found["instance"]) == ("snow", {"services": ["mda"]})
    assert options(**{f"snow_preflight_{name}": ["x"] for name in PROBLEMS}) == {
        **found,
        "fail_on": ["x"],
        "ignore": ["x"],
    }


def test_what_the_user_sets_replaces_what_is_computed() -> None:
    found = options(
        snow_connection_options={"snow_url": "https://{{ own }}"},
        snow_connection_instance_info={"tables": ["{{ own }}"]},
        snow_connection_hardening={"ids": ["{{ own }}"]},
        snow_connection_services="{{ ['mda', 'mdc'] }}",
    )
    assert found == {
        "snow_url": "https://mine",
        "preflight": {"tables": ["mine"]},
        "hardening": {"ids": ["mine"]},
        "instance": {"services": ["mda", "mdc"]},
    }


def test_the_service_alone_is_enough() -> None:
    assert options(snow_connection_service="{{ own }}")["instance"] == {"services": ["mine"]}


def test_settings_are_left_out_where_they_are_not_compared() -> None:
    assert "hardening" not in options(snow_connection_compare_hardening="{{ false }}")


def test_a_variable_that_refers_to_nothing_is_an_error() -> None:
    with pytest.raises(AnsibleError, match="nowhere"):
        options(snow_hardening_exclude="{{ nowhere }}")
