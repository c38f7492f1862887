# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and a tenant with every option of the roles of `onboard` set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.findings import Findings
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run
from tests.integration.test_table_acls import grant
from tests.integration.walk.options import FIELDS, FLEET, PLUGINS, REMOVED, ROLE, TABLES, TENANT, WALK_APP, Change
from tests.integration.walk.variables import host_variables, variables
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.conditional_access.enterprise_applications import servicenow

IN_FORCE = {"glide.script.use.sandbox": "true", "glide.installation.production": "true"}
HARDENED = {
    "glide.security.use_csrf_token": "true",
    "glide.security.csrf.strict.validation.mode": "true",
    "glide.ui.session_timeout": "120",
}
WALK_APP_ID = "1b3d5f70-0000-4000-8000-00000000aa01"


def selecting(path: str, value: str) -> dict[str, Any]:
    """Return the condition sets of a rule."""
    return {"conditionSets": [{"conditions": [{"property": path, "operator": "Equals", "value": value}]}]}


# Rules that were created in the portal: name, type, and by which property they select. The properties are made up: which they are is UNKNOWN.
BY_HAND = {
    "aa": {
        "displayName": "By hand",
        "rulePriority": 910,
        "ruleType": "ServiceNow",
        "additionalData": {"ticketType": "Incident"},
    },
    "ab": {"displayName": "By hand by risk", "rulePriority": 911, "ruleType": "Integrated"}
    | selecting("$.Risk.Level", "Low"),
    "ac": {"displayName": "By hand by category", "rulePriority": 912, "ruleType": "Integrated"}
    | selecting("$.Metadata.RecommendationCategory", "ExposedSecrets"),
}
Found = tuple[str, str, str]


class Fleet:
    """Instances and a tenant with every option set."""

    def __init__(
        self,
        playbook: Playbooks,
        sandbox: SandboxProcess,
        new_instance: NewInstance,
        contract: Path | str,
        **knobs: Any,
    ) -> None:
        self.playbook, self.sandbox = playbook, sandbox
        self.tenant = Findings(sandbox, subscriptions=2, throttle=0)
        self.instances: dict[str, Instance] = {
            name: new_instance(
                name=name,
                configuration_compliance="tvm" if name in (FIELDS, REMOVED) else "absent",
                properties=IN_FORCE,
                **knobs,
            )
            for name in FLEET
        }
        addresses = [each.access.url for each in self.instances.values()]
        application = {**servicenow(WALK_APP, WALK_APP_ID, addresses[0]), "replyUrls": addresses}
        sandbox.tamper_tenant("service_principals", application, insert=True)
        ids = {row["name"]: row["_id"] for row in self.tenant.rows("policies")}
        self.variables = variables(str(contract), ids)
        self.own = host_variables(self.tenant.access["azure_subscription_ids"])

    def __call__(self, what: str, *words: str) -> Run:
        hosts = {name: {**each.connection, **self.own[name]} for name, each in self.instances.items()}
        hosts |= self.tenant.with_session()
        # Thirty calls a minute are enough for one run only.
        if self.playbook.commands:
            self.playbook.commands.forget_calls()
        return self.playbook(what, hosts, *words, variables=self.variables, defender=[TENANT])

    def make(self, change: Change) -> None:
        """Change something behind everyone's back."""
        values, match = dict(change.values), dict(change.match)
        insert, delete = not match, not values
        if change.table == PLUGINS:
            self.instances[change.host].turn(plugins={match["id"]: values["active"]})
        elif change.host == TENANT:
            self.sandbox.tamper_tenant(change.table, values, match=match, insert=insert, delete=delete)
        else:
            self.sandbox.tamper(change.host, change.table, values, match=match, insert=insert, delete=delete)

    def let_read(self, *names: str) -> None:
        """Do the manual step of the role's access rules."""
        for name in names:
            for table in TABLES:
                grant(self.instances[name], ROLE, table)

    def run_jobs(self) -> None:
        """Do the manual steps of the import: run its jobs."""
        time.sleep(1.1)  # Times of the platform have whole seconds.
        for name in (FIELDS, REMOVED):
            self.sandbox.run_jobs(name, "success", counts={"unhealthy": 1})


def results_of(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the results of a run with their hosts, item by item."""
    for done in run.done:
        for result in done.result.get("results") or [] if "drift" not in done.result else [done.result]:
            yield done.host, result


def found_in(run: Run) -> set[Found]:
    """Return the drift of a run as host, object and field."""
    return {
        (host, entry["object"], entry["field"])
        for host, result in results_of(run)
        for entry in result.get("drift") or []
    }
