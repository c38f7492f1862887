# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets of all types, in bulk, each identified by its correlation_id.

Three measures prevent duplicates. A create whose response was lost is looked up before it is sent again; runs on one
machine hold a lock, and read again once they have it (both: engine/created_rows.py). After the writes all keys are read again,
and of two tickets that runs on different machines created, the newer one is canceled. No run requests a sys_id: whether that is
honored is UNKNOWN (docs/facts/servicenow_platform.md#write-safety).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import Plan, Resource, SecretDecision
from ...engine.snapshot import Query, Row, Snapshot
from .attachments import attachment_query
from .choices import Choices, choice_query
from .configuration_items import item_query
from .ticket import GROUP, SYS_ID, TEMPLATE, USER, Ticket
from .ticket_plan import STAGE, TicketPlan
from .ticket_types import OPEN, STATE_PREFERENCE

DISPLAY = "Microsoft Defender for Cloud"
MAX_DISPLAY = 100
# Columns that are always read: identity, state, close code, and creation.
BASE_COLUMNS = (
    "sys_id", "number", "correlation_id", "correlation_display", "short_description", "state", "active", "close_notes",
    "sys_created_on", "sys_created_by", "sys_mod_count",
)  # fmt: skip


class Tickets(Resource):
    """Tickets of all types on the instance at `base_url`."""

    label = "tickets"
    stage = STAGE

    def __init__(
        self,
        entries: Iterable[Mapping[str, Any]],
        base_url: str = "",
        display: str = DISPLAY,
        *,
        skip_invalid: bool = False,
    ) -> None:
        if not display.strip() or len(display) > MAX_DISPLAY:
            raise InvalidInput(f"correlation_display must have between 1 and {MAX_DISPLAY} characters")
        self.tickets = [Ticket(entry, display) for entry in entries]
        self.base_url, self.display, self.skip_invalid = base_url, display, skip_invalid
        self._has_planned = False
        self._ambiguous: set[str] = set()
        twice = [label for label, count in Counter(ticket.label for ticket in self.tickets).items() if count > 1]
        if twice:
            raise InvalidInput(
                f"tickets: {', '.join(twice[:5])} {'is' if len(twice) == 1 else 'are'} listed more than once. Nothing was "
                f"written; each correlation_id identifies one ticket of its type"
            )

    @classmethod
    def from_params(cls, params: Mapping[str, Any], base_url: str) -> Tickets:
        """Return the tickets of a task for the instance at `base_url`."""
        return cls(params["tickets"], base_url, params["correlation_display"], skip_invalid=params["skip_invalid"])

    def reads(self) -> list[Query]:
        """Return the queries for all tickets by key, for the rows that they refer to, and for the choices."""
        if not self.tickets:
            return []
        reads = []
        tables = list(dict.fromkeys(ticket.type.table for ticket in self.tickets))
        for table in tables:
            mine = [ticket for ticket in self.tickets if ticket.type.table == table]
            columns = dict.fromkeys((*BASE_COLUMNS, *filter(None, [mine[0].type.code])))
            columns.update(dict.fromkeys(column for ticket in mine for column in ticket.columns))
            keys = tuple(ticket.key for ticket in mine)
            reads.append(Query(table, "correlation_id", keys, tuple(columns), optional=self.skip_invalid))
        for reference in (GROUP, USER, TEMPLATE):
            names = sorted({name for ticket in self.tickets for name in ticket.names(reference)})
            for column, asked in (
                (reference.by, names),
                ("sys_id", [name for name in names if SYS_ID.fullmatch(name)]),
            ):
                if asked:
                    reads.append(Query(reference.collection, column, tuple(asked), ("sys_id", reference.by)))
        resources = sorted({ticket.cloud_resource for ticket in self.tickets if ticket.cloud_resource})
        return [*reads, *([item_query(resources)] if resources else []), choice_query(tables)]

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return the query for the files of the tickets that are to have one, and those for what the account may not see of new ones."""
        ids = [
            row["sys_id"]
            for ticket in self.tickets
            if ticket.attachment
            for row in snapshot.rows(ticket.type.table, "correlation_id", ticket.key)
        ]
        return [*([attachment_query(ids)] if ids else []), *self._hidden_queries(snapshot)]

    def _hidden_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return one query for each ticket that seems not to exist, if the instance hides tickets: which ones, their number does not say."""
        tables = {ticket.type.table for ticket in self.tickets}
        hiding = {table for table in tables if snapshot.hidden_count(table, "correlation_id")}
        return [
            Query(ticket.type.table, "correlation_id", (ticket.key,), ("sys_id", "correlation_id"), _only(ticket), True)
            for ticket in self.tickets
            if ticket.type.table in hiding and not snapshot.rows(ticket.type.table, "correlation_id", ticket.key)
        ]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare each ticket, with one outcome for each."""
        plan = Plan(self.label, bulk=True)
        choices = Choices.of(snapshot)
        for ticket in self.tickets:
            rows = snapshot.rows(ticket.type.table, "correlation_id", ticket.key)
            predict = not self._has_planned
            mine = TicketPlan(plan, ticket, snapshot, choices, base_url=self.base_url, predict=predict)
            words = snapshot.refused(ticket.type.table, "correlation_id")
            try:
                if words:
                    raise InvalidInput(_unread(ticket, words))
                _check_hidden(ticket, snapshot)
                mine.make(*self._select_row(ticket, rows, plan))
            except InvalidInput as error:
                if not self.skip_invalid:
                    raise
                mine.refuse(str(error).replace("Nothing was written", "It was left out"))
        self._has_planned = True
        return plan

    def _select_row(self, ticket: Ticket, rows: Sequence[Row], plan: Plan) -> tuple[Row | None, list[Row]]:
        """Return the row of the ticket, and those to cancel: its unchanged duplicates that overlapping runs created.

        Raises `InvalidInput` if several open tickets have the key and are not such duplicates.
        """
        by_state = {state: [row for row in rows if ticket.type.state_of(row) == state] for state in STATE_PREFERENCE}
        alive = sorted(by_state[OPEN], key=_age)
        if not alive:
            ended = [row for state in STATE_PREFERENCE for row in sorted(by_state[state], key=_age, reverse=True)]
            return (ended[0] if ended else None), []
        kept, *others = alive
        if all(self._is_duplicate(row, kept) for row in others):
            return kept, others
        numbers = ", ".join(f"{row.get('number', '')} ({row['sys_id']})" for row in alive)
        message = f"{len(alive)} open tickets have the key of {ticket.label}: {numbers}"
        if self._has_planned and ticket.label not in self._ambiguous:
            # One of them was changed between our two reads; all tickets of this run have been written.
            plan.warnings.append(f"{message}. Close all but one, or clear their correlation_id")
            return kept, []
        self._ambiguous.add(ticket.label)
        raise InvalidInput(f"{message}. None was changed; close all but one, or clear their correlation_id")

    def _is_duplicate(self, row: Row, kept: Row) -> bool:
        """Return whether a row was created like `kept`, by the same account, and has not been changed since.

        A new row has sys_mod_count 0 and every update raises it (docs/facts/servicenow_tickets.md#task-columns).
        """
        ours = all(one.get("correlation_display") == self.display for one in (row, kept))
        return ours and row.get("sys_created_by") == kept.get("sys_created_by") and row.get("sys_mod_count") == "0"


def _only(ticket: Ticket) -> tuple[tuple[str, str], ...]:
    """Return the condition by which the query for a single ticket stays apart from that for all of them."""
    return (("correlation_id", ticket.key),)


def _check_hidden(ticket: Ticket, snapshot: Snapshot) -> None:
    """Raise `InvalidInput` for a ticket that the instance has, and hides from the account: each run would create another one."""
    for read, answer in snapshot.answers:
        if (
            read.collection == ticket.type.table
            and read.where == _only(ticket)
            and (answer.total or 0) > len(answer.rows)
        ):
            raise InvalidInput(
                f"{ticket.label}: the instance has it, and hides it from the account. Nothing was written; give the account a role that "
                f"reads it in {ticket.type.table}"
            )


def _unread(ticket: Ticket, words: str) -> str:
    return (
        f"{ticket.label}: the account cannot read {ticket.type.table}: {words}. Nothing was written; give it a role that reads "
        f"and writes the table, or choose another type"
    )


def _age(row: Row) -> tuple[str, str]:
    return row.get("sys_created_on", ""), row["sys_id"]
