# SPDX-License-Identifier: GPL-3.0-or-later
"""Disturbs runs and prints a table: `python -m tests.resilience [--seed N] [--only KIND] [--sample]`.

After each disturbance, once late commits have arrived, the job runs again undisturbed. Then every row of instance and tenant
has to be as after an undisturbed run alone. A disturbed run may stop with a message; the next one has to finish.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from tests.resilience.disturbances import FAULTS, KILLS, PAIRS, Case, cases
from tests.resilience.disturbed_fleet import DisturbedFleet, differences
from tests.resilience.jobs import JOBS
from tests.sandbox.process import SandboxProcess

EQUAL, FINISHED, WRONG = "equal", "stopped, then finished", "wrong"
ALL = {KILLS: 40, PAIRS: 20, FAULTS: 30}
SAMPLE = {KILLS: 2, PAIRS: 1, FAULTS: 1}
DEFECTS = ("Traceback (most recent call last)", "a defect of the collection")
# Most of a run is waiting: for answers, and for late commits.
WORKERS = (os.cpu_count() or 1) + 1


Found = TypeVar("Found")


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed run of a job leaves, and how many requests it needs."""

    state: dict[str, list[str]]
    requests: int


@dataclass(frozen=True)
class Verdict:
    """What came of a case."""

    case: Case
    verdict: str
    seconds: float
    reason: str = ""


class Runner:
    """Carries out cases in fleets of its own sandbox."""

    def __init__(self, sandbox: SandboxProcess, folder: Path, seed: int) -> None:
        self.sandbox, self.folder, self.seed = sandbox, folder, seed

    def undisturbed(self, job: str) -> Undisturbed:
        """Return what an undisturbed run of a job leaves."""
        fleet = DisturbedFleet(self.sandbox, self.folder, job)
        self.sandbox.reset_requests()
        status, output = fleet.run()
        if status != 0:
            raise SystemExit(f"{job} fails without any disturbance:\n{output}")
        return Undisturbed(fleet.state(), fleet.requests())

    def carry_out(self, case: Case, wanted: Undisturbed) -> Verdict:
        """Carry out a case and return its verdict."""
        started = time.monotonic()
        fleet = DisturbedFleet(self.sandbox, self.folder, case.job)
        self.sandbox.reset_requests()
        chance = random.Random(f"{self.seed} {case.kind} {case.name} {case.job}")
        outcomes = case.disturb(fleet, chance, wanted.requests)
        time.sleep(case.settling)
        status, output = fleet.run(fleet.homes["a"])
        outcomes.append((status, output))
        reasons = [
            f"a run ended with {words!r}:\n{_tail(text)}"
            for words in DEFECTS
            for _status, text in outcomes
            if words in text
        ]
        if any(found == -9 for found, _text in outcomes):
            reasons.append("a run did not end")
        if status != 0:
            reasons.append(f"the undisturbed run failed:\n{_tail(output)}")
        reasons += list(differences(fleet.state(), wanted.state))
        stops = [line[:400] for found, text in outcomes if found not in (0, None) for line in _messages(text)]
        verdict = WRONG if reasons else FINISHED if stops else EQUAL
        reasons = reasons or stops
        return Verdict(case, verdict, time.monotonic() - started, "\n".join(reasons))


def _messages(text: str) -> list[str]:
    """Return the lines that report why a run stopped."""
    return [line for line in text.splitlines() if line.startswith("fatal: ")] or [_tail(text)]


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-60:])


def carry_out_all(chosen: Sequence[Case], folder: Path, seed: int) -> list[Verdict]:
    """Carry out the cases, some side by side, each worker with a sandbox of its own; print each verdict."""
    jobs = sorted({case.job for case in chosen})
    runners: SimpleQueue[Runner] = SimpleQueue()
    sandboxes = [SandboxProcess("--instances", "0", "--seed", str(seed)) for _number in range(WORKERS)]

    def with_a_runner(work: Callable[[Runner], Found]) -> Found:
        mine = runners.get()
        try:
            return work(mine)
        finally:
            runners.put(mine)

    def carry_out(case: Case) -> Verdict:
        verdict = with_a_runner(lambda mine: mine.carry_out(case, undisturbed[case.job]))
        print(
            f"{verdict.verdict:<24} {case.kind:<7} {case.job:<8} {case.name:<32} {verdict.seconds:5.0f} s", flush=True
        )
        if verdict.reason:
            print(verdict.reason, flush=True)
        return verdict

    try:
        for number, sandbox in enumerate(sandboxes):
            runners.put(Runner(sandbox, folder / f"fleet-{number}", seed))
        with ThreadPoolExecutor(WORKERS) as pool:
            states = pool.map(lambda job: with_a_runner(lambda mine: mine.undisturbed(job)), jobs)
            undisturbed = dict(zip(jobs, states, strict=True))
            return list(pool.map(carry_out, chosen))
    finally:
        for sandbox in sandboxes:
            sandbox.stop()


def table(verdicts: Iterable[Verdict]) -> str:
    """Return the table of verdicts, one line for each kind."""
    counts: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        counts.setdefault(verdict.case.kind, Counter())[verdict.verdict] += 1
    lines = [f"{'kind':<8} {'runs':>5} {EQUAL:>6} {FINISHED:>23} {WRONG:>6}"]
    for kind, found in counts.items():
        lines.append(f"{kind:<8} {sum(found.values()):>5} {found[EQUAL]:>6} {found[FINISHED]:>23} {found[WRONG]:>6}")
    return "\n".join(lines)


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.resilience", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="decides when runs are killed and which faults occur")
    parser.add_argument("--only", choices=sorted(ALL), help="one kind of disturbance instead of all")
    parser.add_argument("--job", choices=sorted(JOBS), help="one job instead of all")
    parser.add_argument("--count", type=int, default=0, help="how many cases of each kind, instead of the usual number")
    parser.add_argument("--name", default="", help="only cases whose name contains this")
    parser.add_argument("--sample", action="store_true", help="a few cases, as in make test")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Disturb the runs that the command line names; return 1 if one of them ended wrong."""
    options = parse_args(arguments)
    counts: dict[str, Any] = {**(SAMPLE if options.sample else ALL)}
    counts = {kind: options.count or count for kind, count in counts.items()}
    if options.only:
        counts = {kind: count if kind == options.only else 0 for kind, count in counts.items()}
    jobs = [options.job] if options.job else list(JOBS)
    chosen = [case for case in cases(random.Random(options.seed), **counts, jobs=jobs) if options.name in case.name]
    with tempfile.TemporaryDirectory() as folder:
        verdicts = carry_out_all(chosen, Path(folder), options.seed)
    print(table(verdicts))
    return 1 if any(verdict.verdict == WRONG for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
