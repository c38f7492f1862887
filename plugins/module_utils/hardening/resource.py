# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance brought to a hardening baseline: what is written, what is held back and why, what is left to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..engine.errors import InvalidInput
from ..engine.field import wire_text
from ..engine.plan import (
    CHANGED,
    CREATE,
    OK,
    PERFORM,
    REFUSED,
    UPDATE,
    Need,
    Plan,
    Resource,
    SecretDecision,
    Value,
    Write,
)
from ..engine.result import Drift
from ..engine.snapshot import PlannedId, Query, Row, Snapshot
from ..snow.account import WRITERS
from ..snow.activation import DEFAULT_WAIT, Activation
from ..snow.resources.plugins import CICD, VIRTUAL
from ..snow.resources.properties import NEEDS_ELEVATION
from ..transport.polling import Wait
from .baseline import Selection
from .catalogue.setting import ANY_OF_ACTIVE, PLUGIN, PROPERTY, Setting
from .connection_impact import Connections
from .evaluate import COMPLIANT, NOT_APPLICABLE, UNKNOWN
from .manual_steps import step_of
from .observe import PROPERTIES, Observer
from .posture import BY_ELEVATION, Assessed, assess
from .write_policy import (
    FULFILLED,
    MANUAL,
    NOTED,
    UNSEEN,
    WITHHELD,
    Allowances,
    Withheld,
    reason_not_to_write,
)

# Each write flushes caches on all nodes: so many are written before the sign-in is tried anew.
GROUP = 5
# Groups of a plan come after the stages of other resources.
FIRST_STAGE = 20
SIGN_IN = ("Authentication", "Session management", "API and web service")
# Statuses that are no deviation from what is asked for: nothing else can be done, or nobody knows.
SETTLED = (OK, NOTED, UNSEEN)
TYPES = {"boolean": "boolean", "integer": "integer"}


