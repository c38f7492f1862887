# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that every file of the project names its licence in an SPDX line near its top."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "SPDX-License-Identifier:"
GENERATED_FOLDERS = {"build", "__pycache__"}
HIDDEN_FOLDERS_OF_CI = {".ci", ".github"}
# The licence itself, formats without comments, and what antsibull-changelog generates.
EXEMPT_NAMES = {"LICENSE", "CHANGELOG.rst", "changelog.yaml", ".plugin-cache.yaml"}
EXEMPT_SUFFIXES = {".csv", ".har", ".json", ".png", ".pyc", ".retry"}


def files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are written by hand."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            hidden = path.name.startswith(".") and path.name not in HIDDEN_FOLDERS_OF_CI
            if not hidden and path.name not in GENERATED_FOLDERS:
                yield from files(path)
        elif path.name not in EXEMPT_NAMES and path.suffix not in EXEMPT_SUFFIXES and path.stat().st_size:
            yield path


def main() -> int:
    """Print the files without the line; return the exit status."""
    missing = [path for path in files(ROOT) if MARK not in path.read_text(encoding="utf-8", errors="replace")[:500]]
    for path in missing:
        print(f"{path.relative_to(ROOT)}: no {MARK} line among the first 500 characters")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
