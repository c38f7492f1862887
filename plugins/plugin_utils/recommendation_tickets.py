# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive tickets from recommendations, and governance assignments from tickets. Pure functions: nothing is read or written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..module_utils.microsoft.defender_cloud.assessments import UNHEALTHY
from ..module_utils.microsoft.defender_cloud.governance_assignment import Pair
from ..module_utils.snow.tickets.ticket import derived_id
from ..module_utils.snow.tickets.ticket_plan import record_url
from ..module_utils.snow.tickets.ticket_types import OPEN, RESOLVED, TYPES
from .existing_tickets import ExistingTicket, existing_ticket, key_of, known_tickets
from .ticket_resolution import plan_resolutions
from .ticket_text import description, resolution_notes, short_description

SYS_ID = re.compile(r"sys_id(?:=|%3D|%253D)([0-9a-f]{32})", re.I)
# The link of a ticket that check mode does not create.
PLANNED_LINK = "(assigned when the ticket is created)"

# Impact and urgency by severity, 1 high to 3 low. The instance derives the priority
# (docs/facts/servicenow_tickets.md#incidents): 1, 2, 3 and 5.
RATINGS: dict[str, dict[str, int]] = {
    "Critical": {"impact": 1, "urgency": 1},
    "High": {"impact": 2, "urgency": 1},
    "Medium": {"impact": 2, "urgency": 2},
    "Low": {"impact": 3, "urgency": 3},
}

Row = Mapping[str, Any]


@dataclass
class TicketOptions:
    """Options of new tickets in addition to the content of the recommendation; `fields` are passed on if they are set."""

    type: str = "incident"
    ratings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    close_code: str = ""
    refresh: bool = False


def desired_tickets(
    recommendations: Sequence[Row],
    known: Iterable[Row],
    options: TicketOptions,
    scopes_read: Sequence[str] = (),
    selected: set[str] | None = None,
    max_resolved: str = "",
) -> list[dict[str, Any]]:
    """Return the desired tickets for module snow_tickets: only those to create, change or check.

    `recommendations` are all of them, of any status, each with `selected` unless the set of keys is given.
    A missing recommendation counts as deleted only within `scopes_read`. `max_resolved` limits how many are resolved.
    """
    histories = known_tickets(known, options.type)
    rows = {str(row["key"]): row for row in recommendations}
    entries: list[dict[str, Any]] = []
    for key, row in rows.items():
        if row.get("status") == UNHEALTHY and (key in selected if selected is not None else row.get("selected", True)):
            entries += _unhealthy(row, histories.get(key, []), options)
    resolutions = plan_resolutions(histories, rows, scopes_read, max_resolved)
    return entries + [_resolved(ticket, rows.get(ticket.key), options) for ticket in resolutions.tickets]


def left_open(
    recommendations: Sequence[Row], known: Iterable[Row], scopes_read: Sequence[str] = (), max_resolved: str = ""
) -> list[dict[str, Any]]:
    """Return as problems why `desired_tickets` leaves tickets open that no recommendation asks for."""
    rows = {str(row["key"]): row for row in recommendations}
    found = plan_resolutions(known_tickets(known, "incident"), rows, scopes_read, max_resolved)
    return [problem.as_dict() for problem in found.problems]


def desired_assignments(
    tickets: Iterable[Row],
    recommendations: Iterable[Row],
    known: Iterable[Row] = (),
    instance_url: str = "",
    **fields: Any,
) -> list[dict[str, Any]]:
    """Return the desired assignments for module mdc_assignments: number, link and state of the ticket of each recommendation.

    `tickets` are results of module snow_tickets, `known` the rows that were read before; the former take precedence.
    """
    histories: dict[str, list[ExistingTicket]] = {}
    by_correlation: dict[str, ExistingTicket] = {}
    for row in (*known, *tickets):
        key, generation = key_of(str(row.get("correlation_id") or ""))
        if key and (row.get("number") or row.get("status") == "changed"):
            by_correlation[str(row["correlation_id"])] = existing_ticket(row, key, generation, "incident")
    counting: dict[str, ExistingTicket] = {}
    for ticket in sorted(by_correlation.values(), key=lambda ticket: ticket.rank):
        counting[ticket.key] = ticket
        histories.setdefault(ticket.key, []).append(ticket)
    found: list[dict[str, Any]] = []
    for row in recommendations:
        # A foreign ticket in the assignment is kept.
        if row["key"] in counting and not _is_foreign(row, histories[row["key"]]):
            found.append(_assignment(row, counting[row["key"]], instance_url, fields))
    return found


# -- one ticket -------------------------------------------------------------------------------------------------------


