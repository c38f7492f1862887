# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconcile Configuration Compliance with the desired state: detect, install, configure, wait, count."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...engine.errors import EngineError
from ...engine.problem import ERROR, Problem
from ...engine.result import Drift, ManualStep, Result
from ..store import InstanceStore
from . import findings, job_findings, manual_steps, sources
from .constants import COMPREHENSIVE, OLD
from .detection import ACTIVE, UNKNOWN, Detected, counts_query, detect
from .installation import install, merge, missing
from .integration import Integration
from .job_wait import wait_for_runs
from .result_counts import result_counts
from .settings import Settings


def reconcile(instance: InstanceStore, settings: Settings) -> Result:
    """Bring the integration of Configuration Compliance with Defender for Cloud to its desired state.

    Raises `EngineError` for invalid input, failed requests, and jobs that did not run within the timeout; its `output`
    holds the findings.
    """
    result, refused, installing = Result(), "", False
    found = detect(instance.client)
    needed = missing(found) if settings.install else []
    if needed:
        installed, refused = install(instance, settings, needed)
        merge(result, installed)
        if installed.changed and not instance.check_mode:
            found = detect(instance.client)
        installing = installed.changed and not installed.manual_steps and bool(missing(found))
    problems = list(findings.application_problems(instance.name, found, refused=refused, installing=installing))
    if migration := manual_steps.migration_steps(found):
        result.manual_steps += migration
        result.drift.append(Drift(f"application {OLD}", "state", "installed", "absent"))
    integration = None
    if found.scope and found.compliance in (ACTIVE, UNKNOWN):
        integration = Integration(instance, settings, found)
        merge(result, integration.reconcile())
    elif not installing and not settings.application_managed:
        result.manual_steps.append(manual_steps.entra_step(settings, {}))
        result.drift.append(Drift("Entra application", "role", None, manual_steps.READER))
    failures = _wait(integration, result) if integration else []
    _set_output(instance, result, found, integration, problems, settings)
    if failures:
        raise EngineError(f"{instance.name}: {'; '.join(failures)}", result.as_dict(with_diff=False))
    return result


def _wait(integration: Integration, result: Result) -> list[str]:
    """Wait for the jobs if requested; return the remaining problems."""
    instance = integration.instance
    if instance.check_mode or not integration.settings.jobs_wait or not integration.open_jobs:
        return []
    for step in (*result.manual_steps, *integration.remaining()[0]):
        entries = "; ".join(f"{label}: {value}" for label, value in step.values.items())
        instance.client.context.progress(f"{instance.name}: to do: {step.title}. {step.where}. {entries}")
    return wait_for_runs(integration)


def _set_output(
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
        steps, drift = integration.remaining()
        result.manual_steps += steps
        result.drift += drift
        counts = _counts(found, integration)
        problems += job_findings.count_problems(counts, settings.expected)
        problems += sources.age_problems(sources.last_import(integration.runs.last), settings.max_import_age_hours)
        if settings.sources:
            by_source = sources.count_by_source(instance.client, counts["source"])
            counts["sources"] = by_source["sources"]
            problems += sources.source_problems(by_source, settings.sources, comparable=counts["comparable"])
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
            "jobs": integration.job_results() if integration else [],
            "last_import": sources.last_import(integration.runs.last) if integration else None,
            "counts": counts,
        },
        "problems": [asdict(problem) for problem in problems],
    }


def _counts(found: Detected, integration: Integration) -> dict[str, Any]:
    answer = found.answers["counts"]
    if integration.waited:
        (answer,) = integration.instance.client.query([counts_query()])
    return result_counts(
        answer,
        found.answers["tests"],
        integration.implementation,
        comprehensive_ran=integration.verified(COMPREHENSIVE),
    )


def _configuration(integration: Integration | None) -> dict[str, Any] | None:
    """Return where the configuration is stored, and its fields; None if it is not known."""
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
    """Return the findings in one line, errors first."""
    listed = "; ".join(f"{p.severity} {p.id}: {p.message}. {p.remedy}" for p in problems)
    version = found.versions.get(found.scope, "")
    what = f"application {found.generation}{' ' + version if version else ''}, line {found.line}"
    return f"{what}: {listed or 'in sync, and the last run of every job succeeded'}"
