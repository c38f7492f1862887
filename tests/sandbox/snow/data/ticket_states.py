# SPDX-License-Identifier: GPL-3.0-or-later
"""State models and choice lists of tickets that differ between instances.

See docs/facts/servicenow_tickets.md#incidents, docs/facts/servicenow_tickets.md#problems,
docs/facts/servicenow_tickets.md#change-requests.
"""

# States in which a ticket is no longer active.
CLOSED = {
    "incident": ("7", "8"),
    "problem": ("107",),
    "legacy problem": ("4",),
    "change_request": ("3", "4"),
    "problem_task": ("157",),
    "change_task": ("3", "4"),
    "sc_req_item": ("3", "4", "7"),
    "sn_si_incident": ("3", "7"),
}
_FROM_SCHEDULED = {"-2": ("-1", "4"), "-1": ("0", "4"), "0": ("3",), "3": (), "4": ()}
# type -> state -> possible next states. That standard changes need no assessment and emergency ones only the approval is
# LIKELY (5.4 lists the states, not the transitions of each type).
CHANGE_TRANSITIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "normal": {"-5": ("-4", "4"), "-4": ("-3", "4"), "-3": ("-2", "4"), **_FROM_SCHEDULED},
    "emergency": {"-5": ("-3", "4"), "-4": ("-3", "4"), "-3": ("-2", "4"), **_FROM_SCHEDULED},
    "standard": {"-5": ("-2", "4"), "-4": ("-2", "4"), "-3": ("-2", "4"), **_FROM_SCHEDULED},
}
# Resolution codes of instances that were set up long ago; 5.2 lists the first, the others are LIKELY.
OLD_CLOSE_CODES = (
    "Solved (Permanently)",
    "Solved (Work Around)",
    "Solved Remotely (Permanently)",
    "Solved Remotely (Work Around)",
    "Not Solved (Not Reproducible)",
    "Not Solved (Too Costly)",
    "Closed/Resolved by Caller",
)
# The problem model before Madrid: 5.3 gives the numbers, the labels are LIKELY.
LEGACY_PROBLEM_STATES = {"1": "Open", "2": "Known Error", "3": "Pending Change", "4": "Closed/Resolved"}
