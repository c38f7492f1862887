# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual steps for tickets."""

from __future__ import annotations

from collections.abc import Mapping

from ...engine.result import ManualStep
from ...engine.snapshot import Row
from .choices import Choices
from .ticket import CLOSE_NOTES, Ticket
from .ticket_types import CANCELED, CLOSED, OPEN, PROBLEM, RESOLVED

STATE_VERBS = {OPEN: "Reopen", RESOLVED: "Resolve", CLOSED: "Close", CANCELED: "Cancel"}
# The notes that a resolution code of a problem requires (docs/facts/servicenow_tickets.md#problems).
NOTES = {
    "fix_applied": ("Cause notes", "Fix notes"),
    "risk_accepted": ("Cause notes", "Close notes"),
    "canceled": ("Close notes",),
}
NO_STATE_CHANGES = "Since the release Rome the Table API cannot change the state of a problem"


def problem_step(ticket: Ticket, row: Row, target: str, choices: Choices, link: str) -> ManualStep:
    """Return the step that sets the state of a problem to `target`, a value of its column `state`."""
    values = {"State": choices.label(PROBLEM.table, "state", target)}
    if ticket.state != OPEN and PROBLEM.state_of(row) == OPEN:
        code = _resolution(ticket, choices)
        values["Resolution code"] = choices.label(PROBLEM.table, PROBLEM.code, code)
        notes = ticket.close_notes or CLOSE_NOTES
        values.update(dict.fromkeys(NOTES.get(code, ()), notes))
        if code == "duplicate":
            values["Duplicate of"] = notes
    return _step(ticket, row, ticket.state, values, NO_STATE_CHANGES, link)


def _resolution(ticket: Ticket, choices: Choices) -> str:
    if ticket.close_code:
        return choices.wire(PROBLEM.table, PROBLEM.code, ticket.close_code, ticket.label)
    wanted = ("canceled",) if ticket.state == CANCELED else PROBLEM.codes
    return choices.best(PROBLEM.table, PROBLEM.code, wanted, ticket.label)


def change_step(
    ticket: Ticket, row: Row, state: str, changes: Mapping[str, str], choices: Choices, link: str
) -> ManualStep:
    """Return the step that closes a change request if the platform refuses to."""
    table = ticket.type.table
    labels = {"state": "State", "close_code": "Close code", "close_notes": "Close notes"}
    values = {labels[name]: choices.label(table, name, value) for name, value in changes.items() if name in labels}
    return _step(ticket, row, state, values, "", link)


def duplicate_step(ticket: Ticket, row: Row, survivor: Row, choices: Choices, link: str) -> ManualStep:
    """Return the step that cancels a problem that two overlapping runs have created."""
    values = {
        "State": choices.label(PROBLEM.table, "state", PROBLEM.targets[CANCELED]),
        "Resolution code": choices.label(PROBLEM.table, PROBLEM.code, "canceled"),
        "Close notes": duplicate_notes(survivor),
    }
    return _step(ticket, row, "duplicate", values, NO_STATE_CHANGES, link)


def duplicate_notes(survivor: Row) -> str:
    """Return the close notes of a duplicate; `survivor` is the ticket that is kept."""
    return f"Duplicate of {survivor.get('number', '')}: two overlapping runs created both."


def _step(ticket: Ticket, row: Row, state: str, values: dict[str, str], reason: str, link: str) -> ManualStep:
    number = row.get("number") or ticket.key
    return ManualStep(
        id=f"{ticket.type.table}:{ticket.key}:{state}",
        title=f"{STATE_VERBS.get(state, STATE_VERBS[CANCELED])} {ticket.type.noun} {number}",
        reason=reason,
        where=f"ServiceNow: {link}",
        values=values,
    )
