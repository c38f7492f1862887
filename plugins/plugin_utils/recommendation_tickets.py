# SPDX-License-Identifier: GPL-3.0-or-later
"""From recommendations to tickets, and back from tickets to governance assignments. Decides; reads and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..module_utils.microsoft.defender_cloud.assessments import UNHEALTHY, assessment_key
from ..module_utils.microsoft.defender_cloud.governance_assignment import Pair
from ..module_utils.snow.tickets.ticket import derived_id
from ..module_utils.snow.tickets.ticket_plan import address
from ..module_utils.snow.tickets.ticket_types import CANCELED, CLOSED, OPEN, RESOLVED, TYPES
from .ticket_text import (
    RESOLVED_BY_US,
    assessment_of,
    description,
    healed,
    short_description,
)

KEY = re.compile(r"(mdc-[0-9a-f]{40})(?:-([1-9]\d*))?")
SYS_ID = re.compile(r"sys_id(?:=|%3D|%253D)([0-9a-f]{32})", re.I)
WORDS = frozenset({OPEN, RESOLVED, CLOSED, CANCELED})
# What check mode says of a ticket that it does not create.
TO_COME = "(assigned when the ticket is created)"

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
class Known:
    """A ticket that is there: `key` is its recommendation's, `generation` counts from 1."""

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
        """Order of tickets of one recommendation: the last one is the one that counts."""
        return (self.state == OPEN, self.generation, self.number)


@dataclass
class TicketOptions:
    """What new tickets get beside what the recommendation says; `fields` go along as they are where they are set."""

    type: str = "incident"
    ratings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    close_code: str = ""
    refresh: bool = False


def key_of(correlation_id: str) -> tuple[str, int]:
    """Return the recommendation's key and the generation that a correlation id names; ("", 0) for another one."""
    found = KEY.fullmatch(correlation_id)
    return (found.group(1), int(found.group(2) or 1)) if found else ("", 0)


def known_tickets(rows: Iterable[Row], default_type: str) -> dict[str, list[Known]]:
    """Return the tickets of each recommendation by its key, the one that counts last."""
    histories: dict[str, list[Known]] = {}
    for row in rows:
        key, generation = key_of(str(row.get("correlation_id") or ""))
        if key:
            histories.setdefault(key, []).append(_known(row, key, generation, default_type))
    return {key: sorted(history, key=lambda ticket: ticket.rank) for key, history in histories.items()}


def described_tickets(
    recommendations: Sequence[Row],
    known: Iterable[Row],
    options: TicketOptions,
    scopes_read: Sequence[str] = (),
    selected: set[str] | None = None,
) -> list[dict[str, Any]]:
    """Return the tickets as they should be, for module snow_tickets: only those with which there is something to do or to see.

    `recommendations` are all of them, whatever their status, each with `selected` unless the set of keys says which are.
    Only within `scopes_read` a recommendation that is missing is gone.
    """
    histories = known_tickets(known, options.type)
    rows = {str(row["key"]): row for row in recommendations}
    entries: list[dict[str, Any]] = []
    for key, row in rows.items():
        history = histories.get(key, [])
        if row.get("status") != UNHEALTHY:
            entries += [_resolved(ticket, row, options) for ticket in _open(history)]
        elif key in selected if selected is not None else row.get("selected", True):
            entries += _wanted(row, history, options)
    for key, history in histories.items():
        if key not in rows:
            entries += [_resolved(ticket, None, options) for ticket in _open(history) if _is_gone(ticket, scopes_read)]
    return entries


def described_assignments(
    tickets: Iterable[Row],
    recommendations: Iterable[Row],
    known: Iterable[Row] = (),
    instance_url: str = "",
    **fields: Any,
) -> list[dict[str, Any]]:
    """Return the assignments as they should be, for module mdc_assignments: where a recommendation has a ticket, what it says.

    `tickets` are results of module snow_tickets, `known` the rows that were read before; the former know better.
    """
    histories: dict[str, list[Known]] = {}
    by_correlation: dict[str, Known] = {}
    for row in (*known, *tickets):
        key, generation = key_of(str(row.get("correlation_id") or ""))
        if key and (row.get("number") or row.get("status") == "changed"):
            by_correlation[str(row["correlation_id"])] = _known(row, key, generation, "incident")
    counting: dict[str, Known] = {}
    for ticket in sorted(by_correlation.values(), key=lambda ticket: ticket.rank):
        counting[ticket.key] = ticket
        histories.setdefault(ticket.key, []).append(ticket)
    found: list[dict[str, Any]] = []
    for row in recommendations:
        # A ticket of somebody else's that stands there beside ours stays.
        if row["key"] in counting and not _is_foreign(row, histories[row["key"]]):
            found.append(_assignment(row, counting[row["key"]], instance_url, fields))
    return found


# -- one ticket -------------------------------------------------------------------------------------------------------


