# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `ansible-test sanity` on a copy of the installed collection, with neither Docker nor traces in the user's home.

ansible-test keeps virtual environments and a bootstrap script for pip under `~/.ansible/test` and downloads that script
from a server of its own. Its children inherit HOME but no variables of pip. So it gets a home folder below `.cache`,
where a script that needs no download is already in place (the way out that ansible-test's own message names,
https://github.com/ansible/ansible/issues/77304) and where pip finds, for the time of the run, the user's settings.
"""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
HOME = CACHE / "home"

# The pip that ansible-core 2.18 and 2.19, and 2.20 and 2.21, bootstrap: ansible_test/_internal/python_requirements.py.
PIP_VERSIONS = ("24.2", "25.2")
# ensurepip runs in a process of its own because it points PIP_CONFIG_FILE of the calling one to nowhere.
BOOTSTRAP = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *arguments]).returncode)
"""


def pip_settings() -> configparser.RawConfigParser:
    """Return the settings of pip from the user's files and environment variables, as one file of its own format.

    Only errors are to be shown (quiet = 2), so that a failed test is easy to find in the output.
    """
    settings = configparser.RawConfigParser()
    command = [sys.executable, "-m", "pip", "config", "list"]
    # A pip that is set to be quiet would list nothing.
    lines = subprocess.check_output(command, text=True, env={**os.environ, "PIP_QUIET": "0"}).splitlines()
    # Variables come last, as `:env:`: they override the files, and so must they here.
    for line in sorted(lines, key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        section = "global" if section == ":env:" else section
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, ast.literal_eval(value))
    settings.read_dict({"global": {"quiet": "2"}})
    return settings


def prepare_home() -> Path:
    """Fill the private home folder and return the file with pip's settings, which may hold credentials of an index."""
    bootstrap = HOME / ".ansible" / "test" / "cache"
    bootstrap.mkdir(parents=True, exist_ok=True)
    HOME.chmod(0o700)
    for version in PIP_VERSIONS:
        (bootstrap / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP, encoding="utf-8")
    netrc = HOME / ".netrc"
    netrc.unlink(missing_ok=True)
    if (Path.home() / ".netrc").exists():
        netrc.symlink_to(Path.home() / ".netrc")
    pip_file = HOME / ".config" / "pip" / "pip.conf"
    pip_file.parent.mkdir(parents=True, exist_ok=True)
    pip_file.unlink(missing_ok=True)
    with os.fdopen(os.open(pip_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        pip_settings().write(file)
    return pip_file


def main(arguments: list[str]) -> int:
    """Run the tests, by default all of them, on the running version of Python; return the exit status."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["ansible-test", "sanity", "--local", "--python", version, "--color", "no", *arguments]
    # ansible-test sets these itself, and stops when it finds them set otherwise.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    pip_file = prepare_home()
    try:
        # A copy, as ansible-test writes next to what it tests; far from this repository, which ignores .cache: what the
        # Git of a folder above ignores, ansible-test skips without a word.
        with tempfile.TemporaryDirectory(prefix="sanity-") as place:
            shutil.copytree(CACHE / "collections", place, dirs_exist_ok=True)
            done = subprocess.run(
                command,
                cwd=Path(place, "ansible_collections", "secops", "servicenow_defender"),
                env={**environment, "HOME": str(HOME)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
    finally:
        pip_file.unlink(missing_ok=True)
    print(done.stdout)
    return done.returncode or int("All targets skipped" in done.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
