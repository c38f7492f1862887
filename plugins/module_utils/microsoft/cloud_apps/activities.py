# SPDX-License-Identifier: GPL-3.0-or-later
"""Activities of an app (docs/facts/defender_for_cloud_apps.md#activities)."""

from __future__ import annotations

from typing import Any

from ...engine.errors import InvalidInput
from .client import PAGE, CloudAppsClient
from .evidence import ACTIVITIES


def activities(tenant: CloudAppsClient, app_id: int, since_days: int, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` (0: all) activities of the last `since_days` days: few newest first, many by scan."""
    if since_days < 1:
        raise InvalidInput(f"since_days must be 1 or more, not {since_days}")
    if limit < 0:
        raise InvalidInput(f"limit must be 0 (all) or more, not {limit}")
    filters = {"service": {"eq": [app_id]}, "date": {"gte_ndays": since_days}}
    if 0 < limit <= PAGE:
        return tenant.grid(ACTIVITIES, filters, limit, sortField="date", sortDirection="desc")
    return tenant.scan(ACTIVITIES, filters, limit)
