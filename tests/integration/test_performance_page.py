# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of requests in the table of guide_performance.rst are those of runs of a small fleet in sync."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.playbooks import ROOT, Playbooks
from tests.integration.tenant import HOST, SimulatedTenant
from tests.perf.costs import IN_SYNC, TICKETS, Cost, Playbook, cost_of
from tests.perf.fleet import do_manual_steps
from tests.sandbox.process import SandboxProcess

PAGE = ROOT / "docs" / "docsite" / "rst" / "guide_performance.rst"
TABLE = ".. list-table:: Costs of a fleet in sync"


def costs_of_page() -> dict[str, Cost]:
    """Return the requests of each playbook: the first number of each of the last two columns of the table."""
    table = PAGE.read_text(encoding="utf-8").split(TABLE)[1].split("\n\n")[1]
    rows = [row.split("\n    - ") for row in table.split("  * - ")[2:]]
    return {name.strip("`"): Cost(float(number(instance)), int(number(tenant))) for name, *_, instance, tenant in rows}


def number(cell: str) -> str:
    return cell.split()[0].rstrip(",")


def test_the_requests_of_the_table_are_those_of_runs(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard", subscriptions=1)
    instances = [new_instance() for _number in range(2)]
    hosts: dict[str, dict[str, Any]] = {each.name: each.connection for each in instances} | tenant.hosts()
    urls = {each.name: each.connection["snow_url"] for each in instances}

    def play(each: Playbook) -> None:
        playbook(each.name, hosts, *each.arguments, defender=[HOST]).went_well()

    play(Playbook("onboard"))
    do_manual_steps(sandbox, urls)
    for each in (Playbook("harden"), TICKETS):
        play(each)
    counted = {each.name: cost_of(sandbox, urls, lambda each=each: play(each)) for each in IN_SYNC}  # type: ignore[misc]
    # On one instance, with a list of assignments for each finding that has a ticket.
    sync = cost_of(sandbox, list(urls)[:1], lambda: play(TICKETS))
    lists = sum(count for route, count in tenant.requests().items() if route.endswith("/governanceAssignments"))
    assert lists > 0
    counted[TICKETS.name] = Cost(sync.instance, sync.tenant - lists)
    assert counted == costs_of_page()
