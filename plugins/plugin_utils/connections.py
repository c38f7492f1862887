# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of an instance for the services that it is connected to, in the options of snow_instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .role_values import SERVICE, SNOW, RoleValues, Stored

# List -> what names an entry, and the variable of the role that sets it.
UNIQUE = {
    "users": ("user_name", "snow_connection_user_name"),
    "oauth_applications": ("name", "snow_connection_application_name"),
}
# How a service signs in, and which secrets that takes.
PASSWORD, CLIENT_CREDENTIALS, BASIC = "password", "client_credentials", "basic"
SECRETS_OF_GRANT = {
    PASSWORD: ("password", "client_secret"),
    CLIENT_CREDENTIALS: ("client_secret",),
    BASIC: ("password",),
}
# Exposure Management alone offers another grant than the password grant (docs/facts/exposure_management.md#data-connector).
GRANTS = {"mda": (PASSWORD,), "mdc": (PASSWORD,), "msem": (CLIENT_CREDENTIALS, BASIC)}
ALLOWS_CLIENT_CREDENTIALS = "glide.oauth.inbound.client.credential.grant_type.enabled"


@dataclass(frozen=True)
class MissingSecret:
    """A secret that is not stored: the kind of object that has it, and the query that finds that in a table."""

    noun: str
    table: str
    query: Mapping[str, str]

    @property
    def label(self) -> str:
        """The object as results name it."""
        return " ".join((self.noun, *self.query.values()))


class Connection:
    """One service; `stored` returns a stored secret by its name, "" if it is missing.

    `identity(service, address)` returns the options by which the application of a clone gets its own client id.
    """

    def __init__(
        self,
        templar: Any,
        variables: Mapping[str, Any],
        service: str,
        stored: Stored,
        identity: Callable[[str, str], Mapping[str, Any]] | None = None,
    ) -> None:
        self.values = RoleValues(templar, {**variables, SERVICE: service}, stored)
        self.service = service
        self.stored = stored
        self.identity = identity

    def value(self, name: str) -> Any:
        """Return the value of `snow_connection_<name>`."""
        return self.values.value(f"{SNOW}_{name}")

    def is_default(self, name: str) -> bool:
        """Return whether the user has not set `snow_connection_<name>`."""
        return self.values.is_default(f"{SNOW}_{name}")

    def secret_name(self, name: str) -> str:
        """Return the name under which the secret of an option is stored."""
        return f"{self.service}_{name}"

    @property
    def grant(self) -> str:
        """How the service signs in; raise `ValueError` for a way that it does not offer."""
        found, offered = str(self.value("grant_type")), GRANTS.get(self.service, tuple(SECRETS_OF_GRANT))
        if found not in offered:
            raise ValueError(
                f"snow_connection_grant_type is {found!r}, but {self.service} signs in with {' or '.join(offered)}"
            )
        return found

    @property
    def secrets(self) -> tuple[str, ...]:
        """The options whose values are the secrets of the service."""
        return SECRETS_OF_GRANT[self.grant]

    def missing_secrets(self) -> dict[str, MissingSecret]:
        """Return the secrets that are not stored, by name, except for those that the user supplies."""
        owners = {
            "password": MissingSecret("user", "sys_user", {"user_name": self.value("user_name")}),
            "client_secret": MissingSecret(
                "oauth_application", "oauth_entity", {"name": self.value("application_name")}
            ),
        }
        return {
            self.secret_name(name): owner
            for name, owner in owners.items()
            if name in self.secrets and self.is_default(name) and not self.stored(self.secret_name(name))
        }

    def options(self) -> dict[str, list[dict[str, Any]]]:
        """Return the options of snow_instance."""
        role, tables, legacy = self.value("role_name"), self.value("tables"), self.value("legacy_admin")
        own_role = bool(role) and not legacy
        return {
            "roles": [{"name": role, "description": self.value("role_description")}] if own_role else [],
            "users": [self._user()],
            "oauth_applications": [self._application()] if "client_secret" in self.secrets else [],
            "table_acls": [{"role": role, "tables": tables}] if own_role and tables else [],
            "plugins": [{"id": "com.glide.rest"}] if legacy else [],
        }

    def properties(self) -> dict[str, Any]:
        """Return the system properties that the sign-in of the service requires."""
        return (
            {ALLOWS_CLIENT_CREDENTIALS: {"value": "true", "type": "boolean"}}
            if self.grant == CLIENT_CREDENTIALS
            else {}
        )

    def _user(self) -> dict[str, Any]:
        return {
            "user_name": self.value("user_name"),
            **({"password": self.value("password")} if "password" in self.secrets else {}),
            "first_name": "Microsoft",
            "last_name": "Defender",
            "web_service_access_only": True,
            # Both are drift, and corrected: an account that cannot sign in breaks the connection.
            "state": "present",
            "extra_fields": {"locked_out": False},
            "roles": self.value("user_roles"),
            "exclusive_roles": self.value("exclusive_roles"),
            **self.value("user_options"),
        }

    def _application(self) -> dict[str, Any]:
        names = ["client_secret", "access_token_lifespan", "scope_restriction", "redirect_urls"]
        found: dict[str, Any] = {"name": self.value("application_name"), "active": True}
        if self.grant == CLIENT_CREDENTIALS:
            found |= {"oauth_user": self.value("user_name"), "default_grant_type": CLIENT_CREDENTIALS}
        else:
            names.append("refresh_token_lifespan")
        if self.identity:
            found |= self.identity(self.service, str(self.values.optional("snow_url")))
        found |= {name: self.value(name) for name in names}
        # An empty list, and an empty scope restriction, are not compared.
        return {key: value for key, value in found.items() if value != [] and (value or key != "scope_restriction")}


def merged(connections: Iterable[Connection]) -> dict[str, Any]:
    """Return the options of one instance; raise `ValueError` if services share an account or an application."""
    result: dict[str, Any] = {}
    for connection in connections:
        if connection.properties():
            result["properties"] = {**result.get("properties", {}), **connection.properties()}
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
