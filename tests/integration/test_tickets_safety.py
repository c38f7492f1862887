# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is created twice: answers that get lost, runs that are killed, runs that overlap; and thousands of tickets."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import SHELLS, Playbooks, Run, other_machine, read_results
from tests.integration.test_tickets import notes_of, statuses, tickets

pytestmark = pytest.mark.walk(5)

BATCH = "POST /api/now/v1/batch"
TABLE = "/api/now/table/incident"
LOST = ("500-after-commit", "reset-after-commit", "500", "reset", "truncated", "503")
PATIENCE = 60


def many(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"correlation_id": f"finding-{number}", "short_description": f"Finding {number}", "work_note": "Found", **more}
        for number in range(count)
    ]


def open_by_key(instance: Instance, table: str = "incident") -> Counter[str]:
    """Return how many open tickets each of our keys has."""
    rows = [row for row in instance.rows(table) if row.get("correlation_id")]
    return Counter(row["correlation_id"] for row in rows if row.get("state") not in ("8", "4"))


def assert_each_once(instance: Instance, count: int, table: str = "incident") -> None:
    assert open_by_key(instance, table) == Counter({f"finding-{number}": 1 for number in range(count)})


@pytest.mark.parametrize("kind", LOST)
def test_a_batch_whose_answer_got_lost_is_looked_up(playbook: Playbooks, new_instance: NewInstance, kind: str) -> None:
    # The second request is the first batch that writes.
    instance = new_instance(faults=[{"kind": kind, "method": "POST", "path": "/api/now/v1/batch", "count": 3}])
    run = playbook([tickets("create", *many(20)), tickets("again", *many(20))], instance, retries=4).went_well()
    assert_each_once(instance, 20)
    assert set(statuses(run["create"].result).values()) == {"changed"}
    assert not run["again"].changed
    assert not run["again"].writes
    for row in instance.rows("incident"):
        if row.get("correlation_id"):
            assert notes_of(instance, row) == ["Found"]


@pytest.mark.parametrize("kind", ["500-after-commit", "500", "429"])
@pytest.mark.parametrize("table", ["incident", "change_request"])
def test_a_single_write_in_a_batch_that_went_wrong_is_looked_up(
    playbook: Playbooks, new_instance: NewInstance, kind: str, table: str
) -> None:
    path = TABLE if table == "incident" else "/api/sn_chg_rest/v1/change"
    fault = {"kind": kind, "method": "POST", "path": path, "count": 4, "inner": True, "seconds": 0}
    instance = new_instance(faults=[fault])
    desired = many(20, type=table)
    run = playbook([tickets("create", *desired), tickets("again", *desired)], instance, retries=4).went_well()
    assert_each_once(instance, 20, table)
    assert not run["again"].changed


def test_a_note_is_written_once_although_the_answer_got_lost(playbook: Playbooks, instance: Instance) -> None:
    desired = many(10)
    playbook([tickets("create", *desired)], instance).went_well()
    lost = {"kind": "500-after-commit", "method": "PATCH", "path": f"{TABLE}/*", "inner": True, "count": 5}
    instance.turn(faults=[lost, {**lost, "kind": "500", "count": 2}])
    changed = [{**one, "impact": "high", "work_note": "Worse"} for one in desired]
    run = playbook([tickets("change", *changed), tickets("again", *changed)], instance, retries=4).went_well()
    for number in range(10):
        row = instance.row("incident", correlation_id=f"finding-{number}")
        assert sorted(notes_of(instance, row)) == ["Found", "Worse"]
    assert not run["again"].changed


@pytest.mark.parametrize("limits", [{"unserviced": 3}, {"disabled": True}, {"max_output": 20_000}], ids=str)
def test_batches_that_are_cut_or_refused_create_nothing_twice(
    playbook: Playbooks, new_instance: NewInstance, limits: dict[str, Any]
) -> None:
    instance = new_instance(batch=limits)
    run = playbook([tickets("create", *many(20)), tickets("again", *many(20))], instance, retries=9).went_well()
    assert_each_once(instance, 20)
    assert not run["again"].changed


