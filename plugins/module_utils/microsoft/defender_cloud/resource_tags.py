# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of resources, from Resource Graph (docs/facts/defender_for_cloud.md#resource-graph)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...engine.errors import Refused
from ...engine.problem import ERROR, Problem
from ..arm.client import ArmClient
from .assessments import is_elsewhere

QUERY = "resources | where isnotnull(tags) | project id, tags"
EXISTING = "resources | project id"
IN_GROUP = "/resourcegroups/"


def add_tags(
    client: ArmClient, rows: Iterable[dict[str, Any]], keys: Sequence[str], *, deselects: bool = False
) -> list[Problem]:
    """Set `tags` of each selected row to those of its resource with one of `keys`; return the subscriptions whose tags may not be read.

    Resource Graph leaves out what may not be read. With `deselects`, rows there are not selected any more: taken for "none", findings would
    move to other tickets. Raises `Refused` where it refuses the query, for the same reason.
    """
    chosen = [row for row in rows if row["selected"]]
    for row in chosen:
        row["tags"] = {}
    subscriptions = sorted({row["subscription_id"].lower() for row in chosen if row["subscription_id"]})
    if not subscriptions:
        return []
    wanted = {key.casefold() for key in keys}
    known: dict[str, dict[str, str]] = {}
    shown: set[str] = set()
    for resource in _query(client, QUERY, subscriptions):
        name, tags = str(resource.get("id") or "").casefold(), resource.get("tags")
        shown.add(_subscription_of(name))
        if isinstance(tags, dict):
            known[name] = {str(key): str(value) for key, value in tags.items() if str(key).casefold() in wanted}
    for row in chosen:
        row["tags"] = known.get(row["resource_id"].casefold(), {})
    return _unread(client, chosen, shown, deselects=deselects)


def _unread(client: ArmClient, chosen: Sequence[dict[str, Any]], shown: set[str], *, deselects: bool) -> list[Problem]:
    """Return the subscriptions that have findings about resources, and no resource as far as Resource Graph shows."""
    asked = sorted({row["subscription_id"].lower() for row in chosen if _is_resource(row)} - shown)
    if asked:
        shown |= {_subscription_of(str(each.get("id") or "").casefold()) for each in _query(client, EXISTING, asked)}
    found = []
    for subscription in (each for each in asked if each not in shown):
        effect = ". Its findings get no ticket, and stay in those that they have" if deselects else ""
        for row in chosen:
            if deselects and row["subscription_id"].lower() == subscription:
                row["selected"] = False
        message = f"the tags of the resources of subscription {subscription} could not be read: Resource Graph shows none of its resources{effect}"
        remedy = "Give the identity Reader on the subscription, or leave tags out"
        found.append(Problem(f"tags_unread:{subscription}", ERROR, message, remedy))
    return found


def _query(client: ArmClient, query: str, subscriptions: Sequence[str]) -> list[dict[str, Any]]:
    try:
        return list(client.resource_graph(query, list(subscriptions)))
    except Refused as refusal:
        raise Refused(
            f"the tags of resources could not be read. {refusal}. Give the identity Reader on the subscriptions, or leave tags out"
        ) from None


def _is_resource(row: dict[str, Any]) -> bool:
    """Return whether a finding is about a resource of Azure in a resource group."""
    return IN_GROUP in row["resource_id"].casefold() and not is_elsewhere(row)


def _subscription_of(resource: str) -> str:
    parts = resource.split("/")
    return parts[2] if len(parts) > 2 else ""
