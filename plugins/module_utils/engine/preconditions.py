# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold before the first write, so that a run that cannot succeed writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import InvalidInput, Refused
from .plan import CREATE, DELETE, Plan, ordered
from .snapshot import Query, Row, Snapshot
from .store import LengthSource, Store


def check_before_writing(store: Store, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    """Raise `InvalidInput` for contradictory plans and missing columns, `Refused` for missing roles."""
    for write in ordered(plans):
        if write.action == DELETE and not write.is_join_row and write.row in snapshot.referred:
            raise InvalidInput(
                f"{store.name}: {write.label} is to be deleted, but other objects of this task refer to it. Nothing was written"
            )
    _check_hidden(store, snapshot, plans)
    _check_roles(store, plans)
    _check_columns(store, plans)


def _check_hidden(store: Store, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    """Raise `Refused` for a create whose key the platform counts rows of that it does not show: each run would add one."""
    for write in ordered(plans):
        if write.action != CREATE or write.is_join_row or write.outcome is not None or not write.identity:
            continue
        hidden = snapshot.hidden_count(write.collection, next(iter(write.identity)))
        if hidden:
            raise Refused(
                f"{store.name}: {write.label} may exist already: {hidden} matching row{'s' if hidden > 1 else ''} of {write.collection} "
                f"cannot be seen by the account. Give it read access to {write.collection}, then run again. Nothing was written"
            )


def _check_roles(store: Store, plans: Sequence[Plan]) -> None:
    needs = [need for plan in plans for need in plan.needs]
    account = store.account() if needs else None
    if account is None or account.roles is None:
        return
    if account.blocked_by:
        raise Refused(
            f"{store.name}: {account.user_name} may not {needs[0].what}: it has the role {account.blocked_by}, which blocks every "
            f"write, with any other roles. Remove that role from the account. Nothing was written"
        )
    for need in needs:
        if not account.roles.intersection(need.roles):
            held = ", ".join(sorted(account.roles)) or "none"
            raise Refused(
                f"{store.name}: {account.user_name} may not {need.what}: it needs one of the roles {', '.join(need.roles)}, "
                f"but has: {held}. Nothing was written"
            )


def _check_columns(store: Store, plans: Sequence[Plan]) -> None:
    columns: dict[str, tuple[str, ...]] = {}
    for plan in plans:
        for collection, names in plan.columns.items():
            columns[collection] = tuple(dict.fromkeys(columns.get(collection, ()) + names))
    reads = [
        Query(name, "", (), (store.id_column, *wanted), optional=True, limit=1)
        for name, wanted in columns.items()
        if wanted
    ]
    source = store.lengths if reads else None
    lengths = [_length_query(source, read.collection) for read in reads] if source else []
    answers = store.read([*reads, *lengths]) if reads else []
    for query, answer in zip(lengths, answers[len(reads) :], strict=True):
        _check_lengths(store, query.values[0], answer.rows, plans)
    for read, answer in zip(reads, answers, strict=False):
        missing = [name for name in read.columns if answer.rows and name not in answer.rows[0]]
        if missing:
            raise InvalidInput(
                f"{store.name}: {read.collection} has no field {', '.join(missing)} on this instance, or the account may not "
                f"read it. Nothing was written; leave it out, or use a release that has it"
            )


def _length_query(source: LengthSource, collection: str) -> Query:
    return Query(
        source.collection, source.table, (collection,), (source.table, source.column, source.length), optional=True
    )


def _check_lengths(store: Store, collection: str, rows: Sequence[Row], plans: Sequence[Plan]) -> None:
    """Raise `InvalidInput` for a value that is longer than its column: cut without an error, it would not be found again."""
    source = store.lengths
    if source is None:
        return
    lengths = {
        str(row.get(source.column)): int(row[source.length])
        for row in rows
        if row.get(source.table) == collection and str(row.get(source.length) or "").isdigit()
    }
    for write in ordered(plans):
        if write.action != CREATE or write.collection != collection:
            continue
        for name, value in write.identity.items():
            limit = lengths.get(name, 0)
            if limit and isinstance(value, str) and len(value) > limit:
                raise InvalidInput(
                    f"{store.name}: {write.label}: {name} has {len(value)} characters, and the column {name} of {collection} holds "
                    f"{limit}. Nothing was written; shorten it"
                )
