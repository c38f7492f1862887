# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a play has: computed from the services of the instances that a run selected."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from jinja2 import StrictUndefined, Undefined

from ansible_collections.secops.servicenow_defender.plugins.filter.instances_with import FilterModule

INSTANCES_WITH, TENANT_FOR = (FilterModule().filters()[name] for name in ("instances_with", "tenant_for"))
SELECTED: dict[str, Any] = {"servicenow_defender_selected": {}}
TENANT: dict[str, Any] = {"servicenow_defender_selected_tenant": {}}
FAILED = {"servicenow_defender_failure": {"message": "x"}}


def services(*names: str) -> dict[str, Any]:
    return {"servicenow_defender_services": list(names)}


HOSTS = {
    "default": SELECTED,
    "mdc": {**SELECTED, **services("mdc"), "client": "x"},
    "both": {**SELECTED, **services("mda", "mdc"), "client": ""},
    "failed": {**SELECTED, **FAILED},
    "outside": services("mda"),
    "tenant": TENANT,
}


def test_instances_are_those_of_the_run_with_the_service() -> None:
    assert INSTANCES_WITH(HOSTS) == ["default", "mdc", "both"]
    assert INSTANCES_WITH(HOSTS, "mda") == ["default", "both"]
    assert INSTANCES_WITH(HOSTS, "mdc") == ["mdc", "both"]
    assert INSTANCES_WITH(HOSTS, "mdc", having="client") == ["mdc"]
    assert INSTANCES_WITH({"one": {**SELECTED, "servicenow_defender_services": "mdc"}}, "mdc") == ["one"]


def test_without_a_selection_they_are_those_of_the_group() -> None:
    hosts = {"a": {}, "b": services("mda"), "c": services("mdc"), "d": {}}
    assert INSTANCES_WITH(hosts, "mdc", ["a", "b", "c"]) == ["a", "c"]


def test_a_run_on_the_tenant_alone_has_no_instances() -> None:
    assert INSTANCES_WITH({"a": {}, "tenant": TENANT}, "mda", ["a"]) == []


def test_the_tenant_takes_part_if_an_instance_needs_it() -> None:
    assert TENANT_FOR(HOSTS, "mda") == TENANT_FOR(HOSTS, "mdc") == TENANT_FOR(HOSTS) == ["tenant"]
    assert TENANT_FOR({"a": SELECTED, "tenant": TENANT}, "mdc") == []
    assert TENANT_FOR({"a": SELECTED, "tenant": {**TENANT, **FAILED}}, "mda") == []
    assert TENANT_FOR({"tenant": {**TENANT, **services("mdc")}}, "mdc") == ["tenant"]


def test_a_tenant_that_failed_for_a_service_works_for_the_others() -> None:
    failed = {"servicenow_defender_failure": {"message": "x", "service": "mda"}}
    hosts = {"a": {**SELECTED, **services("mda", "mdc")}, "tenant": {**TENANT, **failed}}
    assert TENANT_FOR(hosts, "mda") == TENANT_FOR(hosts) == []
    assert TENANT_FOR(hosts, "mdc") == ["tenant"]


def test_a_template_without_a_value_is_none() -> None:
    class HostVars(dict[str, Any]):
        def __getitem__(self, host: str) -> Any:
            return {**super().__getitem__(host), "client": "" if host == "empty" else "x"}

    hosts = {name: {**SELECTED, **services("mdc"), "client": "{{ of_vault }}"} for name in ("empty", "full")}
    assert INSTANCES_WITH(HostVars(hosts), "mdc", having="client") == ["full"]


def test_no_host_is_chosen_where_plays_are_only_listed() -> None:
    # On ansible-core 2.18.
    absent = Undefined(name="hostvars")
    assert INSTANCES_WITH(absent, "mdc") == TENANT_FOR(absent, planning=True) == []
    with pytest.raises(AnsibleError, match="the hosts of a play cannot be chosen"):
        INSTANCES_WITH(StrictUndefined(name="hostvar"))
