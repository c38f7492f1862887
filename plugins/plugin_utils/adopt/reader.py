# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of adopt have in common: how they ask the modules, and which variables hold without adopt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..connection_options import options_of
from ..role_variables import defaults_of, vars_of
from .file import Variable

Json = Mapping[str, Any]
Asked = Callable[..., dict[str, Any]]
ROLES = ("snow_connection", "mda_connection", "mdc_itsm", "msem_connection", "mda_protection")
# Names of objects: they are searched for, also by the names that an earlier run wrote.
NAMES = frozenset({
    "snow_connection_application_name", "snow_connection_user_name", "snow_connection_role_name", "mda_connection_name",
    "mdc_itsm_display_name", "mdc_itsm_scope",
})  # fmt: skip


class AdoptError(Exception):
    """A host that cannot be described, with the reason and the remedy."""


@dataclass
class Described:
    """The variables of a host, what no variable describes, and what is unproven; `objects` are those of the tenant, by host."""

    variables: list[Variable]
    drift: list[Json] = field(default_factory=list)
    unproven: list[Json] = field(default_factory=list)
    objects: Mapping[str, Any] = field(default_factory=dict)

    def as_result(self) -> dict[str, Any]:
        """Return it in the form of a module."""
        shown = {each.name: each.value for each in self.variables}
        # The file that is written corrects none of them.
        deviating = dict.fromkeys(str(entry["object"]) for entry in self.drift)
        results = [{"object": label, "status": "drift"} for label in deviating]
        return {
            "adopted": shown,
            "results": results,
            "drift": self.drift,
            "unproven": self.unproven,
            "objects": dict(self.objects),
        }


class Reader:
    """Base of both readers: `ask` runs a module, `variables` are those of the task.

    `passing` names the variables that do not last: those that adopt itself wrote before, and the extra variables of this run.
    """

    def __init__(self, ask: Asked, templar: Any, variables: Mapping[str, Any], passing: Iterable[str]) -> None:
        self.ask, self.templar, self.passing = ask, templar, frozenset(passing)
        self.defaults: dict[str, Any] = {}
        for role in ROLES:
            self.defaults |= {**defaults_of(role), **vars_of(role)}
        self.variables = {**self.defaults, **variables}
        self.host = str(variables["inventory_hostname"])

    def lasting(self) -> dict[str, Any]:
        """Return the variables without those that do not last; names of objects stay."""
        known = {name: value for name, value in self.variables.items() if name not in self.passing - NAMES}
        return {**self.defaults, **known}

    def new(self, values: Mapping[str, Any], usual: Callable[[str], Any]) -> dict[str, Any]:
        """Return the values that differ from those that hold without them, and names that do not last."""
        return {name: value for name, value in values.items() if name in self.passing & NAMES or value != usual(name)}

    def connection(self, group: str) -> dict[str, Any]:
        """Return the connection options among the variables."""
        found: dict[str, Any] = self.templar.template(options_of(group, self.variables))
        return found
