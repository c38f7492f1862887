# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of one run: tickets to create and to change, what goes to Defender, and what is noted afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.engine.problem import ERROR, WARNING, Problem
from ...module_utils.snow.tickets.ticket_types import OPEN, SECURITY_INCIDENT, TYPES
from ...module_utils.timestamps import parse
from . import text
from .change import Change, SyncOptions
from .items import ALERT, INCIDENT, MERGED, Item, Items
from .people import People
from .rest import record_of
from .text import Base
from .tickets import NEW, Ticket, tickets_in

# Impact and urgency by severity, 1 high to 3 low.
RATINGS: dict[str, dict[str, int]] = {
    "High": {"impact": 2, "urgency": 1},
    "Medium": {"impact": 2, "urgency": 2},
    "Low": {"impact": 3, "urgency": 2},
    "Informational": {"impact": 3, "urgency": 3},
}
LIMIT, COMMENTS = "defender_alerts_max_new", "defender_alerts_comments"
JOURNAL, USERS = "sys_journal_field", "sys_user"
JOURNALS = ("comments", "work_notes")


@dataclass
class NewTickets:
    """Which new tickets there are to be, and how: `fields` are passed on if they are set."""

    type: str = "incident"
    severities: Sequence[str] = ("High",)
    since: str = ""
    max_new: int = 50
    by_hand: str = ""
    ratings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    def selects(self, item: Item) -> bool:
        """Return whether an open item gets a ticket of itself."""
        wanted = {name.strip().casefold() for name in self.severities}
        try:
            is_recent = not self.since or parse(item.created) >= parse(self.since)
        except ValueError:
            is_recent = True
        return item.severity.casefold() in wanted and is_recent


