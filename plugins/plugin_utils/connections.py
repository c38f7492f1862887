# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are connection options: what a template gives to `module_defaults` of an action group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils.azure import AZURE_OPTIONS
from ..module_utils.mda import TENANT_OPTIONS
from ..module_utils.shell import TRANSPORT_OPTIONS
from ..module_utils.snow import SNOW_OPTIONS

GROUPS: dict[str, Iterable[str]] = {"snow": SNOW_OPTIONS, "azure": AZURE_OPTIONS, "mda": TENANT_OPTIONS}


def options_of(group: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the connection options of an action group that `variables` define; raise `ValueError` for an unknown group."""
    if group not in GROUPS:
        raise ValueError(f"connection_options: {group!r} is none of {', '.join(GROUPS)}")
    return {name: variables[name] for name in (*GROUPS[group], *TRANSPORT_OPTIONS) if name in variables}
