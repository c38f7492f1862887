# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes in batches and checks access after each; a batch that locks the account out is rolled back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from .apply import Applier
from .errors import EngineError, Refused
from .plan import CREATE, PERFORM, UPDATE, Value, Write
from .snapshot import PlannedId


class AccessLost(EngineError):
    """The account can no longer sign in, or its access cannot be verified."""


class AccessGuard(Protocol):
    """Verifies access by a new sign-in, and keeps a session for the rollback in case that fails."""

    def before(self) -> None:
        """Prepare before the first write; raise `AccessLost` when a new sign-in fails already."""

    def wrote(self, done: int, total: int) -> None:
        """Show how far the run has come."""

    def check(self) -> None:
        """Sign in again; raise `AccessLost` when that fails."""

    def rescue(self) -> AbstractContextManager[None]:
        """Return the session by which a batch can be rolled back."""


class RollbackStore(Protocol):
    """The operations that a rollback needs."""

    name: str

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Change a row."""

    def delete(self, write: Write, row_id: str) -> None:
        """Delete a row."""


@dataclass
class RollbackWrites:
    """Writes of one plan, carried out by `applier`: those of one stage are a batch."""

    store: RollbackStore
    guard: AccessGuard
    applier: Applier
    kept: list[str] = field(default_factory=list)

    def run(self, writes: Sequence[Write]) -> None:
        """Write everything. Raises `EngineError` with what was rolled back and what was not."""
        self.guard.before()
        done = 0
        for _stage, group in groupby(writes, key=lambda write: write.stage):
            written: list[Write] = []
            for write in self.applier.rows.without_existing(list(group)):
                try:
                    self.applier.apply_one(write)
                except Exception as error:
                    # This batch may have locked the account out; if it has not, the failure itself is reported.
                    self._check([*written, write], error)
                    raise
                done += 1
                # What failed may have been carried out all the same.
                written += [write] * (not isinstance(self.applier.unwritten.get(write.label), Refused))
                self.guard.wrote(done, len(writes))
            if written:
                self._check(written, None)
                self.kept += [write.label for write in written if write.label not in self.applier.unwritten]

    def _check(self, written: Sequence[Write], cause: Exception | None) -> None:
        try:
            self.guard.check()
        except AccessLost as lost:
            raise self._roll_back(written, lost) from cause

    def _roll_back(self, written: Sequence[Write], lost: AccessLost) -> EngineError:
        back: list[str] = []
        left: list[str] = []
        with self.guard.rescue():
            for write in reversed(written):
                problem = self._undo(write)
                if problem:
                    left.append(f"{write.label}: {problem}")
                else:
                    back.append(write.label)
        try:
            self.guard.check()
            again = "The sign-in works again"
        except AccessLost as error:
            again = f"The sign-in still fails: {error}"
        sentences = [
            f"{self.store.name}: after writing {', '.join(write.label for write in written)} the account no longer signs in. {lost}",
            f"Rolled back: {', '.join(back) or 'nothing'}",
            f"NOT rolled back: {'; '.join(left)}. Do it manually on the instance" if left else "",
            again,
            f"Written before and kept: {', '.join(self.kept)}" if self.kept else "Nothing else was written",
        ]
        message = ". ".join(sentence for sentence in sentences if sentence)
        return EngineError(message, {"rolled_back": back, "not_rolled_back": left})

    def _undo(self, write: Write) -> str:
        """Roll one write back; return why that failed, or ""."""
        try:
            if write.action == UPDATE and write.undo is not None:
                self.store.update(write, _known(write.row), {name: _known(value) for name, value in write.undo.items()})
                return ""
            row_id = self._created(write)
            if row_id:
                self.store.delete(write, row_id)
                return ""
        except Exception as error:  # noqa: BLE001 (the other writes must be rolled back in any case)
            return str(error)
        if write.action == PERFORM:
            return write.hint or "an activation cannot be rolled back"
        return "it is unknown whether it was carried out"

    def _created(self, write: Write) -> str:
        """Return the id of the row that a write created, "" for none and for a row of another run."""
        rows = self.applier.rows
        is_own = write.action == CREATE and write.planned_id is not None and write.label not in rows.created_elsewhere
        return rows.ids.get(write.planned_id, "") if is_own and write.planned_id else ""


def _known(value: Value) -> Any:
    return "" if isinstance(value, PlannedId) else value
