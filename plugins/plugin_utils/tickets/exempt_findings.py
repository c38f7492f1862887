# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings that a run has just exempted: Defender for Cloud shows them as exempt after its next assessment only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

IN_EFFECT = frozenset({"ok", "changed"})
ABSENT = "absent"

Row = Mapping[str, Any]


def with_exemptions(rows: Iterable[Row], exemptions: Sequence[Row], results: Sequence[Row]) -> list[Row]:
    """Return recommendations, those that are exempt marked as such.

    `exemptions` are entries of module mdc_exemptions, `results` what it returned for each, in the same order. Those of a management
    group are left to Defender for Cloud.
    """
    wanted: dict[str, list[str]] = {}
    for entry, result in zip(exemptions, results, strict=False):
        if entry.get("state") != ABSENT and result.get("status") in IN_EFFECT:
            scope = _path(entry.get("resource_id"))
            wanted.setdefault(str(entry.get("recommendation") or "").strip().casefold(), []).append(scope)
    return [{**row, "is_exempt": True} if _is_exempt(row, wanted) else row for row in rows]


def _is_exempt(row: Row, wanted: Mapping[str, Sequence[str]]) -> bool:
    scopes = wanted.get(str(row.get("name") or "").casefold(), ())
    return any(_path(row.get("resource_id")).startswith(scope) for scope in scopes)


def _path(resource: Any) -> str:
    return f"/{str(resource or '').strip().strip('/').casefold()}/"
