# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors in the variables of change control: a run has one plan, and one place that allows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError

from ..fleet import CHANGE_VARIABLE, PLAN_VARIABLE, did_you_mean, is_under_change, plan_file
from ..variable_check import Template

INSTANCE_VARIABLE = "servicenow_defender_change_instance"


def change_errors(hostvars: Any, hosts: Mapping[str, Mapping[str, Any]], template: Template) -> list[str]:
    """Return one sentence for each error in the variables of the hosts of a play, given their raw variables."""
    asked: dict[tuple[bool, str], str] = {}
    for host, variables in hosts.items():
        for name in (CHANGE_VARIABLE, PLAN_VARIABLE):
            if name in variables and (error := _failure_of(template, host, variables[name])):
                return [f"{host}: {name} cannot be evaluated: {error}. Nothing was written"]
        asked.setdefault((is_under_change(hostvars, host, variables), plan_file(hostvars, host, variables)), host)
    if len(asked) > 1:
        first, second = list(asked.values())[:2]
        return [
            f"{first} and {second} have different values of {CHANGE_VARIABLE} or {PLAN_VARIABLE}, and a run has one plan. Nothing was "
            f"written. Set them for all hosts, or use --limit"
        ]
    for (under_change, path), host in asked.items():
        if under_change and path:
            return [
                f"{CHANGE_VARIABLE} and {PLAN_VARIABLE} are both set: the change request holds the plan. Remove one of them"
            ]
        if under_change:
            return _instance_errors(hostvars, host)
    return []


def _failure_of(template: Template, host: str, value: Any) -> str:
    """Return why a template fails, "" for one that does not."""
    try:
        template(host, value)
    except AnsibleError as error:
        return str(error)
    return ""


def _instance_errors(hostvars: Any, host: str) -> list[str]:
    """Return an error unless the instance of the change requests is a host of the inventory."""
    name = str(hostvars[host].get(INSTANCE_VARIABLE) or "")
    if not name:
        return [
            f"{CHANGE_VARIABLE} requires {INSTANCE_VARIABLE}: the inventory host of the instance that has the change requests"
        ]
    if name not in hostvars:
        return [f"{INSTANCE_VARIABLE} is {name!r}, which is not a host of the inventory.{did_you_mean(name, hostvars)}"]
    return []
