# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies a plan: writes one after the other, or many of one stage together where the platform can."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Union

from .errors import AlreadyExists, EngineError, PlatformFailure, Refused, UnclearOutcome
from .plan import CREATE, DELETE, OK, REFUSED, UPDATE, Value, Write
from .snapshot import PlannedId, Query, Row, Snapshot, merged
from .store import BulkStore, Order, Store

# Failures in a row after which the platform is taken for unreachable: waiting for it with each further write is pointless.
MAX_FAILURES = 2
# How often a row is looked up again after an unclear answer, before it is created again: commits have been seen up to eight
# seconds after the time-out.
LOOKUPS = 4

Unwritten = Union[Refused, PlatformFailure]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@dataclass
class Applier:
    """The writes of one run. `unwritten` holds noted refusals and failures by label; `created_elsewhere` the labels of rows
    that another run created first; `ids` the ids of created rows.
    """

    store: Store
    unwritten: dict[str, Unwritten] = field(default_factory=dict)
    created_elsewhere: set[str] = field(default_factory=set)
    ids: dict[PlannedId, str] = field(default_factory=dict)
    # The ids of the rows that this run created by a clear answer, and the labels whose answer was lost.
    created: dict[str, str] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)
    # The outcomes of failed writes, each with its content before the failure.
    _failed: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    _failures_in_a_row: int = 0

    def apply(self, writes: Iterable[Write]) -> None:
        """Carry out `writes`, which are in the order of their stages.

        Raises `Refused` or `PlatformFailure` for a write without an outcome of its own.
        """
        bulk = self.store if isinstance(self.store, BulkStore) else None
        for (_stage, bulk_noun), group in groupby(writes, key=lambda write: (write.stage, write.bulk_noun)):
            if bulk_noun and bulk:
                self._apply_bulk(list(group), bulk)
            else:
                for write in group:
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
            self._made(write, self._create(order))
        elif write.action == UPDATE:
            self.store.update(write, order.row_id, order.values)
        elif write.action == DELETE:
            self.store.delete(write, order.row_id)
        else:
            self.store.perform(write)

    def _resolve(self, write: Write) -> Order:
        values = {name: self._resolved(value) for name, value in write.values.items()}
        return Order(write, values, self._resolved(write.row))

    def _resolved(self, value: Value) -> Any:
        return self.ids[value] if isinstance(value, PlannedId) else value

    def _made(self, write: Write, row_id: str) -> None:
        if write.planned_id:
            self.ids[write.planned_id] = row_id

    def _create(self, order: Order) -> str:
        """Create once. When the answer was lost, the row is searched by its key before anything is sent again."""
        for _attempt in range(max(1, self.store.create_attempts)):
            try:
                row_id = self._id_of(self.store.create(order.write, order.values))
            except UnclearOutcome as unclear:
                self.unclear.add(order.write.label)
                rows = self._rows_in_time([order.write])[0]
                if rows:
                    # Of several rows one is chosen after the last write.
                    return min(map(self._id_of, rows))
                failure = unclear
            else:
                self.created[order.write.label] = row_id
                return row_id
        raise failure

    def _rows_in_time(self, writes: Sequence[Write]) -> list[list[Row]]:
        """Return the rows that match each write, looked up until a late commit would have arrived for every create."""
        found = self._rows_of(writes)
        for lookup in range(LOOKUPS):
            if not any(write.action == CREATE and not rows for write, rows in zip(writes, found, strict=True)):
                break
            self.store.wait(lookup)
            found = self._rows_of(writes)
        return found

    def adopt(self, write: Write, row_id: str) -> None:
        """Continue with the row `row_id` as the one of a create."""
        self._made(write, row_id)
        if self.created.get(write.label) != row_id:
            self.created_elsewhere.add(write.label)

    def _rows_of(self, writes: Sequence[Write]) -> list[list[Row]]:
        """Return, for each write, the rows that match its result; one query for all."""
        wanted = [{name: self._resolved(value) for name, value in write.identity.items()} for write in writes]
        reads = []
        for write, identity in zip(writes, wanted, strict=True):
            (column, value), *others = identity.items()
            # Of many, the other columns are compared here only: a single condition makes a single query.
            where = () if write.bulk_noun else tuple(others)
            reads.append(
                Query(
                    write.collection, column, (value,), tuple(dict.fromkeys((self.store.id_column, *identity))), where
                )
            )
        reads = merged(reads)
        snapshot = Snapshot.of(reads, self.store.read(reads), self.store.id_column)
        return [
            snapshot.rows(write.collection, column, value, identity)
            for write, identity in zip(writes, wanted, strict=True)
            for column, value in list(identity.items())[:1]
        ]

    def _id_of(self, row: Row) -> str:
        return str(row[self.store.id_column])

    # -- together -----------------------------------------------------------------------------------------------------

    def _apply_bulk(self, writes: list[Write], bulk: BulkStore) -> None:
        done = 0
        while done < len(writes):
            part = writes[done : done + max(1, bulk.at_once())]
            creates = any(write.action == CREATE for write in part)
            with bulk.turn() if creates else nullcontext():
                self._send_bulk(self._drop_existing(part), bulk)
            done += len(part)
            bulk.written(done, len(writes), part[0].bulk_noun)

    def _drop_existing(self, writes: list[Write]) -> list[Write]:
        """Return the writes without creates of rows that exist by now: another run may have created them since the read."""
        creates = [write for write in writes if write.action == CREATE]
        found = zip(creates, self._rows_of(creates), strict=True) if creates else ()
        created_elsewhere = {write.label: rows for write, rows in found if rows}
        for write in creates:
            if write.label in created_elsewhere:
                self._created_elsewhere(write, created_elsewhere[write.label])
        return [write for write in writes if write.label not in created_elsewhere]

    def _created_elsewhere(self, write: Write, rows: Sequence[Row]) -> None:
        self.created_elsewhere.add(write.label)
        self._made(write, min(map(self._id_of, rows)))
        if write.outcome is not None:
            write.outcome.update(status=OK)

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
                    self._made(write, str(answer.get(self.store.id_column, "")))
                    if write.action == CREATE:
                        self.created[write.label] = str(answer.get(self.store.id_column, ""))
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
        self.unclear |= {write.label for write, error in doubtful if isinstance(error, UnclearOutcome)}
        found = self._rows_in_time([write for write, _error in doubtful])
        for (write, error), rows in zip(doubtful, found, strict=True):
            if rows and isinstance(error, AlreadyExists):
                self._created_elsewhere(write, rows)
            elif rows:
                self._made(write, min(map(self._id_of, rows)))
            elif isinstance(error, Refused):
                self.note(write, error)
            else:
                not_done.append(write)
        return not_done
