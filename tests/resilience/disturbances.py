# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to disturb a run: it is killed, another one overlaps with it, or the platforms have faults."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.integration.fork_server import end_tree
from tests.resilience.disturbed_fleet import DisturbedFleet
from tests.resilience.jobs import JOBS
from tests.sandbox.faults import KINDS, LATE

KILLS, PAIRS, FAULTS = "kills", "pairs", "faults"
RATE = 0.2
# Seconds until a late commit: within the time that a client searches for it, and a little more.
LATE_SECONDS = (2.0, 4.0, 6.0, 8.0)
WRITING = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Case:
    """One disturbance of one job. `disturb` carries it out in a fresh fleet, and returns status and output of each run.

    A killed run has no status.
    """

    kind: str
    name: str
    job: str
    disturb: Callable[[DisturbedFleet, random.Random, int], list[tuple[int | None, str]]]
    # Seconds after the runs in which late commits arrive.
    settling: float = 0.0


def kill(fleet: DisturbedFleet, chance: random.Random, requests: int) -> list[tuple[int | None, str]]:
    """Kill a run after a random number of its requests, every other time without its workers, which then continue."""
    alone = chance.random() < 0.5
    running = fleet.start()
    fleet.wait_for_requests(chance.randint(1, requests), running)
    time.sleep(chance.uniform(0, 0.03))
    workers = _descendants(running.process.pid)
    if alone:
        with suppress(ProcessLookupError):
            os.kill(running.process.pid, signal.SIGKILL)
    else:
        end_tree(running.process.pid)
    running.wait()
    again = fleet.run() if alone else None
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    # While workers of the killed run were still writing, the next run may have stopped.
    return [(None, "")] + ([again] if again else [])


def overlap(
    two_homes: bool, own_secrets: bool
) -> Callable[[DisturbedFleet, random.Random, int], list[tuple[int | None, str]]]:
    """Return the disturbance by a second run, from the same home or from that of another machine."""

    def disturb(fleet: DisturbedFleet, chance: random.Random, requests: int) -> list[tuple[int | None, str]]:
        other = fleet.home("b", own_secrets=own_secrets) if two_homes else fleet.homes["a"]
        first = fleet.start()
        # Both need the same time to start.
        time.sleep(chance.uniform(0, 1.5))
        second = fleet.start(other)
        outcomes = [first.wait(), second.wait()]
        if own_secrets and outcomes[0][0] != 0 and outcomes[1][0] == 0:
            # The run after it has the secrets of the run that won.
            fleet.homes["a"] = other
        return [*outcomes]

    return disturb


def spoil(*faults: dict[str, Any]) -> Callable[[DisturbedFleet, random.Random, int], list[tuple[int | None, str]]]:
    """Return the disturbance by faults of instance and tenant."""

    def disturb(fleet: DisturbedFleet, chance: random.Random, requests: int) -> list[tuple[int | None, str]]:
        fleet.sandbox.set_faults(*faults)
        outcome = fleet.run()
        fleet.sandbox.set_faults()
        return [outcome]

    return disturb


def cases(chance: random.Random, kills: int, pairs: int, faults: int, jobs: Sequence[str] = tuple(JOBS)) -> list[Case]:
    """Return the given number of cases of each kind, the jobs in turn; which ones is up to `chance`."""
    found = [Case(KILLS, f"kill {number}", jobs[number % len(jobs)], kill) for number in range(kills)]
    homes = {"two homes": (True, False), "one home": (False, False), "two homes, own secrets": (True, True)}
    for number in range(pairs):
        name = list(homes)[number % len(homes)]
        job = jobs[number // len(homes) % len(jobs)]
        found.append(Case(PAIRS, name, job, overlap(*homes[name])))
    every = list(fault_cases(jobs))
    return found + (every if faults >= len(every) else chance.sample(every, faults))


def fault_cases(jobs: Sequence[str]) -> list[Case]:
    """Return one case for each kind of fault, at a rate of 20 %: those of all requests, of those in batches, of writes."""
    made: list[tuple[str, list[dict[str, Any]], float]] = []
    for kind in KINDS:
        if kind != LATE:
            made.append((kind, [{"kind": kind, "rate": RATE, "seconds": 0.5}], 0.0))
    for kind in ("429", "500", "503", "500-after-commit", "truncated"):
        made.append((f"{kind} in batches", [{"kind": kind, "rate": RATE, "seconds": 0, "inner": True}], 0.0))
    for kind in ("500-after-commit", "reset-after-commit", "truncated-early", "502"):
        made.append((f"{kind} of writes", [_of_writes(kind, method, 0.0) for method in WRITING], 0.0))
    for seconds in LATE_SECONDS:
        faults = [_of_writes(LATE, method, seconds) for method in WRITING]
        made.append((f"{LATE} after {seconds:g} s", faults, seconds))
    return [
        Case(FAULTS, name, jobs[number % len(jobs)], spoil(*faults), settling)
        for number, (name, faults, settling) in enumerate(made)
    ]


def _of_writes(kind: str, method: str, seconds: float) -> dict[str, Any]:
    return {"kind": kind, "rate": RATE, "seconds": seconds, "method": method}


def _descendants(root: int) -> set[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}