@dataclass
class AlertSync:
    """What a run knows. `answers` are results of snow_record_info for `queries`, each with table, records and refused."""

    items: Items
    histories: Mapping[str, Sequence[Ticket]]
    new: NewTickets
    options: SyncOptions
    answers: Sequence[Mapping[str, Any]] = ()
    problems: list[Problem] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    pushes: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {ALERT: [], INCIDENT: []})
    announcements: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    merges: list[dict[str, Any]] = field(default_factory=list)
    _changes: dict[str, Change] = field(default_factory=dict)
    _successors: dict[str, tuple[Item, str, list[str], list[str]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, known: Iterable[Mapping[str, Any]], alerts: Iterable[Any], incidents: Iterable[Any], **more: Any
    ) -> AlertSync:
        """Return the plan over rows of snow_record_info, mdc_alert_info and graph_incident_info."""
        return cls(Items.of(alerts, incidents), tickets_in(known), **more)

    def pairs(self) -> list[tuple[Item, Ticket]]:
        """Return the items that have a ticket of which something can be expected, with the last one."""
        found = []
        for key, history in self.histories.items():
            item = self.items.by_key.get(key)
            if item and (not self.new.by_hand or self.items.named(self.new.by_hand) is item):
                found.append((item, history[-1]))
        return found

    def queries(self) -> list[dict[str, Any]]:
        """Return what is to be read of the instance in addition: journals of tickets, and users for owners that changed."""
        tickets = [
            t for item, t in self.pairs() if item.kind == INCIDENT and item.status != MERGED and not t.is_settled
        ]
        found: list[dict[str, Any]] = []
        if tickets and self.options.comments:
            asked: dict[str, Any] = {
                "element_id": sorted(ticket.sys_id for ticket in tickets),
                "element": list(JOURNALS),
            }
            fields = ["element_id", "element", "value", "sys_created_by", "sys_created_on"]
            found.append({"table": JOURNAL, "query": asked, "fields": fields, "limit": 0, "optional": True})
        owners = {item.assignee for item, t in self.pairs() if t.is_open and not t.base}
        owners |= {
            i.assignee for i, t in self.pairs() if t.is_open and t.base and t.base.defender_assignee != i.assignee
        }
        owners |= {item.assignee for item in self._candidates()}
        unknown = [owner for owner in owners if owner and not People((), self.options.assignees).user(owner)]
        names = sorted({spelling for owner in unknown for spelling in (owner, owner.lower())})
        for column in ("email", "user_name") if names else ():
            asked = {column: names, "active": "true"}
            found.append(
                {"table": USERS, "query": asked, "fields": ["user_name", "email"], "limit": 0, "optional": True}
            )
        return found

    # -- the plan -----------------------------------------------------------------------------------------------------

    def plan(self) -> dict[str, Any]:
        """Return the plan as data; see RETURN of the filter alert_ticket_plan."""
        # Most instances have no Security Incident Response, and it is open to its own roles only.
        for table in (name for name in TYPES if name != SECURITY_INCIDENT.table):
            self._note_refused(table, "tickets in it are not known", WARNING)
        people, journals = self._people(), self._journals()
        for item, ticket in self.pairs():
            if item.status != MERGED and not (ticket.is_settled and item.is_ended):
                self._sync(item, ticket, people, journals)
        self._follow_merges()
        self._create(people)
        for change in self._changes.values():
            self._take(change)
        return {
            "tickets": self.tickets,
            "alerts": self.pushes[ALERT],
            "incidents": self.pushes[INCIDENT],
            "announcements": [
                record_of(each, alert=each["alert"], message=each["message"]) for each in self.announcements
            ],
            "rest": {"notes": self.notes, "merges": self.merges},
            "problems": [problem.as_dict() for problem in self.problems],
        }

    def _sync(
        self, item: Item, ticket: Ticket, people: People, journals: Mapping[str, list[Mapping[str, Any]]] | None
    ) -> None:
        change = Change(item, ticket, self.options)
        change.sync_status()
        change.sync_assignee(people)
        change.sync_comments(None if journals is None else journals.get(ticket.sys_id, []))
        for message in change.problems:
            remedy = "Correct the owner in Defender, or name the user in defender_alerts_assignees"
            self.problems.append(Problem(f"assignee_missing:{item.id}", WARNING, message, remedy))
        if change.needs_successor:
            note = f"{text.FROM_DEFENDER}: {item.noun} was reopened there. The former ticket is {ticket.number}."
            self._successors[item.key] = (item, f"{item.key}-{ticket.generation + 1}", [note], [])
        self._changes[item.key] = change

    def _take(self, change: Change) -> None:
        entry, rest, announcement = change.ticket_entry(), change.rest(), change.announcement()
        if announcement:
            self.announcements.append(announcement)
        if entry:
            self.tickets.append(entry)
        if change.push and not change.needs_successor:
            push = {"id": change.item.id, **change.push}
            self.pushes[change.item.kind].append(push)
        if rest:
            self.notes.append(rest)

    # -- merges -------------------------------------------------------------------------------------------------------

    def _follow_merges(self) -> None:
        """Link the open tickets of merged incidents to that of the incident that they ended in, which gets one if it has none."""
        for item, ticket in self.pairs():
            target = self.items.end_of(item) if item.status == MERGED and ticket.is_open else None
            if target is None:
                continue
            correlation_id = self._ticket_of(target, item, ticket)
            self.merges.append(
                {
                    "type": ticket.type,
                    "correlation_id": ticket.correlation_id,
                    "incident": item.id,
                    "target": target.id,
                    "target_ticket": correlation_id,
                    "known": self._known(target, correlation_id),
                }
            )

    def _ticket_of(self, target: Item, merged: Item, ticket: Ticket) -> str:
        """Return the correlation id of the ticket that takes over, "" where the other incident has ended without one."""
        history = self.histories.get(target.key)
        change = self._changes.get(target.key)
        if change and not change.needs_successor:
            if change.ticket.is_open or change.entry.get("state") == OPEN:
                change.take_merged(merged, ticket)
            return change.ticket.correlation_id
        if history and not change:
            return history[-1].correlation_id
        if target.is_ended:
            return ""
        note = f"{text.FROM_DEFENDER}: incident {merged.id} became part of this one. Its ticket was {ticket.number}."
        first: tuple[Item, str, list[str], list[str]] = (target, target.key, [], [])
        item, correlation_id, notes, ids = self._successors.get(target.key, first)
        self._successors[target.key] = (item, correlation_id, [*notes, note], [*ids, merged.id])
        return correlation_id

    def _known(self, target: Item, correlation_id: str) -> dict[str, str]:
        for ticket in self.histories.get(target.key, ()):
            if ticket.correlation_id == correlation_id:
                return {"number": ticket.number, "sys_id": ticket.sys_id, "type": ticket.type}
        return {}

    # -- new tickets --------------------------------------------------------------------------------------------------

    def _candidates(self) -> list[Item]:
        """Return the open items without a ticket that get one, the most severe and newest first."""
        if self.new.by_hand:
            named = self.items.named(self.new.by_hand)
            end = self.items.end_of(named) if named else None
            return [end] if end and end.key not in self.histories else []
        found = [
            item
            for item in self.items.by_key.values()
            if not item.is_ended and item.status != MERGED and item.key not in self.histories and self.new.selects(item)
        ]
        found = [item for item in found if not self._is_covered(item)]
        newest = sorted(found, key=lambda item: (item.created, item.id), reverse=True)
        return sorted(newest, key=lambda item: item.rank)

    def _is_covered(self, item: Item) -> bool:
        """Return whether an alert belongs to an incident that has a ticket, or gets one."""
        incident = self.items.incident_of(item)
        return incident is not None and (incident.key in self.histories or self.new.selects(incident))

    def _create(self, people: People) -> None:
        for item, correlation_id, notes, merged in self._successors.values():
            self.tickets.append(self._new(item, correlation_id, people, notes, merged))
        candidates = [item for item in self._candidates() if item.key not in self._successors]
        chosen = candidates[: self.new.max_new] if not self.new.by_hand else candidates
        self.tickets += [self._new(item, item.key, people, [], []) for item in chosen]
        left = len(candidates) - len(chosen)
        if left:
            which = f"{left} alert{'' if left == 1 else 's'} or incident{'' if left == 1 else 's'}"
            message = f"{which} got no ticket, as one run makes at most {self.new.max_new} ({LIMIT})"
            remedy = f"The most severe ones have theirs. The next runs make more; {LIMIT}={len(candidates)} makes all at once"
            self.problems.append(Problem("too_many_new", WARNING, message, remedy))
        if self.new.by_hand and not self.items.named(self.new.by_hand):
            message = f"there is no alert and no incident with the id {self.new.by_hand}; no ticket was made"
            remedy = "Check defender_alerts_alert, defender_alerts_scopes and defender_alerts_sources"
            self.problems.append(Problem("alert_missing", ERROR, message, remedy))

    def _new(
        self, item: Item, correlation_id: str, people: People, notes: Sequence[str], merged: Sequence[str]
    ) -> dict[str, Any]:
        given = {name: value for name, value in self.new.fields.items() if value not in (None, "", {}, [])}
        ratings = {name.strip().casefold(): rating for name, rating in self.new.ratings.items()}
        if not TYPES[self.new.type].caller:
            given.pop("caller", None)
        user = people.user(item.assignee) if item.assignee else ""
        given |= {"assigned_to": user} if user else {}
        comments = text.notes_for(item.comments) if self.options.comments else []
        base = Base(item.status, item.assignee, NEW, str(given.get("assigned_to") or ""), len(comments))
        said = [*notes, *comments]
        return {
            "type": self.new.type,
            "correlation_id": correlation_id,
            "state": OPEN,
            "short_description": text.short_description(item),
            "description": text.description(item, base, merged),
            **RATINGS.get(item.severity, {}),
            **(ratings.get(item.severity.casefold()) or {}),
            **given,
            **({"work_note": "\n\n".join(said)} if said else {}),
        }

    # -- answers of the instance --------------------------------------------------------------------------------------

    def _people(self) -> People:
        rows = [row for answer in self.answers if answer["table"] == USERS for row in answer["records"]]
        self._note_refused(USERS, "owners of Defender are not passed on to tickets")
        return People(rows, self.options.assignees)

    def _journals(self) -> dict[str, list[Mapping[str, Any]]] | None:
        """Return the journal entries by ticket, None where they may not be read: without them comments would be repeated."""
        if self._note_refused(JOURNAL, "comments are passed on in neither direction"):
            return None
        found: dict[str, list[Mapping[str, Any]]] = {}
        for answer in self.answers:
            for row in answer["records"] if answer["table"] == JOURNAL else ():
                found.setdefault(str(row.get("element_id")), []).append(row)
        return found

    def _note_refused(self, table: str, effect: str, severity: str = ERROR) -> bool:
        refused = next((each["refused"] for each in self.answers if each["table"] == table and each["refused"]), "")
        if refused:
            message = f"the account may not read {table} ({refused}), so {effect}"
            more = f", or set {COMMENTS} to false" if table == JOURNAL else ""
            remedy = f"Give the account read access to {table}, which the role itil includes{more}"
            self.problems.append(Problem(f"table_refused:{table}", severity, message, remedy))
        return bool(refused)
