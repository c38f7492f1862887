# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to facts: what resolves, and how one that does not is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import fact_links

# In parts, so that the links and numbers of these tests are none of the repository's own.
FACTS = "docs/" + "facts"
INDEX = "# Facts\n\n[Platform](platform.md)\n"
PAGE = """# Platform

## Tokens

### Token endpoint

- **CONFIRMED** It is there. See [limits](#limits-and-quotas).

Sources: [the vendor][vendor].

### Limits and quotas

- **UNKNOWN** How many there are.

Sources: [the vendor][vendor].

[vendor]: https://vendor.example/limits
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / FACTS).mkdir(parents=True)
    write(tmp_path, f"{FACTS}/README.md", INDEX)
    write(tmp_path, f"{FACTS}/platform.md", PAGE)
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        f"# As documented ({FACTS}/platform.md#token-endpoint).",
        f"# {FACTS}/platform.md#limits-and-quotas: none.",
        f'"""Tokens, see {FACTS}/platform.md."""',
        f"See {FACTS}/platform.md#tokens, {FACTS}/README.md and the folder {FACTS}/.",
        "facts = 3  # Facts about 3 hosts, artefacts 2.1",
    ],
)
def test_links_that_resolve(repository: Path, text: str) -> None:
    write(repository, "plugins/module_utils/client.py", text)
    assert fact_links.problems(repository) == []


def test_a_heading_that_does_not_exist(repository: Path) -> None:
    write(repository, "plugins/module_utils/client.py", f"import os\n\n# See {FACTS}/platform.md#token-endpoints.\n")
    assert fact_links.problems(repository) == [
        f"plugins/module_utils/client.py:3: {FACTS}/platform.md#token-endpoints: "
        "platform.md has no heading #token-endpoints; the nearest is #token-endpoint"
    ]


def test_a_page_that_does_not_exist(repository: Path) -> None:
    write(repository, "roles/x/tasks/main.yml", f"---\n# {FACTS}/platforms.md#tokens\n")
    assert fact_links.problems(repository) == [
        f"roles/x/tasks/main.yml:2: {FACTS}/platforms.md#tokens: there is no page platforms.md; the nearest is platform.md"
    ]


@pytest.mark.parametrize(
    ("text", "word", "number"),
    [
        ("# Refused (platform facts {}).", "facts", "3.8"),
        ("# Facts {} and D3: both.", "Facts", "D1"),
        ("# A list that the vendor supports (its facts\n# {}).", "facts", "1.5"),
    ],
)
def test_citations_by_number(repository: Path, text: str, word: str, number: str) -> None:
    write(repository, "tests/unit/test_client.py", text.format(number))
    (problem,) = fact_links.problems(repository)
    assert problem.startswith(f'tests/unit/test_client.py:1: "{word} {number}": cite the heading instead')


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "(#limits-and-quotas)",
            "(#limits)",
            "9: #limits: platform.md has no heading #limits; the nearest is #limits-and-quotas",
        ),
        ("(#limits-and-quotas)", "(other.md)", "9: other.md: there is no page other.md; the nearest is platform.md"),
        ("**UNKNOWN**", "Unknown is", "13: #limits-and-quotas: no grade (CONFIRMED, LIKELY, UNKNOWN)"),
        ("\nSources: [the vendor][vendor].\n\n###", "\n###", "7: #token-endpoint: no source"),
        ("### Limits and quotas", "### Token endpoint", "11: #token-endpoint: this heading is there twice"),
        ("[vendor]: https", "[seller]: https", "19: [seller]: no fact uses this address"),
    ],
)
def test_pages_of_facts(repository: Path, old: str, new: str, reason: str) -> None:
    write(repository, f"{FACTS}/platform.md", PAGE.replace(old, new, 1))
    line, _, words = reason.partition(": ")
    found = fact_links.problems(repository)
    assert any(problem.startswith(f"{FACTS}/platform.md:") and problem.endswith(words) for problem in found), found


def test_a_source_without_an_address(repository: Path) -> None:
    write(repository, f"{FACTS}/platform.md", PAGE.replace("[vendor]: https", "[vendors]: https"))
    found = fact_links.problems(repository)
    assert f"{FACTS}/platform.md:9: [vendor]: no address; the nearest is vendors" in found


def test_a_page_missing_from_the_index(repository: Path) -> None:
    write(repository, f"{FACTS}/README.md", "# Facts\n")
    assert fact_links.problems(repository) == [f"{FACTS}/README.md:1: platform.md: missing from the index"]


def test_the_facts_of_this_repository() -> None:
    assert [problem for problem in fact_links.problems(fact_links.ROOT) if problem.startswith(FACTS)] == []
