# SPDX-License-Identifier: GPL-3.0-or-later
"""The tickets of recommendations that the instance has, by the key of their recommendation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..module_utils.snow.tickets.ticket_types import CANCELED, CLOSED, OPEN, RESOLVED, TYPES
from .ticket_text import RESOLVED_BY_US, assessment_of

KEY = re.compile(r"(mdc-[0-9a-f]{40})(?:-([1-9]\d*))?")
STATES = frozenset({OPEN, RESOLVED, CLOSED, CANCELED})

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
            histories.setdefault(key, []).append(existing_ticket(row, key, generation, default_type))
    return {key: sorted(history, key=lambda ticket: ticket.rank) for key, history in histories.items()}


def existing_ticket(row: Row, key: str, generation: int, default_type: str) -> ExistingTicket:
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


def open_tickets(history: Iterable[ExistingTicket]) -> list[ExistingTicket]:
    """Return the open tickets, each correlation id once."""
    return list({ticket.correlation_id: ticket for ticket in history if ticket.state == OPEN}.values())
