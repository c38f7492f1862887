# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of a ticket for an alert or incident, and what both sides had when they were last in step.

Notes from one side begin with its name, author and time on the other: what begins so came from here, and is not sent back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..tickets.text import MAX_DESCRIPTION, MAX_SHORT_DESCRIPTION, moment, truncate, without_html
from .items import INCIDENT, Item

FROM_DEFENDER, FROM_SERVICENOW = "Microsoft Defender", "ServiceNow "
RESOLVED_BY_DEFENDER, MERGED_BY_DEFENDER = f"Resolved by {FROM_DEFENDER}:", f"Merged by {FROM_DEFENDER}:"
# How the notes of this collection begin, on either side; what people write can begin with the same words.
WRITTEN = r", [^\n]{0,200}?(?:\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}|unknown time): "
# What is left in a description that is full, and how the work note begins that has the rest.
CONTINUED = "(The rest of this text is in the work notes.)"
OF_DESCRIPTION = "the description is full; its text continues here:"
OUR_NOTE = re.compile(
    rf"{FROM_DEFENDER}(?:: (?:(?:incident|alert) \S+ (?:is now |was reopened there|became part of this one)|{OF_DESCRIPTION})|{WRITTEN})"
)
OUR_COMMENT = re.compile(rf"{FROM_SERVICENOW}[^\s,]+(?: is (?:new|in_progress|resolved|closed|canceled)\b|{WRITTEN})")
UNASSIGNED = "unassigned"
MAX_COMMENT = 3000
REFERENCE = {"alert": "Alert", INCIDENT: "Incident"}
IDENTITY = re.compile(r"^(Alert|Incident): (\S+)\s*$", re.M)
MERGED = re.compile(r"^Merged incidents: (.+)$", re.M)
BASE = re.compile(r"^Synchronized: Defender (\w+), (.*?); ServiceNow (\w+), (.*?); (\d+) comments?[ \t]*$", re.M)


@dataclass(frozen=True)
class Base:
    """Status, assignee and number of comments when both sides were last in step."""

    defender: str
    defender_assignee: str
    phase: str
    assignee: str
    comments: int = 0

    def line(self) -> str:
        """Return the line of a description that holds it."""
        return (
            f"Synchronized: Defender {self.defender}, {self.defender_assignee or UNASSIGNED}; ServiceNow {self.phase}, "
            f"{self.assignee or UNASSIGNED}; {self.comments} comment{'' if self.comments == 1 else 's'}"
        )


def base_in(description: str) -> Base | None:
    """Return what a description holds, None if a user removed the line."""
    found = BASE.search(description)
    if not found:
        return None
    defender, owner, phase, assignee, comments = found.groups()
    named = ["" if name == UNASSIGNED else name for name in (owner, assignee)]
    return Base(defender, named[0], phase, named[1], int(comments))


def merged_in(description: str) -> list[str]:
    """Return the ids of the incidents that were merged into that of a ticket, as far as it says."""
    found = MERGED.search(description)
    return [part.strip() for part in found[1].split(",") if part.strip()] if found else []


def identity_in(description: str) -> str:
    """Return the id of the alert or incident that a description names, "" for none."""
    found = IDENTITY.search(description)
    return found[2] if found else ""


def with_lines(description: str, base: Base, merged: Sequence[str] = ()) -> str:
    """Return a description with these lines in place of the former ones; what users wrote stays."""
    lines = [base.line(), *([f"Merged incidents: {', '.join(merged)}"] if merged else [])]
    rest = [line for line in description.split("\n") if not BASE.match(line) and not MERGED.match(line)]
    place = next((number + 1 for number, line in enumerate(rest) if IDENTITY.match(line)), 0)
    return "\n".join([*rest[:place], *lines, *rest[place:]]).strip()


def continuation(text: str) -> str:
    """Return the work note with the end of a description."""
    return f"{FROM_DEFENDER}: {OF_DESCRIPTION}\n{text}"


