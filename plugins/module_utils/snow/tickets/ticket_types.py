# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of tickets and their states.

See docs/facts/servicenow_tickets.md#incidents, docs/facts/servicenow_tickets.md#problems,
docs/facts/servicenow_tickets.md#change-requests, docs/facts/servicenow_tickets.md#requested-items,
docs/facts/servicenow_tickets.md#security-incidents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...engine.field import without_decimals
from ...engine.snapshot import Row

OPEN, RESOLVED, CLOSED, CANCELED, ABSENT = "open", "resolved", "closed", "canceled", "absent"
# Of several tickets with one key, the one in the first of these states counts.
STATE_PREFERENCE = (OPEN, RESOLVED, CLOSED, CANCELED)
# The actual states that satisfy a desired state. Tickets that users have closed stay closed.
SATISFIED_BY = {
    OPEN: frozenset({OPEN, CLOSED, CANCELED}),
    RESOLVED: frozenset({RESOLVED, CLOSED, CANCELED}),
    CLOSED: frozenset({CLOSED, CANCELED}),
    CANCELED: frozenset({CLOSED, CANCELED}),
}


@dataclass(frozen=True)
class TicketType:
    """One table of tickets.

    `noun` is its name in messages. `states` maps values of the column `state` to ours; all others are open. `targets` is
    the reverse, `reopened` the state of a reopened ticket, `working` that of one that people begin to work on ("" if it has
    none). `caller` is the column of the caller, `code` that of the close code ("" if it has none), and `codes` are its default
    values, the preferred one first; without them, the first choice of the instance. `state_writable`: the Table API can write
    the column `state`.
    """

    table: str
    noun: str
    states: Mapping[str, str]
    targets: Mapping[str, str]
    initial: str
    code: str
    codes: tuple[str, ...]
    caller: str = ""
    reopened: str = ""
    working: str = ""
    state_writable: bool = True

    def state_of(self, row: Row) -> str:
        """Return our state of `row`."""
        value = without_decimals(row.get("state", ""))
        state = self.states.get(value, OPEN)
        if state == OPEN and value not in self.states and row.get("active") == "false":
            # A custom final state of the instance.
            return CLOSED
        if self.table == "problem" and state == CLOSED and row.get("resolution_code") == "canceled":
            return CANCELED
        return state


INCIDENT = TicketType(
    "incident",
    "incident",
    states={"6": RESOLVED, "7": CLOSED, "8": CANCELED},
    targets={RESOLVED: "6", CLOSED: "7", CANCELED: "8"},
    initial="1",
    code="close_code",
    # The second one is the default of older instances.
    codes=("Solution provided", "Solved (Permanently)"),
    caller="caller_id",
    reopened="2",
    working="2",
)
PROBLEM = TicketType(
    "problem",
    "problem",
    # 4 is the final state of the model before Madrid; the current one has no 4.
    states={"106": RESOLVED, "107": CLOSED, "4": CLOSED},
    targets={RESOLVED: "106", CLOSED: "107", CANCELED: "107"},
    initial="101",
    code="resolution_code",
    codes=("fix_applied",),
    reopened="103",
    state_writable=False,
)
CHANGE_REQUEST = TicketType(
    "change_request",
    "change request",
    states={"3": CLOSED, "4": CANCELED},
    # A change request has no state between review and closed.
    targets={RESOLVED: "3", CLOSED: "3", CANCELED: "4"},
    initial="-5",
    code="close_code",
    codes=("successful",),
    # LIKELY: no public page names a column for it.
    caller="requested_by",
)
REQUESTED_ITEM = TicketType(
    "sc_req_item",
    "requested item",
    states={"3": CLOSED, "4": CANCELED, "7": CANCELED},
    # It has no state between work in progress and closed, and no close code.
    targets={RESOLVED: "3", CLOSED: "3", CANCELED: "4"},
    initial="1",
    code="",
    codes=(),
    working="2",
)
SECURITY_INCIDENT = TicketType(
    "sn_si_incident",
    "security incident",
    states={"3": CLOSED, "7": CANCELED},
    # It has no state that people confirm before it is closed.
    targets={RESOLVED: "3", CLOSED: "3", CANCELED: "7"},
    initial="10",
    code="close_code",
    codes=(),
    caller="caller",
    working="16",
)
TYPES = {one.table: one for one in (INCIDENT, PROBLEM, CHANGE_REQUEST, REQUESTED_ITEM, SECURITY_INCIDENT)}
