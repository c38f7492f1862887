# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a setting as it should be? Pure rules over what was seen of it.

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

# What can be seen of a setting. ABSENT is certain; HIDDEN may be there or not, and nobody knows with which value.
SEEN, ABSENT, HIDDEN, NOT_HERE = "seen", "absent", "hidden", "not_here"

WHOLE = re.compile(r"[+-]?\d{1,18}")


@dataclass(frozen=True)
class Observation:
    """What was seen of one setting: its value as text, one for each row that holds it, and why when it could not be.

    `rows` hold the values. `absent` says that there certainly is no row, whatever follows from that.
    """

    state: str
    values: tuple[str, ...] = ()
    why: str = ""
    rows: tuple[Row, ...] = ()
    absent: bool = False

    @property
    def row(self) -> Row | None:
        """The row behind a single value."""
        return self.rows[0] if len(self.rows) == 1 else None


@dataclass(frozen=True)
class Target:
    """What a setting has to be: the recommended value, or what the user put in its place.

    `accepted` is fulfilled as well: the recommended value where the user asks for less (never loosen, rule 3).
    """

    setting: Setting
    comparator: str
    wanted: Wanted
    accepted: Wanted | None = None

    @classmethod
    def of(cls, setting: Setting, override: Wanted | None = None) -> Target:
        """Return the target of a setting; `override` has the type that the setting takes."""
        if override is None:
            return cls(setting, setting.comparator, setting.recommended)
        comparator = OVERRIDDEN.get(setting.comparator, setting.comparator)
        lenient = setting.comparator == EQ and setting.type != INTEGER
        return cls(setting, comparator, override, setting.recommended if lenient else None)

    def allows(self, actual: str) -> bool:
        """Return whether a value fulfils the target."""
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
            return ",".join(words(self.wanted))
        writer = WRITTEN.get(self.comparator)
        return writer(self.wanted, actual or "") if writer else None


@dataclass(frozen=True)
class Evaluation:
    """The verdict on one setting; `actual` is None where nothing was seen, else of the setting's type."""

    verdict: str
    actual: Any
    reason: str = ""


def evaluate(target: Target, observation: Observation) -> Evaluation:
    """Return the verdict on what was seen of a setting."""
    setting = target.setting
    shown = shown_values(setting, observation.values) if observation.values else None
    if observation.state == NOT_HERE:
        return Evaluation(NOT_APPLICABLE, shown, observation.why)
    if observation.state == HIDDEN:
        return Evaluation(UNKNOWN, shown, observation.why)
    if target.comparator == REVIEW:
        return Evaluation(UNKNOWN, shown, "a person has to look at it: no single value is right")
    if observation.state == ABSENT:
        return _absent(target, observation.why)
    compliant = all(target.allows(value) for value in observation.values)
    return Evaluation(COMPLIANT if compliant else DEVIATING, shown, observation.why)


def _absent(target: Target, why: str) -> Evaluation:
    fallback = target.setting.fallback
    if fallback is None:
        return Evaluation(UNKNOWN, None, why or "there is no row, and what holds without one is not published")
    text = wire_text(fallback)
    reason = why or f"there is no row, so {text or 'an empty value'} holds"
    return Evaluation(COMPLIANT if target.allows(text) else DEVIATING, None, reason)


def shown_values(setting: Setting, values: tuple[str, ...]) -> Any:
    """Return what was seen as plain JSON types: one value, or the list of all."""
    typed = [typed_value(setting.type, value) for value in values]
    return typed[0] if len(typed) == 1 else typed


def typed_value(kind: str, text: str) -> Any:
    """Return a value in its type; what does not fit stays text."""
    if kind in (BOOLEAN, PLUGIN_TYPE):
        word = normal(BOOLEAN_KIND, text)
        return word == "true" if word in ("true", "false") else text
    if kind == INTEGER:
        number = whole(text)
        return text if number is None else number
    return words(text) if kind == LIST else text


def whole(text: str) -> int | None:
    """Return a whole number, or None for what is none."""
    stripped = text.strip()
    return int(stripped) if WHOLE.fullmatch(stripped) else None


def words(value: Any) -> list[str]:
    """Return the words of a list: separated by commas, blanks around them trimmed, each once."""
    parts = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return list(dict.fromkeys(part for part in (str(part).strip() for part in parts) if part))


def fulfils(kind: str, comparator: str, actual: str, wanted: Wanted) -> bool:
    """Return whether the text `actual`, read as `kind`, stands in the relation `comparator` to `wanted`."""
    return COMPARE[comparator](kind, actual, wanted)


def _equal(kind: str, actual: str, wanted: Wanted) -> bool:
    if kind in (BOOLEAN, PLUGIN_TYPE):
        return normal(BOOLEAN_KIND, actual) == wire_text(wanted)
    if kind == INTEGER:
        return whole(actual) is not None and whole(actual) == whole(wire_text(wanted))
    if kind == LIST:
        return set(words(actual)) == set(words(wanted))
    return actual.strip() == wire_text(wanted).strip()


def _number(compare: Callable[[int, int], bool]) -> Callable[[str, str, Wanted], bool]:
    def compared(_kind: str, actual: str, wanted: Wanted) -> bool:
        number, limit = whole(actual), whole(wire_text(wanted))
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
    EMPTY: lambda _kind, actual, _wanted: not words(actual),
    NOT_EMPTY: lambda _kind, actual, _wanted: bool(words(actual)),
    CONTAINS_ALL: lambda _kind, actual, wanted: set(words(wanted)) <= set(words(actual)),
    SUBSET_OF: lambda _kind, actual, wanted: set(words(actual)) <= set(words(wanted)),
    NOT_CONTAINS: lambda _kind, actual, wanted: wire_text(wanted) not in actual,
    REVIEW: lambda _kind, _actual, _wanted: True,
}

# How a value of the user's is compared where it is not compared like the recommended one: a list that should be empty
# may hold what the user allows, and one that should not be empty holds some of it.
OVERRIDDEN = {EMPTY: SUBSET_OF, NOT_EMPTY: SUBSET_OF, IN: EQ}

# What to write: words that others need stay, words that nobody may use go.
WRITTEN: dict[str, Callable[[Wanted, str], str]] = {
    EQ: lambda wanted, _actual: wire_text(wanted),
    ANY_OF_ACTIVE: lambda wanted, _actual: wire_text(wanted),
    LE: lambda wanted, _actual: wire_text(wanted),
    GE: lambda wanted, _actual: wire_text(wanted),
    RANGE_1_720: lambda wanted, _actual: wire_text(wanted),
    LT: lambda wanted, _actual: str((whole(wire_text(wanted)) or 0) - 1),
    IN: lambda wanted, _actual: wanted[0] if isinstance(wanted, tuple) else wire_text(wanted),
    EMPTY: lambda _wanted, _actual: "",
    CONTAINS_ALL: lambda wanted, actual: ",".join(words([*words(actual), *words(wanted)])),
    SUBSET_OF: lambda wanted, actual: ",".join(word for word in words(actual) if word in words(wanted)),
}
