# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: the writes that bring objects to their desired state, in order, and what results show of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .field import Field
from .result import WHOLE, Drift, ManualStep, Unproven
from .snapshot import PlannedId, Query, Row, Snapshot

Value = Any  # a column's value, or the `PlannedId` of a row that this plan creates

CREATE, UPDATE, DELETE, PERFORM = "create", "update", "delete", "perform"
OK, CHANGED, REFUSED, FAILED, MANUAL = "ok", "changed", "refused", "failed", "manual"


@dataclass
class Write:
    """One request that changes something.

    `label` names the object. `stage` orders the writes of a plan. `identity` (column to value) finds the created row when
    the answer was lost. `secret` values are write-only and sent separately from all others. `outcome`: where a refusal is
    noted instead of ending the run. `step`: the manual step after a refusal, which is then noted as `manual_status`;
    `hint`: what to add to its message. `undo` holds the values that roll an update back.

    `bulk_noun` is the plural of the object's kind and marks a write that depends on no other of its stage, so that it may
    be sent with them in one request; it has an `outcome` and an `identity`, which for an update is what the row shows
    afterwards, for a delete its id alone (the id first). `second_pass`: also carried out when only the read after all other writes shows that it is due.

    `has_own_id`: a create under an id that follows from the key, so that every run creates the same object. `ignored` (column
    to value) are rows of the key that are not the object, such as inherited ones.

    `takes_turn`: an action that no two runs may carry out at the same time. `done_elsewhere` is noted by the store: another run had
    carried it out in the meantime, and nothing was sent.

    `not_found` is noted by the store: the platform's words if it answered a delete that there is no such row.
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
    has_own_id: bool = False
    ignored: dict[str, Value] = field(default_factory=dict)
    takes_turn: bool = False
    done_elsewhere: bool = False
    not_found: str = ""

    @property
    def needs_turn(self) -> bool:
        """Whether no two runs may carry it out at the same time: both would create the row."""
        return self.takes_turn or (self.action == CREATE and not self.bulk_noun and not self.has_own_id)


@dataclass(frozen=True)
class Need:
    """Doing `what` requires one of `roles`."""

    what: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class SecretCheck:
    """To be verified after the writes: that the platform holds `value`. `probe` names the check."""

    label: str
    probe: str
    value: str


@dataclass
class Plan:
    """What one resource needs to reach its desired state.

    `row` is the current one. `object` is the result's view of it after apply; a `bulk` resource fills `outcomes` instead,
    in which an object with one of `in_sync_statuses` is in sync. `columns` (by collection) must exist before the first write.
    `unread`: by field the reason why a comparison leaves it unproven, for which any other call is refused.
    `creation_warnings` are about what is created, which a comparison does not do.
    `performs` is the verb of its operations, in the infinitive and the past tense.
    """

    label: str
    bulk: bool = False
    drift: list[Drift] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    manual_steps: list[ManualStep] = field(default_factory=list)
    unproven: list[Unproven] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    row: Row | None = None
    object: dict[str, Any] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    needs: list[Need] = field(default_factory=list)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: list[SecretCheck] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    creation_warnings: list[str] = field(default_factory=list)
    in_sync_statuses: tuple[str, ...] = (OK,)
    performs: tuple[str, str] = ("carry out", "carried out")

    def add_drift(self, field_name: str, before: Any, after: Any) -> None:
        """Record that `field_name` deviates from the desired state."""
        self.drift.append(Drift(self.label, field_name, before, after))
        if before is not None:
            self.before[field_name] = before
        if after is not None:
            self.after[field_name] = after

    def add_unproven(self, reason: str, field_name: str = WHOLE, label: str = "") -> None:
        """Record that it is not known whether `field_name` is in sync. `label` names an object of a bulk resource.

        An outcome with the status unknown needs no such record.
        """
        self.unproven.append(Unproven(label or self.label, field_name, reason))


def ordered(plans: Iterable[Plan]) -> list[Write]:
    """Return the writes of `plans` in the order of their stages."""
    return sorted((write for plan in plans for write in plan.writes), key=lambda write: write.stage)


class SecretDecision(Protocol):
    """Decides whether a write-only value has to be written, since it cannot be compared."""

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return True when the platform does not hold `value`, as far as `policy` wants to know.

        `changing`: the row is about to be written anyway.
        """


class Resource(ABC):
    """Something that the engine can bring to its desired state."""

    label: str

    @abstractmethod
    def reads(self) -> list[Query]:
        """Return the queries whose answers the plan depends on."""

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return queries that depend on the first answers."""
        return []

    def planned_ids(self) -> list[PlannedId]:
        """Return the ids by which other resources can refer to rows that this one creates."""
        return []

    @abstractmethod
    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare the desired state with the snapshot; raise `InvalidInput` for input that is invalid. Writes nothing."""
