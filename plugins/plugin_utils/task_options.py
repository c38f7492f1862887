# SPDX-License-Identifier: GPL-3.0-or-later
"""All options of a task on an instance, from the variables of the roles snow_preflight and snow_connection.

A template for each option would cost more than the task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from .client_ids import identity_options
from .connection_options import options_of
from .connections import Connection, merged
from .drift_options import INSTANCE_INFO, DriftOptions
from .fleet import PLANNING
from .offboarding import OFFBOARDED, left_fleet
from .role_values import PREFLIGHT, SNOW, RoleValues
from .secret_store import or_new, reader, store_of
from .update_set_source import source_options
from .variable_check import refuse_misspelt

FILE, SOURCE, SERVICES = "snow_connection_update_set_file", "snow_table_acls_source", "snow_connection_services"
Options = dict[str, Any]


class TaskOptions:
    """The options of tasks on the instance of the task; raises `ValueError` for variables that cannot be used."""

    def __init__(self, templar: Any, variables: Mapping[str, Any]) -> None:
        self.templar = templar
        self.variables = variables
        self.values = RoleValues(templar, variables)
        self.host = str(variables["inventory_hostname"])

    def of(self, module: str) -> Options:
        """Return the options of a module, one of `MODULES`."""
        refuse_misspelt(self.variables)
        return MODULES[module](self)

    def preflight(self) -> Options:
        """Return the options of snow_instance_info."""
        own = {name: self.variables[f"{PREFLIGHT}_{name}"] for name in (*INSTANCE_INFO, "ignore")}
        return {**self._connection(PREFLIGHT), **self.values.evaluate(own)}

    def sign_in(self) -> Options:
        """Return the options of snow_oauth_check for the service of the variables."""
        return {**self._connection(SNOW), **self.values.value("snow_connection__oauth_check")}

    def instance(self) -> Options:
        """Return the options of snow_instance; if nothing may be stored yet, with secrets that would be generated."""
        predicts = boolean(self.variables.get(PLANNING, self.variables.get("ansible_check_mode", False)), strict=False)
        desired = self._desired(self.services(), predicts=predicts, source=self.values.optional(SOURCE))
        return {**self._connection(SNOW), **desired}

    def drift(self) -> Options:
        """Return the options of snow_drift_info; the end of each refresh token is to be read, too."""
        self._refuse_offboarded()

        def desired(services: Any) -> Options:
            found = self._desired(flat(services))
            for application in found.get("oauth_applications", []):
                application["read_token_end"] = True
            return found

        return DriftOptions(
            self.variables, self.values.evaluate, lambda _group: self._connection(SNOW), desired
        ).options()

    def services(self) -> list[str]:
        """Return the services of the instance."""
        return flat(self.values.value(SERVICES))

    def _connection(self, role: str) -> Options:
        name = f"{role}_options"
        own = None if self.values.is_default(name) else self.variables[name]
        found: Options = self.values.evaluate(options_of("snow", self.variables) if own is None else own)
        return found

    def _desired(self, services: Iterable[str], *, predicts: bool = False, source: str = "") -> Options:
        """Return roles, accounts, applications, access rules and plugins; the rules with what they are saved to and taken over from."""
        store = store_of(self.templar, self.variables)
        recorded = reader(store, self.host)
        stored = or_new(recorded) if predicts else recorded

        def identity(service: str, address: str) -> Options:
            return identity_options(recorded, store, self.host, service, address)

        options = merged(Connection(self.templar, self.variables, service, stored, identity) for service in services)
        file = self.values.optional(FILE)
        rules = {
            **({"update_set_file": file} if file else {}),
            **source_options(self.templar, self.variables, source, SOURCE),
        }
        options["table_acls"] = [{**entry, **rules} for entry in options["table_acls"]]
        return options

    def _refuse_offboarded(self) -> None:
        """Raise an error that says what to do about an instance that left the fleet."""
        try:
            stored = reader(store_of(self.templar, self.variables), self.host)
            notice = left_fleet(stored, self.services() if stored(OFFBOARDED) else [], self.host)
        except ValueError as error:
            raise ValueError(f"{self.host}: {error}") from error
        if notice:
            raise ValueError(notice)


MODULES: dict[str, Callable[[TaskOptions], Options]] = {
    "snow_instance_info": TaskOptions.preflight,
    "snow_instance": TaskOptions.instance,
    "snow_oauth_check": TaskOptions.sign_in,
    "snow_drift_info": TaskOptions.drift,
}


def flat(value: Any) -> list[str]:
    """Return names that may be one name, or a list with lists in it; raise `ValueError` for anything else."""
    if isinstance(value, str):
        return [str(value)]
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{SERVICES} must be a service or a list of services")
    return [name for each in value for name in flat(each)]
