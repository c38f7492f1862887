# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that exhaust time or memory: a task ends within `retry_deadline` and one `timeout`, a worker within 200 MiB."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, task

WORDS = {
    "drip": "was not complete after",
    "huge": "is larger than 12 MB",
    "gzip-bomb": "is larger than 12 MB",
    "deep": "its JSON is nested too deep",
    "429-forever": "asks for a pause of more than a year",
}
# What a worker has loaded, and one request; the peak of its memory in MiB is printed last.
WORKER = """
import sys
from ansible.executor import task_executor
from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.auth import FixedSigner, basic_header
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import TransportError
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session, Settings

session = Session(sys.argv[1], Settings(retries=0), TaskContext(), FixedSigner(basic_header(*sys.argv[2:])))
try:
    session.request("GET", "/api/now/table/sys_user_group")
except TransportError as error:
    print(error)
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024)
"""


def test_an_answer_that_exhausts_is_given_up_in_time(real_playbook: Playbooks, new_instance: NewInstance) -> None:
    hosts = {kind: new_instance(faults=[{"kind": kind, "seconds": 0.3}]) for kind in WORDS}
    read = task("snow_record_info", "read", table="sys_user_group", timeout=8, retries=3, retry_deadline=2)
    started = time.monotonic()
    run = real_playbook([{**read, "ignore_errors": True}], list(hosts.values()), "-f", "5")
    assert time.monotonic() - started < 120, "it is given up"
    for kind, instance in hosts.items():
        done = run.on(instance.name, "read")
        assert done.failed and WORDS[kind] in done.message, done.message
        assert "defect" not in done.message


def peak(instance: Instance, **knobs: Any) -> tuple[str, int]:
    """Return the message of one read, and the peak of the memory of its process in MiB."""
    instance.turn(**knobs)
    command = [sys.executable, "-c", WORKER, instance.access.url, instance.access.username, instance.access.password]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    *message, last = done.stdout.splitlines()
    return " ".join(message), int(last)


@pytest.mark.parametrize("kind", ["huge", "gzip-bomb", "deep", "many"])
def test_no_answer_takes_the_memory_of_a_worker(new_instance: NewInstance, kind: str) -> None:
    message, most = peak(new_instance(), faults=[{"kind": kind}])
    assert message
    assert most < 200, (message, most)
