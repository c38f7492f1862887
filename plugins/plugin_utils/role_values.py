# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of role variables, for any host and service of a run.

Ansible compiles each template again wherever it is evaluated, which is most of what a task costs. So the templates among the
defaults of the connection roles are computed here, and only what a user has set is templated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils.engine.accepted_credentials import doubted, since_rotation
from .role_variables import defaults_of
from .rotation_journal import NAME as JOURNAL
from .rotation_journal import unfinished_since
from .secret_store import reader, store_of
from .templating import is_trusted, with_variables

SERVICE = "snow_connection_service"
SNOW, MDA, MDC, MSEM = "snow_connection", "mda_connection", "mdc_itsm", "msem_connection"
PREFLIGHT = "snow_preflight"
ROLES = (PREFLIGHT, SNOW, MDA, MDC, MSEM)
NEW_ACCOUNT = "its account {} did not exist any more, and its tokens ended with it; onboard makes the account and writes the credentials again"
# Set where a rotation is continued.
CONTINUES = "secret_rotation__continues"
# A variable, or a variable with a constant in place of one that is not defined.
REFERENCE = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)(?:\s*\|\s*default\(\s*(?:'([^'\\{}]*)'|(true|false))\s*\))?\s*-?\}\}")
# Constants and special variables of templates that look like the names of variables.
RESERVED = {"omit", "true", "false", "none", "True", "False", "None"}
Stored = Callable[[str], str]


class RoleValues:
    """The variables of one host; `stored` returns a stored secret by its name, "" if it is missing.

    Without `stored`, secrets come from the store that the variables configure.
    """

    def __init__(self, templar: Any, variables: Mapping[str, Any], stored: Stored | None = None) -> None:
        self.variables = variables
        self._of_task = templar
        self._stored = stored
        self._evaluating: set[str] = set()

    @cached_property
    def templar(self) -> Any:
        """The templar with the variables of the host."""
        return with_variables(self._of_task, self.variables)

    def stored(self, name: str) -> str:
        """Return a stored secret; raise `ValueError` for one that cannot be read."""
        if self._stored is None:
            host = str(self.variables.get("inventory_hostname", ""))
            try:
                self._stored = reader(store_of(self.templar, self.variables), host)
                return self._stored(name)
            except ValueError as error:
                raise ValueError(f"{host}: {error}") from error
        return self._stored(name)

    def value(self, name: str) -> Any:
        """Return the value of a variable; raise `KeyError` if it is not defined."""
        raw = self.variables[name]
        if name in self._evaluating:  # the templar reports the loop
            return self.templar.template(raw)
        self._evaluating.add(name)
        try:
            compute = COMPUTED.get(name)
            return compute(self) if compute and self.is_default(name) else self.evaluate(raw)
        finally:
            self._evaluating.discard(name)

    def is_default(self, name: str) -> bool:
        """Return whether a variable of a connection role has the default of its role, or belongs to it alone."""
        if "__" in name:
            return True
        role = next(role for role in ROLES if name.startswith(f"{role}_"))
        return bool(self.variables[name] == defaults_of(role).get(name))

    def evaluate(self, raw: Any) -> Any:
        """Return what a value or template stands for."""
        if isinstance(raw, Mapping):
            try:
                simple = {key: self.evaluate(value) for key, value in raw.items() if self._is_simple(value)}
            except (
                AnsibleError
            ):  # of a variable that is omitted or not defined; the template of the whole leaves it out or reports it
                simple = {}
            rest = {key: value for key, value in raw.items() if key not in simple}
            return {**simple, **(self.templar.template(rest) if rest else {})}
        if not self._is_simple(raw):
            return self.templar.template(raw)
        reference = REFERENCE.fullmatch(raw) if isinstance(raw, str) else None
        if not reference:
            return raw
        name, text, switch = reference.groups()
        if name in self.variables:
            return self.value(name)
        return switch == "true" if text is None else text

    def _is_simple(self, raw: Any) -> bool:
        """Return whether a value needs no template: a constant, or a reference to a variable."""
        if raw is None or isinstance(raw, (bool, int, float)):
            return True
        if not isinstance(raw, str) or not is_trusted(raw):
            return False
        if "{" not in raw:
            return not raw.startswith("#jinja2:")
        reference = REFERENCE.fullmatch(raw)
        if not reference or reference[1] in RESERVED:
            return False
        name, *default = reference.groups()
        if default == [None, None]:
            return name in self.variables
        # A template may turn out as not defined, for which the default stands as well.
        return "{" not in str(self.variables.get(name, ""))

    def optional(self, name: str, default: Any = "") -> Any:
        """Return the value of a variable, or a default where it is not defined."""
        return self.value(name) if name in self.variables else default

    def of_service(self, name: str, default: Any = "") -> Any:
        """Return what role snow_connection has as the default of the service."""
        return self.variables["snow_connection__defaults"].get(self.value(SERVICE), {}).get(name, default)

    def applications(self) -> Iterator[Mapping[str, Any]]:
        """Yield the OAuth applications of the instance that earlier tasks have found."""
        for found in (self.variables.get("snow_connection_result") or {}).get("results") or []:
            if "client_id" in found:
                yield found
        read = self.variables.get("snow_connection_applications") or {}
        for result in read.get("results", [read]) or []:
            yield from result.get("oauth_applications") or []

    def account_is_new(self) -> bool:
        """Return whether this run makes the account of the service, which did not exist, or would make it."""
        label = f"user {self.value('snow_connection_user_name')}"
        found = (self.variables.get("snow_connection_result") or {}).get("drift") or []
        return any((entry.get("object"), entry.get("field")) == (label, "state") for entry in found)

    def of_application(self, column: str) -> Any:
        """Return a value of the application of the service, "" if it is not known."""
        name = self.value("snow_connection_application_name")
        return next((row[column] for row in self.applications() if row.get("name") == name and row.get(column)), "")


def _user_roles(values: RoleValues) -> Any:
    if values.value("snow_connection_legacy_admin"):
        return ["admin"]
    return values.of_service("user_roles", None) or [values.value("snow_connection_role_name")]


def _accepted(service: str) -> Callable[[RoleValues], Any]:
    """Return what reads the record of a service; the playbook that continues a rotation takes it as it is."""

    def read(values: RoleValues) -> str:
        record = values.stored(f"{service}_accepted")
        # With client credentials, as for Exposure Management, no token of the service is missed.
        if not record or service == "msem" or values.variables.get(CONTINUES):
            return record
        if values.account_is_new():
            return doubted(record, NEW_ACCOUNT.format(values.value("snow_connection_user_name")))
        return since_rotation(record, unfinished_since(values.stored(JOURNAL), service))

    return read


def _connection(role: str, service: str) -> dict[str, Callable[[RoleValues], Any]]:
    """Return what a service signs in with, by the variables of its role."""
    return {
        f"{role}_username": lambda values: values.optional("snow_connection_user_name"),
        f"{role}_password": lambda values: values.optional("snow_connection_password"),
        f"{role}_client_secret": lambda values: values.optional("snow_connection_client_secret"),
        f"{role}_accepted": _accepted(service),
        f"{role}_accepted_key": lambda values: values.stored("accepted_key"),
    }


# The templates among the defaults of the roles, computed.
COMPUTED: dict[str, Callable[[RoleValues], Any]] = {
    "snow_connection_services": lambda values: [values.value(SERVICE)],
    "snow_connection_legacy_admin": lambda values: (
        values.value(SERVICE) == "mda" and values.optional("mda_connection_mode", "oauth") == "password"
    ),
    "snow_connection_application_name": lambda values: values.of_service("application_name"),
    "snow_connection_user_name": lambda values: values.of_service("user_name"),
    "snow_connection_role_name": lambda values: values.of_service("role_name"),
    "snow_connection_user_roles": _user_roles,
    "snow_connection_grant_type": lambda values: values.of_service("grant_type", "password"),
    "snow_connection_refresh_token_lifespan": lambda values: values.of_service("refresh_token_lifespan", 0),
    "snow_connection_password": lambda values: values.stored(f"{values.value(SERVICE)}_password"),
    "snow_connection_client_secret": lambda values: values.stored(f"{values.value(SERVICE)}_client_secret"),
    "snow_connection__table_read": lambda values: values.of_service("table_read", "sys_user"),
    "snow_connection__client_id": lambda values: values.of_application("client_id"),
    **_connection(MDA, "mda"),
    "mda_connection_refresh_token_lifespan": lambda values: (
        values.optional("snow_connection_refresh_token_lifespan", 0) or 0
    ),
    "mda_connection_refresh_token_expires_at": lambda values: values.of_application("refresh_token_expires_at"),
    **_connection(MDC, "mdc"),
    "mdc_itsm__refresh_token_expires_at": lambda values: values.of_application("refresh_token_expires_at"),
    **_connection(MSEM, "msem"),
}