def _unhealthy(row: Row, history: Sequence[ExistingTicket], options: TicketOptions) -> list[dict[str, Any]]:
    """Return the desired tickets of an unhealthy recommendation."""
    if not history:
        return _first(row, options)
    last = history[-1]
    if last.state != OPEN and _is_foreign(row, history):
        return []
    if last.state == OPEN:
        more = _content(row, options) if options.refresh else {}
        return [{"type": last.type, "correlation_id": last.correlation_id, "state": OPEN, **more}]
    if not last.closed_by_us:
        # Users closed it. Their decision is kept, and the state of their ticket is written to the assignment.
        return []
    since = f" since {row['changed_at']}" if row.get("changed_at") else ""
    if last.state == RESOLVED:
        note = f"Defender for Cloud: unhealthy again{since}."
        return [
            {"type": last.type, "correlation_id": last.correlation_id, "state": OPEN, "reopen": True, "work_note": note}
        ]
    note = f"Defender for Cloud: unhealthy again{since}. The former ticket is {last.number}."
    return [{**_new(row, f"{last.key}-{last.generation + 1}", options), "work_note": note}]


def _first(row: Row, options: TicketOptions) -> list[dict[str, Any]]:
    """Return the first ticket of a recommendation, unless its assignment names a foreign one.

    The vendor's integration writes its tickets there as well. A missing ticket that we wrote was deleted.
    """
    new = _new(row, str(row["key"]), options)
    if _is_foreign(row):
        return []
    assignment = row.get("assignment") or {}
    number, link = assignment.get("ticket_number"), str(assignment.get("ticket_link") or "")
    if number is None and not link:
        return [new]
    name = link.rpartition("#")[2] if "#" in link else str(number)
    note = f"Defender for Cloud: the former ticket of this recommendation, {name}, no longer exists."
    return [{**new, "work_note": note}]


def _is_foreign(row: Row, history: Iterable[ExistingTicket] = ()) -> bool:
    """Return whether a recommendation's assignment names a foreign ticket: neither its name nor its link is ours."""
    assignment = row.get("assignment") or {}
    link = str(assignment.get("ticket_link") or "")
    if assignment.get("ticket_number") is None and not link:
        return False
    if str(assignment.get("id") or "").rsplit("/", 1)[-1] == Pair(row["name"], row["resource_id"]).name:
        return False
    found = SYS_ID.search(link)
    ours = {derived_id(kind, row["key"]) for kind in TYPES} | {ticket.sys_id for ticket in history}
    return not found or found.group(1).lower() not in ours


def _new(row: Row, correlation_id: str, options: TicketOptions) -> dict[str, Any]:
    given = {name: value for name, value in options.fields.items() if value not in (None, "", {}, [])}
    return {
        "type": options.type,
        "correlation_id": correlation_id,
        "state": OPEN,
        **_content(row, options),
        **given,
    }


def _content(row: Row, options: TicketOptions) -> dict[str, Any]:
    """Return the content of a ticket from its recommendation."""
    severity = str(row.get("severity") or "")
    return {
        "short_description": short_description(row),
        "description": description(row),
        **RATINGS.get(severity, {}),
        **(options.ratings.get(severity) or {}),
    }


def _resolved(ticket: ExistingTicket, row: Row | None, options: TicketOptions) -> dict[str, Any]:
    code = {"close_code": options.close_code} if options.close_code else {}
    return {
        "type": ticket.type,
        "correlation_id": ticket.correlation_id,
        "state": RESOLVED,
        "close_notes": resolution_notes(row),
        **code,
    }


def _assignment(row: Row, ticket: ExistingTicket, instance_url: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    link = ticket.link if ticket.number else PLANNED_LINK
    if not link and instance_url and ticket.sys_id:
        link = record_url(instance_url.strip().rstrip("/"), ticket.type, ticket.sys_id)
    if link and ticket.number not in link:
        # The assignment's number holds digits only, so that the link has to carry the whole number
        # (docs/facts/defender_for_cloud.md#governance-assignments).
        link = f"{link}#{ticket.number}"
    # For a planned ticket, check mode only shows that the number of the former one is removed.
    has_number = ticket.number or (row.get("assignment") or {}).get("ticket_number") is not None
    return {
        "recommendation": row["name"],
        "resource_id": row["resource_id"],
        **({"ticket_number": ticket.number} if has_number else {}),
        "ticket_link": link,
        "ticket_status": ticket.state,
        # A healthy recommendation needs no assignment; an existing one is updated with the state of the ticket.
        "create": row.get("status") == UNHEALTHY,
        **{name: value for name, value in fields.items() if value not in (None, "")},
    }
