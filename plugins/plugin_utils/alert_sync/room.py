# SPDX-License-Identifier: GPL-3.0-or-later
"""Room in the description of a ticket for the lines that hold what both sides have: what people wrote is moved, never cut."""

from __future__ import annotations

from collections.abc import Sequence

from ..tickets.text import HOLDS
from .text import BASE, CONTINUED, IDENTITY, MERGED, Base, continuation, with_lines

# What is left free in a description that was full.
RESERVE = 200
# Lines of a new ticket that a ticket which has ended can do without, the first ones first.
FACTS = ("Portal: ", "Resource: ", "Found: ", "Severity: ")


def make_room(
    description: str, bases: Sequence[Base], merged: Sequence[str], *, has_ended: bool = False
) -> tuple[str, str]:
    """Return a description that has room for the lines of each of `bases`, and a work note with the end of it, "" if all of it stays.

    No note goes with what is written to a ticket that has ended: it loses lines of ours instead. A column that holds more than
    usual has room.
    """
    over = max(len(with_lines(description, base, merged)) for base in bases) - HOLDS
    if over <= 0 or len(description) > HOLDS:
        return description, ""
    return (_without_facts(description, over), "") if has_ended else _parted(description, over + RESERVE)


def _without_facts(description: str, over: int) -> str:
    lines = description.split("\n")
    for fact in FACTS:
        place = next((number for number, line in enumerate(lines) if line.startswith(fact)), None)
        if over > 0 and place is not None:
            over -= len(lines.pop(place)) + 1
    return "\n".join(lines)


def _parted(description: str, over: int) -> tuple[str, str]:
    """Return a description without the last `over` characters of what follows the line with the id, and a note with them."""
    lines = [line for line in description.split("\n") if not BASE.match(line) and not MERGED.match(line)]
    place = next((number + 1 for number, line in enumerate(lines) if IDENTITY.match(line)), 0)
    head, rest = lines[:place], "\n".join(lines[place:]).strip()
    needed = over + len(CONTINUED) + 2
    if len(rest) <= needed:
        # People wrote before it.
        head, rest = head[-1:], "\n".join([*head[:-1], rest]).strip()
    kept = rest[: max(len(rest) - needed, 0)]
    # Whole lines, or at least whole words, as far as they are not too long.
    end = max(kept.rfind("\n", len(kept) - RESERVE), kept.rfind(" ", len(kept) - RESERVE))
    kept = kept[:end] if end > 0 else kept
    left = rest[len(kept) :].strip().removesuffix(CONTINUED).strip()
    return "\n".join([*head, "", kept.strip(), "", CONTINUED]), continuation(left)
