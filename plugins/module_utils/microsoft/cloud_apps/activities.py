# SPDX-License-Identifier: GPL-3.0-or-later
"""Activities of an app (docs/facts/defender_for_cloud_apps.md#activities)."""

from __future__ import annotations

from typing import Any

from ...engine.errors import InvalidInput
from .client import PAGE_SIZE, CloudAppsClient
from .evidence import ACTIVITIES, activity_filters


def read_activities(client: CloudAppsClient, app_id: int, since_days: int, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` (0: all) activities of the last `since_days` days. One page is sorted newest first, more are scanned."""
    if since_days < 1:
        raise InvalidInput(f"since_days must be 1 or more, not {since_days}")
    if limit < 0:
        raise InvalidInput(f"limit must be 0 (all) or more, not {limit}")
    filters = activity_filters(app_id, since_days)
    if 0 < limit <= PAGE_SIZE:
        return client.rows(ACTIVITIES, filters, limit, sortField="date", sortDirection="desc")
    return client.scan(ACTIVITIES, filters, limit)
