# SPDX-License-Identifier: GPL-3.0-or-later
"""The tickets of alerts and incidents that the instance has, by key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.snow.tickets.ticket import clean
from ...module_utils.snow.tickets.ticket_types import CANCELED, CLOSED, OPEN, TYPES
from .items import ENDED
from .text import Base, base_in, identity_in, merged_in

KEY = re.compile(r"((?:alert|incident)-[0-9a-f]{40})(?:-([1-9]\d*))?")
NEW, WORKING = "new", "in_progress"
# The tenant in the link to an incident (docs/facts/microsoft_graph.md#alerts-and-incidents).
TENANT = re.compile(r"^Portal: \S+[?&]tid=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b", re.I | re.M)
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


@dataclass(frozen=True)
class Ticket:
    """A ticket on the instance. `state` is ours, `phase` also distinguishes a new ticket from one that people work on."""

    key: str
    generation: int
    correlation_id: str
    type: str
    state: str
    phase: str
    number: str
    sys_id: str
    description: str
    close_notes: str
    close_code: str
    user: str
    email: str
    base: Base | None
    ended_at: str = ""

    @property
    def is_open(self) -> bool:
        """Whether people may still work on it."""
        return self.state == OPEN

    @property
    def item_id(self) -> str:
        """The id of its alert or incident, "" where a user removed it."""
        return identity_in(self.description)

    def is_of_other_tenant(self, tenant_id: str) -> bool:
        """Whether its link names another tenant; several can have tickets on one instance. A tenant can also be given by its domain."""
        found = TENANT.search(self.description)
        known = tenant_id.strip().lower()
        return found is not None and GUID.fullmatch(known) is not None and found[1].lower() != known

    @property
    def merged(self) -> list[str]:
        """The ids of incidents that were merged into its own, as far as it says."""
        return merged_in(self.description)

    @property
    def is_settled(self) -> bool:
        """Whether both sides had ended when they were last in step: nothing is to be expected of it."""
        return not self.is_open and self.base is not None and self.base.defender in ENDED

    @property
    def is_final(self) -> bool:
        """Whether it is one that no one can reopen, and in which an instance may let nothing be noted."""
        return self.state in (CLOSED, CANCELED)

    @property
    def is_announced(self) -> bool:
        """Whether it says that it ended, and that Defender does not have that yet.

        That is only written before the status of an alert goes over, so it has not gone over before.
        """
        base = self.base
        return self.is_final and base is not None and base.phase in (CLOSED, CANCELED) and base.defender not in ENDED


def tickets_in(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Ticket]]:
    """Return the tickets of each alert and incident by key; the last one counts: an open one, else the newest."""
    histories: dict[str, list[Ticket]] = {}
    for row in rows:
        found = KEY.fullmatch(str(row.get("correlation_id") or ""))
        kind = str(row.get("sys_class_name") or "")
        if found and kind in TYPES:
            histories.setdefault(found[1], []).append(_ticket(row, found[1], int(found[2] or 1), kind))
    return {
        key: sorted(history, key=lambda ticket: (ticket.is_open, ticket.generation, ticket.number))
        for key, history in histories.items()
    }


def ends_of_alerts(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return when the tickets of alerts ended that no one can reopen and that do not have what Defender has, by key."""
    last = {key: history[-1] for key, history in tickets_in(rows).items() if key.startswith("alert-")}
    return {
        key: ticket.ended_at
        for key, ticket in last.items()
        if ticket.is_final and ticket.ended_at and not ticket.is_settled
    }


def _ticket(row: Mapping[str, Any], key: str, generation: int, kind: str) -> Ticket:
    text = {name: str(value if value is not None else "") for name, value in row.items()}
    plain = {name: value.strip().lower() for name, value in text.items()}
    state, description = TYPES[kind].state_of(plain), clean(text.get("description", ""))
    is_new = plain.get("state", "").partition(".")[0] == TYPES[kind].initial
    return Ticket(
        key=key,
        generation=generation,
        correlation_id=text["correlation_id"],
        type=kind,
        state=state,
        phase=state if state != OPEN else NEW if is_new else WORKING,
        number=text.get("number", ""),
        sys_id=text.get("sys_id", ""),
        description=description,
        close_notes=text.get("close_notes", ""),
        close_code=text.get("close_code", ""),
        user=text.get("assigned_to.user_name", ""),
        email=text.get("assigned_to.email", ""),
        base=base_in(description),
        ended_at=text.get("closed_at") or text.get("sys_updated_on") or "",
    )
