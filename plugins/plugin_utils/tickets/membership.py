# SPDX-License-Identifier: GPL-3.0-or-later
"""Which finding belongs to which ticket: one open ticket at most, that of its group as soon as there is one.

A finding in a ticket that users ended stays decided, unless it became unhealthy after that. A finding that is not selected any
more, or could not be read, stays with its ticket. A finding moves only to a ticket that exists or that this run creates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.microsoft.defender_cloud.assessments import UNHEALTHY
from .existing_tickets import ExistingTicket, age_of, is_after, open_tickets
from .foreign_tickets import is_foreign
from .groups import Group, group_of, hand_group, hand_id
from .sources import Sources
from .ticket_list import Listed

Row = Mapping[str, Any]


@dataclass
class Membership:
    """The findings of one ticket: `ticket` is None for a new one, `group` None for one that gets no finding any more.

    `stays` are those that it lists further, `added` the rows that come to it, `healed` those that left it with their row (None if they
    are gone), `moved` those that another ticket gets, by the id of its group.
    """

    ticket: ExistingTicket | None = None
    group: Group | None = None
    stays: dict[str, Listed] = field(default_factory=dict)
    added: list[Row] = field(default_factory=list)
    healed: list[tuple[Listed, Row | None]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    last: ExistingTicket | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the ticket has no finding any more."""
        return not self.stays and not self.added

    @property
    def listed(self) -> list[Listed]:
        """All findings that the ticket is to list."""
        return [*self.stays.values(), *map(Listed.of, self.added)]

    @property
    def has_changed(self) -> bool:
        """Whether the list differs from the one that the ticket has."""
        return bool(self.added or self.healed or self.moved)


@dataclass
class Findings:
    """All findings, and what they need: `rows` by key, `keys` to group by; `wanted` are the keys of the selected ones.

    `unread` are tables of tickets that could not be read: a finding whose assignment names a ticket there is left alone.
    `holders` has the open ticket of each finding by key, `numbers` are those of all tickets that there are.
    """

    rows: Mapping[str, Row]
    keys: Sequence[str]
    histories: Mapping[str, Sequence[ExistingTicket]]
    sources: Sources
    wanted: Collection[str] | None = None
    owner: str = ""
    by_hand: str = ""
    unread: Collection[str] = ()
    groups: dict[str, Group] = field(init=False, default_factory=dict)
    holders: dict[str, ExistingTicket] = field(init=False, default_factory=dict)
    numbers: set[str] = field(init=False, default_factory=set)
    _group_of: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.open = open_tickets(self.histories)
        self.numbers = {each.number for history in self.histories.values() for each in history}
        # To look for the ticket of each finding costs a digest of each.
        self._has_hand_made = any(each.is_hand_made for history in self.histories.values() for each in history)
        ours = frozenset(each.sys_id.lower() for history in self.histories.values() for each in history if each.sys_id)
        decided = self._decided()
        candidates = {key: row for key, row in self.rows.items() if self._is_wanted(key, row)}
        where = {key: self._group(key, row) for key, row in candidates.items()}
        for ticket in self.open:
            for key in self._listed(ticket):
                # Of two tickets that list it, that of its group holds it, else the older one.
                known = self.holders.get(key)
                is_home = key in where and where[key].id == ticket.key
                if known is None or is_home or (known.key != _id(where.get(key)) and ticket.number < known.number):
                    self.holders[key] = ticket
        for key, row in candidates.items():
            if key != self.by_hand and key not in self.holders and (decided(key, row) or is_foreign(row, ours)):
                continue
            group = self.groups.setdefault(where[key].id, where[key])
            group.rows.append(row)
            self._group_of[key] = group.id

    def _is_wanted(self, key: str, row: Row) -> bool:
        if row.get("status") != UNHEALTHY or row.get("is_exempt"):
            return False
        if key == self.by_hand:
            return True
        link = str((row.get("assignment") or {}).get("ticket_link") or "")
        if any(f"{table}.do" in link for table in self.unread):
            return False
        return key in self.wanted if self.wanted is not None else bool(row.get("selected", True))

    def _group(self, key: str, row: Row) -> Group:
        """Return the group of a finding; one that has a ticket of its own, made by hand, keeps it."""
        if key == self.by_hand or (self._has_hand_made and hand_id(key) in self.histories):
            return hand_group(row)
        return group_of(row, self.keys, self.owner)

    def _decided(self) -> Any:
        """Return a function that says whether people have decided about a finding by ending the last ticket that lists it."""
        last: dict[str, ExistingTicket] = {}
        for history in self.histories.values():
            for ticket in history:
                for key in self._listed(ticket):
                    if key not in last or age_of(last[key]) < age_of(ticket):
                        last[key] = ticket

        def decided(key: str, row: Row) -> bool:
            ticket = last.get(key)
            if ticket is None or not ticket.ended_by_people:
                return False
            return not is_after(str(row.get("changed_at") or ""), ticket.ended_at)

        return decided

    def _listed(self, ticket: ExistingTicket) -> Mapping[str, Listed]:
        """Return the findings of a ticket. That of one finding has its key, also if its text was changed."""
        if ticket.listed is None and ticket.key in self.rows:
            return {ticket.key: Listed.of(self.rows[ticket.key])}
        return ticket.listed or {}

    def unread_findings(self) -> dict[str, int]:
        """Return how many `findings` of open `tickets` are in no scope that was read, so that nothing is known of them; {} for none."""
        known = {
            ticket.correlation_id: sum(
                key not in self.rows and bool(one.assessment) and not self.sources.was_read(one.assessment)
                for key, one in self._listed(ticket).items()
            )
            for ticket in self.open
        }
        counts = [count for count in known.values() if count]
        return {"findings": sum(counts), "tickets": len(counts)} if counts else {}

    # -- distribution -------------------------------------------------------------------------------------------------

    def new_groups(self) -> list[Group]:
        """Return the groups with findings and without an open ticket, the most severe one first."""
        with_ticket = {ticket.key for ticket in self.open}
        return sorted(
            (group for group in self.groups.values() if group.id not in with_ticket), key=lambda one: one.rank
        )

    def distribute(self, allowed: Iterable[Group]) -> list[Membership]:
        """Return the findings of each open ticket, and of the new ones of `allowed` groups."""
        created = [group.id for group in allowed]
        targets = {*created} | {ticket.key for ticket in self.open}
        made = [self._of_ticket(ticket, targets) for ticket in self.open]
        for key in created:
            group = self.groups[key]
            history = self.histories.get(key) or []
            last = history[-1] if history else None
            made.append(Membership(group=group, added=list(group.rows), last=last))
        return made

    def _of_ticket(self, ticket: ExistingTicket, targets: Collection[str]) -> Membership:
        group = self.groups.get(ticket.key)
        found = Membership(ticket, group)
        for key, one in self._listed(ticket).items():
            row = self.rows.get(key)
            home = self._group_of.get(key)
            if row is None and not self.sources.is_gone(one.assessment):
                found.stays[key] = one
            elif row is None or row.get("status") != UNHEALTHY or row.get("is_exempt"):
                found.healed.append((one if one.title or row is None else Listed.of(row), row))
            elif home is not None and home != ticket.key and home in targets:
                found.moved[key] = home
            elif self.holders.get(key) is ticket:
                found.stays[key] = Listed.of(row)
            else:
                found.moved[key] = self.holders[key].key
        known = self._listed(ticket)
        found.added = [row for row in (group.rows if group else ()) if row["key"] not in known]
        return found


def _id(group: Group | None) -> str:
    return group.id if group else ""
