# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits until the jobs have run: nothing can start them but their schedule or a person.

See docs/facts/configuration_compliance.md#runs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from ...engine.reconcile import NeverWrite, take_snapshot
from .integration import Integration
from .jobs import Run

SLOWEST_POLL = 60.0
# A user is to see every few seconds that something is waited for.
SECONDS_BETWEEN_LINES = 4.0


def wait_for_runs(integration: Integration) -> list[str]:
    """Look again and again until each job has a run that verifies the configuration, or one that ended badly.

    Returns what is wrong in the end, one line for each job. A bad run from before the wait is not yet the answer.
    """
    instance, waiting = integration.instance, integration.settings.waiting
    before = {key: run.row["sys_id"] for key, run in integration.runs.last.items() if run.is_over}
    integration.waited = True
    started = time.monotonic()
    interval = waiting.interval
    while undecided := _undecided(integration, before):
        waited = time.monotonic() - started
        if waited + interval > waiting.timeout:
            break
        _pause(integration, interval, started, undecided)
        interval = min(interval * 1.5, max(interval, SLOWEST_POLL))
        integration.runs.plan(take_snapshot(instance, integration.runs), NeverWrite())
    lines = []
    for job in integration.open_jobs:
        problem = integration.problem_of(job.key)
        late = f" after {waiting.timeout:g} s (wait_timeout)" if job.key in undecided else ""
        lines.append(f"{problem.message}{late}. {problem.remedy}" if problem else "")
    return lines


def _undecided(integration: Integration, before: Mapping[str, str]) -> list[str]:
    """Return the keys of jobs that have not had, since the wait began, a run that ended."""
    return [
        job.key
        for job in integration.open_jobs
        if not _has_ended_anew(integration.runs.last.get(job.key), before.get(job.key))
    ]


def _has_ended_anew(run: Run | None, before: str | None) -> bool:
    return run is not None and run.is_over and run.row["sys_id"] != before


def _pause(integration: Integration, seconds: float, started: float, undecided: list[str]) -> None:
    """Sleep, with a line every few seconds."""
    names = ", ".join(integration.jobs[key].name for key in undecided)
    ends = time.monotonic() + seconds
    while True:
        waited = time.monotonic() - started
        integration.instance.client.context.progress(
            f"{integration.instance.name}: waiting for {len(undecided)} of {len(integration.jobs)} jobs to run, {waited:.0f} s so far: {names}"
        )
        left = ends - time.monotonic()
        time.sleep(max(0.0, min(left, SECONDS_BETWEEN_LINES)))
        if left <= SECONDS_BETWEEN_LINES:
            return
