# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of all hosts, checked at once: names, types and choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible.errors import AnsibleError

from ansible_collections.secops.servicenow_defender.plugins.module_utils.number_ranges import range_of
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import known_variables
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.variable_check import (
    VariableCheck,
    range_problem_of,
)


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
        ("servicenow_defender_serial", [1, "10%", "100"]),
        ("servicenow_defender_serial", 0),
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
        (
            "servicenow_defender_services",
            ["mdx"],
            "unknown service 'mdx'. Known services: mda, mdc, msem. Did you mean mdc?",
        ),
        ("servicenow_defender_services", "", "servicenow_defender_services is empty"),
        ("servicenow_defender_services", [], "servicenow_defender_services is empty"),
        ("servicenow_defender_serial", "some", "servicenow_defender_serial is 'some', and must be a number of hosts"),
        ("servicenow_defender_serial", None, "servicenow_defender_serial is None, and must be"),
        ("servicenow_defender_serial", [], "servicenow_defender_serial is [], and must be"),
        ("servicenow_defender_serial", [5, True], "servicenow_defender_serial is [5, True], and must be"),
        ("drift_fail", None, "drift_fail has no value, which Ansible takes for false. Write true or false"),
        ("mdc_itsm_plan", None, "mdc_itsm_plan has no value, which Ansible takes for false."),
        ("snow_hardening_baseline", "strong", "value of snow_hardening_baseline must be one of"),
        ("snow_hardening_max_writes", "many", "snow_hardening_max_writes"),
        ("snow_hardening_services", [{"application": "a"}], "user_name"),
        ("drift_fail", "perhaps", "drift_fail"),
        ("mdc_tickets_min_age_days", -1, "mdc_tickets_min_age_days must be between 0 and 36500 days, not -1"),
        (
            "mdc_tickets_min_age_days",
            "{{ days }}",
            "mdc_tickets_min_age_days must be between 0 and 36500 days, not 99999",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_hosts(name: str, value: Any, words: str) -> None:
    (error,) = errors({host: {name: value} for host in "abcde"}, {"{{ days }}": 99999})
    assert error.startswith("a, b and 3 more: ")
    assert words in error


def numbers(specs: Mapping[str, Any], lead: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each variable, and each part of one, that is a number, with its default."""
    for name, spec in specs.items():
        if spec.get("type") in ("int", "float"):
            yield f"{lead}{name}", spec.get("default")
        place = "[0]" if spec.get("elements") == "dict" else ""
        yield from numbers(spec.get("options") or {}, f"{lead}{name}{place}.")


def with_number(name: str, value: Any) -> tuple[Any, str, Any]:
    """Return the specification and the name of a variable, and a value of it with a number at `name`."""
    variable, _, part = name.partition(".")
    variable, in_list, _ = variable.partition("[")
    entry = {part: value} if part else value
    return known_variables().specs[variable], variable, [entry] if in_list else entry


@pytest.mark.parametrize(("name", "value"), [("mdc_tickets_rules", {"name": "a"}), ("mdc_tickets_ratings", ["a"])])
def test_no_class_of_python_is_named(name: str, value: Any) -> None:
    (found,) = errors({"a": {name: value}})
    assert found.startswith(f"a: argument '{name}' is of type ") and "unable to convert to" in found
    assert "class" not in found


def test_every_variable_that_is_a_number_has_a_range() -> None:
    found = list(numbers(known_variables().specs))
    assert len(found) > 15
    for name, default in found:
        wanted = range_of(name)
        assert wanted is not None, f"number_ranges has no range for {name}"
        minimum, maximum, unit = wanted
        assert default is None or minimum <= default <= maximum, name
        for value in (minimum - 1, maximum + 1):
            problem = range_problem_of(*with_number(name, value))
            assert problem.startswith(f"{name} must be between") and f"{unit}, not" in problem
        assert range_problem_of(*with_number(name, maximum)) == ""
        assert range_problem_of(*with_number(name, str(int(minimum)))) == "" or minimum < 1


def test_a_template_is_checked_by_its_value_for_each_host() -> None:
    hosts = {"a": {"drift_fail": "{{ x }}"}, "b": {"drift_fail": "{{ y }}"}}
    (error,) = errors(hosts, {"{{ x }}": True, "{{ y }}": "perhaps"})
    assert error.startswith("b: ")


def test_a_template_that_decides_which_hosts_take_part_must_not_fail() -> None:
    (error,) = errors({"a": {"servicenow_defender_services": "{{ nothing }}"}})
    assert error == "a: servicenow_defender_services cannot be evaluated: undefined"


@pytest.mark.parametrize(
    "name", ["respond_protected", "drift_report_dir", "offboarding_confirm", "mda_connection_wait"]
)
def test_what_a_playbook_has_a_default_for_must_not_fail_either(name: str) -> None:
    of_role = name.startswith(("mda_", "offboarding_"))
    assert errors({"a": {name: "{{ nothing }}"}}) == ([] if of_role else [f"a: {name} cannot be evaluated: undefined"])


def test_secrets_are_not_evaluated() -> None:
    assert errors({"a": {"snow_connection_password": "{{ lookup('vault') }}"}}, {}) == []
