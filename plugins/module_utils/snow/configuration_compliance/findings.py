# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of the integration, judged from what was read. What may not be read is said to be unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...engine.problem import ERROR, WARNING, Problem
from .constants import (
    COMPLIANCE,
    COMPREHENSIVE,
    CONFIGURE_ROLES,
    CONTAINERS,
    JOB_KEYS,
    LABELS,
    NEW,
    NEW_NAME,
    OLD,
    PARAMETER_LENGTH,
    TITLES,
)
from .detection import ACTIVE, BOTH, NONE, UNKNOWN, Detected
from .discovery import Job, Storage
from .jobs import Run
from .settings import LISTS, Settings

STORE = "All > System Applications > All Available Applications > All"
ENTITLEMENT = "On production it takes an entitlement, a Store subscription of its own; sub-production and developer instances need none"

# What a failed run may say of Azure's answer, and what to do about it.
CAUSES = (
    (
        r"AADSTS7000215|AADSTS7000222|invalid_client",
        "Entra refuses the client secret: it is wrong or has expired. Give a new one with update_secret: always",
    ),
    (r"AADSTS700016|unauthorized_client", "Entra does not know the client ID in this tenant: check client_id and tenant_id"),
    (r"AADSTS90002|AADSTS900023", "Entra does not know the tenant: check tenant_id"),
    (
        r"SubscriptionNotFound|InvalidSubscriptionId|ManagementGroupNotFound",
        "Azure does not know the subscription or management group, or does not show it to the application: check the ids, and give "
        "the application the role Security Reader there",
    ),
    (
        r"AuthorizationFailed|\b403\b|forbidden",
        "Azure does not let the application read: give it the role Security Reader at every subscription or management group that is imported",
    ),
    (r"\b401\b|unauthori[sz]ed", "The sign-in was refused: check tenant_id, client_id and client_secret, which is written again with update_secret: always"),
)  # fmt: skip
USUAL = "The usual causes are an interrupted network and corrupted data: read sn_vul_integration_log, and press Execute Now again"


def application_problems(name: str, found: Detected, *, refused: str, awaited: bool) -> Iterator[Problem]:
    """Return what is missing of the applications. `refused` are the words of a missing entitlement, `awaited`: being installed."""
    if refused:
        yield Problem(
            "not_entitled", ERROR, f"{name} is not entitled to Configuration Compliance or what it needs: {refused}",
            f"{ENTITLEMENT}. Have it entitled in the ServiceNow Store, install it under {STORE}, and run again",
        )  # fmt: skip
    elif awaited:
        yield Problem(
            "installation_awaited", WARNING, f"What is being installed on {name} is not there yet; what its tables hold is not known before",
            "Run again when it has ended",
        )  # fmt: skip
    elif found.compliance == UNKNOWN:
        yield Problem(
            "compliance_unknown", WARNING, f"Whether Configuration Compliance ({COMPLIANCE}) is active on {name} cannot be seen by the account",
            "Give the account the role sn_vulc.read, or read access to sys_store_app, sys_scope or v_plugin",
        )  # fmt: skip
    elif found.compliance != ACTIVE:
        yield Problem(
            "compliance_absent", ERROR, f"Configuration Compliance ({COMPLIANCE}) is not active on {name}",
            f"Use install: true, or install it under {STORE}. {ENTITLEMENT}",
        )  # fmt: skip
    if not (refused or awaited):
        yield from _generation_problems(name, found)


def _generation_problems(name: str, found: Detected) -> Iterator[Problem]:
    generation = found.generation
    if generation == UNKNOWN:
        yield Problem(
            "integration_unknown", WARNING, f"Whether {NEW} or {OLD} is there cannot be seen on {name} by the account",
            f"Give the account one of {', '.join(CONFIGURE_ROLES.values())}, or read access to sys_store_app, sys_scope or sys_db_object",
        )  # fmt: skip
    elif generation == NONE:
        old = found.versions.get(NEW)
        what = (
            f"{NEW} {old} is of Threat and Vulnerability Management alone"
            if old
            else f"Neither {NEW} nor {OLD} is active"
        )
        yield Problem(
            "integration_absent", ERROR, f"{what} on {name}: nothing reads Defender for Cloud",
            f"Use install: true, or install {NEW_NAME} 3.0.2 or later (31.0.2 or later on the USEM line) under {STORE}",
        )  # fmt: skip
    elif generation == OLD:
        yield Problem(
            "old_generation", WARNING, f"{name} has the old application ({OLD}), whose last version is 2.8.0 of December 2025",
            "Follow the migration steps",
        )  # fmt: skip
    elif generation == BOTH:
        yield Problem(
            "both_generations", WARNING, f"{name} has the old application ({OLD}) beside the new one ({NEW}); the new one is configured",
            "Follow the migration steps",
        )  # fmt: skip


