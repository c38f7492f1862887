# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph of a simulated tenant, as tests see it: how tasks reach it, who is there, and what was done."""

from __future__ import annotations

from typing import Any

from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Done, Playbooks, Run, Task
from tests.integration.tenant import AZURE, SimulatedTenant

WRITES = ("PATCH /graph", "POST /graph/v1.0/users/", "POST /graph/v1.0/identity/")


class GraphTenant(SimulatedTenant):
    """A fresh tenant."""

    def run(self, playbook: Playbooks, tasks: list[Task], **options: Any) -> Run:
        """Run tasks on the tenant."""
        azure = {name: f"{{{{ {name} | default(omit) }}}}" for name in (*AZURE, "retries")}
        play = {"module_defaults": {f"group/{COLLECTION}.azure": azure}}
        return playbook(tasks, self.hosts(), play=play, **options)

    def respond(self, playbook: Playbooks, *words: str, check: bool = False, **variables: Any) -> Run:
        """Run the playbook respond."""
        known = {"servicenow_defender_tenant": "servicenow", **variables}
        return playbook("respond", self.hosts(), *words, check=check, variables=known)

    def user(self, nickname: str) -> dict[str, Any]:
        """Return a user of the directory."""
        (row,) = self.rows("users", mailNickname=nickname)
        return row

    def connect(self, instance: Instance) -> None:
        """Connect an instance, as an operator did before."""
        account = {"username": instance.access.username, "password": instance.access.password}
        self.connector(instance.name, instance.access.url, mode="password", **account)


def graph_writes(done: Done) -> dict[str, int]:
    """Return the calls of one task that change something in Graph, by route."""
    return {route: count for route, count in done.requests.items() if route.startswith(WRITES)}


def assert_predicted_then_done_then_in_sync(run: Run, name: str) -> None:
    """Check that check mode predicts a step, that it is done, and that it is in sync afterwards."""
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False)
    assert not graph_writes(predicted)
    assert not graph_writes(again)
    assert real["api_calls"]["write"] == sum(graph_writes(real).values()) > 0
    assert predicted["api_calls"]["write"] == again["api_calls"]["write"] == 0
    for key in ("results", "drift", "diff", "manual_steps"):
        assert predicted[key] == real[key], f"{name} does not predict {key}"
    assert again["drift"] == []
    assert {outcome["status"] for outcome in again["results"]} == {"ok"}
