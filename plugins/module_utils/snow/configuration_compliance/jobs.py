# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration instance, its jobs and their runs.

See docs/facts/configuration_compliance.md#jobs, docs/facts/configuration_compliance.md#framework-tables,
docs/facts/configuration_compliance.md#runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...engine.field import BOOLEAN, Field, Reference
from ...engine.plan import Plan, Resource, SecretDecision
from ...engine.result import ManualStep
from ...engine.snapshot import Query, Row, Snapshot
from .configuration import DiscoveredRow
from .constants import IMPLEMENTATIONS, RUN_AS, RUN_TABLES
from .discovery import Job


class IntegrationInstance(DiscoveredRow):
    """The row of `sn_sec_int_impl` whose Active box switches the whole feed off."""

    noun = "integration_instance"
    table = IMPLEMENTATIONS
    key = ("name",)
    stage = 2
    fields = (Field("name"), Field("active", kind=BOOLEAN))

    def __init__(self, row: Row, step: ManualStep) -> None:
        label = f"integration instance {row.get('name', '')}"
        super().__init__({"active": True} if "active" in row else {}, label, step, row_id=row["sys_id"])


class ScheduledJob(DiscoveredRow):
    """A job: active, and run as VR.System; run as another user, attachments on the data source multiply.

    See docs/facts/configuration_compliance.md#jobs.
    """

    noun = "job"
    key = ("name",)
    stage = 3
    fields = (
        Field("name"),
        Field("active", kind=BOOLEAN),
        Field("run_as", reference=Reference("sys_user", "user_name")),
    )

    def __init__(self, job: Job, step: ManualStep, *, run_as_is_known: bool) -> None:
        self.table, self.job = job.table, job
        self.manual_run_as = not run_as_is_known and job.row.get("run_as.user_name", RUN_AS) != RUN_AS
        values: dict[str, object] = {}
        if "active" in job.row:
            values["active"] = True
        if run_as_is_known and "run_as" in job.row:
            values["run_as"] = RUN_AS
        super().__init__(values, f"job {job.name}", step, row_id=job.row["sys_id"])

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; a user that is not visible cannot be set and becomes a manual step."""
        plan = super().plan(snapshot, secrets)
        if self.manual_run_as and not self.unreadable:
            plan.add_drift("run_as", self.job.row.get("run_as.user_name"), RUN_AS)
            plan.manual_steps.append(self.step)
        return plan


RUN_COLUMNS = (
    "sys_id", "number", "integration", "state", "substate", "start_datetime", "end_datetime", "fatal_error_message", "notes",
)  # fmt: skip
COMPLETE, SUCCESS = "complete", "success"
RUNNING = frozenset(
    {"", "new", "ready", "queued", "pending", "running", "in_progress", "in progress", "processing", "started"}
)


@dataclass(frozen=True)
class Run:
    """One run of a job. Times are UTC, in the format of the instance."""

    row: Row

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded: Complete with Success; some builds use upper case.

        See docs/facts/configuration_compliance.md#runs.
        """
        return (self._value("state"), self._value("substate")) == (COMPLETE, SUCCESS)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, successfully or not."""
        return bool(self.row.get("end_datetime")) or self._value("state") not in RUNNING

    @property
    def started(self) -> str:
        """When it started."""
        return str(self.row.get("start_datetime", ""))

    def as_dict(self) -> dict[str, str | None]:
        """Return the run for a module's result."""
        ended = self.row.get("end_datetime", "")
        return {
            "number": self.row.get("number", ""),
            "state": self.row.get("state", ""),
            "substate": self.row.get("substate", ""),
            "ended_at": f"{ended.replace(' ', 'T')}Z" if ended else None,
        }

    def _value(self, name: str) -> str:
        return str(self.row.get(name, "")).strip().casefold()


def newest(job: Job) -> Query:
    """Return the query for the last run of a job."""
    where = (("integration", job.row["sys_id"]),)
    return Query(RUN_TABLES[job.table], "integration", (), RUN_COLUMNS, where, True, 1, "-start_datetime")


def oldest(job: Job) -> Query:
    """Return the query for the first run of a job."""
    return replace(newest(job), order="start_datetime")


class Runs(Resource):
    """The last and the first run of each of `jobs` (read-only).

    After a plan `last` and `first` hold them by the job's key, and `unknown` the reason why those of a job are not visible.
    """

    label = "runs"

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.last: dict[str, Run] = {}
        self.first: dict[str, Run] = {}
        self.unknown: dict[str, str] = {}

    def reads(self) -> list[Query]:
        """Return the queries for the first and the last run of each job."""
        return [read for job in self.jobs for read in (newest(job), oldest(job))]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Record the runs."""
        self.last, self.first, self.unknown = {}, {}, {}
        for job in self.jobs:
            wanted = newest(job)
            answer = next(answer for read, answer in snapshot.answers if read == wanted)
            rows = snapshot.all_rows(wanted.collection, wanted.column)
            runs = sorted(
                (Run(row) for row in rows if row.get("integration") == job.row["sys_id"]), key=lambda run: run.started
            )
            if runs:
                self.first[job.key], self.last[job.key] = runs[0], runs[-1]
            elif answer.refused:
                self.unknown[job.key] = answer.refused
            elif answer.total != 0:
                self.unknown[job.key] = f"{wanted.collection} may have runs that the account cannot read"
        return Plan(self.label)
