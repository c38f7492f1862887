# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of the Defender for Cloud integration: what a run reads, writes and omits.

See docs/facts/configuration_compliance.md#jobs, docs/facts/configuration_compliance.md#runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...settings import SettingError
from .. import packages
from ..base_rows import read_cells
from ..data.compliance import ASC, JOBS, RUN_AS, TVM
from ..instance import Instance
from ..server_functions import FORMAT
from ..store import Row, stable_id
from .configuration import Configuration, read_configuration
from .findings import Finding
from .integration import JOB_TABLE, implementation_of, job_id

KEYS = tuple(key for key, *_ in read_cells(JOBS, 5))
OUTCOMES = ("auto", "success", "failed", "running")
SETTINGS = frozenset(("outcome", "jobs", "application", "assessments", "counts"))
RESULTS = {"Healthy": "Passed", "Unhealthy": "Failed"}
CRITICALITY = {"Critical": "Critical", "High": "High", "Medium": "Moderate", "Low": "Low"}
_STANDARDS = ("Microsoft Cloud Security Benchmark", "ISO 27001")


@dataclass(frozen=True, slots=True)
class Jobs:
    """Runs jobs of one application in the given order."""

    instance: Instance
    application: str
    findings: tuple[Finding, ...]
    outcome: Mapping[str, str]
    wrong: Callable[[Mapping[str, str]], str] | None
    """Returns which setting the tenant does not accept; None checks only that the configuration is complete."""

    def run(self, keys: list[str]) -> list[dict[str, Any]]:
        """Run jobs and return the result of each."""
        return [self._run(key) for key in keys]

    def _run(self, key: str) -> dict[str, Any]:
        database = self.instance.database
        found = database.find(JOB_TABLE, job_id(self.application, key))
        implementation = database.find("sn_sec_int_impl", implementation_of(self.application))
        on = all(row is not None and row[1].get("active") == "true" for row in (found, implementation))
        if found is None or not on:
            return {"job": key, "state": "skipped"}
        job = found[1]
        error = self._error(key)
        started = self.instance.timestamp()
        counts = {"vi_created": 0, "vi_updated": 0}
        if not error and self.outcome.get(key) != "running":
            counts = _WORK[key](self, job)
        row = self._record_run(job, key, error, started, counts)
        return {
            "job": key,
            "number": row["number"],
            "state": row["state"],
            "substate": row.get("substate", ""),
            **counts,
        }

    def _error(self, key: str) -> str:
        forced = self.outcome.get(key, "auto")
        if forced == "failed":
            return "The integration run failed"
        if forced != "auto":
            return ""
        return self._configuration().problem(self.wrong)

    def _configuration(self) -> Configuration:
        return read_configuration(self.instance, self.application)

    def _record_run(self, job: Row, key: str, error: str, started: str, counts: Mapping[str, int]) -> Row:
        state, substate = ("complete", "failed" if error else "success")
        if self.outcome.get(key) == "running":
            state, substate = "running", ""
        if self.instance.knobs.compliance.run_words == "upper":
            state, substate = state.upper(), substate.upper()
        row = {
            "number": self.instance.next_number("sn_vul_integration_run"),
            "integration": job["sys_id"],
            "implementation": job.get("instance", ""),
            "source": self._source,
            "state": state,
            "substate": substate,
            "start_datetime": started,
            "end_datetime": "" if substate == "" else self.instance.timestamp(),
            "vi_new_findings": "0",
            "det_created": "0",
            "fatal_error_message": error,
            **{name: str(count) for name, count in counts.items()},
        }
        run = self._put("sn_vul_integration_run", self.instance.new_id(), row)
        process = {"integration_run": run["sys_id"], "state": state, "substate": substate}
        self._put("sn_vul_integration_process", self.instance.new_id(), process)
        if error:
            log = {"integration_run": run["sys_id"], "type": "error", "category": "integration", "message_value": error}
            self._put("sn_vul_integration_log", self.instance.new_id(), log)
        self._attachment(job)
        return run

    def _attachment(self, job: Row) -> None:
        """The data source keeps one attachment; each run by a user other than VR.System adds another.

        See docs/facts/configuration_compliance.md#jobs.
        """
        user = self.instance.database.find("sys_user", job.get("run_as", ""))
        own = user is not None and user[1].get("user_name") == RUN_AS
        sys_id = stable_id("sys_attachment", job["sys_id"]) if own else self.instance.new_id()
        shown = {"file_name": "data.json", "table_name": "sn_vul_int_data_src", "table_sys_id": job["sys_id"]}
        self._put("sys_attachment", sys_id, shown)

    @property
    def _source(self) -> str:
        return self.instance.knobs.compliance.source

    def _put(self, table: str, sys_id: str, values: Mapping[str, str]) -> Row:
        found = self.instance.database.find(table, sys_id)
        old = found[1] if found is not None else {}
        stamps = self.instance.stamps(RUN_AS)
        if old:
            changes = str(int(old.get("sys_mod_count", "0")) + 1)
            stamps = {**stamps, "sys_created_on": old.get("sys_created_on", ""), "sys_mod_count": changes}
        row = {**old, **values, **stamps, "sys_id": sys_id}
        row = {name: value for name, value in row.items() if value != ""}
        self.instance.database.put(table, row)
        return row

    def _in_scope(self) -> Iterator[Finding]:
        wanted = self._configuration().subscriptions()
        return (each for each in self.findings if wanted is None or each.subscription in wanted)

    def policies(self, _job: Row) -> dict[str, int]:
        """Policies become test groups, regardless of the start time."""
        names = dict.fromkeys(f"{standard} initiative" for standard in _STANDARDS)
        for name in names:
            shown = {"name": name, "policy_id": stable_id("policy", name), "source": self._source, "active": "true"}
            self._put("sn_vulc_policy", self._id("sn_vulc_policy", name), shown)
        return {"vi_created": len(names), "vi_updated": 0}

    def metadata(self, _job: Row) -> dict[str, int]:
        """Assessment metadata become tests; they are added to existing test groups."""
        groups = self._own("sn_vulc_policy")
        created = 0
        for name, finding in {each.name: each for each in self._in_scope()}.items():
            sys_id = self._id("sn_vulc_test", name)
            created += self.instance.database.find("sn_vulc_test", sys_id) is None
            shown = {
                "test_id": name,
                "short_description": finding.title,
                "source": self._source,
                "criticality": CRITICALITY.get(finding.severity, "Moderate"),
                "test_groups": ", ".join(group.get("name", "") for group in groups),
                "active": "true",
            }
            self._put("sn_vulc_test", sys_id, shown)
            for group in groups:
                link = {"policy": group["sys_id"], "test": sys_id}
                self._put("sn_vulc_policy_test", stable_id("sn_vulc_policy_test", group["sys_id"], sys_id), link)
        return {"vi_created": created, "vi_updated": 0}

    def standards(self, _job: Row) -> dict[str, int]:
        """Standards and controls become sources and citations, linked to existing tests."""
        citations = []
        for standard in _STANDARDS:
            source = self._put("sn_vulc_auth_src", self._id("sn_vulc_auth_src", standard), {"name": standard})
            citation = {"name": f"{standard} 1.1", "auth_src": source["sys_id"]}
            citations.append(self._put("sn_vulc_citation", self._id("sn_vulc_citation", standard), citation)["name"])
        for test in self._own("sn_vulc_test"):
            self.instance.database.put("sn_vulc_test", {**test, "citations": ", ".join(citations)})
        return {"vi_created": len(citations), "vi_updated": 0}

    def assessments(self, job: Row) -> dict[str, int]:
        """Status changes since the start time of the job, else of the last day; findings that failed earlier are not read again."""
        since = job.get("start_time") or (self.instance.moment() - timedelta(days=1)).strftime(FORMAT)
        moment = datetime.strptime(since, FORMAT)
        return self._results(each for each in self._in_scope() if each.changed is None or each.changed >= moment)

    def comprehensive(self, _job: Row) -> dict[str, int]:
        """All findings that are not passed, regardless of their age."""
        return self._results(each for each in self._in_scope() if each.code != "Healthy")

    def containers(self, _job: Row) -> dict[str, int]:
        """Findings of container images do not become test results; the sandbox has none."""
        return {"vi_created": 0, "vi_updated": 0}

    def _results(self, findings: Iterator[Finding]) -> dict[str, int]:
        counts = {"vi_created": 0, "vi_updated": 0}
        now = self.instance.timestamp()
        for finding in findings:
            test = self.instance.database.find("sn_vulc_test", self._id("sn_vulc_test", finding.name))
            if test is None:
                # A result without a test cannot be stored: the metadata job runs before
                # (docs/facts/configuration_compliance.md#jobs).
                continue
            sys_id = self._id("sn_vulc_result", finding.key)
            old = self.instance.database.find("sn_vulc_result", sys_id)
            counts["vi_created" if old is None else "vi_updated"] += 1
            passed = finding.code == "Healthy"
            # Only the scanner closes a result; a failing one is reopened regardless of its task
            # (docs/facts/configuration_compliance.md#tables).
            shown = {
                "test": test[1]["sys_id"],
                "src_ci": self._resource(finding),
                "integration_instance": implementation_of(self.application),
                "source": self._source,
                "source_result_id": finding.key,
                "result": RESULTS.get(finding.code, "Unknown"),
                "state": "Closed" if passed else "Open",
                "active": str(not passed).lower(),
                "first_found": old[1].get("first_found", now) if old is not None else now,
                "last_found": now,
            }
            self._put("sn_vulc_result", sys_id, shown)
        return counts

    def _resource(self, finding: Finding) -> str:
        sys_id = self._id("sn_sec_cmn_src_ci", finding.resource)
        shown = {
            "name": finding.resource.rpartition("/")[2],
            "source": self._source,
            "source_id": finding.resource,
            "cloud_account": finding.subscription,
            "cloud_service_provider": finding.provider,
        }
        return self._put("sn_sec_cmn_src_ci", sys_id, shown)["sys_id"]

    def _id(self, table: str, key: str) -> str:
        return stable_id(table, self.application, key.lower())

    def _own(self, table: str) -> list[Row]:
        return list(self.instance.database.lookup(table, "source", self._source))


