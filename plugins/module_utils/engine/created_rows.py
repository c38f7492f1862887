# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that a run creates: one for each key, also when commits are late and runs overlap.

A commit that arrives after its time-out, and a run on another machine, can leave two rows of one key. So the key is read
directly before a create, after it, and at the end of the run. All runs agree on which row stays, the oldest, and each
deletes only what it created itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .errors import EngineError, Refused, UnclearOutcome
from .plan import CREATE, OK, Plan, SecretCheck, Value, Write
from .snapshot import PlannedId, Query, Row, Snapshot, merged
from .store import MATCH, Order, Store

# How often a row is looked up again after an unclear answer, before it is created again: commits have been seen up to eight
# seconds after the time-out. Also how long another run may take to delete its row, or to write its secret.
LOOKUPS = 4

Found = TypeVar("Found")


@dataclass
class CreatedRows:
    """The creates of one run, and the ids of their rows.

    `ids` has the row of each `PlannedId`; `own` the ids of the rows that this run created, by label; `created_elsewhere`
    the labels of rows that another run created first. `unclear` holds the labels of creates whose answer was lost. `checks`
    are those of the secrets to write, and `columns` (by collection) what they need of a row.
    """

    store: Store
    ids: dict[PlannedId, str] = field(default_factory=dict)
    own: dict[str, set[str]] = field(default_factory=dict)
    created_elsewhere: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)
    checks: Sequence[SecretCheck] = ()
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)

    # -- before and while creating ------------------------------------------------------------------------------------

    def without_existing(self, writes: Sequence[Write]) -> list[Write]:
        """Return `writes` without creates of rows that exist by now: another run may have created them since the read."""
        creates = [write for write in writes if write.action == CREATE and not write.has_own_id]
        found = zip(creates, self.rows_of(creates), strict=True) if creates else ()
        existing = {id(write): rows for write, rows in found if rows}
        for write in creates:
            if id(write) in existing:
                self.adopt(write, self._oldest(existing[id(write)]))
        return [write for write in writes if id(write) not in existing]

    def create(self, order: Order) -> None:
        """Create one row. When the answer was lost, its key is looked up before anything is sent again.

        Raises `Refused`, and `UnclearOutcome` after the last attempt.
        """
        write = order.write
        for _attempt in range(max(1, self.store.create_attempts)):
            try:
                row = self.store.create(write, order.values)
            except UnclearOutcome as unclear:
                failure = unclear
                if self.found_in_time([write])[0]:
                    return
            except Refused:
                # The platform itself may keep a key unique, and another run may have been faster.
                rows = [] if write.has_own_id else self.rows_of([write])[0]
                if not rows:
                    raise
                self.adopt(write, self._oldest(rows))
                return
            else:
                self.note(write, self._id_of(row), own=True)
                return
        raise failure

    def found_in_time(self, writes: Sequence[Write]) -> list[list[Row]]:
        """Return the rows that match each write whose answer was lost, looked up until a late commit would have arrived."""
        self.unclear |= {write.label for write in writes}
        found = self._look_until(
            lambda: self.rows_of(writes),
            lambda rows: all(each or write.action != CREATE for write, each in zip(writes, rows, strict=True)),
        )
        for write, rows in zip(writes, found, strict=True):
            if rows:
                # Of several rows one is chosen at the end.
                oldest = min(rows, key=self._age)
                own = write.action == CREATE and self._is_unfinished(oldest)
                self.note(write, self._id_of(oldest), own=own)
        return found

    def note(self, write: Write, row_id: str, *, own: bool) -> None:
        """Note the row of a write; `own`: this run created it."""
        if write.planned_id:
            self.ids[write.planned_id] = row_id
        if own:
            self.own.setdefault(write.label, set()).add(row_id)

    def adopt(self, write: Write, row_id: str) -> None:
        """Continue with the row `row_id` of another run."""
        self.note(write, row_id, own=False)
        self.created_elsewhere.add(write.label)
        if write.outcome is not None:
            write.outcome.update(status=OK)

    # -- after creating -----------------------------------------------------------------------------------------------

    def settle(self, writes: Iterable[Write]) -> list[Write]:
        """Read the keys of the creates among `writes` again, and keep one row of each; return those with another row now.

        Raises `EngineError` for a row that is not found under its key, and for several rows that this run may not delete.
        """
        creates = [write for write in writes if self._is_to_settle(write)]
        changed = []
        for write, rows in zip(creates, self.rows_of(creates), strict=True) if creates else ():
            before = self.ids.get(write.planned_id) if write.planned_id else None
            own = self.own.get(write.label, set())
            if own and not rows and write.outcome is None and not write.is_join_row:
                self._report_lost(write, min(own))
            if len(rows) > 1:
                self._keep_one(write, rows)
            elif rows and self.store.age_columns and own and self._id_of(rows[0]) not in own:
                self.adopt(write, self._id_of(rows[0]))
            if write.planned_id and self.ids.get(write.planned_id) != before:
                changed.append(write)
        return changed

    def _is_to_settle(self, write: Write) -> bool:
        attempted = write.label in self.own or write.label in self.unclear or write.label in self.created_elsewhere
        return write.action == CREATE and attempted and not write.has_own_id and not write.bulk_noun

    def _keep_one(self, write: Write, rows: Sequence[Row]) -> None:
        """Delete the younger ones of several rows of one key, as far as this run created them; wait for other runs to do so."""
        oldest, *younger = sorted(rows, key=self._age)
        mine = [row for row in younger if self._is_own(write, row)]
        for row in mine:
            self.store.delete(write, self._id_of(row))
        kept, left = oldest, self._left(write, [row for row in younger if row not in mine])
        if len(left) == 1 and self._is_own(write, oldest):
            # Its run has ended, and saw one row only, so only this run can delete the other one.
            self.store.delete(write, self._id_of(oldest))
            mine.append(oldest)
            kept, left = left[0], []
        if left:
            listed = ", ".join(sorted(map(self._id_of, [kept, *left])))
            raise EngineError(
                f"{self.store.name}: {1 + len(left)} rows are {write.label} ({listed}), and this run did not create "
                f"{', '.join(map(self._id_of, left))}. If another run is under way, run again when it has ended; else remove all but "
                f"{self._id_of(kept)}"
            )
        if mine:
            self.store.warn(
                f"{write.label}: {len(mine)} row{'s' if len(mine) > 1 else ''} too many, of a late commit or of two runs at once, "
                f"deleted; {self._id_of(kept)} stays"
            )
        if self._is_own(write, kept):
            self.note(write, self._id_of(kept), own=True)
        else:
            self.adopt(write, self._id_of(kept))

    def _left(self, write: Write, rows: Sequence[Row]) -> Sequence[Row]:
        """Return those of other runs' `rows` that stay although their runs had the time to delete them."""
        ids = [self._id_of(row) for row in rows]
        return self._look_until(lambda: self._rows_by_id(write, ids), lambda found: not found) if ids else []

    def _is_own(self, write: Write, row: Row) -> bool:
        """Return whether this run created the row: by its answer, or by a request whose answer was lost."""
        return self._id_of(row) in self.own.get(write.label, ()) or (
            write.label in self.unclear and self._is_unfinished(row)
        )

    def _report_lost(self, write: Write, row_id: str) -> None:
        """Raise `EngineError` for a created row that is not found by its key."""
        rows = self._rows_by_id(write, [row_id])
        if not rows:
            raise EngineError(
                f"{self.store.name}: {write.label} was created ({row_id}), but the account may not see it. Give it read access to "
                f"{write.collection}, then run again"
            )
        stored = [
            f"{name} as {rows[0].get(name)!r}" for name, value in write.identity.items() if rows[0].get(name) != value
        ]
        self.store.delete(write, row_id)
        raise EngineError(
            f"{self.store.name} stored {', '.join(stored)} when {write.label} was created, not as sent; the row was deleted again. "
            f"The value may be longer than its column"
        )

    # -- secrets ------------------------------------------------------------------------------------------------------

    def expect_secrets(self, snapshot: Snapshot, plans: Iterable[Plan]) -> None:
        """Learn from the snapshot which columns a check needs, and from the plans which secrets are to be written."""
        self.checks = [check for plan in plans for check in plan.secrets]
        for query, _answer in snapshot.answers:
            known = self.columns.get(query.collection, ())
            self.columns[query.collection] = tuple(dict.fromkeys((*known, *query.columns)))

    def secret_is_due(self, write: Write) -> bool:
        """Return False for the secret of a row of another run that holds it already.

        Raises `EngineError` where the row holds another secret, or may do so: it is in use by the other run.
        """
        if write.label not in self.created_elsewhere:
            return True
        row_id = self.resolved(write.row)
        rows = self._look_until(
            lambda: self._rows_by_id(write, [row_id], self.columns.get(write.collection, ())),
            lambda found: not any(map(self._is_unfinished, found)),
        )
        if any(map(self._is_unfinished, rows)):
            # The other run ended before it came to write its secret.
            return True
        (value,) = write.values.values()
        probes = [check.probe for check in self.checks if (check.label, check.value) == (write.label, value)]
        if any(self.store.verdict(probe, value, row) == MATCH for probe in probes for row in rows):
            return False
        raise EngineError(
            f"{self.store.name}: another run created {write.label} at the same time ({row_id}), and its secret is not known to be "
            f"that of this run. The row was left as it is; run again with the secrets of the other run"
        )

    # -- reading ------------------------------------------------------------------------------------------------------

    def resolved(self, value: Value) -> Any:
        """Return a value to send: the id of the row that a `PlannedId` stands for."""
        return self.ids[value] if isinstance(value, PlannedId) else value

    def rows_of(self, writes: Sequence[Write]) -> list[list[Row]]:
        """Return, for each write, the rows that match its result; one round trip for all."""
        wanted = [{name: self.resolved(value) for name, value in write.identity.items()} for write in writes]
        reads = []
        for write, identity in zip(writes, wanted, strict=True):
            (column, value), *others = identity.items()
            # Of many, the other columns are compared here only: a single condition makes a single query.
            where, more = ((), ()) if write.bulk_noun else (tuple(others), self.store.age_columns)
            columns = tuple(dict.fromkeys((self.store.id_column, *identity, *write.ignored, *more)))
            reads.append(Query(write.collection, column, (value,), columns, where))
        reads = merged(reads)
        snapshot = Snapshot.of(reads, self.store.read(reads), self.store.id_column)
        found = []
        for write, identity in zip(writes, wanted, strict=True):
            column, value = next(iter(identity.items()))
            rows = snapshot.rows(write.collection, column, value, identity)
            found.append([row for row in rows if not any(row.get(n, "") == v for n, v in write.ignored.items())])
        return found

    def _rows_by_id(self, write: Write, ids: Sequence[str], columns: Sequence[str] = ()) -> list[Row]:
        wanted = tuple(dict.fromkeys((self.store.id_column, *write.identity, *columns, *self.store.age_columns)))
        (answer,) = self.store.read([Query(write.collection, self.store.id_column, tuple(ids), wanted)])
        return [row for row in answer.rows if self._id_of(row) in ids]

    def _look_until(self, look: Callable[[], Found], is_enough: Callable[[Found], bool]) -> Found:
        """Return what `look` finds as soon as it is enough, or at the end of the time that other runs and late commits get."""
        found = look()
        for lookup in range(LOOKUPS):
            if is_enough(found):
                break
            self.store.wait(lookup)
            found = look()
        return found

    def _is_unfinished(self, row: Row) -> bool:
        return bool(self.store.age_columns) and self.store.is_unfinished(row)

    def _oldest(self, rows: Sequence[Row]) -> str:
        return self._id_of(min(rows, key=self._age))

    def _age(self, row: Row) -> tuple[str, str]:
        """Return what orders rows by age; where they do not show it, all runs agree on the order of their ids."""
        created = row.get(self.store.age_columns[0], "") if self.store.age_columns else ""
        return str(created), self._id_of(row)

    def _id_of(self, row: Row) -> str:
        return str(row[self.store.id_column])
