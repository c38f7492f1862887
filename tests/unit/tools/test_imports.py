# SPDX-License-Identifier: GPL-3.0-or-later
"""Circles and arrows that point up are found."""

from __future__ import annotations

from tools.imports import circles, file_graph, folder_graph, foreign_imports, problems


def test_a_circle_is_found_once_from_any_start() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}
    assert circles(graph) == [["b", "c"]]


def test_folders_that_import_each_other_are_found() -> None:
    files = {"snow/a": {"hardening/b"}, "hardening/b": {"snow/c"}, "snow/c": set()}
    assert circles(files) == []
    assert circles(folder_graph(files)) == [["hardening", "snow"]]
    assert not folder_graph({"snow/a": {"snow/resources/b"}, "snow/resources/b": {"snow/a"}})


def test_arrows_that_point_up_are_named() -> None:
    files = {"engine/plan": {"transport/session"}, "snow/client": {"engine/store", "engine/errors"}}
    assert list(problems(files)) == [
        "engine/plan imports transport/session: engine lies below it",
        "snow/client imports engine/store: a client knows no more of the engine than its errors",
    ]


def test_the_collection_keeps_its_layers() -> None:
    assert len(file_graph()) > 100
    assert [*problems(file_graph()), *foreign_imports()] == []
