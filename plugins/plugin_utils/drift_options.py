# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of snow_drift_info for an instance, from the variables of the roles that it stands for.

The same templates as in the defaults of role snow_connection, without the templates: evaluating them costs more than the
comparison. Only what a user has set is templated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from .role_variables import defaults_of

ROLE = "snow_connection"
INSTANCE_INFO = ("properties", "plugins", "tables")
HARDENING = (
    "baseline",
    "ids",
    "exclude",
    "overrides",
    "max_writes",
    "allow_irreversible",
    "allow_plugins",
    "accept_side_effects",
    "exceptions",
    "services",
    "create_for_score",
    "production",
)
PROBLEMS = ("fail_on", "ignore")
Template = Callable[[Any], Any]
Options = dict[str, Any]


class DriftOptions:
    """The variables of one task; `template` evaluates a value with them.

    `connection(group)` returns the connection options among the variables, and `instance(services)` the options of
    snow_instance for the services of the instance.
    """

    def __init__(
        self,
        variables: Mapping[str, Any],
        template: Template,
        connection: Callable[[str], Options],
        instance: Callable[[Iterable[str]], Options],
    ) -> None:
        self.variables = variables
        self.template = template
        self.connection = connection
        self.instance = instance

    def options(self) -> Options:
        """Return all options of snow_drift_info; raises what `template` raises."""
        options = {
            **(self._own("options", lambda: self.connection("snow")) or {}),
            **self._given("snow_preflight", PROBLEMS),
            "preflight": self._own("instance_info", self._instance_info),
            "instance": self.instance(self._own("services", self._services)),
        }
        if boolean(self.template(self.variables[f"{ROLE}_compare_hardening"]), strict=False):
            options["hardening"] = self._own("hardening", self._hardening)
        return options

    def _own(self, name: str, default: Callable[[], Any]) -> Any:
        """Return the value of `snow_connection_<name>`, None for `omit`, computed by `default` unless a user has set it."""
        variable = f"{ROLE}_{name}"
        value = self.variables[variable]
        return default() if value == defaults_of(ROLE).get(variable) else self._values({name: value}).get(name)

    def _services(self) -> list[str]:
        return [self.template(self.variables[f"{ROLE}_service"])]

    def _instance_info(self) -> Options:
        defaults = {"tables": ["oauth_entity", "sys_user", "sys_user_role"]}
        return {**defaults, **self._given("snow_preflight", INSTANCE_INFO)}

    def _hardening(self) -> Options:
        found = {"baseline": "secure_score", **self._given("snow_hardening", HARDENING)}
        return {name: value for name, value in found.items() if name != "baseline" or value}

    def _given(self, role: str, names: Iterable[str]) -> Options:
        """Return the options among the variables of a role that are defined."""
        return self._values(
            {name: self.variables[f"{role}_{name}"] for name in names if f"{role}_{name}" in self.variables}
        )

    def _values(self, known: Options) -> Options:
        """Return evaluated options without those that are `omit`, which Ansible drops from a dictionary only since 2.19."""
        omit = self.variables.get("omit")
        return {name: value for name, value in self.template(known).items() if omit is None or value != omit}
