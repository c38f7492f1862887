# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes in groups, with a look after each whether the caller still gets in; a group that shuts him out is put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from .errors import EngineError
from .plan import CREATE, PERFORM, UPDATE, Value, Write
from .snapshot import PlannedId


class AccessLost(EngineError):
    """The caller does not get in any more, or whether he does cannot be found out."""


class AccessGuard(Protocol):
    """Knows how to get in anew, and by which way one still gets in when that fails."""

    def before(self) -> None:
        """Prepare before the first write; raise `AccessLost` when getting in anew fails already."""

    def wrote(self, done: int, total: int) -> None:
        """Show how far the run has come."""

    def check(self) -> None:
        """Get in anew; raise `AccessLost` when that fails."""

    def rescue(self) -> AbstractContextManager[None]:
        """Return the way in by which a group can be put back."""


class RollbackStore(Protocol):
    """The verbs that put something back."""

    name: str

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Change a row."""

    def delete(self, write: Write, row_id: str) -> None:
        """Delete a row."""


@dataclass
class RollbackWrites:
    """Writes of one plan: those of one stage are a group.

    `apply` carries out one write and notes a refusal in `refused` (by label). `ids` are those of created rows.
    """

    store: RollbackStore
    guard: AccessGuard
    apply: Callable[[Write], None]
    refused: Mapping[str, Any]
    ids: Mapping[PlannedId, str]
    kept: list[str] = field(default_factory=list)

    def run(self, writes: Sequence[Write]) -> None:
        """Write everything. Raises `EngineError` that says what was put back and what was not."""
        self.guard.before()
        done = 0
        for _stage, group in groupby(writes, key=lambda write: write.stage):
            written: list[Write] = []
            for write in group:
                try:
                    self.apply(write)
                except Exception as error:
                    # It may be this group that shut the caller out; if it is not, the failure speaks for itself.
                    self._check([*written, write], error)
                    raise
                done += 1
                written += [write] * (write.label not in self.refused)
                self.guard.wrote(done, len(writes))
            if written:
                self._check(written, None)
                self.kept += [write.label for write in written]

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
        words = [
            f"{self.store.name}: after writing {', '.join(write.label for write in written)} the account no longer signs in. {lost}",
            f"Put back: {', '.join(back) or 'nothing'}",
            f"NOT put back: {'; '.join(left)}. Do it by hand on the instance" if left else "",
            again,
            f"Written before and kept: {', '.join(self.kept)}" if self.kept else "Nothing else was written",
        ]
        return EngineError(". ".join(word for word in words if word), {"put_back": back, "not_put_back": left})

    def _undo(self, write: Write) -> str:
        """Put one write back; return why it could not be."""
        try:
            if write.action == UPDATE and write.undo is not None:
                self.store.update(write, _text(write.row), {name: _text(value) for name, value in write.undo.items()})
                return ""
            if write.action == CREATE and write.planned_id is not None and write.planned_id in self.ids:
                self.store.delete(write, self.ids[write.planned_id])
                return ""
        except Exception as error:  # noqa: BLE001 (whatever it is, the next one has to be put back all the same)
            return str(error)
        return "an activation has no way back" if write.action == PERFORM else "whether it was carried out is not known"


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""
