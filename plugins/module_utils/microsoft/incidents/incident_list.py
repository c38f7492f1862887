# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists incidents that a filter selects, and follows merges (docs/facts/microsoft_graph.md#alerts-and-incidents)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.problem import ERROR, WARNING, Problem
from ...timestamps import format_utc, parse
from ..graph.client import GraphClient
from .incident import incident_row
from .incidents_api import HEADERS, PATH, READ_PERMISSION, IncidentReader


def filter_of(params: Mapping[str, Any]) -> str:
    """Return the OData filter of options `filter` and `since`; raise `InvalidInput` for an invalid time."""
    text, since = (params.get("filter") or "").strip(), params.get("since") or ""
    if not since:
        return text
    try:
        later = f"lastUpdateDateTime ge {format_utc(parse(since))}"
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"since: {error}") from None
    return f"({text}) and {later}" if text else later


def list_incidents(client: GraphClient, params: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Return the incidents that the filter selects and those of options `ids` and `optional_ids`, the newest first, and the problems found.

    With ids and no filter, no others are listed. Each has `merged_into`, the id of the incident that it ended in after all merges; those are returned, too.
    """
    reader = IncidentReader(client, with_alerts=bool(params.get("alerts")))
    ids, optional = ([str(each).strip() for each in params.get(name) or []] for name in ("ids", "optional_ids"))
    filter_text = filter_of(params)
    if filter_text or not (ids or optional):
        for found in _listed(client, filter_text, with_alerts=reader.with_alerts):
            reader.known.setdefault(str(found.get("id")), incident_row(found))
    reader.read([*ids, *optional])
    problems = [
        Problem(
            f"incident_missing:{each}", ERROR, f"incident {each} could not be found: {reader.missing[each]}",
            "Check the id, and that the retention of the tenant has not removed it",
        )
        for each in ids if each in reader.missing
    ]  # fmt: skip
    rows = []
    for incident_id, row in reader.known.items():
        end, problem = reader.end_of(incident_id)
        rows.append({**row, "merged_into": end if end != incident_id else ""})
        if problem:
            message = f"which incident {incident_id} ended in is not known: {problem}"
            problems.append(
                Problem(f"merge_unknown:{incident_id}", WARNING, message, "Look it up in the Defender portal")
            )
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return rows, problems


def _listed(client: GraphClient, filter_text: str, *, with_alerts: bool) -> Sequence[Mapping[str, Any]]:
    query = {"$filter": filter_text} if filter_text else {}
    if with_alerts:
        query["$expand"] = "alerts"
    response = client.call("GET", PATH, READ_PERMISSION, query=query, headers=HEADERS)
    return client.rows_from(response, READ_PERMISSION)
