# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that describe what an instance already has for its services, from what the modules read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.engine.errors import InvalidInput
from ...module_utils.hardening.baseline import select
from ..connections import CLIENT_CREDENTIALS, PASSWORD
from .choice import role_of
from .file import TEMPLATE_SYNTAX, Template, Variable

Json = Mapping[str, Any]
PREFIX = "snow_connection_"
UNSUPPLIED = "servicenow_defender_unsupplied_secrets"
# Ansible keeps a backslash in the text of a template, but for one before a quote.
UNQUOTABLE = re.compile(r"""\\(['"]|$)""")
APOSTROPHE = """ ~ "'" ~ """
SCOPES = ("broad", "restricted")
LIFESPANS = ("access_token_lifespan", "refresh_token_lifespan")
# What the role sets of an account itself, by option: the column, and the value of the role.
OF_ACCOUNT = {"first_name": "Microsoft", "last_name": "Defender", "web_service_access_only": True}
USER_COLUMNS = ("sys_id", "user_name", "active", "locked_out", *OF_ACCOUNT)

COMMENTS = {
    "snow_connection_application_name": "The application and the account that the service signs in with.",
    "snow_connection_grant_type": "How the service signs in, where it offers more than one way.",
    "snow_connection_role_name": "The role that the account has of its own.",
    "snow_connection_legacy_admin": "The account has the role admin. A custom role with read access suffices: see the guide on connections.",
    "snow_connection_tables": "Tables of which a rule lets the role read.",
    "snow_hardening_overrides": "Settings with a value of their own; the baseline differs.",
    "snow_hardening_exclude": "Settings that deviate from the baseline and whose state no value describes: not compared.",
    "snow_hardening_services": "Connections that hardening must not break.",
    "mda_connection_name": "The connector of Defender for Cloud Apps that reads this instance.",
    "mdc_itsm_display_name": "The integration of Defender for Cloud with this instance.",
    "mdc_itsm_scope": "The scope that defines the integration.",
    UNSUPPLIED: (
        "Secrets that are not supplied: named, not invented. Set snow_connection_password and snow_connection_client_secret, or store\n"
        "them (servicenow_defender_secrets), and they are compared. Until then, they are unproven and do not fail drift."
    ),
}
# Variables in the order of the file; those of the hardening and of the tenant follow.
ORDER = (
    "servicenow_defender_services",
    "snow_connection_application_name",
    "snow_connection_user_name",
    "snow_connection_grant_type",
    "snow_connection_role_name",
    "snow_connection_role_description",
    "snow_connection_legacy_admin",
    "snow_connection_user_roles",
    "snow_connection_user_options",
    "snow_connection_access_token_lifespan",
    "snow_connection_refresh_token_lifespan",
    "snow_connection_scope_restriction",
    "snow_connection_redirect_urls",
    "snow_connection_tables",
    "mda_connection_name",
    "mdc_itsm_display_name",
    "mdc_itsm_scope",
    "mdc_itsm_disabled",
    "mdc_itsm_excluded_scopes",
    "mdc_itsm_include_members",
    "snow_hardening_overrides",
    "snow_hardening_exclude",
    "snow_hardening_services",
    UNSUPPLIED,
)


