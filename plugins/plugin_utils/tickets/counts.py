# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run finds, in numbers: by severity, category, risk level and group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .groups import Group, category_of, severity_rank, value_of, words_of
from .membership import Findings

NONE = "none"

Row = Mapping[str, Any]


def counts_of(findings: Findings, new: Sequence[Group], options: Any, left: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of the findings that have, or need, a ticket; `left` is what the limit of new tickets leaves out."""
    groups = sorted(findings.groups.values(), key=lambda group: group.rank)
    rows = [row for group in groups for row in group.rows]
    empty = Counter(key for row in rows for key in options.group_by if not value_of(row, key, options.owner)[1])
    return {
        "findings": len(rows),
        "groups": len(groups),
        "new": max(0, len(new) - int(left.get("groups", 0))),
        "severity": _ranked(rows, "severity"),
        "risk_level": _ranked(rows, "risk_level"),
        "category": dict(Counter(_category(row) for row in rows).most_common()),
        "group": {group.name: len(group.rows) for group in groups},
        "empty": dict(empty),
        "left": dict(left),
        "unread": findings.unread_findings(),
    }


def _ranked(rows: Iterable[Row], name: str) -> dict[str, int]:
    found = Counter(str(row.get(name) or NONE) for row in rows)
    return {key: found[key] for key in sorted(found, key=severity_rank)}


def _category(row: Row) -> str:
    return words_of("category", category_of(row)) or NONE
