# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an instance stands: the verdict on every setting, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
    VERDICTS,
    Evaluation,
    Observation,
    Target,
    evaluate,
    fulfils,
)
from .observe import Observer

if TYPE_CHECKING:
    from ..snow.store import InstanceStore

# Who may write a setting, and how (docs/facts/servicenow_hardening.md#who-may-write-a-setting).
ORDINARY, BY_ELEVATION, SCOPED, LOCKED, BY_ACTIVATION, TABLE_ROW = "A", "B", "C", "D", "E", "F"
GLOBAL = ("", "global")


@dataclass(frozen=True)
class Assessed:
    """One setting of an instance: what it has to be, what was seen, and the verdict on it."""

    target: Target
    observation: Observation
    evaluation: Evaluation

    @property
    def setting(self) -> Setting:
        """The catalogue's row."""
        return self.target.setting

    @property
    def verdict(self) -> str:
        """The verdict in one word."""
        return self.evaluation.verdict

    @property
    def write_class(self) -> str:
        """How it can be written: one letter, A to F."""
        return write_class(self.setting, self.observation.row)

    @property
    def scores(self) -> str:
        """Whether Microsoft gives points for it: compliant, deviating or unknown.

        Rows are what Microsoft reads. How it judges one that is missing is not known
        (docs/facts/servicenow_hardening.md#secure-score-controls), so without a row nothing counts as won.
        """
        comparator, wanted = MICROSOFT.get(self.setting.id, (self.setting.comparator, self.setting.recommended))
        values = self.observation.values
        if self.observation.state == HIDDEN or (not values and self.verdict != DEVIATING):
            return UNKNOWN
        won = values and all(fulfils(self.setting.type, comparator, value, wanted) for value in values)
        return COMPLIANT if won else DEVIATING

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
            "class": self.write_class,
            "irreversible": setting.irreversible,
            "breaks": setting.breaks,
            "control": setting.secure_score_control,
        }


def write_class(setting: Setting, row: Row | None) -> str:
    """Return how a setting can be written; a row tells its write roles and scope itself."""
    if not setting.customer_editable:
        return LOCKED
    if setting.kind == PLUGIN:
        return BY_ACTIVATION
    if setting.kind != PROPERTY:
        return TABLE_ROW
    if row is None or "write_roles" not in row:
        return BY_ELEVATION if setting.elevation == ELEVATED else ORDINARY
    if ELEVATED in [role.strip() for role in row["write_roles"].split(",")]:
        return BY_ELEVATION
    return ORDINARY if row.get("sys_scope", "") in GLOBAL else SCOPED


def assess(selection: Selection, sight: Observer, snapshot: Snapshot) -> list[Assessed]:
    """Return the verdict on every setting of a selection."""
    observations = sight.observations(snapshot)
    return [
        Assessed(target, observations[target.setting.id], evaluate(target, observations[target.setting.id]))
        for target in selection.targets
    ]


def look(store: InstanceStore, selection: Selection, production: bool | None) -> list[Assessed]:
    """Read everything that tells of a selection in one batch, and judge it."""
    store.prefetch_account()
    sight = Observer(selection.settings, store.account, production)
    return assess(selection, sight, take_snapshot(store, sight))


def posture_of(baseline: str, assessed: Sequence[Assessed]) -> dict[str, Any]:
    """Return the counts by category and severity, and the points of Secure Score, as modules return them."""
    return {
        "baseline": baseline,
        "settings": _counts(assessed),
        "by_category": _grouped(assessed, [(entry.setting.category) for entry in assessed]),
        "by_severity": _grouped(assessed, [(entry.setting.severity) for entry in assessed]),
        "secure_score": _secure_score(assessed),
    }


def _counts(assessed: Iterable[Assessed]) -> dict[str, int]:
    counted = Counter(entry.verdict for entry in assessed)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def _grouped(assessed: Sequence[Assessed], names: Sequence[str]) -> dict[str, dict[str, int]]:
    groups: dict[str, list[Assessed]] = {}
    for name, entry in zip(names, assessed, strict=True):
        groups.setdefault(name, []).append(entry)
    return {name: _counts(groups[name]) for name in sorted(groups)}


def _secure_score(assessed: Iterable[Assessed]) -> dict[str, int]:
    """Return controls and points: those won, possible, and open because nobody can tell."""
    controls: dict[str, list[str]] = {}
    for entry in assessed:
        if entry.setting.secure_score_control:
            controls.setdefault(entry.setting.secure_score_control, []).append(entry.scores)
    verdicts = {control: _best(scores) for control, scores in controls.items()}
    return {
        "controls": len(verdicts),
        "compliant": sum(verdict == COMPLIANT for verdict in verdicts.values()),
        "points": sum(POINTS[control] for control, verdict in verdicts.items() if verdict == COMPLIANT),
        "unknown_points": sum(POINTS[control] for control, verdict in verdicts.items() if verdict == UNKNOWN),
        "possible_points": sum(POINTS[control] for control in verdicts),
    }


def _best(scores: Sequence[str]) -> str:
    """Return the verdict on a control that one of several settings fulfils."""
    return COMPLIANT if COMPLIANT in scores else UNKNOWN if UNKNOWN in scores else scores[0]


def summary(posture: Mapping[str, Any]) -> str:
    """Return where an instance stands in a few words."""
    score, counts = posture["secure_score"], posture["settings"]
    parts = []
    if score["controls"]:
        parts.append(
            f"{score['compliant']}/{score['controls']} Secure Score settings, "
            f"{score['points']} of {score['possible_points']} points"
        )
    looked_at = sum(counts.values()) - counts["not_applicable"]
    if not score["controls"] or sum(counts.values()) > score["controls"] + 1:
        parts.append(f"{counts['compliant']} of {looked_at} settings as recommended")
    if counts["unknown"]:
        parts.append(f"{counts['unknown']} unknown")
    return ", ".join(parts)
