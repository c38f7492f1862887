# SPDX-License-Identifier: GPL-3.0-or-later
"""Open tickets about alerts that Defender for Cloud does not list any more: it keeps alerts for some months only."""

from __future__ import annotations

from collections.abc import Iterable

from ...module_utils.engine.problem import WARNING, Problem
from .plan import AlertSync
from .tickets import Ticket

MAX_NAMED = 10


def vanished_alerts(sync: AlertSync, scopes_read: Iterable[str]) -> list[Problem]:
    """Return the problem that nothing is known of the alerts of open tickets, as far as their scopes were read completely."""
    read = tuple(f"/{scope.strip('/')}/".casefold() for scope in scopes_read)
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


def _is_vanished(ticket: Ticket, sync: AlertSync, read: tuple[str, ...]) -> bool:
    is_about_alert = ticket.is_open and ticket.key.startswith("alert-") and ticket.key not in sync.items.by_key
    return is_about_alert and ticket.item_id.casefold().startswith(read)
