# SPDX-License-Identifier: GPL-3.0-or-later
"""An update set that an instance takes over from another one: retrieved, previewed, committed, or backed out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...engine.errors import InvalidInput, Refused
from ...engine.plan import PERFORM, Need, Plan, Resource, SecretDecision
from ...engine.result import ABSENT
from ...engine.snapshot import Query, Row, Snapshot
from ..account import WRITERS
from ..client import ServiceNowClient
from ..release import FAMILIES
from .read_back import read_back
from .request import BACKED_OUT, UNDO, Request, TakeOverWrite
from .retrieved import (
    COMMITTED,
    PREVIEWED,
    RETRIEVED,
    SOURCES,
    UPDATES,
    USABLE,
    PreviewProblem,
    RetrievedSet,
    missing_updates,
    problems_of,
    release_in,
    updates_of,
)
from .source import SourceInstance

MAX_NAMES = 3
PREVIEW_PROBLEMS = "System Update Sets > Retrieved Update Sets > Update Set Preview Problems"


@dataclass(frozen=True)
class WantedSet:
    """A set by its id on the source, and what the instance has of it."""

    remote_id: str
    found: RetrievedSet | None

    @property
    def state(self) -> str:
        """The state of the set on the instance."""
        return self.found.state if self.found else ABSENT


class UpdateSet(Resource):
    """All completed update sets of one name on `source`, in the order in which they were completed.

    Without `source` (no access to it), those that the instance has retrieved before. With `client`, rows of committed updates are
    looked up; without it, whoever takes the set over compares its objects itself.
    """

    noun = "update_set"
    # After roles, accounts and settings: the updates may refer to them.
    stage = 9

    def __init__(self, request: Request, source: SourceInstance | None, client: ServiceNowClient | None = None) -> None:
        self.request, self.source, self.client = request, source, client
        self.label = request.label

    def reads(self) -> list[Query]:
        """Return the queries for the source's row and the retrieved sets."""
        return self.request.queries.first()

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return the queries for the updates and problems of the retrieved sets."""
        return self.request.queries.further(snapshot)

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; reads the source. Raises `InvalidInput` for one that cannot be used, `Refused` for a set that is there in part."""
        if self.client and self.source and self.source.url.rstrip("/") == self.client.session.base_url.rstrip("/"):
            name = self.request.queries.source
            raise InvalidInput(f"the source {name} is this instance itself; name another one. Nothing was written")
        plan = Plan(self.label, performs=_verb(self.request.state))
        wanted = self._wanted(snapshot)
        row = self._source_row(snapshot, wanted)
        plan.row = {"sys_id": ""}
        plan.object = self._shown(snapshot, wanted)
        open_sets = [each for each in wanted if not self._is_done(snapshot, each)]
        if open_sets:
            before = ", ".join(dict.fromkeys(each.state for each in wanted))
            plan.add_drift("state", before, self.request.state)
            plan.writes.append(self._operation(wanted, row))
            plan.needs.append(Need("take over update sets", WRITERS[RETRIEVED]))
        elif self.client and self.request.state == COMMITTED:
            self._read_back(plan, snapshot, [each.found for each in wanted if each.found])
            if self.source and self.source.hides_updates:
                plan.add_unproven(
                    f"the account may not read all of {UPDATES} on {self.request.queries.source}, so whether the set has further updates "
                    f"there is not known"
                )
        return plan

    def _read_back(self, plan: Plan, snapshot: Snapshot, committed: list[RetrievedSet]) -> None:
        """Check that the updates of committed sets are in place. Raises `Refused` with those that are not."""
        if self.client is None:
            return
        found = self.request.committed or read_back(self.client, snapshot, committed)
        if found.without_effect:
            raise Refused(f"{self.client.name}: {partly(self.request, found.without_effect)}")
        if found.unread:
            tables = ", ".join(found.unread)
            plan.add_unproven(
                f"the account may not read {tables}, so whether the updates there are in place is not known"
            )

    def _wanted(self, snapshot: Snapshot) -> list[WantedSet]:
        retrieved = {each.remote_id: each for each in self._retrieved(snapshot)}
        if self.request.state == BACKED_OUT:
            return [WantedSet(key, each) for key, each in retrieved.items() if each.state == COMMITTED]
        if self.source is None:
            known = [WantedSet(key, each) for key, each in retrieved.items() if each.state in USABLE]
            if not known:
                raise InvalidInput(
                    f"the instance has not retrieved the update set {self.request.name!r} from {self.request.queries.source}. "
                    f"Give source_options, so that its id can be read there"
                )
            return known
        completed = self.source.completed
        if not completed and not self.request.is_fallback_manual:
            raise InvalidInput(f"{self.source.why_none}. Complete it there first, then run again. Nothing was written")
        if not completed:
            self._note(self.source.why_none)
        return [WantedSet(each.sys_id, retrieved.get(each.sys_id)) for each in completed]

    def _retrieved(self, snapshot: Snapshot) -> list[RetrievedSet]:
        """Return what was retrieved from the source; a set that was imported as a file belongs to no source."""
        row = self.request.queries.source_row(snapshot)
        return [
            each
            for each in self.request.queries.sets(snapshot)
            if each.remote_id and row is not None and each.source_id == row["sys_id"]
        ]

    def _source_row(self, snapshot: Snapshot, wanted: list[WantedSet]) -> Row | None:
        """Return the row of the source; raise `InvalidInput` where the instance cannot retrieve from it."""
        row = self.request.queries.source_row(snapshot)
        if not wanted and self.request.state != BACKED_OUT:
            return row
        name, url = self.request.queries.source, self.source.url if self.source else "its URL"
        if row is None:
            raise InvalidInput(
                f"{SOURCES} has no row with the name {name!r} or the URL {url}. Create it on the instance, with an account of "
                f"{name}: System Update Sets > Update Sources > New. Nothing was written"
            )
        if self.request.state == BACKED_OUT:
            return row
        if row.get("active", "true") != "true":
            raise InvalidInput(f"the row {name!r} of {SOURCES} is not active. Activate it. Nothing was written")
        self._refuse_newer_release(snapshot)
        return row

    def _refuse_newer_release(self, snapshot: Snapshot) -> None:
        """See docs/facts/servicenow_platform.md#update-sets."""
        theirs, ours = self.source.release if self.source else None, release_in(snapshot)
        if theirs and theirs.known and ours.known and FAMILIES.index(theirs.family) > FAMILIES.index(ours.family):
            raise InvalidInput(
                f"{self.request.queries.source} runs the release {theirs.family}, which is newer than {ours.family}: ServiceNow "
                f"warns of outages and data loss where updates of a newer release are loaded. Upgrade the instance, or name a "
                f"source of the same release. Nothing was written"
            )

    def _is_done(self, snapshot: Snapshot, wanted: WantedSet) -> bool:
        """Return whether a set needs no operation; raise `Refused` for one that was committed in part, unless that is noted."""
        found, state = wanted.found, self.request.state
        if found is None or state == BACKED_OUT:
            return False
        if found.state == COMMITTED:
            missing = missing_updates(snapshot, found)
            if state == COMMITTED and missing:
                self._refuse_or_note(
                    partly(self.request, [str(row.get("target_name") or row["name"]) for row in missing])
                )
            self._check_later_updates(snapshot, found)
            return True
        blocking = [problem for problem in problems_of(snapshot, found) if problem.blocks]
        if found.state == PREVIEWED and state == PREVIEWED:
            return True
        if found.state == PREVIEWED and blocking and self.request.is_fallback_manual:
            # Previewed by an earlier run: someone has to decide, and each run would preview again.
            self._note(conflicts(self.request, blocking))
            return True
        return False

    def _check_later_updates(self, snapshot: Snapshot, found: RetrievedSet) -> None:
        """Refuse or note what was added to a set on the source after it was retrieved: an instance retrieves a set once."""
        known = (row.get("name") for row in updates_of(snapshot, found))
        later = self.source.later_updates(found.remote_id, known) if self.source else []
        if later:
            updates = "1 update" if len(later) == 1 else f"{len(later)} updates"
            self._refuse_or_note(
                f"the {self.request.words} has {updates} on {self.request.queries.source} that it did not have when it was retrieved: "
                f"{named(later)}. Move them to another update set of this name there, complete it, and run again"
            )

    def _operation(self, wanted: Iterable[WantedSet], row: Row | None) -> TakeOverWrite:
        write = TakeOverWrite(PERFORM, RETRIEVED, self.label, stage=self.stage, hint=UNDO, takes_turn=True)
        write.request, write.wanted = self.request, tuple(each.remote_id for each in wanted)
        write.source_id = row["sys_id"] if row else ""
        return write

    def _shown(self, snapshot: Snapshot, wanted: Iterable[WantedSet]) -> dict[str, object]:
        sets, problems = [], []
        for each in wanted:
            updates = len(updates_of(snapshot, each.found)) if each.found else 0
            sets.append({"source_sys_id": each.remote_id, "state": each.state, "updates": updates})
            problems += [problem.as_dict() for problem in problems_of(snapshot, each.found)] if each.found else []
        return {"name": self.request.name, "source": self.request.queries.source, "sets": sets, "problems": problems}

    def _refuse_or_note(self, text: str) -> None:
        if not self.request.is_fallback_manual:
            raise Refused(text)
        self._note(text)

    def _note(self, text: str) -> None:
        if text not in self.request.notes:
            self.request.notes.append(text)


