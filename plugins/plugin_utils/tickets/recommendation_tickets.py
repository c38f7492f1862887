# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive tickets from recommendations. Pure functions: nothing is read or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.engine.problem import Problem
from ...module_utils.engine.result import Unproven
from ...module_utils.snow.tickets.ticket_types import OPEN, RESOLVED, TYPES
from .by_hand import finding_by_hand, only_finding
from .counts import counts_of
from .existing_tickets import ExistingTicket, age_of, known_tickets
from .foreign_tickets import named_ticket
from .groups import DEFAULT_GROUP_BY, Group, hand_id
from .limits import ALL, DEFAULT_MAX_NEW, emptied_sources, left_out, too_many_resolved
from .membership import Findings, Membership
from .notes import (
    again_note,
    closing_notes,
    deleted_note,
    follow_note,
    group_description,
    group_title,
    moved_note,
    update_note,
)
from .problems import unmatched_rules, unreadable_lists
from .routing import Rule, priority_fields, route_of
from .sources import Sources
from .ticket_list import FILE_NAME, file_content, refers_to_file, with_section

# Impact and urgency by severity, 1 high to 3 low. The instance derives the priority
# (docs/facts/servicenow_tickets.md#incidents): 1, 2, 3 and 5.
RATINGS: dict[str, dict[str, int]] = {
    "Critical": {"impact": 1, "urgency": 1},
    "High": {"impact": 2, "urgency": 1},
    "Medium": {"impact": 2, "urgency": 2},
    "Low": {"impact": 3, "urgency": 3},
}

CHANGE = "change_request"

Row = Mapping[str, Any]


@dataclass
class TicketOptions:
    """How findings become tickets. `fields` are those of new tickets, passed on if they are set; `owner` is that of findings without one.

    `finding` is the id or the key of the one finding that gets a ticket by hand, "" in an ordinary run.
    """

    type: str = "incident"
    ratings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    close_code: str = ""
    refresh: bool = False
    group_by: Sequence[str] = DEFAULT_GROUP_BY
    max_new: int = DEFAULT_MAX_NEW
    max_resolved: str = ""
    owner: str = ""
    rules: Sequence[Rule] = ()
    finding: str = ""
    unread: Sequence[str] = ()


@dataclass
class TicketPlan:
    """What a run does: `tickets` for module snow_tickets, `problems` and `counts` for people.

    `findings` has the correlation id of the ticket of each finding by key; `healed` are the keys of those that left a ticket.
    """

    tickets: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unproven: list[Unproven] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)
    healed: list[str] = field(default_factory=list)


def plan_tickets(
    recommendations: Sequence[Row],
    known: Iterable[Row],
    options: TicketOptions,
    scopes_read: Sequence[str] = (),
    selected: set[str] | None = None,
) -> TicketPlan:
    """Return the desired tickets: only those to create, change or check.

    `recommendations` are all of them, of any status, each with `selected` unless the set of keys is given.
    A missing recommendation counts as deleted only within `scopes_read`. Raises `ValueError` for options that make no sense.
    """
    rows = {str(row["key"]): row for row in recommendations}
    by_hand = finding_by_hand(rows, options.finding)
    sources = Sources(rows.values(), scopes_read, believes_all=options.max_resolved == ALL)
    histories = known_tickets(known, options.type)
    findings = Findings(rows, options.group_by, histories, sources, selected, options.owner, by_hand, options.unread)
    new = findings.new_groups()
    allowed = [group for group in new if group.id == hand_id(by_hand)] if by_hand else new[: options.max_new]
    members = findings.distribute(allowed)
    if by_hand:
        members = [only_finding(member, by_hand) for member in members]
    plan = TicketPlan()
    ended = [member for member in members if member.ticket and member.is_empty and member.has_changed]
    resolved = [member for member in ended if member.healed]
    problem = too_many_resolved(resolved, len(findings.open), options.max_resolved)
    plan.problems = emptied_sources(members, sources, rows) + ([problem] if problem else [])
    plan.unproven = unreadable_lists(members)
    keeping = {id(member) for member in resolved} if problem else set()
    targets = _names(members)
    for member in members:
        if id(member) not in keeping:
            plan.tickets += _entries(member, options, targets, findings, by_hand=bool(by_hand))
    plan.counts = counts_of(findings, new, options, {} if by_hand else left_out(new, options.max_new, findings.holders))
    plan.problems += unmatched_rules(findings.groups.values(), options.rules)
    _note_findings(plan, members, histories, keeping)
    return plan


def _names(members: Iterable[Membership]) -> dict[str, str]:
    """Return how notes name the ticket of each group: by its number, or that of a new one by its short description."""
    names = {}
    for member in members:
        if member.ticket:
            names[member.ticket.key] = member.ticket.name
        elif member.group:
            names[member.group.id] = f"the one about {group_title(member.group)}"
    return names


def _note_findings(
    plan: TicketPlan,
    members: Sequence[Membership],
    histories: Mapping[str, Sequence[ExistingTicket]],
    keeping: set[int],
) -> None:
    """Note the ticket of each finding: the one that lists it now, else the last one that did."""
    for ticket in sorted((each for history in histories.values() for each in history), key=age_of):
        for key in ticket.listed or ():
            plan.findings[key] = ticket.correlation_id
    entries = {entry["correlation_id"] for entry in plan.tickets}
    for member in members:
        name = member.ticket.correlation_id if member.ticket else _new_id(member)
        if name in entries or member.ticket:
            plan.findings.update(dict.fromkeys((one.key for one in member.listed), name))
        if member.ticket and not member.is_empty and id(member) not in keeping:
            plan.healed += [one.key for one, row in member.healed if row is not None]


# -- one ticket -------------------------------------------------------------------------------------------------------


