# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired tickets for recommendations of Defender for Cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.snow.tickets.ticket_types import TYPES
from ..plugin_utils.recommendation_tickets import TicketOptions, desired_tickets, left_open

DOCUMENTATION = r"""
name: tickets_for_recommendations
short_description: Determine the tickets that recommendations of Defender for Cloud need
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares recommendations with the existing tickets, and returns the entries for M(secops.servicenow_defender.snow_tickets).
  - A selected recommendation that is V(Unhealthy) gets one ticket, whose C(correlation_id) is the key of the recommendation.
    If the recommendation becomes healthy or is deleted, its open ticket is resolved, with close notes that begin with
    C(Resolved by Defender for Cloud:). If it is unhealthy again, a resolved ticket is reopened; if the ticket is closed or
    canceled, a new one is created, whose C(correlation_id) ends in C(-2), C(-3) and so on.
  - A recommendation whose assignment names a foreign ticket, such as one of Microsoft's own integration, is skipped.
  - Tickets that users closed, canceled or resolved (other close notes) are not changed, and no other ticket is created. Tickets
    of recommendations that are not selected are not changed until the recommendation is healthy.
  - Only the state of an open ticket is changed, so that users can assign and rate it. O(refresh) also updates its texts and
    ratings.
positional: _input
options:
  _input:
    description:
      - All recommendations, of any status, as M(secops.servicenow_defender.mdc_recommendation_info) returns them with
        C(status=[]) or C(include_unselected=true).
    type: list
    elements: dict
    required: true
  known:
    description:
      - The existing tickets, rows of ServiceNow whose C(correlation_display) is C(Microsoft Defender for Cloud), with the
        fields C(correlation_id), C(number), C(state), C(active), C(close_notes), C(sys_id), C(sys_class_name) and C(description).
        The description identifies the assessment of a deleted recommendation; without it such a ticket is not changed.
    type: list
    elements: dict
    required: true
  selected:
    description:
      - The recommendations that need tickets, or their keys. If not set, C(selected) of each recommendation decides.
    type: list
    elements: raw
  scopes_read:
    description:
      - The scopes that were read completely (C(scopes_read) of M(secops.servicenow_defender.mdc_recommendation_info)). A
        missing recommendation counts as deleted only within these scopes.
    type: list
    elements: str
    default: []
  type:
    description:
      - Type of new tickets.
    type: str
    choices: [incident, problem, change_request]
    default: incident
  ratings:
    description:
      - Impact and urgency (1 high to 3 low) by severity, for example C({High&#58; {impact&#58; 1, urgency&#58; 1}}), in place of
        the defaults 1 and 1 for C(Critical), 2 and 1 for C(High), 2 and 2 for C(Medium), 3 and 3 for C(Low), from which the
        instance derives priority 1, 2, 3 and 5.
    type: dict
    default: {}
  assignment_group:
    description:
      - Assignment group of new tickets.
    type: str
  assigned_to:
    description:
      - Assignee of new tickets.
    type: str
  caller:
    description:
      - Caller of new tickets.
    type: str
  extra_fields:
    description:
      - Further fields of new tickets.
    type: dict
  close_code:
    description:
      - Close code of resolved tickets. If not set, M(secops.servicenow_defender.snow_tickets) selects one.
    type: str
  max_resolved:
    description:
      - How many tickets may be resolved, as a number, or as a percentage of the open ones, of which 10 are always allowed. If
        more would be resolved, none is.
      - A subscription or security connector that has open tickets and lists no recommendation at all is not believed, and its
        tickets stay open, unless this is V(100%).
      - P(secops.servicenow_defender.tickets_left_open#filter) returns the reasons.
    type: str
    default: 25%
  refresh:
    description:
      - Whether texts, impact and urgency of open tickets follow the recommendation.
    type: bool
    default: false
seealso:
  - module: secops.servicenow_defender.mdc_recommendation_info
  - plugin: secops.servicenow_defender.assignments_for_tickets
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Determine the desired tickets
  ansible.builtin.set_fact:
    wanted: >-
      {{ found.recommendations | secops.servicenow_defender.tickets_for_recommendations(
           known.records, scopes_read=found.scopes_read, assignment_group='Cloud security') }}
"""

RETURN = r"""
_value:
  description:
    - Entries for C(tickets) of C(snow_tickets), with C(type), C(correlation_id) and C(state); new ones with
      C(short_description), C(description), C(impact), C(urgency) and the values of the options; resolved ones with C(close_notes);
      reopened ones with C(reopen) and C(work_note).
  type: list
  elements: dict
"""


def tickets_for_recommendations(
    recommendations: Iterable[Mapping[str, Any]],
    known: Iterable[Mapping[str, Any]],
    selected: Iterable[Any] | None = None,
    scopes_read: Iterable[str] = (),
    type: str = "incident",
    ratings: Mapping[str, Mapping[str, Any]] | None = None,
    close_code: str | None = None,
    refresh: bool = False,
    max_resolved: Any = "",
    assignment_group: str | None = None,
    assigned_to: str | None = None,
    caller: str | None = None,
    extra_fields: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the entries for module snow_tickets; see `desired_tickets`."""
    if type not in TYPES:
        raise AnsibleFilterError(f"tickets_for_recommendations: type must be one of {', '.join(TYPES)}, not {type!r}")
    keys = None if selected is None else {str(row["key"] if isinstance(row, Mapping) else row) for row in selected}
    fields = {
        "assignment_group": assignment_group,
        "assigned_to": assigned_to,
        "caller": caller,
        "extra_fields": extra_fields,
    }
    options = TicketOptions(type, ratings or {}, fields, close_code or "", refresh)
    try:
        return desired_tickets(list(recommendations), known, options, list(scopes_read), keys, str(max_resolved))
    except ValueError as error:
        raise AnsibleFilterError(f"tickets_for_recommendations: {error}") from None
    except KeyError as error:
        raise AnsibleFilterError(
            f"tickets_for_recommendations: a recommendation has no {error}; pass the recommendations that mdc_recommendation_info returns"
        ) from None


def tickets_left_open(
    recommendations: Iterable[Mapping[str, Any]],
    known: Iterable[Mapping[str, Any]],
    scopes_read: Iterable[str] = (),
    max_resolved: Any = "",
) -> list[dict[str, Any]]:
    """Return as problems why tickets stay open; see `left_open`."""
    try:
        return left_open(list(recommendations), known, list(scopes_read), str(max_resolved))
    except ValueError as error:
        raise AnsibleFilterError(f"tickets_left_open: {error}") from None


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"tickets_for_recommendations": tickets_for_recommendations, "tickets_left_open": tickets_left_open}