@dataclass
class Hardening(Resource):
    """The settings of `selection` on one instance.

    Only differences are written, at most `max_writes` (0: no limit) in one run. `create_for_score` writes rows that
    have no function or change nothing, for Microsoft reads rows
    (docs/facts/servicenow_hardening.md#secure-score-controls).
    """

    selection: Selection
    sight: Observer
    allowances: Allowances
    connections: Connections
    max_writes: int = 10
    create_for_score: bool = False
    waiting: Wait = DEFAULT_WAIT
    label: str = "hardening"
    stage: int = FIRST_STAGE
    assessed: list[Assessed] = field(default_factory=list)
    left: int = 0
    for_a_person: set[str] = field(default_factory=set)
    planned: list[Write] | None = None
    # Which settings this run may write; settled by the first plan, so that reading again does not choose others.
    _chosen: set[str] | None = None
    _done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.max_writes < 0:
            raise InvalidInput(f"max_writes must be 0 (no limit) or more, not {self.max_writes}")

    def reads(self) -> list[Query]:
        """Ask for the settings, and for the connections that some of them could cut."""
        return [*self.sight.reads(), *self.connections.reads(s.id for s in self.selection.settings)]

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Ask which rows are hidden, where some are."""
        return self.sight.further_queries(snapshot)

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Judge every setting; note one outcome for each."""
        plan = Plan(self.label, bulk=True)
        self.assessed = assess(self.selection, self.sight, snapshot)
        self.for_a_person = set()
        doing = self._which_action()
        for entry in self.assessed:
            outcome = {"object": f"setting {entry.setting.id}", "status": OK, **entry.as_dict()}
            plan.outcomes.append(outcome)
            held = self._held(entry, snapshot, doing)
            if held is None:
                self._plan_write(plan, entry, outcome)
                continue
            outcome.update(status=held.status, reason=held.reason)
            if held.status not in SETTLED and held.status != FULFILLED:
                self._deviates(plan, entry)
            if held.status == FULFILLED:
                outcome["status"] = OK
            if held.status in (MANUAL, NEEDS_ELEVATION):
                self._leave_to_a_person(plan, entry)
            if held.status == REFUSED:
                plan.warnings.append(f"{entry.setting.id} is refused: {held.reason}")
        self._arrange(plan)
        self.planned = plan.writes if self.planned is None else self.planned
        return plan

    def to_import(self) -> list[tuple[Assessed, str]]:
        """Return the properties that a person has to write, with their values: what REST may not, or was refused."""
        refused = {write.label for write in self.planned or [] if (write.outcome or {}).get("status") == REFUSED}
        return [
            (entry, self._wanted(entry, next(iter(entry.observation.values), None)))
            for entry in self.assessed
            if entry.setting.id in self.for_a_person
            or (f"setting {entry.setting.id}" in refused and entry.setting.kind == PROPERTY)
        ]

    # -- what to do ---------------------------------------------------------------------------------------------------

    def _held(self, entry: Assessed, snapshot: Snapshot, doing: str) -> Withheld | None:
        """Return why a setting is not written; None when it is to be."""
        setting = entry.setting
        settled = entry.verdict in (COMPLIANT, NOT_APPLICABLE) and not self._only_for_score(entry)
        if settled or setting.name in self._done:
            return Withheld(OK, entry.evaluation.reason)
        can_be_made = (
            entry.observation.absent and setting.kind == PROPERTY and entry.target.value_to_write(None) is not None
        )
        if entry.verdict == UNKNOWN and not can_be_made:
            return Withheld(UNSEEN, entry.evaluation.reason)
        if setting.comparator == ANY_OF_ACTIVE and doing and setting.id != doing:
            return Withheld(FULFILLED, f"{doing} is enough")
        held = reason_not_to_write(
            entry, self.allowances, self.selection.pinned, self.connections.cut_by(setting.id, snapshot)
        )
        if held is None and entry.write_class == BY_ELEVATION:
            return Withheld(
                NEEDS_ELEVATION, "its write roles hold security_admin, an elevated role that no API call can have"
            )
        return held

    def _only_for_score(self, entry: Assessed) -> bool:
        """Return whether a row would be written only because Secure Score reads rows."""
        if not self.create_for_score or not entry.setting.secure_score_control or entry.scores == COMPLIANT:
            return False
        return entry.observation.absent or (entry.verdict == NOT_APPLICABLE and bool(entry.observation.rows))

    def _which_action(self) -> str:
        """Return which of several settings that fulfil each other is written: the last whose row is there.

        Of the two lock-out actions that is the one that unlocks by itself, so that nobody locks an account for good.
        """
        siblings = [entry for entry in self.assessed if entry.setting.comparator == ANY_OF_ACTIVE]
        there = [entry.setting.id for entry in siblings if entry.observation.rows]
        return there[-1] if there else ""

    def _deviates(self, plan: Plan, entry: Assessed) -> None:
        for name, before, after in self._changes(entry):
            plan.drift.append(Drift(f"setting {entry.setting.id}", name, before, after))

    def _changes(self, entry: Assessed) -> list[tuple[str, str | None, Any]]:
        """Return what would change: name of the property, plugin or row, value found, value to be."""
        name, observation = entry.setting.name, entry.observation
        if len(observation.values) < 2:
            value = observation.values[0] if observation.values else None
            return [(name, value, self._wanted(entry, value))]
        return [
            (row.get("name") or name, value, self._wanted(entry, value))
            for row, value in zip(observation.rows, observation.values, strict=True)
            if not entry.target.allows(value)
        ]

    @staticmethod
    def _wanted(entry: Assessed, value: str | None) -> Any:
        written = entry.target.value_to_write(value)
        return wire_text(entry.target.wanted) if written is None else written

    def _leave_to_a_person(self, plan: Plan, entry: Assessed) -> None:
        plan.manual_steps.append(step_of(entry, self._wanted(entry, next(iter(entry.observation.values), None))))
        if entry.write_class == BY_ELEVATION:
            self.for_a_person.add(entry.setting.id)

    # -- writing ------------------------------------------------------------------------------------------------------

    def _plan_write(self, plan: Plan, entry: Assessed, outcome: dict[str, Any]) -> None:
        self._deviates(plan, entry)
        outcome["status"] = CHANGED
        label = f"setting {entry.setting.id}"
        if entry.setting.kind == PLUGIN:
            write = Activation(
                PERFORM, VIRTUAL, label, outcome=outcome, step=step_of(entry, "active"), manual_status=REFUSED
            )
            write.plugin, write.waiting, write.done = entry.setting.name, self.waiting, self._done
            write.path = f"{CICD}/plugin/{quote(write.plugin, safe='')}/activate"
            plan.writes.append(write)
            return
        if not entry.observation.rows:
            plan.writes.append(self._creation(entry, label, outcome))
            return
        for row, value in zip(entry.observation.rows, entry.observation.values, strict=True):
            if len(entry.observation.rows) == 1 or not entry.target.allows(value):
                plan.writes.append(self._update(entry, row, value, label, outcome))

    def _creation(self, entry: Assessed, label: str, outcome: dict[str, Any]) -> Write:
        setting, wanted = entry.setting, self._wanted(entry, None)
        values: dict[str, Value] = {
            "name": setting.name,
            "value": wanted,
            "type": TYPES.get(setting.type, "string"),
            "description": setting.title,
        }
        return Write(
            CREATE, PROPERTIES, label, values, identity={"name": setting.name},
            planned_id=PlannedId(PROPERTIES, "name", setting.name), outcome=outcome, step=step_of(entry, wanted), manual_status=REFUSED,
        )  # fmt: skip

    def _update(self, entry: Assessed, row: Row, value: str, label: str, outcome: dict[str, Any]) -> Write:
        table, column = _place(entry.setting)
        wanted = self._wanted(entry, value)
        return Write(
            UPDATE, table, label, {column: wanted}, row["sys_id"],
            outcome=outcome, undo={column: value}, step=step_of(entry, wanted), manual_status=REFUSED,
        )  # fmt: skip

    def _arrange(self, plan: Plan) -> None:
        """Keep within `max_writes`, and put the writes into groups: the harmless first, what has no way back alone."""
        settings = {f"setting {entry.setting.id}": entry.setting for entry in self.assessed}
        plan.writes.sort(key=lambda write: _order(settings[write.label]))
        if self._chosen is None:
            labels = list(dict.fromkeys(write.label for write in plan.writes))
            self._chosen = set(labels[: self.max_writes] if self.max_writes else labels)
            self.left = len(labels) - len(self._chosen)
        for write in plan.writes:
            if write.label not in self._chosen and write.outcome is not None:
                write.outcome.update(status=WITHHELD, reason=f"left for the next run: max_writes is {self.max_writes}")
        plan.writes = [write for write in plan.writes if write.label in self._chosen]
        if self.left:
            plan.warnings.append(
                f"{self.left} settings are left after {self.max_writes} (max_writes); run again. Every write flushes caches on all nodes"
            )
        _group(plan.writes, settings)
        self._describe_writes(plan)

    def _describe_writes(self, plan: Plan) -> None:
        written = {write.label for write in plan.writes}
        for entry in plan.drift:
            if entry.object in written:
                plan.before[entry.field], plan.after[entry.field] = entry.before, entry.after
        if any(write.action == CREATE for write in plan.writes):
            plan.needs.append(Need("create system properties", ("admin",)))
        if any(write.action == PERFORM for write in plan.writes):
            plan.needs.append(Need("activate plugins", WRITERS["v_plugin"]))


def _place(setting: Setting) -> tuple[str, str]:
    """Return table and column of a setting that has a row."""
    table, slash, _sys_id = setting.name.partition("/")
    return (table, "active") if slash else (PROPERTIES, "value")


def _order(setting: Setting) -> tuple[bool, bool, bool]:
    return setting.kind == PLUGIN, setting.irreversible, setting.category in SIGN_IN


def _group(writes: Sequence[Write], settings: dict[str, Setting]) -> None:
    """Give the writes of one group one stage."""
    stage, size, last = FIRST_STAGE, 0, None
    for write in writes:
        order = _order(settings[write.label])
        alone = order[0] or order[1]
        if last is not None and (order != last or size >= GROUP or alone):
            stage, size = stage + 1, 0
        write.stage = stage
        size, last = size + 1, order


__all__ = ["Hardening"]
