# SPDX-License-Identifier: GPL-3.0-or-later
"""The posture of an instance: verdicts counted by category and severity, and the points of Secure Score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .assessment import Assessment
from .catalogue.secure_score_points import POINTS
from .evaluate import COMPLIANT, UNKNOWN, VERDICTS


def posture_of(baseline: str, assessed: Sequence[Assessment]) -> dict[str, Any]:
    """Return the counts by category and severity, and the points of Secure Score, as modules return them."""
    return {
        "baseline": baseline,
        "settings": _counts(assessed),
        "by_category": _grouped(assessed, [entry.setting.category for entry in assessed]),
        "by_severity": _grouped(assessed, [entry.setting.severity for entry in assessed]),
        "secure_score": _secure_score(assessed),
    }


def _counts(assessed: Iterable[Assessment]) -> dict[str, int]:
    counted = Counter(entry.verdict for entry in assessed)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def _grouped(assessed: Sequence[Assessment], names: Sequence[str]) -> dict[str, dict[str, int]]:
    groups: dict[str, list[Assessment]] = {}
    for name, entry in zip(names, assessed, strict=True):
        groups.setdefault(name, []).append(entry)
    return {name: _counts(groups[name]) for name in sorted(groups)}


def _secure_score(assessed: Iterable[Assessment]) -> dict[str, int]:
    """Return the number of controls, and the points: earned, possible, and unknown."""
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
    """Return the verdict on a control that any one of several settings satisfies."""
    return COMPLIANT if COMPLIANT in scores else UNKNOWN if UNKNOWN in scores else scores[0]


def summary(posture: Mapping[str, Any]) -> str:
    """Return the posture in one phrase: `18/22 Secure Score settings, 96 of 114 points`."""
    score, counts = posture["secure_score"], posture["settings"]
    parts = []
    if score["controls"]:
        parts.append(
            f"{score['compliant']}/{score['controls']} Secure Score settings, "
            f"{score['points']} of {score['possible_points']} points"
        )
    applicable = sum(counts.values()) - counts["not_applicable"]
    if not score["controls"] or sum(counts.values()) > score["controls"] + 1:
        parts.append(f"{counts['compliant']} of {applicable} settings as recommended")
    if counts["unknown"]:
        parts.append(f"{counts['unknown']} unknown")
    return ", ".join(parts)
