# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs make targets on other lines of ansible-core than that of `make test`, each in a virtual environment of its own.

`pipx run nox --list` lists the sessions; `pipx run nox -s "tests(2.21, 3.12)"` runs one of them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
CORES = json.loads(subprocess.check_output([sys.executable, "-m", "tools.cores"], cwd=ROOT))
PAIRS = [nox.param(pair["core"], pair["python"], id=f"{pair['core']}, {pair['python']}") for pair in CORES]

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests"]


@nox.session
@nox.parametrize(["core", "interpreter"], PAIRS)
def tests(session: nox.Session, core: str, interpreter: str) -> None:
    """Run sanity, unit and integration tests; left out where there is no such Python."""
    python = shutil.which(f"python{interpreter}")
    if not python:
        session.skip(f"there is no python{interpreter}")
    session.run("make", "compatibility", f"ANSIBLE_CORE={core}", f"PYTHON={python}", external=True)


@nox.session
@nox.parametrize("target", ["check", "lint", "docs"])
def make(session: nox.Session, target: str) -> None:
    """Run a make target on the line of ansible-core that `make test` uses."""
    session.run("make", target, external=True)
