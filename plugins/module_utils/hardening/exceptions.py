# SPDX-License-Identifier: GPL-3.0-or-later
"""Accepted deviations: settings that a task leaves as they are, with reason, owner and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

from ..engine.errors import InvalidInput
from ..snow.options import Options
from .baseline import unknown_ids

EXCEPTION_OPTIONS: Options = {
    "id": {"type": "str", "required": True},
    "reason": {"type": "str", "required": True},
    "owner": {"type": "str"},
    "until": {"type": "str"},
}


@dataclass(frozen=True)
class Exceptions:
    """By id of a setting, why its deviation is accepted; `ended` are sentences about those that ended.

    `entries` are all of them as results return them: reason, owner, the last day as ISO 8601, and whether that has passed.
    """

    reasons: Mapping[str, str] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]], today: date | None = None) -> Exceptions:
        """Return the exceptions of a task; one holds through its last day, UTC. Raises `InvalidInput`, which names every invalid one."""
        entries = list(entries)
        now = today or datetime.now(timezone.utc).date()
        wrong = list(unknown_ids("exceptions", (entry["id"] for entry in entries)))
        reasons: dict[str, str] = {}
        ended: list[str] = []
        returned: dict[str, Mapping[str, Any]] = {}
        for entry in entries:
            id = entry["id"]
            if id in reasons:
                wrong.append(f"exceptions: {id} is there twice")
            try:
                end = date.fromisoformat(entry["until"]) if entry.get("until") else None
            except ValueError:
                wrong.append(f"exceptions: until of {id} must be a date such as 2027-06-30, not {entry['until']!r}")
                continue
            if not entry["reason"].strip():
                wrong.append(f"exceptions: {id} has no reason")
            returned[id] = {
                "reason": entry["reason"].strip(),
                "owner": entry.get("owner") or "",
                "until": end.isoformat() if end else "",
                "ended": bool(end and end < now),
            }
            if end and end < now:
                ended.append(f"the exception of {id} ended on {end}: renew it, or have the setting corrected")
                continue
            by, until = (f" by {entry['owner']}" if entry.get("owner") else "", f" until {end}" if end else "")
            reasons[id] = f"accepted{by}{until}: {entry['reason'].strip()}"
        if wrong:
            raise InvalidInput(f"{'; '.join(wrong)}. Nothing was written")
        return cls(reasons, tuple(ended), returned)
