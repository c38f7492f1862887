# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of test results of the integration, by result."""

from __future__ import annotations

from typing import Any

from ...engine.snapshot import Row
from ..query import TableRows
from .constants import COMPREHENSIVE, DEFENDER_FOR_CLOUD, TITLES


def result_counts(
    answer: TableRows, tests: TableRows, implementation: Row | None, *, comprehensive_ran: bool
) -> dict[str, Any]:
    """Return `source`, `results` (count by result, None if unknown), `comparable` and the `reason` why not.

    The source is that of the integration if results have it, else the one that names Defender for Cloud, else the only
    one, if tests have it as well (docs/facts/configuration_compliance.md#runs). No visible result is unknown: too few roles show fewer
    rows (docs/facts/configuration_compliance.md#applications-and-plugins).
    """
    counts: dict[str, Any] = {"source": "", "results": None, "sources": None, "comparable": False, "reason": ""}
    by_source: dict[str, dict[str, int]] = {}
    for row in answer.rows:
        if row.get("count", "").isdigit() and "result" in row:
            by_source.setdefault(row.get("source", ""), {})[row["result"]] = int(row["count"])
    if answer.refused or not by_source:
        counts["reason"] = (
            answer.refused or "no results are visible: none were imported, or the account lacks sn_vulc.read"
        )
        return counts
    source = _source(sorted(by_source), tests, implementation)
    if source is None:
        counts["reason"] = f"it is ambiguous which source is Defender for Cloud: {', '.join(sorted(by_source))}"
        return counts
    counts.update(source=source, results=dict(sorted(by_source[source].items())), comparable=comprehensive_ran)
    if not comprehensive_ran:
        counts["reason"] = f"{TITLES[COMPREHENSIVE]} has not succeeded since the configuration was last changed"
    return counts


def _source(sources: list[str], tests: TableRows, implementation: Row | None) -> str | None:
    own = str((implementation or {}).get("integration.source", ""))
    if own in sources and own:
        return own
    named = [source for source in sources if DEFENDER_FOR_CLOUD.search(source)]
    if len(named) == 1:
        return named[0]
    on_tests = {row.get("source", "") for row in tests.rows} - {""}
    return sources[0] if len(sources) == 1 and sources[0] in on_tests else None
