# SPDX-License-Identifier: GPL-3.0-or-later
"""The named locations that a policy for session control uses, identified by name."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, CREATE, OK, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.result import ABSENT, PRESENT, UNKNOWN, Drift
from ...engine.snapshot import Query, Row, Snapshot
from .named_locations_api import COLLECTION

# Entra sees public addresses only (docs/facts/microsoft_graph.md#named-locations).
PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
MAX_RANGES = 2000
MIN_IPV4_BITS = 9

NAMED_LOCATION_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "subnets": {"type": "list", "elements": "str", "required": True},
}


class NamedLocations(Resource):
    """The desired locations; others are left alone. With `tolerant`, a list that is refused leaves them unproven."""

    label = "named_locations"

    def __init__(self, entries: Sequence[Mapping[str, Any]], *, tolerant: bool) -> None:
        self.tolerant = tolerant
        self.desired: dict[str, list[str]] = {}
        for entry in entries:
            if entry["name"] in self.desired:
                raise InvalidInput(f"named_locations lists {entry['name']!r} twice")
            self.desired[entry["name"]] = _subnets(entry)

    def reads(self) -> list[Query]:
        """Read every location: it is one list."""
        return (
            [Query(COLLECTION, "name", (), ("id", "name", "subnets"), optional=self.tolerant)] if self.desired else []
        )

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare location by location."""
        plan = Plan(self.label, bulk=True)
        refused = snapshot.refused(COLLECTION, "name") if self.desired else ""
        for name, subnets in self.desired.items():
            outcome: dict[str, Any] = {"object": label_of(name), "name": name, "status": OK, "subnets": subnets}
            plan.outcomes.append(outcome)
            if refused:
                outcome.update(status=UNKNOWN, reason=refused)
                continue
            rows = snapshot.rows(COLLECTION, "name", name)
            if len(rows) > 1:
                ids = ", ".join(sorted(row["id"] for row in rows))
                raise InvalidInput(f"the tenant has {len(rows)} of {label_of(name)} ({ids}); remove all but one")
            self._plan_one(plan, outcome, rows[0] if rows else None)
        return plan

    @staticmethod
    def _plan_one(plan: Plan, outcome: dict[str, Any], row: Row | None) -> None:
        label, subnets = outcome["object"], outcome["subnets"]
        if row is None:
            outcome["status"] = CHANGED
            plan.drift.append(Drift(label, "state", ABSENT, PRESENT))
            plan.after[label] = {"subnets": subnets}
            values = {"name": outcome["name"], "subnets": subnets}
            plan.writes.append(Write(CREATE, COLLECTION, label, values, identity={"name": outcome["name"]}))
            return
        outcome["id"] = row["id"]
        if row["subnets"] != subnets:
            outcome["status"] = CHANGED
            plan.drift.append(Drift(label, "subnets", row["subnets"], subnets))
            plan.before[label], plan.after[label] = {"subnets": row["subnets"]}, {"subnets": subnets}
            plan.writes.append(Write(UPDATE, COLLECTION, label, {"subnets": subnets}, row["id"]))


def label_of(name: str) -> str:
    """Return how results name a location."""
    return f"named_location {name}"


def _subnets(entry: Mapping[str, Any]) -> list[str]:
    label = label_of(entry["name"])
    found = set()
    for text in entry["subnets"]:
        try:
            network = ipaddress.ip_network(text.strip(), strict=False)
        except ValueError:
            raise InvalidInput(f"{label}: {text!r} is not a subnet. Write 192.0.2.0/24, or a single address") from None
        if any(network.version == private.version and network.overlaps(private) for private in PRIVATE):
            raise InvalidInput(
                f"{label}: {text} is private. Entra sees public addresses only; enter those of the proxy or firewall"
            )
        if network.version == 4 and network.prefixlen < MIN_IPV4_BITS:
            raise InvalidInput(
                f"{label}: {text} is too large. Entra accepts IPv4 ranges of /{MIN_IPV4_BITS} and smaller"
            )
        found.add(str(network))
    if not found:
        raise InvalidInput(f"{label}: subnets is empty")
    if len(found) > MAX_RANGES:
        raise InvalidInput(f"{label}: {len(found)} ranges; Entra accepts up to {MAX_RANGES}")
    return sorted(found)