def _known(row: Row, key: str, generation: int, default_type: str) -> Known:
    kind = str(row.get("type") or row.get("sys_class_name") or default_type)
    kind = kind if kind in TYPES else default_type
    return Known(
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
    """Return the state of a ticket in one of our four words, whether the row has the platform's number or a word."""
    text = str(row.get("state") if row.get("state") is not None else "").strip().lower()
    plain = {name: str(value).strip().lower() for name, value in row.items() if value is not None}
    return text if text in WORDS else TYPES[kind].state_of({**plain, "state": text})


def _open(history: Iterable[Known]) -> list[Known]:
    """Return the open tickets, each correlation id once."""
    return list({ticket.correlation_id: ticket for ticket in history if ticket.state == OPEN}.values())


def _is_gone(ticket: Known, scopes_read: Iterable[str]) -> bool:
    """Return whether a ticket without a recommendation says which assessment it is for, and that would have been read."""
    paths = tuple(f"/{scope.strip('/').lower()}/" for scope in scopes_read)
    same = bool(ticket.assessment) and assessment_key(ticket.assessment) == ticket.key
    return same and ticket.assessment.lower().startswith(paths)


def _wanted(row: Row, history: Sequence[Known], options: TicketOptions) -> list[dict[str, Any]]:
    """Return what an unhealthy recommendation needs."""
    if not history:
        return _first(row, options)
    last = history[-1]
    if last.state != OPEN and _is_foreign(row, history):
        return []
    if last.state == OPEN:
        more = _content(row, options) if options.refresh else {}
        return [{"type": last.type, "correlation_id": last.correlation_id, "state": OPEN, **more}]
    if not last.closed_by_us:
        # People decided. Their word stands, and their ticket's state goes to the assignment.
        return []
    since = f" since {row['changed_at']}" if row.get("changed_at") else ""
    if last.state == RESOLVED:
        note = f"Defender for Cloud: unhealthy again{since}."
        return [
            {"type": last.type, "correlation_id": last.correlation_id, "state": OPEN, "reopen": True, "work_note": note}
        ]
    note = f"Defender for Cloud: unhealthy again{since}. It was {last.number} before."
    return [{**_new(row, f"{last.key}-{last.generation + 1}", options), "work_note": note}]


def _first(row: Row, options: TicketOptions) -> list[dict[str, Any]]:
    """Return the first ticket of a recommendation, unless its assignment names one that is not ours.

    The integration of the vendor writes its tickets there, too. One that we wrote and that is not there was deleted.
    """
    new = _new(row, str(row["key"]), options)
    if _is_foreign(row):
        return []
    assignment = row.get("assignment") or {}
    number, link = assignment.get("ticket_number"), str(assignment.get("ticket_link") or "")
    if number is None and not link:
        return [new]
    name = link.rpartition("#")[2] if "#" in link else str(number)
    note = f"Defender for Cloud: ticket {name}, which stood for this recommendation, is not there any more."
    return [{**new, "work_note": note}]


def _is_foreign(row: Row, history: Iterable[Known] = ()) -> bool:
    """Return whether a recommendation's assignment names a ticket that is not ours: neither we made it nor is its link to ours."""
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
    """Return what the recommendation says of its ticket."""
    severity = str(row.get("severity") or "")
    return {
        "short_description": short_description(row),
        "description": description(row),
        **RATINGS.get(severity, {}),
        **(options.ratings.get(severity) or {}),
    }


def _resolved(ticket: Known, row: Row | None, options: TicketOptions) -> dict[str, Any]:
    code = {"close_code": options.close_code} if options.close_code else {}
    return {
        "type": ticket.type,
        "correlation_id": ticket.correlation_id,
        "state": RESOLVED,
        "close_notes": healed(row),
        **code,
    }


def _assignment(row: Row, ticket: Known, instance_url: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    link = ticket.link if ticket.number else TO_COME
    if not link and instance_url and ticket.sys_id:
        link = address(instance_url.strip().rstrip("/"), ticket.type, ticket.sys_id)
    if link and ticket.number not in link:
        # The assignment's number holds digits only, so that the link has to carry the whole number
        # (docs/facts/defender_for_cloud.md#governance-assignments).
        link = f"{link}#{ticket.number}"
    # Of a ticket that is to come, check mode can only tell that the number of another one goes.
    has_number = ticket.number or (row.get("assignment") or {}).get("ticket_number") is not None
    return {
        "recommendation": row["name"],
        "resource_id": row["resource_id"],
        **({"ticket_number": ticket.number} if has_number else {}),
        "ticket_link": link,
        "ticket_status": ticket.state,
        # What has healed needs no assignment; one that is there gets to know of the ticket's end.
        "create": row.get("status") == UNHEALTHY,
        **{name: value for name, value in fields.items() if value not in (None, "")},
    }