# -- runs that are killed, and runs that overlap --------------------------------------------------------------------------


def started(
    playbook: Playbooks, instance: Instance, desired: Iterable[dict[str, Any]], shell: str, home: Path | None = None
) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a run and return its process and the file that gets its results."""
    environment = other_machine(home) if home else None
    command, variables, results = playbook.command(
        [tickets("create", *desired)], instance, shell=shell, environment=environment
    )
    process = subprocess.Popen(
        command,
        cwd=playbook.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return process, results


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a run at once, with its workers: they are in sessions of their own."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
    ours = {process.pid}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    for pid in ours:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def wait_until(reached: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, "the run did not get that far in time"
        time.sleep(0.02)


@pytest.mark.walk(1)
@pytest.mark.parametrize(("after", "shell"), [(0, SHELLS[0]), (45, SHELLS[1]), (200, SHELLS[0])])
def test_a_killed_run_is_finished_by_the_next_one(
    playbook: Playbooks, new_instance: NewInstance, shell: str, after: int
) -> None:
    instance = new_instance(latency_ms=150)
    before = len(instance.rows("incident"))
    process, _results = started(playbook, instance, many(400), shell)
    try:
        wait_until(lambda: len(instance.rows("incident")) > before + after)
    finally:
        kill(process)
    left = 400 + before - len(instance.rows("incident"))
    run = playbook([tickets("finish", *many(400)), tickets("again", *many(400))], instance, shell=shell).went_well()
    assert_each_once(instance, 400)
    assert sum(status == "changed" for status in statuses(run["finish"].result).values()) == left > 0
    assert not run["again"].changed


CREATES = {"incident": "POST /api/now/table/incident", "change_request": "POST /api/sn_chg_rest/v1/change"}


def stuck_creates(table: str) -> dict[str, Any]:
    """Return the fault that keeps creates waiting before they are carried out."""
    method, path = CREATES[table].split()
    return {"kind": "slow", "seconds": 6, "method": method, "path": path}


def overlapping(playbook: Playbooks, instance: Instance, table: str, shell: str, homes: list[Path | None]) -> list[Run]:
    """Run the same task for one ticket at the same time, once for each home; a home is that of another machine."""
    runs = [started(playbook, instance, many(1, type=table), shell, home) for home in homes]
    for process, _results in runs:
        assert process.wait(timeout=PATIENCE) == 0
    return [Run(0, "", read_results(results)) for _process, results in runs]


@pytest.mark.parametrize(("table", "shell"), tuple(zip(CREATES, SHELLS, strict=True)))
def test_runs_that_overlap_on_one_machine_take_turns(
    playbook: Playbooks, new_instance: NewInstance, shell: str, table: str
) -> None:
    instance = new_instance(faults=[stuck_creates(table)])
    runs = overlapping(playbook, instance, table, shell, [None, None])
    assert instance.requests()[CREATES[table]] == 1
    assert_each_once(instance, 1, table)
    (one,), (other,) = (run.last["results"] for run in runs)
    assert one["number"] == other["number"] == instance.row(table, correlation_id="finding-0")["number"]
    assert sorted((one["status"], other["status"])) == ["changed", "ok"]
    assert sorted(run.last.changed for run in runs) == [False, True]


@pytest.mark.parametrize("table", CREATES)
def test_runs_that_overlap_on_two_machines_leave_one_ticket(
    playbook: Playbooks, new_instance: NewInstance, tmp_path: Path, table: str
) -> None:
    instance = new_instance(faults=[stuck_creates(table)])
    runs = overlapping(playbook, instance, table, SHELLS[0], [tmp_path / "one", tmp_path / "two"])
    assert instance.requests()[CREATES[table]] == 2
    canceled, stays = sorted(
        instance.rows(table, correlation_id="finding-0"), key=lambda row: row["state"] not in ("8", "4")
    )
    assert canceled["close_notes"].startswith(f"Duplicate of {stays['number']}: ")
    assert stays["number"] in [run.last["results"][0]["number"] for run in runs]
    again = playbook([tickets("again", *many(1, type=table))], instance).went_well().last
    assert not again.changed
    assert again["results"][0]["number"] == stays["number"]


def test_many_tickets_of_runs_that_overlap_are_each_there_once(
    playbook: Playbooks, new_instance: NewInstance, tmp_path: Path
) -> None:
    instance = new_instance(latency_ms=500)
    runs = [started(playbook, instance, many(120), SHELLS[0], home) for home in (tmp_path / "one", tmp_path / "two")]
    for process, _results in runs:
        assert process.wait(timeout=PATIENCE) == 0
    instance.turn(latency_ms=0)
    after = playbook([tickets("again", *many(120)), tickets("and again", *many(120))], instance).went_well()
    assert_each_once(instance, 120)
    assert not after["and again"].changed


def test_an_untouched_duplicate_is_canceled_in_favour_of_the_older_one(playbook: Playbooks, instance: Instance) -> None:
    desired = many(2)
    playbook([tickets("create", *desired)], instance).went_well()
    first = instance.row("incident", correlation_id="finding-0")
    ours = {"correlation_id": "finding-0", "correlation_display": "Microsoft Defender for Cloud"}
    made = {"sys_created_by": "svc_ansible", "sys_created_on": "2037-01-01 00:00:00", "sys_mod_count": "0"}
    double = instance.add("incident", short_description="Finding 0", **ours, **made)
    check = tickets("check", *desired, more={"check_mode": True})
    run = playbook([check, tickets("real", *desired), tickets("again", *desired)], instance).went_well()
    assert run["check"]["drift"] == run["real"]["drift"] != []
    canceled = instance.row("incident", sys_id=double)
    assert canceled["state"] == "8"
    assert canceled["close_notes"] == f"Duplicate of {first['number']}: two overlapping runs created both."
    assert run["real"]["results"][0]["number"] == first["number"]
    assert not run["again"].changed


def test_a_duplicate_of_a_problem_is_a_manual_step(playbook: Playbooks, instance: Instance) -> None:
    desired = many(1, type="problem")
    playbook([tickets("create", *desired)], instance).went_well()
    ours = {"correlation_id": "finding-0", "correlation_display": "Microsoft Defender for Cloud"}
    made = {"sys_created_by": "svc_ansible", "sys_created_on": "2037-01-01 00:00:00", "sys_mod_count": "0"}
    double = instance.add("problem", short_description="Finding 0", **ours, **made)
    run = playbook([tickets("real", *desired)], instance).went_well()
    (step,) = run.last["manual_steps"]
    assert double in step["where"]
    assert step["values"]["Resolution code"] == "Canceled"
    assert run.last["results"][0]["status"] == "manual"


# -- thousands ------------------------------------------------------------------------------------------------------------


def test_two_thousand_tickets_cost_few_requests_and_show_their_progress(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(latency_ms=150)
    desired = [
        {**one, "correlation_id": f"{number:08d}-2f0b-3c55-a9c5-1f7a1d9a2d11"} for number, one in enumerate(many(2000))
    ]
    run = playbook([tickets("create", *desired), tickets("again", *desired)], instance, timeout=400).went_well()
    assert len([row for row in instance.rows("incident") if row.get("correlation_id")]) == 2000
    created, again = run["create"], run["again"]
    assert sum(created.requests.values()) <= 45, created["api_calls"]
    assert again["api_calls"]["write"] == 0
    assert sum(again.requests.values()) <= 3
    assert not again.changed
    assert " of 2000 tickets written" in run.output
