# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of policies: listed by a known route, created, enabled and disabled by contract only.

See docs/facts/defender_for_cloud_apps.md#policy-routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError, UnclearOutcome
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...recorded_api.replay import Replay
from ...transport.paged_list import recognized_rows
from ..collection_store import Endpoint
from .client import PORTAL, CloudAppsClient

COLLECTION = "policies"
LIST_PATH = f"{PORTAL}/policies/"
# The types of Microsoft's own module (docs/facts/defender_for_cloud_apps.md#policy-routes).
TYPES = (
    "ACCESS", "ANOMALY_DETECTION", "ANOMALY_DISCOVERY", "APP_PERMISSION", "APP_PERMISSION_ANOMALY", "AUDIT", "FILE", "INLINE",
    "MALWARE", "NEW_SERVICE", "SESSION",
)  # fmt: skip

# The keys of a policy's id and name.
IDS, NAMES = ("_id", "id"), ("name", "title")

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
    """Reads, creates, enables and disables the policies of a tenant.

    `replay` is the contract for all policies; `creators` are those of single policies, by name.
    """

    noun = "policies"

    def __init__(self, client: CloudAppsClient, replay: Replay | None = None, types: tuple[str, ...] = ()) -> None:
        self.client, self.replay, self.types = client, replay, types
        self.creators: dict[str, Replay] = {}

    def read(self) -> QueryResult:
        """Return every policy, or those of the selected types."""
        filters = {"type": {"eq": list(self.types)}} if self.types else {}
        records = recognized_rows(self.client.rows(LIST_PATH, filters, permission=""), LIST_PATH, IDS, NAMES)
        return QueryResult(tuple(row_of(record) for record in records))

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Replay the operation `create` of the policy's own contract."""
        fields = self.creators[values["name"]].run("create", values)
        if not fields.get("id"):
            raise UnclearOutcome(f"{self.client.name}: the responses to creating {write.label} contain no id")
        return {"id": str(fields["id"])}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Replay the operation `enable` or `disable` of the policy's own contract, or of that for all."""
        operation = "enable" if values["enabled"] else "disable"
        own = self.creators.get(values["name"])
        replay = own if own and own.offers(operation) else self.replay
        if replay is None:
            raise EngineError(f"{write.label}: nothing is written without a contract")
        replay.run(operation, {**values, "id": row_id})


def row_of(record: Mapping[str, Any]) -> Row:
    """Return the row of a policy's record, of which only name, type and id are documented."""
    enabled = record.get("enabled", record.get("isEnabled"))
    return {
        "id": _first(record, IDS),
        "name": _first(record, NAMES),
        "type": str(record.get("policyType") or record.get("type") or ""),
        "severity": str(record.get("severity") if record.get("severity") is not None else ""),
        "enabled": enabled if isinstance(enabled, bool) else None,
    }


def _first(record: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return str(next((record[key] for key in keys if record.get(key)), ""))
