# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the budgets as ratios of runs on the same machine in the same minutes, and fails when one is exceeded.

`python -m tests.perf [--instances N]`. Absolute times say little about another machine; ratios do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.perf.measure import Measured, run
from tests.perf.tickets import measure_tickets
from tests.sandbox.process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "secops.servicenow_defender"
FEW, URI_INSTANCES = 50, 40

CONNECTION = {name: f"{{{{ {name} }}}}" for name in ("snow_url", "snow_username", "snow_password")}
DEBUG = [{"name": "Debug", "ansible.builtin.debug": {"msg": "{{ inventory_hostname }}"}}]
STATE: list[dict[str, Any]] = [
    {
        "name": "State",
        f"{COLLECTION}.snow_instance": {
            **CONNECTION,
            "roles": [{"name": "defender_cloud_apps_reader"}],
            "users": [{"user_name": "svc_defender_cloud_apps", "roles": ["defender_cloud_apps_reader"]}],
            "oauth_applications": [
                {
                    "name": "Microsoft Defender for Cloud Apps",
                    "access_token_lifespan": 3600,
                    "scope_restriction": "broad",
                }
            ],
            "table_acls": [{"role": "defender_cloud_apps_reader", "tables": ["sys_user", "incident"]}],
        },
    }
]
TABLES = ("oauth_entity", "sys_user", "sys_user_role", "sys_user_has_role", "sys_properties", "sys_security_acl")
URI = [
    {
        "name": f"Read {table}",
        "ansible.builtin.uri": {
            "url": f"{{{{ snow_url }}}}/api/now/table/{table}?sysparm_limit=5",
            "url_username": "{{ snow_username }}",
            "url_password": "{{ snow_password }}",
            "force_basic_auth": True,
            "return_content": True,
        },
    }
    for table in TABLES
]


@dataclass(frozen=True)
class Budget:
    """One line of the table: what, measured, allowed; `at_least` turns the comparison round."""

    what: str
    measured: float
    allowed: float
    unit: str = "x"
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the budget is kept."""
        return self.measured >= self.allowed if self.at_least else self.measured <= self.allowed

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{'ok ' if self.kept else 'BAD'}  {self.what:<74} {self.measured:6.2f} {self.unit:<3} (budget {sign} {self.allowed:g})"


def measure(folder: Path, inventory: Path, fleet: SandboxProcess, instances: int) -> list[Budget]:
    """Run everything once and return the table."""

    def timed(label: str, action: Callable[[], Measured]) -> Measured:
        print(f"  {label} ...", end=" ", flush=True)
        measured = action()
        print(f"{measured.seconds:.1f} s", flush=True)
        return measured

    few = min(FEW, instances)
    timed(
        f"onboarding {instances} instances", lambda: run(folder, inventory, f"{COLLECTION}.onboard", "--tags", "snow")
    )
    debug = timed(f"one debug task, {instances} instances", lambda: run(folder, inventory, DEBUG))
    debug_few = timed(f"one debug task, {few} instances", lambda: run(folder, inventory, DEBUG, limit=few))
    fleet.reset_requests()
    state = timed(
        f"snow_instance in check mode, {instances} instances", lambda: run(folder, inventory, STATE, "--check")
    )
    requests = fleet.requests()["total"] / instances
    state_few = timed(
        f"snow_instance in check mode, {few} instances", lambda: run(folder, inventory, STATE, "--check", limit=few)
    )
    onboard = timed(
        f"onboard of a fleet in sync, {instances} instances",
        lambda: run(folder, inventory, f"{COLLECTION}.onboard"),
    )
    drift = timed(
        f"drift, {instances} instances",
        lambda: run(folder, inventory, f"{COLLECTION}.drift", "-e", "drift_fail=false"),
    )
    uri = timed(f"six uri reads, {URI_INSTANCES} instances", lambda: run(folder, inventory, URI, limit=URI_INSTANCES))
    state_uri = timed(
        f"snow_instance, {URI_INSTANCES} instances",
        lambda: run(folder, inventory, STATE, "--check", limit=URI_INSTANCES),
    )
    made, first, again = measure_tickets(folder, inventory, fleet, timed)
    per_instance = state.seconds / instances
    per_instance_few = state_few.seconds / few
    return [
        Budget("HTTP requests to check one instance that is in sync", requests, 2, unit=""),
        Budget(
            f"snow_instance in check mode / one debug task, {instances} instances", state.seconds / debug.seconds, 2.5
        ),
        Budget(f"drift / one debug task, {instances} instances", drift.seconds / debug.seconds, 5),
        Budget(
            f"onboard of a fleet in sync / one debug task, {instances} instances", onboard.seconds / debug.seconds, 12
        ),
        Budget(
            f"six uri reads / snow_instance, {URI_INSTANCES} instances",
            uri.seconds / state_uri.seconds,
            20,
            at_least=True,
        ),
        Budget(f"time per instance, {instances} / {few} instances", per_instance / per_instance_few, 1.2),
        # A worker of a debug task grows as well: it begins with what Ansible knows of all hosts.
        Budget(
            f"private memory of a worker, {instances} / {few} instances, against debug",
            growth(state, state_few) / growth(debug, debug_few),
            1.2,
        ),
        Budget(f"ServiceNow requests for each of {made} tickets", first.instance / made, 0.05, unit=""),
        Budget("Resource Manager requests for each of them", first.manager / made, 2.2, unit=""),
        Budget(
            "time for each of them / one debug task of one host",
            first.seconds / made / (debug.seconds / instances),
            10,
        ),
        Budget(
            "requests of a second run, none of which writes, for each ticket",
            (again.instance + again.manager) / made,
            0.1,
            unit="",
        ),
        Budget("writes of a second run", again.writes, 0, unit=""),
        Budget(
            "(for comparison) time per host of the debug task, same growth",
            (debug.seconds / instances) / (debug_few.seconds / few),
            9,
        ),
    ]


def growth(many: Measured, few: Measured) -> float:
    """Return how much more private memory a worker has when there are many hosts."""
    return many.worker_memory / max(few.worker_memory, 1.0)


def main() -> int:
    """Run the benchmark; return 0 when every budget is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=500, help="size of the simulated fleet (default 500)")
    arguments = parser.parse_args()
    folder = ROOT / ".cache" / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    inventory = folder / "inventory.yml"
    with SandboxProcess("--instances", str(arguments.instances), "--inventory", str(inventory)) as fleet:
        budgets = measure(folder, inventory, fleet, arguments.instances)
    print()
    for budget in budgets:
        print(budget)
    return 0 if all(budget.kept for budget in budgets) else 1


if __name__ == "__main__":
    sys.exit(main())
