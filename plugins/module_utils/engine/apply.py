# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies a plan: writes one after the other, or many of one stage together where the platform can."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Union

from .created_rows import CreatedRows
from .errors import AlreadyExists, EngineError, PlatformFailure, Refused, UnclearOutcome
from .plan import CREATE, DELETE, REFUSED, UPDATE, Write
from .snapshot import PlannedId
from .store import BulkStore, Order, Store

# Failures in a row after which the platform is taken for unreachable: waiting for it with each further write is pointless.
MAX_FAILURES = 2

Unwritten = Union[Refused, PlatformFailure]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@dataclass
class Applier:
    """The writes of one run. `unwritten` holds noted refusals and failures by label; `rows` what the run created.

    `has_turn`: the run has its turn to create rows already, see `Store.turn`.
    """

    store: Store
    unwritten: dict[str, Unwritten] = field(default_factory=dict)
    rows: CreatedRows = field(init=False)
    has_turn: bool = False
    # The outcomes of failed writes, each with its content before the failure.
    _failed: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    _failures_in_a_row: int = 0

    def __post_init__(self) -> None:
        self.rows = CreatedRows(self.store)

    def apply(self, writes: Iterable[Write]) -> None:
        """Carry out `writes`, which are in the order of their stages.

        Raises `Refused` or `PlatformFailure` for a write without an outcome of its own.
        """
        bulk = self.store if isinstance(self.store, BulkStore) else None
        for (_stage, bulk_noun), group in groupby(writes, key=lambda write: (write.stage, write.bulk_noun)):
            if bulk_noun and bulk:
                self._apply_bulk(list(group), bulk)
            else:
                self._apply_stage(self.rows.without_existing(list(group)))

    def _apply_stage(self, writes: Sequence[Write]) -> None:
        """Carry out the writes of one stage: creates first, so that all others are about the rows that stay."""
        creates = [write for write in writes if write.action == CREATE]
        for write in creates:
            self.apply_one(write)
        self.rows.settle(creates)
        for write in writes:
            if write.action != CREATE:
                self.apply_one(write)

    def settle(self, writes: Sequence[Write]) -> None:
        """Check at the end that there is one row of each created object; write the rest of it again where that is another one.

        Raises `EngineError`, see `CreatedRows`.
        """
        for create in self.rows.settle(writes):
            for write in writes:
                if write.row == create.planned_id and write.action != CREATE:
                    self.apply_one(write)

    def note(self, write: Write, refusal: Unwritten) -> None:
        """Note a refusal or failure where the write has an outcome of its own; else raise it."""
        if write.outcome is None:
            raise refusal
        if isinstance(refusal, Refused):
            refusal = self._with_step(write, refusal)
        else:
            self._failed.setdefault(write.label, (write.outcome, dict(write.outcome)))
        write.outcome.update(status=refusal.status, reason=str(refusal))
        self.unwritten[write.label] = refusal

    @staticmethod
    def _with_step(write: Write, refusal: Refused) -> Refused:
        if write.hint:
            refusal = Refused(f"{refusal}. {write.hint}", status=refusal.status, step=refusal.step)
        if write.step:
            # The rest is a manual step, with the platform's words as the reason.
            status = write.manual_status if refusal.status == REFUSED else refusal.status
            step = refusal.step or replace(write.step, reason=str(refusal))
            refusal = Refused(str(refusal), status=status, step=step)
        return refusal

    def confirm(self, due: Collection[str]) -> None:
        """Forget the failures of writes that are no longer `due` (by label): the platform has carried them out after all."""
        for label, failure in list(self.unwritten.items()):
            if isinstance(failure, PlatformFailure) and label not in due:
                del self.unwritten[label]
                outcome, before = self._failed[label]
                outcome.clear()
                outcome.update(before)

    # -- one by one ---------------------------------------------------------------------------------------------------

    def apply_one(self, write: Write) -> None:
        """Carry out one write; a refusal or failure is noted where the write has an outcome of its own."""
        if self._failures_in_a_row >= MAX_FAILURES:
            self.note(
                write, PlatformFailure(f"{write.label}: not sent, since {self.store.name} failed the writes before")
            )
            return
        try:
            self._write(write)
        except Refused as refusal:
            self.note(write, refusal)
        except PlatformFailure as failure:
            self._failures_in_a_row += 1
            self.note(write, failure)
            return
        self._failures_in_a_row = 0

    def _write(self, write: Write) -> None:
        order = self._resolve(write)
        if write.action == CREATE:
            self.rows.create(order)
        elif write.action == UPDATE:
            if not write.secret or self.rows.secret_is_due(write):
                self.store.update(write, order.row_id, order.values)
        elif write.action == DELETE:
            self.store.delete(write, order.row_id)
        else:
            self.store.perform(write)
            if write.done_elsewhere:
                self.rows.created_elsewhere.add(write.label)

    def _resolve(self, write: Write) -> Order:
        values = {name: self.rows.resolved(value) for name, value in write.values.items()}
        return Order(write, values, self.rows.resolved(write.row))

    # -- together -----------------------------------------------------------------------------------------------------

    def _apply_bulk(self, writes: list[Write], bulk: BulkStore) -> None:
        done = 0
        while done < len(writes):
            part = writes[done : done + max(1, bulk.at_once())]
            done += len(part)
            part = [write for write in part if self._is_ready(write)]
            creates = any(write.action == CREATE for write in part)
            with self.store.turn() if creates and not self.has_turn else nullcontext():
                self._send_bulk(self.rows.without_existing(part), bulk)
            bulk.written(done, len(writes), writes[0].bulk_noun)

    def _is_ready(self, write: Write) -> bool:
        """Return whether the rows that a write refers to exist; one whose row was not created is refused as well."""
        missing = [
            value for value in write.values.values() if isinstance(value, PlannedId) and value not in self.rows.ids
        ]
        if missing:
            self.unwritten[write.label] = Refused(
                f"{write.label}: not written, since what it belongs to was not created"
            )
        return not missing

    def _send_bulk(self, writes: list[Write], bulk: BulkStore) -> None:
        """Send each write once. Those that may have been carried out are searched in one query before they are sent again."""
        sent = len(writes)
        failed: list[tuple[Write, EngineError]] = []
        doubtful: list[tuple[Write, EngineError]] = []
        for attempt in range(max(1, self.store.create_attempts)):
            if not writes:
                break
            if attempt and all(write.action != CREATE for write in writes):
                self.store.wait(attempt - 1)
            doubtful = []
            answers = bulk.write_many([self._resolve(write) for write in writes])
            for write, answer in zip(writes, answers, strict=True):
                if isinstance(answer, (UnclearOutcome, AlreadyExists)):
                    doubtful.append((write, answer))
                elif isinstance(answer, Refused):
                    self.note(write, answer)
                elif isinstance(answer, PlatformFailure):
                    failed.append((write, answer))
                elif isinstance(answer, EngineError):
                    raise answer
                else:
                    self.rows.note(write, str(answer.get(self.store.id_column, "")), own=write.action == CREATE)
            writes = self._unconfirmed(doubtful)
        failed += [(write, error) for write, error in doubtful if any(write is one for one in writes)]
        self._note_failures(failed, sent)

    def _note_failures(self, failed: Sequence[tuple[Write, EngineError]], sent: int) -> None:
        """Note the failures among the `sent` writes; raise the first one when nothing came through.

        The platform is unreachable then, so waiting for it with each further part is pointless.
        """
        if len(failed) > 1 and len(failed) == sent:
            raise failed[0][1]
        for write, error in failed:
            self.note(write, PlatformFailure(str(error)))

    def _unconfirmed(self, doubtful: Sequence[tuple[Write, EngineError]]) -> list[Write]:
        """Return the writes that were not carried out, and note the refused ones."""
        if not doubtful:
            return []
        not_done = []
        found = self.rows.found_in_time([write for write, _error in doubtful])
        for (write, error), rows in zip(doubtful, found, strict=True):
            if rows and isinstance(error, AlreadyExists):
                self.rows.adopt(write, str(rows[0][self.store.id_column]))
            elif bool(rows) != (write.action == DELETE):
                continue
            elif isinstance(error, Refused):
                self.note(write, error)
            else:
                not_done.append(write)
        return not_done
