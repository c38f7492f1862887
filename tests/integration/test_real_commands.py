# SPDX-License-Identifier: GPL-3.0-or-later
"""Each playbook in both shells by the command itself: check mode, for real, again; other tests run by fork servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import ROOT, SHELLS, Playbooks, Run
from tests.integration.tenant import learn
from tests.sandbox.process import SandboxProcess

# The variables of each playbook, in the order that makes them meet something to do; those that do not are at rest at once.
VARIABLES: dict[str, dict[str, Any]] = {
    "onboard": {"snow_connection_consumer": "mda"},
    "verify": {"snow_connection_consumer": "mda"},
    "drift": {"snow_connection_consumer": "mda", "drift_harden": True, "drift_fail": False},
    "harden": {},
    "tickets": {},
    "respond": {"respond_users": ["employee@acme.onmicrosoft.com"], "respond_action": "suspend"},
}
AT_REST = ("verify", "drift")


def changes(run: Run) -> int:
    return sum(numbers["changed"] for numbers in run.recap.values())


def test_each_playbook_is_among_those_that_are_run() -> None:
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert playbooks == {*VARIABLES, "learn_contract"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_runs_each_playbook(
    real_playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, shell: str
) -> None:
    tenant = Defender(real_playbook, sandbox, instance, subscriptions=1)
    for name, variables in VARIABLES.items():
        known = {"mdc_tickets_instance": instance.name, **variables}
        check = tenant(name, shell=shell, check=True, variables=known).went_well()
        real = tenant(name, shell=shell, variables=known).went_well()
        assert bool(changes(check)) == bool(changes(real)) == (name not in AT_REST), real.output


def test_the_command_learns_a_contract(real_playbook: Playbooks, sandbox: SandboxProcess) -> None:
    run, path = learn(real_playbook, sandbox.base_url)
    run.went_well()
    assert path.exists()
