# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardening settings and accepted deviations of all hosts, with severity, points, reason and the variable that has a setting written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from .groups import Hosts, in_sync_settings, shared
from .posture import SEVERITIES
from .rows import ENDED
from .values import Json, identity, mappings

# What a status of a setting means on the page.
STATES = {
    "changed": "deviates",
    "needs_elevation": "needs elevation",
    "request_only": "on request only",
    "manual": "manual step",
    "unknown": "unproven",
}
# Options that are lists of ids; what else decides is left to the reader.
LIST_SWITCHES = frozenset({"accept_side_effects", "ids"})
BOOLEAN_SWITCHES = frozenset({"allow_irreversible", "allow_plugins"})


def settings(hosts: Hosts) -> list[Json]:
    """Return the settings that are not in sync, the most severe first, those of most points before others.

    `actual` is the value of the first instance, and `differs` says whether others have another one.
    """
    reported = [(host, _key(row), row) for host, found in hosts.items() for row in mappings(found.get("settings"))]
    actual: dict[str, set[str]] = {}
    for _host, key, row in reported:
        actual.setdefault(key, set()).add(identity(row["actual"]))
    rows = shared(reported)
    for row in rows:
        row |= {"differs": len(actual[_key(row)]) > 1, "state": STATES.get(row["status"], row["status"])}
        row["variable"] = variable(row)
    return sorted(rows, key=lambda row: (_severity(row["severity"]), -row["points"], row["id"]))


def _key(row: Mapping[str, Any]) -> str:
    return identity([row[key] for key in ("id", "status", "reason", "switch", "expected")])


def variable(row: Mapping[str, Any]) -> str:
    """Return the variable that has a setting written, as a line of YAML where its value is known; "" if none does."""
    switch = row["switch"]
    name = f"snow_hardening_{switch}" if switch else ""
    if switch in LIST_SWITCHES:
        return f"{name}: [{row['id']}]"
    return f"{name}: true" if switch in BOOLEAN_SWITCHES else name


def settings_in_sync(hosts: Hosts) -> list[Json]:
    """Return the settings that are in sync on some host, with what the catalogue has of them."""
    in_sync = in_sync_settings(hosts)
    known = _catalogue() if in_sync else {}
    unknown = {"title": "", "severity": "unrated", "points": 0}
    rows = [{"id": id, **(known.get(id) or unknown), "hosts": names} for id, names in in_sync.items()]
    return sorted(rows, key=lambda row: (_severity(row["severity"]), -row["points"], row["id"]))


def _catalogue() -> dict[str, Json]:
    """Return title, severity and points of every setting; loaded only for a report that needs them."""
    from ...module_utils.hardening.catalogue import CATALOGUE
    from ...module_utils.hardening.catalogue.secure_score_points import POINTS

    return {
        each.id: {"title": each.title, "severity": each.severity, "points": POINTS.get(each.secure_score_control, 0)}
        for each in CATALOGUE
    }


def exceptions(hosts: Hosts, now: datetime) -> list[Json]:
    """Return the accepted deviations, those that have ended first, then by their end; `days_left` is None without one, else 0 or more."""
    rows = shared(
        (host, identity([row[key] for key in ("object", "reason", "owner", "until", "state")]), dict(row))
        for host, found in hosts.items()
        for row in mappings(found.get("exceptions"))
    )
    for row in rows:
        row["days_left"] = _days_left(row["until"], now)
    return sorted(rows, key=lambda row: (row["state"] != ENDED, row["until"] or "9999", row["object"]))


def _days_left(until: str, now: datetime) -> int | None:
    try:
        return max(0, (date.fromisoformat(until[:10]) - now.date()).days)
    except ValueError:
        return None


def _severity(name: str) -> int:
    return SEVERITIES.index(name) if name in SEVERITIES else len(SEVERITIES)
