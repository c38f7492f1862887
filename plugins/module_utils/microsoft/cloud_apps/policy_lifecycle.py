# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of policies: what replaces them, what they raise, when they retire.

`standing`: `current`; `replaced` (disabled, other detections replaced it); `behavior` (raises behaviors instead of alerts and is
disabled by default); `retires` (ends on `date`).

See docs/facts/defender_for_cloud_apps.md#policy-lifecycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from typing import Any, NamedTuple

from ...engine.snapshot import Row
from .policy_catalogue import BEHAVIOR, CURRENT, FILE_POLICIES_END, PAGE, REPLACED, RETIRES, PagePolicy

FILE, ANOMALY = "FILE", "ANOMALY_DETECTION"


class Lifecycle(NamedTuple):
    """The standing of a policy, its successors, and its end."""

    standing: str
    successors: tuple[str, ...] = ()
    date: str = ""


def on_page(name: str) -> PagePolicy | None:
    """Return the policy or template of Microsoft's page that `name` means, None for another.

    Tenants show longer names than the page: "Unusual multiple file download activities (by user)".
    """
    title = f"{name} ".casefold()
    return next(
        (
            each
            for each in PAGE
            if any(title.startswith(f"{known} ".casefold()) for known in (each.name, *each.aliases))
        ),
        None,
    )


def lifecycle_of(name: str, policy_type: str = "") -> Lifecycle:
    """Return the lifecycle of the policy `name`; every file policy retires, regardless of its name."""
    known = on_page(name)
    if known:
        return Lifecycle(known.standing, known.successors, known.date)
    return Lifecycle(RETIRES, date=FILE_POLICIES_END) if policy_type.upper() == FILE else Lifecycle(CURRENT)


def has_ended(lifecycle: Lifecycle, today: date | None = None) -> bool:
    """Return whether the date on which a policy retires is over; `today` is UTC."""
    now = today or datetime.now(timezone.utc).date()
    return bool(lifecycle.date) and lifecycle.date <= now.isoformat()


def lifecycle_note(name: str, lifecycle: Lifecycle) -> str:
    """Return a sentence against enabling the policy, "" if its lifecycle gives no reason."""
    if lifecycle.standing == REPLACED:
        return f"Microsoft replaced {name!r} with {' and '.join(map(repr, lifecycle.successors))}"
    if lifecycle.standing == BEHAVIOR:
        return f"{name!r} raises behaviors (BehaviorInfo) instead of alerts and is off by default"
    if lifecycle.standing == RETIRES:
        verb = "retired" if has_ended(lifecycle) else "retire"
        return f"{name!r} is a file policy; these {verb} on {lifecycle.date}, and Microsoft states no replacement for files in ServiceNow"
    return ""


def list_policies(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return policies, sorted by name, with the lifecycle of each."""
    return [
        {
            **{name: row[name] for name in ("id", "name", "type", "severity", "enabled")},
            **_shown(lifecycle_of(row["name"], row["type"])),
        }
        for row in sorted(rows, key=lambda row: (row["name"].casefold(), row["id"]))
    ]


def page_report(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return each policy and template of Microsoft's page, with the policies of the tenant that it means."""
    found: dict[str, list[dict[str, Any]]] = {each.name: [] for each in PAGE}
    for row in sorted(rows, key=lambda row: (row["name"].casefold(), row["id"])):
        known = on_page(row["name"])
        if known:
            found[known.name].append({name: row[name] for name in ("id", "name", "enabled")})
    return [
        {
            "name": each.name,
            "kind": each.kind,
            **_shown(Lifecycle(each.standing, each.successors, each.date)),
            "note": each.note,
            "grade": each.grade,
            "source": each.source,
            "policies": found[each.name],
        }
        for each in PAGE
    ]


def ending(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the policies of the tenant that retire, by name, with their end and what replaces them."""
    return [
        {name: row[name] for name in ("name", "enabled", "date", "successors")}
        for row in list_policies(rows)
        if row["standing"] == RETIRES
    ]


def _shown(lifecycle: Lifecycle) -> dict[str, Any]:
    return {"standing": lifecycle.standing, "successors": list(lifecycle.successors), "date": lifecycle.date}
