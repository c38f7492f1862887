# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a sandbox as a separate process and call its control API; all tests use this."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
_COUNTER = itertools.count(1)


class SandboxError(RuntimeError):
    """The sandbox did not start, or refused a call of its control API."""


@dataclass(frozen=True, slots=True)
class InstanceAccess:
    """What a client needs to reach an instance. The three paths are empty without TLS."""

    name: str
    url: str
    username: str
    password: str
    admin_username: str
    admin_password: str
    release: str
    ca_path: str = ""
    client_cert: str = ""
    client_key: str = ""

    def options(self) -> dict[str, str]:
        """The connection options of the collection's modules."""
        options = {"snow_url": self.url, "snow_username": self.username, "snow_password": self.password}
        return {**options, "ca_path": self.ca_path} if self.ca_path else options


class SandboxProcess:
    """A running sandbox. Use it as a context manager, or call `stop`.

    Arguments are command-line options such as `--instances 3`; none means an empty fleet. Raises SandboxError if it
    does not listen within `timeout` seconds.
    """

    def __init__(self, *arguments: str, timeout: float = 30.0) -> None:
        command = [sys.executable, "-m", "tests.sandbox", *(arguments or ("--instances", "0"))]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
        self.base_url = self._wait_ready(timeout)

    def _wait_ready(self, timeout: float) -> str:
        output = self._process.stdout
        if output is None:
            raise SandboxError("the sandbox has no output")
        readable, _, _ = select.select([output], [], [], timeout)
        line = output.readline() if readable else ""
        if not line.startswith("READY "):
            self.stop()
            raise SandboxError(f"the sandbox did not start: {line.strip() or 'no output'}")
        return line.split()[1]

    def __enter__(self) -> SandboxProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop the sandbox with a signal and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return self._process.wait()

    def new_instance(self, name: str = "", **knobs: Any) -> InstanceAccess:
        """Create a fresh instance with some knobs turned; without a name one is generated."""
        name = name or f"acme-{os.getpid()}-{next(_COUNTER)}"
        return InstanceAccess(**self._call("PUT", f"instances/{name}", knobs))

    def turn(self, name: str, **knobs: Any) -> None:
        """Turn knobs of a running instance."""
        self._call("PATCH", f"instances/{name}", knobs)

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """Set the faults of every instance; an empty list clears them."""
        self._call("PUT", "faults", {"faults": faults})

    def remove(self, name: str) -> None:
        """Remove an instance."""
        self._call("DELETE", f"instances/{name}")

    def clone(self, source: str, target: str) -> InstanceAccess:
        """Copy an instance's rows over another's, client ids and secrets included; the target keeps its name and accounts."""
        return InstanceAccess(**self._call("POST", "clone", {"from": source, "to": target}))

    def rename(self, old: str, new: str) -> InstanceAccess:
        """Let an instance answer under a new name; nothing answers under the old one."""
        return InstanceAccess(**self._call("POST", "rename", {"from": old, "to": new}))

    def saved(self, *names: str) -> dict[str, Any]:
        """The whole state of the tenant and of some instances."""
        content: dict[str, Any] = self._call("GET", f"saved?instances={','.join(names)}")
        return content

    def restore(self, saved: dict[str, Any]) -> None:
        """Restore the saved state of the tenant and of instances, which need not exist."""
        self._call("PUT", "saved", saved)

    def tamper(
        self,
        name: str,
        table: str,
        values: dict[str, Any] | None = None,
        *,
        match: dict[str, Any] | None = None,
        query: str = "",
        insert: bool = False,
        delete: bool = False,
        raw: bool = False,
    ) -> list[str]:
        """Change rows out of band and return their sys_ids.

        Secrets are given in plain text, references by name or sys_id.
        """
        change = {"table": table, "values": values or {}, "match": match or {}, "query": query}
        switches = {"insert": insert, "delete": delete, "raw": raw}
        sys_ids: list[str] = self._call("POST", f"tamper/{name}", {**change, **switches})["sys_ids"]
        return sys_ids

    def state(self, name: str, table: str) -> list[dict[str, str]]:
        """The rows of a table and of those that extend it, as stored: empty columns are left out."""
        tables = self._call("GET", f"state/{name}?table={table}")["tables"]
        rows: list[dict[str, str]] = tables[table]
        return rows

    def run_jobs(
        self, name: str, outcome: str | dict[str, str] = "auto", *, jobs: list[str] | None = None, **settings: Any
    ) -> list[dict[str, Any]]:
        """Run the jobs of an instance's Defender for Cloud integration and return the result of each run.

        `outcome` is auto (depends on the configuration), success, failed or running, for all or by job. Jobs:
        policies, metadata, standards, assessments, comprehensive, containers. Settings: `assessments` in the form of
        Resource Manager or `counts` such as `{"unhealthy": 3, "long_unhealthy": 2}` (default: those of the tenant), and
        `application`.
        """
        wanted = {"outcome": outcome, "jobs": jobs, **settings}
        runs: list[dict[str, Any]] = self._call("POST", f"jobs/{name}", wanted)["runs"]
        return runs

    def import_update_set(self, name: str, xml: str) -> dict[str, Any]:
        """Import the file of an update set as an elevated administrator; return its problems, and whether it was committed."""
        done: dict[str, Any] = self._call("POST", f"import_update_set/{name}", {"xml": xml})
        return done

    def tenant(self) -> dict[str, Any]:
        """How to reach the tenant: inventory variables, portal, managed identities, and its knobs."""
        known: dict[str, Any] = self._call("GET", "tenant")
        return known

    def new_tenant(self, **knobs: Any) -> dict[str, Any]:
        """Reset the tenant; ids and secrets stay the same."""
        known: dict[str, Any] = self._call("PUT", "tenant", knobs)
        return known

    def turn_tenant(self, **knobs: Any) -> None:
        """Turn knobs of the tenant."""
        self._call("PATCH", "tenant", knobs)

    def tenant_state(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the tenant: connectors, activities, entities, alerts, files, subnets, policies,
        users, mails, scores, assessments, assignments, rules, integrations, pricings.
        """
        rows: list[dict[str, Any]] = self._call("GET", f"tenant/state?table={table}")["tables"][table]
        return rows

    def tamper_tenant(
        self,
        table: str,
        values: dict[str, Any] | None = None,
        *,
        match: dict[str, Any] | None = None,
        insert: bool = False,
        delete: bool = False,
    ) -> list[str]:
        """Change rows of the tenant out of band and return their ids."""
        change = {"table": table, "values": values or {}, "match": match or {}, "insert": insert, "delete": delete}
        ids: list[str] = self._call("POST", "tenant/tamper", change)["ids"]
        return ids

    def portal_session(self) -> dict[str, str]:
        """Sign in to the portal: `mda_portal_cookie` and `mda_portal_xsrf_token`."""
        session: dict[str, str] = self._call("POST", "tenant/portal_session")
        return session

    def assertion(self, **claims: Any) -> str:
        """Return the content of a federated token file; arguments override claims."""
        content: str = self._call("POST", "tenant/assertion", claims)["assertion"]
        return content

    def sync_tenant(self) -> None:
        """Synchronize all connectors and the tickets of Resource Manager now."""
        self._call("POST", "tenant/sync")

    def requests(self, name: str = "") -> dict[str, Any]:
        """The request counts, of one instance or of all."""
        counts: dict[str, Any] = self._call("GET", "requests")
        if not name:
            return counts
        none: dict[str, Any] = {"total": 0, "routes": {}, "inner_total": 0, "inner": {}}
        found: dict[str, Any] = counts["instances"].get(name, none)
        return found

    def reset_requests(self, name: str = "") -> None:
        """Reset the request counts of one instance, or of all."""
        self._call("DELETE", f"requests?instance={name}")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.base_url}/_sandbox/{path}", data, method=method)
        # The control API carries no real secrets, and the sandbox issues its certificate itself.
        handler = urllib.request.HTTPSHandler(context=_unverified()) if self.base_url.startswith("https") else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *([handler] if handler else []))
        try:
            with opener.open(request, timeout=30) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise SandboxError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error
        return json.loads(content) if content else None


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
