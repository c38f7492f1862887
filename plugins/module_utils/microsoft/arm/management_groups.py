# SPDX-License-Identifier: GPL-3.0-or-later
"""The subscriptions below a management group (docs/facts/defender_for_cloud.md#management-groups)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import ArmClient
from .scopes import Scope

VERSION = "2023-04-01"


def subscriptions_below(client: ArmClient, group: Scope) -> list[str]:
    """Return the paths of the subscriptions below `group`, at any depth; raise `Refused` where it may not be read."""
    tree = client.find(group.path, VERSION, **{"$expand": "children", "$recurse": "true"})
    return _subscriptions_in((tree or {}).get("properties") or {})


def _subscriptions_in(node: Mapping[str, Any]) -> list[str]:
    found = []
    for child in node.get("children") or []:
        path = str(child.get("id") or "")
        found += [path] if path.casefold().startswith("/subscriptions/") else _subscriptions_in(child)
    return found
