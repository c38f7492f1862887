# SPDX-License-Identifier: GPL-3.0-or-later
"""How many test results of the integration there are, by result."""

from __future__ import annotations

from typing import Any

from ...engine.snapshot import Row
from ..query import TableRows
from .constants import COMPREHENSIVE, OURS, TITLES


def counted(
    answer: TableRows, tests: TableRows, implementation: Row | None, *, comprehensive_ran: bool
) -> dict[str, Any]:
    """Return `source`, `results` (count by result, None when unknown), `comparable` and the `reason` why not.

    The source is the integration's own where results carry it, else the one that names it, else the only one there is,
    as on tests (docs/facts/configuration_compliance.md#runs). No visible result is unknown: too few roles show fewer
    rows (docs/facts/configuration_compliance.md#applications-and-plugins).
    """
    counts: dict[str, Any] = {"source": "", "results": None, "comparable": False, "reason": ""}
    by_source: dict[str, dict[str, int]] = {}
    for row in answer.rows:
        if row.get("count", "").isdigit() and "result" in row:
            by_source.setdefault(row.get("source", ""), {})[row["result"]] = int(row["count"])
    if answer.refused or not by_source:
        counts["reason"] = (
            answer.refused or "no result is visible: none was imported, or the account lacks sn_vulc.read"
        )
        return counts
    source = _source(sorted(by_source), tests, implementation)
    if source is None:
        counts["reason"] = f"which source is Defender for Cloud is not clear: {', '.join(sorted(by_source))}"
        return counts
    counts.update(source=source, results=dict(sorted(by_source[source].items())), comparable=comprehensive_ran)
    if not comprehensive_ran:
        counts["reason"] = f"{TITLES[COMPREHENSIVE]} has not ended well since the configuration was last changed"
    return counts


def _source(sources: list[str], tests: TableRows, implementation: Row | None) -> str | None:
    own = str((implementation or {}).get("integration.source", ""))
    if own in sources and own:
        return own
    named = [source for source in sources if OURS.search(source)]
    if len(named) == 1:
        return named[0]
    on_tests = {row.get("source", "") for row in tests.rows} - {""}
    return sources[0] if len(sources) == 1 and sources[0] in on_tests else None
