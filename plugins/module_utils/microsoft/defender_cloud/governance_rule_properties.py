# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of governance rules, as results and manual steps show them (docs/facts/defender_for_cloud.md#governance-rules)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Every property of the public schema (docs/facts/defender_for_cloud.md#governance-rules). What a GET returns beyond
# these was set in the portal.
KNOWN = frozenset({
    "tenantId", "displayName", "description", "remediationTimeframe", "isGracePeriod", "rulePriority", "isDisabled", "ruleType",
    "sourceResourceType", "excludedScopes", "conditionSets", "includeMemberScopes", "ownerSource", "governanceEmailNotification", "metadata",
})  # fmt: skip
OWNERS = {"by_tag": "ByTag", "email": "Manually"}
TIMEFRAME = re.compile(r"([0-9]+)\.00:00:00")


def unknown_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that the public schema does not have."""
    return {name: value for name, value in properties.items() if name not in KNOWN}


def owner_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return an owner as the module's option has it; unchanged where the option cannot express it."""
    name = next((name for name, kind in OWNERS.items() if kind == source.get("type")), "")
    return {name: source.get("value")} if name else dict(source)


def days_of(properties: Mapping[str, Any]) -> Any:
    """Return the days until a recommendation is due; a text where they are not whole, None where they are not set."""
    text = properties.get("remediationTimeframe")
    found = TIMEFRAME.fullmatch(str(text))
    return int(found[1]) if found else text
