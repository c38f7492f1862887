# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance assignments from tickets: each finding records the ticket that has it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ...module_utils.engine.errors import InvalidInput
from ...module_utils.microsoft.defender_cloud.assessments import UNHEALTHY
from ...module_utils.microsoft.defender_cloud.governance_assignment import PARTS, Assignment
from ...module_utils.snow.tickets.ticket_plan import record_url
from ...module_utils.snow.tickets.ticket_types import RESOLVED
from .existing_tickets import ExistingTicket, existing_ticket, key_of, known_tickets
from .foreign_tickets import is_foreign

# The link of a ticket that check mode does not create.
PLANNED_LINK = "(assigned when the ticket is created)"

Row = Mapping[str, Any]


def desired_assignments(
    tickets: Iterable[Row],
    recommendations: Iterable[Row],
    known: Iterable[Row] = (),
    instance_url: str = "",
    *,
    findings: Mapping[str, str] | None = None,
    healed: Collection[str] = (),
    **fields: Any,
) -> list[dict[str, Any]]:
    """Return the desired assignments for module mdc_assignments: number, link and state of the ticket of each recommendation.

    `tickets` are results of module snow_tickets, `known` the rows that were read before; the former take precedence. `findings` has the
    correlation id of the ticket of each finding by key, `healed` the keys of those that have healed while their ticket stays open.
    """
    rows = [*known, *tickets]
    by_correlation: dict[str, ExistingTicket] = {}
    for row in rows:
        key, generation = key_of(str(row.get("correlation_id") or ""))
        if key and (row.get("number") or row.get("status") == "changed"):
            by_correlation[str(row["correlation_id"])] = existing_ticket(row, key, generation, "incident")
    places = dict(findings) if findings is not None else _places(by_correlation.values())
    ours = frozenset(ticket.sys_id.lower() for ticket in by_correlation.values() if ticket.sys_id)
    done = frozenset(healed)
    found: list[dict[str, Any]] = []
    for row in recommendations:
        ticket = by_correlation.get(places.get(row["key"], ""))
        # A foreign ticket in the assignment is kept.
        if ticket and not is_foreign(row, ours):
            state = RESOLVED if row["key"] in done else ticket.state
            wanted = _assignment(row, ticket, state, instance_url, fields)
            if not _is_recorded(row, wanted):
                found.append(wanted)
    return found


def _is_recorded(row: Row, wanted: Row) -> bool:
    """Return whether the assignment that was read with a finding has all that is wanted, so that it need not be read again."""
    known = row.get("assignment")
    if not known:
        return False
    try:
        assignment = Assignment({"state": "present", **wanted})
    except InvalidInput:
        return False
    same = (
        part.same(known.get(part.option), assignment.values[part.option])
        for part in PARTS
        if part.option in assignment.values
    )
    return not assignment.note and all(same)


def _places(tickets: Iterable[ExistingTicket]) -> dict[str, str]:
    """Return the ticket of each finding, as far as the tickets themselves say: the last one counts."""
    places = {}
    for ticket in sorted(tickets, key=lambda ticket: ticket.rank):
        for key in ticket.listed or (ticket.key,):
            places[key] = ticket.correlation_id
    return places


def _assignment(
    row: Row, ticket: ExistingTicket, state: str, instance_url: str, fields: Mapping[str, Any]
) -> dict[str, Any]:
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
        "ticket_status": state,
        # A healthy recommendation needs no assignment; an existing one is updated with the state of the ticket.
        "create": row.get("status") == UNHEALTHY,
        **{name: value for name, value in fields.items() if value not in (None, "")},
    }


__all__ = ["PLANNED_LINK", "desired_assignments", "known_tickets"]
