# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the integration to its described state: configuration, integration instance, jobs; then looks at the runs."""

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
from . import findings, manual_steps
from .configuration import Configuration, FoundRow, Parameter, SecretParameter
from .constants import ASSESSMENTS, CONTAINERS, JOB_TABLES, LABELS, OLD, RUN_AS
from .detection import Detected
from .discovery import Job, find_implementation, find_jobs, find_storage
from .jobs import IntegrationInstance, Run, Runs, ScheduledJob
from .settings import LISTS, Settings

# Who touches rows without changing what a person configured.
SYSTEM_USERS = frozenset({"", "system", RUN_AS})


@dataclass
class Integration:
    """The integration on one instance. After `bring`, the other members tell what was found."""

    instance: InstanceStore
    settings: Settings
    found: Detected
    rows: list[FoundRow] = field(default_factory=list)
    scheduled: list[ScheduledJob] = field(default_factory=list)
    waited: bool = False

    def __post_init__(self) -> None:
        try:
            self.implementation = find_implementation(self.found, self.settings.integration_instance)
            self.storage = find_storage(self.found, self.implementation)
        except InvalidInput as error:
            raise InvalidInput(f"{self.instance.name}: {error}") from None
        self.candidates = find_jobs(self.found, self.implementation)
        self.jobs = {
            key: jobs[0] for key, jobs in self.candidates.items() if len(jobs) == 1 and key in self.settings.jobs
        }
        self.step = manual_steps.configuration_step(self.settings, self.found.scope, self.implementation)
        self.runs = Runs(list(self.jobs.values()))

    def bring(self) -> Result:
        """Read what is there, write what deviates, read again. Raises as the engine does."""
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

    def _configuration_rows(self) -> list[FoundRow]:
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

    # -- what was found -----------------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, Any]:
        """The configuration as it is, or would be, by option."""
        shown: dict[str, Any] = {}
        for row in self.rows:
            described = row.as_result(row.row) if not row.unreadable else {}
            shown.update({name: value for name, value in described.items() if name in LABELS})
            storage = self.storage
            if storage and storage.validation_column and row.row and storage.validation_column in row.row:
                shown["validation_status"] = row.row[storage.validation_column]
        for name in LISTS:
            if isinstance(shown.get(name), str):
                shown[name] = [part.strip() for part in shown[name].split(",") if part.strip()]
        return shown

    @property
    def changed_at(self) -> str:
        """When a person or an API last changed the configuration, as the instance prints times; "" when not known."""
        rows = [row.row for row in self.rows if row.row]
        times = [row.get("sys_updated_on", "") for row in rows if row.get("sys_updated_by", "") not in SYSTEM_USERS]
        return max(times, default="")

    def is_stale(self, run: Run) -> bool:
        """Return whether a run says nothing of the configuration as it is, or would be after this task."""
        if any(row.written for row in self.rows) and (self.instance.check_mode or not self.changed_at):
            return True
        return run.started < self.changed_at

    def problem_of(self, key: str) -> Problem | None:
        """Return what is wrong with the last run of a job; None when it verifies the configuration."""
        run = self.runs.last.get(key)
        return findings.run_problem(
            self.jobs[key], run, self.runs.unknown.get(key, ""), stale=run is not None and self.is_stale(run)
        )

    def verified(self, key: str) -> bool:
        """Return whether the last run of a job verifies the configuration."""
        return key in self.jobs and self.problem_of(key) is None

    @property
    def open_jobs(self) -> list[Job]:
        """The jobs whose last run verifies nothing, in their order."""
        return [job for key, job in self.jobs.items() if not self.verified(key)]

    def problems(self) -> list[Problem]:
        """Return everything that is wrong or unknown, but for the counts."""
        unreadable = [row.unreadable for row in self.rows if row.unreadable]
        if self.storage and not self.rows:
            unreadable.append("no single row of it can be told to be the one of the integration instance")
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
        found += findings.job_problems(
            self.candidates, self.settings.jobs, self.found.scope, visible=self._jobs_are_visible(), unknown=columns
        )
        found += [problem for key in self.jobs if (problem := self.problem_of(key))]
        found += findings.order_problems(self.jobs, self.runs.first, self.runs.last)
        return found

    def _jobs_are_visible(self) -> bool:
        answers = [self.found.answers[table] for table in JOB_TABLES]
        seen = [answer for answer in answers if not answer.refused]
        return bool(seen) and all(answer.total == len(answer.rows) for answer in seen) and any(a.rows for a in seen)

    def left(self) -> tuple[list[ManualStep], list[Drift]]:
        """Return what is left to a person and no refused write has brought up, and what deviates until it is done."""
        left: list[ManualStep] = []
        drift: list[Drift] = []
        waiting = self.open_jobs
        needed = [key for key in self.settings.jobs if not (self.found.scope == OLD and key == CONTAINERS)]
        proved = not waiting and all(key in self.jobs for key in needed)
        unread = not self.rows or any(row.unreadable for row in self.rows)
        if unread and not proved:
            left.append(self.step)
            drift.append(Drift("configuration", "state", "unknown", "as described"))
        if not self.verified(ASSESSMENTS):
            left.append(manual_steps.entra_step(self.settings, self.fields))
            drift.append(Drift("Entra application", "role", None, manual_steps.READER))
        known = [job for job in waiting if job.key not in self.runs.unknown]
        if known:
            left.append(manual_steps.run_step(known, self.found.scope))
            drift += [Drift(f"job {job.name}", "last_run", self._last_state(job), "Complete/Success") for job in known]
        return left, drift

    def _last_state(self, job: Job) -> str | None:
        last = self.runs.last.get(job.key)
        return f"{last.row.get('state', '')}/{last.row.get('substate', '')}" if last else None

    def described_jobs(self) -> list[dict[str, Any]]:
        """Return the jobs as the result shows them, in their order."""
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
