# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets for alerts and incidents of Microsoft Defender, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.number_ranges import range_problem
from ..module_utils.snow.tickets.ticket_types import TYPES
from ..plugin_utils.alert_sync.change import SyncOptions
from ..plugin_utils.alert_sync.items import SEVERITIES
from ..plugin_utils.alert_sync.plan import AlertSync, NewTickets
from ..plugin_utils.alert_sync.rest import entries_left
from ..plugin_utils.alert_sync.tickets import ends_of_alerts, tickets_in
from ..plugin_utils.alert_sync.vanished import unread_tickets, vanished_alerts, vanished_incidents
from ..plugin_utils.tickets.ratings import checked_dictionaries, checked_ratings

DOCUMENTATION = r"""
name: alert_ticket_plan
short_description: Determine what tickets, alerts and incidents need to be in step
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Compares tickets of ServiceNow with alerts of Defender for Cloud and incidents of Defender XDR, and returns what is to be
    written on both sides.
  - A ticket holds, in one line of its description, what both sides had when they were last in step. What differs from it on
    one side goes over to the other, once. If both changed, the side that has ended leads, else the ticket.
  - The open ticket of an incident that was merged is resolved and linked to that of the incident that it ended in.
positional: _input
options:
  _input:
    description:
      - The existing tickets, rows of ServiceNow with C(correlation_id), C(number), C(state), C(active), C(close_code),
        C(close_notes), C(sys_id), C(sys_class_name), C(description), C(assigned_to.user_name), C(assigned_to.email),
        C(closed_at) and C(sys_updated_on).
    type: list
    elements: dict
    required: true
  alerts:
    description:
      - Alerts of any status, as M(secops.servicenow_defender.mdc_alert_info) returns them, with C(changes_since) of
        P(secops.servicenow_defender.alert_ticket_ends#filter).
    type: list
    elements: dict
    default: []
  incidents:
    description:
      - Incidents, as M(secops.servicenow_defender.graph_incident_info) returns them.
    type: list
    elements: dict
    default: []
  answers:
    description:
      - C(results) of M(secops.servicenow_defender.snow_record_info) for the queries that
        P(secops.servicenow_defender.alert_ticket_queries#filter) returns.
    type: list
    elements: dict
    default: []
  options:
    description:
      - For new tickets, C(type), C(severities), C(since), C(since_days), which C(since) is made of and which is checked only,
        C(max_new), C(by_hand), C(ratings) and C(fields). For tickets that exist, C(write_back), C(comments), C(assignees),
        C(classifications), C(close_code), C(scopes_read), the scopes whose alerts were read completely, and C(incident_problems),
        C(problems) of M(secops.servicenow_defender.graph_incident_info), and C(tenant), the id of the tenant that is read. They have the
        meaning of the variables of the role C(defender_alerts).
    type: dict
    default: {}
seealso:
  - plugin: secops.servicenow_defender.alert_ticket_queries
    plugin_type: filter
  - plugin: secops.servicenow_defender.alert_ticket_rest
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Determine what is to be written
  ansible.builtin.set_fact:
    plan: "{{ known.records | secops.servicenow_defender.alert_ticket_plan(alerts.alerts, incidents.incidents) }}"
"""

RETURN = r"""
_value:
  description:
    - C(tickets) for M(secops.servicenow_defender.snow_tickets), C(alerts) for M(secops.servicenow_defender.mdc_alerts),
      C(incidents) for M(secops.servicenow_defender.graph_incidents), C(rest) for
      P(secops.servicenow_defender.alert_ticket_rest#filter), and C(problems). C(counts) has the number of open tickets about what was
      not read (C(unread)).
    - C(announcements) are to be written to tickets that have ended before the statuses of C(alerts), each with C(alert), whose
      status is not written where this is refused, and C(message), which says so.
  type: dict
"""

KNOWN_SEVERITIES = frozenset(name.casefold() for name in SEVERITIES)
# What was read, and what was not.
KNOWN_OF_READS = ("scopes_read", "incident_problems")
TENANT = "tenant"
NEW = ("type", "severities", "since", "max_new", "by_hand", "ratings", "fields")
# Of these, templates of ansible-core 2.18 make text.
NUMBERS = ("max_new",)
SYNC = ("write_back", "comments", "assignees", "classifications", "close_code")


