# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the arguments of a task before Ansible does.

What Ansible makes of a date, a set or a key that is no text depends on how the module is run, and blanks and control characters
are names to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from ansible.module_utils.common.validation import check_type_dict, check_type_list

from .number_ranges import range_problem

Spec = Mapping[str, Mapping[str, Any]]

MAX_DEPTH = 100
# What no name, text or credential of these platforms holds; those of space between words are fine.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
SHAPES = {
    "dict": "a dictionary",
    "list": "a list",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "json": "JSON",
}


def problem_of(spec: Spec, arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with the shape of `arguments` in one sentence that names the option, "" for nothing.

    No value is repeated, but a number that is out of range. What Ansible checks alike in all cases (choices, required and unknown options) is left to it.
    """
    return next(_problems(spec, arguments, ""), "")


def _problems(spec: Spec, given: Mapping[Any, Any], where: str) -> Iterator[str]:
    for name, value in given.items():
        if not isinstance(name, str):
            yield _key_problem(name, where)
        elif name in spec:
            yield from _option_problems(spec[name], value, f"{where}{name}")


def _option_problems(option: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    kind = option.get("type", "str")
    if value is None:
        return
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{where} {_scalar_problem(value)}"
    if kind in ("str", "path", "json") and isinstance(value, str):
        yield from _text_problems(option, value, where)
    if kind == "list":
        yield from _list_problems(option, value, where)
    elif kind == "dict":
        yield from _dict_problems(option, value, where)
    elif kind == "json" and not isinstance(value, (str, Mapping, list)):
        yield f"{where} must be {SHAPES[kind]}, not {_shape(value)}"
    elif kind not in ("raw", "json") and isinstance(value, (Mapping, list, tuple, set, frozenset)):
        yield f"{where} must be {SHAPES.get(kind, 'text')}, not {_shape(value)}"
    else:
        yield from _value_problems(value, where, 0)
    if kind in ("int", "float"):
        yield from filter(None, [range_problem(where, value)])


def _text_problems(option: Mapping[str, Any], value: str, where: str) -> Iterator[str]:
    if not value.strip() and (value or option.get("required") or _has_default_text(option)):
        yield f"{where} must not be empty or blank{'' if option.get('required') else '; give a value, or leave it out'}"
    elif option.get("no_log") and len(value.splitlines()) > 1:
        yield f"{where} holds a line break, which is part of no credential; check how it was stored, and how it is read"


def _has_default_text(option: Mapping[str, Any]) -> bool:
    """Return whether an empty text is not the same as no value: a name that has a default."""
    return bool(option.get("default")) and not option.get("choices")


def _list_problems(option: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    items = coerced(check_type_list, value)
    if isinstance(value, (Mapping, set, frozenset)) or items is None:
        yield f"{where} must be a list, not {_shape(value)}"
        return
    for at, item in enumerate(items):
        if item is None or (isinstance(value, list) and isinstance(item, str) and not item.strip()):
            yield f"{where}[{at}] is empty; give a value, or leave the item out"
        yield from _option_problems({"type": option.get("elements", "raw"), **_sub(option)}, item, f"{where}[{at}]")


def _dict_problems(option: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    entries = coerced(check_type_dict, value)
    if entries is None:
        yield f"{where} must be a dictionary, not {_shape(value)}"
    elif option.get("options"):
        yield from _problems(option["options"], entries, f"{where}.")
    else:
        yield from _value_problems(entries, where, 0)


def _sub(option: Mapping[str, Any]) -> dict[str, Any]:
    return {"options": option["options"]} if option.get("options") else {}


def coerced(check: Callable[[Any], Any], value: Any) -> Any:
    """Return what Ansible would take `value` for, None if it would not."""
    try:
        return check(value)
    except Exception:  # noqa: BLE001 (any failure means that Ansible cannot take it; some repeat the value)
        return None


def _value_problems(value: Any, where: str, depth: int) -> Iterator[str]:
    """Yield what no platform can take: it has no form in JSON, or another one in each way of running a module."""
    if depth > MAX_DEPTH:
        yield f"{where} is nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _value_problems(item, f"{where}.{key}", depth + 1)
            else:
                yield _key_problem(key, f"{where}.")
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _value_problems(item, f"{where}[{at}]", depth + 1)
    else:
        said = _scalar_problem(value)
        yield from [f"{where} {said}"] if said else []


def _scalar_problem(value: Any) -> str:
    if isinstance(value, str):
        found = CONTROL.search(value)
        return f"holds the control character U+{ord(found[0]):04X}; remove it" if found else ""
    if isinstance(value, (set, frozenset)):
        return "is a set; write a list"
    if isinstance(value, bytes):
        return "holds binary data; write text"
    if isinstance(value, datetime):
        return "is a date and time without quotes; write it in quotes, in the form that the platform expects"
    return "is not a finite number" if isinstance(value, float) and not math.isfinite(value) else ""


def _key_problem(key: object, where: str) -> str:
    place = where.rstrip(".") or "the task"
    return f"{place} has a key that is {_shape(key)} and not text; write it in quotes"


def _shape(value: Any) -> str:
    """Return what kind of value this is, in the words of YAML."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, Mapping):
        return "a dictionary"
    if isinstance(value, (set, frozenset)):
        return "a set"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, (date, datetime)):
        return "a date"
    return "binary data" if isinstance(value, bytes) else "text"


def usual_spelling(spec: Spec, arguments: Any) -> Any:
    """Return `arguments` with each value of an option with choices spelled as the choice, where only upper and lower case differ."""
    if isinstance(arguments, list):
        return [usual_spelling(spec, item) for item in arguments]
    if not isinstance(arguments, dict):
        return arguments
    return {name: _spelled(spec[name], value) if name in spec else value for name, value in arguments.items()}


def _spelled(option: Mapping[str, Any], value: Any) -> Any:
    if option.get("options"):
        return usual_spelling(option["options"], value)
    choices = {choice.casefold(): choice for choice in option.get("choices") or () if isinstance(choice, str)}
    if choices and isinstance(value, list):
        return [_spelled(option, item) for item in value]
    if choices and isinstance(value, str) and option.get("type") == "list":
        return ",".join(choices.get(part.strip().casefold(), part) for part in value.split(","))
    return choices.get(value.casefold(), value) if choices and isinstance(value, str) else value


def plain(value: Any) -> Any:
    """Return arguments without what Ansible attaches to them, which is copied and searched much more slowly.

    A date, which YAML makes of `2026-01-31` without quotes, is this text again.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
