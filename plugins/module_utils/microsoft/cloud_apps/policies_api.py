# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: listed by a known route, switched by contract only.

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
# The types that Microsoft's own module knows (docs/facts/defender_for_cloud_apps.md#policy-routes).
TYPES = (
    "ACCESS", "ANOMALY_DETECTION", "ANOMALY_DISCOVERY", "APP_PERMISSION", "APP_PERMISSION_ANOMALY", "AUDIT", "FILE", "INLINE",
    "MALWARE", "NEW_SERVICE", "SESSION",
)  # fmt: skip

# Shipped, and used only by whoever accepts it by its name: two community projects post to these routes, Microsoft
# documents neither.
SHIPPED = "portal_policy_routes"


def shipped_contract(url: str) -> dict[str, Any]:
    """Return the contract that comes with the collection, for the tenant at `url`."""
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
    """The policies of a tenant."""

    def __init__(self, tenant: CloudAppsClient, replay: Replay | None = None, types: tuple[str, ...] = ()) -> None:
        self.tenant, self.replay, self.types = tenant, replay, types

    def read(self) -> QueryResult:
        """Return every policy, or those of the wanted types."""
        filters = {"type": {"eq": list(self.types)}} if self.types else {}
        records = self.tenant.grid(LIST_PATH, filters, permission="")
        return QueryResult(tuple(row_of(record) for record in records))

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Refuse: how policies are made is not known."""
        raise EngineError(f"{write.label}: policies are not created")

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Do what the contract says of switching a policy on or off."""
        if self.replay is None:
            raise EngineError(f"{write.label}: nothing is written without a contract")
        operation = "enable" if values["enabled"] == "true" else "disable"
        self.replay.run(operation, {**values, "id": row_id})

    def delete(self, write: Write, row_id: str) -> None:
        """Refuse: policies are not removed."""
        raise EngineError(f"{write.label}: policies are not removed")


def row_of(record: Mapping[str, Any]) -> Row:
    """Return a policy's record as text; of its shape only name, type and id are known."""
    enabled = record.get("enabled", record.get("isEnabled"))
    return {
        "sys_id": str(record.get("_id") or record.get("id") or ""),
        "name": str(record.get("name") or record.get("title") or ""),
        "type": str(record.get("policyType") or record.get("type") or ""),
        "severity": str(record.get("severity") if record.get("severity") is not None else ""),
        "enabled": "true" if enabled is True else "false" if enabled is False else "",
    }
