# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the browser tests with the system's Chromium; its path reaches them as CHROMIUM. Arguments go to pytest.

Where there is none, root installs it by apt-get. Where that cannot be done the tests are left out, in CI they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.checks import LEFT_OUT, ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install_chromium() -> None:
    """Install Chromium by apt-get where the user may; the output says why when it fails."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *command], env=environment)


def main(arguments: list[str]) -> int:
    """Find or install Chromium, install what drives it, run the tests; return the exit status."""
    if not any(Path(ROOT, "tests", "browser").glob("test_*.py")):
        print("there are no browser tests")
        return LEFT_OUT
    if not find_chromium():
        install_chromium()
    chromium = find_chromium()
    if not chromium:
        print("no Chromium here and no right to install it: the browser tests did not run")
        return 1 if os.environ.get("CI") == "true" else LEFT_OUT
    pip = [sys.executable, "-m", "pip", "install", "-q", "-r", "tests/requirements-browser.txt"]
    subprocess.run(pip, cwd=ROOT, check=True)
    pytest = [sys.executable, "-m", "pytest", "-q", "tests/browser", *arguments]
    return subprocess.run(pytest, cwd=ROOT, env={**os.environ, "CHROMIUM": chromium}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
