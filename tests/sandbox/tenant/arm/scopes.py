# SPDX-License-Identifier: GPL-3.0-or-later
"""Scopes and resource ids, both case-insensitive."""

from __future__ import annotations

import re
from dataclasses import dataclass

TENANT, GROUP, SUBSCRIPTION, CONNECTOR, RESOURCE = "tenant", "management group", "subscription", "connector", "resource"
GOVERNED = (GROUP, SUBSCRIPTION, CONNECTOR)
"""Kinds of scope that can have rules and integrations.

See docs/facts/defender_for_cloud.md#integration-operations, docs/facts/defender_for_cloud.md#governance-rules.
"""

_KINDS = (
    (GROUP, r"/providers/microsoft\.management/managementgroups/(?P<group>[^/]+)"),
    (SUBSCRIPTION, r"/subscriptions/[^/]+"),
    (CONNECTOR, r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.security/securityconnectors/[^/]+"),
)


@dataclass(frozen=True)
class Scope:
    """The part of a path before `/providers/`; `text` starts with a slash, or is empty for the tenant."""

    text: str

    @property
    def key(self) -> str:
        """The scope in lower case, for comparisons."""
        return self.text.lower()

    @property
    def kind(self) -> str:
        """The kind: tenant, management group, subscription, connector, or resource (all others)."""
        if not self.text:
            return TENANT
        return next((kind for kind, pattern in _KINDS if re.fullmatch(pattern, self.key)), RESOURCE)

    @property
    def subscription(self) -> str:
        """Its subscription in lower case; empty without one."""
        parts = self.key.split("/")
        return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else ""

    @property
    def group(self) -> str:
        """The management group, if the scope is one."""
        found = re.fullmatch(_KINDS[0][1], self.key)
        return found["group"] if found else ""

    def holds(self, key: str) -> bool:
        """Whether an id, in lower case, is this scope or below it; management groups contain only their own path."""
        return key == self.key or key.startswith(f"{self.key}/")


def split(path: str) -> tuple[Scope, str]:
    """Split a path at its last provider into the scope and `Namespace/type/name...`, which can be empty."""
    # Clients join an address and a scope with one slash too many.
    path = re.sub("/{2,}", "/", path).rstrip("/")
    place = path.lower().rfind("/providers/")
    if place < 0:
        return Scope(path), ""
    return Scope(path[:place]), path[place + len("/providers/") :]
