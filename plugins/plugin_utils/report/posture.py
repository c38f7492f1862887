# SPDX-License-Identifier: GPL-3.0-or-later
"""The posture of instances against a hardening baseline: read from results, summed, and labelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .values import Json, identity

COUNTS = ("compliant", "deviating", "unknown", "not_applicable")
SCORE = ("controls", "compliant", "points", "unknown_points", "possible_points")
GROUPS = ("by_category", "by_severity")
SEVERITIES = ("critical", "high", "medium", "low", "unrated")


def posture(found: Any) -> Json | None:
    """Return the posture of a module's result, numbers only; None without one."""
    if not isinstance(found, Mapping) or not isinstance(found.get("settings"), Mapping):
        return None
    return {
        "baseline": str(found.get("baseline") or ""),
        "settings": _numbers(found["settings"], COUNTS),
        **{group: _group(found.get(group)) for group in GROUPS},
        "secure_score": _numbers(found.get("secure_score"), SCORE),
    }


def worse(first: Json | None, second: Json | None) -> Json | None:
    """Return the worse posture of one host in two slices of a run."""
    found = [each for each in (first, second) if each]
    return max(found, key=lambda each: (each["settings"]["deviating"], identity(each)), default=None)


def added(postures: Iterable[Json | None]) -> Json | None:
    """Return the sum over all hosts with a posture; None without any."""
    found = [each for each in postures if each]
    if not found:
        return None
    return {
        "hosts": len(found),
        "settings": _sum((each["settings"] for each in found), COUNTS),
        **{group: _added_groups([each[group] for each in found]) for group in GROUPS},
        "secure_score": _sum((each["secure_score"] for each in found), SCORE),
    }


def label(found: Mapping[str, Any]) -> str:
    """Return a posture in short: `96 of 114 points`, or the settings if no control was evaluated."""
    score, counts = found["secure_score"], found["settings"]
    if score["possible_points"]:
        return f"{score['points']} of {score['possible_points']} points"
    return f"{counts['compliant']} of {sum(counts.values()) - counts['not_applicable']} settings"


def rows(found: Mapping[str, Any], group: str) -> list[Json]:
    """Return one group of a posture as rows of a table, the worst severity first."""
    names = [name for name in SEVERITIES if name in found[group]] if group == "by_severity" else []
    names += [name for name in found[group] if name not in names]
    return [{"name": name, **found[group][name]} for name in names]


def _group(found: Any) -> Json:
    if not isinstance(found, Mapping):
        return {}
    return {
        str(name): _numbers(counts, COUNTS) for name, counts in sorted(found.items(), key=lambda item: str(item[0]))
    }


def _numbers(found: Any, keys: Iterable[str]) -> Json:
    known = found if isinstance(found, Mapping) else {}
    numbers = {key: known.get(key) for key in keys}
    return {key: number if isinstance(number, int) else 0 for key, number in numbers.items()}


def _sum(found: Iterable[Mapping[str, int]], keys: Iterable[str]) -> Json:
    listed = list(found)
    return {key: sum(each[key] for each in listed) for key in keys}


def _added_groups(groups: list[Json]) -> Json:
    names = sorted({name for group in groups for name in group})
    return {name: _sum((group[name] for group in groups if name in group), COUNTS) for name in names}
