# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a fleet file: host, variables and groups of each row, and one sentence for each row that is wrong.

No row is lost. A row that cannot be used is a host, too, and its failure is recorded as that of a task would be, so that it is
in the summary of every playbook, and fails it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ...module_utils.secret_names import SECRET_NAME
from ..fleet import DEFAULT_INSTANCES, FAILURE, SERVICES, SERVICES_VARIABLE, did_you_mean
from ..role_variables import known_variables
from ..summary.missing_tenant import BUILT_IN_GROUPS
from ..variable_check import misspelt
from .rows import Row

COLUMNS = ("name", "url", "release", "environment", "services")
RELEASE, ENVIRONMENT = "servicenow_release", "servicenow_environment"
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SEPARATORS = re.compile(r"[\s,;|+]+")
TEMPLATE_SYNTAX = ("{{", "{%", "{#")
TASK = "Read the fleet file"


@dataclass
class Instance:
    """One host: its variables, and the groups that it is in by what they stand for."""

    name: str
    line: int
    variables: dict[str, Any] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)

    def fail(self, problem: str) -> None:
        """Record that the host cannot be worked with; the first reason stays."""
        self.variables.setdefault(FAILURE, {"task": TASK, "message": problem})


class FleetReader:
    """Turns rows into instances. `source` is the file's name in messages, `url` the pattern of the address, `group` that of all of them."""

    def __init__(self, source: str, url: str, group_by: Iterable[str], group: str = DEFAULT_INSTANCES) -> None:
        self.source = source
        self.url = url
        self.group = group
        self.group_by = frozenset(group_by)
        self.problems: list[str] = []
        self._rows: dict[str, tuple[Row, Instance]] = {}
        self._urls: dict[str, Instance] = {}

    def read(self, rows: Iterable[Row]) -> list[Instance]:
        """Return the instances in the order of their rows; `problems` then has one sentence for each row that is wrong."""
        for row in rows:
            self._add(row)
        return [instance for _row, instance in self._rows.values()]

    def _add(self, row: Row) -> None:
        name = str(row.values.get("name", ""))
        shown = self._problem_of_name(name)
        if shown:
            nameless = Instance(f"{re.sub('[^A-Za-z0-9._-]', '_', self.source)}-line-{row.line}", row.line)
            self._keep(row, nameless, row.problem or shown)
            return
        if name in self._rows:
            self._duplicate(row, *self._rows[name])
            return
        instance = Instance(name, row.line)
        self._keep(row, instance, row.problem or self._fill(instance, row.values))

    def _problem_of_name(self, name: str) -> str:
        """Return why no host can have this name, "" for nothing."""
        if not name:
            return "no name"
        if not NAME.fullmatch(name):
            return f"{name!r} cannot be a host name; use letters, digits, dots, dashes and underscores"
        if name in (self.group, *BUILT_IN_GROUPS):
            return f"{name!r} is the name of a group, whose hosts Ansible would leave out; give the host another name, and the column url"
        return ""

    def _keep(self, row: Row, instance: Instance, problem: str) -> None:
        self._rows[instance.name] = (row, instance)
        if problem:
            sentence = f"{self._place(row)}: {problem}"
            self.problems.append(sentence)
            instance.fail(sentence)

    def _place(self, row: Row) -> str:
        return f"{self.source} line {row.line}"

    def _duplicate(self, row: Row, first: Row, instance: Instance) -> None:
        if row.values == first.values and not row.problem:
            self.problems.append(
                f"{self._place(row)}: {instance.name} again, as in line {first.line}; remove one of the two"
            )
            return
        names = sorted({*row.values, *first.values})
        differing = [name for name in names if row.values.get(name) != first.values.get(name)]
        what = f" with another {', '.join(differing)}" if differing else ""
        sentence = f"{self._place(row)}: {instance.name} again{what}, as in line {first.line}; remove the wrong one"
        self.problems.append(sentence)
        instance.fail(sentence)

    def _fill(self, instance: Instance, values: Mapping[str, Any]) -> str:
        """Set variables and groups of an instance; return what is wrong with its row, "" for nothing."""
        wrong = next(filter(None, (_problem_of(column, value) for column, value in values.items())), "")
        if wrong:
            return wrong
        services = _services(values.get("services", []))
        unknown = [each for each in services if each not in SERVICES]
        if unknown:
            hint = did_you_mean(unknown[0], SERVICES, cutoff=0.5)
            return (
                f"{instance.name} has an unknown service {unknown[0]!r}. Known services: {', '.join(SERVICES)}.{hint}"
            )
        url = str(values.get("url") or self.url.replace("{name}", instance.name)).rstrip("/")
        if not is_url(url):
            return f"{instance.name} has the URL {without_user(url)!r}; write https://, the host, and nothing but a path after it"
        other = self._urls.setdefault(url.lower(), instance)
        if other is not instance:
            return (
                f"{instance.name} has the URL of {other.name} (line {other.line}), {url}; remove or correct one of them"
            )
        instance.variables.update({name: value for name, value in values.items() if name not in COLUMNS}, snow_url=url)
        self._group(instance, values, services)
        return ""

    def _group(self, instance: Instance, values: Mapping[str, Any], services: list[str]) -> None:
        if services:
            instance.variables[SERVICES_VARIABLE] = services
            if "services" in self.group_by:
                instance.groups += [f"service_{each}" for each in services]
        for column, variable in (("release", RELEASE), ("environment", ENVIRONMENT)):
            if values.get(column):
                text = str(values[column]).strip()
                instance.variables[variable] = text
                if column in self.group_by:
                    instance.groups.append(f"{column}_{text.lower()}")


def _services(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else SEPARATORS.split(str(value))
    return list(dict.fromkeys(str(each).strip().lower() for each in listed if str(each).strip()))


def without_user(url: str) -> str:
    """Return a URL without user name and password, for a message."""
    return re.sub(r"//[^/]*@", "//...@", url)


def is_url(url: str) -> bool:
    """Return whether a text is a URL with a host, and nothing but a path after it."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return False
    plain = not (parts.username or parts.query or parts.fragment or re.search(r"\s", url))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def _problem_of(column: str, value: Any) -> str:
    """Return what is wrong with a column or its value, "" for nothing."""
    if column in COLUMNS:
        texts = value if column == "services" and isinstance(value, list) else [value]
        if any(isinstance(each, (dict, list)) for each in texts):
            return f"the column {column} holds no text"
        if value == []:
            return f"the column {column} is an empty list; name services, or leave it out for the default"
    elif not VARIABLE.fullmatch(column):
        return f"the column {column!r} cannot be the name of a variable; use letters, digits and underscores"
    elif SECRET_NAME.search(column):
        return f"the column {column} holds a secret, which does not belong into a fleet file; move it to a vault file in group_vars"
    elif (hint := did_you_mean(column, COLUMNS)) and column not in known_variables().names:
        return f"the column {column} is not known.{hint}"
    elif errors := misspelt(known_variables(), [column]):
        return errors[0]
    if any(syntax in str(value) for syntax in TEMPLATE_SYNTAX):
        return f"the column {column} holds a template, which a fleet file does not evaluate; move it to group_vars"
    return ""
