# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired tickets for recommendations of Defender for Cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.snow.tickets.ticket_types import TYPES
from ..plugin_utils.tickets.exempt_findings import with_exemptions
from ..plugin_utils.tickets.groups import checked_keys
from ..plugin_utils.tickets.limits import checked_max_new
from ..plugin_utils.tickets.problems import unmatched_categories
from ..plugin_utils.tickets.ratings import checked_ratings
from ..plugin_utils.tickets.recommendation_tickets import RATINGS, TicketOptions, plan_tickets
from ..plugin_utils.tickets.routing import rules_of

# Options that new tickets get as they are.
FIELDS = frozenset({"assignment_group", "assigned_to", "caller", "extra_fields", "template", "change_type"})

DOCUMENTATION = r"""
name: tickets_for_recommendations
short_description: Determine the tickets that recommendations of Defender for Cloud need
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares recommendations with the existing tickets, and returns the entries for M(secops.servicenow_defender.snow_tickets).
  - The selected recommendations that are V(Unhealthy) are grouped (O(group_by)), and each group has one ticket that lists them, as a file
    if the list is long. Its C(correlation_id) is a digest of what they have in common. A finding that has healed or was deleted leaves
    the list, a new one comes to it; when none is left, the ticket is resolved, with close notes that begin with
    C(Resolved by Defender for Cloud:). If findings are unhealthy again, a resolved ticket is reopened; if the ticket is closed or
    canceled, a new one is created, whose C(correlation_id) ends in C(-2), C(-3) and so on.
  - A finding is in one open ticket at most. If its group changes, or O(group_by), it moves to the ticket of its new group as soon as there
    is one; a ticket without findings is resolved, with close notes that begin with C(Moved by Defender for Cloud:), and never reopened.
  - A recommendation whose assignment names a foreign ticket, such as one of Microsoft's own integration, is skipped, and so is an exempt one.
  - Tickets that users closed, canceled or resolved (other close notes) are not changed. Their findings get no other ticket, unless they
    have become unhealthy after that. A finding that is not selected any more stays with its ticket until it is healthy.
  - Only state and list of an open ticket are changed, so that users can assign, rate and describe it. O(refresh) also updates its texts
    and ratings.
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
      - The existing tickets, as M(secops.servicenow_defender.snow_ticket_info) returns them with C(attachment=findings.csv).
      - Description and attached file say which findings a ticket has.
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
    choices: [incident, problem, change_request, sc_req_item, sn_si_incident]
    default: incident
  group_by:
    description:
      - What the findings of one ticket have in common, any of V(category), V(title), V(recommendation), V(owner), V(resource),
        V(resource_group), V(subscription) and V(tag:<key>).
      - V(category) is the recommendation category, or the category of the recommendation where there is none of these. Findings
        without any are grouped by the type of their resource, those without a type by their title. V(recommendation) is the name of the
        assessment. V(recommendation) and V(resource) together give each finding a ticket of its own.
    type: list
    elements: str
    default: [category, owner]
  owner:
    description:
      - Owner of findings whose assignment names none.
    type: str
  rules:
    description:
      - Where new tickets go. The first rule that all findings of a ticket match decides, else the options of this filter.
      - Conditions are C(subscriptions), C(owners) and C(categories), lists of values, and C(tags), a dictionary of keys and values. A rule
        without conditions matches every ticket.
      - A rule sets C(assignment_group), C(assigned_to), C(caller), C(priority) (1 to 5), C(type), C(change_type), C(template) and
        C(extra_fields). C(name) is its name in messages.
    type: list
    elements: dict
    default: []
  finding:
    description:
      - Id or key of one finding that gets a ticket of its own, whether it is selected or not. Nothing else is created or resolved.
    type: str
  ratings:
    description:
      - Impact and urgency (1 high to 3 low) by severity, for example C({High&#58; {impact&#58; 1, urgency&#58; 1}}), in place of
        the defaults 1 and 1 for C(Critical), 2 and 1 for C(High), 2 and 2 for C(Medium), 3 and 3 for C(Low), from which the
        instance derives priority 1, 2, 3 and 5.
    type: dict
    default: {}
  unread:
    description:
      - Types whose tickets could not be read. A recommendation whose assignment names one of them is skipped.
    type: list
    elements: str
    default: []
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
  change_type:
    description:
      - Type of new change requests, V(normal) or V(emergency).
    type: str
  template:
    description:
      - Template of new change requests, which are standard changes then.
    type: str
  close_code:
    description:
      - Close code of resolved tickets. If not set, M(secops.servicenow_defender.snow_tickets) selects one.
    type: str
  max_new:
    description:
      - How many tickets may be created or reopened. If more are required, those of the most severe findings are, and the others are counted.
    type: int
    default: 50
  max_resolved:
    description:
      - How many tickets may be resolved, as a number, or as a percentage of the open ones, of which 10 are always allowed. If
        more would be resolved, none is.
      - A subscription or security connector that has open tickets and lists no recommendation at all is not believed, and its
        tickets stay open, unless this is V(100%).
      - Tickets whose findings have moved to other tickets do not count.
    type: str
    default: 25%
  categories:
    description:
      - The categories that the recommendations were selected by. One that no finding has, and that is not documented, is a problem.
    type: list
    elements: str
  exemptions:
    description:
      - Entries of M(secops.servicenow_defender.mdc_exemptions) that the run has written. Their findings count as exempt before
        Defender for Cloud has assessed them again.
    type: list
    elements: dict
    default: []
  exempted:
    description:
      - What that module returned for each, in the same order. Those that were refused or have expired do not count.
    type: list
    elements: dict
    default: []
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
    plan: >-
      {{ found.recommendations | secops.servicenow_defender.tickets_for_recommendations(
           known.tickets, scopes_read=found.scopes_read, group_by=['title', 'tag:team'], assignment_group='Cloud security') }}
"""

