# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects connection options from variables, for `module_defaults` of an action group."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..module_utils.transport.settings import TRANSPORT_OPTIONS

# By action group: the package of its client in module_utils, and the name of its options there. Loaded on demand: a play for
# ServiceNow alone does not need the clients of the tenant.
GROUPS = {
    "snow": ("snow", "SNOW_OPTIONS"),
    "azure": ("microsoft.arm", "AZURE_OPTIONS"),
    "mda": ("microsoft.cloud_apps", "TENANT_OPTIONS"),
}
CLIENTS = __name__.replace(".plugin_utils.connection_options", ".module_utils")


def options_of_group(group: str) -> tuple[str, ...]:
    """Return the names of the connection options of an action group; raise `ValueError` for an unknown group."""
    if group not in GROUPS:
        raise ValueError(f"connection_options: {group!r} must be one of {', '.join(GROUPS)}")
    package, constant = GROUPS[group]
    options: Mapping[str, Any] = getattr(import_module(f"{CLIENTS}.{package}"), constant)
    return (*options, *TRANSPORT_OPTIONS)


def options_of(group: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the connection options of an action group that `variables` define; raise `ValueError` for an unknown group."""
    return {name: variables[name] for name in options_of_group(group) if name in variables}
