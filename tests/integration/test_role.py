# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_role: a role and the roles it contains."""

from __future__ import annotations

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task


def contained(instance: Instance, role: str) -> list[str]:
    names = {row["sys_id"]: row["name"] for row in instance.rows("sys_user_role")}
    rows = instance.rows("sys_user_role_contains", role=instance.row("sys_user_role", name=role)["sys_id"])
    return sorted(names[row["contains"]] for row in rows)


def test_a_role_is_created_changed_and_deleted(playbook: Playbooks, new_instance: NewInstance) -> None:
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        task("snow_role", "create", name="defender_reader", description="Reads", contains=["cmdb_read", "itil"]),
        task("snow_role", "change", name="defender_reader", description="Reads a lot", contains=["cmdb_read"]),
        task("snow_role", "delete", name="defender_reader", state="absent"),
        task("snow_role", "keep", name="auditor", description="Looks only", contains=[]),
    )
    assert run["create: check"]["drift"] == [
        {"object": "role defender_reader", "field": "state", "before": "absent", "after": "present"}
    ]
    created = run["create: real"]["role"]
    assert created == {
        "sys_id": created["sys_id"],
        "name": "defender_reader",
        "description": "Reads",
        "contains": ["cmdb_read", "itil"],
    }
    assert run["change: real"]["drift"] == [
        {"object": "role defender_reader", "field": "description", "before": "Reads", "after": "Reads a lot"},
        {
            "object": "role defender_reader",
            "field": "contains",
            "before": ["cmdb_read", "itil"],
            "after": ["cmdb_read"],
        },
    ]
    assert run["delete: real"]["role"] == {}
    assert not instance.rows("sys_user_role", name="defender_reader")
    assert not instance.rows("sys_user_role_contains", role=created["sys_id"])
    assert instance.row("sys_user_role", name="auditor")["description"] == "Looks only"


def test_contained_roles_are_left_alone_when_not_desired(playbook: Playbooks, instance: Instance) -> None:
    before = contained(instance, "itil")
    run = playbook([task("snow_role", name="itil")], instance).went_well()
    assert not run.last.changed
    assert contained(instance, "itil") == before
