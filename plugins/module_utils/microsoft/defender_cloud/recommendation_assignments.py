# SPDX-License-Identifier: GPL-3.0-or-later
"""The governance assignment of each recommendation, with the ticket that it names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ...engine.errors import Refused
from ..arm.client import ArmClient
from .assessments import UNHEALTHY
from .governance_assignment import PARTS, Pair
from .governance_assignments_api import AssignmentsEndpoint


def note_assignments(manager: ArmClient, rows: Iterable[dict[str, Any]]) -> None:
    """Set `assignment` of each unhealthy row that is selected: None, or what is assigned. One list for each kind of a scope.

    Raises `Refused` where a list may not be read: taken for "none", a ticket of somebody else's would get a twin.
    """
    wanted = {Pair(row["name"], row["resource_id"]).key: row for row in rows if row["selected"]}
    wanted = {key: row for key, row in wanted.items() if row["status"] == UNHEALTHY}
    pairs = [Pair(row["name"], row["resource_id"]) for row in wanted.values()]
    routes = AssignmentsEndpoint(manager, pairs, ())
    for row in wanted.values():
        row["assignment"] = None
    found = routes.read().rows
    if routes.refused:
        raise Refused(f"{len(routes.refused)} assignments could not be read. {next(iter(routes.refused.values()))}")
    for assignment in found:
        properties = json.loads(assignment["properties"])
        row = wanted[assignment["pair"]]
        said = {"id": assignment["sys_id"], **{part.option: part.read(properties) for part in PARTS}}
        # Of two, the one with a ticket tells more.
        if row["assignment"] is None or said["ticket_link"] or said["ticket_number"] is not None:
            row["assignment"] = said
