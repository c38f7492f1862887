# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances on the page: a row of the map, and details. What several have in common is on the page once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...module_utils.token_end import in_words
from . import posture
from .document import IN_SYNC, counted, open_deviations
from .groups import time_left
from .objects import DRIFT, FAILED, OK, UNPROVEN
from .values import Json, identity

NAMES_PER_KIND = 12
SOON_DAYS, NEAR_DAYS = 14, 30
# A number that sorts what has no end after everything that has.
NO_END = 1_000_000


class Parts:
    """Parts of details and rows of deviations, each distinct one once; instances hold their numbers.

    `size` is about how many bytes they have on the page, at least.
    """

    def __init__(self) -> None:
        self.size = 0
        self.parts: list[Json] = []
        self.rows: list[Json] = []
        self._known: dict[str, int] = {}

    def part(self, content: Json) -> int:
        """Return the number of a part."""
        return self._number(self.parts, content)

    def row(self, content: Json) -> int:
        """Return the number of a row of deviations."""
        return self._number(self.rows, content)

    def _number(self, known: list[Json], content: Json) -> int:
        key = f"{known is self.rows} {identity(content)}"
        if key not in self._known:
            self._known[key] = len(known)
            self.size += len(key)
            known.append(content)
        return self._known[key]


def instance(
    name: str, host: Mapping[str, Any], kinds: Sequence[str], todo: Sequence[Json], parts: Parts, limit: int
) -> Json:
    """Return what the page shows of one host; `cells` is HTML of numbers and fixed words.

    `todo` are its rows of the to-do sheet, `limit` is the number of deviations that it may show.
    """
    rows: dict[str, list[Json]] = {kind: [] for kind in kinds}
    for row in host["objects"]:
        rows.setdefault(row["kind"], []).append(row)
    # Open deviations come first, because the end of a long list is left out.
    drift = sorted(host["drift"], key=lambda entry: bool(entry["repaired"]))
    first: Mapping[str, Any] = min(host["tokens"], key=time_left, default={})
    found = host["posture"]
    return {
        "name": name,
        "status": host["status"],
        "tenant": bool(host.get("tenant")),
        "todo": todo,
        "cells": "".join([*(_cell(rows[kind]) for kind in kinds), _todo_cell(len(todo))]),
        "counts": _counts(host),
        "rows": [parts.row(entry) for entry in drift[:limit]],
        "parts": [parts.part(content) for content in _parts(host, rows, len(drift) - len(drift[:limit]))],
        "posture_style": ("heat-1" if found["settings"]["deviating"] else "far") if found else "none",
        "posture_words": posture.label(found) if found else "not evaluated",
        "posture_points": found["secure_score"]["points"] if found else None,
        "token_class": nearness(first.get("days_left")) if first else "none",
        "token_words": in_words(first["days_left"], first["ended_days_ago"]) if first else "no token known",
        "token_order": order(first) if first else NO_END,
    }


def nearness(days: int | None) -> str:
    """Return the style of a number of days that are left."""
    if days is None:
        return "unknown"
    return "soon" if days < SOON_DAYS else "near" if days < NEAR_DAYS else "far"


def order(token: Mapping[str, Any]) -> float:
    """Return a number that sorts tokens by their end."""
    return min(time_left(token), NO_END)


def _parts(host: Mapping[str, Any], rows: Mapping[str, list[Json]], left_out: int) -> list[Json]:
    found: list[Json] = []
    if left_out:
        found.append({"part": "note", "text": f"{left_out} more in drift.json."})
    if host["tokens"]:
        keys = ("kind", "of", "name", "expires_at", "days_left", "ended_days_ago")
        tokens = [
            {**{key: token[key] for key in keys}, "nearness": nearness(token["days_left"])} for token in host["tokens"]
        ]
        found.append({"part": "tokens", "rows": tokens})
    if host["posture"]:
        found.append({"part": "posture", "found": host["posture"]})
    # Accepted deviations are not in sync.
    not_in_sync = {("setting", row["id"]) for row in host.get("settings") or ()}
    in_sync = [group for kind in rows if (group := _in_sync(kind, rows[kind], not_in_sync))["count"]]
    if in_sync:
        found.append({"part": "in_sync", "groups": in_sync})
    elif not found and host["status"] == IN_SYNC:
        found.append({"part": "note", "text": "In sync."})
    return found


def _in_sync(kind: str, rows: Sequence[Mapping[str, Any]], but: Collection[tuple[str, str]]) -> Json:
    names = [row["name"] for row in rows if row["status"] == OK and (kind, row["name"]) not in but]
    return {"kind": kind, "count": len(names), "names": names[:NAMES_PER_KIND], "left_out": len(names[NAMES_PER_KIND:])}


def _counts(host: Mapping[str, Any]) -> list[str]:
    opened, steps, problems = len(open_deviations(host)), len(host["manual_steps"]), len(host["problems"])
    unproven, repaired = len(host["unproven"]), host["repaired"]
    words = [
        counted(opened, "deviation") if opened else "",
        f"{unproven} unproven" if unproven else "",
        f"{repaired} repaired" if repaired else "",
        counted(steps, "manual step") if steps else "",
        counted(problems, "problem") if problems else "",
    ]
    return [each for each in words if each]


def _todo_cell(number: int) -> str:
    return f'<td class="{"heat-2" if number else "zero"}">{number}</td>'


def _cell(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return one cell of the map, of numbers and fixed words only: for screen readers and copies, as the style sheet shows a sign."""
    if not rows:
        return '<td class="none">nothing reported</td>'
    failed = sum(row["status"] == FAILED for row in rows)
    # A missing object may have no field to count.
    deviations = sum(max(row["deviations"], 1) for row in rows if row["status"] == DRIFT)
    unproven = sum(row["status"] == UNPROVEN for row in rows)
    repaired = sum(row["repaired"] for row in rows)
    if failed:
        return f'<td class="failed">{failed} failed</td>'
    if deviations:
        heat = 1 if deviations == 1 else 2 if deviations < 5 else 3
        word = "deviation" if deviations == 1 else "deviations"
        return f'<td class="heat-{heat}">{deviations}<i> {word}</i></td>'
    if unproven:
        return f'<td class="unproven">{unproven} unproven</td>'
    if repaired:
        return f'<td class="repaired">{repaired}<i> repaired</i></td>'
    return '<td class="ok">in sync</td>'
