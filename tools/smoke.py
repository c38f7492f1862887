# SPDX-License-Identifier: GPL-3.0-or-later
"""Try the built archive as a stranger would: what is in it, does it install offline, do pages and playbooks load?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "secops.servicenow_defender"
# Galaxy refuses more than 20 MB; ours has no reason to come near.
LARGEST_ARCHIVE = 5_000_000
FOLDERS = ("changelogs", "docs", "examples", "extensions", "meta", "playbooks", "plugins", "roles", "tests/sanity")
FILES = {
    *("CHANGELOG.rst", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md"),
    *("SECURITY.md", "TESTING.md", "requirements.txt", "tests", "tests/config.yml"),
}
REQUIRED = {"CHANGELOG.rst", "LICENSE", "README.md", "meta/execution-environment.yml", "meta/runtime.yml"}
DOCUMENTED_KINDS = ("module", "callback", "filter")


def is_expected(path: str) -> bool:
    """Return whether a path belongs into the archive."""
    generated = any(part.startswith(".") or part == "__pycache__" for part in path.split("/"))
    return not generated and (path in FILES or f"{path}/".startswith(tuple(f"{folder}/" for folder in FOLDERS)))


def problems_of_contents(archive: Path) -> list[str]:
    """Return what is wrong with the size and the list of contents of the archive."""
    with tarfile.open(archive) as opened:
        paths = set(opened.getnames())
    strangers = [path for path in paths if not is_expected(path)]
    problems = [f"{path} does not belong into the archive: see build_ignore in galaxy.yml" for path in strangers]
    problems += [f"{path} is missing from the archive" for path in REQUIRED - paths]
    if archive.stat().st_size > LARGEST_ARCHIVE:
        problems.append(f"the archive has {archive.stat().st_size} bytes, more than {LARGEST_ARCHIVE}")
    return sorted(problems)


def call(place: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that knows only the freshly installed collection."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": place, "ANSIBLE_LOCALHOST_WARNING": "false"}
    environment["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "false"
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)


def problems_of_documentation(place: str, kind: str) -> list[str]:
    """Return the plugins of a kind that the archive holds and ansible-doc cannot show."""
    folder = Path(place, "ansible_collections", *NAME.split("."), "plugins", {"module": "modules"}.get(kind, kind))
    stems = sorted({path.stem for path in folder.glob("*.*") if path.stem != "__init__"})
    if not stems:
        return []
    listing = call(place, "ansible-doc", "--json", "--list", "--type", kind, NAME)
    listed = set(json.loads(listing.stdout)) if listing.returncode == 0 else set()
    names = [f"{NAME}.{stem}" for stem in stems] if kind != "filter" else sorted(listed)
    shown = call(place, "ansible-doc", "--json", "--type", kind, *names)
    if shown.returncode or shown.stderr or not listed:
        return [f"ansible-doc --type {kind}: {(listing.stderr + shown.stderr).strip() or 'nothing is listed'}"]
    pages = json.loads(shown.stdout)
    return [f"ansible-doc does not show {name}" for name in names if not pages.get(name, {}).get("doc")]


def problems_of_playbooks(place: str) -> list[str]:
    """Return the playbooks that cannot be loaded by their full name."""
    folder = Path(place, "ansible_collections", *NAME.split("."), "playbooks")
    problems = []
    for playbook in sorted(folder.glob("*.yml")):
        done = call(place, "ansible-playbook", "--syntax-check", f"{NAME}.{playbook.stem}")
        if done.returncode:
            problems.append(f"{NAME}.{playbook.stem}: {done.stderr.strip() or done.stdout.strip()}")
    return problems


def problems_of(archive: Path) -> Iterable[str]:
    """Yield everything that is wrong with the archive, its contents first."""
    yield from problems_of_contents(archive)
    with tempfile.TemporaryDirectory(prefix="collections-") as place:
        install = call(place, "ansible-galaxy", "collection", "install", "--offline", "-p", place, str(archive))
        if install.returncode:
            yield f"ansible-galaxy collection install: {install.stderr.strip()}"
            return
        for kind in DOCUMENTED_KINDS:
            yield from problems_of_documentation(place, kind)
        yield from problems_of_playbooks(place)


def main() -> int:
    """Print the problems of the archive in `build`, or its name when there are none; return the exit status."""
    archives = list((ROOT / "build").glob("*.tar.gz"))
    if len(archives) != 1:
        print(f"build holds {len(archives)} archives, one is expected")
        return 1
    problems = list(problems_of(archives[0]))
    print("\n".join(problems) or archives[0].relative_to(ROOT))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
