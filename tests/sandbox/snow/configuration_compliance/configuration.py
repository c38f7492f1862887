# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the integration as its jobs read it, from either table.

See docs/facts/configuration_compliance.md#configuration-form,
docs/facts/configuration_compliance.md#private-configuration-table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..instance import Instance
from ..store import Row
from .integration import implementation_of, private_table

# Setting -> column of the private table, name of the parameter.
_PLACES = {
    "api_url": ("arm_root", "mdc_api"),
    "tenant_id": ("directory", "mdc_directory"),
    "client_id": ("app", "mdc_app"),
    "client_secret": ("app_pass", "mdc_app_pass"),
    "import_from": ("import_from", "mdc_from"),
    "subscription_ids": ("sub_list", "mdc_sub"),
}
_REQUIRED = {"api_url": "API URL", "tenant_id": "Tenant ID", "client_id": "Client ID", "client_secret": "Client secret"}
_SUBSCRIPTIONS = ("sub", "Specific Subscriptions", "subscriptions")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Values by setting; the secret in plain text, empty if it is unusable."""

    values: Mapping[str, str]

    def problem(self, wrong: Callable[[Mapping[str, str]], str] | None) -> str:
        """Why a run with this configuration fails; empty if it succeeds. The wording is made up."""
        missing = [label for name, label in _REQUIRED.items() if not self.values.get(name)]
        if missing:
            return f"Configuration is incomplete: {', '.join(missing)}"
        name = wrong(self.values) if wrong else ""
        return (
            f"Method failed: (/oauth2/v2.0/token) with code: 401 - {_REQUIRED[name]} was not accepted" if name else ""
        )

    def subscriptions(self) -> frozenset[str] | None:
        """The subscriptions to read, in lower case; None reads all. Management groups read all as well."""
        if self.values.get("import_from") not in _SUBSCRIPTIONS:
            return None
        listed = (each.strip().lower() for each in self.values.get("subscription_ids", "").split(","))
        # An empty list means all subscriptions (2.1 on 2.2.2).
        return frozenset(each for each in listed if each) or None


def read_configuration(instance: Instance, application: str) -> Configuration:
    """Read the configuration of the default integration instance."""
    if instance.knobs.compliance.storage == "parameters":
        return Configuration(_from_parameters(instance, application))
    table = private_table(instance, application)
    rows = instance.database.lookup(table, "impl", implementation_of(application))
    row = next(iter(rows), {})
    values = {name: row.get(column, "") for name, (column, _) in _PLACES.items()}
    return Configuration({**values, "client_secret": _plain(instance, row, "app_pass")})


def _from_parameters(instance: Instance, application: str) -> dict[str, str]:
    database = instance.database
    found: dict[str, Row] = {}
    for row in database.lookup("sn_sec_int_impl_config", "implementation", implementation_of(application)):
        definition = database.find("sn_sec_int_config", row.get("configuration", ""))
        if definition is not None:
            found[definition[1].get("name", "")] = row
    values = {name: found.get(parameter, {}).get("value", "") for name, (_, parameter) in _PLACES.items()}
    return {**values, "client_secret": _plain(instance, found.get("mdc_app_pass", {}), "password_value")}


def _plain(instance: Instance, row: Row, column: str) -> str:
    return instance.cipher.decrypt(row.get(column, "")) or ""
