# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an inventory whose connections would be one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.shared_connections import SharedConnections

BOTH = {"snow_connection_password": "{{ x }}", "snow_connection_client_secret": "{{ x }}"}
OWN_ACCOUNT = {"snow_connection_user_name": "svc_{{ inventory_hostname }}"}
OWN = {**OWN_ACCOUNT, "snow_connection_application_name": "App {{ inventory_hostname }}"}


def errors(one: dict[str, Any], other: dict[str, Any], hosts: tuple[str, ...] = ("a", "b")) -> list[str]:
    """Return what is found of two hosts, which have an address of their own unless they set one."""
    url = {"snow_url": "https://{{ inventory_hostname }}.service-now.com"}
    hostvars = {"a": {**url, **one}, "b": {**url, **other}}

    def template(host: str, service: str, value: str) -> str:
        if "unknown" in value:
            raise AnsibleError("not defined")
        return value.replace("{{ inventory_hostname }}", host).replace("{{ snow_connection_service }}", service)

    found: list[str] = SharedConnections(hostvars, template).errors(hosts, hostvars)
    return found


@pytest.mark.parametrize("hosts", [("a", "b"), ("a",), ("b",)], ids=" and ".join)
def test_two_hosts_of_one_address_share_account_and_application(hosts: tuple[str, ...]) -> None:
    (error,) = errors({"snow_url": "https://B.service-now.com:443/"}, {}, hosts)
    assert error.startswith(
        "a and b have the same address https://b.service-now.com and the same account for mda and application for mda, and secrets"
    )
    assert error.endswith("set snow_connection_user_name and snow_connection_application_name for one of them")


def test_hosts_that_the_run_leaves_out_are_not_compared_with_each_other() -> None:
    same = {"snow_url": "https://one.example"}
    assert not errors(same, same, ())
    named = {"mdc_itsm_display_name": "ServiceNow", "servicenow_defender_services": ["mdc"]}
    assert not errors(named, named, ("a",)), "the other may belong to another tenant"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (({}, {"servicenow_defender_services": ["mdc"]}), ""),
        (({}, {"servicenow_defender_services": ["mdc", "mda"]}), "the same account for mda and application for mda"),
        ((OWN, OWN), ""),
        ((OWN_ACCOUNT, OWN_ACCOUNT), "the same application for mda"),
        (({}, {"snow_connection_application_name": "App"}), "the same account for mda,"),
        ((BOTH, BOTH), ""),
        ((BOTH, {}), "the same account for mda"),
        (({"snow_connection_user_name": "{{ unknown }}"}, OWN), ""),
        (({}, {"snow_url": "https://[x"}), ""),
        (({}, {"snow_url": "{{ unknown }}"}), ""),
        (({}, {"snow_url": ""}), ""),
    ],
)
def test_what_two_hosts_of_one_address_share(changes: tuple[dict[str, Any], dict[str, Any]], words: str) -> None:
    one, other = changes
    found = errors({"snow_url": "https://b.service-now.com", **one}, {"snow_url": "https://b.service-now.com", **other})
    assert [words in error for error in found] == ([True] if words else [])


@pytest.mark.parametrize(
    ("service", "variable"),
    [("mda", "mda_connection_name"), ("mdc", "mdc_itsm_display_name"), ("msem", "msem_connection_name")],
)
def test_one_name_at_microsoft_stands_for_one_instance(service: str, variable: str) -> None:
    services = {"servicenow_defender_services": [service]}
    (error,) = errors({**services, variable: "b"}, services)
    assert error.startswith(
        f"a and b have the same {variable} 'b', so that one connection would stand for two instances."
    )
    assert not errors({**services, variable: "ServiceNow {{ inventory_hostname }}"}, services)
    assert not errors({variable: "b", "servicenow_defender_services": []}, services)


def test_integrations_of_one_name_on_two_scopes_are_two() -> None:
    named = {"servicenow_defender_services": ["mdc"], "mdc_itsm_display_name": "ServiceNow"}
    assert errors(named, named)
    assert not errors(
        {**named, "mdc_itsm_scope": "/subscriptions/one"}, {**named, "mdc_itsm_scope": "/subscriptions/two"}
    )
