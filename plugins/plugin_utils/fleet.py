# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts take part in a run of a playbook, which services they are connected to, and which of them have failed.

The first task of a playbook registers `SELECTED` on each instance and `SELECTED_TENANT` on the tenant's host, so that later
plays know what `--limit` left of the inventory. The rescue of a block records `FAILURE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import wraps
from multiprocessing import current_process, parent_process
from typing import Any, TypeVar, cast

from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.module_utils.parsing.convert_bool import boolean
from jinja2 import Undefined, UndefinedError

Filter = TypeVar("Filter", bound=Callable[..., Any])

SERVICES = ("mda", "mdc", "msem")
# Set for the plays that plan: they do the work in check mode before a run writes.
PLANNING = "servicenow_defender_planning"
# What the gate between planning and applying decided, recorded on one host: see change_control/gate.py.
GATE = "servicenow_defender_gate"
CHANGE_VARIABLE = "servicenow_defender_change"
PLAN_VARIABLE = "servicenow_defender_plan"
SELECTED = "servicenow_defender_selected"
SELECTED_TENANT = "servicenow_defender_selected_tenant"
FAILURE = "servicenow_defender_failure"
TENANT_VARIABLE = "servicenow_defender_tenant"
DEFAULT_TENANT = "defender"
INSTANCES_VARIABLE = "servicenow_defender_instances"
DEFAULT_INSTANCES = "servicenow"
SERVICES_VARIABLE = "servicenow_defender_services"
DEFAULT_SERVICES = ("mda",)


def chooses_hosts(choose: Filter) -> Filter:
    """Let a filter for the keyword `hosts` choose none where plays are only listed, or their syntax checked.

    ansible-core 2.18 has no `hostvars` then. An undefined variable is an error: the filter `default` would make it a play without hosts.
    """

    @wraps(choose)
    def chosen(hostvars: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(hostvars, Undefined) and hostvars._undefined_name == "hostvars":
            return []
        try:
            return choose(hostvars, *arguments, **options)
        except (AnsibleUndefinedVariable, UndefinedError) as error:
            raise AnsibleError(f"the hosts of a play cannot be chosen: {error}") from error

    return cast(Filter, chosen)


def raw_variables(hostvars: Any, host: str) -> Mapping[str, Any]:
    """Return the variables of `host` as they were given, templates included; {} for an unknown host."""
    if isinstance(hostvars, dict):  # in tests
        found: Mapping[str, Any] = hostvars.get(host, {})
        return found
    if parent_process() is None or not hasattr(current_process(), "_task"):
        return _merged(hostvars, host)
    # A worker has one task, during which nothing that Ansible knows of a host changes.
    if host not in _of_worker:
        _of_worker[host] = _merged(hostvars, host)
    return _of_worker[host]


def _merged(hostvars: Any, host: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = hostvars.raw_get(host) if host in hostvars else {}
    return found


_of_worker: dict[str, Mapping[str, Any]] = {}


class MergedOnce(Mapping[str, Any]):
    """`hostvars` for one call of a filter, which reads hosts several times: Ansible merges all variables of a host on each access."""

    def __init__(self, hostvars: Any) -> None:
        self._hostvars = hostvars
        self._merged: dict[str, Mapping[str, Any]] = {}

    def __getitem__(self, host: str) -> Any:
        return self._hostvars[host]

    def __iter__(self) -> Iterator[str]:
        return iter(self._hostvars)

    def __len__(self) -> int:
        return len(self._hostvars)

    def __contains__(self, host: object) -> bool:
        return host in self._hostvars

    def raw_get(self, host: str) -> Mapping[str, Any]:
        """Return the variables of a host as they were given."""
        if host not in self._merged:
            self._merged[host] = raw_variables(self._hostvars, host)
        return self._merged[host]


def services_of(hostvars: Any, host: str, variables: Mapping[str, Any], default: Iterable[str]) -> list[str]:
    """Return the services of an instance whose raw `variables` are known; `default` also for a template that fails, which is reported when a run starts."""
    if SERVICES_VARIABLE not in variables:
        return list(default)
    value = variables[SERVICES_VARIABLE]
    if isinstance(value, str) and "{" in value:
        try:
            value = hostvars[host][SERVICES_VARIABLE]
            # ansible-core 2.18 returns a template that fails as it is, later lines what is undefined.
            fails = isinstance(value, Undefined) or (isinstance(value, str) and "{{" in value)
        except (AnsibleError, UndefinedError):
            fails = True
        if fails:
            return list(default)
    return [value] if isinstance(value, str) else list(value)


def list_of(hostvars: Any, host: str, name: str) -> list[Any]:
    """Return the value of a variable of a host as a list; [] for a template that fails, which the task that uses it reports."""
    try:
        value = hostvars[host][name]
    except (AnsibleError, UndefinedError):
        return []
    if isinstance(value, Undefined) or not value:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _has_value(hostvars: Any, host: str, variables: Mapping[str, Any], name: str) -> bool:
    """Return whether a variable of a host has a value; one whose template fails has, so that the task that uses it fails with the reason."""
    value = variables.get(name)
    if isinstance(value, str) and "{" in value:
        try:
            found = hostvars[host][name]
            return isinstance(found, Undefined) or bool(found)
        except (AnsibleError, UndefinedError):
            return True
    return bool(value)


@chooses_hosts
def instances_with(
    hostvars: Any,
    service: str = "",
    group: Iterable[str] = (),
    having: str | Iterable[str] = "",
    planning: bool = False,
) -> list[str]:
    """Return the instances of this run that are connected to `service` (any if empty) and have not failed.

    Where no host was selected, as in a playbook of the user's own, these are hosts of `group`. `having` names variables
    of which one must have a value. None if the gate holds the run, and with `planning` none if the run does not plan.
    """
    if planning and not plans_first(hostvars):
        return []
    names = [having] if isinstance(having, str) else list(having)
    found, others, is_run = [], [], False
    for host in hostvars:
        variables = raw_variables(hostvars, host)
        if _is_held(variables):
            return []
        is_run = is_run or SELECTED in variables or SELECTED_TENANT in variables
        if FAILURE not in variables and (
            not having or any(_has_value(hostvars, host, variables, name) for name in names)
        ):
            if SELECTED in variables:
                wanted = services_of(hostvars, host, variables, DEFAULT_SERVICES)
                found += [host] if not service or service in wanted else []
            elif host in group:
                wanted = services_of(hostvars, host, variables, SERVICES)
                others += [host] if not service or service in wanted else []
    return found or ([] if is_run else others)


def selected(hostvars: Any, marker: str = SELECTED) -> list[str]:
    """Return the instances (or with another `marker`, the tenant) that this run selected, failed ones included."""
    return [host for host in hostvars if marker in raw_variables(hostvars, host)]


@chooses_hosts
def hosts_of_run(hostvars: Any) -> list[str]:
    """Return the instances and the tenant that this run selected, failed ones included."""
    # One pass: Ansible merges all variables of a host on each access.
    found: dict[str, list[str]] = {SELECTED: [], SELECTED_TENANT: []}
    for host in hostvars:
        variables = raw_variables(hostvars, host)
        for marker, hosts in found.items():
            hosts += [host] if marker in variables else []
    return list(dict.fromkeys((*found[SELECTED], *found[SELECTED_TENANT])))


@chooses_hosts
def tenant_for(hostvars: Any, service: str = "", planning: bool = False) -> list[str]:
    """Return the tenant's host of this run if an instance of it is connected to `service`, or if no instance takes part.

    None if the gate holds the run, and with `planning` none if the run does not plan.
    """
    if planning and not plans_first(hostvars):
        return []
    found: list[str] = []
    failed = False
    connected: dict[str, list[bool]] = {SELECTED: [], SELECTED_TENANT: []}
    for host in hostvars:
        variables = raw_variables(hostvars, host)
        if _is_held(variables):
            return []
        if SELECTED_TENANT in variables and not found:
            found, failed = [host], _has_failed(variables, service)
            connected[SELECTED_TENANT] = [_is_connected(hostvars, host, variables, service)]
        if SELECTED in variables:
            connected[SELECTED].append(_is_connected(hostvars, host, variables, service))
    return found if not failed and any(connected[SELECTED] or connected[SELECTED_TENANT]) else []


def _has_failed(variables: Mapping[str, Any], service: str) -> bool:
    """Return whether a tenant has failed for a service: work for one service does not depend on that for another."""
    if FAILURE not in variables:
        return False
    failed_for = str(variables[FAILURE].get("service") or "")
    return not failed_for or not service or failed_for == service


def plans_first(hostvars: Any) -> bool:
    """Return whether this run plans before it writes: its variables ask for an approved change, or for a saved plan.

    One instance stands for all: instances with other values are refused when the run starts. Without any, the tenant does.
    """
    found: Iterable[str] = ()
    for host in hostvars:
        variables = raw_variables(hostvars, host)
        if SELECTED in variables:
            found = [host]
            break
        found = [host] if SELECTED_TENANT in variables else found
    return any(
        is_under_change(hostvars, host, variables) or plan_file(hostvars, host, variables)
        for host in found
        for variables in [raw_variables(hostvars, host)]
    )


@chooses_hosts
def hosts_of_gate(hostvars: Any) -> list[str]:
    """Return the host that stands for a run at the gate between planning and applying: the first one; none if it does not plan."""
    return hosts_of_run(hostvars)[:1] if plans_first(hostvars) else []


def gate_of(hostvars: Any) -> Mapping[str, Any]:
    """Return what the gate decided, {} if this run has none."""
    decided = (raw_variables(hostvars, host).get(GATE) for host in hosts_of_gate(hostvars))
    return next(decided, None) or {}


@chooses_hosts
def hosts_to_close(hostvars: Any) -> list[str]:
    """Return the host of the gate if it let the plan of this run through, or found a change request to close; else none."""
    return hosts_of_gate(hostvars) if gate_of(hostvars).get("done") else []


def is_under_change(hostvars: Any, host: str, variables: Mapping[str, Any]) -> bool:
    """Return whether a host whose raw `variables` are known may only be written with an approved change."""
    return CHANGE_VARIABLE in variables and boolean(hostvars[host][CHANGE_VARIABLE] or False, strict=False)


def plan_file(hostvars: Any, host: str, variables: Mapping[str, Any]) -> str:
    """Return the file of the saved plan of a host whose raw `variables` are known, "" for none."""
    return str(hostvars[host][PLAN_VARIABLE] or "") if PLAN_VARIABLE in variables else ""


def _is_held(variables: Mapping[str, Any]) -> bool:
    return GATE in variables and bool(variables[GATE].get("held"))


def _is_connected(hostvars: Any, host: str, variables: Mapping[str, Any], service: str) -> bool:
    return not service or service in services_of(hostvars, host, variables, DEFAULT_SERVICES)


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.75) -> str:
    """Return " Did you mean x?", or "" if nothing resembles `word`."""
    names = list(known)
    longer = sorted((name for name in names if name.startswith(f"{word}_")), key=len)
    close = longer or get_close_matches(word, names, n=1, cutoff=cutoff)
    return f" Did you mean {close[0]}?" if close else ""
