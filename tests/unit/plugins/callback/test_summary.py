# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback in a real run: of a loop, it prints what its items have to say."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

from tests.integration.commands import STARTED_BY, run_command

CALLBACK = "secops.servicenow_defender.summary"
COLLECTIONS = Path(
    str(importlib.import_module("ansible_collections.secops.servicenow_defender.plugins.callback.summary").__file__)
).parents[5]
TIMEOUT = 60


def output_of(tasks: list[dict[str, Any]], folder: Path) -> list[str]:
    """Run the tasks; return the lines that are printed for them."""
    play = {"name": "Look", "hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "site.yml").write_text(json.dumps([play]))
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_STDOUT_CALLBACK": CALLBACK,
        "ANSIBLE_NOCOLOR": "true",
    }
    command = [*STARTED_BY, "playbook", "-i", "acme-dev,", "-c", "local", "site.yml"]
    _status, output = run_command(command, folder, environment, TIMEOUT)
    return [line for line in output.splitlines() if line.startswith(("acme-dev", "failed", "one", "two", "three"))]


def test_of_a_failed_loop_the_items_that_failed_are_printed(tmp_path: Path) -> None:
    tasks = [
        {
            "name": "Compare",
            "ansible.builtin.assert": {
                "that": "item != 'two'",
                "success_msg": "fits",
                "fail_msg": "{{ item }} differs",
            },
            "loop": ["one", "two", "three"],
            "when": "item != 'three'",
        }
    ]
    assert output_of(tasks, tmp_path) == ["failed: acme-dev: Compare: two differs"]


def test_of_messages_in_a_loop_those_of_skipped_items_are_not_printed(tmp_path: Path) -> None:
    message = {"ansible.builtin.debug": {"msg": "{{ item }} is said"}, "loop": ["one", "two"], "when": "item != 'two'"}
    assert output_of([message], tmp_path) == ["one is said"]
