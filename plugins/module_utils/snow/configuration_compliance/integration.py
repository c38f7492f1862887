# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconcile the integration: configuration, integration instance and jobs; then evaluate the runs of the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.problem import Problem
from ...engine.reconcile import reconcile
from ...engine.result import Drift, ManualStep, Result
from ..query import TableQuery
from ..store import InstanceStore
from . import findings, job_findings, manual_steps
from .configuration import Configuration, DiscoveredRow, Parameter, SecretParameter
from .constants import ASSESSMENTS, CONTAINERS, JOB_TABLES, LABELS, OLD, RUN_AS
from .detection import Detected
from .discovery import Job, find_integration_instance, find_jobs, find_storage
from .jobs import IntegrationInstance, Run, Runs, ScheduledJob
from .settings import LISTS, Settings

# Users whose updates do not change the configuration.
SYSTEM_USERS = frozenset({"", "system", RUN_AS})

SUCCEEDED = "Complete/Success"


@dataclass
class Integration:
    """The integration on one instance. The other members are valid after `reconcile`."""

    instance: InstanceStore
    settings: Settings
    found: Detected
    rows: list[DiscoveredRow] = field(default_factory=list)
    scheduled: list[ScheduledJob] = field(default_factory=list)
    waited: bool = False

    def __post_init__(self) -> None:
        try:
            self.implementation = find_integration_instance(self.found, self.settings.integration_instance)
            self.storage = find_storage(self.found, self.implementation)
        except InvalidInput as error:
            raise InvalidInput(f"{self.instance.name}: {error}") from None
        self.candidates = find_jobs(self.found, self.implementation)
        self.jobs = {
            key: jobs[0] for key, jobs in self.candidates.items() if len(jobs) == 1 and key in self.settings.jobs
        }
        self.step = manual_steps.configuration_step(self.settings, self.found.scope, self.implementation)
        self.runs = Runs(list(self.jobs.values()))

    def reconcile(self) -> Result:
        """Read the actual state, write the differences, read again. Raises as the engine does."""
        self.rows = self._configuration_rows()
        run_as_is_known = any(row.get("user_name") == RUN_AS for row in self.found.rows("run_as"))
        self.scheduled = [
            ScheduledJob(job, manual_steps.job_step(job), run_as_is_known=run_as_is_known) for job in self.jobs.values()
        ]
        switch = (
            [IntegrationInstance(self.implementation, manual_steps.instance_step(self.implementation))]
            if self.implementation
            else []
        )
        resources: list[Any] = [*self.rows, *switch, *self.scheduled, self.runs]
        return reconcile(self.instance, *resources)

    def _configuration_rows(self) -> list[DiscoveredRow]:
        storage, owner = self.storage, (self.implementation or {}).get("sys_id", "")
        label = f"configuration {(self.implementation or {}).get('name', '')}".strip()
        if storage is None:
            return []
        policy = self.settings.update_secret
        if storage.is_parameters:
            client_id = str(self.settings.values.get("client_id", ""))
            return [
                (SecretParameter if name == "client_secret" else Parameter)(
                    storage,
                    name,
                    self.settings.values.get(name),
                    label,
                    self.step,
                    owner=owner,
                    client_id=client_id,
                    policy=policy,
                )
                for name in storage.columns
            ]
        row_id = "" if storage.instance_column else self._only_row(storage.table)
        if not (row_id or (storage.instance_column and owner)):
            return []
        return [
            Configuration(storage, self.settings.values, label, self.step, owner=owner, row_id=row_id, policy=policy)
        ]

    def _only_row(self, table: str) -> str:
        """Return the sys_id of the only row of a table that names no integration instance, else ""."""
        (answer,) = self.instance.client.query([TableQuery(table, "", ("sys_id",), limit=2, optional=True)])
        return answer.rows[0]["sys_id"] if len(answer.rows) == 1 else ""

    # -- results ------------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, Any]:
        """The configuration after this task, by option."""
        shown: dict[str, Any] = {}
        for row in self.rows:
            values = row.as_result(row.row) if not row.unreadable else {}
            shown.update({name: value for name, value in values.items() if name in LABELS})
            storage = self.storage
            if storage and storage.validation_column and row.row and storage.validation_column in row.row:
                shown["validation_status"] = row.row[storage.validation_column]
        for name in LISTS:
            if isinstance(shown.get(name), str):
                shown[name] = [part.strip() for part in shown[name].split(",") if part.strip()]
        return shown

    @property
    def changed_at(self) -> str:
        """When a user or an API last changed the configuration, in the time format of the instance; "" if not known."""
        rows = [row.row for row in self.rows if row.row]
        times = [row.get("sys_updated_on", "") for row in rows if row.get("sys_updated_by", "") not in SYSTEM_USERS]
        return max(times, default="")

    def is_stale(self, run: Run) -> bool:
        """Return whether a run is older than the configuration after this task."""
        if any(row.written for row in self.rows) and (self.instance.check_mode or not self.changed_at):
            return True
        return run.started < self.changed_at

    def problem_of(self, key: str) -> Problem | None:
        """Return the problem with the last run of a job; None if it verifies the configuration."""
        run = self.runs.last.get(key)
        return job_findings.run_problem(
            self.jobs[key], run, self.runs.unknown.get(key, ""), stale=run is not None and self.is_stale(run)
        )

    def verified(self, key: str) -> bool:
        """Return whether the last run of a job verifies the configuration."""
        return key in self.jobs and self.problem_of(key) is None

    @property
    def open_jobs(self) -> list[Job]:
        """The jobs whose last run does not verify the configuration, in their order."""
        return [job for key, job in self.jobs.items() if not self.verified(key)]

    def problems(self) -> list[Problem]:
        """Return all problems, except those of the counts."""
        unreadable = [row.unreadable for row in self.rows if row.unreadable]
        if self.storage and not self.rows:
            unreadable.append("it has no single row that belongs to the integration instance")
        unknown = [name for row in self.rows for name in sorted(row.unknown)]
        found = list(
            findings.configuration_problems(
                self.found,
                self.settings,
                self.storage,
                unreadable,
                unknown,
                absent=any(row.absent for row in self.rows),
            )
        )
        if self.implementation is None:
            found.append(findings.no_instance(self.found))
        columns = {job.job.key: _unread_columns(job) for job in self.scheduled}
        found += job_findings.job_problems(
            self.candidates, self.settings.jobs, self.found.scope, visible=self._jobs_are_visible(), unknown=columns
        )
        found += [problem for key in self.jobs if (problem := self.problem_of(key))]
        found += job_findings.order_problems(self.jobs, self.runs.first, self.runs.last)
        return found

    def _jobs_are_visible(self) -> bool:
        answers = [self.found.answers[table] for table in JOB_TABLES]
        seen = [answer for answer in answers if not answer.refused]
        return bool(seen) and all(answer.total == len(answer.rows) for answer in seen) and any(a.rows for a in seen)

    def remaining(self) -> tuple[list[ManualStep], list[Drift]]:
        """Return the manual steps that no refused write has added, and the drift that remains until they are done."""
        steps: list[ManualStep] = []
        drift: list[Drift] = []
        open_jobs = self.open_jobs
        needed = [key for key in self.settings.jobs if not (self.found.scope == OLD and key == CONTAINERS)]
        verified = not open_jobs and all(key in self.jobs for key in needed)
        unread = not self.rows or any(row.unreadable for row in self.rows)
        if unread and not verified:
            steps.append(self.step)
        if not self.settings.application_managed and not self.verified(ASSESSMENTS):
            steps.append(manual_steps.entra_step(self.settings, self.fields))
            drift.append(Drift("Entra application", "role", None, manual_steps.READER))
        known = [job for job in open_jobs if job.key not in self.runs.unknown]
        if known:
            steps.append(manual_steps.run_step(known, self.found.scope))
            drift += [Drift(f"job {job.name}", "last_run", self._last_state(job), SUCCEEDED) for job in known]
        return steps, drift

    def _last_state(self, job: Job) -> str | None:
        last = self.runs.last.get(job.key)
        if last is None:
            return None
        state = f"{last.row.get('state', '')}/{last.row.get('substate', '')}"
        return f"{state}, not verifying the configuration" if state.casefold() == SUCCEEDED.casefold() else state

    def job_results(self) -> list[dict[str, Any]]:
        """Return the jobs as the module returns them, in their order."""
        shown = []
        for job in self.scheduled:
            last = self.runs.last.get(job.job.key)
            row = job.as_result(job.row) if job.row else {}
            shown.append(
                {
                    "job": job.job.key,
                    "name": job.job.name,
                    "table": job.table,
                    "sys_id": job.job.row["sys_id"],
                    "active": row.get("active"),
                    "run_as": row.get("run_as", job.job.row.get("run_as.user_name")),
                    "last_run": last.as_dict() if last else None,
                    "verified": self.verified(job.job.key),
                }
            )
        return shown


def _unread_columns(job: ScheduledJob) -> Sequence[str]:
    if job.unreadable:
        return ("active", "run_as")
    return [name for name in ("active", "run_as") if name not in job.job.row]
