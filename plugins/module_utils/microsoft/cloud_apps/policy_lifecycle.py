# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the policies that Microsoft's ServiceNow page names, as data.

`standing`: `current`; `replaced` (switched off, other detections took over); `behavior` (raises behaviors instead of alerts
and is off unless switched on); `retires` (ends on `date`).

See docs/facts/defender_for_cloud_apps.md#policy-lifecycle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...engine.snapshot import Row

CURRENT, REPLACED, BEHAVIOR, RETIRES = "current", "replaced", "behavior", "retires"
FILE_POLICIES_END = "2027-01-06"


class PolicyNote(NamedTuple):
    """What is known of a policy of this name."""

    standing: str
    successors: tuple[str, ...] = ()
    date: str = ""


NOTES: dict[str, PolicyNote] = {
    "Activity from anonymous IP addresses": PolicyNote(
        REPLACED, ("Activity from a TOR IP address", "Anonymous proxy activity")
    ),
    "Activity from suspicious IP addresses": PolicyNote(
        REPLACED,
        (
            "Successful logon from a suspicious IP address",
            "Activity from a password-spray associated IP address",
        ),
    ),
    "Ransomware detection": PolicyNote(REPLACED, ("Ransomware payment instruction file uploaded to {Application}",)),
    "Activity from infrequent country": PolicyNote(BEHAVIOR),
    "Impossible travel": PolicyNote(BEHAVIOR),
    "Multiple failed login attempts": PolicyNote(BEHAVIOR),
    "Unusual multiple file download": PolicyNote(BEHAVIOR, ("Mass download", "Unusual file download (by user)")),
    "Activity performed by terminated user": PolicyNote(CURRENT),
    "Logon from a risky IP address": PolicyNote(CURRENT),
    "Mass download by a single user": PolicyNote(CURRENT),
    "File shared with unauthorized domain": PolicyNote(RETIRES, date=FILE_POLICIES_END),
    "File shared with personal email addresses": PolicyNote(RETIRES, date=FILE_POLICIES_END),
    "PII detected": PolicyNote(RETIRES, date=FILE_POLICIES_END),
    "PCI detected": PolicyNote(RETIRES, date=FILE_POLICIES_END),
    "PHI detected": PolicyNote(RETIRES, date=FILE_POLICIES_END),
}


def note_of(name: str, policy_type: str = "") -> PolicyNote:
    """Return what is known of the policy `name`; every file policy retires, whatever its name.

    Tenants show longer names than the page: "Unusual multiple file download activities (by user)".
    """
    known = next(
        (note for title, note in NOTES.items() if f"{name} ".casefold().startswith(f"{title} ".casefold())), None
    )
    if known is None and policy_type.upper() == "FILE":
        return PolicyNote(RETIRES, date=FILE_POLICIES_END)
    return known or PolicyNote(CURRENT)


def told(name: str, note: PolicyNote) -> str:
    """Return in one sentence why somebody may not want to switch the policy on, "" where there is no reason."""
    if note.standing == REPLACED:
        return f"Microsoft replaced {name!r} by {' and '.join(map(repr, note.successors))}"
    if note.standing == BEHAVIOR:
        return f"{name!r} raises behaviors (BehaviorInfo) instead of alerts and is off by default"
    if note.standing == RETIRES:
        return f"{name!r} is a file policy; these retire on {note.date}"
    return ""


def listed(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return policies, sorted by name, with what became of each."""
    found = []
    for row in sorted(rows, key=lambda row: (row["name"].casefold(), row["sys_id"])):
        note = note_of(row["name"], row["type"])
        found.append(
            {
                "id": row["sys_id"],
                "name": row["name"],
                "type": row["type"],
                "severity": row["severity"],
                "enabled": {"true": True, "false": False}.get(row["enabled"]),
                "standing": note.standing,
                "successors": list(note.successors),
                "date": note.date,
            }
        )
    return found