@dataclass
class Found:
    """What one service has on an instance: application ({} if it signs in without one), account, and its own role.

    `granted` are the roles that the account was granted directly, each with its description.
    """

    service: str
    grant: str
    application: Json
    account: Json
    granted: Mapping[str, str]
    wanted_role: str
    usual_role: str
    role: str = field(init=False)

    def __post_init__(self) -> None:
        legacy = "admin" in self.granted
        self.role = (
            self.wanted_role if legacy else role_of(self.service, list(self.granted), self.wanted_role, self.usual_role)
        )

    def values(self) -> dict[str, Any]:
        """Return the variables of role snow_connection, by name, defaults included."""
        legacy = "admin" in self.granted
        values: dict[str, Any] = {
            **(self._of_application() if self.application else {}),
            "user_name": self.account["user_name"],
            "grant_type": self.grant,
            "legacy_admin": legacy,
            "user_roles": sorted(self.granted),
            "user_options": self._options(),
        }
        if not legacy:
            values["role_name"] = self.role
        if self.role in self.granted and not legacy:
            values["role_description"] = self.granted[self.role]
        return {f"{PREFIX}{name}": value for name, value in values.items()}

    def _of_application(self) -> dict[str, Any]:
        """Return what the service's grant uses of its application."""
        lifespans = LIFESPANS[:1] if self.grant == CLIENT_CREDENTIALS else LIFESPANS
        # A release without the column has broad scope only; what is not set there, or unknown, is not compared.
        scope = self.application.get("scope_restriction", "broad")
        return {
            "application_name": self.application["name"],
            "scope_restriction": scope if scope in SCOPES else "",
            "redirect_urls": list(self.application.get("redirect_urls") or []),
            **{name: self.application[name] for name in lifespans if self.application.get(name)},
        }

    @property
    def to_protect(self) -> dict[str, str]:
        """The connection as an entry of `snow_hardening_services`, {} if it signs in without an application."""
        if not self.application:
            return {}
        entry = {"application": str(self.application["name"]), "user_name": str(self.account["user_name"])}
        return entry if self.grant == PASSWORD else {**entry, "grant_type": self.grant}

    def _options(self) -> dict[str, Any]:
        """Return what the account has otherwise than the role would set it."""
        actual = {name: self.account.get(name) for name in OF_ACCOUNT}
        actual["web_service_access_only"] = str(actual["web_service_access_only"]).lower() == "true"
        return {name: value for name, value in actual.items() if value is not None and value != OF_ACCOUNT[name]}


def granted_tables(results: Iterable[Json], role: str, tables: Iterable[str]) -> list[str]:
    """Return those of `tables` that a rule lets the role read, or of which that is unknown."""
    missing = {
        row["table"]
        for row in results
        if row.get("role") == role and row.get("status") in ("missing", "needs_elevation")
    }
    return [table for table in tables if table not in missing]


def hardening_variables(drift: Iterable[Json], given: Json) -> dict[str, Any]:
    """Return the variables `given` and those that make the deviating settings of an instance the desired ones."""
    overrides, exclude = (
        dict(given.get("snow_hardening_overrides") or {}),
        list(given.get("snow_hardening_exclude") or []),
    )
    for entry in drift:
        kind, _space, id = str(entry["object"]).partition(" ")
        if kind != "setting":
            continue
        actual = entry["before"]
        try:
            if actual in (None, "", []) or id in overrides:
                raise InvalidInput("no value describes it")
            (target,) = select(ids=[id], overrides={id: actual}).targets
        except InvalidInput:
            overrides.pop(id, None)
            exclude.append(id)
        else:
            overrides[id] = list(target.wanted) if isinstance(target.wanted, tuple) else target.wanted
    values = {"snow_hardening_overrides": overrides, "snow_hardening_exclude": exclude}
    return {**given, **{name: value for name, value in values.items() if value}}


def by_service(name: str, values: Mapping[str, Any]) -> Any:
    """Return one value for all services, or a template with that of each.

    Raises `ValueError` for a text that a template cannot hold: ansible-core before 2.19 evaluates what a template returns again.
    """
    first = next(iter(values.values()))
    if all(value == first for value in values.values()):
        return first
    try:
        return Template(f"{{{{ {_literal(dict(values))}[snow_connection_service] }}}}")
    except ValueError as error:
        raise ValueError(
            f"{name} would be a template for {' and '.join(values)}, which cannot hold {error}. Rename the object on the instance"
        ) from None


def _literal(value: Any) -> str:
    """Return a value as an expression of a template; raise `ValueError` with a text that cannot be one."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if not isinstance(value, str):
        return repr(value)
    if any(syntax in value for syntax in TEMPLATE_SYNTAX) or UNQUOTABLE.search(value):
        raise ValueError(repr(value))
    if "'" not in value or '"' not in value:
        quote = '"' if "'" in value else "'"
        return f"{quote}{value}{quote}"
    return "(" + APOSTROPHE.join(f"'{part}'" for part in value.split("'")) + ")"


def in_order(values: Mapping[str, Any]) -> list[Variable]:
    """Return variables in the order of the file, with their comments."""
    return [Variable(name, values[name], COMMENTS.get(name, "")) for name in ORDER if name in values]
