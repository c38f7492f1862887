# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of the interpreter and of the libraries that modules run with on this machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from ansible.release import __version__ as core

# The minimum of each library (requirements.txt); "" for any version.
LIBRARIES = {"requests": "2.28", "jmespath": ""}
MIN_CORE, MIN_PYTHON = "2.18", "3.10"


def versions() -> dict[str, str]:
    """Return the version of each library, "" for one that is not installed."""
    found = {"ansible-core": core, "Python": ".".join(map(str, sys.version_info[:3]))}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def problems_of(found: Mapping[str, str]) -> list[str]:
    """Return one sentence for each version that is missing or too old."""
    problems = []
    for name, minimum in {"ansible-core": MIN_CORE, "Python": MIN_PYTHON, **LIBRARIES}.items():
        if not found.get(name):
            problems.append(
                f"{name} is not installed for {sys.executable}. Install it there: {sys.executable} -m pip install {name}"
            )
        elif minimum and _numbers(found[name]) < _numbers(minimum):
            problems.append(
                f"{name} {found[name]} is too old, {minimum} or later is needed. Upgrade it for {sys.executable}"
            )
    return problems


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
