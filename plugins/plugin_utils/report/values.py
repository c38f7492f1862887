# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the results of tasks to the types that JSON, XML and HTML share."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Set
from typing import Any

Json = dict[str, Any]


def plain(value: Any) -> Any:
    """Return `value` as JSON types; values without one, such as NaN and dates, become text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=identity)
    return str(value)


def identity(value: Any) -> str:
    """Return a text that is equal for equal JSON values, independent of the order of their keys."""
    return json.dumps(value, sort_keys=True, default=str)


def text(value: Any) -> str:
    """Return a value for display: strings unchanged, everything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)


def mappings(value: Any) -> list[Json]:
    """Return the dictionaries in `value` if it is a list, else nothing: modules of other collections may return anything."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, (list, tuple)) else []


def texts(value: Any) -> list[str]:
    """Return the strings in `value` if it is a list, else nothing."""
    return [str(entry) for entry in value if isinstance(entry, str)] if isinstance(value, (list, tuple)) else []


def named(hosts: Iterable[str]) -> str:
    """Return the names of some hosts, and how many more there are."""
    known = list(dict.fromkeys(hosts))
    return ", ".join(known) if len(known) <= 3 else f"{', '.join(known[:2])} and {len(known) - 2} more"


def encode(document: str) -> bytes:
    """Return UTF-8. A lone surrogate, legal in a Python string, is written as an escape sequence, as in JSON."""
    return document.encode("utf-8", "backslashreplace")
