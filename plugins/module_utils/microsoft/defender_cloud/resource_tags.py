# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of resources, from Resource Graph (docs/facts/defender_for_cloud.md#resource-graph)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...engine.errors import Refused
from ..arm.client import ArmClient

QUERY = "resources | where isnotnull(tags) | project id, tags"


def add_tags(client: ArmClient, rows: Iterable[dict[str, Any]], keys: Sequence[str]) -> None:
    """Set `tags` of each selected row to those of its resource with one of `keys`.

    Raises `Refused` where they may not be read: taken for "none", findings would move to other tickets.
    """
    chosen = [row for row in rows if row["selected"]]
    for row in chosen:
        row["tags"] = {}
    subscriptions = sorted({row["subscription_id"].lower() for row in chosen if row["subscription_id"]})
    if not subscriptions:
        return
    wanted = {key.casefold() for key in keys}
    try:
        found = client.resource_graph(QUERY, subscriptions)
    except Refused as refusal:
        raise Refused(
            f"the tags of resources could not be read. {refusal}. Give the identity Reader on the subscriptions, or leave tags out"
        ) from None
    known: dict[str, dict[str, str]] = {}
    for resource in found:
        tags = resource.get("tags")
        if isinstance(tags, dict):
            kept = {str(key): str(value) for key, value in tags.items() if str(key).casefold() in wanted}
            known[str(resource.get("id") or "").casefold()] = kept
    for row in chosen:
        row["tags"] = known.get(row["resource_id"].casefold(), {})
