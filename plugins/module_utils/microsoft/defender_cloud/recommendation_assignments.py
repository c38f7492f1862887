# SPDX-License-Identifier: GPL-3.0-or-later
"""The governance assignment of each recommendation, with its ticket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...engine.errors import Refused
from ..arm.client import ArmClient
from .assessments import UNHEALTHY
from .governance_assignment import PARTS, Pair
from .governance_assignments_api import AssignmentsEndpoint


def add_assignments(client: ArmClient, rows: Iterable[dict[str, Any]]) -> None:
    """Set `assignment` of each unhealthy selected row to its assignment or None. One list for each recommendation of a scope.

    Raises `Refused` where a list may not be read: read as "none", a recommendation would get a second ticket.
    """
    wanted = {Pair(row["name"], row["resource_id"]).key: row for row in rows if row["selected"]}
    wanted = {key: row for key, row in wanted.items() if row["status"] == UNHEALTHY}
    pairs = [Pair(row["name"], row["resource_id"]) for row in wanted.values()]
    endpoint = AssignmentsEndpoint(client, pairs, ())
    for row in wanted.values():
        row["assignment"] = None
    found = endpoint.read().rows
    if endpoint.refused:
        raise Refused(f"{len(endpoint.refused)} assignments could not be read. {next(iter(endpoint.refused.values()))}")
    for assignment in found:
        properties = assignment["properties"]
        row = wanted[assignment["pair"]]
        entry = {"id": assignment["id"], **{part.option: part.read(properties) for part in PARTS}}
        # Of two, the one with a ticket counts.
        if row["assignment"] is None or entry["ticket_link"] or entry["ticket_number"] is not None:
            row["assignment"] = entry
