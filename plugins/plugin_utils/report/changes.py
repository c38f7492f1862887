# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since the last report, and the trend, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .history import shown_trend
from .values import Json, mappings, named

MAX_ROWS = 50
MAX_TREND = 12


def changes(since: Any) -> Json | None:
    """Return the changes with those that instances share once, those of most instances first; None without an earlier report."""
    if not isinstance(since, Mapping):
        return None
    groups: dict[tuple[str, str, str], list[str]] = {}
    for change in ("new", "gone"):
        for row in mappings(since.get(change)):
            key = (change, str(row.get("object")), str(row.get("field") or ""))
            groups.setdefault(key, []).append(str(row.get("host")))
    ordered = sorted(groups.items(), key=lambda item: (item[0][0] != "new", -len(item[1]), item[0]))
    rows = [
        {"change": change, "object": name, "field": field, "hosts": named(hosts)}
        for (change, name, field), hosts in ordered[:MAX_ROWS]
    ]
    return {
        "generated_at": str(since.get("generated_at")),
        "when": str(since.get("generated_at"))[:16].replace("T", " "),
        "new": len(mappings(since.get("new"))),
        "gone_count": len(mappings(since.get("gone"))),
        "added": named(map(str, since.get("hosts_added") or [])),
        "missing": named(map(str, since.get("hosts_missing") or [])),
        "rows": rows,
        "left_out": len(ordered) - len(rows),
    }


def rows_of_trend(document: Mapping[str, Any]) -> list[Json]:
    """Return the totals of the last runs, each with its day."""
    return [{**row, "day": str(row.get("generated_at"))[:10]} for row in shown_trend(document)[-MAX_TREND:]]
