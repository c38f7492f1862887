# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance in memory, able to take many writes at once; and a resource of many rows that go out together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import (
    CHANGED,
    CREATE,
    DELETE,
    OK,
    UPDATE,
    Plan,
    Resource,
    SecretDecision,
    Write,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift, ManualStep
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import (
    Query,
    Snapshot,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.store import Order, WriteResult
from tests.unit.plugins.module_utils.fake_store import Platform

TABLE = "u_thing"


@dataclass
class BatchPlatform(Platform):
    """Takes `most` writes at once. `batches` lists how many each round trip held.

    `before_turn` is what another run does before our turn; `turns` notes what had been sent when one began and
    ended.
    """

    most: int = 100
    batches: list[int] = field(default_factory=list)
    progress: list[tuple[int, int, str]] = field(default_factory=list)
    before_turn: Callable[[], None] | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        if self.before_turn:
            self.before_turn()
        begun = len(self.log)
        yield
        self.turns.append((begun, len(self.log)))

    def at_once(self) -> int:
        return self.most

    def write_many(self, orders: Sequence[Order]) -> list[WriteResult]:
        self.batches.append(len(orders))
        return [self._written(order) for order in orders]

    def _written(self, order: Order) -> WriteResult:
        try:
            if order.write.action == CREATE:
                return self.create(order.write, order.values)
            if order.write.action == DELETE:
                self.delete(order.write, order.row_id)
                return {"sys_id": order.row_id}
            self.update(order.write, order.row_id, order.values)
        except EngineError as error:
            return error
        return {"sys_id": order.row_id}

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        fault = self.faults.get(len(self.log), "")
        if fault == "lost":
            self._log("update", write, values)
        else:
            super().update(write, row_id, values)
        if fault in ("lost", "committed"):
            raise UnclearOutcome(f"{self.name}: whether {write.label} was changed is unclear")

    def delete(self, write: Write, row_id: str) -> None:
        fault = self.faults.get(len(self.log), "")
        if fault == "lost":
            self._log("delete", write, {})
        else:
            super().delete(write, row_id)
        if fault in ("lost", "committed"):
            raise UnclearOutcome(f"{self.name}: whether {write.label} was deleted is unclear")

    def written(self, done: int, total: int, what: str) -> None:
        self.progress.append((done, total, what))


class Things(Resource):
    """Rows of `u_thing`, known by name; `values` are u_name to u_kind, None for a row that is to be deleted."""

    label = "things"

    def __init__(self, values: Mapping[str, str | None], step: ManualStep | None = None) -> None:
        self.values, self.step = dict(values), step

    def reads(self) -> list[Query]:
        return [Query(TABLE, "u_name", tuple(self.values), ("sys_id", "u_name", "u_kind"))]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        plan = Plan(self.label, bulk=True)
        for name, kind in self.values.items():
            outcome: dict[str, Any] = {"object": f"thing {name}", "status": OK}
            plan.outcomes.append(outcome)
            rows = snapshot.rows(TABLE, "u_name", name)
            actual = rows[0]["u_kind"] if rows else None
            if actual == kind:
                continue
            outcome["status"] = CHANGED
            plan.drift.append(Drift(outcome["object"], "kind", actual, kind))
            common: dict[str, Any] = {"outcome": outcome, "bulk_noun": "things", "step": self.step}
            if rows and kind is None:
                row_id = rows[0]["sys_id"]
                plan.writes.append(
                    Write(DELETE, TABLE, outcome["object"], row=row_id, identity={"sys_id": row_id}, **common)
                )
            elif rows:
                row_id = rows[0]["sys_id"]
                identity: dict[str, Any] = {"sys_id": row_id, "u_kind": kind}
                plan.writes.append(
                    Write(UPDATE, TABLE, outcome["object"], {"u_kind": kind}, row_id, identity=identity, **common)
                )
            else:
                values: dict[str, Any] = {"u_name": name, "u_kind": kind}
                plan.writes.append(Write(CREATE, TABLE, outcome["object"], values, identity={"u_name": name}, **common))
        return plan
