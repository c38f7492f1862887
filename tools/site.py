# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the documentation site in `build/site/html`, and fail on every warning of Sphinx.

Sphinx and the theme are installed in a virtual environment of their own. References to the documentation of ansible-core are
resolved by a list in this file, so that the build needs no network; a label that is not in it is a warning.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

from tools.checks import CACHE, ROOT

REQUIREMENTS = "tests/requirements-site.txt"
VENV = CACHE / "venv-site"
SOURCE = CACHE / "site"
TARGET = ROOT / "build" / "site"
NAME = "secops.servicenow_defender"
ANSIBLE = "https://docs.ansible.com/ansible/latest/"
BUILTIN = "collections/ansible/builtin"
# What the pages refer to: label, page and title of ansible-core's documentation.
LABELS = {
    "action_plugins": ("plugins/action.html", "Action plugins"),
    "ansible_collections.ansible.builtin.default_callback": (f"{BUILTIN}/default_callback.html", "default"),
    "ansible_collections.ansible.builtin.password_lookup": (f"{BUILTIN}/password_lookup.html", "password"),
    "ansible_configuration_settings": ("reference_appendices/config.html", "Configuration settings"),
    "callback_plugins": ("plugins/callback.html", "Callback plugins"),
    "common_return_values": ("reference_appendices/common_return_values.html", "Common return values"),
}
VARIABLES = (
    "ANSIBLE_CACHE_PLUGIN",
    "ANSIBLE_CACHE_PLUGIN_CONNECTION",
    "ANSIBLE_CACHE_PLUGIN_PREFIX",
    "ANSIBLE_CACHE_PLUGIN_TIMEOUT",
    "ANSIBLE_CALLBACKS_ENABLED",
    "ANSIBLE_DISPLAY_SKIPPED_HOSTS",
    "ANSIBLE_SHOW_CUSTOM_STATS",
    "ANSIBLE_STDOUT_CALLBACK",
)
CONFIGURATION = f"""
project = "{NAME}"
title = html_short_title = "{NAME}"
copyright = "Contributors to {NAME}"
intersphinx_mapping = {{"ansible": ("{ANSIBLE}", "{SOURCE / "ansible.inv"}")}}
# Its page is empty until the first release.
suppress_warnings = ["toc.no_title"]
"""


def inventory() -> bytes:
    """Return the labels and variables in the format of Sphinx's inventories, version 2."""
    lines = [f"{label} std:label -1 {page}#{label} {title}" for label, (page, title) in LABELS.items()]
    lines += [f"{name} std:envvar 1 reference_appendices/config.html#envvar-{name} -" for name in VARIABLES]
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: \n# The remainder of this file is compressed using zlib.\n"
    return head.encode() + zlib.compress("\n".join([*lines, ""]).encode())


def run(*command: str, folder: Path = ROOT) -> int:
    """Run a command that finds the tools of the site and the installed collection; show what it reports as wrong."""
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL).returncode


def prepare() -> None:
    """Set up the tools, and the folder that Sphinx reads."""
    if not (VENV / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        core = subprocess.run(
            [sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True
        ).stdout
        release = next(line for line in core.splitlines() if line.startswith("ansible-core=="))
        subprocess.run([*pip, "-r", REQUIREMENTS, release], cwd=ROOT, check=True)
        (VENV / "ready").touch()
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(mode=0o700)


def main() -> int:
    """Build the site; return the exit status."""
    prepare()
    if run("antsibull-docs", "sphinx-init", "--use-current", "--squash-hierarchy", f"--dest-dir={SOURCE}", NAME):
        return 1
    (SOURCE / "ansible.inv").write_bytes(inventory())
    with (SOURCE / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(CONFIGURATION)
    pages = SOURCE / "rst"
    pages.mkdir(mode=0o700, exist_ok=True)
    generate = ("antsibull-docs", "--config-file=antsibull-docs.cfg", "collection", "--cleanup=everything")
    if run(*generate, "--use-current", "--squash-hierarchy", f"--dest-dir={pages}", NAME, folder=SOURCE):
        return 1
    shutil.rmtree(TARGET, ignore_errors=True)
    status = run("sphinx-build", "-M", "html", "rst", str(TARGET), "-c", ".", "-W", "--keep-going", "-q", folder=SOURCE)
    if not status:
        print(f"documentation: {(TARGET / 'html' / 'index.html').relative_to(ROOT)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
