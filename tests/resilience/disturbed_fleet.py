# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated instance and tenant, the jobs that are disturbed in it, and its state in a form that can be compared."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.integration.connected_by_hand import connect_by_hand
from tests.integration.fork_server import end_tree
from tests.integration.instances import Instance
from tests.integration.lifecycle import comparable_rows
from tests.integration.playbooks import Playbooks, other_machine
from tests.integration.tenant import HOST, SimulatedTenant, learn
from tests.resilience.jobs import JOBS
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import MANAGEMENT

# Seconds after which a run counts as hung.
PATIENCE = 300.0
# What differs between two runs that end in the same state: how often a row was written, and by which request.
COUNTED = frozenset({"sys_mod_count"})
# The same of a connector: how often it was written, until when its access token is valid, and which sign-ins it has read.
COUNTED_IN_TENANT = frozenset({"attempt", "access_until", "seen"})
TENANT_TABLES = (
    "connectors",
    "subnets",
    "assignments",
    "rules",
    "integrations",
    "pricings",
    "policies",
    "incidents",
    "cloud_alerts",
)
NUMBER = re.compile(r"\b(INC|PRB|CHG)\d{7}\b")
GUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{24}\b|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
)
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?|\b1\d{12}\b")
# The fleet in the correlation id of a change request, and the result in it, which says what the last run of several found.
FLEET = re.compile(r"\bdefender:onboard:[0-9a-f]{12}\b")
RESULT = re.compile(r"The plan was applied by secops\.servicenow_defender\.(?:[^\"\\]|\\.)*")
# A ticket of two overlapping runs is canceled, not deleted: only an administrator may delete one.
CANCELED = ("8", "Duplicate")
FILES = ("sys_attachment", "sys_attachment_doc")
# The playbook of a job of another name.
PLAYBOOKS = {"change": "onboard", "list": "tickets"}