def no_instance(found: Detected) -> Problem:
    """Return that no integration instance is to be seen."""
    answer = found.answers["implementations"]
    if not answer.refused and answer.total is not None and answer.total == len(answer.rows):
        return Problem(
            "instance_absent", ERROR, "There is no integration instance of Defender for Cloud; the application comes with one",
            "Repair the application under Application Manager, or add one in the form",
        )  # fmt: skip
    return Problem(
        "instance_unknown", WARNING, f"No integration instance can be seen{': ' + answer.refused if answer.refused else ''}",
        "Give the account the role sn_sec_int.admin or sn_sec_cmn.admin",
    )  # fmt: skip


def configuration_problems(
    found: Detected,
    settings: Settings,
    storage: Storage | None,
    unreadable: Sequence[str],
    unknown: Sequence[str],
    *,
    absent: bool,
) -> Iterator[Problem]:
    """Return what is not known of the configuration. `unreadable` says why, `unknown` names fields that may not be read."""
    remedy = f"Give the account the role {CONFIGURE_ROLES[found.scope]}; until then check the form by hand"
    if storage is None:
        seen = (
            "no table or parameter has the labels of the form"
            if found.rows("columns")
            else "sys_dictionary shows it no columns of the application"
        )
        yield Problem(
            "configuration_unknown", WARNING, f"Where the configuration is kept was not found: {seen}", remedy
        )
    for words in dict.fromkeys(unreadable):
        yield Problem("configuration_unknown", WARNING, f"What the configuration holds is unknown: {words}", remedy)
    if absent:
        yield Problem(
            "configuration_absent", ERROR, "There is no configuration yet", "Give tenant_id, client_id and client_secret, or fill in the form",
        )  # fmt: skip
    for name in unknown:
        yield Problem(f"field_unknown:{name}", WARNING, f"{LABELS[name]} of the configuration may not be read", remedy)
    for name in settings.values if storage else ():
        if storage and name not in storage.columns:
            yield Problem(
                f"field_unknown:{name}",
                WARNING,
                f"{storage.table} has nothing labelled {LABELS[name]}",
                "Check the form by hand",
            )
    yield from _length_problems(settings, storage)


def _length_problems(settings: Settings, storage: Storage | None) -> Iterator[Problem]:
    for name in LISTS:
        length = len(",".join(settings.values.get(name) or ()))
        most = (storage.lengths.get(name) if storage else None) or PARAMETER_LENGTH
        if length > most:
            yield Problem(
                f"ids_too_long:{name}", WARNING, f"{name} takes {length} characters; the field is declared with {most}",
                "Use management_groups, which cover many subscriptions, or integration instances for some each; watch what is imported",
            )  # fmt: skip


def job_problems(
    jobs: Mapping[str, list[Job]],
    keys: Sequence[str],
    scope: str,
    *,
    visible: bool,
    unknown: Mapping[str, Sequence[str]],
) -> Iterator[Problem]:
    """Return which jobs are not there or not clear. `unknown` holds the columns of a job that may not be read, by key."""
    for key in keys:
        if scope == OLD and key == CONTAINERS:
            # The old application has none (docs/facts/configuration_compliance.md#names-and-versions).
            continue
        found = jobs[key]
        if len(found) > 1:
            ids = ", ".join(f"{job.name} ({job.row['sys_id']})" for job in found)
            yield Problem(
                f"job_unclear:{key}", WARNING, f"More than one job can be {TITLES[key]}: {ids}; none was touched",
                "Name the integration instance with integration_instance, or remove the ones too many",
            )  # fmt: skip
        elif not found:
            yield Problem(
                f"job_{'absent' if visible else 'unknown'}:{key}", ERROR if visible else WARNING,
                f"The job {TITLES[key]} {'is not there' if visible else 'cannot be seen by the account'}",
                "Repair the application under Application Manager" if visible else "Give the account sn_vulc.admin or sn_sec_cmn.admin",
            )  # fmt: skip
        for column in unknown.get(key, ()):
            yield Problem(
                f"job_{column}_unknown:{key}", WARNING, f"{column} of the job {found[0].name} may not be read",
                "Give the account sn_vulc.admin or sn_sec_cmn.admin, or look at the job by hand",
            )  # fmt: skip


