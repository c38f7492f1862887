# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed in the middle of their writes: started again, they end where an undisturbed run ends."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.fork_server import end_tree
from tests.integration.instances import Instance
from tests.integration.lifecycle import comparable_rows
from tests.integration.playbooks import SHELLS, Playbooks, task
from tests.integration.test_faults import CREATED, PATCHED, WHOLE, route

# Secrets that are written once: only what the first run left incomplete shows the next one that they are still due.
ONCE: dict[str, Any] = {
    **WHOLE,
    "users": [{**WHOLE["users"][0], "update_password": "on_create"}],
    "oauth_applications": [{**WHOLE["oauth_applications"][0], "update_secret": "on_create"}],
    "records": [
        *WHOLE["records"],
        {
            "table": "jwt_verifier_map",
            "match": {"name": "Acme key"},
            "values": {"shared_key": "shared-key-1"},
            "write_only": ["shared_key"],
        },
    ],
}
NEVER = 3600
PATIENCE = 60


def wait_until_all_are_stuck(instances: dict[str, Instance], process: subprocess.Popen[bytes]) -> None:
    """Return when each instance has received the write that it never answers."""
    end = time.monotonic() + PATIENCE
    while not all(instance.requests().get(name) for name, instance in instances.items()):
        assert process.poll() is None, "the run ended before it was stuck"
        assert time.monotonic() < end, "the run did not get stuck"
        time.sleep(0.05)


@pytest.mark.walk(1)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_killed_run_is_finished_by_the_next_one(playbook: Playbooks, new_instance: NewInstance, shell: str) -> None:
    undisturbed = new_instance()
    stuck: dict[str, Instance] = {}
    for method, tables in (("POST", CREATED), ("PATCH", (*PATCHED, "jwt_verifier_map"))):
        for table in tables:
            path = f"/api/now/table/{table}{'/*' if method == 'PATCH' else ''}"
            fault = {"kind": "slow", "seconds": NEVER, "method": method, "path": path, "count": 1}
            stuck[route(method, table)] = new_instance(faults=[fault])
    everything = [task("snow_instance", "create", **ONCE)]
    command, environment, _results = playbook.command(
        everything, list(stuck.values()), "-f", str(len(stuck)), shell=shell, retries=0
    )
    process = subprocess.Popen(
        command,
        cwd=playbook.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_all_are_stuck(stuck, process)
    finally:
        # Workers are in sessions of their own; one that lives on would have its turn until its request times out.
        end_tree(process.pid)
        process.wait()
    for instance in stuck.values():
        instance.turn(faults=[])
    again = [*everything, task("snow_instance", "again", **ONCE)]
    run = playbook(again, [undisturbed, *stuck.values()], "-f", "4").went_well()
    wanted = comparable_rows(undisturbed)
    for name, instance in stuck.items():
        assert run.on(instance.name, "create").changed, name
        assert not run.on(instance.name, "again").changed, name
        assert comparable_rows(instance) == wanted, name
