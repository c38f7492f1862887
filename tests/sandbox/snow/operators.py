# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators of encoded queries, applied to one stored value (docs/facts/servicenow_platform.md#encoded-queries).

Text is compared case-insensitively, as in the databases of most instances; numbers by value; dates as text, which has
the same order.
"""

from __future__ import annotations

from collections.abc import Callable

Test = Callable[[str], bool]


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _ordered(holds: Callable[[float], bool]) -> Callable[[str, str], Test]:
    def make(kind: str, wanted: str) -> Test:
        limit = _number(wanted) if kind == "integer" else None
        if limit is not None:
            bound = limit

            def by_number(value: str) -> bool:
                number = _number(value)
                return number is not None and holds(number - bound)

            return by_number
        folded = wanted.casefold()
        return lambda value: value != "" and holds((value.casefold() > folded) - (value.casefold() < folded))

    return make


def _normal(kind: str, wanted: str) -> str:
    folded = wanted.casefold()
    if kind == "boolean":
        return {"1": "true", "0": "false"}.get(folded, folded)
    return "" if folded == "null" else folded


def _equal(kind: str, wanted: str) -> Test:
    normal = _normal(kind, wanted)
    return lambda value: value.casefold() == normal


def _unequal(kind: str, wanted: str) -> Test:
    normal = _normal(kind, wanted)
    return lambda value: value.casefold() != normal


def _within(kind: str, wanted: str) -> Test:
    values = frozenset(_normal(kind, part.strip()) for part in wanted.split(","))
    return lambda value: value.casefold() in values


def _outside(kind: str, wanted: str) -> Test:
    inside = _within(kind, wanted)
    return lambda value: not inside(value)


def _contains(_kind: str, wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda value: folded in value.casefold()


def _lacks(_kind: str, wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda value: folded not in value.casefold()


def _starts(_kind: str, wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda value: value.casefold().startswith(folded)


def _ends(_kind: str, wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda value: value.casefold().endswith(folded)


def _between(kind: str, wanted: str) -> Test:
    low, _, high = wanted.partition("@")
    above, below = _AT_LEAST(kind, low), _AT_MOST(kind, high)
    return lambda value: above(value) and below(value)


def _on(kind: str, wanted: str) -> Test:
    # The value of ON starts with a label: ONToday@from@to.
    return _between(kind, wanted.partition("@")[2])


def _not_on(kind: str, wanted: str) -> Test:
    inside = _on(kind, wanted)
    return lambda value: not inside(value)


_AT_LEAST = _ordered(lambda difference: difference >= 0)
_AT_MOST = _ordered(lambda difference: difference <= 0)

TESTS: dict[str, Callable[[str, str], Test]] = {
    "=": _equal,
    "!=": _unequal,
    "<": _ordered(lambda difference: difference < 0),
    "<=": _AT_MOST,
    ">": _ordered(lambda difference: difference > 0),
    ">=": _AT_LEAST,
    "IN": _within,
    "NOT IN": _outside,
    "LIKE": _contains,
    "*": _contains,
    "NOT LIKE": _lacks,
    "NOTLIKE": _lacks,
    "!*": _lacks,
    "STARTSWITH": _starts,
    "ENDSWITH": _ends,
    "%": _ends,
    "BETWEEN": _between,
    "ON": _on,
    "NOTON": _not_on,
    "ISEMPTY": lambda _kind, _wanted: lambda value: value == "",
    "EMPTYSTRING": lambda _kind, _wanted: lambda value: value == "",
    "ISNOTEMPTY": lambda _kind, _wanted: lambda value: value != "",
    "ANYTHING": lambda _kind, _wanted: lambda _value: True,
}
# Operators that compare with another field of the same row.
FIELD_TESTS: dict[str, Callable[[str, str], bool]] = {
    "SAMEAS": lambda left, right: left.casefold() == right.casefold(),
    "NSAMEAS": lambda left, right: left.casefold() != right.casefold(),
    "GT_FIELD": lambda left, right: _compare(left, right) > 0,
    "LT_FIELD": lambda left, right: _compare(left, right) < 0,
    "GT_OR_EQUALS_FIELD": lambda left, right: _compare(left, right) >= 0,
    "LT_OR_EQUALS_FIELD": lambda left, right: _compare(left, right) <= 0,
}


def _compare(left: str, right: str) -> int:
    numbers = _number(left), _number(right)
    if numbers[0] is not None and numbers[1] is not None:
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    return (left.casefold() > right.casefold()) - (left.casefold() < right.casefold())
