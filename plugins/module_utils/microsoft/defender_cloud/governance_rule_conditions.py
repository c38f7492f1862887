# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of governance rules: which recommendations a rule applies to.

See docs/facts/defender_for_cloud.md#governance-rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SEVERITIES, RECOMMENDATIONS = "severities", "recommendations"
ORDER = ("Low", "Medium", "High", "Critical")
KEY_PATH = "$.AssessmentKey"
# LIKELY: the specification names "Severity or AssessmentKey", and its samples write the second one as above.
SEVERITY_PATH = "$.Severity"


@dataclass(frozen=True)
class Condition:
    """A rule's condition as the options have it: `kind` severities or recommendations, `values`, and the `path` of the property."""

    kind: str
    values: tuple[str, ...]
    path: str

    def same(self, other: Condition | None, *, path: bool) -> bool:
        """Return whether both select the same; with `path`, by the same property, too."""
        if other is None or self.kind != other.kind or (path and self.path != other.path):
            return False
        return {value.casefold() for value in self.values} == {value.casefold() for value in other.values}

    def wire(self) -> list[dict[str, Any]]:
        """Return the condition sets. Sets are alternatives; `In` takes a text that holds a JSON array, `Equals` one value."""
        if self.kind == RECOMMENDATIONS:
            return [_set(self.path, "In", json.dumps(list(self.values)))]
        return [_set(self.path, "Equals", value) for value in self.values]


def _set(path: str, operator: str, value: str) -> dict[str, Any]:
    return {"conditions": [{"property": path, "operator": operator, "value": value}]}


def read_condition(sets: Any) -> Condition | None:
    """Return the meaning of condition sets, None where options cannot express it."""
    kinds: set[str] = set()
    paths: list[str] = []
    values: list[str] = []
    for entry in sets if isinstance(sets, list) else []:
        conditions = entry.get("conditions") if isinstance(entry, Mapping) else None
        if not isinstance(conditions, list) or len(conditions) != 1 or not isinstance(conditions[0], Mapping):
            return None
        kinds.add(_kind(str(conditions[0].get("property"))))
        paths.append(str(conditions[0].get("property")))
        values += _values(conditions[0])
    if len(kinds) != 1 or "" in kinds:
        return None
    return Condition(kinds.pop(), tuple(dict.fromkeys(values)), paths[0])


def severity_path(all_sets: Iterable[Any]) -> str:
    """Return the property that existing rules use for the severity, else the likely one."""
    known = (read_condition(sets) for sets in all_sets)
    return next((found.path for found in known if found and found.kind == SEVERITIES), SEVERITY_PATH)


def _kind(path: str) -> str:
    last = path.rpartition(".")[2].casefold()
    return RECOMMENDATIONS if last == "assessmentkey" else SEVERITIES if "severity" in last else ""


def _values(condition: Mapping[str, Any]) -> list[str]:
    value = condition.get("value")
    if str(condition.get("operator")).casefold() == "in":
        try:
            listed = json.loads(str(value))
        except ValueError:
            return [str(value)]
        return [str(item) for item in listed] if isinstance(listed, list) else [str(listed)]
    return [str(value)]
