# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do where the Python that runs a module lacks a library."""

from __future__ import annotations

import platform
import sys


def missing_library(name: str, purpose: str = "") -> str:
    """Return a sentence that names the library, the Python that lacks it, and the command that installs it."""
    python = sys.executable or "python3"
    what = f"{purpose} requires" if purpose else "this module requires"
    return (
        f"{what} the Python library {name}, which {python} on {platform.node() or 'this host'} does not have. Install it with "
        f"'{python} -m pip install {name}', or set ansible_python_interpreter to a Python that has it"
    )
