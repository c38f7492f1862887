# SPDX-License-Identifier: GPL-3.0-or-later
"""How much onboard prints for a fleet in sync: with the callback summary few lines, however many instances there are."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.playbooks import COLLECTION, Playbooks, Run
from tests.integration.tenant import HOST, SimulatedTenant
from tests.integration.test_onboard import enter_rules
from tests.sandbox.process import SandboxProcess

SUMMARY = {"ANSIBLE_STDOUT_CALLBACK": f"{COLLECTION}.summary"}
MAX_LINES = 40
FEW, MANY = 2, 6
OF_A_HOST = ("ok: [", "skipping: [", "included: ")
SERVICES = ["mda", "mdc"]
# The credentials of the connectors were entered in the portal.
ENTERED = {"mda_connection_credentials_entered": True}


class FleetInSync:
    """Instances and a tenant that `onboard` has nothing to do for."""

    def __init__(self, playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance) -> None:
        self.playbook = playbook
        tenant = SimulatedTenant(sandbox, plan="Standard", subscriptions=1)
        self.names = []
        self.hosts: dict[str, dict[str, Any]] = {}
        instances = [new_instance() for _number in range(MANY)]
        for instance in instances:
            self.names.append(instance.name)
            self.hosts[instance.name] = {**instance.connection, **ENTERED, "servicenow_defender_services": SERVICES}
            tenant.connector(instance.name, instance.connection["snow_url"])
        self.hosts.update(tenant.hosts(servicenow_defender_services=SERVICES))
        self.onboard(MANY)
        for instance in instances:
            enter_rules(instance)

    def onboard(self, count: int, **environment: str) -> Run:
        """Run onboard for some of the instances, and the tenant."""
        limit = ",".join([*self.names[:count], HOST])
        run = self.playbook("onboard", self.hosts, "--limit", limit, defender=[HOST], environment=environment)
        return run.went_well()


def test_a_fleet_in_sync_prints_as_much_as_a_few_instances(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    fleet = FleetInSync(playbook, sandbox, new_instance)
    few, many = (fleet.onboard(count, **SUMMARY).output.splitlines() for count in (FEW, MANY))
    assert any(line.startswith(f"{MANY} instances: {MANY} in sync, {2 * MANY} tokens verified; ") for line in many)
    assert len(few) == len(many) <= MAX_LINES, "\n".join(many)
    assert not any(name in line for name in fleet.names for line in many)
    # With Ansible's default callback, only the lines of tasks and of the recap are more, and the summary is one.
    runs = [fleet.onboard(count) for count in (FEW, MANY)]
    others = [[line for line in tasks_of(run) if not line.startswith(OF_A_HOST)] for run in runs]
    assert len(others[0]) == len(others[1]), "\n".join(others[1])
    assert [run.output.count('"msg": [') for run in runs] == [1, 1]
    assert all(runs[0].recap[name] == runs[1].recap[name] for name in fleet.names[1:FEW])


def tasks_of(run: Run) -> list[str]:
    """Return the lines before the recap."""
    return run.output.partition("PLAY RECAP")[0].splitlines()
