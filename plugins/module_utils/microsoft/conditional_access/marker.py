# SPDX-License-Identifier: GPL-3.0-or-later
"""How objects of Conditional Access that this collection manages are recognized: by a marker after their name.

Names need not be unique there, and v1.0 of Graph has no other property for it
(docs/facts/microsoft_graph.md#conditional-access-policies).
"""

from __future__ import annotations

MARKER = " [servicenow_defender]"


def marked(name: str) -> str:
    """Return the name in Entra of an object that is `name` in options."""
    return f"{name}{MARKER}"


def unmarked(name: str) -> str:
    """Return the name in options of an object that is `name` in Entra, "" for one without the marker."""
    return name.removesuffix(MARKER) if name.endswith(MARKER) else ""
