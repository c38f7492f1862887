# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_offboarding: what a connection needed is removed, and what others use is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import assert_predicted, predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, task
from tests.integration.test_onboard import APPLICATIONS, ROLE, USERS, enter_rules

USER, APPLICATION = USERS["mda"], APPLICATIONS["mda"]
CONNECTION = {"application_name": APPLICATION, "user_name": USER, "user_roles": [ROLE], "role_name": ROLE}
ACCOUNT = {"user_name": USER, "password": "account-Password-1", "roles": [ROLE], "web_service_access_only": True}
CLIENT = {"name": APPLICATION, "client_secret": "client-secret-1"}
WHOLE = {"roles": [{"name": ROLE}], "users": [ACCOUNT], "oauth_applications": [CLIENT]}


def made(playbook: Playbooks, instance: Instance) -> None:
    """Make the objects of a connection, and let its account get tokens."""
    playbook([task("snow_instance", **WHOLE)], instance).went_well()
    answer = instance.ask_for_token(
        grant_type="password",
        client_id=instance.row("oauth_entity", name=APPLICATION)["client_id"],
        client_secret=CLIENT["client_secret"],
        username=USER,
        password=ACCOUNT["password"],
    )
    assert answer["access_token"]


def remove(**changes: Any) -> Any:
    return task("snow_offboarding", "remove", connections=[{**CONNECTION, **changes}])


def statuses(done: Any) -> dict[str, str]:
    return {row["object"].partition(" ")[0]: row["status"] for row in done["results"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_connection_is_removed_with_its_tokens(playbook: Playbooks, instance: Instance, shell: str) -> None:
    before = instance.content()
    made(playbook, instance)
    assert len(instance.rows("oauth_credential")) >= 2
    playbook([remove(waits_for="the connector is connected")], instance, shell=shell).went_well()
    assert instance.rows("oauth_entity", name=APPLICATION), "nothing is removed while it waits"
    run = playbook(predicted_and_done(remove()), instance, shell=shell).went_well()
    assert_predicted(run, "remove")
    assert not instance.rows("oauth_credential", user=USER)
    assert not instance.rows("oauth_entity", name=APPLICATION)
    assert not instance.rows("sys_user", user_name=USER)
    assert not instance.rows("sys_user_role", name=ROLE)
    assert {table: len(rows) for table, rows in instance.content().items()} == {
        table: len(rows) for table, rows in before.items()
    }


def test_what_others_use_is_kept_and_named(playbook: Playbooks, new_instance: NewInstance) -> None:
    further, shared, ruled = (new_instance() for _each in range(3))
    for instance in (further, shared, ruled):
        made(playbook, instance)
    colleague = shared.add("sys_user", user_name="colleague", active="true")
    shared.add("sys_user_has_role", user=colleague, role=shared.row("sys_user_role", name=ROLE)["sys_id"])
    shared.add("oauth_entity", name="Other", type="client", client_id="other", user=USER)
    further.add(
        "sys_user_has_role",
        user=further.row("sys_user", user_name=USER)["sys_id"],
        role=further.row("sys_user_role", name="itil")["sys_id"],
    )
    enter_rules(ruled)
    run = playbook([remove()], [further, shared, ruled]).went_well()
    done = {instance: run.on(instance.name, "remove") for instance in (further, shared, ruled)}
    reasons = {
        instance: {row["object"]: row.get("reason") for row in found["results"]} for instance, found in done.items()
    }
    assert statuses(done[further]) == {
        "token": "changed",
        "oauth_application": "changed",
        "user": "kept",
        "role": "kept",
    }
    assert reasons[further][f"user {USER}"] == "it has the further role itil"
    assert reasons[further][f"role {ROLE}"] == f"{USER} has it"
    assert statuses(done[shared])["user"] == "kept"
    assert reasons[shared][f"user {USER}"] == "it is used by the application Other"
    assert reasons[shared][f"role {ROLE}"] == f"colleague, {USER} have it"
    assert statuses(done[ruled]) == {
        "token": "changed",
        "oauth_application": "changed",
        "user": "changed",
        "role": "manual",
    }
    (step,) = done[ruled]["manual_steps"]
    assert "read incident" in step["values"]["Rules"]
    assert ruled.rows("sys_user_role", name=ROLE)
    ruled.remove("sys_security_acl_role", sys_user_role=ruled.row("sys_user_role", name=ROLE)["sys_id"])
    again = playbook([remove()], ruled).went_well()["remove"]
    assert statuses(again)["role"] == "changed"
    assert not again["manual_steps"]
    assert not ruled.rows("sys_user_role", name=ROLE)
