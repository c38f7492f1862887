# SPDX-License-Identifier: GPL-3.0-or-later
"""Many-to-many fields: lists of names stored as rows of a join table, such as the roles of a user."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ..engine.errors import InvalidInput
from ..engine.field import Field
from ..engine.plan import CREATE, DELETE, Need, Plan, Value, Write
from ..engine.snapshot import PlannedId, Query, Row, Snapshot
from .account import ADMIN


@dataclass(frozen=True)
class JoinTable:
    """A table whose rows join an owner (column `owner`) to a row of `targets` (column `target`), named by its column `by`.

    Rows whose column `inherited` is true follow from other rows and are never changed.
    """

    table: str
    owner: str
    target: str
    targets: str
    by: str
    inherited: str = ""


@dataclass(frozen=True)
class JoinField(Field):
    """A field whose value is the list of names that `join` holds for its owner."""

    join: JoinTable = field(kw_only=True)


@dataclass(frozen=True)
class JoinOwner:
    """The row that owns join rows: its label, its first key column with its value, and its stage."""

    label: str
    column: str
    name: str
    stage: int


def join_queries(owner: JoinOwner, join: JoinTable, names: Collection[str]) -> list[Query]:
    """Return the queries for the join rows of `owner`, and for the rows that have one of `names`."""
    by_owner = f"{join.owner}.{owner.column}"
    by_target = f"{join.target}.{join.by}"
    columns = ("sys_id", join.owner, by_owner, join.target, by_target, join.inherited or "sys_id")
    reads = [Query(join.table, by_owner, (owner.name,), tuple(dict.fromkeys(columns)))]
    if names:
        reads.append(Query(join.targets, join.by, tuple(names), ("sys_id", join.by)))
    return reads


def plan_joins(
    plan: Plan,
    owner: JoinOwner,
    row: Value,
    joined: JoinField,
    names: Iterable[str],
    snapshot: Snapshot,
    *,
    exclusive: bool,
) -> None:
    """Compare the join rows of `row` with `names`; with `exclusive`, other ones are removed."""
    join = joined.join
    rows: list[Row] = (
        [] if isinstance(row, PlannedId) else snapshot.rows(join.table, f"{join.owner}.{owner.column}", owner.name)
    )
    name_column = f"{join.target}.{join.by}"
    linked = {found.get(name_column, "") for found in rows}
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if snapshot.resolve_id(join.targets, join.by, name) is None]
    if unknown:
        raise InvalidInput(
            f"{owner.label}: {joined.name} names {', '.join(map(repr, unknown))}, but no {join.targets} record has that "
            f"{join.by}, and nothing in this task creates it. If there is one, the account of this task may not read it"
        )
    missing = [name for name in wanted if name not in linked]
    extra = [
        found for found in rows
        if exclusive and found.get(name_column, "") not in wanted and found.get(join.inherited, "") != "true"
    ]  # fmt: skip
    for name in missing:
        values: dict[str, Value] = {
            join.owner: row,
            join.target: snapshot.resolve_id(join.targets, join.by, name) or "",
        }
        plan.writes.append(_join_write(CREATE, owner, join, name, values))
    for found in extra:
        plan.writes.append(_join_write(DELETE, owner, join, found.get(name_column, ""), {}, found["sys_id"]))
    if missing or extra:
        removed = {found.get(name_column, "") for found in extra}
        if not isinstance(row, PlannedId):
            plan.add_drift(joined.name, sorted(linked), sorted((linked - removed) | set(wanted)))
        plan.needs += [Need(f"grant {name} to {owner.label}", (ADMIN,)) for name in missing if name == ADMIN]


def _join_write(
    action: str, owner: JoinOwner, join: JoinTable, name: str, values: dict[str, Value], row: str = ""
) -> Write:
    label = f"{owner.label}: {name}"
    write = Write(action, join.table, label, values, row, owner.stage + 1, identity=dict(values))
    write.is_join_row = True
    # They follow from other rows, in addition to a direct one.
    write.ignored = {join.inherited: "true"} if join.inherited else {}
    return write
