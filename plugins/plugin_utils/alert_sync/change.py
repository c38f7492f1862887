# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run does about one ticket and its alert or incident: who leads, what goes over, and what both sides had then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.snow.tickets.ticket_types import CANCELED, CLOSED, OPEN, RESOLVED, TYPES
from . import text
from .items import ACTIVE, ALERT, DISMISSED, IN_PROGRESS, INCIDENT, Item
from .items import RESOLVED as RESOLVED_THERE
from .people import People
from .room import make_room
from .text import Base
from .tickets import NEW, WORKING, Ticket

CLOSING = frozenset({RESOLVED, CLOSED})
# What a ticket's phase means for Defender.
MEANING = {
    NEW: ACTIVE,
    WORKING: IN_PROGRESS,
    RESOLVED: RESOLVED_THERE,
    CLOSED: RESOLVED_THERE,
    CANCELED: RESOLVED_THERE,
}


@dataclass
class SyncOptions:
    """What the user chose. `assignees` maps user names of ServiceNow to owners, `classifications` close codes to those of Defender."""

    write_back: bool = True
    comments: bool = True
    assignees: Mapping[str, str] = field(default_factory=dict)
    classifications: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    close_code: str = ""


@dataclass
class Change:
    """The plan for one ticket. `now` is what the ticket is to hold after its own write, `final` after those to Defender."""

    item: Item
    ticket: Ticket
    options: SyncOptions
    now: Base = field(init=False)
    final: Base = field(init=False)
    entry: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    push: dict[str, Any] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    needs_successor: bool = False
    needs_announcement: bool = False
    problems: list[str] = field(default_factory=list)
    is_moved: bool = False

    def __post_init__(self) -> None:
        known = self.ticket.base
        if known is None:
            known = Base(self.item.status, self.item.assignee, self.ticket.phase, self.ticket.user)
        self.now = self.final = known
        self.merged = self.ticket.merged

    # -- status -------------------------------------------------------------------------------------------------------

    def sync_status(self) -> None:
        """Bring the two statuses in step: what changed since they last were leads; where both did, an end beats work."""
        base, item, ticket = self.ticket.base, self.item, self.ticket
        by_defender = base is None or item.status != base.defender
        by_users = base is None or (ticket.phase != base.phase and not {ticket.phase, base.phase} <= CLOSING)
        by_users = by_users or (self.ticket.is_announced and not by_defender)
        if self._knows_end and not item.is_ended:
            # The end went over, and could not be noted in the ticket: analysts reopened it after that.
            by_defender, by_users = True, False
        if not by_defender and not by_users:
            return
        wanted = DISMISSED if (item.kind, ticket.phase) == (ALERT, CANCELED) else MEANING[ticket.phase]
        if item.status == wanted or (item.is_ended and not ticket.is_open):
            self._settle(defender=item.status, phase=ticket.phase)
        elif self._defender_leads(by_defender, by_users):
            self._follow_defender()
        elif self.options.write_back:
            self.needs_announcement = self.ticket.is_final and item.kind == ALERT and not self._is_order_known
            self.push["status"] = wanted
            self.final = text.moved(self.final, defender=wanted, phase=ticket.phase)
            if not ticket.is_open:
                self._explain_end()

    def _defender_leads(self, by_defender: bool, by_users: bool) -> bool:
        if by_defender and by_users:
            return self.ticket.is_open and self.item.is_ended or (not self.ticket.is_open and self._is_ended_by_us)
        return by_defender

    @property
    def _is_ended_by_us(self) -> bool:
        """Whether the close notes of the ticket are those that it gets when Defender ends."""
        return self.ticket.close_notes.lstrip().startswith(text.RESOLVED_BY_DEFENDER)

    def _follow_defender(self) -> None:
        item, ticket = self.item, self.ticket
        if item.is_ended:
            code = {"close_code": self.options.close_code} if self.options.close_code else {}
            self.entry |= {"state": RESOLVED, "close_notes": text.resolution_notes(item), **code}
            self._move(RESOLVED)
        elif ticket.is_open:
            word = item.status.replace("_", " ")
            self.notes.append(f"{text.FROM_DEFENDER}: {item.noun} is now {word}.")
            self._begin_work()
        elif ticket.state == RESOLVED:
            self.entry |= {"state": OPEN, "reopen": True, **({"close_notes": ""} if self._is_ended_by_us else {})}
            self.notes.append(f"{text.FROM_DEFENDER}: {item.noun} was reopened there.")
            self._move(WORKING)
        else:
            self.needs_successor = True

    def _begin_work(self) -> None:
        """Let a new ticket be worked on if Defender's analysts work; an open ticket keeps any other state."""
        kind = TYPES[self.ticket.type]
        if (self.item.status, self.ticket.phase) == (IN_PROGRESS, NEW) and kind.working and kind.state_writable:
            self.entry["begin"] = True
            self._settle(defender=self.item.status, phase=WORKING)
        else:
            self._settle(defender=self.item.status)

    def _move(self, phase: str) -> None:
        """Note the new phase, unless the platform lets only people change it: then nothing is in step yet."""
        if TYPES[self.ticket.type].state_writable:
            self._settle(defender=self.item.status, phase=phase)

    def _settle(self, **changes: Any) -> None:
        self.now, self.final = text.moved(self.now, **changes), text.moved(self.final, **changes)

    def _explain_end(self) -> None:
        """Say in Defender how a ticket ended."""
        if self.item.kind != INCIDENT:
            return
        self.push |= dict(self.options.classifications.get(self.ticket.close_code) or {})
        self._say([self._end])

    @property
    def _end(self) -> str:
        """How the ticket ended, as a comment in Defender says it."""
        ticket = self.ticket
        notes = f": {ticket.close_notes.strip()}" if ticket.close_notes.strip() else ""
        return f"{text.FROM_SERVICENOW}{ticket.number} is {ticket.phase}{notes}"

    @property
    def _is_order_known(self) -> bool:
        """Whether it is known that an alert was not reopened after its ticket had ended."""
        return self.ticket.is_announced or self.item.row.get("status_set_at") is not None

    @property
    def _knows_end(self) -> bool:
        """Whether Defender has the end of a ticket that no one can reopen.

        Of an incident, a comment says so, which is written after the status. An alert has none: its status was set after the
        ticket ended, by an earlier run or by people.
        """
        if not self.ticket.is_final:
            return False
        if self.item.kind == ALERT:
            return bool(self.item.row.get("status_set_at")) or (self.item.is_ended and not self.ticket.is_announced)
        return not text.missing([self._end], [str(each.get("comment") or "") for each in self.item.comments])

    # -- assignee -----------------------------------------------------------------------------------------------------

    def sync_assignee(self, people: People) -> None:
        """Bring owner and assignee in step. Alerts have no owner."""
        base, item, ticket = self.ticket.base, self.item, self.ticket
        if item.kind != INCIDENT or not ticket.is_open:
            return
        owner = people.owner(ticket)
        names = {owner.casefold(), ticket.email.casefold(), ticket.user.casefold()}
        by_defender = base is None or item.assignee.casefold() != base.defender_assignee.casefold()
        by_users = base is None or ticket.user != base.assignee
        if base is None:
            # Without a memory, the side that has one leads.
            by_users = bool(ticket.user)
        if item.assignee.casefold() in names and bool(item.assignee) == bool(ticket.user):
            if by_defender or by_users:
                self._settle(defender_assignee=item.assignee, assignee=ticket.user)
        elif by_users and self.options.write_back:
            self.push["assigned_to"] = owner
            self.final = text.moved(self.final, defender_assignee=owner, assignee=ticket.user)
        elif by_defender:
            self._take_owner(people)

    def _take_owner(self, people: People) -> None:
        user = people.user(self.item.assignee)
        if self.item.assignee and not user:
            self.problems.append(
                f"{self.item.noun} is assigned to {self.item.assignee}, who is no user of the instance that can be found by e-mail "
                f"address or user name; {self.ticket.number} stays with {self.ticket.user or text.UNASSIGNED}"
            )
            self._settle(defender_assignee=self.item.assignee)
            return
        self.entry["assigned_to"] = user
        self._settle(defender_assignee=self.item.assignee, assignee=user)

    # -- comments -----------------------------------------------------------------------------------------------------

    def sync_comments(self, journal: Sequence[Mapping[str, Any]] | None) -> None:
        """Pass comments on that the other side lacks. `journal` is None where it may not be read: then none is."""
        if self.item.kind != INCIDENT or journal is None or not self.options.comments:
            return
        notes = text.notes_for(self.item.comments)
        if self.ticket.is_open and len(notes) > self.now.comments:
            self.notes += text.missing(notes, [str(entry.get("value") or "") for entry in journal])
            self._settle(comments=len(notes))
        if self.options.write_back:
            self._say(text.comments_for(self.ticket.number, journal))

    def _say(self, comments: Iterable[str]) -> None:
        known = [str(each.get("comment") or "") for each in self.item.comments]
        left = text.missing(comments, [*known, self.push.get("comment", "")])
        if left:
            self.push["comment"] = "\n\n".join([*filter(None, [self.push.get("comment")]), *left])

    # -- result -------------------------------------------------------------------------------------------------------

    def take_merged(self, incident: Item, ticket: Ticket) -> None:
        """Note once that an incident was merged into this one."""
        if incident.id not in self.merged:
            self.merged = [*self.merged, incident.id]
            self.notes.append(
                f"{text.FROM_DEFENDER}: incident {incident.id} became part of this one. Its ticket was {ticket.number}."
            )

    def ticket_entry(self) -> dict[str, Any] | None:
        """Return the entry for snow_tickets, None where the ticket needs nothing yet."""
        described, moved = self._described(self.now)
        may_describe = self.ticket.is_open or self.entry.get("state") == OPEN
        changed = may_describe and described != self.ticket.description
        is_due = self.now != self.ticket.base or self.merged != self.ticket.merged
        if not self.entry and not (changed and is_due):
            return None
        entry = {"type": self.ticket.type, "correlation_id": self.ticket.correlation_id, "state": OPEN, **self.entry}
        if changed and is_due:
            entry["description"] = described
        self.is_moved = bool(moved) and "description" in entry
        notes = [*self.notes, *([moved] if self.is_moved else [])]
        if notes:
            entry["work_note"] = "\n\n".join(notes)
        return entry

    def _described(self, base: Base) -> tuple[str, str]:
        """Return the description with what both sides have, and a work note with what has no room there any more, "" for none."""
        has_ended = not self.ticket.is_open and self.entry.get("state") != OPEN
        room, moved = make_room(self.ticket.description, (base, self.now, self.final), self.merged, has_ended=has_ended)
        return text.with_lines(room, base, self.merged), moved

    def announcement(self) -> dict[str, Any] | None:
        """Return what a ticket has to hold before its end goes over to an alert, None for nothing.

        Without the activity log, only this distinguishes an alert to end from one that was reopened.
        """
        if not self.needs_announcement:
            return None
        base = text.moved(self.now, defender=self.item.status, phase=self.ticket.phase)
        message = text.unknown_order(self.item, self.ticket.number, self.ticket.phase)
        return {**self._record(base), "alert": self.item.id, "message": message}

    def _record(self, base: Base) -> dict[str, Any]:
        """Return a ticket with what both sides have."""
        described, moved = self._described(base)
        return {
            "type": self.ticket.type,
            "correlation_id": self.ticket.correlation_id,
            "sys_id": self.ticket.sys_id,
            "number": self.ticket.number,
            "description": described,
            "work_note": moved,
        }

    def rest(self) -> dict[str, Any] | None:
        """Return what to note in the ticket once Defender has what was pushed, None for nothing."""
        ended = not self.ticket.is_open and self.entry.get("state") != OPEN
        is_due = self.final != (self.ticket.base if ended else self.now)
        if self.needs_successor or not is_due or (ended and self._knows_end):
            return None
        more = {"ended": ended, "pushed": self.item.id if self.push else "", "is_moved": self.is_moved}
        return {**self._record(self.final), **more}