def _sync(
    known: Iterable[Mapping[str, Any]],
    alerts: Iterable[Any],
    incidents: Iterable[Any],
    answers: Iterable[Any],
    options: Mapping[str, Any] | None,
) -> AlertSync:
    given = dict(options or {})
    for name in (*KNOWN_OF_READS, TENANT):
        given.pop(name, None)
    unknown = sorted(set(given) - {*NEW, *SYNC, "since_days"})
    if unknown:
        raise AnsibleFilterError(
            f"alert_ticket_plan: options has no {', '.join(unknown)}; it has {', '.join((*NEW, *SYNC))}"
        )
    if given.get("type", "incident") not in TYPES:
        raise AnsibleFilterError(f"alert_ticket_plan: type must be one of {', '.join(TYPES)}, not {given['type']!r}")
    since_days = given.pop("since_days", None)
    for name, value in (("max_new", given.get("max_new")), ("since_days", since_days)):
        problem = range_problem(f"defender_alerts_{name}", value)
        if problem:
            raise AnsibleFilterError(f"alert_ticket_plan: {problem}")
    unknown = [each for each in given.get("severities") or () if str(each).strip().casefold() not in KNOWN_SEVERITIES]
    if unknown:
        raise AnsibleFilterError(
            f"alert_ticket_plan: defender_alerts_severities: {unknown[0]!r} is no severity; they are {', '.join(SEVERITIES)}"
        )
    try:
        given["ratings"] = checked_ratings("defender_alerts_ratings", given.get("ratings"), SEVERITIES)
        example = "{classification: false_positive, determination: other}"
        given["classifications"] = checked_dictionaries(
            "defender_alerts_classifications", given.get("classifications"), example
        )
    except ValueError as error:
        raise AnsibleFilterError(f"alert_ticket_plan: {error}") from None
    try:
        given.update({name: int(given[name]) for name in NUMBERS if name in given})
    except (TypeError, ValueError):
        raise AnsibleFilterError(f"alert_ticket_plan: {' and '.join(NUMBERS)} must be a number") from None
    new = NewTickets(**{name: given[name] for name in NEW if name in given})
    sync = SyncOptions(**{name: given[name] for name in SYNC if name in given})
    return AlertSync.of(known, alerts, incidents, new=new, options=sync, answers=list(answers))


def alert_ticket_plan(
    known: Iterable[Mapping[str, Any]],
    alerts: Iterable[Any] = (),
    incidents: Iterable[Any] = (),
    answers: Iterable[Any] = (),
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what is to be written on both sides."""
    sync = _sync(known, alerts, incidents, answers, options)
    scopes_read, incident_problems = ((options or {}).get(name) or () for name in KNOWN_OF_READS)
    vanished = [*vanished_alerts(sync, scopes_read), *vanished_incidents(sync, incident_problems)]
    plan = sync.plan()
    counts = {"unread": unread_tickets(sync, scopes_read, incident_problems, str((options or {}).get(TENANT) or ""))}
    return {**plan, "problems": [*plan["problems"], *(problem.as_dict() for problem in vanished)], "counts": counts}


def alert_ticket_queries(
    known: Iterable[Mapping[str, Any]],
    alerts: Iterable[Any] = (),
    incidents: Iterable[Any] = (),
    options: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return what is to be read of the instance in addition."""
    return _sync(known, alerts, incidents, (), options).queries()


def alert_ticket_incidents(
    known: Iterable[Mapping[str, Any]], by_hand: str = "", ended: bool | None = None, tenant: str | None = ""
) -> list[str]:
    """Return the ids of the incidents of a tenant whose tickets may still change, and the one that the user names."""
    named = str(by_hand).strip()
    if named:
        return [named] if named.isdecimal() and not ended else []
    last = [history[-1] for history in tickets_in(known).values()]
    found = [ticket for ticket in last if ticket.key.startswith("incident-") and not ticket.is_settled]
    found = [ticket for ticket in found if not ticket.is_of_other_tenant(str(tenant or ""))]
    wanted = [ticket.item_id for ticket in found if ended is None or ticket.is_open != ended]
    return sorted({each for each in wanted if each.isdecimal()})


def alert_ticket_ends(known: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return when tickets of alerts ended that may not hold what went over, by key of the alert."""
    return ends_of_alerts(known)


def alert_ticket_rest(
    plan: Mapping[str, Any],
    tickets: Iterable[Any] = (),
    pushed: Iterable[Any] = (),
    close_code: str = "",
    instance_url: str = "",
) -> dict[str, list[dict[str, Any]]]:
    """Return what is left for the instance after Defender was written."""
    return entries_left(plan, list(tickets), list(pushed), close_code, instance_url)


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "alert_ticket_plan": alert_ticket_plan,
            "alert_ticket_queries": alert_ticket_queries,
            "alert_ticket_incidents": alert_ticket_incidents,
            "alert_ticket_ends": alert_ticket_ends,
            "alert_ticket_rest": alert_ticket_rest,
        }
