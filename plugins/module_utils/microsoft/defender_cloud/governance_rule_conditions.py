# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of governance rules: which recommendations a rule applies to.

See docs/facts/defender_for_cloud.md#governance-rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

SEVERITIES, RECOMMENDATIONS, RISK_LEVELS, CATEGORIES = "severities", "recommendations", "risk_levels", "categories"
KINDS = (SEVERITIES, RISK_LEVELS, CATEGORIES, RECOMMENDATIONS)
ORDER = ("Low", "Medium", "High", "Critical")
# See docs/facts/defender_for_cloud.md#assessments.
CATEGORY_NAMES = (
    "SoftwareUpdate", "SystemUpdate", "HostMisconfigurations", "ExposedSecrets", "ServiceUpgrade", "ApiVulnerabilities",
    "CodeVulnerabilities", "IacVulnerabilities",
)  # fmt: skip
# What the values of these kinds can be: another property can have a similar path.
VALUES = {RISK_LEVELS: ORDER, CATEGORIES: CATEGORY_NAMES}


@dataclass(frozen=True)
class Form:
    """How a condition is written: the `path` of the property ("" if unknown), and the operator, `In` or `Equals`."""

    path: str = ""
    operator: str = "In"


# By risk level and by category the portal selects too, but by which property is UNKNOWN: only a rule of the scope shows it.
# LIKELY: what public clients write (docs/facts/defender_for_cloud.md#governance-rules).
DEFAULT_FORMS = {SEVERITIES: Form("properties.metadata.severity"), RECOMMENDATIONS: Form("$.AssessmentKey")}


@dataclass(frozen=True)
class Condition:
    """A rule's condition as the options have it: `kind`, one of `KINDS`, `values`, and how it is written."""

    kind: str
    values: tuple[str, ...]
    form: Form

    @property
    def can_be_written(self) -> bool:
        """Whether it is known by which property it selects."""
        return bool(self.form.path)

    def same(self, other: Condition | None, *, path: bool) -> bool:
        """Return whether both select the same; with `path`, by the same property, too."""
        if other is None or self.kind != other.kind or (path and self.form.path != other.form.path):
            return False
        return {value.casefold() for value in self.values} == {value.casefold() for value in other.values}

    def wire(self) -> list[dict[str, Any]]:
        """Return the condition sets. Sets are alternatives; `In` takes a text that holds a JSON array, `Equals` one value."""
        texts = [json.dumps(list(self.values))] if self.form.operator == "In" else self.values
        return [self._set(text) for text in texts]

    def _set(self, value: str) -> dict[str, Any]:
        return {"conditions": [{"property": self.form.path, "operator": self.form.operator, "value": value}]}


def read_condition(sets: Any) -> Condition | None:
    """Return the meaning of condition sets, None where options cannot express it."""
    kinds: set[str] = set()
    forms: list[Form] = []
    values: list[str] = []
    for entry in sets if isinstance(sets, list) else []:
        conditions = entry.get("conditions") if isinstance(entry, Mapping) else None
        if not isinstance(conditions, list) or len(conditions) != 1 or not isinstance(conditions[0], Mapping):
            return None
        kinds.add(_kind(str(conditions[0].get("property"))))
        forms.append(_form(conditions[0]))
        values += _values(conditions[0])
    if len(kinds) != 1 or "" in kinds:
        return None
    kind = kinds.pop()
    if kind in VALUES and not {value.casefold() for value in values} <= {value.casefold() for value in VALUES[kind]}:
        return None
    return Condition(kind, tuple(dict.fromkeys(values)), forms[0])


def desired_condition(params: Mapping[str, Any], all_sets: Iterable[Any]) -> Condition | None:
    """Return the condition that options name, None if none does. `all_sets` are those of the scope's rules, the own first."""
    kind = next((option for option in KINDS if params[option] is not None), "")
    if not kind:
        return None
    form = known_form(kind, all_sets)
    if kind == SEVERITIES and params["severity_property"]:
        form = replace(form, path=params["severity_property"])
    return Condition(kind, tuple(dict.fromkeys(params[kind])), form)


def values_of(condition: Condition | None, kind: str, sets: Any) -> Any:
    """Return the values of a condition of this kind, else `sets`."""
    return list(condition.values) if condition and condition.kind == kind else sets


def known_form(kind: str, all_sets: Iterable[Any]) -> Form:
    """Return how the first of existing condition sets of this kind is written, else the likely form, if there is one."""
    known = (read_condition(sets) for sets in all_sets)
    return next((found.form for found in known if found and found.kind == kind), DEFAULT_FORMS.get(kind, Form()))


def _kind(path: str) -> str:
    folded = path.casefold().removeprefix("$.")
    last = folded.rpartition(".")[2]
    if folded == "name" or last == "assessmentkey":
        return RECOMMENDATIONS
    if "severity" in last:
        return SEVERITIES
    if "risk" in folded:
        return RISK_LEVELS
    return CATEGORIES if "categor" in last else ""


def _form(condition: Mapping[str, Any]) -> Form:
    operator = "In" if str(condition.get("operator")).casefold() == "in" else "Equals"
    return Form(str(condition.get("property")), operator)


def _values(condition: Mapping[str, Any]) -> list[str]:
    """Return the values of a condition: of an array, or of a text that is one value, a JSON array or separated by commas."""
    value = condition.get("value")
    if isinstance(value, str) and _form(condition).operator == "In":
        try:
            value = json.loads(value)
        except ValueError:
            value = [part.strip() for part in value.split(",")]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