def run_problem(job: Job, run: Run | None, unknown: str, *, stale: bool) -> Problem | None:
    """Return what is wrong with the last run of a job, None when it verifies the configuration."""
    if unknown:
        return Problem(
            f"run_unknown:{job.key}", WARNING, f"How the last run of {job.name} ended is unknown: {unknown}",
            "Give the account sn_vulc.read and sn_sec_cmn.read",
        )  # fmt: skip
    if run is None:
        return Problem(
            f"job_not_run:{job.key}",
            WARNING,
            f"{job.name} has never run",
            "Press Execute Now, or wait for its schedule",
        )
    if stale:
        return Problem(
            f"job_not_verified:{job.key}", WARNING, f"{job.name} has not run since the configuration was last changed",
            "Press Execute Now, or wait for its schedule",
        )  # fmt: skip
    if not run.is_over:
        return Problem(
            f"job_running:{job.key}",
            WARNING,
            f"{job.name} is running ({run.row.get('number')})",
            "Run again when it has ended",
        )
    if not run.succeeded:
        said = " ".join(run.row.get(name, "") for name in ("fatal_error_message", "notes")).strip()
        ended = f"{run.row.get('state')}/{run.row.get('substate') or 'none'}"
        return Problem(
            f"job_failed:{job.key}", ERROR, f"{job.name}: run {run.row.get('number')} ended with {ended}{': ' + said if said else ''}",
            remedy_for(said),
        )  # fmt: skip
    return None


def remedy_for(said: str) -> str:
    """Return what to do about a run that ended with these words."""
    return next((remedy for pattern, remedy in CAUSES if re.search(pattern, said, re.IGNORECASE)), USUAL)


def order_problems(jobs: Mapping[str, Job], first: Mapping[str, Run], last: Mapping[str, Run]) -> Iterator[Problem]:
    """Return the jobs whose last run was before the first one of a job that has to run before them."""
    for place, key in enumerate(JOB_KEYS):
        if key not in jobs or key not in last:
            continue
        earlier = [
            jobs[before].name for before in JOB_KEYS[:place]
            if before in jobs and before in first and last[key].started < first[before].started
        ]  # fmt: skip
        if earlier:
            yield Problem(
                f"job_order:{key}", WARNING, f"{jobs[key].name} last ran before {', '.join(earlier)} did for the first time",
                "Run the jobs in their order; tests without test group or citations come from another one",
            )  # fmt: skip


def count_problems(counts: Mapping[str, object], expected: Mapping[str, int]) -> Iterator[Problem]:
    """Compare the counts of results with those that Azure gave, where that is fair."""
    if not expected:
        return
    if not counts["comparable"]:
        yield Problem(
            "counts_not_comparable", WARNING, f"The counts cannot be compared with Azure: {counts['reason']}",
            f"Compare after {TITLES[COMPREHENSIVE]} has run: until then an assessment that failed long ago need not have been read",
        )  # fmt: skip
        return
    results = counts["results"] if isinstance(counts["results"], dict) else {}
    for name, result, remedy in (
        (
            "unhealthy",
            "failed",
            "Look at the last runs of both assessment jobs, and whether the same subscriptions are counted",
        ),
        (
            "healthy",
            "passed",
            f"{TITLES[COMPREHENSIVE]} reads what has not passed: what has been healthy all along need not be there",
        ),
    ):
        there = sum(count for value, count in results.items() if value.casefold() == result)
        if name in expected and there != expected[name]:
            yield Problem(
                f"counts_differ:{name}", WARNING, f"Azure has {expected[name]} {name} assessments, ServiceNow {there} results {result}",
                remedy,
            )  # fmt: skip
