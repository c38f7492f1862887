# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the lines of ansible-core that are tested, each with the versions of Python it supports, for CI and noxfile.py."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tested_cores() -> list[dict[str, str]]:
    """Return every pair of a line of ansible-core and a version of Python, such as 2.19 and 3.12."""
    lines = (ROOT / "tests" / "ansible-core.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return [{"core": release.rpartition(".")[0], "python": python} for release, *pythons in rows for python in pythons]


if __name__ == "__main__":
    print(json.dumps(tested_cores()))
