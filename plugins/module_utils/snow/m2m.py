# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of names that are kept as rows of a collection of their own, such as the roles of a user."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..engine.errors import InvalidInput
from ..engine.field import Field, Links
from ..engine.plan import CREATE, DELETE, Need, Plan, Value, Write
from ..engine.snapshot import PlannedId, Query, Row, Snapshot


@dataclass(frozen=True)
class Owner:
    """The row that has the links: what people call it, its first key column with its value, and its stage."""

    label: str
    column: str
    name: str
    stage: int


def join_queries(owner: Owner, links: Links, names: Collection[str]) -> list[Query]:
    """Ask for the links of `owner`, and for the rows that `names` call."""
    by_owner = f"{links.owner}.{owner.column}"
    by_target = f"{links.target}.{links.by}"
    columns = ("sys_id", links.owner, by_owner, links.target, by_target, links.inherited or "sys_id")
    reads = [Query(links.collection, by_owner, (owner.name,), tuple(dict.fromkeys(columns)))]
    if names:
        reads.append(Query(links.targets, links.by, tuple(names), ("sys_id", links.by)))
    return reads


def plan_joins(
    plan: Plan, owner: Owner, row: Value, field: Field, names: Iterable[str], snapshot: Snapshot, *, exclusive: bool
) -> None:
    """Compare the links of `row` with `names`; with `exclusive`, others than these are removed."""
    links = field.links
    if links is None:
        return
    rows: list[Row] = (
        []
        if isinstance(row, PlannedId)
        else snapshot.rows(links.collection, f"{links.owner}.{owner.column}", owner.name)
    )
    name_column = f"{links.target}.{links.by}"
    linked = {found.get(name_column, "") for found in rows}
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if snapshot.resolve_id(links.targets, links.by, name) is None]
    if unknown:
        raise InvalidInput(
            f"{owner.label}: {field.name} names {', '.join(map(repr, unknown))}, but no row of {links.targets} has that "
            f"{links.by}, and nothing in this call creates it"
        )
    missing = [name for name in wanted if name not in linked]
    extra = [
        found for found in rows
        if exclusive and found.get(name_column, "") not in wanted and found.get(links.inherited, "") != "true"
    ]  # fmt: skip
    for name in missing:
        values: dict[str, Value] = {
            links.owner: row,
            links.target: snapshot.resolve_id(links.targets, links.by, name) or "",
        }
        plan.writes.append(_join_write(CREATE, owner, links, name, values))
    for found in extra:
        plan.writes.append(_join_write(DELETE, owner, links, found.get(name_column, ""), {}, found["sys_id"]))
    if missing or extra:
        removed = {found.get(name_column, "") for found in extra}
        if not isinstance(row, PlannedId):
            plan.add_drift(field.name, sorted(linked), sorted((linked - removed) | set(wanted)))
        plan.needs += [Need(f"grant {name} to {owner.label}", ("admin",)) for name in missing if name == "admin"]


def _join_write(action: str, owner: Owner, links: Links, name: str, values: dict[str, Value], row: str = "") -> Write:
    label = f"{owner.label}: {name}"
    write = Write(action, links.collection, label, values, row, owner.stage + 1, identity=dict(values))
    write.is_join_row = True
    return write
