# SPDX-License-Identifier: GPL-3.0-or-later
"""When the status of an alert was last set, by the activity log of its subscription.

An alert itself has no such time (docs/facts/defender_for_cloud.md#alerts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ...engine.errors import InvalidInput, PlatformFailure, Refused
from ...timestamps import format_utc, parse
from ..arm.client import ACTIVITY_LOG, ArmClient
from .alerts import ACTIVE, IN_PROGRESS, VERBS

VERSION = "2015-04-01"
# How long the log keeps events (docs/facts/defender_for_cloud.md#activity-log).
KEPT = timedelta(days=90)
COLUMNS = "eventTimestamp,operationName,status"
OPERATIONS = frozenset(f"microsoft.security/locations/alerts/{verb}/action".casefold() for verb in VERBS.values())


def times_of(option: str, wanted: Mapping[Any, Any]) -> dict[str, str]:
    """Return the times of `wanted` as the platform takes them, by key of an alert. Raises `InvalidInput` for others."""
    found = {}
    for key, text in wanted.items():
        try:
            found[str(key)] = format_utc(parse(str(text)))
        except (ValueError, OverflowError) as error:
            raise InvalidInput(f"{option}: {key}: {error}") from None
    return found


def add_changes(client: ArmClient, rows: Iterable[dict[str, Any]], since: Mapping[str, str]) -> None:
    """Add `status_set_at` to the open alerts among `rows` that `since` has a time for.

    It is "" if the status was not set since, and None, with `status_set_refused`, if the log cannot be read.
    """
    for row in rows:
        start = since.get(row["key"])
        if start is None or row["status"] not in (ACTIVE, IN_PROGRESS):
            continue
        try:
            row["status_set_at"] = _last_change(client, row, start)
        except (Refused, PlatformFailure) as error:
            row.update(status_set_at=None, status_set_refused=str(error))


def _last_change(client: ArmClient, row: Mapping[str, Any], start: str) -> str:
    """Return when a status was last set after `start`, whichever it was: the present one may come from another portal.

    Raises `PlatformFailure` where the log does not say that.
    """
    if parse(start) < datetime.now(timezone.utc) - KEPT:
        raise PlatformFailure(f"the activity log keeps {KEPT.days} days, and {start} is before them")
    query = {"$filter": f"eventTimestamp ge '{start}' and resourceUri eq '{row['id']}'", "$select": COLUMNS}
    path = f"/subscriptions/{row['subscription_id']}{ACTIVITY_LOG}"
    events = [event for page in client.pages(path, VERSION, query) for event in page]
    known = [(_name(event, "operationName"), _name(event, "status"), event.get("eventTimestamp")) for event in events]
    for position, each in enumerate(known, 1):
        if not all(each) or not isinstance(each[2], str):
            # Taken for one of another kind, the status would not have been set.
            raise PlatformFailure(
                f"{client.name}: entry {position} of {len(known)} of the activity log lacks one of {COLUMNS.replace(',', ', ')}"
            )
    return max((str(at) for name, status, at in known if name in OPERATIONS and status == "succeeded"), default="")


def _name(event: Mapping[str, Any], part: str) -> str:
    found = event.get(part)
    return str(found.get("value") or "").casefold() if isinstance(found, Mapping) else ""
