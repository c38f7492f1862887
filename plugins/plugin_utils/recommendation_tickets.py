# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive tickets from recommendations, and governance assignments from tickets. Pure functions: nothing is read or written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..module_utils.microsoft.defender_cloud.assessments import UNHEALTHY, assessment_key
from ..module_utils.microsoft.defender_cloud.governance_assignment import Pair
from ..module_utils.snow.tickets.ticket import derived_id
from ..module_utils.snow.tickets.ticket_plan import record_url
from ..module_utils.snow.tickets.ticket_types import CANCELED, CLOSED, OPEN, RESOLVED, TYPES
from .ticket_text import (
    RESOLVED_BY_US,
    assessment_of,
    description,
    resolution_notes,
    short_description,
)

KEY = re.compile(r"(mdc-[0-9a-f]{40})(?:-([1-9]\d*))?")
SYS_ID = re.compile(r"sys_id(?:=|%3D|%253D)([0-9a-f]{32})", re.I)
STATES = frozenset({OPEN, RESOLVED, CLOSED, CANCELED})
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


@dataclass(frozen=True)
class ExistingTicket:
    """A ticket on the instance: `key` is that of its recommendation, `generation` counts from 1."""

    key: str
    generation: int
    correlation_id: str
    type: str
    state: str
    closed_by_us: bool
    number: str
    link: str
    sys_id: str
    assessment: str

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Sort key for the tickets of one recommendation: the last one counts."""
        return (self.state == OPEN, self.generation, self.number)


@dataclass
class TicketOptions:
    """Options of new tickets in addition to the content of the recommendation; `fields` are passed on if they are set."""

    type: str = "incident"
    ratings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    close_code: str = ""
    refresh: bool = False


def key_of(correlation_id: str) -> tuple[str, int]:
    """Return the recommendation's key and the generation in a correlation id; ("", 0) if it is a different one."""
    found = KEY.fullmatch(correlation_id)
    return (found.group(1), int(found.group(2) or 1)) if found else ("", 0)


def known_tickets(rows: Iterable[Row], default_type: str) -> dict[str, list[ExistingTicket]]:
    """Return the tickets of each recommendation by its key; the last one counts."""
    histories: dict[str, list[ExistingTicket]] = {}
    for row in rows:
        key, generation = key_of(str(row.get("correlation_id") or ""))
        if key:
            histories.setdefault(key, []).append(_existing(row, key, generation, default_type))
    return {key: sorted(history, key=lambda ticket: ticket.rank) for key, history in histories.items()}


def desired_tickets(
    recommendations: Sequence[Row],
    known: Iterable[Row],
    options: TicketOptions,
    scopes_read: Sequence[str] = (),
    selected: set[str] | None = None,
) -> list[dict[str, Any]]:
    """Return the desired tickets for module snow_tickets: only those to create, change or check.

    `recommendations` are all of them, of any status, each with `selected` unless the set of keys is given.
    A missing recommendation counts as deleted only within `scopes_read`.
    """
    histories = known_tickets(known, options.type)
    rows = {str(row["key"]): row for row in recommendations}
    entries: list[dict[str, Any]] = []
    for key, row in rows.items():
        history = histories.get(key, [])
        if row.get("status") != UNHEALTHY:
            entries += [_resolved(ticket, row, options) for ticket in _open(history)]
        elif key in selected if selected is not None else row.get("selected", True):
            entries += _unhealthy(row, history, options)
    for key, history in histories.items():
        if key not in rows:
            entries += [_resolved(ticket, None, options) for ticket in _open(history) if _is_gone(ticket, scopes_read)]
    return entries


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
            by_correlation[str(row["correlation_id"])] = _existing(row, key, generation, "incident")
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


def _existing(row: Row, key: str, generation: int, default_type: str) -> ExistingTicket:
    kind = str(row.get("type") or row.get("sys_class_name") or default_type)
    kind = kind if kind in TYPES else default_type
    return ExistingTicket(
        key=key,
        generation=generation,
        correlation_id=str(row["correlation_id"]),
        type=kind,
        state=_state(row, kind),
        closed_by_us=str(row.get("close_notes") or "").lstrip().startswith(RESOLVED_BY_US),
        number=str(row.get("number") or ""),
        link=str(row.get("link") or ""),
        sys_id=str(row.get("sys_id") or ""),
        assessment=assessment_of(str(row.get("description") or "")),
    )


def _state(row: Row, kind: str) -> str:
    """Return the state of a ticket as one of our four states; the row has a state of either kind."""
    text = str(row.get("state") if row.get("state") is not None else "").strip().lower()
    plain = {name: str(value).strip().lower() for name, value in row.items() if value is not None}
    return text if text in STATES else TYPES[kind].state_of({**plain, "state": text})


def _open(history: Iterable[ExistingTicket]) -> list[ExistingTicket]:
    """Return the open tickets, each correlation id once."""
    return list({ticket.correlation_id: ticket for ticket in history if ticket.state == OPEN}.values())


def _is_gone(ticket: ExistingTicket, scopes_read: Iterable[str]) -> bool:
    """Return whether a ticket without a recommendation names its assessment, and that one is within the scopes that were read."""
    paths = tuple(f"/{scope.strip('/').lower()}/" for scope in scopes_read)
    same = bool(ticket.assessment) and assessment_key(ticket.assessment) == ticket.key
    return same and ticket.assessment.lower().startswith(paths)


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
