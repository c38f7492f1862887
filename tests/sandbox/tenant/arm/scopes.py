# SPDX-License-Identifier: GPL-3.0-or-later
"""Scopes and resource ids: case does not matter in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

TENANT, GROUP, SUBSCRIPTION, CONNECTOR, RESOURCE = "tenant", "management group", "subscription", "connector", "resource"
GOVERNED = (GROUP, SUBSCRIPTION, CONNECTOR)
"""Where rules and integrations may be (facts 2.2, 3.4)."""

_KINDS = (
    (GROUP, r"/providers/microsoft\.management/managementgroups/(?P<group>[^/]+)"),
    (SUBSCRIPTION, r"/subscriptions/[^/]+"),
    (CONNECTOR, r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.security/securityconnectors/[^/]+"),
)


@dataclass(frozen=True)
class Scope:
    """What stands before `/providers/` in a path; `text` starts with a slash, or is empty for the tenant."""

    text: str

    @property
    def key(self) -> str:
        """The scope for comparisons."""
        return self.text.lower()

    @property
    def kind(self) -> str:
        """tenant, management group, subscription, connector, or resource for anything else."""
        if not self.text:
            return TENANT
        return next((kind for kind, pattern in _KINDS if re.fullmatch(pattern, self.key)), RESOURCE)

    @property
    def subscription(self) -> str:
        """The subscription it lies in, in lower case, or nothing."""
        parts = self.key.split("/")
        return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else ""

    @property
    def group(self) -> str:
        """The management group, when it is one."""
        found = re.fullmatch(_KINDS[0][1], self.key)
        return found["group"] if found else ""

    def holds(self, key: str) -> bool:
        """Whether an id, in lower case, is this scope or lies below it; of management groups only the path counts."""
        return key == self.key or key.startswith(f"{self.key}/")


def split(path: str) -> tuple[Scope, str]:
    """Cut a path at its last provider: the scope, and `Namespace/type/name...`; nothing behind when there is none."""
    path = path.rstrip("/")
    place = path.lower().rfind("/providers/")
    if place < 0:
        return Scope(path), ""
    return Scope(path[:place]), path[place + len("/providers/") :]
