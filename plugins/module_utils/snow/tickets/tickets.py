# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents, problems and change requests, many at once, each known by its correlation_id.

Nothing is created twice, in three layers. A create whose answer got lost is looked up before it is sent again; runs on
one machine take turns, and look once more in their turn (both: engine/apply.py). Runs on different machines give a
ticket the same sys_id, which an instance may or may not honour (UNKNOWN, so nothing rests on it,
docs/facts/servicenow_platform.md#write-safety); after the writes all keys are read again, and of two tickets that such
runs made, the younger one is canceled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import Plan, Resource, SecretDecision
from ...engine.snapshot import Query, Row, Snapshot
from .choices import Choices, choice_read
from .ticket import GROUP, SYS_ID, USER, Ticket
from .ticket_plan import STAGE, TicketPlan
from .ticket_types import OPEN, PREFERENCE

DISPLAY = "Microsoft Defender for Cloud"
MAX_DISPLAY = 100
# Read of every ticket beside what is described: who it is, in which state, why it ended, and who made it when.
ALWAYS = (
    "sys_id", "number", "correlation_id", "correlation_display", "state", "active", "close_code", "close_notes",
    "sys_created_on", "sys_created_by", "sys_mod_count",
)  # fmt: skip


class Tickets(Resource):
    """Tickets of all three types on the instance at `base_url`."""

    label = "tickets"
    stage = STAGE

    def __init__(self, entries: Iterable[Mapping[str, Any]], base_url: str = "", display: str = DISPLAY) -> None:
        if not display.strip() or len(display) > MAX_DISPLAY:
            raise InvalidInput(f"correlation_display must have between 1 and {MAX_DISPLAY} characters")
        self.tickets = [Ticket(entry, display) for entry in entries]
        self.base_url, self.display = base_url, display
        self._has_planned = False
        twice = [label for label, count in Counter(ticket.label for ticket in self.tickets).items() if count > 1]
        if twice:
            raise InvalidInput(
                f"tickets: {', '.join(twice[:5])} {'is' if len(twice) == 1 else 'are'} described more than once. Nothing was "
                f"written; a correlation_id is the key of one ticket of its type"
            )

    @classmethod
    def from_params(cls, params: Mapping[str, Any], base_url: str) -> Tickets:
        """Return what a task describes for the instance at `base_url`."""
        return cls(params["tickets"], base_url, params["correlation_display"])

    def reads(self) -> list[Query]:
        """Ask for all tickets by key, for what they refer to, and for the choices that the instance has."""
        if not self.tickets:
            return []
        reads = []
        tables = list(dict.fromkeys(ticket.type.table for ticket in self.tickets))
        for table in tables:
            mine = [ticket for ticket in self.tickets if ticket.type.table == table]
            columns = dict.fromkeys((*ALWAYS, mine[0].type.code))
            columns.update(dict.fromkeys(column for ticket in mine for column in ticket.columns))
            reads.append(Query(table, "correlation_id", tuple(ticket.key for ticket in mine), tuple(columns)))
        for reference in (GROUP, USER):
            names = sorted({name for ticket in self.tickets for name in ticket.names(reference)})
            for column, asked in (
                (reference.by, names),
                ("sys_id", [name for name in names if SYS_ID.fullmatch(name)]),
            ):
                if asked:
                    reads.append(Query(reference.collection, column, tuple(asked), ("sys_id", reference.by)))
        return [*reads, choice_read(tables)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare each ticket; note one outcome for each."""
        plan = Plan(self.label, bulk=True)
        choices = Choices.of(snapshot)
        for ticket in self.tickets:
            rows = snapshot.rows(ticket.type.table, "correlation_id", ticket.key)
            row, doubles = self._chosen(ticket, rows, plan)
            foretells = not self._has_planned
            TicketPlan(plan, ticket, snapshot, choices, base_url=self.base_url, foretells=foretells).make(row, doubles)
        self._has_planned = True
        return plan

    def _chosen(self, ticket: Ticket, rows: Sequence[Row], plan: Plan) -> tuple[Row | None, list[Row]]:
        """Return the row that is meant, and those to cancel: untouched doubles of it that overlapping runs of ours made.

        Raises `InvalidInput` where two open tickets have the key, and it is not for us to say which one stays.
        """
        by_state = {state: [row for row in rows if ticket.type.state_of(row) == state] for state in PREFERENCE}
        alive = sorted(by_state[OPEN], key=_age)
        if not alive:
            ended = [row for state in PREFERENCE for row in sorted(by_state[state], key=_age, reverse=True)]
            return (ended[0] if ended else None), []
        stays, *others = alive
        if all(self._is_double(row, stays) for row in others):
            return stays, others
        numbers = ", ".join(f"{row.get('number', '')} ({row['sys_id']})" for row in alive)
        told = f"{len(alive)} open tickets have the key of {ticket.label}: {numbers}"
        if self._has_planned:
            # Somebody worked on one of them between our two looks; the tickets of this run are all in place.
            plan.warnings.append(f"{told}. Close all but one, or take correlation_id out of them")
            return stays, []
        raise InvalidInput(f"{told}. None was touched; close all but one, or take correlation_id out of them")

    def _is_double(self, row: Row, stays: Row) -> bool:
        """Return True for a row that was made like `stays`, by the same account, and that nobody has touched since.

        A new row has sys_mod_count 0 and every update raises it (docs/facts/servicenow_tickets.md#task-columns).
        """
        ours = all(one.get("correlation_display") == self.display for one in (row, stays))
        return ours and row.get("sys_created_by") == stays.get("sys_created_by") and row.get("sys_mod_count") == "0"


def _age(row: Row) -> tuple[str, str]:
    return row.get("sys_created_on", ""), row["sys_id"]