@dataclass
class Home:
    """Where a run is started: a machine has a temporary folder of its own, a home and a folder of secrets."""

    folder: Path
    secrets: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make a run use it."""
        return other_machine(self.folder)


@dataclass
class Running:
    """A run under way; `output` is what it prints."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]
    ended: bool = field(default=False)

    def wait(self) -> tuple[int, str]:
        """Wait for its end; return status and output. A run that hangs is killed, and has the status -9."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            end_tree(self.process.pid)
            status = self.process.wait()
        self.output.seek(0)
        text = self.output.read().decode(errors="replace")
        self.output.close()
        return status, text


class DisturbedFleet:
    """A fresh instance and a fresh tenant in `sandbox`, for one job; `folder` keeps homes and secrets."""

    def __init__(self, sandbox: SandboxProcess, folder: Path, job: str) -> None:
        self.sandbox, self.folder, self.job = sandbox, folder, job
        self.instance = Instance(sandbox, sandbox.new_instance("acme-fleet"))
        self.tenant = SimulatedTenant(sandbox, subscriptions=1, findings=12, plan="Standard", throttle=0)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.playbooks = Playbooks(folder, sandbox.base_url)
        self.homes = {"a": self.home("a")}
        sandbox.set_faults()
        self.variables = dict(JOBS[job])
        self.works_on_connections = job in ("rotate", "offboard")
        if self.works_on_connections:
            self._connect()
        if job == "adopt":
            connect_by_hand(self.instance)
            self.tenant.connector(self.instance.name, self.instance.connection["snow_url"])
        if job == "alerts":
            self._move_alerts()
        if job == "change":
            self._approve()

    def _connect(self) -> None:
        """Connect the instance, with a contract that can edit and delete its connector: what `rotate` and `offboard` work on."""
        learned, contract = learn(self.playbooks, self.sandbox.base_url, MANAGEMENT)
        # The capture is of the tenant that a sandbox has without a seed.
        text = contract.read_text()
        contract.write_text(
            re.sub(r"((?:tenant-id|x-tid): ).*", rf"\g<1>{self.tenant.access['azure_tenant_id']}", text)
        )
        self.variables |= {"mda_connection_contract": str(contract), "servicenow_defender_accept_costs": True}
        status, output = self.start(job="onboard").wait()
        if learned.status or status:
            raise SystemExit(f"the instance could not be connected:\n{learned.output}{output}")

    def _move_alerts(self) -> None:
        """Make the tickets, and move something on each side: a merge, comments, an alert that ended, tickets that people work on."""
        status, output = self.run()
        if status:
            raise SystemExit(f"the tickets could not be made:\n{output}")
        comment = {"comment": "Seen", "createdByDisplayName": "jane", "createdDateTime": "2026-11-20T10:00:00Z"}
        for key, values in (
            ("28282", {"status": "redirected", "redirectIncidentId": "28283"}),
            ("28283", {"comments": [comment]}),
        ):
            self.sandbox.tamper_tenant("incidents", values, match={"id": key})
        ended, canceled = self.tenant.rows("cloud_alerts")
        self.sandbox.tamper_tenant("cloud_alerts", {"status": "Resolved"}, match={"_id": ended["_id"]})
        for about, values in ((canceled["_id"], {"state": "8", "active": "false"}), ("28283", {"state": "2"})):
            (row,) = [
                row
                for row in self.instance.rows("incident")
                if f": {about}\nSynchronized:" in row.get("description", "")
            ]
            self.instance.change("incident", {"sys_id": row["sys_id"]}, **values)
        entry = {"name": "incident", "element": "work_notes", "element_id": row["sys_id"], "value": "We look into it"}
        self.instance.add(
            "sys_journal_field", **entry, sys_created_by="itil_agent", sys_created_on="2026-11-20 11:00:00"
        )

    def _approve(self) -> None:
        """Open the change request and approve it."""
        status, output = self.run()
        opened = self.instance.rows("change_request", correlation_display="secops.servicenow_defender: planned")
        if status or len(opened) != 1:
            raise SystemExit(f"the change request was not opened:\n{output}")
        window = {"start_date": "2000-01-01 00:00:00", "end_date": "2100-01-01 00:00:00"}
        match = {"number": opened[0]["number"]}
        self.instance.change("change_request", match, state="-2", approval="approved", **window)

    def home(self, name: str, *, own_secrets: bool = False) -> Home:
        """Return a home, made if missing; with `own_secrets` it does not share the secrets of the others."""
        return Home(self.folder / name, self.folder / name / "secrets" if own_secrets else self.folder / "secrets")

    def start(self, home: Home | None = None, job: str = "") -> Running:
        """Start the job, or another one, from a home, by the command itself."""
        home = home or self.homes["a"]
        tenant = self.tenant.with_session() if self.works_on_connections else self.tenant.hosts()
        hosts = {self.instance.name: self.instance.connection, **tenant}
        secrets = {
            "servicenow_defender_secrets": str(home.secrets),
            "offboarding_record_dir": str(home.folder / "offboarded"),
        }
        command, environment, _results = self.playbooks.command(
            job or PLAYBOOKS.get(self.job, self.job),
            hosts,
            variables={**self.variables, **secrets},
            environment=home.environment,
            defender=[HOST],
            retries=3,
        )
        output = (self.folder / f"output-{self.playbooks.runs}.txt").open("w+b")
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        return Running(process, output)

    def run(self, home: Home | None = None) -> tuple[int, str]:
        """Run the job to its end; return status and output."""
        return self.start(home).wait()

    def requests(self) -> int:
        """Return how many requests the platforms were sent, batches counted by what they hold."""
        counts = self.sandbox.requests()
        return int(counts["total"] + counts["inner_total"])

    def wait_for_requests(self, count: int, running: Running) -> None:
        """Return when `count` requests were sent, or the run has ended."""
        while running.process.poll() is None and self.requests() < count:
            time.sleep(0.02)

    # -- its state ----------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, list[str]]:
        """Return every row of instance and tenant, without ids, times, numbers and the secrets that runs generated."""
        secrets = self._secrets()
        tables = {f"instance {name}": rows for name, rows in comparable_rows(self.instance, COUNTED).items()}
        for name in TENANT_TABLES:
            rows = [{key: row[key] for key in row if key not in COUNTED_IN_TENANT} for row in self.tenant.rows(name)]
            tables[f"tenant {name}"] = [json.dumps(row, sort_keys=True) for row in rows]
        # What adopt writes; a killed run leaves a file whole or not at all, and never more than one.
        for path in self.folder.glob("host_vars/*/*"):
            tables[f"file {path.name} of {path.parent.name}"] = [json.dumps({"text": path.read_text()})]
        found = {
            name: sorted(self._comparable(row, secrets) for row in rows if not _is_canceled(row))
            for name, rows in tables.items()
        }
        # Of a ticket that was canceled, the file stays.
        for name in FILES:
            _drop_repeated(found.get(f"instance {name}", []), self._files_of_canceled())
        return found

    def _files_of_canceled(self) -> int:
        """Return how many files are attached to tickets of two overlapping runs that were canceled."""
        ids = {row["sys_id"] for row in self.instance.rows("incident", state=CANCELED[0], close_code=CANCELED[1])}
        return sum(row.get("table_sys_id") in ids for row in self.instance.rows("sys_attachment"))

    def _secrets(self) -> list[str]:
        files = [path for path in self.folder.rglob("*") if path.parent.parent.name == "secrets" and path.is_file()]
        return [text for path in files if (text := path.read_text().strip())]

    def _comparable(self, row: str, secrets: list[str]) -> str:
        row = row.replace(self.sandbox.base_url, "<sandbox>")
        for secret in secrets:
            # An integration that holds another secret than a stored one keeps its digest, and differs.
            digest = hashlib.sha256(secret.encode()).hexdigest()
            row = row.replace(secret, "<secret>").replace(digest, "<secret>")
        row = RESULT.sub("<result>", FLEET.sub("<fleet>", DIGEST.sub("<digest>", row)))
        row = NUMBER.sub("<number>", GUID.sub("<id>", MOMENT.sub("<time>", row)))
        return re.sub(r'"ticketNumber": \d+', '"ticketNumber": "<number>"', row)


def _drop_repeated(rows: list[str], count: int) -> None:
    """Remove `count` rows, each of which is there once more."""
    for row in [each for each in set(rows) if rows.count(each) > 1]:
        while count and rows.count(row) > 1:
            rows.remove(row)
            count -= 1


def _is_canceled(row: str) -> bool:
    content = json.loads(row)
    return (content.get("state"), content.get("close_code")) == CANCELED


def differences(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> Iterator[str]:
    """Yield what differs between two states, row by row."""
    for table in sorted(found.keys() | wanted.keys()):
        left, right = list(found.get(table, ())), list(wanted.get(table, ()))
        for row in wanted.get(table, ()):
            if row in left:
                left.remove(row)
                right.remove(row)
        yield from (f"{table}: too many: {row[:300]}" for row in left)
        yield from (f"{table}: missing: {row[:300]}" for row in right)
