# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done: writes, in order, and everything a user is told about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, Union

from .field import Field
from .result import Drift, ManualStep
from .snapshot import PlannedId, Row

Value = Union[str, PlannedId]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)

CREATE, UPDATE, DELETE, PERFORM = "create", "update", "delete", "perform"
OK, CHANGED, REFUSED, FAILED, MANUAL = "ok", "changed", "refused", "failed", "manual"


@dataclass
class Write:
    """One request that changes something.

    `label` is what a person calls the object. `stage` orders the writes of a plan. `identity` (column to value) finds
    what a create made when its answer was lost. `secret` values are write-only and sent apart from all others.
    `outcome`: where a refusal is noted instead of ending the run. `step`: what a person can do after a refusal, which is
    noted as `manual_status` then, `hint`: what else to say of one. `undo` holds the values that put an update back.

    `bulk_noun` says in the plural what the object is, and that this write depends on no other of its stage, so that it may
    go out with them in one request; it has an `outcome` and an `identity`, which for an update is what the row shows
    afterwards (its id first). `second_pass`: carried out as well when only the look after all other writes shows that it is due.
    """

    action: str
    collection: str
    label: str
    values: dict[str, Value] = field(default_factory=dict)
    row: Value = ""
    stage: int = 0
    identity: dict[str, Value] = field(default_factory=dict)
    planned_id: PlannedId | None = None
    secret: bool = False
    is_join_row: bool = False
    outcome: dict[str, Any] | None = None
    step: ManualStep | None = None
    manual_status: str = MANUAL
    hint: str = ""
    undo: dict[str, Value] | None = None
    bulk_noun: str = ""
    second_pass: bool = False


@dataclass(frozen=True)
class Need:
    """Writing `what` takes one of `roles`."""

    what: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class SecretCheck:
    """After the writes: does the platform now hold `value`? `probe` names the way to tell."""

    label: str
    probe: str
    value: str


@dataclass
class Plan:
    """What one resource needs to come to its described state.

    `row` is what is there now. `object` describes it as it will be, for the module's result; a `bulk` resource fills
    `outcomes` instead.
    `columns` (by collection) must exist before the first write.
    """

    label: str
    bulk: bool = False
    drift: list[Drift] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    manual_steps: list[ManualStep] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    row: Row | None = None
    object: dict[str, Any] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: list[SecretCheck] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add_drift(self, field_name: str, before: Any, after: Any) -> None:
        """Note that `field_name` is not as described."""
        self.drift.append(Drift(self.label, field_name, before, after))
        if before is not None:
            self.before[field_name] = before
        if after is not None:
            self.after[field_name] = after


class SecretDecision(Protocol):
    """Decides whether a write-only value has to be written, since it cannot be compared."""

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return True when the platform does not hold `value`, as far as `policy` wants to know.

        `changing`: the row is about to be written anyway.
        """


class Resource(Protocol):
    """What the engine can bring to its described state."""

    label: str

    def reads(self) -> list[Any]:
        """Return every question whose answer the plan depends on."""

    def planned_ids(self) -> list[PlannedId]:
        """Return the ids that exist once this resource is as described."""

    def plan(self, snapshot: Any, secrets: SecretDecision) -> Plan:
        """Compare with what was read; raise `InvalidInput` for what cannot be meant. Writes nothing."""
