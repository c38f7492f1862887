# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of policies: listed by a known route, enabled and disabled by contract only.

See docs/facts/defender_for_cloud_apps.md#policy-routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...recorded_api.replay import Replay
from ..collection_store import Endpoint
from .client import PORTAL, CloudAppsClient

COLLECTION = "policies"
LIST_PATH = f"{PORTAL}/policies/"
# The types of Microsoft's own module (docs/facts/defender_for_cloud_apps.md#policy-routes).
TYPES = (
    "ACCESS", "ANOMALY_DETECTION", "ANOMALY_DISCOVERY", "APP_PERMISSION", "APP_PERMISSION_ANOMALY", "AUDIT", "FILE", "INLINE",
    "MALWARE", "NEW_SERVICE", "SESSION",
)  # fmt: skip

# Shipped, and used only when selected by its name: two community projects post to these routes, Microsoft documents
# neither.
SHIPPED = "portal_policy_routes"


def shipped_contract(url: str) -> dict[str, Any]:
    """Return the contract that the collection ships, for the tenant at `url`."""
    return {
        "contract": 1,
        "name": SHIPPED,
        "target": "mda_policy",
        "operations": {
            verb: {
                "method": "POST",
                "url": f"{url}{LIST_PATH}${{id}}/{verb}/",
                "headers": {"authorization": "${authorization}"},
            }
            for verb in ("enable", "disable")
        },
    }


class PoliciesEndpoint(Endpoint):
    """Reads, enables and disables the policies of a tenant."""

    noun = "policies"

    def __init__(self, client: CloudAppsClient, replay: Replay | None = None, types: tuple[str, ...] = ()) -> None:
        self.client, self.replay, self.types = client, replay, types

    def read(self) -> QueryResult:
        """Return every policy, or those of the selected types."""
        filters = {"type": {"eq": list(self.types)}} if self.types else {}
        records = self.client.rows(LIST_PATH, filters, permission="")
        return QueryResult(tuple(row_of(record) for record in records))

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Replay the contract's operation `enable` or `disable`."""
        if self.replay is None:
            raise EngineError(f"{write.label}: nothing is written without a contract")
        operation = "enable" if values["enabled"] else "disable"
        self.replay.run(operation, {**values, "id": row_id})


def row_of(record: Mapping[str, Any]) -> Row:
    """Return the row of a policy's record, of which only name, type and id are documented."""
    enabled = record.get("enabled", record.get("isEnabled"))
    return {
        "id": str(record.get("_id") or record.get("id") or ""),
        "name": str(record.get("name") or record.get("title") or ""),
        "type": str(record.get("policyType") or record.get("type") or ""),
        "severity": str(record.get("severity") if record.get("severity") is not None else ""),
        "enabled": enabled if isinstance(enabled, bool) else None,
    }
