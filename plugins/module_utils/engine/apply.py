# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies a plan: writes one after the other, or many of one stage together where the platform can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from .errors import AlreadyExists, EngineError, Refused, UnclearOutcome
from .plan import CREATE, DELETE, FAILED, OK, REFUSED, UPDATE, Value, Write
from .snapshot import PlannedId, Query, Row, Snapshot, merged
from .store import BulkStore, Order, Store


@dataclass
class Applier:
    """The writes of one run. `refused` holds noted refusals by label; `created_elsewhere` the labels of rows that another run
    created first; `ids` the ids of created rows.
    """

    store: Store
    refused: dict[str, Refused] = field(default_factory=dict)
    created_elsewhere: set[str] = field(default_factory=set)
    ids: dict[PlannedId, str] = field(default_factory=dict)

    def apply(self, writes: Iterable[Write]) -> None:
        """Carry out `writes`, which are in the order of their stages.

        Raises `Refused` for a write without an outcome of its own, and `UnclearOutcome` when the result of one stays unknown.
        """
        bulk = self.store if isinstance(self.store, BulkStore) else None
        for (_stage, bulk_noun), group in groupby(writes, key=lambda write: (write.stage, write.bulk_noun)):
            if bulk_noun and bulk:
                self._apply_bulk(list(group), bulk)
            else:
                for write in group:
                    self.apply_one(write)

    def note(self, write: Write, refusal: Refused) -> None:
        """Note a refusal where the write has an outcome of its own; else raise it."""
        if write.outcome is None:
            raise refusal
        if write.hint:
            refusal = Refused(f"{refusal}. {write.hint}", status=refusal.status, step=refusal.step)
        if write.step:
            # The rest is a manual step, with the platform's words as the reason.
            status = write.manual_status if refusal.status == REFUSED else refusal.status
            step = refusal.step or replace(write.step, reason=str(refusal))
            refusal = Refused(str(refusal), status=status, step=step)
        write.outcome.update(status=refusal.status, reason=str(refusal))
        self.refused[write.label] = refusal

    # -- one by one ---------------------------------------------------------------------------------------------------

    def apply_one(self, write: Write) -> None:
        """Carry out one write; a refusal is noted where the write has an outcome of its own."""
        try:
            self._write(write)
        except Refused as refusal:
            self.note(write, refusal)

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
        for attempt in range(max(1, self.store.create_attempts)):
            if attempt:
                self.store.wait(attempt - 1)
            try:
                return self._id_of(self.store.create(order.write, order.values))
            except UnclearOutcome as unclear:
                rows = self._rows_of([order.write])[0]
                if len(rows) > 1:
                    ids = ", ".join(sorted(map(self._id_of, rows)))
                    raise EngineError(
                        f"{self.store.name}: creating {order.write.label} left {len(rows)} rows ({ids}); remove all but one"
                    ) from None
                if rows:
                    return self._id_of(rows[0])
                failure = unclear
        raise failure

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
        for attempt in range(max(1, self.store.create_attempts)):
            if not writes:
                return
            if attempt:
                self.store.wait(attempt - 1)
            doubtful: list[tuple[Write, EngineError]] = []
            answers = bulk.write_many([self._resolve(write) for write in writes])
            for write, answer in zip(writes, answers, strict=True):
                if isinstance(answer, (UnclearOutcome, AlreadyExists)):
                    doubtful.append((write, answer))
                elif isinstance(answer, Refused):
                    self.note(write, answer)
                elif isinstance(answer, EngineError):
                    raise answer
                else:
                    self._made(write, str(answer.get(self.store.id_column, "")))
            writes = self._unconfirmed(doubtful)
        given_up = [(write, error) for write, error in doubtful if any(write is one for one in writes)]
        if len(given_up) > 1 and len(given_up) == sent:
            # Nothing came through: the platform is unreachable, so waiting for it with each further part is pointless.
            raise given_up[0][1]
        for write, error in given_up:
            self.note(write, Refused(str(error), status=FAILED))

    def _unconfirmed(self, doubtful: Sequence[tuple[Write, EngineError]]) -> list[Write]:
        """Return the writes that were not carried out, and note the refused ones."""
        if not doubtful:
            return []
        not_done = []
        found = self._rows_of([write for write, _error in doubtful])
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
