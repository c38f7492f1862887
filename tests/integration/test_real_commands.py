# SPDX-License-Identifier: GPL-3.0-or-later
"""Each playbook, and both shells, by the command itself; in other tests fork servers do it from the second run on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import ORDINARY, ROOT, Playbooks, Run
from tests.integration.tenant import learn
from tests.sandbox.process import SandboxProcess

# The variables of each playbook. In a fleet that was onboarded, or not yet for `onboard`, each finds something to change or to
# show as changed, but for those that only read.
VARIABLES: dict[str, dict[str, Any]] = {
    "doctor": {},
    "onboard": {},
    "verify": {},
    "drift": {"drift_include_hardening": True, "drift_fail": False},
    "harden": {},
    "tickets": {},
    "alerts": {"defender_alerts_since_days": 3650},
    "respond": {"respond_users": ["employee@acme.onmicrosoft.com"], "respond_action": "suspend"},
    "activity": {},
    "rotate": {},
    "adopt": {},
    "offboard": {"offboarding_confirm": True},
}
READING = ("doctor", "verify", "activity")


def changes(run: Run) -> int:
    return sum(numbers["changed"] for numbers in run.recap.values())


def test_each_playbook_is_among_those_that_are_run() -> None:
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert playbooks == {*VARIABLES, "init", "learn_contract"}


@pytest.mark.parametrize("name", VARIABLES)
def test_the_command_runs_each_playbook(
    playbook: Playbooks, real_playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, name: str
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=1)
    if name != "onboard":
        tenant.onboarded()
    tenant.playbook = real_playbook
    run = tenant(name, variables={"mdc_tickets_instance": instance.name, **VARIABLES[name]}).went_well()
    assert bool(changes(run)) == (name not in READING), run.output


def test_the_command_onboards_an_instance(real_playbook: Playbooks, instance: Instance) -> None:
    for check, changed in ((True, 1), (False, 1), (False, 0)):
        assert changes(real_playbook("onboard", instance, check=check).went_well()) == changed


def test_the_command_runs_ordinary_modules(real_playbook: Playbooks, instance: Instance) -> None:
    assert changes(real_playbook("onboard", instance, shell=ORDINARY).went_well()) == 1


def test_the_command_learns_a_contract(real_playbook: Playbooks, sandbox: SandboxProcess) -> None:
    run, path = learn(real_playbook, sandbox.base_url)
    run.went_well()
    assert path.exists()
