# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on troubleshooting has every problem that the modules document."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs" / "docsite" / "rst" / "guide_troubleshooting.rst"
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
