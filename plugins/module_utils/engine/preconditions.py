# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold before the first write, so that a run that cannot succeed writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import InvalidInput, Refused
from .plan import DELETE, Plan, ordered
from .snapshot import Query, Snapshot
from .store import Store


def check_before_writing(store: Store, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    """Raise `InvalidInput` for contradictory plans and missing columns, `Refused` for missing roles."""
    for write in ordered(plans):
        if write.action == DELETE and not write.is_join_row and write.row in snapshot.referred:
            raise InvalidInput(
                f"{store.name}: {write.label} is to be deleted, but other objects of this task refer to it. Nothing was written"
            )
    _check_roles(store, plans)
    _check_columns(store, plans)


def _check_roles(store: Store, plans: Sequence[Plan]) -> None:
    needs = [need for plan in plans for need in plan.needs]
    account = store.account() if needs else None
    if account is None or account.roles is None:
        return
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
    for read, answer in zip(reads, store.read(reads) if reads else (), strict=True):
        missing = [name for name in read.columns if answer.rows and name not in answer.rows[0]]
        if missing:
            raise InvalidInput(
                f"{store.name}: {read.collection} has no field {', '.join(missing)} on this instance, or the account may not "
                f"read it. Nothing was written; leave it out, or use a release that has it"
            )
