# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of the jobs: which are missing, how their last runs ended, in which order they ran, and what they imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...engine.problem import ERROR, WARNING, Problem
from ...option_names import named_option
from .constants import COMPREHENSIVE, CONTAINERS, JOB_KEYS, OLD, ROLE, SIGN_IN, TITLES
from .discovery import Job
from .jobs import Run

# Messages of Azure in a failed run, and their remedies.
CAUSES = (
    (
        r"AADSTS7000215|AADSTS7000222|invalid_client",
        f"Entra rejects the client secret: it is wrong or has expired. Set a new one with {named_option('update_secret', ROLE)} always",
    ),
    (
        r"AADSTS700016|unauthorized_client",
        f"The client ID does not exist in this tenant: check {named_option('client_id', ROLE)} and {named_option('tenant_id', ROLE)}",
    ),
    (r"AADSTS90002|AADSTS900023", f"The tenant does not exist: check {named_option('tenant_id', ROLE)}"),
    (
        r"SubscriptionNotFound|InvalidSubscriptionId|ManagementGroupNotFound",
        "The subscription or management group does not exist, or the application cannot read it: check the ids, and assign "
        "the role Security Reader to the application there",
    ),
    (
        r"AuthorizationFailed|\b403\b|forbidden",
        "The application cannot read in Azure: assign it the role Security Reader at every subscription or management group that is imported",
    ),
    (r"\b401\b|unauthori[sz]ed", f"The sign-in was rejected: check {SIGN_IN}; {named_option('update_secret', ROLE)} always writes the secret again"),
)  # fmt: skip
USUAL = "Usual causes are network interruptions and corrupted data: check sn_vul_integration_log, and press Execute Now again"


def job_problems(
    jobs: Mapping[str, list[Job]],
    keys: Sequence[str],
    scope: str,
    *,
    visible: bool,
    unknown: Mapping[str, Sequence[str]],
) -> Iterator[Problem]:
    """Return the jobs that are missing or ambiguous. `unknown` are the columns of a job that cannot be read, by key."""
    for key in keys:
        if scope == OLD and key == CONTAINERS:
            # The old application has none (docs/facts/configuration_compliance.md#names-and-versions).
            continue
        found = jobs[key]
        if len(found) > 1:
            ids = ", ".join(f"{job.name} ({job.row['sys_id']})" for job in found)
            yield Problem(
                f"job_unclear:{key}", WARNING, f"Several jobs match {TITLES[key]}: {ids}. None was changed",
                f"Select the integration instance with {named_option('integration_instance', ROLE)}, or remove the superfluous jobs",
            )  # fmt: skip
        elif not found:
            yield Problem(
                f"job_{'absent' if visible else 'unknown'}:{key}", ERROR if visible else WARNING,
                f"The job {TITLES[key]} {'is missing' if visible else 'is not visible to the account'}",
                "Repair the application under Application Manager" if visible else "Grant the account sn_vulc.admin or sn_sec_cmn.admin",
            )  # fmt: skip
        for column in unknown.get(key, ()):
            yield Problem(
                f"job_{column}_unknown:{key}", WARNING, f"The account cannot read {column} of the job {found[0].name}",
                "Grant the account sn_vulc.admin or sn_sec_cmn.admin, or check the job manually",
            )  # fmt: skip


def run_problem(job: Job, run: Run | None, unknown: str, *, stale: bool) -> Problem | None:
    """Return the problem with the last run of a job, None if it verifies the configuration."""
    if unknown:
        return Problem(
            f"run_unknown:{job.key}", WARNING, f"The result of the last run of {job.name} is unknown: {unknown}",
            "Grant the account sn_vulc.read and sn_sec_cmn.read",
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
        message = " ".join(run.row.get(name, "") for name in ("fatal_error_message", "notes")).strip()
        ended = f"{run.row.get('state')}/{run.row.get('substate') or 'none'}"
        return Problem(
            f"job_failed:{job.key}", ERROR, f"{job.name}: run {run.row.get('number')} ended with {ended}{': ' + message if message else ''}",
            remedy_for(message),
        )  # fmt: skip
    return None


def remedy_for(message: str) -> str:
    """Return the remedy for a run that ended with `message`."""
    return next((remedy for pattern, remedy in CAUSES if re.search(pattern, message, re.IGNORECASE)), USUAL)


def order_problems(jobs: Mapping[str, Job], first: Mapping[str, Run], last: Mapping[str, Run]) -> Iterator[Problem]:
    """Return the jobs whose last run precedes the first run of a job that must run before them."""
    for position, key in enumerate(JOB_KEYS):
        if key not in jobs or key not in last:
            continue
        earlier = [
            jobs[before].name for before in JOB_KEYS[:position]
            if before in jobs and before in first and last[key].started < first[before].started
        ]  # fmt: skip
        if earlier:
            yield Problem(
                f"job_order:{key}", WARNING, f"{jobs[key].name} last ran before {', '.join(earlier)} did for the first time",
                "Run the jobs in their order; tests without test group or citations result from another order",
            )  # fmt: skip


def count_problems(counts: Mapping[str, object], expected: Mapping[str, int]) -> Iterator[Problem]:
    """Compare the counts of results with those of Azure, if they are comparable."""
    if not expected:
        return
    if not counts["comparable"]:
        yield Problem(
            "counts_not_comparable", WARNING, f"The counts cannot be compared with Azure: {counts['reason']}",
            f"Compare after {TITLES[COMPREHENSIVE]} has run: until then assessments that failed long ago may not have been imported",
        )  # fmt: skip
        return
    results = counts["results"] if isinstance(counts["results"], dict) else {}
    for name, result, remedy in (
        (
            "unhealthy",
            "failed",
            "Check the last runs of both assessment jobs, and whether the same subscriptions are counted",
        ),
        (
            "healthy",
            "passed",
            f"{TITLES[COMPREHENSIVE]} imports failed assessments: those that were always healthy may be missing",
        ),
    ):
        count = sum(number for value, number in results.items() if value.casefold() == result)
        if name in expected and count != expected[name]:
            yield Problem(
                f"counts_differ:{name}", WARNING, f"Azure has {expected[name]} {name} assessments, ServiceNow {count} results {result}",
                remedy,
            )  # fmt: skip
