# SPDX-License-Identifier: GPL-3.0-or-later
"""Open tickets about alerts and incidents that Defender does not have any more: it keeps them for some months only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils.engine.problem import WARNING, Problem
from . import text
from .items import INCIDENT
from .plan import AlertSync
from .tickets import Ticket

MAX_NAMED = 10


def vanished_alerts(sync: AlertSync, scopes_read: Iterable[str]) -> list[Problem]:
    """Return the problem that nothing is known of the alerts of open tickets, as far as their scopes were read completely."""
    read = _paths(scopes_read)
    last = (history[-1] for history in sync.histories.values())
    found = sorted(ticket.number for ticket in last if _is_vanished(ticket, sync, read))
    if not found or sync.new.by_hand:
        return []
    named = f"{', '.join(found[:MAX_NAMED])}{f' and {len(found) - MAX_NAMED} more' if len(found) > MAX_NAMED else ''}"
    alerts, them = ("alert", "it") if len(found) == 1 else ("alerts", "them")
    message = (
        f"Defender for Cloud does not list the {alerts} of {named} any more, so what became of {them} is not known"
    )
    return [Problem("alert_vanished", WARNING, message, "Resolve what is done in ServiceNow")]


def vanished_incidents(sync: AlertSync, problems: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Return problems of reading incidents again, with what to do about the open ticket of each that is missing."""
    tickets = {
        ticket.item_id: ticket for ticket in (history[-1] for history in sync.histories.values()) if ticket.is_open
    }
    found = []
    for problem in problems:
        kind, _colon, incident = str(problem.get("id")).partition(":")
        ticket = tickets.get(incident)
        if kind == f"{INCIDENT}_missing" and ticket and not sync.new.by_hand:
            remedy = (
                f"What became of it is not known, so its ticket stays as it is and each run fails: resolve, close or cancel {ticket.number} "
                f"in ServiceNow, or correct the id in the line {text.REFERENCE[INCIDENT]} of its description"
            )
            found.append(Problem(str(problem["id"]), str(problem["severity"]), str(problem["message"]), remedy))
    return found


def unread_tickets(
    sync: AlertSync, scopes_read: Iterable[str], problems: Iterable[Mapping[str, Any]], tenant: str = ""
) -> dict[str, Any]:
    """Return how many open `tickets` are about what was not read, so that nothing is known of it, with the first `numbers`; {} for none."""
    read = _paths(scopes_read)
    missing = {str(problem.get("id")).partition(":")[2] for problem in problems}
    last = (history[-1] for history in sync.histories.values() if not sync.new.by_hand)
    found = sorted(
        ticket.number
        for ticket in last
        if ticket.is_open
        and ticket.key not in sync.items.by_key
        and ticket.item_id not in missing
        and not _is_vanished(ticket, sync, read)
        and not ticket.is_of_other_tenant(tenant)
    )
    return {"tickets": len(found), "numbers": found[:MAX_NAMED]} if found else {}


def _paths(scopes: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"/{scope.strip('/')}/".casefold() for scope in scopes)


def _is_vanished(ticket: Ticket, sync: AlertSync, read: tuple[str, ...]) -> bool:
    is_about_alert = ticket.is_open and ticket.key.startswith("alert-") and ticket.key not in sync.items.by_key
    return is_about_alert and ticket.item_id.casefold().startswith(read)
