# SPDX-License-Identifier: GPL-3.0-or-later
"""Of walks, a sample has the marked number of cases, and each day other ones."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from tests.integration.sampling import ALWAYS, WALK, sample

FILE = "test_rotate.py"


def mark(name: str, *arguments: int) -> Any:
    return SimpleNamespace(name=name, args=arguments)


class Item:
    """A test with the marks of its function, in a file with a mark of its own."""

    def __init__(self, name: str, *own: Any, file: Any = None) -> None:
        self.nodeid = f"{FILE}::{name}"
        self._marks: list[tuple[Any, Any]] = [(self, each) for each in own]
        if file:
            self._marks.append((SimpleNamespace(nodeid=FILE), file))

    def iter_markers_with_node(self, name: str) -> Iterator[tuple[Any, Any]]:
        return iter(pair for pair in self._marks if pair[1].name == name)

    def get_closest_marker(self, name: str) -> Any:
        return next((mark for _node, mark in self.iter_markers_with_node(name)), None)


def chosen(items: list[Any], seed: str) -> list[str]:
    left_out = sample(items, seed)
    return [item.nodeid.partition("::")[2] for item in items if item not in left_out]


def test_of_the_parameters_of_a_test_a_sample_has_some() -> None:
    items = [Item(f"killed[{point}]", mark(WALK, 2)) for point in range(9)] + [Item("plain")]
    days = [chosen(items, f"2026-11-{day}") for day in range(1, 29)]
    assert all(len(names) == 3 and names[-1] == "plain" for names in days)
    assert {name for names in days for name in names} == {f"killed[{point}]" for point in range(9)} | {"plain"}
    assert chosen(items, "2026-11-1") == days[0]


def test_of_the_tests_of_a_file_a_sample_has_some_and_those_that_are_always_there() -> None:
    file = mark(WALK, 2)
    items = [Item(f"scenario_{number}", file=file) for number in range(6)]
    items += [Item(f"killed[{point}]", mark(WALK, 1), file=file) for point in range(4)]
    items.append(Item("main", mark(ALWAYS), file=file))
    for day in range(1, 29):
        names = chosen(items, str(day))
        assert [name.partition("[")[0].partition("_")[0] for name in names] == [
            "scenario",
            "scenario",
            "killed",
            "main",
        ]


def test_without_marks_all_run() -> None:
    items: list[Any] = [Item("one"), Item("two")]
    assert sample(items, "1") == set()
