# SPDX-License-Identifier: GPL-3.0-or-later
"""The governance assignment of each recommendation, with its ticket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...engine.errors import Refused
from ...engine.snapshot import Row
from ..arm.client import ArmClient
from .assessments import UNHEALTHY
from .governance_assignment import PARTS, Pair
from .governance_assignments_api import AssignmentsEndpoint, row_of

# From this number of lists on, Resource Graph returns all assignments in far fewer calls. It lags behind by minutes, which only matters
# where another ticket has just been recorded; what is written is compared with the lists (docs/facts/defender_for_cloud.md#resource-graph).
MIN_FOR_GRAPH = 300
QUERY = "securityresources | where type =~ 'microsoft.security/assessments/governanceassignments' | project id, name, properties"


def add_assignments(client: ArmClient, rows: Iterable[dict[str, Any]]) -> None:
    """Set `assignment` of each unhealthy selected row to its assignment or None. One list for each recommendation of a scope.

    Raises `Refused` where a list may not be read: read as "none", a recommendation would get a second ticket.
    """
    wanted = {Pair(row["name"], row["resource_id"]).key: row for row in rows if row["selected"]}
    wanted = {key: row for key, row in wanted.items() if row["status"] == UNHEALTHY}
    pairs = [Pair(row["name"], row["resource_id"]) for row in wanted.values()]
    for row in wanted.values():
        row["assignment"] = None
    for assignment in _assignments(client, pairs):
        properties = assignment["properties"]
        row = wanted[assignment["pair"]]
        entry = {"id": assignment["id"], **{part.option: part.read(properties) for part in PARTS}}
        # Of two, the one with a ticket counts.
        if row["assignment"] is None or entry["ticket_link"] or entry["ticket_number"] is not None:
            row["assignment"] = entry


def _assignments(client: ArmClient, pairs: Sequence[Pair]) -> Iterable[Row]:
    """Return the assignments of pairs: from the lists, or from Resource Graph where there are too many lists."""
    lists = {(pair.scope.casefold(), pair.recommendation.casefold()) for pair in pairs}
    if len(lists) >= MIN_FOR_GRAPH:
        keys = {pair.key for pair in pairs}
        subscriptions = sorted({pair.scope.split("/")[2].lower() for pair in pairs})
        found = [row_of(entry) for entry in client.resource_graph(QUERY, subscriptions)]
        # It omits what may not be read, so that nothing found is confirmed by one list.
        return [row for row in found if row["pair"] in keys] if found else _listed(client, pairs[:1])
    return _listed(client, pairs)


def _listed(client: ArmClient, pairs: Sequence[Pair]) -> Iterable[Row]:
    endpoint = AssignmentsEndpoint(client, pairs, ())
    rows = endpoint.read().rows
    if endpoint.refused:
        raise Refused(f"{len(endpoint.refused)} assignments could not be read. {next(iter(endpoint.refused.values()))}")
    return rows
