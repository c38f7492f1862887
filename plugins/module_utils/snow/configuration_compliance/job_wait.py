# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until the jobs have run: only their schedule, or Execute Now in the form, starts them.

See docs/facts/configuration_compliance.md#runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...engine.reconcile import NeverWrite, take_snapshot
from ...transport.polling import ProgressLine, poll
from .integration import Integration
from .jobs import Run


def wait_for_runs(integration: Integration) -> list[str]:
    """Poll until each job has a run that verifies the configuration, or a run that failed.

    Returns the remaining problems, one line for each job. A failed run from before the wait does not count.
    """
    before = {key: run.row["sys_id"] for key, run in integration.runs.last.items() if run.is_over}
    integration.waited = True
    pending = _pending(integration, before)
    if pending:
        pending = _poll(integration, before, pending)
    lines = []
    for job in integration.open_jobs:
        problem = integration.problem_of(job.key)
        late = f" after {integration.settings.waiting.limit}" if job.key in pending else ""
        lines.append(f"{problem.message}{late}. {problem.remedy}" if problem else "")
    return lines


def _poll(integration: Integration, before: Mapping[str, str], pending: list[str]) -> list[str]:
    """Return the keys of the jobs that are still pending in the end."""
    instance, waiting = integration.instance, integration.settings.waiting

    def line(seconds: float) -> str:
        names = ", ".join(integration.jobs[key].name for key in pending)
        count = f"{len(pending)} of {len(integration.jobs)}"
        return f"{instance.name}: waiting for {count} jobs to run, {seconds:.0f} s so far: {names}"

    progress = ProgressLine(instance.client.context.progress)
    progress.show(line(0))
    for _waited in poll(waiting.timeout, waiting.interval, progress, line):
        integration.runs.plan(take_snapshot(instance, integration.runs), NeverWrite())
        pending = _pending(integration, before)
        if not pending:
            break
    return pending


def _pending(integration: Integration, before: Mapping[str, str]) -> list[str]:
    """Return the keys of the jobs without a run that has ended since the wait began."""
    return [
        job.key
        for job in integration.open_jobs
        if not _has_ended(integration.runs.last.get(job.key), before.get(job.key))
    ]


def _has_ended(run: Run | None, before: str | None) -> bool:
    return run is not None and run.is_over and run.row["sys_id"] != before
