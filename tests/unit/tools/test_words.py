# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that are foreign to the field are found where people read, and nowhere else."""

from __future__ import annotations

import pytest

from tools.words import SCOPE, files, findings_in


def words(path: str, text: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.word) for finding in findings_in(path, text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The API tells which.", ["tells"]),
        ("Whatever is left is put back.", ["Whatever", "put back"]),
        ("acme-dev: as described", ["as described"]),
        ("the file is no HAR", ["is no HAR"]),
        ("there is no table", []),
        ("besides, it returns what it requires", []),
        ("`tell` and ``whatever`` are names, and https://example.com/told an address", []),
    ],
)
def test_prose_is_searched(text: str, found: list[str]) -> None:
    assert sorted(word for _line, word in words("README.md", text)) == sorted(found)


def test_python_is_searched_where_people_read() -> None:
    text = '"""Nobody."""\n# It tells.\ntell = "told"\nraise ValueError(f"{tell}: look at it")\n'
    assert sorted(words("plugins/x.py", text)) == [(2, "tells"), (4, "look at")]
    assert words("plugins/x.py", 'def f():\n    """Return a value.\n\n    Or tell why.\n    """\n') == [(4, "tell")]


def test_names_of_functions_in_tests_are_searched_as_sentences() -> None:
    text = (
        "class Fake:\n    def told_apart(self): ...\n\n\ndef test_what_is_as_described_stays(beside):\n    anew = 1\n"
    )
    assert sorted(words("tests/unit/test_x.py", text)) == [(2, "told"), (5, "as described")]
    assert words("plugins/x.py", text) == []


def test_all_tests_are_searched_except_recorded_data() -> None:
    searched = files(SCOPE)
    assert {"tests/integration/lifecycle.py", "tests/unit/conftest.py", "tests/resilience/__main__.py"} <= set(searched)
    assert [path for path in searched if path.startswith("tests/sandbox/snow/data/")] == []


def test_yaml_is_searched_in_names_descriptions_and_comments() -> None:
    text = (
        "- name: Look at it\n  value: tells\n  description:\n    - Does so\n    - anew\n  other: beside\n# whatever\n"
    )
    assert words("roles/x.yml", text) == [(1, "Look at"), (5, "anew"), (7, "whatever")]
