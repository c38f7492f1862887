# SPDX-License-Identifier: GPL-3.0-or-later
"""Platform plugins and store applications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, OK, PERFORM, Need, Plan, Resource, SecretDecision
from ...engine.result import UNKNOWN, Drift
from ...engine.snapshot import Query, Row, Snapshot
from ...transport.polling import Wait
from ..account import WRITERS
from ..activation import Activation
from ..options import Options

VIRTUAL, INSTALLED, STORE = "v_plugin", "sys_plugins", "sys_store_app"
# Clients saw v_plugin.active as `active`, others as `true` (docs/facts/servicenow_platform.md#package-tables).
ACTIVE_WORDS = frozenset({"active", "true", "1"})
CICD = "/api/sn_cicd"
PLUGIN_OPTIONS: Options = {
    "id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["active"], "default": "active"},
}

APPLICATION_OPTIONS: Options = {
    "scope": {"type": "str", "required": True},
    "version": {"type": "str"},
}


class Plugins(Resource):
    """Plugins by id (they can be activated, never deactivated) and store applications by scope.

    See docs/facts/servicenow_platform.md#cicd-api.
    """

    label = "plugins"
    stage = 6

    def __init__(self, plugins: list[Mapping[str, Any]], applications: list[Mapping[str, Any]], waiting: Wait) -> None:
        self.plugins = {entry["id"]: entry for entry in plugins}
        self.applications = {entry["scope"]: entry for entry in applications}
        self.waiting = waiting
        # A plugin may be active but not listed yet when its progress record reports success.
        self._done: set[str] = set()

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Plugins:
        """Return the plugins and applications of a task."""
        waiting = Wait(params["wait"], params["wait_timeout"], params["poll_interval"])
        return cls(params.get("plugins") or [], params.get("applications") or [], waiting)

    def reads(self) -> list[Query]:
        """Return the queries for both plugin tables, either of which may be hidden, and the store applications."""
        reads = []
        if self.plugins:
            ids = tuple(self.plugins)
            reads.append(Query(VIRTUAL, "id", ids, ("sys_id", "id", "name", "version", "active"), optional=True))
            reads.append(
                Query(INSTALLED, "source", ids, ("sys_id", "source", "name", "version", "active"), optional=True)
            )
        if self.applications:
            columns = ("sys_id", "scope", "name", "version", "active")
            reads.append(Query(STORE, "scope", tuple(self.applications), columns, optional=True))
        return reads

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare; each plugin or application that is missing becomes an operation."""
        plan = Plan(self.label, bulk=True, performs=("activate", "activated"))
        for plugin in self.plugins:
            self._plan_plugin(plan, plugin, snapshot)
        for scope, entry in self.applications.items():
            self._plan_application(plan, scope, entry.get("version"), snapshot)
        if plan.writes:
            plan.needs.append(Need("activate plugins", WRITERS["v_plugin"]))
        return plan

    def _plan_plugin(self, plan: Plan, plugin: str, snapshot: Snapshot) -> None:
        rows = snapshot.rows(VIRTUAL, "id", plugin) + snapshot.rows(INSTALLED, "source", plugin)
        active = any(row.get("active", "").lower() in ACTIVE_WORDS for row in rows)
        outcome = {"object": f"plugin {plugin}", "name": plugin, "status": OK}
        plan.outcomes.append(outcome)
        if active or plugin in self._done:
            return
        if not rows and (reason := _hidden(snapshot, VIRTUAL, "id")):
            _note_unknown(plan, outcome, reason)
            return
        path = f"{CICD}/plugin/{quote(plugin, safe='')}/activate"
        self._operation(plan, outcome, f"plugin {plugin}", "active", "inactive", path, {})

    def _plan_application(self, plan: Plan, scope: str, version: str | None, snapshot: Snapshot) -> None:
        rows: list[Row] = snapshot.rows(STORE, "scope", scope)
        installed = rows[0].get("version", "") if rows else ""
        outcome = {"object": f"application {scope}", "name": scope, "status": OK, "version": installed}
        plan.outcomes.append(outcome)
        if scope in self._done or (rows and (version is None or installed == version)):
            return
        if not rows and (reason := _hidden(snapshot, STORE, "scope")):
            _note_unknown(plan, outcome, reason)
            return
        if rows and version and _newer(installed, version):
            raise InvalidInput(
                f"application {scope}: {installed} is installed and newer than {version}; a downgrade is a rollback, "
                f"which this module does not do"
            )
        query = {"scope": scope, **({"version": version} if version else {})}
        self._operation(
            plan,
            outcome,
            f"application {scope}",
            version or "installed",
            installed or "absent",
            f"{CICD}/app_repo/install",
            query,
        )

    def _operation(
        self, plan: Plan, outcome: dict[str, Any], label: str, after: str, before: str, path: str, query: dict[str, str]
    ) -> None:
        outcome["status"] = CHANGED
        plan.drift.append(Drift(label, "state", before, after))
        plan.before[label], plan.after[label] = before, after
        write = Activation(PERFORM, VIRTUAL, label, stage=self.stage, outcome=outcome)
        write.path, write.query, write.waiting, write.done = path, query, self.waiting, self._done
        plan.writes.append(write)


def _hidden(snapshot: Snapshot, table: str, column: str) -> str:
    """Return why a row of `table` may exist although none was read; "" if it does not exist."""
    refused = snapshot.refused(table, column)
    if refused:
        return f"the account may not read {table} ({refused})"
    return f"the account may not read all rows of {table}" if snapshot.hidden_count(table, column) else ""


def _note_unknown(plan: Plan, outcome: dict[str, Any], reason: str) -> None:
    """Note that the state of an object could not be read: it is neither in sync nor written."""
    outcome.update(status=UNKNOWN, reason=reason)
    plan.warnings.append(
        f"whether {outcome['object']} is active is unknown, so it is not written: {reason}. Give the account read access"
    )


def _newer(installed: str, wanted: str) -> bool:
    def parts(version: str) -> list[int]:
        return [int(part) for part in version.split(".") if part.isdigit()]

    return parts(installed) > parts(wanted)
