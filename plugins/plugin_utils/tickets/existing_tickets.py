# SPDX-License-Identifier: GPL-3.0-or-later
"""The tickets that the instance has, by the key of their group, with the findings that each lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.microsoft.defender_cloud.assessments import assessment_key
from ...module_utils.snow.tickets.ticket import clean
from ...module_utils.snow.tickets.ticket_types import CANCELED, CLOSED, OPEN, RESOLVED, TYPES
from ...module_utils.timestamps import parse
from .groups import hand_id
from .text import MOVED_BY_US, RESOLVED_BY_US, assessment_of
from .ticket_list import Listed, listed_in

KEY = re.compile(r"(mdc-[0-9a-f]{40})(?:-([1-9]\d*))?")
STATES = frozenset({OPEN, RESOLVED, CLOSED, CANCELED})

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ExistingTicket:
    """A ticket on the instance: `key` is that of its group, `generation` counts from 1.

    `listed` are its findings by key, None if they cannot be read; `has_file` if a file is attached that lists them.
    """

    key: str
    generation: int
    correlation_id: str
    type: str
    state: str
    closed_by_us: bool = False
    is_moved: bool = False
    number: str = ""
    link: str = ""
    sys_id: str = ""
    short_description: str = ""
    description: str = ""
    ended_at: str = ""
    listed: Mapping[str, Listed] | None = field(default=None, compare=False)
    has_file: bool = False

    @property
    def is_hand_made(self) -> bool:
        """Whether it was made by hand for one finding."""
        return any(hand_id(key) == self.key for key in self.listed or ()) and len(self.listed or ()) == 1

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Sort key for the tickets of one group: the last one counts."""
        return (self.state == OPEN, self.generation, self.number)

    @property
    def ended_by_people(self) -> bool:
        """Whether users ended it, whose decision is kept."""
        return self.state != OPEN and not self.closed_by_us and not self.is_moved

    @property
    def name(self) -> str:
        """Its number, or what else identifies it."""
        return self.number or self.short_description or self.correlation_id


def key_of(correlation_id: str) -> tuple[str, int]:
    """Return the group's key and the generation in a correlation id; ("", 0) if it is a different one."""
    found = KEY.fullmatch(correlation_id)
    return (found.group(1), int(found.group(2) or 1)) if found else ("", 0)


def known_tickets(rows: Iterable[Row], default_type: str) -> dict[str, list[ExistingTicket]]:
    """Return the tickets of each group by its key; the last one counts."""
    histories: dict[str, list[ExistingTicket]] = {}
    for row in rows:
        key, generation = key_of(str(row.get("correlation_id") or ""))
        if key:
            histories.setdefault(key, []).append(existing_ticket(row, key, generation, default_type))
    return {key: sorted(history, key=lambda ticket: ticket.rank) for key, history in histories.items()}


def existing_ticket(row: Row, key: str, generation: int, default_type: str) -> ExistingTicket:
    """Return the ticket of a row of the instance, or of a result of module snow_tickets."""
    kind = str(row.get("type") or row.get("sys_class_name") or default_type)
    kind = kind if kind in TYPES else default_type
    notes, text = str(row.get("close_notes") or "").lstrip(), clean(str(row.get("description") or ""))
    attachment = row.get("attachment") or {}
    return ExistingTicket(
        key=key,
        generation=generation,
        correlation_id=str(row["correlation_id"]),
        type=kind,
        state=_state(row, kind),
        closed_by_us=notes.startswith(RESOLVED_BY_US),
        is_moved=notes.startswith(MOVED_BY_US),
        number=str(row.get("number") or ""),
        link=str(row.get("link") or ""),
        sys_id=str(row.get("sys_id") or ""),
        short_description=str(row.get("short_description") or ""),
        description=text,
        ended_at=str(row.get("resolved_at") or row.get("closed_at") or row.get("sys_updated_on") or ""),
        listed=_listed(key, text, attachment.get("content")),
        has_file=bool(attachment),
    )


def _listed(key: str, text: str, file: str | None) -> dict[str, Listed] | None:
    found = listed_in(text, file)
    about = assessment_of(text)
    if found is None and about and key in (assessment_key(about), hand_id(assessment_key(about))):
        # The ticket of one finding describes it instead of listing it.
        return {assessment_key(about): Listed(about)}
    return found


def _state(row: Row, kind: str) -> str:
    """Return the state of a ticket as one of our four states; the row has a state of either kind."""
    text = str(row.get("state") if row.get("state") is not None else "").strip().lower()
    plain = {name: str(value).strip().lower() for name, value in row.items() if isinstance(value, str)}
    return text if text in STATES else TYPES[kind].state_of({**plain, "state": text})


def open_tickets(histories: Mapping[str, Iterable[ExistingTicket]]) -> list[ExistingTicket]:
    """Return the open tickets, each correlation id once."""
    return list(
        {each.correlation_id: each for tickets in histories.values() for each in tickets if each.state == OPEN}.values()
    )


def age_of(ticket: ExistingTicket) -> tuple[bool, str, int, str]:
    """Return what orders tickets: an open one comes last, before it the one that ended last."""
    return ticket.state == OPEN, ticket.ended_at, ticket.generation, ticket.number


def is_after(moment: str, earlier: str) -> bool:
    """Return whether one moment is later than another; False where one is not known."""
    try:
        return parse(moment) > parse(earlier)
    except (ValueError, OverflowError):
        return False
