# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of the policies on Microsoft's ServiceNow page, as data.

`standing`: `current`; `replaced` (disabled, other detections replaced it); `behavior` (raises behaviors instead of alerts and is
disabled by default); `retires` (ends on `date`).

See docs/facts/defender_for_cloud_apps.md#policy-lifecycle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...engine.snapshot import Row

CURRENT, REPLACED, BEHAVIOR, RETIRES = "current", "replaced", "behavior", "retires"
FILE_POLICIES_END = "2027-01-06"


class Lifecycle(NamedTuple):
    """The standing of a policy, its successors, and its end."""

    standing: str
    successors: tuple[str, ...] = ()
    date: str = ""


LIFECYCLES: dict[str, Lifecycle] = {
    "Activity from anonymous IP addresses": Lifecycle(
        REPLACED, ("Activity from a TOR IP address", "Anonymous proxy activity")
    ),
    "Activity from suspicious IP addresses": Lifecycle(
        REPLACED,
        (
            "Successful logon from a suspicious IP address",
            "Activity from a password-spray associated IP address",
        ),
    ),
    "Ransomware detection": Lifecycle(REPLACED, ("Ransomware payment instruction file uploaded to {Application}",)),
    "Activity from infrequent country": Lifecycle(BEHAVIOR),
    "Impossible travel": Lifecycle(BEHAVIOR),
    "Multiple failed login attempts": Lifecycle(BEHAVIOR),
    "Unusual multiple file download": Lifecycle(BEHAVIOR, ("Mass download", "Unusual file download (by user)")),
    "Activity performed by terminated user": Lifecycle(CURRENT),
    "Logon from a risky IP address": Lifecycle(CURRENT),
    "Mass download by a single user": Lifecycle(CURRENT),
    "File shared with unauthorized domain": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "File shared with personal email addresses": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    # The names of the templates for these.
    "Detect a file shared with an unauthorized domain": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "Detect a file shared with personal email addresses": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "Detect files with PII/PCI/PHI": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "Detect files with PII": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "Detect files with PCI": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "Detect files with PHI": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "PII detected": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "PCI detected": Lifecycle(RETIRES, date=FILE_POLICIES_END),
    "PHI detected": Lifecycle(RETIRES, date=FILE_POLICIES_END),
}


def lifecycle_of(name: str, policy_type: str = "") -> Lifecycle:
    """Return the lifecycle of the policy `name`; every file policy retires, regardless of its name.

    Tenants show longer names than the page: "Unusual multiple file download activities (by user)".
    """
    known = next(
        (found for title, found in LIFECYCLES.items() if f"{name} ".casefold().startswith(f"{title} ".casefold())), None
    )
    if known is None and policy_type.upper() == "FILE":
        return Lifecycle(RETIRES, date=FILE_POLICIES_END)
    return known or Lifecycle(CURRENT)


def lifecycle_note(name: str, lifecycle: Lifecycle) -> str:
    """Return a sentence against enabling the policy, "" if its lifecycle gives no reason."""
    if lifecycle.standing == REPLACED:
        return f"Microsoft replaced {name!r} with {' and '.join(map(repr, lifecycle.successors))}"
    if lifecycle.standing == BEHAVIOR:
        return f"{name!r} raises behaviors (BehaviorInfo) instead of alerts and is off by default"
    if lifecycle.standing == RETIRES:
        return f"{name!r} is a file policy; these retire on {lifecycle.date}, and Microsoft states no replacement for files in ServiceNow"
    return ""


def list_policies(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return policies, sorted by name, with the lifecycle of each."""
    found = []
    for row in sorted(rows, key=lambda row: (row["name"].casefold(), row["id"])):
        lifecycle = lifecycle_of(row["name"], row["type"])
        found.append(
            {
                "id": row["id"],
                "name": row["name"],
                "type": row["type"],
                "severity": row["severity"],
                "enabled": row["enabled"],
                "standing": lifecycle.standing,
                "successors": list(lifecycle.successors),
                "date": lifecycle.date,
            }
        )
    return found
