# SPDX-License-Identifier: GPL-3.0-or-later
"""Which actions the caller may perform, by its effective permissions.

See docs/facts/defender_for_cloud.md#permissions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...engine.errors import Refused
from .client import ArmClient

VERSION = "2022-04-01"
ALLOWED, DENIED, UNKNOWN = "allowed", "denied", "unknown"


def read_permissions(client: ArmClient, scope: str) -> list[dict[str, Any]] | None:
    """Return the entries for a scope, or None where they may not be read."""
    try:
        return client.rows(f"{scope}/providers/Microsoft.Authorization/permissions", VERSION)
    except Refused as refusal:
        # Documented for resource groups and resources, for other scopes LIKELY: without a response there is no verdict.
        if "SubscriptionNotFound" in str(refusal):
            raise
        return None


def verdict_on(entries: Iterable[Mapping[str, Any]] | None, *spellings: str) -> str:
    """Return whether an action is allowed. Of several `spellings` all have to be, as it is unknown which one counts."""
    if entries is None:
        return UNKNOWN
    listed = list(entries)
    verdicts = {any(_grants(entry, action) for entry in listed) for action in spellings}
    return UNKNOWN if len(verdicts) > 1 else ALLOWED if True in verdicts else DENIED


def _grants(entry: Mapping[str, Any], action: str) -> bool:
    return _matches(entry.get("actions"), action) and not _matches(entry.get("notActions"), action)


def _matches(patterns: Any, action: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, str(pattern).split("*"))), action, re.IGNORECASE)
        for pattern in (patterns if isinstance(patterns, list) else [])
    )
