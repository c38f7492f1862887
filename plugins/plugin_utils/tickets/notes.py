# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ticket says about its group: description, work notes and close notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils.microsoft.defender_cloud.assessments import HEALTHY
from .existing_tickets import ExistingTicket
from .groups import Group, title_of, words_of
from .membership import Membership
from .text import (
    MAX_DESCRIPTION,
    MAX_SHORT_DESCRIPTION,
    MOVED_BY_US,
    RESOLVED_BY_US,
    description,
    moment,
    resolution_notes,
    short_description,
    truncate,
    without_html,
)
from .ticket_list import Listed, section

SPEAKER = "Defender for Cloud:"
# Findings that a note names; of more it gives the number.
MAX_NAMED = 3

Row = Mapping[str, Any]


def group_title(group: Group) -> str:
    """Return the short description of the ticket of a group."""
    if group.is_single and group.rows:
        return short_description(group.rows[0])
    return truncate(group.name, MAX_SHORT_DESCRIPTION)


def group_description(group: Group, listed: Sequence[Listed]) -> str:
    """Return the description of the ticket of a group: what its findings share, the list, and what to do if that is the same for all."""
    if group.is_single:
        return description(group.rows[0])
    shared = [words_of(key, value) for key, value in group.values if value]
    head = f"Microsoft Defender for Cloud reports these findings: {', '.join(shared) or 'all'}. "
    head += "The list follows Defender for Cloud; when all of them have healed, the ticket is resolved."
    parts = [truncate(head, 900), section(listed)]
    for label, name in (("Why it matters", "assessment_description"), ("What to do", "remediation")):
        texts = {without_html(str(row.get(name) or "")) for row in group.rows}
        if len(texts) == 1 and texts != {""}:
            parts.append(f"{label}:\n{texts.pop()}")
    return truncate("\n\n".join(parts), MAX_DESCRIPTION)


def update_note(member: Membership, targets: Mapping[str, str]) -> str:
    """Return what changed in the list of an open ticket; `targets` names the tickets that findings move to, by group."""
    parts = []
    if member.healed:
        parts.append(
            f"{_count(len(member.healed), 'has', 'have')} healed: {_named(one for one, _row in member.healed)}."
        )
    if member.added:
        parts.append(
            f"{_count(len(member.added), 'is', 'are', 'new finding')} new: {_named(map(Listed.of, member.added))}."
        )
    for target, count in Counter(member.moved.values()).items():
        parts.append(f"{_count(count, 'is', 'are')} in another ticket now: {targets.get(target, 'that of its group')}.")
    left = len(member.stays) + len(member.added)
    return f"{SPEAKER} {' '.join(parts)} {_count(left, 'is', 'are')} open."


def again_note(member: Membership) -> str:
    """Return why a resolved ticket is open again."""
    if member.group is not None and member.group.is_single:
        return f"{SPEAKER} unhealthy again{_since(member.added)}."
    count = _count(len(member.added), "is", "are")
    return f"{SPEAKER} {count} unhealthy again{_since(member.added)}: {_named(map(Listed.of, member.added))}."


def follow_note(member: Membership, last: ExistingTicket) -> str:
    """Return why there is a new ticket after one that has ended."""
    if last.ended_by_people:
        return f"{SPEAKER} these findings came after {last.number} was {last.state}."
    if last.is_moved:
        return f"{SPEAKER} {_count(len(member.added), 'is', 'are')} in this group again. The former ticket is {last.number}."
    return f"{SPEAKER} unhealthy again{_since(member.added)}. The former ticket is {last.number}."


def moved_note(names: Sequence[str], *, single: bool) -> str:
    """Return which open tickets had the findings of a new ticket until now."""
    return f"{SPEAKER} {'this finding was' if single else 'these findings were'} in {_few(names)} until now."


def deleted_note(names: Sequence[str], *, single: bool) -> str:
    """Return that the tickets which the assignments name do not exist any more."""
    if single:
        return f"{SPEAKER} the former ticket of this recommendation, {names[0]}, no longer exists."
    return f"{SPEAKER} former tickets of these findings no longer exist: {_few(names)}."


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{', '.join(names[:MAX_NAMED])}{more}"


def closing_notes(member: Membership, targets: Mapping[str, str]) -> str:
    """Return why a ticket without findings is resolved."""
    if not member.healed:
        where = ", ".join(targets.get(target, "that of its group") for target in dict.fromkeys(member.moved.values()))
        return f"{MOVED_BY_US} {_count(len(member.moved), 'is', 'are')} in another ticket now: {where}."
    if len(member.healed) == 1 and not member.moved:
        return resolution_notes(member.healed[0][1])
    counts = Counter(_fate(row) for _one, row in member.healed)
    text = (
        f"{RESOLVED_BY_US} all findings have healed ({', '.join(f'{count} {fate}' for fate, count in counts.items())})."
    )
    if member.moved:
        text += f" {_count(len(member.moved), 'is', 'are')} in another ticket now."
    return text


def _fate(row: Row | None) -> str:
    if row is None:
        return "no longer exist"
    if row.get("is_exempt"):
        return "exempt"
    return "healthy" if row.get("status") == HEALTHY else "not applicable"


def _count(count: int, one: str, many: str, noun: str = "finding") -> str:
    return (
        f"{count} {noun.removeprefix('new ')} {one}" if count == 1 else f"{count} {noun.removeprefix('new ')}s {many}"
    )


def _named(those: Iterable[Listed]) -> str:
    texts = [one.text.partition(": ")[2] or one.assessment.rpartition("/")[2] for one in those]
    more = f" and {len(texts) - MAX_NAMED} more" if len(texts) > MAX_NAMED else ""
    return f"{'; '.join(truncate(text, 120) for text in texts[:MAX_NAMED])}{more}"


def _since(rows: Iterable[Row]) -> str:
    moments = sorted(str(row["changed_at"]) for row in rows if row.get("changed_at"))
    return f" since {moment(moments[0])}" if moments else ""


__all__ = [
    "again_note",
    "closing_notes",
    "deleted_note",
    "follow_note",
    "group_description",
    "group_title",
    "moved_note",
    "title_of",
    "update_note",
]
