# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate a setting: rules that compare what was observed with the target.

See docs/facts/servicenow_hardening.md#evaluation-rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..engine.field import BOOLEAN as BOOLEAN_KIND
from ..engine.field import normal, wire_text
from ..engine.snapshot import Row
from .catalogue.setting import (
    ACTIVE,
    ANY_OF_ACTIVE,
    BOOLEAN,
    CONTAINS_ALL,
    EMPTY,
    EQ,
    GE,
    IN,
    INTEGER,
    LE,
    LIST,
    LT,
    MIN_ACTIVE_RECORDS,
    MIN_RECORDS,
    NOT_CONTAINS,
    NOT_EMPTY,
    PLUGIN_TYPE,
    RANGE_1_720,
    REVIEW,
    SUBSET_OF,
    Setting,
    Wanted,
)

COMPLIANT, DEVIATING, NOT_APPLICABLE, UNKNOWN = "compliant", "deviating", "not_applicable", "unknown"
VERDICTS = (COMPLIANT, DEVIATING, UNKNOWN, NOT_APPLICABLE)

# States of an observation. ABSENT: certainly without a row. HIDDEN: there may be a row that the account cannot read.
# NOT_PRESENT: the release or the instance does not have the setting.
FOUND, ABSENT, HIDDEN, NOT_PRESENT = "found", "absent", "hidden", "not_present"

INTEGER_PATTERN = re.compile(r"[+-]?\d{1,18}")


@dataclass(frozen=True)
class Observation:
    """What was observed of one setting: its values as text, one for each row, and the reason where there is none.

    `rows` hold the values. `absent`: there certainly is no row, even if the setting does not apply.
    """

    state: str
    values: tuple[str, ...] = ()
    reason: str = ""
    rows: tuple[Row, ...] = ()
    absent: bool = False

    @property
    def row(self) -> Row | None:
        """The row behind a single value."""
        return self.rows[0] if len(self.rows) == 1 else None


@dataclass(frozen=True)
class Target:
    """The desired value of a setting: the recommended one, or an override.

    `accepted` is compliant as well: the recommended value where the override is weaker (rule 3: never loosen).
    """

    setting: Setting
    comparator: str
    wanted: Wanted
    accepted: Wanted | None = None

    @classmethod
    def of(cls, setting: Setting, override: Wanted | None = None) -> Target:
        """Return the target of a setting; `override` has the type of the setting."""
        if override is None:
            return cls(setting, setting.comparator, setting.recommended)
        comparator = OVERRIDE_COMPARATORS.get(setting.comparator, setting.comparator)
        lenient = setting.comparator == EQ and setting.type != INTEGER
        return cls(setting, comparator, override, setting.recommended if lenient else None)

    def allows(self, actual: str) -> bool:
        """Return whether a value is compliant."""
        return fulfils(self.setting.type, self.comparator, actual, self.wanted) or (
            self.accepted is not None and fulfils(self.setting.type, EQ, actual, self.accepted)
        )

    @property
    def expected(self) -> Any:
        """The wanted value as plain JSON types."""
        return list(self.wanted) if isinstance(self.wanted, tuple) else self.wanted

    def value_to_write(self, actual: str | None) -> str | None:
        """Return the value that brings `actual` (None without a row) to the target; None where there is no such value."""
        if actual is None and self.comparator == SUBSET_OF:
            return ",".join(split_list(self.wanted))
        writer = VALUE_TO_WRITE.get(self.comparator)
        return writer(self.wanted, actual or "") if writer else None


@dataclass(frozen=True)
class Evaluation:
    """The verdict on one setting; `actual` is None where no value was found, else of the setting's type."""

    verdict: str
    actual: Any
    reason: str = ""


def evaluate(target: Target, observation: Observation) -> Evaluation:
    """Compare what was observed of a setting with its target."""
    setting = target.setting
    shown = shown_values(setting, observation.values) if observation.values else None
    if observation.state == NOT_PRESENT:
        return Evaluation(NOT_APPLICABLE, shown, observation.reason)
    if observation.state == HIDDEN:
        return Evaluation(UNKNOWN, shown, observation.reason)
    if target.comparator == REVIEW:
        return Evaluation(UNKNOWN, shown, "requires manual review: the right value depends on the instance")
    if observation.state == ABSENT:
        return _absent(target, observation.reason)
    compliant = all(target.allows(value) for value in observation.values)
    return Evaluation(COMPLIANT if compliant else DEVIATING, shown, observation.reason)


def _absent(target: Target, reason: str) -> Evaluation:
    fallback = target.setting.fallback
    if fallback is None:
        return Evaluation(
            UNKNOWN, None, reason or "there is no row, and the value in force without one is not published"
        )
    text = wire_text(fallback)
    reason = reason or f"there is no row, so {text or 'an empty value'} is in force"
    return Evaluation(COMPLIANT if target.allows(text) else DEVIATING, None, reason)