def _entries(
    member: Membership, options: TicketOptions, targets: Mapping[str, str], findings: Findings, *, by_hand: bool
) -> list[dict[str, Any]]:
    """Return what module snow_tickets is to do with one ticket."""
    ticket = member.ticket
    if ticket is None:
        return [_reopened(member, member.last) if _reopens(member.last) else _new(member, options, findings)]
    if member.is_empty:
        return [_resolved(ticket, closing_notes(member, targets), options)] if member.has_changed else []
    if not member.has_changed and (by_hand or not (member.group and member.group.rows)):
        return []
    entry = {"type": ticket.type, "correlation_id": ticket.correlation_id, "state": OPEN}
    if options.refresh and member.group and member.group.rows:
        entry |= _content(member, options)
    if member.has_changed:
        entry.setdefault("description", with_section(ticket.description, member.listed))
        # Where the list was lost, it is not known what of it is new.
        entry |= {"work_note": update_note(member, targets)} if ticket.listed is not None else {}
    if member.has_changed or (ticket.listed is None and not ticket.has_file) or options.refresh:
        entry |= _file(member, ticket, str(entry.get("description", ticket.description)))
    return [entry]


def _reopens(last: ExistingTicket | None) -> bool:
    return last is not None and last.state == RESOLVED and last.closed_by_us


def _reopened(member: Membership, last: Any) -> dict[str, Any]:
    entry = {
        "type": last.type,
        "correlation_id": last.correlation_id,
        "state": OPEN,
        "reopen": True,
        # Who resolves it next, without notes of their own, is not to be taken for us.
        "close_notes": "",
        "work_note": again_note(member),
    }
    if not (member.group and member.group.is_single):
        entry["description"] = with_section(last.description, member.listed)
    return {**entry, **_file(member, last, entry.get("description", ""))}


def _new(member: Membership, options: TicketOptions, findings: Findings) -> dict[str, Any]:
    """Return a new ticket, with what its rule or else the options say."""
    group, last = member.group, member.last
    if group is None:
        raise AssertionError("only a ticket that exists can be without a group")
    rule = route_of(group, options.rules)
    route = dict(rule.route) if rule else {}
    kind = str(route.pop("type", options.type))
    fields = {
        **options.fields,
        **{name: value for name, value in route.items() if name not in ("priority", "extra_fields")},
    }
    extra = {**(options.fields.get("extra_fields") or {}), **(route.get("extra_fields") or {})}
    content = _content(member, options)
    if "priority" in route:
        rating = priority_fields(kind, route["priority"])
        extra |= rating.pop("extra_fields", {})
        content |= rating
    note = follow_note(member, last) if last else _origin_note(group, findings)
    if kind != CHANGE:
        fields = {name: value for name, value in fields.items() if name not in ("template", "change_type")}
    elif fields.get("template"):
        # The texts of a standard change are those of its template, so that the file is the only list.
        del content["description"]
        fields.pop("change_type", None)
    if not TYPES[kind].caller:
        fields.pop("caller", None)
    given = {**fields, "extra_fields": extra, "cloud_resource": _resource(group), "work_note": note}
    return {
        "type": kind,
        "correlation_id": _new_id(member),
        "state": OPEN,
        **content,
        **{name: value for name, value in given.items() if value not in (None, "", {}, [])},
        **_file(member, None, content.get("description", "")),
    }


def _origin_note(group: Group, findings: Findings) -> str:
    """Return which tickets had the findings of a new one: those that they leave, and those that do not exist any more."""
    held = [findings.holders[str(row["key"])] for row in group.rows if str(row["key"]) in findings.holders]
    parts = [moved_note(list(dict.fromkeys(ticket.name for ticket in held)), single=group.is_single)] if held else []
    gone = [name for name in map(named_ticket, group.rows) if name and name not in findings.numbers]
    if gone:
        parts.append(deleted_note(list(dict.fromkeys(gone)), single=group.is_single))
    return "\n".join(parts)


def _new_id(member: Membership) -> str:
    last = member.last
    if last is None:
        return member.group.id if member.group else ""
    return last.correlation_id if _reopens(last) else f"{last.key}-{last.generation + 1}"


def _resource(group: Group) -> str:
    """Return the resource that all findings of a group are about, "" if there are several."""
    found = {str(row.get("resource_id") or "").casefold() for row in group.rows}
    return str(group.rows[0].get("resource_id") or "") if len(found) == 1 else ""


def _content(member: Membership, options: TicketOptions) -> dict[str, Any]:
    """Return the texts and the rating of a ticket."""
    group = member.group
    if group is None:
        raise AssertionError("only a ticket that exists can be without a group")
    return {
        "short_description": group_title(group),
        "description": group_description(group, member.listed),
        **RATINGS.get(group.severity, {}),
        **(options.ratings.get(group.severity) or {}),
    }


def _file(member: Membership, ticket: ExistingTicket | None, description: str) -> dict[str, Any]:
    """Return the attached list, if the ticket needs one or has one; a ticket whose `description` has no list needs one."""
    is_single = member.group is not None and member.group.is_single
    is_lost = not description if ticket is None else ticket.listed is None
    is_needed = (is_lost and not (ticket and is_single)) or (not is_single and refers_to_file(description))
    if not is_needed and not (ticket and ticket.has_file):
        return {}
    return {"attachment": {"name": FILE_NAME, "content": file_content(member.listed)}}


def _resolved(ticket: ExistingTicket, notes: str, options: TicketOptions) -> dict[str, Any]:
    code = {"close_code": options.close_code} if options.close_code else {}
    return {
        "type": ticket.type,
        "correlation_id": ticket.correlation_id,
        "state": RESOLVED,
        "close_notes": notes,
        **code,
    }
