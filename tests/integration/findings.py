# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of a simulated tenant, as tests see them: how tasks reach Resource Manager, and what it holds."""

from __future__ import annotations

from typing import Any

from tests.integration.playbooks import COLLECTION, Done, Playbooks, Run, Task
from tests.integration.tenant import AZURE, HOST, SimulatedTenant


class Findings(SimulatedTenant):
    """A fresh tenant with Defender CSPM on."""

    def __init__(self, *arguments: Any, **knobs: Any) -> None:
        super().__init__(*arguments, **{"plan": "Standard", **knobs})

    @property
    def scopes(self) -> list[str]:
        """The subscriptions, as scopes."""
        return list(dict.fromkeys("/".join(row["_id"].split("/")[:3]) for row in self.rows("assessments")))

    def desired(self, **more: Any) -> list[dict[str, Any]]:
        """Return an assignment for each unhealthy finding."""
        return [
            {"recommendation": row["name"], "resource_id": row["scope"], **more}
            for row in self.rows("assessments")
            if row["properties"]["status"]["code"] == "Unhealthy"
        ]

    def run(self, playbook: Playbooks, tasks: list[Task], **options: Any) -> Run:
        """Run tasks on the tenant."""
        hosts = {HOST: {name: self.access[name] for name in AZURE}}
        azure = {name: f"{{{{ {name} | default(omit) }}}}" for name in (*AZURE, "retries")}
        return playbook(tasks, hosts, play={"module_defaults": {f"group/{COLLECTION}.azure": azure}}, **options)


def arm_reads(done: Done) -> dict[str, int]:
    """Return what a task read of Resource Manager, by route."""
    return {route: count for route, count in done.requests.items() if route.startswith("GET /arm")}


def arm_writes(done: Done) -> dict[str, int]:
    """Return what a task wrote to Resource Manager, by route."""
    return {route: count for route, count in done.requests.items() if route.startswith(("PUT /arm", "DELETE /arm"))}
