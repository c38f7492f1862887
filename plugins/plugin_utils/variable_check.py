# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the variables of all hosts of a run at once: names, types and choices, as the argument specifications have them.

Ansible's own validation of role arguments templates every variable of every role for each host, which costs more than the
work itself. Equal values are checked once here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils.number_ranges import range_problem
from .fleet import SELECTED, SELECTED_TENANT, SERVICES, SERVICES_VARIABLE, did_you_mean
from .role_variables import PLAYBOOK_VARIABLES, KnownVariables, Spec, known_variables

# Names that begin with one of these may be the user's own: they are refused only if they resemble one of ours.
SHARED_PREFIXES = ("snow_", "azure_", "mda_", "mdc_", "respond_", "drift_", "verify_", "activity_")
RESEMBLES = 0.85
MAX_HOSTS_NAMED = 3
SERIAL_VARIABLE = "servicenow_defender_serial"
SIZE = re.compile(r"[0-9]+%?")
# What Ansible adds to a sentence that names both types already.
CLASS = re.compile(r": <class '[^']+'> cannot be converted to an? \w+")
Template = Callable[[str, Any], Any]


class VariableCheck:
    """Collects errors over the hosts of a run; `template` evaluates a value as a host has it."""

    def __init__(self, known: KnownVariables, template: Template) -> None:
        self.known = known
        self.template = template
        self._checked: dict[tuple[str, str], str] = {}
        self._errors: dict[str, list[str]] = {}
        self._ours = (*known.prefixes, *SHARED_PREFIXES)

    def add(self, host: str, variables: Mapping[str, Any]) -> None:
        """Check the variables of a host."""
        for name, value in variables.items():
            if name.startswith(self._ours):
                for error in self._errors_of(host, name, value):
                    self._errors.setdefault(error, []).append(host)

    def errors(self) -> list[str]:
        """Return one sentence for each error, with the hosts that have it."""
        return [f"{named(hosts)}: {error}" for error, hosts in self._errors.items()]

    def _errors_of(self, host: str, name: str, value: Any) -> Iterator[str]:
        if name in self.known.specs:
            yield from filter(None, [self._checked_value(host, name, value)])
        elif name not in self.known.names:
            key = (name, "")
            if key not in self._checked:
                self._checked[key] = unknown_name(self.known, name)
            yield from filter(None, [self._checked[key]])

    def _checked_value(self, host: str, name: str, value: Any) -> str:
        spec, is_of_playbooks = self.known.specs[name], name in PLAYBOOK_VARIABLES
        is_text = (
            spec.get("type", "str") in ("str", "raw", "path") and "choices" not in spec and name != SERIAL_VARIABLE
        )
        if is_text and not is_of_playbooks:
            return ""  # any value is a string, and a template may be a secret that is looked up elsewhere
        if _is_template(value):
            try:
                value = self.template(host, value)
            except AnsibleError as error:
                # The filter `default` of a playbook would put its default in the place of what a user has set, such as protected accounts. By
                # those of a role, the task that uses it fails with the reason.
                return f"{name} cannot be evaluated: {error}" if is_of_playbooks else ""
        if is_text:
            return ""
        key = (name, repr(value))
        if key not in self._checked:
            self._checked[key] = _value_error(name, spec, value)
        return self._checked[key]


def refuse_misspelt(variables: Mapping[str, Any]) -> None:
    """Raise `ValueError` for misspelt variables in a playbook of the user's own; those of this collection have checked all hosts."""
    if SELECTED in variables or SELECTED_TENANT in variables:
        return
    errors = misspelt(known_variables(), variables)
    if errors:
        raise ValueError("; ".join(errors))


def misspelt(known: KnownVariables, names: Iterable[str]) -> list[str]:
    """Return one sentence for each name that this collection does not know and that begins or looks like one of its own."""
    ours = (*known.prefixes, *SHARED_PREFIXES)
    return [
        error
        for name in sorted(names)
        if name.startswith(ours) and name not in known.names
        if (error := unknown_name(known, name))
    ]


def unknown_name(known: KnownVariables, name: str) -> str:
    """Return a sentence for a name that is not known, "" for a name of the user's own."""
    # Names with two underscores are internal to the roles.
    names = [each for each in known.names if "__" not in each]
    ours = name.startswith(known.prefixes)
    hint = did_you_mean(name, names, cutoff=0.6 if ours else RESEMBLES)
    return f"{name} is not a variable of this collection.{hint}" if ours or hint else ""


def _serial_error(value: Any) -> str:
    """Return what is wrong with the sizes of batches, "" for nothing: for others, Ansible ends with a traceback."""
    sizes = value if isinstance(value, list) else [value]
    if sizes and all(isinstance(each, (int, str)) and SIZE.fullmatch(str(each)) for each in sizes):
        return ""
    return f"{SERIAL_VARIABLE} is {value!r}, and must be a number of hosts or a percentage, such as 50 or 10%, or a list of these"


def _value_error(name: str, spec: Spec, value: Any) -> str:
    if name == SERIAL_VARIABLE:
        return _serial_error(value)
    if name == SERVICES_VARIABLE:
        if value in ("", []):
            return f"{name} is empty, so that nothing would be compared. Known services: {', '.join(SERVICES)}. Without the variable, it is mda"
        wanted = [value] if isinstance(value, str) else value
        unknown = [each for each in wanted if each not in SERVICES] if isinstance(wanted, list) else []
        if unknown:
            hint = did_you_mean(str(unknown[0]), SERVICES, cutoff=0.5)
            return f"{name} has an unknown service {unknown[0]!r}. Known services: {', '.join(SERVICES)}.{hint}"
    if value is None and spec.get("default") is True:
        return f"{name} has no value, which Ansible takes for false. Write true or false, or remove it"
    if value is None and spec.get("default", "") is None:
        return ""
    optional = {key: entry for key, entry in spec.items() if key not in ("required", "default")}
    messages = ArgumentSpecValidator({name: optional}).validate({name: value}).error_messages
    return CLASS.sub("", "; ".join(messages)) or range_problem_of(spec, name, value)


def range_problem_of(spec: Spec, name: str, value: Any) -> str:
    """Return a sentence for a number out of range in a variable, "" for none."""
    if spec.get("elements") == "dict" and isinstance(value, list):
        items = (range_problem_of({**spec, "elements": ""}, f"{name}[{at}]", each) for at, each in enumerate(value))
        return next(filter(None, items), "")
    if spec.get("options") and isinstance(value, Mapping):
        parts = (range_problem_of(spec["options"].get(key) or {}, f"{name}.{key}", item) for key, item in value.items())
        return next(filter(None, parts), "")
    return range_problem(name, value) if spec.get("type") in ("int", "float") else ""


def _is_template(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(_is_template(each) for each in value.values())
    return isinstance(value, list) and any(_is_template(each) for each in value)


def named(hosts: Iterable[str]) -> str:
    """Return the names of some hosts, and how many more there are."""
    known = list(dict.fromkeys(hosts))
    if len(known) <= MAX_HOSTS_NAMED:
        return ", ".join(known)
    return f"{', '.join(known[: MAX_HOSTS_NAMED - 1])} and {len(known) - MAX_HOSTS_NAMED + 1} more"
