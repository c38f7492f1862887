# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook offboard run again: after it was killed, where nothing was made, and once it is clear what is ours."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.fork_server import end_tree
from tests.integration.playbooks import Playbooks
from tests.integration.test_interruption import NEVER, PATIENCE
from tests.integration.test_offboard import CONFIRMED, fleet, left_on, stored
from tests.integration.test_onboard import APPLICATIONS
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(1)

# Where a run is killed: the write, to the instance or to the tenant, that is never answered.
STUCK = {
    "integration": ("DELETE", "/subscriptions/*/providers/Microsoft.Security/integrations/*"),
    "application": ("DELETE", "/api/now/table/oauth_entity/*"),
    "account": ("DELETE", "/api/now/table/sys_user/*"),
}


@pytest.mark.walk(1)
@pytest.mark.parametrize("point", STUCK)
def test_a_killed_run_is_finished_by_the_next_one(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, point: str
) -> None:
    method, path = STUCK[point]
    instance = new_instance()
    tenant = fleet(playbook, sandbox, instance)
    tenant.onboarded()
    fault = {"kind": "slow", "seconds": NEVER, "method": method, "path": path, "count": 1}
    on_tenant = point == "integration"
    turn, requests = (sandbox.turn_tenant, tenant.requests) if on_tenant else (instance.turn, instance.requests)
    turn(faults=[fault])
    tenant.forget_requests()
    command, environment, _results = tenant.command("offboard", variables=CONFIRMED)
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
        wait_until_stuck(requests, f"/{path.split('/')[-2]}/", process)
    finally:
        end_tree(process.pid)
        process.wait()
    turn(faults=[])
    assert stored(playbook, instance) >= {"mdc_password", "mdc_client_secret"}, "they show what is ours"
    tenant("offboard", variables=CONFIRMED).went_well()
    assert not left_on(instance)
    assert not tenant.rows("integrations")
    assert stored(playbook, instance) == {"offboarded"}
    again = tenant("offboard", variables=CONFIRMED).went_well()
    assert again.summary == "1 instance: 1 in sync; tenant: in sync"


def wait_until_stuck(requests: Callable[[], dict[str, int]], kind: str, process: subprocess.Popen[bytes]) -> None:
    """Return when a platform has received the removal of an object of this kind that it never answers."""
    end = time.monotonic() + PATIENCE
    while not any(route.startswith("DELETE ") and kind in route for route in requests()):
        assert process.poll() is None, "the run ended before it was stuck"
        assert time.monotonic() < end, "the run did not get stuck"
        time.sleep(0.05)


def test_what_was_never_made_is_in_sync_and_of_two_applications_none_is_removed(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    never, twice = new_instance(), new_instance()
    tenant = fleet(playbook, sandbox, twice)
    tenant.onboarded()
    twice.add("oauth_entity", name=APPLICATIONS["mdc"], type="client", client_id="a second one")
    ids = sorted(row["sys_id"] for row in twice.rows("oauth_entity", name=APPLICATIONS["mdc"]))
    tenant.instances = (never, twice)
    before = left_on(twice)
    run = tenant("offboard", variables=CONFIRMED)
    assert run.status == 2
    assert run.summary.startswith("2 instances: 1 in sync, 1 failed; tenant: corrected")
    words = f"2 oauth_entity records are named {APPLICATIONS['mdc']} ({', '.join(ids)}). Nothing was changed; remove or rename one"
    assert words in run.summary
    assert left_on(twice) == before
    assert stored(playbook, twice) >= {"mdc_password", "mdc_client_secret"}
    twice.remove("oauth_entity", client_id="a second one")
    tenant("offboard", variables=CONFIRMED).went_well()
    assert not left_on(twice)
