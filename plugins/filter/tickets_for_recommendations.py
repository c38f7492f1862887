# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the recommendations of Defender for Cloud to the tickets as they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.snow.tickets.ticket_types import TYPES
from ..plugin_utils.recommendation_tickets import TicketOptions, described_tickets

DOCUMENTATION = r"""
name: tickets_for_recommendations
short_description: Say which tickets recommendations of Defender for Cloud need
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares recommendations with the tickets that are there, and returns the entries for C(snow_tickets).
  - A selected recommendation that is V(Unhealthy) gets one ticket, whose C(correlation_id) is the key of the recommendation. One
    that has healed, or that is gone, has its open ticket resolved, with close notes that begin with C(Resolved by Defender for
    Cloud:). When it is unhealthy again, that ticket is reopened while it is resolved; when it is closed or canceled by then, a
    new one follows it, whose C(correlation_id) ends in C(-2), C(-3) and so on.
  - A recommendation whose assignment names a ticket that is not ours, as Microsoft's own integration writes it, is left to that.
  - What people closed, canceled or resolved (other close notes) stays, and no other ticket is made. Tickets of recommendations
    that are not selected are left alone until they heal.
  - An open ticket is left as it is but for its state, so that people can assign and rate it. O(refresh) brings its texts and
    ratings back.
positional: _input
options:
  _input:
    description:
      - All recommendations, whatever their status, as M(secops.servicenow_defender.mdc_recommendation_info) returns them with
        C(status=[]) or C(include_unselected=true).
    type: list
    elements: dict
    required: true
  known:
    description:
      - The tickets that are there, rows of ServiceNow whose C(correlation_display) is C(Microsoft Defender for Cloud), with the
        fields C(correlation_id), C(number), C(state), C(active), C(close_notes), C(sys_id), C(sys_class_name) and C(description).
        The last one tells to which recommendation a ticket belongs that is gone; without it such a ticket is left alone.
    type: list
    elements: dict
    required: true
  selected:
    description:
      - The recommendations, or their keys, that are to have tickets. If left out, C(selected) of each recommendation says so.
    type: list
    elements: raw
  scopes_read:
    description:
      - The scopes that were read to their end (C(scopes_read) of M(secops.servicenow_defender.mdc_recommendation_info)). A
        recommendation that is missing there is gone; elsewhere nothing is concluded.
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
      - Impact and urgency (1 high to 3 low) by severity, for example C({High&#58; {impact&#58; 1, urgency&#58; 1}}), over the defaults
        1 and 1 for C(Critical), 2 and 1 for C(High), 2 and 2 for C(Medium), 3 and 3 for C(Low). Of these the instance derives
        priority 1, 2, 3 and 5.
    type: dict
    default: {}
  assignment_group:
    description:
      - Assignment group of new tickets.
    type: str
  assigned_to:
    description:
      - Who new tickets are assigned to.
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
      - Close code of tickets that are resolved. If left out, C(snow_tickets) chooses.
    type: str
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
- name: Say which tickets there have to be
  ansible.builtin.set_fact:
    wanted: >-
      {{ found.recommendations | secops.servicenow_defender.tickets_for_recommendations(
           known.records, scopes_read=found.scopes_read, assignment_group='Cloud security') }}
"""

RETURN = r"""
_value:
  description:
    - Entries for C(tickets) of C(snow_tickets), with C(type), C(correlation_id) and C(state); new ones with
      C(short_description), C(description), C(impact), C(urgency) and what the options give; resolved ones with C(close_notes);
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
    assignment_group: str | None = None,
    assigned_to: str | None = None,
    caller: str | None = None,
    extra_fields: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the entries for module snow_tickets; see `described_tickets`."""
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
        return described_tickets(list(recommendations), known, options, list(scopes_read), keys)
    except KeyError as error:
        raise AnsibleFilterError(
            f"tickets_for_recommendations: a recommendation has no {error}; give it what mdc_recommendation_info returns"
        ) from None


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"tickets_for_recommendations": tickets_for_recommendations}
