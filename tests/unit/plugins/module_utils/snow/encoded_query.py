# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's side of encoded queries, as far as this collection writes them.

See docs/facts/servicenow_platform.md#encoded-queries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

TERM = re.compile(
    r"(?P<field>[a-z0-9_.]+)(?P<operator>ISNOTEMPTY|ISEMPTY|NOT IN|IN|!=|<=|>=|=|<|>|STARTSWITH|LIKE)(?P<value>.*)",
    re.S,
)


@dataclass(frozen=True)
class Term:
    """One condition."""

    field: str
    operator: str
    value: str

    def matches(self, row: Mapping[str, str]) -> bool:
        actual = row.get(self.field, "")
        if self.operator == "IN":
            return actual in self.value.split(",")
        if self.operator in ("ISEMPTY", "ISNOTEMPTY"):
            return (actual == "") == (self.operator == "ISEMPTY")
        if self.operator == "STARTSWITH":
            return actual.startswith(self.value)
        assert self.operator == "=", self
        return actual == self.value


@dataclass(frozen=True)
class Query:
    """Conditions that must all hold, each a list of alternatives; and what the rows are ordered by."""

    conditions: list[list[Term]]
    order: list[str]

    def matches(self, row: Mapping[str, str]) -> bool:
        return all(any(term.matches(row) for term in alternatives) for alternatives in self.conditions)


def pieces(text: str) -> list[str]:
    """Split at each single `^`; two in a row are a caret of the value."""
    found = [""]
    position = 0
    while position < len(text):
        if text.startswith("^^", position):
            found[-1] += "^"
            position += 2
        elif text[position] == "^":
            found.append("")
            position += 1
        else:
            found[-1] += text[position]
            position += 1
    return found


def parse(text: str) -> Query:
    """Return what the platform makes of `text`."""
    query = Query([], [])
    for piece in pieces(text) if text else []:
        if piece.startswith("ORDERBY"):
            query.order.append(piece.removeprefix("ORDERBY"))
            continue
        # ^OR binds to the condition just before it.
        alternative = piece.startswith("OR")
        found = TERM.fullmatch(piece.removeprefix("OR"))
        assert found, f"{piece!r} in {text!r} is no condition"
        by_us = found["value"] == "javascript:gs.getUserID()"
        assert by_us or not found["value"].lower().lstrip().startswith("javascript:"), "the server would run it"
        term = Term(found["field"], found["operator"], found["value"])
        if alternative:
            query.conditions[-1].append(term)
        else:
            query.conditions.append([term])
    return query
