# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are not part of the repository, named by environment variables (CONTRIBUTING.md, section Set up)."""

from __future__ import annotations

import os
from pathlib import Path

SPECS = "SPECS_FOLDER"
HARDENING = "HARDENING_FACTS"


def specs_folder() -> Path | None:
    """Return the folder with Microsoft's specifications, None if SPECS_FOLDER is not set."""
    return _named(SPECS, "azure-rest-api-specs/specification/security/resource-manager")


def hardening_facts() -> Path | None:
    """Return the YAML file with the facts about the hardening baseline, None if HARDENING_FACTS is not set."""
    return _named(HARDENING)


def _named(variable: str, content: str = "") -> Path | None:
    value = os.environ.get(variable, "")
    if not value:
        return None
    if not (Path(value) / content).exists():
        raise FileNotFoundError(f"{variable} is {value}, but {Path(value) / content} does not exist")
    return Path(value)
