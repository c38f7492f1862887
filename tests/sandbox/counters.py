# SPDX-License-Identifier: GPL-3.0-or-later
"""Request counts per service and route; headers and bodies are never recorded."""

from __future__ import annotations

from typing import Any


class Counters:
    """Number of calls per route; requests inside a batch are counted separately."""

    def __init__(self) -> None:
        self._outer: dict[str, dict[str, int]] = {}
        self._inner: dict[str, dict[str, int]] = {}

    def record(self, service: str, route: str, *, inner: bool = False) -> None:
        """Count one request."""
        counts = (self._inner if inner else self._outer).setdefault(service, {})
        counts[route] = counts.get(route, 0) + 1

    def reset(self, service: str = "") -> None:
        """Reset the counts of one service, or of all."""
        for counts in (self._outer, self._inner):
            if service:
                counts.pop(service, None)
            else:
                counts.clear()

    def summary(self) -> dict[str, Any]:
        """All counts: `instances.<name>.routes`, the same for `inner`, and totals."""
        names = sorted(self._outer.keys() | self._inner.keys())
        instances = {
            name: {
                "total": sum(self._outer.get(name, {}).values()),
                "routes": dict(sorted(self._outer.get(name, {}).items())),
                "inner_total": sum(self._inner.get(name, {}).values()),
                "inner": dict(sorted(self._inner.get(name, {}).items())),
            }
            for name in names
        }
        return {
            "total": sum(counts["total"] for counts in instances.values()),
            "inner_total": sum(counts["inner_total"] for counts in instances.values()),
            "instances": instances,
        }
