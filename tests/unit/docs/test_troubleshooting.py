# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on troubleshooting has every problem that the modules document."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs" / "docsite" / "rst" / "guide_troubleshooting.rst"
# Filters have no list of ids, and modules name only some: they stand where the problems are made.
MADE = re.compile(r"\bProblem\(\s*f?\"([a-z_]+:?)")
IDS = re.compile(r"Id of the problem, stable across runs\. One of (.*?)\n +type: str", re.S)


def test_every_documented_problem_is_in_the_guide() -> None:
    guide = GUIDE.read_text()
    found = {
        (path.stem, problem)
        for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))
        for block in IDS.findall(path.read_text())
        for problem in re.findall(r"(?<!R)V\(([a-z_]+:?)\)", block)
    }
    assert len(found) > 40
    assert not [each for each in sorted(found) if f"``{each[1]}``" not in guide]


def test_every_problem_that_is_made_is_in_the_guide() -> None:
    guide = GUIDE.read_text()
    found = {
        problem
        for folder in ("plugin_utils", "module_utils")
        for path in sorted((ROOT / "plugins" / folder).rglob("*.py"))
        for problem in MADE.findall(path.read_text())
        # The rest of these depends on what was found.
        if not problem.endswith("_")
    }
    assert {"too_many_new", "scope_emptied:", "scope_refused:", "account_read_only"} <= found
    assert not [each for each in sorted(found) if f"``{each}``" not in guide]