def shown_values(setting: Setting, values: tuple[str, ...]) -> Any:
    """Return observed values as plain JSON types: one value, or the list of all."""
    typed = [typed_value(setting.type, value) for value in values]
    return typed[0] if len(typed) == 1 else typed


def typed_value(kind: str, text: str) -> Any:
    """Return a value in its type; a value that does not fit stays text."""
    if kind in (BOOLEAN, PLUGIN_TYPE):
        word = normal(BOOLEAN_KIND, text)
        return word == "true" if word in ("true", "false") else text
    if kind == INTEGER:
        number = parse_integer(text)
        return text if number is None else number
    return split_list(text) if kind == LIST else text


def parse_integer(text: str) -> int | None:
    """Return an integer, or None if `text` is not one."""
    stripped = text.strip()
    return int(stripped) if INTEGER_PATTERN.fullmatch(stripped) else None


def split_list(value: Any) -> list[str]:
    """Return the entries of a comma-separated list, stripped, each once."""
    parts = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return list(dict.fromkeys(part for part in (str(part).strip() for part in parts) if part))


def fulfils(kind: str, comparator: str, actual: str, wanted: Wanted) -> bool:
    """Return whether the text `actual`, read as `kind`, satisfies `comparator` with `wanted`."""
    return COMPARE[comparator](kind, actual, wanted)


def _equal(kind: str, actual: str, wanted: Wanted) -> bool:
    if kind in (BOOLEAN, PLUGIN_TYPE):
        return normal(BOOLEAN_KIND, actual) == wire_text(wanted)
    if kind == INTEGER:
        return parse_integer(actual) is not None and parse_integer(actual) == parse_integer(wire_text(wanted))
    if kind == LIST:
        return set(split_list(actual)) == set(split_list(wanted))
    return actual.strip() == wire_text(wanted).strip()


def _number(compare: Callable[[int, int], bool]) -> Callable[[str, str, Wanted], bool]:
    def compared(_kind: str, actual: str, wanted: Wanted) -> bool:
        number, limit = parse_integer(actual), parse_integer(wire_text(wanted))
        return number is not None and limit is not None and compare(number, limit)

    return compared


def _one_of(_kind: str, actual: str, wanted: Wanted) -> bool:
    choices = wanted if isinstance(wanted, tuple) else (wire_text(wanted),)
    return actual.strip() in [choice.strip() for choice in choices]


_at_least = _number(lambda number, limit: number >= limit)

# Rule 2: booleans without regard to case, numbers as numbers, lists as sets.
COMPARE: dict[str, Callable[[str, str, Wanted], bool]] = {
    EQ: _equal,
    ACTIVE: _equal,
    ANY_OF_ACTIVE: _equal,
    LE: _number(lambda number, limit: number <= limit),
    LT: _number(lambda number, limit: number < limit),
    GE: _at_least,
    MIN_RECORDS: _at_least,
    MIN_ACTIVE_RECORDS: _at_least,
    # Rule 4: 0 means without an end.
    RANGE_1_720: _number(lambda number, limit: 1 <= number <= min(limit, 720)),
    IN: _one_of,
    EMPTY: lambda _kind, actual, _wanted: not split_list(actual),
    NOT_EMPTY: lambda _kind, actual, _wanted: bool(split_list(actual)),
    CONTAINS_ALL: lambda _kind, actual, wanted: set(split_list(wanted)) <= set(split_list(actual)),
    SUBSET_OF: lambda _kind, actual, wanted: set(split_list(actual)) <= set(split_list(wanted)),
    NOT_CONTAINS: lambda _kind, actual, wanted: wire_text(wanted) not in actual,
    REVIEW: lambda _kind, _actual, _wanted: True,
}

# How an override is compared where it differs from the recommended value: a list that should be empty may hold what the
# override allows, and one that should not be empty holds some of it.
OVERRIDE_COMPARATORS = {EMPTY: SUBSET_OF, NOT_EMPTY: SUBSET_OF, IN: EQ}

# What to write. Entries that others need are kept; entries that are not allowed are removed.
VALUE_TO_WRITE: dict[str, Callable[[Wanted, str], str]] = {
    EQ: lambda wanted, _actual: wire_text(wanted),
    ANY_OF_ACTIVE: lambda wanted, _actual: wire_text(wanted),
    LE: lambda wanted, _actual: wire_text(wanted),
    GE: lambda wanted, _actual: wire_text(wanted),
    RANGE_1_720: lambda wanted, _actual: wire_text(wanted),
    LT: lambda wanted, _actual: str((parse_integer(wire_text(wanted)) or 0) - 1),
    IN: lambda wanted, _actual: wanted[0] if isinstance(wanted, tuple) else wire_text(wanted),
    EMPTY: lambda _wanted, _actual: "",
    CONTAINS_ALL: lambda wanted, actual: ",".join(split_list([*split_list(actual), *split_list(wanted)])),
    SUBSET_OF: lambda wanted, actual: ",".join(word for word in split_list(actual) if word in split_list(wanted)),
}
