# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardening settings of an instance as one resource: what is written, in which order, and what is withheld."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

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
from ..engine.result import Drift, ManualStep
from ..engine.snapshot import PlannedId, Query, Row, Snapshot
from ..snow.account import WRITERS
from ..snow.activation import DEFAULT_WAIT, Activation
from ..snow.resources.plugins import CICD, VIRTUAL
from ..snow.resources.properties import NEEDS_ELEVATION
from ..snow.update_sets.take_over import TakeOver
from ..transport.polling import Wait
from .assessment import ELEVATED_ROLE, Assessment, assess
from .baseline import Selection
from .catalogue.setting import ANY_OF_ACTIVE, PLUGIN, PROPERTY, Setting
from .connection_impact import Connections
from .evaluate import COMPLIANT, NOT_APPLICABLE, UNKNOWN
from .manual_steps import is_private, step_for
from .observe import Observer
from .queries import PROPERTIES
from .write_batches import FIRST_STAGE, assign_stages, write_order
from .write_policy import (
    ACCEPTED,
    FULFILLED,
    LIMIT,
    LIMIT_OPTION,
    MANUAL,
    NOTED,
    UNKNOWN_VALUE,
    WITHHELD,
    Allowances,
    Withheld,
    as_result,
    reason_not_to_write,
)

# Statuses that do not count as drift: in sync, reported only, accepted, or unknown.
SETTLED = (OK, NOTED, ACCEPTED, UNKNOWN_VALUE)
PROPERTY_TYPES = {"boolean": "boolean", "integer": "integer"}


