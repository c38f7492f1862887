# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired governance assignments for the tickets of recommendations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.tickets.assignments import desired_assignments

DOCUMENTATION = r"""
name: assignments_for_tickets
short_description: Determine governance assignments of Defender for Cloud from tickets
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the entries for M(secops.servicenow_defender.mdc_assignments) that write number, link and state of tickets to the
    assignments of their recommendations.
  - Of several tickets of one recommendation the open one counts, else the last one. A deleted recommendation has no assignment.
    A healthy one gets none, but an existing assignment is updated with the state of the ticket, and of one that has healed while its
    ticket continues with others, with V(resolved).
  - A recommendation whose assignment names a foreign ticket is skipped.
  - If the link of a ticket does not contain its number, the number is appended after C(#), because the ticket number of an
    assignment holds digits only.
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
      - The existing recommendations, as M(secops.servicenow_defender.mdc_recommendation_info) returns them.
    type: list
    elements: dict
    required: true
  known:
    description:
      - The tickets that existed before, as for P(secops.servicenow_defender.tickets_for_recommendations#filter), so that
        tickets without changes count as well, such as those that users closed.
    type: list
    elements: dict
    default: []
  findings:
    description:
      - The C(correlation_id) of the ticket of each recommendation by its key (C(findings) of
        P(secops.servicenow_defender.tickets_for_recommendations#filter)). If not set, the tickets themselves say.
    type: dict
  healed:
    description:
      - Keys of the recommendations that have healed while their ticket stays open (C(healed) of
        P(secops.servicenow_defender.tickets_for_recommendations#filter)).
    type: list
    elements: str
    default: []
  instance_url:
    description:
      - URL of the instance, for links to tickets of O(known).
    type: str
    default: ''
  owner:
    description:
      - Owner of the assignments, an e-mail address.
    type: str
  grace_period:
    description:
      - Whether the assignments have a grace period, during which the findings do not affect Secure Score.
    type: bool
seealso:
  - module: secops.servicenow_defender.mdc_assignments
  - plugin: secops.servicenow_defender.tickets_for_recommendations
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the tickets to the assignments
  secops.servicenow_defender.mdc_assignments:
    assignments: >-
      {{ tickets.results | secops.servicenow_defender.assignments_for_tickets(
           found.recommendations, known=known.tickets, findings=plan.findings, instance_url=snow_url) }}
"""

RETURN = r"""
_value:
  description:
    - Entries for C(assignments) of M(secops.servicenow_defender.mdc_assignments), with C(recommendation), C(resource_id),
      C(ticket_number), C(ticket_link), C(ticket_status) (the ticket's state, V(open), V(resolved), V(closed) or V(canceled)) and
      C(create). Those are left out whose assignment, as it was read with the recommendation, has all of it.
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
    findings: Mapping[str, str] | None = None,
    healed: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return the entries for module mdc_assignments; see `desired_assignments`."""
    try:
        return desired_assignments(
            tickets,
            recommendations,
            known,
            instance_url,
            findings=findings,
            healed=list(healed),
            owner=owner,
            grace_period=grace_period,
        )
    except KeyError as error:
        raise AnsibleFilterError(
            f"assignments_for_tickets: a recommendation has no {error}; pass the recommendations that mdc_recommendation_info returns"
        ) from None


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"assignments_for_tickets": assignments_for_tickets}