def short_description(item: Item) -> str:
    """Return what was found, and where, in one line."""
    where = " ".join(str(item.row.get("resource_name") or f"incident {item.id}").split())
    where = truncate(where, MAX_SHORT_DESCRIPTION // 2)
    title = truncate(" ".join(item.title.split()), MAX_SHORT_DESCRIPTION - len(where) - 3)
    return f"{title} ({where})"


def description(item: Item, base: Base, merged: Sequence[str] = ()) -> str:
    """Return the description of a new ticket."""
    row = item.row
    facts = [
        ("Severity", item.severity),
        ("Resource", row.get("resource_id")),
        ("Found", moment(item.created)),
        ("Portal", row.get("portal_url")),
        (REFERENCE[item.kind], item.id),
    ]
    head = "\n".join(f"{label}: {value}" for label, value in facts if value)
    parts = [with_lines(head, base, merged)]
    alerts = [f"- {alert['title']} ({alert['severity']})" for alert in row.get("alerts") or []]
    steps = [str(step) for step in row.get("remediation") or []]
    for label, text in (
        ("What was found", without_html(str(row.get("description") or ""))),
        ("Alerts", "\n".join(alerts)),
        ("What to do", "\n".join(steps)),
    ):
        if text:
            parts.append(f"{label}:\n{text}")
    return truncate("\n\n".join(parts), MAX_DESCRIPTION)


# -- comments ---------------------------------------------------------------------------------------------------------


def notes_for(comments: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the comments of Defender as work notes, without those that came from ServiceNow."""
    found = []
    for each in comments:
        text = str(each.get("comment") or "").strip()
        if text and not OUR_COMMENT.match(text):
            who = _who(each.get("created_by"), each.get("created_at"))
            found.append(f"{FROM_DEFENDER}, {who}: {truncate(text, MAX_COMMENT)}")
    return found


def comments_for(number: str, entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return journal entries of a ticket as comments of Defender, in order, without those that came from there."""
    found = []
    for each in sorted(entries, key=lambda entry: str(entry.get("sys_created_on") or "")):
        text = str(each.get("value") or "").strip()
        if text and not OUR_NOTE.match(text):
            who = _who(each.get("sys_created_by"), each.get("sys_created_on"))
            found.append(f"{FROM_SERVICENOW}{number}, {who}: {truncate(text, MAX_COMMENT)}")
    return found


def missing(wanted: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the texts that none of the known ones contains."""
    held = [_plain(text) for text in known]
    return [text for text in dict.fromkeys(wanted) if not any(_plain(text) in one for one in held)]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _who(author: Any, moment: Any) -> str:
    """Return the author of a text, and its time up to the second, as both platforms write it."""
    time = str(moment or "").replace("T", " ").partition(".")[0].rstrip("Z")
    return ", ".join(filter(None, (" ".join(str(author or "").split()), time or "unknown time")))


# -- what happened ----------------------------------------------------------------------------------------------------


def resolution_notes(item: Item) -> str:
    """Return why a ticket is resolved."""
    what = "it was dismissed as a false positive" if item.status == "dismissed" else "it was resolved there"
    details = [str(item.row.get(name) or "").replace("_", " ") for name in ("classification", "determination")]
    known = ", ".join(word for word in details if word not in ("", "unknown"))
    return f"{RESOLVED_BY_DEFENDER} {what}{f' ({known})' if known else ''}."


def merge_notes(incident: str, target: str, ticket: str) -> str:
    """Return why the ticket of a merged incident ends; `ticket` names the other one, "" where there is none."""
    where = f"Work continues in {ticket}." if ticket else "That one has ended, too."
    return f"{MERGED_BY_DEFENDER} incident {incident} became part of incident {target}. {where}"


def unknown_order(item: Item, ticket: str, phase: str) -> str:
    """Return why the end of a ticket does not go over to an alert."""
    reason = item.row.get("status_set_refused") or "when the ticket ended is not known"
    return (
        f"{ticket} is {phase}, and {item.noun} is open. Whether it was reopened after that is not known, so it stays as it is. Set its status in "
        f"Defender, or remove why that is not known: {reason}"
    )


def moved(base: Base, **changes: Any) -> Base:
    """Return a base with changes."""
    return replace(base, **changes)
