# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance that is throttled, down or late: the task fails or finishes, and never leaves two rows or a manual step."""

from __future__ import annotations

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.playbooks import Playbooks, task

NAME = "Microsoft Defender"
IMPATIENT = {"retries": 1, "retry_deadline": 2}


@pytest.mark.parametrize("kind", ["503", "429"])
def test_hardening_fails_while_every_write_is_answered_with_a_failure(
    playbook: Playbooks, new_instance: NewInstance, kind: str
) -> None:
    instance = new_instance()
    instance.turn(
        faults=[
            {"kind": kind, "method": "PATCH", "seconds": 0},
            {"kind": kind, "method": "POST", "path": "/api/now/table/*", "seconds": 0},
        ]
    )
    run = playbook([task("snow_hardening", baseline="recommended", max_writes=3, **IMPATIENT)], instance)
    failed = run.last
    assert run.status == 2
    assert f"-> {kind}" in failed.message
    assert "refused" not in failed.message
    assert all("Elevate role" in step["where"] for step in failed["manual_steps"]), "no step for what failed"
    assert failed["changed"] is False


def test_a_commit_after_the_time_out_leaves_one_application(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance()
    instance.turn(
        faults=[
            {
                "kind": "late-commit",
                "method": "POST",
                "path": "/api/now/table/oauth_entity",
                "count": 1,
                "seconds": 0.08,
            }
        ]
    )
    run = playbook([task("snow_oauth_application", name=NAME, client_secret="late-Secret-1")], instance).went_well()
    assert run.last["changed"] is True
    assert len(instance.rows("oauth_entity", name=NAME)) == 1
