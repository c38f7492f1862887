# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that a run created: one for each key, and under the key that was sent.

A commit that arrives after its time-out, and a second run, can leave two rows of one key. All runs agree on which one stays, the
oldest, and each deletes only what it created itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .apply import Applier
from .errors import EngineError
from .plan import CREATE, Plan, Write
from .snapshot import Query, Row, Snapshot
from .store import MATCH, Store


def settle_created_rows(
    store: Store, applier: Applier, writes: Sequence[Write], plans: Sequence[Plan], snapshot: Snapshot
) -> bool:
    """Check the created rows in a `snapshot` that was taken after `writes`; return whether it is out of date now.

    Raises `EngineError` for a row that is not under its key, for rows of one key that this run may not delete, and for a
    row of another run whose secret is not that of this run. Objects with an outcome of their own are left to their resource.
    """
    if not store.age_columns:
        return False
    changed = False
    for write in writes:
        row_id = applier.ids.get(write.planned_id) if write.planned_id else applier.created.get(write.label)
        single = write.action == CREATE and write.outcome is None and not write.is_join_row
        if not single or not row_id or not _was_queried(snapshot, write):
            continue
        (column, value), *_others = write.identity.items()
        rows = snapshot.rows(write.collection, column, value, write.identity)
        if not rows and write.label in applier.created:
            _report_lost(store, write, row_id)
        if len(rows) > 1:
            _keep_oldest(store, applier, write, rows)
            _redo(store, applier, write, writes, plans)
            changed = True
    return changed


def _was_queried(snapshot: Snapshot, write: Write) -> bool:
    column = next(iter(write.identity), "")
    return any((read.collection, read.column) == (write.collection, column) for read, _answer in snapshot.answers)


def _rows_by_id(store: Store, write: Write, ids: Sequence[str]) -> list[Row]:
    columns = tuple(dict.fromkeys((store.id_column, *write.identity, *store.age_columns)))
    (answer,) = store.read([Query(write.collection, store.id_column, tuple(ids), columns)])
    return [row for row in answer.rows if str(row.get(store.id_column)) in ids]


def _report_lost(store: Store, write: Write, row_id: str) -> None:
    """Raise `EngineError` for a created row that is not found by its key."""
    rows = _rows_by_id(store, write, [row_id])
    if not rows:
        raise EngineError(
            f"{store.name}: {write.label} was created ({row_id}), but the account may not see it. Give it read access to "
            f"{write.collection}, then run again"
        )
    stored = [
        f"{name} as {rows[0].get(name)!r}" for name, value in write.identity.items() if rows[0].get(name) != value
    ]
    store.delete(write, row_id)
    raise EngineError(
        f"{store.name} stored {', '.join(stored)} when {write.label} was created, not as sent; the row was deleted again. The "
        f"value may be longer than its column"
    )


def _keep_oldest(store: Store, applier: Applier, write: Write, rows: Sequence[Row]) -> None:
    """Delete the younger ones of several rows of one key, and continue with the oldest."""
    ids = [str(row[store.id_column]) for row in rows]
    oldest, *younger = sorted(_rows_by_id(store, write, ids), key=lambda row: _age(store, row))
    foreign = [row for row in younger if not _is_own(store, applier, write, row)]
    if foreign:
        listed = ", ".join(sorted(ids))
        raise EngineError(
            f"{store.name}: {len(ids)} rows are {write.label} ({listed}), and this run did not create "
            f"{', '.join(str(row[store.id_column]) for row in foreign)}. If another run is under way, run again when it has ended; "
            f"else remove all but {oldest[store.id_column]}"
        )
    for row in younger:
        store.delete(write, str(row[store.id_column]))
    store.warn(
        f"{write.label}: {len(younger)} row{'s' if len(younger) > 1 else ''} too many, of a late commit or of two runs at once, "
        f"deleted; {oldest[store.id_column]} stays"
    )
    applier.adopt(write, str(oldest[store.id_column]))


def _age(store: Store, row: Row) -> tuple[Any, ...]:
    return str(row.get(store.age_columns[0]) or ""), str(row[store.id_column])


def _is_own(store: Store, applier: Applier, write: Write, row: Row) -> bool:
    """Return whether this run created the row: by its answer, or by a request whose answer was lost."""
    if applier.created.get(write.label) == str(row[store.id_column]):
        return True
    return write.label in applier.unclear and store.is_unfinished(row)


def _redo(store: Store, applier: Applier, create: Write, writes: Sequence[Write], plans: Sequence[Plan]) -> None:
    """Carry out the other writes of an object for the row that stays; its secrets only where they are not those of another run."""
    if create.planned_id is None:
        return
    row_id = applier.ids[create.planned_id]
    if applier.created.get(create.label) == row_id:
        return
    (row,) = _rows_by_id(store, create, [row_id])
    unfinished = store.is_unfinished(row)
    for write in writes:
        if write.row != create.planned_id or write.action == CREATE:
            continue
        if write.secret and not unfinished:
            _check_secret(store, create, write, plans, row)
        else:
            applier.apply_one(write)


def _check_secret(store: Store, create: Write, write: Write, plans: Sequence[Plan], row: Row) -> None:
    (value,) = write.values.values()
    probes = [
        check.probe for plan in plans for check in plan.secrets if (check.label, check.value) == (write.label, value)
    ]
    if not any(store.verdict(probe, value, row) == MATCH for probe in probes):
        raise EngineError(
            f"{store.name}: another run created {create.label} at the same time ({row[store.id_column]}), and its secret is not "
            f"known to be that of this run. The row of this run was deleted; run again with the secrets of the other run"
        )
