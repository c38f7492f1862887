# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the budgets as ratios of runs on the same machine in the same minutes, and fails when one is exceeded.

`python -m tests.perf [--instances N] [--cpu]`. Absolute times do not apply to another machine; ratios do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.perf.costs import IN_SYNC, Cost, Playbook, cost_of
from tests.perf.fleet import do_manual_steps, instances_of
from tests.perf.measure import Measured, run
from tests.perf.slices import SLICES, measure_slices
from tests.perf.tickets import measure_tickets
from tests.sandbox.process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "secops.servicenow_defender"
FEW, URI_INSTANCES = 50, 40
# How many times as long as one debug task a playbook may take that has nothing to do. Those of harden, verify and rotate leave the headroom
# that the others have, 1.7: on each instance they run 2, 4 and 3 tasks, for 3.3, 7.0 and 7.1 times the CPU time.
RATIOS = {"onboard": 12, "drift": 5, "harden": 5, "verify": 12, "rotate": 12}

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


@dataclass(frozen=True)
class Bench:
    """One run of the benchmark: where, on which fleet of what size, and which time its ratios compare."""

    folder: Path
    inventory: Path
    fleet: SandboxProcess
    instances: int
    by_cpu: bool

    def timed(self, label: str, action: Callable[[], Measured]) -> Measured:
        """Measure and print what takes long."""
        print(f"  {label} ...", end=" ", flush=True)
        measured = action()
        print(f"{measured.seconds:.1f} s, {measured.cpu:.1f} s of CPU", flush=True)
        return measured

    def run(self, label: str, what: str | list[dict[str, Any]], *arguments: str, limit: int = 0) -> Measured:
        """Run a playbook or tasks on all instances or the first `limit` ones."""
        label = f"{label}, {limit or self.instances} instances"
        return self.timed(label, lambda: run(self.folder, self.inventory, what, *arguments, limit=limit))

    def time(self, measured: Measured) -> float:
        """Return the time that ratios compare, in seconds."""
        return measured.cpu if self.by_cpu else measured.seconds

    def ratio(self, one: Measured, other: Measured) -> float:
        """Return how much longer one run took than another."""
        return self.time(one) / self.time(other)


def measure(bench: Bench) -> list[Budget]:
    """Run everything once and return the table."""
    urls = {name: variables["snow_url"] for name, variables in instances_of(bench.inventory).items()}
    bench.run("onboard", f"{COLLECTION}.onboard")
    do_manual_steps(bench.fleet, urls)
    bench.run("harden", f"{COLLECTION}.harden")
    debug = bench.run("one debug task", DEBUG)
    return [
        *measure_module(bench, debug),
        *measure_playbooks(bench, debug, list(urls)),
        *measure_division(bench),
        *measure_sync(bench, debug),
    ]


def measure_module(bench: Bench, debug: Measured) -> list[Budget]:
    """Compare `snow_instance` with one debug task, with reads by uri, and with itself on few instances."""
    few, instances = min(FEW, bench.instances), bench.instances
    debug_few = bench.run("one debug task", DEBUG, limit=few)
    bench.fleet.reset_requests()
    state = bench.run("snow_instance in check mode", STATE, "--check")
    requests = bench.fleet.requests()["total"] / instances
    state_few = bench.run("snow_instance in check mode", STATE, "--check", limit=few)
    uri = bench.run("six uri reads", URI, limit=URI_INSTANCES)
    state_uri = bench.run("snow_instance in check mode", STATE, "--check", limit=URI_INSTANCES)
    return [
        Budget("HTTP requests to check one instance that is in sync", requests, 2, unit=""),
        Budget(f"snow_instance in check mode / one debug task, {instances} instances", bench.ratio(state, debug), 2.5),
        Budget(
            f"six uri reads / snow_instance, {URI_INSTANCES} instances", bench.ratio(uri, state_uri), 20, at_least=True
        ),
        Budget(
            f"time per instance, {instances} / {few} instances", bench.ratio(state, state_few) * few / instances, 1.2
        ),
        # A worker of a debug task grows as well: it begins with what Ansible knows of all hosts.
        Budget(
            f"private memory of a worker, {instances} / {few} instances, against debug",
            growth(state, state_few) / growth(debug, debug_few),
            1.2,
        ),
        Budget(
            "(for comparison) time per host of the debug task, same growth",
            bench.ratio(debug, debug_few) * few / instances,
            9,
        ),
    ]


def measure_playbooks(bench: Bench, debug: Measured, names: list[str]) -> list[Budget]:
    """Compare playbooks that have nothing to do with one debug task, and print their requests."""
    budgets, costs = [], dict[str, Cost]()
    for playbook in IN_SYNC:
        taken: list[Measured] = []

        def once(each: Playbook = playbook, kept: list[Measured] = taken) -> None:
            kept.append(bench.run(f"{each.name} of a fleet in sync", f"{COLLECTION}.{each.name}", *each.arguments))

        costs[playbook.name] = cost_of(bench.fleet, names, once)
        what = f"{playbook.name} of a fleet in sync / one debug task, {bench.instances} instances"
        budgets.append(Budget(what, bench.ratio(taken[0], debug), RATIOS[playbook.name]))
    for name, cost in costs.items():
        print(f"  {name}: {cost.instance:g} requests to each instance, {cost.tenant} to Microsoft for all of them")
    return budgets


def measure_division(bench: Bench) -> list[Budget]:
    """Compare the slices of a job with the undivided one. Slices run on other machines, so that their CPU time counts."""
    whole, part = measure_slices(bench.folder, bench.inventory, bench.timed)
    what = f"CPU time of the largest of {SLICES} slices of drift / undivided, {bench.instances} instances"
    return [Budget(what, part.cpu / whole.cpu, 0.35)]


def measure_sync(bench: Bench, debug: Measured) -> list[Budget]:
    """Compare a ticket with a debug task of one host, and count its requests."""
    made, first, again = measure_tickets(bench.folder, bench.inventory, bench.fleet, bench.timed)
    return [
        Budget(f"ServiceNow requests for each of {made} tickets", first.instance / made, 0.05, unit=""),
        Budget("Resource Manager requests for each of them", first.manager / made, 2.2, unit=""),
        Budget(
            "time for each of them / one debug task of one host",
            bench.ratio(first.took, debug) * bench.instances / made,
            10,
        ),
        Budget(
            "requests of a second run, none of which writes, for each ticket",
            (again.instance + again.manager) / made,
            0.1,
            unit="",
        ),
        Budget("writes of a second run", again.writes, 0, unit=""),
    ]


def growth(many: Measured, few: Measured) -> float:
    """Return how much more private memory a worker has when there are many hosts."""
    return many.worker_memory / max(few.worker_memory, 1.0)


def main() -> int:
    """Run the benchmark; return 0 when every budget is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=500, help="size of the simulated fleet (default 500)")
    parser.add_argument(
        "--cpu", action="store_true", help="compare CPU time instead of time, on a machine that does other work"
    )
    arguments = parser.parse_args()
    folder = ROOT / ".cache" / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    inventory = folder / "inventory.yml"
    with SandboxProcess("--instances", str(arguments.instances), "--inventory", str(inventory)) as fleet:
        budgets = measure(Bench(folder, inventory, fleet, arguments.instances, arguments.cpu))
    print()
    for budget in budgets:
        print(budget)
    return 0 if all(budget.kept for budget in budgets) else 1


if __name__ == "__main__":
    sys.exit(main())
