# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_user: a service account, its password and its roles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task
from tests.sandbox.snow.encrypted_fields import password_matches

NAME = "svc_defender"


def account(*roles: str) -> dict[str, Any]:
    """Return the knob for an account with some roles."""
    return {NAME: {"roles": list(roles), "web_service_access_only": "true"}}


def test_an_account_is_created_changed_disabled_and_deleted(playbook: Playbooks, new_instance: NewInstance) -> None:
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        task("snow_user", "create", user_name=NAME, password="first-Pass-1", first_name="Defender",
             email="defender@example.com", roles=["itil", "rest_service"]),
        task("snow_user", "change", user_name=NAME, password="second-Pass-2", last_name="Connector", time_zone="GMT",
             roles=["itil"], exclusive_roles=True, extra_fields={"title": "Connector", "vip": True}),
        task("snow_user", "disable", user_name=NAME, state="disabled", password="second-Pass-2"),
        task("snow_user", "enable", user_name=NAME, state="present", password="second-Pass-2"),
        task("snow_user", "delete", user_name=NAME, state="absent"),
        task("snow_user", "keep", user_name="svc_kept", password="kept-Pass-3", web_service_access_only=False),
    )  # fmt: skip
    created = run["create: real"]["user"]
    assert created["user_name"] == NAME
    assert created["roles"] == ["itil", "rest_service"]
    assert created["web_service_access_only"] is True
    assert created["active"] is True
    assert "password" not in created
    assert {entry["field"] for entry in run["change: real"]["drift"]} == {
        "password", "last_name", "time_zone", "roles", "title", "vip",
    }  # fmt: skip
    assert run["disable: real"]["user"]["active"] is False
    # Whether a closed account holds a password cannot be checked, so the desired one is written when it is opened.
    assert [entry["field"] for entry in run["enable: real"]["drift"]] == ["active", "password"]
    assert run["delete: real"]["user"] == {}
    assert not instance.rows("sys_user", user_name=NAME)
    assert not instance.rows("sys_user_has_role", user=created["sys_id"])
    kept = instance.row("sys_user", user_name="svc_kept")
    assert password_matches("kept-Pass-3", kept["user_password"])
    assert kept.get("web_service_access_only", "false") == "false"


def test_the_password_is_written_apart_from_everything_else(playbook: Playbooks, instance: Instance) -> None:
    run = playbook([task("snow_user", user_name=NAME, password="first-Pass-1", first_name="Defender")], instance)
    assert run.went_well().last.writes == {
        "POST /api/now/table/sys_user": 1,
        "PATCH /api/now/table/sys_user/{sys_id}": 1,
    }
    row = instance.row("sys_user", user_name=NAME)
    assert password_matches("first-Pass-1", row["user_password"])


@pytest.mark.parametrize("one_row_per_role", [True, False], ids=["role_management_v2", "one_row_per_cause"])
def test_inherited_roles_are_never_deleted(
    playbook: Playbooks, new_instance: NewInstance, one_row_per_role: bool
) -> None:
    instance = new_instance(role_management_v2=one_row_per_role, users=account("itil", "rest_service"))
    group = instance.row("sys_user_group", name="Cloud Platform")["sys_id"]
    instance.add("sys_user_grmember", user=NAME, group=group)
    inherited = instance.roles_of(NAME, inherited="true")
    assert "sn_incident_read" in inherited
    keep_itil = task("snow_user", "keep", user_name=NAME, roles=["itil"], exclusive_roles=True)
    take_all = task("snow_user", "none", user_name=NAME, roles=[], exclusive_roles=True)
    run = playbook([keep_itil, {**keep_itil, "name": "again"}], instance).went_well()
    assert set(inherited) < set(run["keep"]["drift"][0]["before"])
    assert run["keep"].writes == {"DELETE /api/now/table/sys_user_has_role/{sys_id}": 1}
    assert not run["again"].changed
    assert instance.roles_of(NAME, inherited="true") == inherited
    assert "rest_service" not in instance.roles_of(NAME)
    run = playbook([take_all, {**take_all, "name": "again"}], instance).went_well()
    assert not run["again"].changed
    # The group still gives itil; what it gives cannot be taken from the account.
    assert "itil" in instance.roles_of(NAME, inherited="true")
    assert set(inherited) <= set(instance.roles_of(NAME))


def test_a_role_that_is_granted_twice_counts_once(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(role_management_v2=False, users=account("itil", "itil"))
    assert instance.roles_of(NAME, inherited="false") == ["itil", "itil"]
    run = playbook([task("snow_user", user_name=NAME, roles=["itil"], exclusive_roles=True)], instance).went_well()
    assert not run.last.changed
    assert instance.roles_of(NAME, inherited="false") == ["itil", "itil"]


def test_roles_beyond_the_desired_ones_stay_by_default(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(users=account("rest_service"))
    run = playbook([task("snow_user", user_name=NAME, roles=["itil"])], instance).went_well()
    assert run.last["drift"][-1]["before"] == ["rest_service"]
    assert instance.roles_of(NAME, inherited="false") == ["itil", "rest_service"]


def test_only_an_administrator_grants_admin(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(users={"user_manager": {"password": "manager-Pass-1", "roles": ["user_admin", "itil"]}})
    manager = {**instance.connection, "snow_username": "user_manager", "snow_password": "manager-Pass-1"}
    grant = task("snow_user", user_name=NAME, roles=["admin"])
    refused = playbook([grant], {instance.name: manager}).last
    assert refused.failed
    assert "user_manager may not grant admin to user svc_defender" in refused.message
    assert "but has: " in refused.message
    assert not refused.writes
    assert playbook([grant], instance).went_well().last.changed
    assert instance.roles_of(NAME) == ["admin"]
