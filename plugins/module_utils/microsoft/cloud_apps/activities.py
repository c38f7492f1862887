# SPDX-License-Identifier: GPL-3.0-or-later
"""Activities of an app (docs/facts/defender_for_cloud_apps.md#activities)."""

from __future__ import annotations

from typing import Any

from .client import PAGE_SIZE, CloudAppsClient
from .evidence import ACTIVITIES, activity_filters


def read_activities(
    client: CloudAppsClient, app_id: int, since_days: int, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """Return up to `limit` (0: all) activities of the last `since_days` days, and whether these are all.

    One page is sorted newest first, more are scanned. One more than `limit` is asked for, which shows whether there are more.
    """
    filters = activity_filters(app_id, since_days)
    if 0 < limit <= PAGE_SIZE:
        found = client.rows(ACTIVITIES, filters, limit + 1, sortField="date", sortDirection="desc")
    else:
        found = client.scan(ACTIVITIES, filters, limit + 1 if limit else 0)
    complete = not limit or len(found) <= limit
    return (found if complete else found[:limit]), complete
