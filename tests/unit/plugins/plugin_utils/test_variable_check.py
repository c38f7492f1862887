# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of all hosts, checked at once: names, types and choices."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import known_variables
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.variable_check import VariableCheck


def errors(hosts: dict[str, dict[str, Any]], values: dict[str, Any] | None = None) -> list[str]:
    def template(_host: str, value: Any) -> Any:
        if values is None:
            raise AnsibleError("undefined")
        return values[value]

    check = VariableCheck(known_variables(), template)
    for host, variables in hosts.items():
        check.add(host, variables)
    return check.errors()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("snow_url", "https://acme.service-now.com"),
        ("snow_environment", "dev"),
        ("azure_location", "westeurope"),
        ("servicenow_defender_services", ["mda", "mdc"]),
        ("servicenow_defender_services", "mda"),
        ("snow_connection_service", "mdc"),
        ("snow_connection_result", {"changed": False}),
        ("snow_hardening_production", None),
        ("snow_hardening_max_writes", "10"),
        ("snow_hardening_services", [{"application": "a", "user_name": "u"}]),
        ("mda_connection_wait", "{{ wait }}"),
        ("unrelated", object()),
    ],
)
def test_what_is_right_or_foreign_passes(name: str, value: Any) -> None:
    assert errors({"a": {name: value}}) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "snow_conection_service",
            "mda",
            "is not a variable of this collection. Did you mean snow_connection_service?",
        ),
        ("servicenow_defender_serivces", [], "Did you mean servicenow_defender_services?"),
        ("snow_hardening_zzz", 1, "snow_hardening_zzz is not a variable of this collection."),
        ("servicenow_defender_services", ["mdx"], "unknown service 'mdx'. Known services: mda, mdc. Did you mean mdc?"),
        ("snow_hardening_baseline", "strong", "value of snow_hardening_baseline must be one of"),
        ("snow_hardening_max_writes", "many", "snow_hardening_max_writes"),
        ("snow_hardening_services", [{"application": "a"}], "user_name"),
        ("drift_fail", "perhaps", "drift_fail"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_hosts(name: str, value: Any, words: str) -> None:
    (error,) = errors({host: {name: value} for host in "abcde"})
    assert error.startswith("a, b and 3 more: ")
    assert words in error


def test_a_template_is_checked_by_its_value_for_each_host() -> None:
    hosts = {"a": {"drift_fail": "{{ x }}"}, "b": {"drift_fail": "{{ y }}"}}
    (error,) = errors(hosts, {"{{ x }}": True, "{{ y }}": "perhaps"})
    assert error.startswith("b: ")


def test_secrets_are_not_evaluated() -> None:
    assert errors({"a": {"snow_connection_password": "{{ lookup('vault') }}"}}, {}) == []
