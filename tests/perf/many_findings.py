# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the playbook `tickets` over many findings that share tickets, with write-back: a first run, and a second one.

`python -m tests.perf.many_findings [--subscriptions N] [--findings N]`, the latter for each subscription. It runs for minutes, and fails
if the second run writes or changes something.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.perf.measure import Measured, run
from tests.sandbox.process import SandboxProcess

COLLECTION = "secops.servicenow_defender"
SEVERITIES = ["Critical", "High", "Medium", "Low"]
WRITES = ("PUT ", "PATCH ", "DELETE ")
INSTANCE = "acme-dev"


def main() -> int:
    """Run the playbook twice, and print what each run took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=50)
    parser.add_argument("--findings", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inventory = folder / "inventory.yml"
        with SandboxProcess("--instances", "1", "--inventory", str(inventory)) as fleet:
            knobs = {"subscriptions": given.subscriptions, "findings": given.findings, "individual": True}
            access = fleet.new_tenant(plan="Standard", **knobs)
            scopes = [f"/subscriptions/{each}" for each in access["azure_subscription_ids"]]
            words = ("-e", json.dumps({"mdc_tickets_scopes": scopes, "mdc_tickets_severities": SEVERITIES}))

            def sync(label: str) -> tuple[Measured, int]:
                fleet.reset_requests()
                took = run(folder, inventory, f"{COLLECTION}.tickets", *words)
                routes = {place: Counter(fleet.requests(place)["routes"]) for place in (INSTANCE, "tenant")}
                writes = sum(count for route, count in routes["tenant"].items() if route.startswith(WRITES))
                print(f"{label}: {took.seconds:.0f} s, {took.cpu:.0f} s of CPU, {took.largest:.0f} MiB in the largest process, "
                      f"changed={took.changed}")  # fmt: skip
                for place, counted in routes.items():
                    print(
                        f"  {place}: {counted.total()} requests, of them {', '.join(f'{n} x {r}' for r, n in counted.most_common(6))}"
                    )
                return took, writes + routes[INSTANCE]["POST /api/now/table/incident"]

            first, _ = sync("first run")
            again, writes = sync("second run")
            rows = [
                row for row in fleet.state(INSTANCE, "incident") if row.get("correlation_id", "").startswith("mdc-")
            ]
            total = given.subscriptions * given.findings
            print(
                f"{total} findings, {len(rows)} tickets; the second run took {again.seconds / first.seconds:.2f} of the first one"
            )
    return int(bool(writes or again.changed))


if __name__ == "__main__":
    sys.exit(main())
