# SPDX-License-Identifier: GPL-3.0-or-later
"""What is learned from a recording: the contract, and lines for its review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..template import find_placeholders
from .har import Exchange

# Copied into the contract; every other header belongs to the browser or is a secret.
KEPT_HEADERS = ("content-type", "accept", "x-requested-with", "x-tid", "tenant-id")


@dataclass
class LearnedContract:
    """The contract, and a summary of how it was built."""

    contract: dict[str, Any]
    summary: list[str] = field(default_factory=list)


def summary(noun: str, creating: Sequence[Exchange], contract: Mapping[str, Any], unresolved: int) -> list[str]:
    """Return lines about how a contract was built; `unresolved` is the number of values that were kept although they look generated."""
    used = sorted({*find_placeholders(dict(contract["operations"]))})
    sent = ", ".join(f"{each.method} {each.path}" for each in creating)
    lines = [f"creating the {noun} sends {len(creating)} request(s): {sent}"]
    lines.append(f"placeholders: {', '.join(used)}")
    lines.append(f"operations: {', '.join(contract['operations'])}")
    if unresolved:
        lines.append(f"kept although they look generated: {unresolved} value(s). Review them in the contract")
    lines.append("dropped: cookies, tokens, and every header except " + ", ".join(KEPT_HEADERS))
    return lines
