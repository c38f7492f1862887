# SPDX-License-Identifier: GPL-3.0-or-later
"""Impact and urgency that users give severities, and other dictionaries of dictionaries among their variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def checked_ratings(variable: str, given: Any, severities: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return ratings by severity, which may be in any case; raise `ValueError` for another one, or for what is no dictionary."""
    known = {name.casefold(): name for name in severities}
    found = {}
    for name, rating in checked_dictionaries(variable, given, "{impact: 1, urgency: 1}").items():
        severity = known.get(name.strip().casefold())
        if severity is None:
            raise ValueError(f"{variable}: {name!r} is no severity; they are {', '.join(known.values())}")
        found[severity] = rating
    return found


def checked_dictionaries(variable: str, given: Any, example: str) -> dict[str, Mapping[str, Any]]:
    """Return a dictionary whose values are dictionaries; raise `ValueError` for another value, with what one looks like."""
    if not isinstance(given or {}, Mapping):
        raise ValueError(f"{variable} is {given!r}; it must be a dictionary")
    for name, value in (given or {}).items():
        if not isinstance(value or {}, Mapping):
            raise ValueError(f"{variable}: {name} has {value!r}; it must have a dictionary, such as {example}")
    return {str(name): value or {} for name, value in (given or {}).items()}
