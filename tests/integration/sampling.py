# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks: costly cases of one kind, marked with the number of cases that a sample has. `make walks` runs all cases.

The cases of a marked test are those of its parameters. The cases of a marked file (`pytestmark`) are its tests that are not marked
themselves; those with the mark `always` are in each sample.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

import pytest

WALK, ALWAYS = "walk", "always"


def sample(items: Iterable[pytest.Item], seed: str) -> set[pytest.Item]:
    """Return the cases of walks that a sample leaves out."""
    walks: dict[str, list[pytest.Item]] = defaultdict(list)
    counts: dict[str, int] = {}
    for item in items:
        node, marker = next(item.iter_markers_with_node(WALK), (None, None))
        if node and marker and not item.get_closest_marker(ALWAYS):
            name = node.nodeid.partition("[")[0]
            counts[name] = marker.args[0]
            walks[name].append(item)
    left_out: set[pytest.Item] = set()
    for name, cases in walks.items():
        left_out |= set(cases) - set(random.Random(f"{seed} {name}").sample(cases, min(counts[name], len(cases))))
    return left_out
