# SPDX-License-Identifier: GPL-3.0-or-later
"""What the results on the tenant's host add up to for the connector of each instance."""

from __future__ import annotations

from collections.abc import Iterable

from ..connector_shares import shares
from .results import REGISTERED, HostResult, Json, single, take, unproven_of

# The results of module mda_connectors: their rows are about connectors, each of one instance.
OF_CONNECTORS = frozenset(
    {
        "mda_connection_result", "mda_connection_verified", "secret_rotation_connector", "offboarding_connectors",
        "offboarding_connectors_kept",
    }
)  # fmt: skip


def connector_results(names: Iterable[str], tenants: Iterable[Json], *, check_mode: bool) -> dict[str, HostResult]:
    """Return by instance what the results among the variables of the tenants add up to for its connector."""
    found = {name: HostResult(name) for name in names}
    for variables in tenants:
        for key in (key for key in REGISTERED if key in OF_CONNECTORS):
            for result in single(variables.get(key)):
                if not result.get("skipped"):
                    for name, share in shares(result, found):
                        if name:
                            take(found[name], share, check_mode)
                            found[name].unproven.update(unproven_of(name, share, ()))
    return found