_WORK: dict[str, Callable[[Jobs, Row], dict[str, int]]] = {
    "policies": Jobs.policies,
    "metadata": Jobs.metadata,
    "standards": Jobs.standards,
    "assessments": Jobs.assessments,
    "comprehensive": Jobs.comprehensive,
    "containers": Jobs.containers,
}


def run_jobs(
    instance: Instance,
    wanted: Mapping[str, Any],
    findings: tuple[Finding, ...],
    wrong: Callable[[Mapping[str, str]], str] | None,
) -> dict[str, Any]:
    """Run jobs for the control API; raises SettingError.

    `jobs` (keys, default: all in their order); `outcome`, one for all or one per key; `application`.
    """
    unknown = sorted(set(wanted) - SETTINGS)
    if unknown:
        raise SettingError(f"unknown setting {', '.join(unknown)}; known: {', '.join(sorted(SETTINGS))}")
    keys = list(wanted.get("jobs") or KEYS)
    given = wanted.get("outcome", "auto")
    outcome = dict(given) if isinstance(given, Mapping) else dict.fromkeys(KEYS, given)
    other = sorted((set(keys) | set(outcome)) - set(KEYS)) or sorted(set(outcome.values()) - set(OUTCOMES))
    if other:
        raise SettingError(f"unknown {', '.join(other)}; jobs: {', '.join(KEYS)}; outcomes: {', '.join(OUTCOMES)}")
    application = wanted.get("application") or next(
        (name for name in (TVM, ASC) if packages.is_installed(instance.database, name)), TVM
    )
    if not packages.is_installed(instance.database, application):
        raise SettingError(f"{application} is not installed on {instance.name}")
    return {"runs": Jobs(instance, application, findings, outcome, wrong).run(keys)}
