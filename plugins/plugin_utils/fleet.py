# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts take part in a run of a playbook, which services they are connected to, and which of them have failed.

The first task of a playbook registers `SELECTED` on each instance and `SELECTED_TENANT` on the tenant's host, so that later
plays know what `--limit` left of the inventory. The rescue of a block records `FAILURE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

SERVICES = ("mda", "mdc")
SELECTED = "servicenow_defender_selected"
SELECTED_TENANT = "servicenow_defender_selected_tenant"
FAILURE = "servicenow_defender_failure"
TENANT_VARIABLE = "servicenow_defender_tenant"
INSTANCES_VARIABLE = "servicenow_defender_instances"
SERVICES_VARIABLE = "servicenow_defender_services"
DEFAULT_SERVICES = ("mda",)


def raw_variables(hostvars: Any, host: str) -> Mapping[str, Any]:
    """Return the variables of `host` as they were given, templates included; {} for an unknown host."""
    if isinstance(hostvars, dict):  # in tests
        found: Mapping[str, Any] = hostvars.get(host, {})
        return found
    return hostvars.raw_get(host) if host in hostvars else {}


def services_of(hostvars: Any, host: str, variables: Mapping[str, Any], default: Iterable[str]) -> list[str]:
    """Return the services of an instance whose raw `variables` are known."""
    if SERVICES_VARIABLE not in variables:
        return list(default)
    value = variables[SERVICES_VARIABLE]
    if isinstance(value, str) and "{" in value:
        value = hostvars[host][SERVICES_VARIABLE]
    return [value] if isinstance(value, str) else list(value)


def instances_with(hostvars: Any, service: str = "", group: Iterable[str] = (), having: str = "") -> list[str]:
    """Return the instances of this run that are connected to `service` (any if empty) and have not failed.

    Where no host was selected, as in a playbook of the user's own, these are hosts of `group`. `having` names a variable
    that must have a value.
    """
    found, others = [], []
    for host in hostvars:
        variables = raw_variables(hostvars, host)
        if FAILURE not in variables and (not having or variables.get(having)):
            if SELECTED in variables:
                wanted = services_of(hostvars, host, variables, DEFAULT_SERVICES)
                found += [host] if not service or service in wanted else []
            elif host in group:
                wanted = services_of(hostvars, host, variables, SERVICES)
                others += [host] if not service or service in wanted else []
    return found or ([] if hosts_of_run(hostvars) else others)


def selected(hostvars: Any, marker: str = SELECTED) -> list[str]:
    """Return the instances (or with another `marker`, the tenant) that this run selected, failed ones included."""
    return [host for host in hostvars if marker in raw_variables(hostvars, host)]


def hosts_of_run(hostvars: Any) -> list[str]:
    """Return the instances and the tenant that this run selected, failed ones included."""
    return list(dict.fromkeys((*selected(hostvars), *selected(hostvars, SELECTED_TENANT))))


def tenant_for(hostvars: Any, service: str = "") -> list[str]:
    """Return the tenant's host of this run if an instance of it is connected to `service`, or if no instance takes part."""
    tenants = selected(hostvars, SELECTED_TENANT)[:1]
    tenants = [host for host in tenants if FAILURE not in raw_variables(hostvars, host)]
    instances = selected(hostvars)
    if not tenants or not service:
        return tenants
    wanted = (
        services_of(hostvars, host, raw_variables(hostvars, host), DEFAULT_SERVICES) for host in instances or tenants
    )
    return tenants if any(service in each for each in wanted) else []


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.75) -> str:
    """Return " Did you mean x?", or "" if nothing resembles `word`."""
    close = get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f" Did you mean {close[0]}?" if close else ""
