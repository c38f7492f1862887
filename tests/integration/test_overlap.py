# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that create the same objects at the same time: one row of each stays, and it has the secret of one run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run, other_machine, read_results, task

PATIENCE = 180
NAME = "Defender"
CREATE = "POST /api/now/table/oauth_entity"


def desired(secret: str) -> dict[str, Any]:
    """Return an instance with an application and its account."""
    return {
        "roles": [{"name": "defender_reader"}],
        "users": [{"user_name": "svc_defender", "password": "same-Pass-1", "roles": ["defender_reader"]}],
        "oauth_applications": [{"name": NAME, "client_secret": secret, "oauth_user": "svc_defender"}],
        "records": [{"table": "sys_user_group", "match": {"name": "Cloud Security"}}],
    }


def overlapping(playbook: Playbooks, instance: Instance, secrets: list[str], machines: list[Path]) -> list[Run]:
    """Run the same task at the same time, once for each secret, each on a machine of its own if there are any."""
    runs = []
    for number, secret in enumerate(secrets):
        environment = other_machine(machines[number]) if machines else None
        command, variables, results = playbook.command(
            [task("snow_instance", **desired(secret))], instance, environment=environment
        )
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(
            command, cwd=playbook.folder, env=variables, stdin=nothing, stdout=nothing, stderr=nothing
        )
        runs.append((process, results))
    return [Run(process.wait(PATIENCE), "", read_results(results)) for process, results in runs]


def slow_creates() -> dict[str, Any]:
    """Return the fault that keeps the creates of applications waiting, so that runs of two machines meet there."""
    return {"kind": "slow", "seconds": 8, "method": "POST", "path": "/api/now/table/oauth_entity"}


def assert_each_once(instance: Instance) -> None:
    instance.row("oauth_entity", name=NAME)
    instance.row("sys_user_role", name="defender_reader")
    instance.row("sys_user_group", name="Cloud Security")
    assert instance.roles_of("svc_defender", inherited="false") == ["defender_reader"]


def accepts(instance: Instance, secret: str) -> bool:
    row = instance.row("oauth_entity", name=NAME)
    answer = instance.ask_for_token(
        grant_type="password",
        client_id=row["client_id"],
        client_secret=secret,
        username="svc_defender",
        password="same-Pass-1",
    )
    return "access_token" in answer


def test_runs_on_one_machine_take_turns(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(faults=[slow_creates()])
    runs = overlapping(playbook, instance, ["one-secret-1"] * 2, [])
    assert [run.status for run in runs] == [0, 0], [run.last.message for run in runs]
    assert instance.requests()[CREATE] == 1
    assert_each_once(instance)
    assert accepts(instance, "one-secret-1")


@pytest.mark.walk(1)
@pytest.mark.parametrize("share", [True, False], ids=["the same secrets", "secrets of their own"])
def test_runs_on_two_machines_leave_one_row_of_each(
    playbook: Playbooks, new_instance: NewInstance, tmp_path: Path, share: bool
) -> None:
    instance = new_instance(faults=[slow_creates()])
    secrets = ["one-secret-1", "one-secret-1" if share else "two-secret-2"]
    runs = overlapping(playbook, instance, secrets, [tmp_path / "one", tmp_path / "two"])
    instance.turn(faults=[])
    assert_each_once(instance)
    ended_well = [secret for secret, run in zip(secrets, runs, strict=True) if run.status == 0]
    if share:
        assert ended_well == secrets, [run.last.message for run in runs]
    else:
        (secret,) = ended_well
        assert accepts(instance, secret), "the run that ended well left a secret that works"
        (stopped,) = (run.last for run in runs if run.status != 0)
        assert f"another run created oauth_application {NAME} at the same time" in stopped.message
        assert "run again with the secrets of the other run" in stopped.message
    again = playbook([task("snow_instance", **desired(ended_well[0]))], instance).went_well().last
    assert not again.changed
