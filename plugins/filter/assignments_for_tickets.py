# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From tickets back to the governance assignments of their recommendations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.recommendation_tickets import described_assignments

DOCUMENTATION = r"""
name: assignments_for_tickets
short_description: Say what tickets mean for governance assignments of Defender for Cloud
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the entries for M(secops.servicenow_defender.mdc_assignments) that write number, link and state of tickets to the
    assignments of their recommendations.
  - Of several tickets of one recommendation the open one counts, else the last one. A recommendation that is gone has no
    assignment any more. One that has healed gets none, but one that is there gets to know of the ticket's end.
  - A recommendation whose assignment names somebody else's ticket is left out.
  - Where a ticket's link does not show its number, the number is appended to it after C(#), as an assignment keeps no letters
    of a number elsewhere.
positional: _input
options:
  _input:
    description:
      - Results of C(snow_tickets), with C(correlation_id), C(number), C(type), C(link) and C(state).
    type: list
    elements: dict
    required: true
  recommendations:
    description:
      - The recommendations that there are, as M(secops.servicenow_defender.mdc_recommendation_info) returns them.
    type: list
    elements: dict
    required: true
  known:
    description:
      - The tickets that were there before, as P(secops.servicenow_defender.tickets_for_recommendations#filter) takes them, so that
        those too count that nothing had to be done with, such as the ones that people closed.
    type: list
    elements: dict
    default: []
  instance_url:
    description:
      - Address of the instance, to make links to tickets of O(known).
    type: str
    default: ''
  owner:
    description:
      - Owner of the assignments, an e-mail address.
    type: str
  grace_period:
    description:
      - Whether the assignments have a grace period, in which the findings do not count in Secure Score.
    type: bool
seealso:
  - module: secops.servicenow_defender.mdc_assignments
  - plugin: secops.servicenow_defender.tickets_for_recommendations
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the tickets back
  secops.servicenow_defender.mdc_assignments:
    assignments: >-
      {{ tickets.results | secops.servicenow_defender.assignments_for_tickets(
           found.recommendations, known=known.records, instance_url=snow_url) }}
"""

RETURN = r"""
_value:
  description:
    - Entries for C(assignments) of M(secops.servicenow_defender.mdc_assignments), with C(recommendation), C(resource_id),
      C(ticket_number), C(ticket_link), C(ticket_status) (the ticket's state, V(open), V(resolved), V(closed) or V(canceled)) and
      C(create).
  type: list
  elements: dict
"""


def assignments_for_tickets(
    tickets: Iterable[Mapping[str, Any]],
    recommendations: Iterable[Mapping[str, Any]],
    known: Iterable[Mapping[str, Any]] = (),
    instance_url: str = "",
    owner: str | None = None,
    grace_period: bool | None = None,
) -> list[dict[str, Any]]:
    """Return the entries for module mdc_assignments; see `described_assignments`."""
    try:
        return described_assignments(
            tickets, recommendations, known, instance_url, owner=owner, grace_period=grace_period
        )
    except KeyError as error:
        raise AnsibleFilterError(
            f"assignments_for_tickets: a recommendation has no {error}; give it what mdc_recommendation_info returns"
        ) from None


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"assignments_for_tickets": assignments_for_tickets}
