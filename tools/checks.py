# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the checks of the project: `python -m tools.checks [group ...]`, by default all groups but `walks`; `check` is a quick choice.

Prints one line per step with its time, the whole output of a step that failed, and at the end the number of tests that
passed and failed. A step that is no test run counts as one failure when it fails. The Makefile sets up the environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
COLLECTIONS = CACHE / "collections"
INSTALLED = COLLECTIONS / "ansible_collections" / "secops" / "servicenow_defender"
PLUGINS = "ansible_collections.secops.servicenow_defender.plugins"
# What a step answers that could not run here and says why; the number is the one of Automake's tests.
LEFT_OUT = 77


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command; `report` names the JUnit file of a test run."""

    group: str
    name: str
    command: Sequence[str]
    folder: Path = ROOT
    report: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a step: exit status, output, seconds, and the numbers of its tests."""

    step: Step
    status: int
    output: str
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def is_failure(self) -> bool:
        return self.status not in (0, LEFT_OUT)


def tool(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tools.{module}", *arguments]


def tests(group: str, *command: str) -> Step:
    """Return the step that runs the tests of a group and leaves a JUnit report."""
    report = CACHE / "reports" / f"{group}.xml"
    return Step(group=group, name="pytest", command=[*command, f"--junitxml={report}"], report=report)


def mypy(name: str, *arguments: str, folder: Path = ROOT) -> Step:
    cache = CACHE / f"mypy-{name}"
    command = ["mypy", f"--config-file={ROOT / 'pyproject.toml'}", f"--cache-dir={cache}", *arguments]
    return Step(group="lint", name=f"mypy {name}", command=command, folder=folder)


PYTEST = (sys.executable, "-m", "pytest", "-q")
RESILIENCE = (sys.executable, "-m", "tests.resilience", "--sample")
CORES = max(2, os.cpu_count() or 1)
# An idle process takes over tests of the others: their shares had the longer ones.
PARALLEL = (*PYTEST, "-n", str(CORES), "--dist", "worksteal")
# Integration tests also wait, for processes and the simulated platforms.
MORE_PARALLEL = (*PYTEST, "-n", str(CORES + 2), "--dist", "worksteal")
# Of walks, a sample: each day another one.
SAMPLE = f"--sample={os.environ.get('SEED') or date.today()}"
# antsibull-docs writes a log into HOME.
ANTSIBULL_DOCS = ("env", f"HOME={CACHE}", "antsibull-docs", "lint-collection-docs")
STRICT = ("--plugin-docs", "--check-extra-docs-refs", "--disallow-unknown-collection-refs")

# The longest first: it runs in parallel with the others, so that no core is idle. Types and documentation are checked where
# they are installed.
STEPS = (
    tests("integration", *MORE_PARALLEL, SAMPLE, "tests/integration"),
    Step(group="lint", name="ruff check", command=["ruff", "check", "--quiet", "."]),
    Step(group="lint", name="ruff format", command=["ruff", "format", "--check", "--quiet", "--diff", "."]),
    mypy("plugins", "-p", PLUGINS, folder=COLLECTIONS),
    mypy("tools", "tools", "tests/sandbox"),
    Step(group="lint", name="yamllint", command=["yamllint", "--strict", "."]),
    Step(group="lint", name="changelog", command=["antsibull-changelog", "lint"]),
    Step(group="lint", name="action groups", command=tool("action_groups", "--check")),
    Step(group="lint", name="licences", command=tool("licenses")),
    Step(group="lint", name="imports", command=tool("imports")),
    Step(group="lint", name="words", command=tool("words")),
    Step(group="lint", name="module docs", command=tool("module_docs")),
    Step(group="lint", name="variables", command=tool("variables", "--check")),
    Step(group="lint", name="fact links", command=tool("fact_links")),
    Step(group="sanity", name="ansible-test", command=tool("sanity")),
    tests("unit", *PARALLEL, "tests/unit"),
    tests("browser", *tool("browser")),
    tests("automation", *tool("automation")),
    Step(group="lint", name="ansible-lint", command=["ansible-lint", "--offline", "--nocolor", "-q"]),
    Step(group="docs", name="antsibull-docs", command=[*ANTSIBULL_DOCS, *STRICT, "."], folder=INSTALLED),
    Step(group="build", name="archive", command=tool("smoke")),
    Step(group="resilience", name="sample", command=RESILIENCE),
)

# What takes too long for each change: all cases of the walks, of which the integration tests have a sample.
WALKS = (tests("walks", *MORE_PARALLEL, "-m", "walk", "tests/integration"),)

# For daily use: what two cores do in two minutes. One play by the command itself stands for the integration tests. The tests of
# the simulator, and those that try each odd answer and bad value on each module, take half the time of all unit tests.
SMOKE_PLAY = "tests/integration/test_real_commands.py::test_the_command_onboards_an_instance"
THOROUGH = ("sandbox", "plugins/module_utils/test_odd_answers.py", "plugins/module_utils/test_bad_values.py")
CHECK = (
    tests("unit", *PARALLEL, *(f"--ignore=tests/unit/{name}" for name in THOROUGH), "tests/unit"),
    tests("smoke", *PYTEST, SMOKE_PLAY),
    *(step for step in STEPS if step.group == "lint" and step.name != "ansible-lint"),
)


def counts(report: Path) -> dict[str, int]:
    """Return how many tests of a JUnit report passed, failed and were skipped."""
    total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        for name in total:
            total[name] += int(suite.get(name, "0"))
    failed = total["failures"] + total["errors"]
    return {"passed": total["tests"] - failed - total["skipped"], "failed": failed, "skipped": total["skipped"]}


def run(step: Step) -> Outcome:
    """Run one step to its end, keep its output in `.cache/logs`, and return what came of it."""
    if step.report:
        step.report.unlink(missing_ok=True)
    started = time.monotonic()
    try:
        nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
        done = subprocess.run(step.command, cwd=step.folder, stdin=nothing, stdout=pipe, stderr=subprocess.STDOUT)
        status, output = (
            done.returncode,
            done.stdout.decode(errors="replace").replace(f"{INSTALLED.relative_to(COLLECTIONS)}/", ""),
        )
    except OSError as error:
        status, output = 1, f"{step.command[0]}: {error}"
    seconds = time.monotonic() - started
    log = CACHE / "logs" / f"{step.group}-{step.name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(output, encoding="utf-8")
    numbers = counts(step.report) if step.report and step.report.exists() else {}
    if status not in (0, LEFT_OUT):
        numbers["failed"] = max(1, numbers.get("failed", 0))
    return Outcome(step=step, status=status, output=output, seconds=seconds, **numbers)


def show(outcome: Outcome) -> None:
    """Print the line of a step, and all its output when it failed."""
    word = {0: "ok", LEFT_OUT: "left out"}.get(outcome.status, "FAILED")
    line = f"{word:<9} {outcome.step.group:<12} {outcome.step.name:<15} {outcome.seconds:6.1f} s"
    if outcome.status == LEFT_OUT:
        line += f"  {outcome.output.strip().splitlines()[-1]}"
    elif outcome.step.report:
        line += f"  {outcome.passed} passed, {outcome.failed} failed"
        line += f", {outcome.skipped} skipped" if outcome.skipped else ""
    if outcome.is_failure:
        line += f"\n{outcome.output.rstrip()}\n"
    print(line, flush=True)


def run_all(steps: Iterable[Step]) -> list[Outcome]:
    """Run the steps, two or more at a time, and print each when it ends."""
    printing = threading.Lock()

    def run_and_show(step: Step) -> Outcome:
        outcome = run(step)
        with printing:
            show(outcome)
        return outcome

    with ThreadPoolExecutor(max_workers=min(4, CORES)) as pool:
        return list(pool.map(run_and_show, steps))


def main(groups: Sequence[str]) -> int:
    """Run the steps of the groups, or those of `check`; return the exit status."""
    unknown = set(groups) - {"check", *(step.group for step in STEPS + WALKS)}
    if unknown:
        print(f"no such group of checks: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [step for step in STEPS + WALKS if step.group in groups] if groups else STEPS
    outcomes = run_all(CHECK if "check" in groups else chosen)
    failures = [f"{outcome.step.group} ({outcome.step.name})" for outcome in outcomes if outcome.is_failure]
    if failures:
        print(f"failed: {', '.join(failures)}")
    if any(outcome.step.report for outcome in outcomes):
        passed, failed = sum(outcome.passed for outcome in outcomes), sum(outcome.failed for outcome in outcomes)
        print(f"{passed} passed, {failed} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
