# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of an instance for the services that it is connected to, in the options of snow_instance.

The same templates as in the defaults of role snow_connection, without the templates: evaluating them is most of what a task
costs. Only what a user has set is templated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .role_variables import defaults_of

ROLE = "snow_connection"
SERVICE = "snow_connection_service"
Lookup = Callable[[str], str]
# List -> what names an entry, and the variable of the role that sets it.
UNIQUE = {
    "users": ("user_name", "snow_connection_user_name"),
    "oauth_applications": ("name", "snow_connection_application_name"),
}


class Connection:
    """One service; `password` returns the content of a secret file, which it creates if need be."""

    def __init__(self, templar: Any, variables: Mapping[str, Any], service: str, password: Lookup) -> None:
        self.variables = {**variables, SERVICE: service}
        self.templar = templar.copy_with_new_env(available_variables=self.variables)
        self.service = service
        self.password = password
        self.defaults: Mapping[str, Any] = variables["snow_connection__defaults"].get(service, {})

    def value(self, name: str) -> Any:
        """Return the value of `snow_connection_<name>`."""
        variable = f"{ROLE}_{name}"
        if self.variables[variable] != defaults_of(ROLE).get(variable):
            return self.templar.template(self.variables[variable])
        if name == "user_roles" and self.value("legacy_admin"):
            return ["admin"]
        if name in self.defaults:
            return self.defaults[name]
        if name == "user_roles":
            return [self.value("role_name")]
        if name in ("password", "client_secret"):
            host = self.variables["inventory_hostname"]
            return self.password(f"{self.value('secrets')}/{host}/{self.service}_{name}")
        return self.templar.template(self.variables[variable])

    def options(self) -> dict[str, list[dict[str, Any]]]:
        """Return the options of snow_instance."""
        role, tables, legacy = self.value("role_name"), self.value("tables"), self.value("legacy_admin")
        own_role = bool(role) and not legacy
        user = {
            "user_name": self.value("user_name"),
            "password": self.value("password"),
            "first_name": "Microsoft",
            "last_name": "Defender",
            "web_service_access_only": True,
            # Both are drift, and corrected: an account that cannot sign in breaks the connection.
            "state": "present",
            "extra_fields": {"locked_out": False},
            "roles": self.value("user_roles"),
            "exclusive_roles": self.value("exclusive_roles"),
        }
        application = {
            "name": self.value("application_name"),
            "active": True,
            **{
                option: self.value(option)
                for option in (
                    "client_secret",
                    "access_token_lifespan",
                    "refresh_token_lifespan",
                    "scope_restriction",
                    "redirect_urls",
                )
            },
        }
        return {
            "roles": [{"name": role, "description": self.value("role_description")}] if own_role else [],
            "users": [user],
            "oauth_applications": [{key: value for key, value in application.items() if value != []}],
            "table_acls": [{"role": role, "tables": tables}] if own_role and tables else [],
            "plugins": [{"id": "com.glide.rest"}] if legacy else [],
        }


def merged(connections: Iterable[Connection]) -> dict[str, list[dict[str, Any]]]:
    """Return the options of one instance; raise `ValueError` if services share an account or an application."""
    result: dict[str, list[dict[str, Any]]] = {}
    for connection in connections:
        for option, entries in connection.options().items():
            known = result.setdefault(option, [])
            for entry in entries:
                _refuse_shared(option, known, entry)
                known += [] if entry in known else [entry]
    return result


def _refuse_shared(option: str, known: Iterable[Mapping[str, Any]], entry: Mapping[str, Any]) -> None:
    if option in UNIQUE:
        key, variable = UNIQUE[option]
        if any(other[key] == entry[key] for other in known):
            raise ValueError(
                f"{variable} is {entry[key]!r} for two services; set one for each, for example "
                "\"{{ {'mda': 'a', 'mdc': 'b'}[snow_connection_service] }}\""
            )
