# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of an instance, each compared with its target: the verdict, and how a deviation can be corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..engine.reconcile import take_snapshot
from ..engine.snapshot import Row, Snapshot
from .baseline import Selection
from .catalogue.secure_score_points import MICROSOFT, POINTS
from .catalogue.setting import ELEVATED, PLUGIN, PROPERTY, Setting
from .evaluate import (
    COMPLIANT,
    DEVIATING,
    HIDDEN,
    UNKNOWN,
    Evaluation,
    Observation,
    Target,
    evaluate,
    fulfils,
)
from .observe import Observer

if TYPE_CHECKING:
    from ..snow.store import InstanceStore

# How a setting can be written (docs/facts/servicenow_hardening.md#who-may-write-a-setting).
ORDINARY, ELEVATED_ROLE, SCOPED, LOCKED, ACTIVATION, TABLE_ROW = (
    "ordinary", "elevated", "scoped", "locked", "plugin", "table_row",
)  # fmt: skip
GLOBAL = ("", "global")


@dataclass(frozen=True)
class Assessment:
    """One setting of an instance: its target, what was observed, and the verdict."""

    target: Target
    observation: Observation
    evaluation: Evaluation

    @property
    def setting(self) -> Setting:
        """The setting in the catalogue."""
        return self.target.setting

    @property
    def verdict(self) -> str:
        """The verdict: compliant, deviating, not_applicable or unknown."""
        return self.evaluation.verdict

    @property
    def write_class(self) -> str:
        """How the setting can be written, such as `ordinary` or `elevated`."""
        return write_class(self.setting, self.observation.row)

    @property
    def scores(self) -> str:
        """Whether Secure Score awards the points: compliant, deviating or unknown.

        Microsoft reads rows. How it evaluates a property without a row is not published
        (docs/facts/servicenow_hardening.md#secure-score-controls), so a missing row never earns points.
        """
        comparator, wanted = MICROSOFT.get(self.setting.id, (self.setting.comparator, self.setting.recommended))
        values = self.observation.values
        if self.observation.state == HIDDEN or (not values and self.verdict != DEVIATING):
            return UNKNOWN
        earned = values and all(fulfils(self.setting.type, comparator, value, wanted) for value in values)
        return COMPLIANT if earned else DEVIATING

    def as_dict(self) -> dict[str, Any]:
        """Return the setting as modules return it."""
        setting = self.setting
        return {
            "id": setting.id,
            "name": setting.name,
            "title": setting.title,
            "category": setting.category,
            "severity": setting.severity,
            "actual": self.evaluation.actual,
            "expected": self.target.expected,
            "comparator": self.target.comparator,
            "verdict": self.verdict,
            "reason": self.evaluation.reason,
            "write_class": self.write_class,
            "irreversible": setting.irreversible,
            "side_effects": setting.side_effects,
            "secure_score_control": setting.secure_score_control,
            "points": POINTS.get(setting.secure_score_control, 0),
        }


def write_class(setting: Setting, row: Row | None) -> str:
    """Return how a setting can be written, by the write roles and scope of its row where it has one."""
    if not setting.customer_editable:
        return LOCKED
    if setting.kind == PLUGIN:
        return ACTIVATION
    if setting.kind != PROPERTY:
        return TABLE_ROW
    if row is None or "write_roles" not in row:
        return ELEVATED_ROLE if setting.elevation == ELEVATED else ORDINARY
    if ELEVATED in [role.strip() for role in row["write_roles"].split(",")]:
        return ELEVATED_ROLE
    return ORDINARY if row.get("sys_scope", "") in GLOBAL else SCOPED


def assess(selection: Selection, observer: Observer, snapshot: Snapshot) -> list[Assessment]:
    """Evaluate every setting of a selection."""
    observations = observer.observations(snapshot)
    return [
        Assessment(target, observations[target.setting.id], evaluate(target, observations[target.setting.id]))
        for target in selection.targets
    ]


def assess_instance(store: InstanceStore, selection: Selection, production: bool | None) -> list[Assessment]:
    """Read the settings of a selection in one batch, and evaluate them."""
    store.prefetch_account()
    observer = Observer(selection.settings, store.account, production)
    return assess(selection, observer, take_snapshot(store, observer))
