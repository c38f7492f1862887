# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a task describes to its result: detect, install, configure, wait, count."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...engine.errors import EngineError
from ...engine.problem import ERROR, Problem
from ...engine.result import Drift, ManualStep, Result
from ..store import InstanceStore
from . import findings, manual_steps
from .constants import COMPREHENSIVE, OLD
from .detection import ACTIVE, UNKNOWN, Detected, counts_query, detect
from .installation import install, merge, missing
from .integration import Integration
from .job_wait import wait_for_runs
from .result_counts import counted
from .settings import Settings


def ensure(instance: InstanceStore, settings: Settings) -> Result:
    """Bring the integration of Configuration Compliance with Defender for Cloud to its described state.

    Raises `EngineError` for what cannot be meant, what broke, and runs of jobs that were waited for in vain; its `output`
    holds what was found.
    """
    result, refused, awaited = Result(), "", False
    found = detect(instance.client)
    needed = missing(found) if settings.install else []
    if needed:
        installed, refused = install(instance, settings, needed)
        merge(result, installed)
        if installed.changed and not instance.check_mode:
            found = detect(instance.client)
        awaited = installed.changed and not installed.manual_steps and bool(missing(found))
    problems = list(findings.application_problems(instance.name, found, refused=refused, awaited=awaited))
    if migration := manual_steps.migration_steps(found):
        result.manual_steps += migration
        result.drift.append(Drift(f"application {OLD}", "state", "installed", "absent"))
    integration = None
    if found.scope and found.compliance in (ACTIVE, UNKNOWN):
        integration = Integration(instance, settings, found)
        merge(result, integration.bring())
    elif not awaited:
        result.manual_steps.append(manual_steps.entra_step(settings, {}))
        result.drift.append(Drift("Entra application", "role", None, manual_steps.READER))
    failures = _wait(integration, result) if integration else []
    _tell(instance, result, found, integration, problems, settings)
    if failures:
        raise EngineError(f"{instance.name}: {'; '.join(failures)}", result.as_dict(with_diff=False))
    return result


def _wait(integration: Integration, result: Result) -> list[str]:
    """Wait where that is wanted and there is something to wait for; return what is wrong in the end."""
    instance = integration.instance
    if instance.check_mode or not integration.settings.jobs_wait or not integration.open_jobs:
        return []
    for step in (*result.manual_steps, *integration.left()[0]):
        values = "; ".join(f"{label}: {value}" for label, value in step.values.items())
        instance.client.context.progress(f"{instance.name}: to do: {step.title}. {step.where}. {values}")
    return wait_for_runs(integration)


def _tell(
    instance: InstanceStore,
    result: Result,
    found: Detected,
    integration: Integration | None,
    problems: list[Problem],
    settings: Settings,
) -> None:
    counts: dict[str, Any] | None = None
    if integration:
        problems += integration.problems()
        left, drift = integration.left()
        result.manual_steps += left
        result.drift += drift
        counts = _counts(found, integration)
        problems += findings.count_problems(counts, settings.expected)
    result.manual_steps = _unique(result.manual_steps)
    problems.sort(key=lambda problem: problem.severity != ERROR)
    result.output = {
        "msg": f"{instance.name}: {_summary(found, problems)}",
        "configuration_compliance": {
            "generation": found.generation,
            "line": found.line,
            "versions": dict(sorted(found.versions.items())),
            "integration_instance": (integration.implementation or {}).get("name") if integration else None,
            "configuration": _configuration(integration),
            "jobs": integration.described_jobs() if integration else [],
            "counts": counts,
        },
        "problems": [asdict(problem) for problem in problems],
    }


def _counts(found: Detected, integration: Integration) -> dict[str, Any]:
    answer = found.answers["counts"]
    if integration.waited:
        (answer,) = integration.instance.client.query([counts_query()])
    return counted(
        answer,
        found.answers["tests"],
        integration.implementation,
        comprehensive_ran=integration.verified(COMPREHENSIVE),
    )


def _configuration(integration: Integration | None) -> dict[str, Any] | None:
    """Return where the configuration is kept and what it holds; None where that is not known."""
    if integration is None or integration.storage is None:
        return None
    row = next((row.row for row in integration.rows if row.row), None)
    return {
        "table": integration.storage.table,
        "sys_id": row["sys_id"] if row and not integration.storage.is_parameters else "",
        "fields": integration.fields,
    }


def _unique(found: list[ManualStep]) -> list[ManualStep]:
    """Return each step once, the first of its id."""
    return list({step.id: step for step in reversed(found)}.values())[::-1]


def _summary(found: Detected, problems: list[Problem]) -> str:
    """Return what a person wants to know first: it is what a failed role shows."""
    told = "; ".join(f"{p.severity} {p.id}: {p.message}. {p.remedy}" for p in problems)
    version = found.versions.get(found.scope, "")
    what = f"application {found.generation}{' ' + version if version else ''}, line {found.line}"
    return f"{what}: {told or 'configured, and the last run of every job ended well'}"