def _verb(state: str) -> tuple[str, str]:
    return {COMMITTED: ("commit", "committed"), PREVIEWED: ("preview", "previewed")}.get(
        state, ("back out", "backed out")
    )


def named(names: list[str]) -> str:
    """Return some names, and how many more there are."""
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return "; ".join(names[:MAX_NAMES]) + more


def conflicts(request: Request, blocking: Sequence[PreviewProblem]) -> str:
    """Return the message about problems that stop a commit, with the remedies that they have."""
    problems = "1 problem" if len(blocking) == 1 else f"{len(blocking)} problems"
    described = [
        f"{problem.object}: {problem.description}" if problem.object else problem.description for problem in blocking
    ]
    remedy = f"Decide on each in {PREVIEW_PROBLEMS} of {request.name}"
    if all(problem.can_be_accepted for problem in blocking):
        remedy += ", or accept the updates with accept_conflicts: true of secops.servicenow_defender.snow_update_set"
    else:
        remedy += "; accept_conflicts does not help where the instance lacks something"
    return f"the {request.words} was not committed, as its preview found {problems}: {named(described)}. {remedy}"


def partly(request: Request, names: list[str]) -> str:
    """Return the message about updates of a committed set that did not take effect."""
    updates = "1 of its updates" if len(names) == 1 else f"{len(names)} of its updates"
    return f"the {request.words} was committed, but {updates} did not take effect: {named(names)}. {UNDO}"
