# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the playbook `tickets`: requests and time for each ticket, and those of a second run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.perf.measure import Measured, run
from tests.sandbox.process import SandboxProcess

COLLECTION = "secops.servicenow_defender"
SUBSCRIPTIONS, FINDINGS = 10, 400
# Thousands of tickets, which the default would not make.
EACH = {"mdc_tickets_group_by": ["recommendation", "resource"], "mdc_tickets_max_new": 10000}
READING = ("GET ", "POST /api/now/v1/batch", "POST /oauth_token.do")


@dataclass(frozen=True)
class Sync:
    """One run: what it took, requests of the instance and of Resource Manager, and how many of the latter write."""

    took: Measured
    instance: int
    manager: int
    writes: int


def tickets(fleet: SandboxProcess, instance: str) -> int:
    """Return how many tickets there are."""
    rows = fleet.state(instance, "incident")
    return sum(row.get("correlation_display") == "Microsoft Defender for Cloud" for row in rows)


def measure_tickets(
    folder: Path, inventory: Path, fleet: SandboxProcess, timed: Callable[[str, Callable[[], Measured]], Measured]
) -> tuple[int, Sync, Sync]:
    """Return the number of tickets, what it took to make them, and what it took to find them again."""
    access = fleet.new_tenant(plan="Standard", subscriptions=SUBSCRIPTIONS, findings=FINDINGS)
    scopes = [f"/subscriptions/{each}" for each in access["azure_subscription_ids"]]
    words = (
        "-e",
        json.dumps({"mdc_tickets_scopes": scopes, "mdc_tickets_severities": ["Critical", "High"], **EACH}),
    )
    name = next(line.strip(" :") for line in inventory.read_text().splitlines() if line.startswith("    acme-"))

    def sync(label: str) -> Sync:
        fleet.reset_requests()
        took = timed(label, lambda: run(folder, inventory, f"{COLLECTION}.tickets", *words))
        routes = {place: fleet.requests(place)["routes"] for place in (name, "tenant")}
        arm = {route: count for route, count in routes["tenant"].items() if "/arm/" in route}
        writes = sum(count for route, count in arm.items() if route.startswith(("PUT ", "DELETE ")))
        return Sync(took, sum(routes[name].values()), sum(arm.values()), writes)

    first = sync(f"tickets for the severe ones of {SUBSCRIPTIONS * FINDINGS} recommendations")
    made = tickets(fleet, name)
    return made, first, sync("the same again")
