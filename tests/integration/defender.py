# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated tenant next to instances, and the playbooks that work on both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.findings import Findings
from tests.integration.instances import Instance
from tests.integration.playbooks import READING, Done, Playbooks, Run
from tests.integration.tenant import HOST, MDA
from tests.sandbox.process import SandboxProcess

# The hardening baseline has tests of its own.
SERVICES = {
    "servicenow_defender_services": ["mdc"],
    "drift_include_hardening": False,
    "servicenow_defender_accept_costs": True,
    # One ticket for each finding; test_ticket_groups.py has the others.
    "mdc_tickets_group_by": ["recommendation", "resource"],
    "mdc_tickets_max_new": 1000,
}


class Defender(Findings):
    """A fresh tenant with its instances. Their playbooks are run with `variables` and those of each run."""

    def __init__(
        self, playbook: Playbooks, sandbox: SandboxProcess, *instances: Instance, variables: Any = None, **knobs: Any
    ) -> None:
        super().__init__(sandbox, **knobs)
        self.playbook = playbook
        self.instances = instances
        self.variables: dict[str, Any] = {**SERVICES, **(variables or {})}

    @property
    def subscription(self) -> str:
        """The subscription of the tenant's host, as a scope."""
        return f"/subscriptions/{self.access['azure_subscription_id']}"

    def __call__(self, what: str, *words: str, **options: Any) -> Run:
        """Run a playbook of the collection; `azure` among the options replaces variables of the tenant's host."""
        return self.playbook(what, self._hosts(options), *words, **self._options(options))

    def onboarded(self, **options: Any) -> Defender:
        """Onboard, as the first that is done with a tenant and its instances; return itself. An equal fleet that an earlier test
        onboarded is restored instead.
        """
        made_of = (type(self).__name__, self.knobs, self.variables, options)
        self.playbook.first(self.instances, made_of, lambda: self("onboard", **options).went_well(), with_tenant=True)
        self.forget_requests()
        return self

    def command(self, what: str, **options: Any) -> tuple[list[str], dict[str, str], Path]:
        """Return what `Playbooks.command` does for such a run."""
        return self.playbook.command(what, self._hosts(options), **self._options(options))

    def _hosts(self, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
        hosts = {instance.name: instance.connection for instance in self.instances}
        return {**hosts, **self.hosts(*MDA, **options.pop("azure", {}))}

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        # The hardening of the instances is the business of other tests.
        variables = {"drift_include_hardening": False, **self.variables, **(options.get("variables") or {})}
        return {**options, "variables": variables, "defender": [HOST]}

    def forget_requests(self) -> None:
        """Reset the counts of requests, in the tenant and its instances."""
        for name in (HOST, *(instance.name for instance in self.instances)):
            self.sandbox.reset_requests(name)

    def written(self) -> dict[str, int]:
        """Return the calls since then that can change the tenant or an instance, by route."""
        found = self.writes()
        for instance in self.instances:
            counts = self.sandbox.requests(instance.name)
            for routes in (counts["routes"], counts["inner"]):
                found |= {route: count for route, count in routes.items() if not route.startswith(READING)}
        return found

    def predicted_and_done(self, what: str, **options: Any) -> tuple[Run, Run, Run]:
        """Run a playbook in check mode, for real, and again. The first writes nothing and predicts the second, the
        third finds nothing to do.
        """
        runs = []
        for check in (True, False, False):
            self.forget_requests()
            run = self(what, check=check, **options).went_well()
            runs.append(run)
            if len(runs) == 2:
                assert self.written(), run.output
            else:
                assert not self.written(), run.output
        predicted, _real, again = runs
        assert sum(numbers["changed"] for numbers in predicted.recap.values()) > 0, predicted.output
        assert sum(numbers["changed"] for numbers in again.recap.values()) == 0, again.output
        reported, done = sorted(drift_of(predicted)), sorted(drift_of(runs[1]))
        assert reported == done, (set(reported) ^ set(done), runs[1].output)
        return runs[0], runs[1], runs[2]


def drift_of(run: Run) -> list[tuple[str, str]]:
    """Return what deviated in a run, each as object and field, in the order of the tasks."""
    found: list[tuple[str, str]] = []
    for done in run.done:
        for result in done.result.get("results") or [] if "drift" not in done.result else [done.result]:
            found += [(entry["object"], entry["field"]) for entry in result.get("drift") or []]
    return found


def warnings_of(done: Done) -> list[str]:
    """Return the warnings of a task, except those of Ansible about this suite's inventory."""
    return [warning for warning in done.result.get("warnings") or [] if "reserved name" not in warning]