RETURN = r"""
_value:
  description:
    - C(tickets) are entries for C(tickets) of M(secops.servicenow_defender.snow_tickets).
    - C(problems) say what was left as it is, and why, each with C(id), C(severity), C(message) and C(remedy).
    - C(unproven) are tickets of which it is not known whether their findings have healed, each with C(object), C(field) and C(reason).
    - C(counts) has the number of C(findings), C(groups) and C(new) tickets, the findings by C(severity), C(risk_level), C(category) and
      C(group), how many have no value of a key to group by (C(empty)), what O(max_new) left out (C(left)), and how many findings of open
      tickets are in no scope that was read (C(unread)).
    - C(findings) has the C(correlation_id) of the ticket of each finding by its key, C(healed) the keys of findings that left a ticket.
  type: dict
"""


def tickets_for_recommendations(
    recommendations: Iterable[Mapping[str, Any]],
    known: Iterable[Mapping[str, Any]],
    selected: Iterable[Any] | None = None,
    scopes_read: Iterable[str] = (),
    type: str = "incident",
    group_by: Iterable[str] | None = None,
    rules: Iterable[Mapping[str, Any]] | None = None,
    ratings: Mapping[str, Mapping[str, Any]] | None = None,
    close_code: str | None = None,
    refresh: bool = False,
    max_new: Any = None,
    max_resolved: Any = "",
    owner: str | None = None,
    finding: str | None = None,
    unread: Iterable[str] = (),
    exemptions: Iterable[Mapping[str, Any]] = (),
    exempted: Iterable[Mapping[str, Any]] = (),
    categories: Iterable[str] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return the plan for module snow_tickets; see `plan_tickets`."""
    unknown = sorted(set(fields) - FIELDS)
    if unknown:
        raise AnsibleFilterError(f"tickets_for_recommendations: there is no option {', '.join(unknown)}")
    if type not in TYPES:
        raise AnsibleFilterError(f"tickets_for_recommendations: type must be one of {', '.join(TYPES)}, not {type!r}")
    keys = None if selected is None else {str(row["key"] if isinstance(row, Mapping) else row) for row in selected}
    try:
        options = TicketOptions(
            type,
            checked_ratings("mdc_tickets_ratings", ratings, RATINGS),
            fields,
            close_code or "",
            refresh,
            checked_keys(group_by),
            checked_max_new(max_new),
            str(max_resolved),
            owner or "",
            rules_of(rules),
            finding or "",
            list(unread),
        )
        rows = with_exemptions(recommendations, list(exemptions), list(exempted))
        plan = plan_tickets(rows, known, options, list(scopes_read), keys)
        plan.problems += unmatched_categories(rows, categories or ())
    except ValueError as error:
        raise AnsibleFilterError(f"tickets_for_recommendations: {error}") from None
    except KeyError as error:
        raise AnsibleFilterError(
            f"tickets_for_recommendations: a recommendation has no {error}; pass the recommendations that mdc_recommendation_info returns"
        ) from None
    return {**asdict(plan), "problems": [problem.as_dict() for problem in plan.problems]}


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"tickets_for_recommendations": tickets_for_recommendations}
