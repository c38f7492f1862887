# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook tickets killed and overlapping: one ticket for each finding; and thousands of them."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run, other_machine
from tests.integration.test_tickets_safety import PATIENCE, kill, wait_until
from tests.integration.ticket_sync import (
    BACK,
    EVERY,
    FOUND,
    KNOWN,
    TICKETS,
    assert_each_once,
    lists_for,
    ours,
    settled,
    unhealthy,
)
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(2)

# Seconds in which a platform completes the request that it was sent last.
LAST_REQUEST = 1.0

# -- runs that are killed, and runs that overlap ----------------------------------------------------------------------


def started(tenant: Defender, home: Path | None = None) -> subprocess.Popen[bytes]:
    """Start the playbook; `home` is that of another machine."""
    environment = other_machine(home) if home else None
    command, variables, _results = tenant.command("tickets", environment=environment)
    return subprocess.Popen(
        command,
        cwd=tenant.playbook.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.walk(1)
@pytest.mark.parametrize("part", ["tickets", "assignments"])
def test_a_killed_run_is_finished_by_the_next_one(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, part: str
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, findings=150)
    tenant.variables["mdc_tickets_severities"] = EVERY
    wanted = unhealthy(tenant, severity=EVERY)
    if part == "tickets":
        instance.turn(latency_ms=150)
    else:
        sandbox.turn_tenant(latency_ms=20)
    process = started(tenant)
    try:
        wait_until(lambda: len(ours(instance) if part == "tickets" else tenant.rows("assignments")) > 20)
    finally:
        kill(process)
    instance.turn(latency_ms=0)
    sandbox.turn_tenant(latency_ms=0)
    time.sleep(LAST_REQUEST)
    left = len(wanted) - len(ours(instance))
    open_assignments = len(wanted) - len(tenant.rows("assignments"))
    assert left > 0 if part == "tickets" else open_assignments > 0 == left, "killed in the middle"
    run = tenant("tickets").went_well()
    assert sum(object_.startswith("incident") for object_, _field in drift_of(run)) == left
    assert sum(object_.startswith("assignment") for object_, _field in drift_of(run)) == open_assignments
    assert_each_once(tenant, instance, wanted)
    settled(tenant)


def test_runs_that_overlap_on_one_machine_make_one_ticket_for_each(tenant: Defender, instance: Instance) -> None:
    instance.turn(latency_ms=150)
    processes = [started(tenant), started(tenant)]
    assert [process.wait(timeout=PATIENCE) for process in processes] == [0, 0]
    instance.turn(latency_ms=0)
    assert len(ours(instance)) == len(unhealthy(tenant))
    assert_each_once(tenant, instance, unhealthy(tenant))
    settled(tenant)


def test_runs_that_overlap_on_two_machines_leave_one_ticket_for_each(
    tenant: Defender, instance: Instance, tmp_path: Path
) -> None:
    instance.turn(latency_ms=300)
    processes = [started(tenant, tmp_path / "one"), started(tenant, tmp_path / "two")]
    assert [process.wait(timeout=PATIENCE) for process in processes] == [0, 0]
    instance.turn(latency_ms=0)
    tenant("tickets").went_well()
    assert_each_once(tenant, instance, unhealthy(tenant))
    settled(tenant)


# -- thousands --------------------------------------------------------------------------------------------------------


def calls_of(run: Run) -> dict[str, dict[str, int]]:
    """Return how many requests each task of a module returns as sent, over all items of a loop."""
    found: dict[str, dict[str, int]] = {}
    for done in run.done:
        turns = [done.result] if "api_calls" in done.result else done.result.get("results") or []
        calls = [turn["api_calls"] for turn in turns if "api_calls" in turn]
        if calls:
            name = done.task.rpartition(" : ")[2]
            found[name] = {kind: sum(each[kind] for each in calls) for kind in ("read", "write")}
    return found


def test_findings_of_ten_subscriptions_cost_few_requests(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=10, findings=25)
    tenant.variables |= {"mdc_tickets_severities": EVERY, "mdc_tickets_scopes": tenant.scopes}
    wanted = unhealthy(tenant, EVERY)
    assert len(wanted) == 250
    # So slow that each part takes more than five seconds, as it does in the field.
    instance.turn(latency_ms=1500)
    sandbox.turn_tenant(latency_ms=25)
    first = tenant("tickets", timeout=400).went_well()
    instance.turn(latency_ms=0)
    sandbox.turn_tenant(latency_ms=0)
    assert_each_once(tenant, instance, wanted)
    assert re.search(r"\d+ of 250 tickets written", first.output)
    assert re.search(r"Defender for Cloud: \d+ of 250 assignments written", first.output)
    calls = calls_of(first)
    # Tickets go in batches, assignments (for which there is no batch) one by one.
    assert sum(calls[TICKETS].values()) + sum(calls[KNOWN].values()) <= 20
    assert calls[BACK]["write"] == 250
    # Pages of 200; a list of assignments for each kind of recommendation of a subscription or connector.
    kinds = lists_for(wanted)
    rows = tenant.rows("assessments")
    pages = sum(-(-sum(row["_id"].startswith(f"{scope}/") for row in rows) // 200) for scope in tenant.scopes)
    looked = pages + len(kinds)
    assert calls[FOUND]["read"] == looked + 2, "and a token, and what kinds there are"

    run = settled(tenant, timeout=400)
    calls = calls_of(run)
    assert calls[FOUND]["read"] == looked + 2
    assert calls[BACK] == {"read": 0, "write": 0}, "what has its ticket recorded is not read again"
    assert sum(calls[TICKETS].values()) + sum(calls[KNOWN].values()) == sum(instance.requests().values()) <= 5
