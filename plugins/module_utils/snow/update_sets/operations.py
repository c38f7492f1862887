# SPDX-License-Identifier: GPL-3.0-or-later
"""The CI/CD operations that take over update sets: retrieve, preview, commit, back out; each is followed to its end and read back.

See docs/facts/servicenow_platform.md#cicd-update-set-api.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from ...engine.errors import EngineError, Refused
from ...engine.plan import FAILED
from ...engine.snapshot import Snapshot
from ...transport.errors import HttpError
from ...transport.polling import ProgressLine, poll
from ..cicd_progress import API_CLOSED, failure_of, follow, start
from ..client import ServiceNowClient
from .read_back import read_back
from .request import BACKED_OUT, Request, TakeOverWrite
from .retrieved import (
    ACCEPTED,
    BUSY,
    COMMITTED,
    PREVIEWED,
    PROBLEMS,
    RETRIEVED,
    USABLE,
    PreviewProblem,
    Read,
    RetrievedSet,
    problems_of,
)
from .update_set import conflicts, named, partly

UPDATE_SET = "/api/sn_cicd/update_set"


def carry_out(client: ServiceNowClient, read: Read, write: TakeOverWrite) -> None:
    """Bring the sets to the desired state. Raises `Refused` where the instance refuses, fails, or a preview has problems."""
    if write.request is None:
        raise EngineError(f"{write.label}: nothing to carry out")
    transfer = _Transfer(client, read, write, write.request)
    if write.request.state == BACKED_OUT:
        transfer.back_out()
    else:
        transfer.take_over()
    write.done_elsewhere = not transfer.has_sent


class _Transfer:
    """The operations of one task, on the instance that takes the sets over."""

    def __init__(self, client: ServiceNowClient, read: Read, write: TakeOverWrite, request: Request) -> None:
        self.client, self.read, self.write, self.request = client, read, write, request
        self.has_sent = False

    def take_over(self) -> None:
        """Retrieve and preview what is missing, and commit it if no preview has problems."""
        snapshot = self._when_idle()
        known = self._rows(snapshot)
        for remote_id in self.write.wanted:
            if remote_id not in known or known[remote_id].state not in USABLE:
                self._retrieve(remote_id, replaces=remote_id in known)
        snapshot = self.request.queries.read(self.read)
        open_sets = [each for each in self._all_rows(snapshot) if each.state != COMMITTED]
        for each in open_sets:
            if each.state != PREVIEWED or _blocking(snapshot, each):
                self._run("preview", f"preview/{each.sys_id}", {})
        snapshot = self.request.queries.read(self.read)
        blocking = [problem for each in open_sets for problem in _blocking(snapshot, each)]
        if self.request.state == COMMITTED and blocking and self.request.accept_conflicts:
            blocking = self._accept(blocking)
        if self.request.state == PREVIEWED or (blocking and self._stopped(snapshot, open_sets, blocking)):
            return
        if open_sets:
            ids = ",".join(each.sys_id for each in open_sets)
            self._run("commit", "commitMultiple", {"remote_update_set_ids": ids})
        self._verify()

    def back_out(self) -> None:
        """Undo the commits, the last one first; another run may have undone some."""
        known = self._rows(self._when_idle())
        found = [known[remote_id] for remote_id in self.write.wanted if remote_id in known]
        for each in reversed([each for each in found if each.state == COMMITTED]):
            if not each.local_id:
                raise Refused(
                    f"{self.client.name}: the committed {self.request.words} has no local copy, so it cannot be backed out; see "
                    f"System Update Sets > Local Update Sets"
                )
            self._run("back out", "back_out", {"update_set_id": each.local_id, "rollback_installs": "false"})

    # -- operations ---------------------------------------------------------------------------------------------------

    def _retrieve(self, remote_id: str, *, replaces: bool) -> None:
        query = {
            "update_set_id": remote_id,
            "update_source_id": self.write.source_id,
            "auto_preview": "false",
            "cleanup_retrieved": "true" if replaces else "false",
        }
        source = self.request.queries.source
        hint = f"Check the row {source!r} of sys_update_set_source: its URL, its account, and Test Connection"
        self._run("retrieve", "retrieve", query, hint)

    def _run(self, verb: str, path: str, query: Mapping[str, str], hint: str = "") -> None:
        """Carry out one operation to its end; raise `Refused` if it fails, with `hint`."""
        what = f"{verb} {self.request.words}"
        self.has_sent = True
        try:
            progress = start(
                self.client,
                f"{UPDATE_SET}/{quote(path)}",
                query,
                what,
                "Run again: it continues with what has ended by then",
            )
            words = failure_of(follow(self.client, what, progress, self.request.waiting))
        except HttpError as error:
            is_closed = bool(API_CLOSED.search(error.words))
            if error.status in (401, 403) or not (error.is_refusal or is_closed):
                raise
            if is_closed:
                hint = "The CI/CD API of the instance is not available: have the plugin com.glide.continuousdelivery activated"
            raise Refused(_sentences(f"{self.client.name} refused to {what}. {error}", hint), status=FAILED) from None
        if words:
            raise Refused(_sentences(f"{self.client.name} failed to {what}: {words}", hint), status=FAILED)

    def _accept(self, blocking: Sequence[PreviewProblem]) -> list[PreviewProblem]:
        """Accept the updates that conflict with the instance's own; return the problems that this does not solve.

        Nothing is accepted as long as another problem stops the commit anyway.
        """
        unsolved = [problem for problem in blocking if not problem.can_be_accepted]
        if unsolved:
            return unsolved
        for problem in blocking:
            self.has_sent = True
            self.client.update_row(PROBLEMS, problem.sys_id, {"status": ACCEPTED})
        snapshot = self.request.queries.read(self.read)
        return [problem for each in self._all_rows(snapshot) for problem in _blocking(snapshot, each)]

    def _stopped(
        self, snapshot: Snapshot, open_sets: Sequence[RetrievedSet], blocking: Sequence[PreviewProblem]
    ) -> bool:
        """Return True where the problems are noted; raise `Refused` with all of them otherwise."""
        text = conflicts(self.request, blocking)
        if self.request.is_fallback_manual:
            self.request.notes.append(text)
            return True
        found = [problem.as_dict() for each in open_sets for problem in problems_of(snapshot, each)]
        refusal = Refused(f"{self.client.name}: {text}")
        refusal.output = {"update_set": {"name": self.request.name, "problems": found}}
        raise refusal

    # -- reading back -------------------------------------------------------------------------------------------------

    def _verify(self) -> None:
        """Check that each set is committed, with all of its updates and their rows."""
        snapshot = self.request.queries.read(self.read)
        for each in self._all_rows(snapshot):
            if each.state != COMMITTED:
                raise Refused(
                    f"{self.client.name} reports that the {self.request.words} was committed, but its state is {each.state!r}",
                    status=FAILED,
                )
        self.request.committed = read_back(self.client, snapshot, self._all_rows(snapshot))
        names = self.request.committed.without_effect
        if names and self.request.is_fallback_manual:
            self.request.notes.append(partly(self.request, names))
        elif names:
            raise Refused(f"{self.client.name}: {partly(self.request, names)}")

    def _when_idle(self) -> Snapshot:
        """Wait until no operation of another run is under way, and return what is there."""
        waiting, line = self.request.waiting, ProgressLine(self.client.context.progress)
        polls = poll(waiting.timeout, waiting.interval, line, lambda seconds: f"{self._busy()} after {seconds:.0f} s")
        while True:
            snapshot = self.request.queries.read(self.read)
            states = [each.state for each in self._rows(snapshot).values() if each.state in BUSY]
            if not states:
                return snapshot
            if next(polls, None) is None:
                raise Refused(
                    f"{self._busy()}: still {named(states)} after {waiting.limit}. Run again later",
                    status=FAILED,
                )

    def _busy(self) -> str:
        return f"{self.client.name}: waiting for another operation on the {self.request.words}"

    def _rows(self, snapshot: Snapshot) -> dict[str, RetrievedSet]:
        """Return the wanted sets that the instance has retrieved, by their ids on the source; of several rows the newest one."""
        return {
            each.remote_id: each
            for each in self.request.queries.sets(snapshot)
            if each.remote_id in self.write.wanted and each.source_id == self.write.source_id
        }

    def _all_rows(self, snapshot: Snapshot) -> list[RetrievedSet]:
        """Return all wanted sets; raise `Refused` if one is not visible."""
        rows = self._rows(snapshot)
        if len(rows) < len(self.write.wanted):
            raise Refused(
                f"{self.client.name}: the {self.request.words} was retrieved, but the account cannot see it in {RETRIEVED}. Give it read "
                f"access",
                status=FAILED,
            )
        return [rows[remote_id] for remote_id in self.write.wanted]


def _blocking(snapshot: Snapshot, found: RetrievedSet) -> list[PreviewProblem]:
    return [problem for problem in problems_of(snapshot, found) if problem.blocks]


def _sentences(*parts: str) -> str:
    return ". ".join(part for part in parts if part)
