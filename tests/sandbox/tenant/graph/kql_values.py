# SPDX-License-Identifier: GPL-3.0-or-later
"""What the words of the hunting language do with values: comparisons, arithmetic, functions, aggregates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from .kql_words import moment_of


def json_of(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _bin(value: Any, size: Any) -> Any:
    if isinstance(value, datetime) and isinstance(size, timedelta):
        seconds = size.total_seconds()
        return datetime.fromtimestamp(value.timestamp() // seconds * seconds, timezone.utc)
    return value // size * size


def text_of(value: Any) -> str:
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _lower(value: Any) -> str:
    return text_of(value).lower()


def ordered(test: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    if isinstance(left, datetime) != isinstance(right, datetime):
        left, right = (moment_of(value) if isinstance(value, str) else value for value in (left, right))
    try:
        return bool(test(left, right))
    except TypeError:
        return False


def _order(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: ordered(test, left, right)


def _has(left: Any, right: Any) -> bool:
    return re.search(rf"(?<!\w){re.escape(_lower(right))}(?!\w)", _lower(left)) is not None


def _equal(left: Any, right: Any) -> bool:
    return bool(left == right) or (isinstance(left, str) != isinstance(right, str) and text_of(left) == text_of(right))


def _not(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: not test(left, right)


def _like(left: Any, right: Any) -> bool:
    return _lower(left) == _lower(right)


def _contains(left: Any, right: Any) -> bool:
    return _lower(right) in _lower(left)


def _starts(left: Any, right: Any) -> bool:
    return _lower(left).startswith(_lower(right))


def _ends(left: Any, right: Any) -> bool:
    return _lower(left).endswith(_lower(right))


LISTS: dict[str, Callable[[Any, Any], bool]] = {
    "in": _equal,
    "!in": _equal,
    "in~": _like,
    "!in~": _like,
    "has_any": _has,
    "!has_any": _has,
}
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": _not(_equal),
    "=~": _like,
    "!~": _not(_like),
    "<": _order(lambda a, b: a < b),
    "<=": _order(lambda a, b: a <= b),
    ">": _order(lambda a, b: a > b),
    ">=": _order(lambda a, b: a >= b),
    "has": _has,
    "!has": _not(_has),
    "contains": _contains,
    "!contains": _not(_contains),
    "startswith": _starts,
    "!startswith": _not(_starts),
    "endswith": _ends,
    "!endswith": _not(_ends),
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b if isinstance(a, int) and isinstance(b, int) else a / b,
    "%": lambda a, b: a % b,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "not": lambda value: not value,
    "tostring": text_of,
    "tolower": _lower,
    "toupper": lambda value: text_of(value).upper(),
    "toint": int,
    "tolong": int,
    "todatetime": moment_of,
    "strcat": lambda *parts: "".join(map(text_of, parts)),
    "strlen": lambda value: len(text_of(value)),
    "isempty": lambda value: text_of(value) == "",
    "isnotempty": lambda value: text_of(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
    "iff": lambda test, yes, no: yes if test else no,
    "iif": lambda test, yes, no: yes if test else no,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "bin": _bin,
    "floor": _bin,
    "startofday": lambda value: _bin(value, timedelta(days=1)),
    "parse_json": json_of,
    "todynamic": json_of,
    "array_length": lambda value: len(json_of(value)),
}


def _present(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None and value != ""]


def _distinct(values: Iterable[Any]) -> list[Any]:
    out: list[Any] = []
    for value in _present(values):
        if value not in out:
            out.append(value)
    return out


AGGREGATES: dict[str, tuple[str, Callable[[list[Any]], Any]]] = {
    "min": ("min", lambda values: min(_present(values), default=None)),
    "max": ("max", lambda values: max(_present(values), default=None)),
    "sum": ("sum", lambda values: sum(_present(values))),
    "avg": ("avg", lambda values: sum(_present(values)) / len(_present(values)) if _present(values) else None),
    "dcount": ("dcount", lambda values: len(_distinct(values))),
    "make_set": ("set", _distinct),
    "make_list": ("list", _present),
    "any": ("any", lambda values: next(iter(_present(values)), None)),
    "take_any": ("any", lambda values: next(iter(_present(values)), None)),
    "countif": ("countif", lambda values: sum(map(bool, values))),
}
