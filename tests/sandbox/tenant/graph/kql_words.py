# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the hunting language: from text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any


class KqlError(ValueError):
    """A query that makes no sense; the message is for the one who wrote it."""


@dataclass(frozen=True, slots=True)
class Word:
    """One token: kind is name, number, text, time, span, sign or end."""

    kind: str
    text: str
    value: Any = None


_PATTERNS = (
    ("blank", r"\s+|//[^\n]*"),
    ("time", r"datetime\(\s*(?P<moment>[^)]*)\)"),
    ("span", r"\d+(?:\.\d+)?(?:d|h|ms|m|s)\b"),
    ("number", r"\d+(?:\.\d+)?"),
    ("text", r"@?\"(?:[^\"\\]|\\.)*\"|@?'(?:[^'\\]|\\.)*'"),
    ("name", r"project-away|project-keep|[A-Za-z_]\w*"),
    (
        "sign",
        r"!has_any\b|!has\b|!contains\b|!startswith\b|!endswith\b|!in~|!in\b|\.\.|==|=~|!=|!~|<=|>=|[-+*/%<>=|(),\[\].;~]",
    ),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS))
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def words_of(query: str) -> list[Word]:
    """Cut a query into words; raises KqlError."""
    out: list[Word] = []
    place = 0
    while place < len(query):
        found = _TOKEN.match(query, place)
        if found is None:
            raise KqlError(f"Syntax error: the query could not be parsed at {query[place : place + 20]!r}.")
        place = found.end()
        kind = next(name for name, _ in _PATTERNS if found[name] is not None)
        if kind != "blank":
            out.append(_word(kind, found))
    return [*out, Word("end", "end of query")]


def _word(kind: str, found: re.Match[str]) -> Word:
    text = found.group()
    if kind == "number":
        return Word(kind, text, float(text) if "." in text else int(text))
    if kind == "span":
        amount, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()  # type: ignore[union-attr]
        return Word(kind, text, timedelta(seconds=float(amount) * _UNITS[unit]))
    if kind == "time":
        return Word(kind, text, moment_of(found["moment"].strip(" '\"")))
    if kind == "text":
        inner = text.lstrip("@")[1:-1]
        plain = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), inner)
        return Word(kind, text, inner if text.startswith("@") else plain)
    return Word(kind, text)


def moment_of(text: str) -> datetime:
    """Read a point in time; without a zone it is UTC. Raises KqlError."""
    try:
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError as error:
        raise KqlError(f"Syntax error: {text!r} is no datetime.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
