# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of this collection: their names, and the argument specifications of its roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_load

from ..module_utils.transport.settings import TRANSPORT_OPTIONS
from .connection_options import GROUPS, options_of_group
from .fleet import (
    CHANGE_VARIABLE,
    FAILURE,
    GATE,
    PLAN_VARIABLE,
    PLANNING,
    SELECTED,
    SELECTED_TENANT,
    SERVICES,
    SERVICES_VARIABLE,
)

ROLES = Path(__file__).resolve().parents[2] / "roles"
Spec = Mapping[str, Any]

# Variables that only playbooks read, with their types.
PLAYBOOK_VARIABLES: dict[str, dict[str, Any]] = {
    "servicenow_defender_instances": {"type": "str"},
    "servicenow_defender_tenant": {"type": "str"},
    "servicenow_defender_serial": {"type": "raw"},
    SERVICES_VARIABLE: {"type": "list", "elements": "str", "choices": list(SERVICES)},
    "drift_fail": {"type": "bool", "default": True},
    "drift_include_hardening": {"type": "bool", "default": True},
    "drift_report_dir": {"type": "str"},
    "drift_run_id": {"type": "str"},
    "verify_fail": {"type": "bool", "default": True},
    "adopt_dir": {"type": "str"},
    "servicenow_defender_unsupplied_secrets": {"type": "list", "elements": "str"},
    "servicenow_defender_preserver_file": {"type": "str"},
    CHANGE_VARIABLE: {"type": "bool"},
    "servicenow_defender_change_instance": {"type": "str"},
    "servicenow_defender_change_template": {"type": "str"},
    "servicenow_defender_change_fields": {"type": "dict"},
    "servicenow_defender_change_renew": {"type": "bool"},
    PLAN_VARIABLE: {"type": "str"},
    "learn_contract_har": {"type": "str"},
    "learn_contract_name": {"type": "str"},
    "learn_contract_values": {"type": "dict"},
    "learn_contract_target": {"type": "str", "choices": ["mda_connector", "mda_policy", "msem_connector"]},
    "learn_contract_file": {"type": "str"},
    "learn_contract_confirm": {"type": "bool", "default": True},
    "activity_since_days": {"type": "int"},
    "activity_limit": {"type": "int"},
    "respond_users": {"type": "list", "elements": "str"},
    "respond_query": {"type": "str"},
    "respond_timespan": {"type": "str"},
    "respond_user_column": {"type": "str"},
    "respond_action": {"type": "raw"},
    "respond_protected": {"type": "list", "elements": "str"},
    "respond_max_users": {"type": "int"},
    "respond_since": {"type": "str"},
    "respond_notify_sender": {"type": "str"},
    "respond_notify_subject": {"type": "str"},
    "respond_notify_message": {"type": "str"},
}
RECORDED = (
    FAILURE,
    SELECTED,
    SELECTED_TENANT,
    GATE,
    PLANNING,
    "servicenow_defender_run_plan",
    "servicenow_defender_changes",
    "servicenow_defender_opened",
    "servicenow_defender_closed",
)


@dataclass(frozen=True)
class KnownVariables:
    """The known names; what begins with a `prefix` belongs to this collection, other names may only resemble one of its."""

    specs: Mapping[str, Spec]
    names: frozenset[str]
    prefixes: tuple[str, ...]


@lru_cache(maxsize=1)
def known_variables() -> KnownVariables:
    """Return the variables of all roles and playbooks, and the connection options."""
    specs: dict[str, Spec] = dict(PLAYBOOK_VARIABLES)
    names = set(RECORDED)
    roles = sorted(folder for folder in ROLES.iterdir() if folder.is_dir())
    for role in roles:
        for entry_point in _read(role / "meta/argument_specs.yml").get("argument_specs", {}).values():
            specs.update(entry_point.get("options") or {})
        names.update(_read(role / "defaults/main.yml"), _read(role / "vars/main.yml"))
        for tasks in sorted((role / "tasks").glob("*.yml")):
            names.update(_registered(_load(tasks)))
    for group in GROUPS:
        names.update(options_of_group(group))
    names.update(TRANSPORT_OPTIONS)
    prefixes = ("servicenow_defender_", "learn_contract_", "adopt_", *(f"{role.name}_" for role in roles))
    return KnownVariables(specs, frozenset(names | specs.keys()), prefixes)


@lru_cache
def defaults_of(role: str) -> Mapping[str, Any]:
    """Return the defaults of a role, templates included."""
    return _read(ROLES / role / "defaults/main.yml")


@lru_cache
def vars_of(role: str) -> Mapping[str, Any]:
    """Return the internal variables of a role, templates included."""
    return _read(ROLES / role / "vars/main.yml")


def _read(path: Path) -> dict[str, Any]:
    return (_load(path) or {}) if path.exists() else {}


def _load(path: Path) -> Any:
    content: Spec = yaml_load(path.read_text(encoding="utf-8"))
    return content


def _registered(tasks: Any) -> set[str]:
    """Return the names that tasks, and the tasks of their blocks, register or set."""
    found: set[str] = set()
    for task in tasks or []:
        found.update([task["register"]] if "register" in task else [])
        found.update(task.get("vars") or {}, task.get("ansible.builtin.set_fact") or {})
        found.update([task["loop_control"]["loop_var"]] if "loop_var" in task.get("loop_control", {}) else [])
        for part in ("block", "rescue", "always"):
            found |= _registered(task.get(part))
    return found
