# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks: tests with costly cases of one kind, marked with the number of cases that a sample has. `make walks` runs all cases."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

import pytest

WALK = "walk"


def sample(items: Iterable[pytest.Item], seed: str) -> set[pytest.Item]:
    """Return the cases of walks that a sample leaves out."""
    walks: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker(WALK):
            walks[item.nodeid.partition("[")[0]].append(item)
    left_out: set[pytest.Item] = set()
    for name, cases in walks.items():
        marker = cases[0].get_closest_marker(WALK)
        count = marker.args[0] if marker else len(cases)
        left_out |= set(cases) - set(random.Random(f"{seed} {name}").sample(cases, min(count, len(cases))))
    return left_out