@dataclass
class Hardening(Resource):
    """The settings of `selection` on one instance.

    Only differences are written, at most `max_writes` (0: no limit) in one run. `create_for_score` writes rows without
    effect as well, because Microsoft reads rows (docs/facts/servicenow_hardening.md#secure-score-controls). `take_over` is the
    update set of another instance that has the settings which need elevation.
    """

    selection: Selection
    observer: Observer
    allowances: Allowances
    connections: Connections
    max_writes: int = 10
    create_for_score: bool = False
    waiting: Wait = DEFAULT_WAIT
    take_over: TakeOver | None = None
    label: str = "hardening"
    stage: int = FIRST_STAGE
    assessed: list[Assessment] = field(default_factory=list)
    writes_left: int = 0
    manual_properties: set[str] = field(default_factory=set)
    planned: list[Write] | None = None
    # Which settings this run may write. Chosen by the first plan, so that the read-back does not choose others.
    _chosen: set[str] | None = None
    _done: set[str] = field(default_factory=set)

    def reads(self) -> list[Query]:
        """Return the queries for the settings, and for the connections that some of them can break."""
        own = [*self.observer.reads(), *self.connections.reads(s.id for s in self.selection.settings)]
        return [*own, *(self.take_over.reads() if self.take_over else ())]

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return the queries that show which rows are hidden, if any, and those for the retrieved update sets."""
        own = self.observer.further_queries(snapshot)
        return [*own, *(self.take_over.further_queries(snapshot) if self.take_over else ())]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Evaluate every setting, with one outcome for each."""
        plan = Plan(self.label, bulk=True, warnings=list(self.allowances.exceptions.ended))
        self.assessed = assess(self.selection, self.observer, snapshot)
        self.manual_properties = set()
        elevated: list[tuple[dict[str, Any], ManualStep]] = []
        sibling = self._chosen_sibling()
        for entry in self.assessed:
            withheld = self._withheld(entry, snapshot, sibling)
            outcome = {"object": f"setting {entry.setting.id}", "status": OK, **as_result(entry, withheld)}
            excepted = self.allowances.exceptions.entries.get(entry.setting.id)
            outcome |= {"exception": dict(excepted)} if excepted else {}
            plan.outcomes.append(outcome)
            if withheld is None:
                self._plan_write(plan, entry, outcome)
            else:
                step = self._report(plan, entry, outcome, withheld)
                elevated += [(outcome, step)] if step and outcome["status"] == NEEDS_ELEVATION else []
        self._limit_and_group(plan)
        if self.take_over:
            # Its own stage, after all others: another batch, after which access is checked.
            own = {step.id for _outcome, step in elevated}
            plan.manual_steps = [step for step in plan.manual_steps if step.id not in own]
            self.take_over.plan(plan, snapshot, secrets, [o for o, _step in elevated], [s for _outcome, s in elevated])
        self.planned = plan.writes if self.planned is None else self.planned
        return plan

    def _report(self, plan: Plan, entry: Assessment, outcome: dict[str, Any], withheld: Withheld) -> ManualStep | None:
        """Note why a setting is not written; return its manual step, if it has one."""
        outcome.update(status=OK if withheld.status == FULFILLED else withheld.status, reason=withheld.reason)
        if withheld.status not in SETTLED and withheld.status != FULFILLED:
            self._add_drift(plan, entry)
        if withheld.status == REFUSED:
            plan.warnings.append(f"{entry.setting.id} is refused: {withheld.reason}")
        return self._add_manual_step(plan, entry) if withheld.status in (MANUAL, NEEDS_ELEVATION) else None

    def properties_to_import(self) -> list[tuple[Assessment, str]]:
        """Return the properties that must be imported, with their values: REST cannot write them, or was refused.

        An import leaves private ones out (docs/facts/servicenow_platform.md#update-sets), so that their manual step remains.
        """
        refused = {write.label for write in self.planned or [] if (write.outcome or {}).get("status") == REFUSED}
        return [
            (entry, self._value_to_write(entry, next(iter(entry.observation.values), None)))
            for entry in self.assessed
            if not is_private(entry)
            and (
                entry.setting.id in self.manual_properties
                or (f"setting {entry.setting.id}" in refused and entry.setting.kind == PROPERTY)
            )
        ]

    # -- what to do ---------------------------------------------------------------------------------------------------

    def _withheld(self, entry: Assessment, snapshot: Snapshot, sibling: str) -> Withheld | None:
        """Return why a setting is not written; None when it is written."""
        setting = entry.setting
        settled = entry.verdict in (COMPLIANT, NOT_APPLICABLE) and not self._only_for_score(entry)
        if settled or setting.name in self._done:
            return Withheld(OK, entry.evaluation.reason)
        can_be_created = (
            entry.observation.absent and setting.kind == PROPERTY and entry.target.value_to_write(None) is not None
        )
        if entry.verdict == UNKNOWN and not can_be_created:
            return Withheld(UNKNOWN_VALUE, entry.evaluation.reason)
        if setting.comparator == ANY_OF_ACTIVE and sibling and setting.id != sibling:
            return Withheld(FULFILLED, f"{sibling} is sufficient")
        return reason_not_to_write(
            entry, self.allowances, self.selection.pinned, self.connections.disconnected_by(setting.id, snapshot)
        )

    def _only_for_score(self, entry: Assessment) -> bool:
        """Return whether a row is written only because Secure Score reads rows."""
        if not self.create_for_score or not entry.setting.secure_score_control or entry.scores == COMPLIANT:
            return False
        return entry.observation.absent or (entry.verdict == NOT_APPLICABLE and bool(entry.observation.rows))

    def _chosen_sibling(self) -> str:
        """Return which of several equivalent settings is written: the last one whose row exists.

        Of the two lock-out actions that is the one with automatic unlock, so that no account is locked permanently.
        """
        siblings = [entry for entry in self.assessed if entry.setting.comparator == ANY_OF_ACTIVE]
        with_row = [entry.setting.id for entry in siblings if entry.observation.rows]
        return with_row[-1] if with_row else ""

    def _add_drift(self, plan: Plan, entry: Assessment) -> None:
        for name, before, after in self._changes(entry):
            plan.drift.append(Drift(f"setting {entry.setting.id}", name, before, after))

    def _changes(self, entry: Assessment) -> list[tuple[str, str | None, Any]]:
        """Return the changes: name of the property, plugin or row, actual value, desired value."""
        name, observation = entry.setting.name, entry.observation
        if len(observation.values) < 2:
            value = observation.values[0] if observation.values else None
            return [(name, value, self._value_to_write(entry, value))]
        return [
            (row.get("name") or name, value, self._value_to_write(entry, value))
            for row, value in zip(observation.rows, observation.values, strict=True)
            if not entry.target.allows(value)
        ]

    @staticmethod
    def _value_to_write(entry: Assessment, value: str | None) -> Any:
        written = entry.target.value_to_write(value)
        return wire_text(entry.target.wanted) if written is None else written

    def _add_manual_step(self, plan: Plan, entry: Assessment) -> ManualStep:
        step = step_for(entry, self._value_to_write(entry, next(iter(entry.observation.values), None)))
        plan.manual_steps.append(step)
        if entry.write_class == ELEVATED_ROLE:
            self.manual_properties.add(entry.setting.id)
        return step

    # -- writing ------------------------------------------------------------------------------------------------------

    def _plan_write(self, plan: Plan, entry: Assessment, outcome: dict[str, Any]) -> None:
        self._add_drift(plan, entry)
        outcome["status"] = CHANGED
        label = f"setting {entry.setting.id}"
        if entry.setting.kind == PLUGIN:
            write = Activation(
                PERFORM, VIRTUAL, label, outcome=outcome, step=step_for(entry, "active"), manual_status=REFUSED
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

    def _creation(self, entry: Assessment, label: str, outcome: dict[str, Any]) -> Write:
        setting, wanted = entry.setting, self._value_to_write(entry, None)
        values: dict[str, Value] = {
            "name": setting.name,
            "value": wanted,
            "type": PROPERTY_TYPES.get(setting.type, "string"),
            "description": setting.title,
        }
        return Write(
            CREATE, PROPERTIES, label, values, identity={"name": setting.name},
            planned_id=PlannedId(PROPERTIES, "name", setting.name), outcome=outcome, step=step_for(entry, wanted), manual_status=REFUSED,
        )  # fmt: skip

    def _update(self, entry: Assessment, row: Row, value: str, label: str, outcome: dict[str, Any]) -> Write:
        table, column = _location(entry.setting)
        wanted = self._value_to_write(entry, value)
        return Write(
            UPDATE, table, label, {column: wanted}, row["sys_id"],
            outcome=outcome, undo={column: value}, step=step_for(entry, wanted), manual_status=REFUSED,
        )  # fmt: skip

    def _limit_and_group(self, plan: Plan) -> None:
        """Keep to `max_writes`, and batch the writes: ordinary settings first, irreversible ones one by one."""
        settings = {f"setting {entry.setting.id}": entry.setting for entry in self.assessed}
        plan.writes.sort(key=lambda write: write_order(settings[write.label]))
        if self._chosen is None:
            labels = list(dict.fromkeys(write.label for write in plan.writes))
            self._chosen = set(labels[: self.max_writes] if self.max_writes else labels)
            self.writes_left = len(labels) - len(self._chosen)
        for write in plan.writes:
            if write.label not in self._chosen and write.outcome is not None:
                write.outcome.update(
                    status=WITHHELD,
                    reason=f"left for the next run: {LIMIT} is {self.max_writes}",
                    withheld_by=LIMIT,
                    switch=LIMIT,
                )
        plan.writes = [write for write in plan.writes if write.label in self._chosen]
        if self.writes_left:
            plan.warnings.append(
                f"{self.writes_left} settings remain after {self.max_writes} writes, which is {LIMIT_OPTION}; run again to write them. "
                f"Every write flushes the caches of all nodes"
            )
        assign_stages(plan.writes, settings)
        self._fill_diff(plan)

    def _fill_diff(self, plan: Plan) -> None:
        written = {write.label for write in plan.writes}
        for entry in plan.drift:
            if entry.object in written:
                plan.before[entry.field], plan.after[entry.field] = entry.before, entry.after
        if any(write.action == CREATE for write in plan.writes):
            plan.needs.append(Need("create system properties", ("admin",)))
        if any(write.action == PERFORM for write in plan.writes):
            plan.needs.append(Need("activate plugins", WRITERS["v_plugin"]))


def _location(setting: Setting) -> tuple[str, str]:
    """Return table and column of a setting that has a row."""
    table, slash, _sys_id = setting.name.partition("/")
    return (table, "active") if slash else (PROPERTIES, "value")
