# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords and client secrets that another user changed: found, repaired, and no account locked by checking."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Task, task
from tests.sandbox.snow.encrypted_fields import password_matches

USER, APPLICATION = "svc_defender", "Defender"
PASSWORD, SECRET = "right-Pass-1", "right-secret-1"
WHOLE: dict[str, Any] = {
    "users": [{"user_name": USER, "password": PASSWORD}],
    "oauth_applications": [{"name": APPLICATION, "client_secret": SECRET}],
}


def whole(name: str, more: dict[str, Any] | None = None, **policies: str) -> Task:
    """Return the task that describes both secrets; `policies` are update_password and update_secret."""
    user, application = dict(WHOLE["users"][0]), dict(WHOLE["oauth_applications"][0])
    user.update({key: value for key, value in policies.items() if key == "update_password"})
    application.update({key: value for key, value in policies.items() if key == "update_secret"})
    return task("snow_instance", name, users=[user], oauth_applications=[application], more=more)


def check(name: str) -> Task:
    return whole(name, {"check_mode": True, "diff": True})


def change_both(instance: Instance) -> None:
    """Change both secrets behind everyone's back."""
    instance.change("sys_user", {"user_name": USER}, user_password="other-Pass-1")
    instance.change("oauth_entity", {"name": APPLICATION}, client_secret="other-secret-1")


def failed_sign_ins(instance: Instance) -> int:
    return int(instance.row("sys_user", user_name=USER).get("failed_attempts", "0"))


def holds_both(instance: Instance) -> bool:
    """Return whether the instance accepts both secrets, as a client finds out."""
    client_id = instance.row("oauth_entity", name=APPLICATION)["client_id"]
    pair = {"client_id": client_id, "client_secret": SECRET, "username": USER, "password": PASSWORD}
    return "access_token" in instance.ask_for_token(grant_type="password", **pair)


@pytest.mark.parametrize("mode", ["ciphertext", "masked", "empty"])
@pytest.mark.parametrize("raw_is_useless", [True, False], ids=["display_value_needed", "raw_works"])
def test_changed_secrets_are_found_in_check_mode_and_repaired(
    playbook: Playbooks, new_instance: NewInstance, mode: str, raw_is_useless: bool
) -> None:
    instance = new_instance(secret_mode=mode, requires_input_display=raw_is_useless)
    run = playbook([whole("create"), check("in sync")], instance).went_well()
    assert holds_both(instance)
    assert not run["in sync"].changed
    change_both(instance)
    run = playbook([check("check"), whole("repair"), check("repaired")], instance).went_well()
    assert run["check"]["drift"] == [
        {
            "object": f"user {USER}",
            "field": "password",
            "before": "******** (value on the platform)",
            "after": "******** (desired value)",
        },
        {
            "object": f"oauth_application {APPLICATION}",
            "field": "client_secret",
            "before": "******** (value on the platform)",
            "after": "******** (desired value)",
        },
    ]
    assert not run["check"].writes
    assert run["repair"]["drift"] == run["check"]["drift"]
    assert run["repair"].writes == {
        "PATCH /api/now/table/sys_user/{sys_id}": 1,
        "PATCH /api/now/table/oauth_entity/{sys_id}": 1,
    }
    assert not run["repaired"].changed
    assert holds_both(instance)


def test_checking_costs_at_most_one_failed_sign_in_and_never_locks_the_account(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(lockout_after=5)
    playbook([whole("create")], instance).went_well()
    change_both(instance)
    failures = []
    for _run in range(4):
        run = playbook([check("check"), check("check again")], instance).went_well()
        failures.append(failed_sign_ins(instance))
        for name in ("check", "check again"):
            assert [entry["field"] for entry in run[name]["drift"]] == ["password", "client_secret"]
    assert failures == [2, 2, 2, 2], "an account that failed twice is not tried any more"
    assert any("so as not to lock the account" in warning for warning in run.last["warnings"])
    assert instance.row("sys_user", user_name=USER).get("locked_out", "false") == "false"
    repaired = playbook([whole("repair"), check("check")], instance).went_well()
    assert not repaired.last.changed
    assert failed_sign_ins(instance) == 0
    assert holds_both(instance)


def test_one_run_signs_in_at_most_twice(playbook: Playbooks, instance: Instance) -> None:
    playbook([whole("create")], instance).went_well()
    run = playbook([check("same")], instance).went_well()
    assert run.last.requests == {
        "POST /api/now/v1/batch": 1,
        "GET /api/now/table/sys_user": 1,
        "POST /oauth_token.do": 2,
    }
    change_both(instance)
    run = playbook([check("other")], instance).went_well()
    assert run.last.requests["POST /oauth_token.do"] == 1, "the refused secret is asked for alone"
    assert failed_sign_ins(instance) == 1


def test_always_writes_in_every_run(playbook: Playbooks, instance: Instance) -> None:
    always = whole("always", update_password="always", update_secret="always")
    run = playbook([whole("create"), always, {**always, "name": "again"}], instance).went_well()
    for name in ("always", "again"):
        assert [entry["field"] for entry in run[name]["drift"]] == ["password", "client_secret"]
        assert sum(run[name].writes.values()) == 2
    assert holds_both(instance)


def test_on_create_never_verifies_again(playbook: Playbooks, instance: Instance) -> None:
    once = whole("once", update_password="on_create", update_secret="on_create")
    playbook([once], instance).went_well()
    assert holds_both(instance)
    change_both(instance)
    run = playbook([once], instance).went_well()
    assert not run.last.changed
    assert run.last.requests == {"POST /api/now/v1/batch": 1}
    assert password_matches("other-Pass-1", instance.row("sys_user", user_name=USER)["user_password"])


def test_without_the_answer_of_the_instance_nothing_is_written(playbook: Playbooks, new_instance: NewInstance) -> None:
    client = {"client_id": "ansible-client", "client_secret": "ansible-secret-1"}
    instance = new_instance(refresh_probe="access_denied", cc_property="true")
    instance.add("oauth_entity", name="Ansible", user="svc_ansible", **client)
    playbook([whole("create")], instance).went_well()
    change_both(instance)
    by_token = {
        "snow_url": instance.access.url,
        "snow_client_id": client["client_id"],
        "snow_client_secret": client["client_secret"],
    }
    application = WHOLE["oauth_applications"][0]
    run = playbook(
        [
            task("snow_oauth_application", "check", **application, more={"check_mode": True}),
            task("snow_oauth_application", "real", **application),
        ],
        {instance.name: by_token},
    ).went_well()
    for name in ("check", "real"):
        assert not run[name].changed
        assert run[name]["drift"] == []
        assert not run[name].writes
        (warning,) = run[name]["warnings"]
        assert "could not verify client_secret of oauth_application Defender" in warning
        assert "always" in warning, "what to do about it"


def test_without_the_answer_of_the_instance_a_real_grant_decides_if_it_can(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(refresh_probe="access_denied")
    run = playbook([whole("create"), check("same")], instance).went_well()
    assert not run["same"].changed
    assert "warnings" not in run["same"].result, "the calling account's own password grant is proof"
    instance.change("oauth_entity", {"name": APPLICATION}, client_secret="other-secret-1")
    run = playbook([check("other")], instance).went_well()
    assert not run["other"].changed
    assert "could not verify" in run["other"]["warnings"][0]


@pytest.mark.parametrize("columns", [{"locked_out": "true"}, {"active": "false"}], ids=["locked", "inactive"])
def test_a_closed_account_is_not_tried(playbook: Playbooks, new_instance: NewInstance, columns: dict[str, str]) -> None:
    instance = new_instance()
    playbook([whole("create")], instance).went_well()
    instance.change("sys_user", {"user_name": USER}, user_password="other-Pass-1", **columns)
    run = playbook([check("check")], instance).went_well()
    assert "GET /api/now/table/sys_user" not in run.last.requests
    assert failed_sign_ins(instance) == 0


def test_a_secret_that_the_platform_does_not_take_is_an_error(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(password_by_rest=False)
    run = playbook([task("snow_user", user_name=USER, password=PASSWORD)], instance)
    assert run.last.failed
    assert "stored the new secret of user svc_defender without an error, but does not accept it" in run.last.message
    assert PASSWORD not in run.output


def test_a_password_that_has_to_be_reset_is_opened(playbook: Playbooks, instance: Instance) -> None:
    playbook([whole("create")], instance).went_well()
    instance.change("sys_user", {"user_name": USER}, password_needs_reset="true")
    run = playbook([check("check"), whole("repair"), check("again")], instance).went_well()
    assert "password_needs_reset" in [entry["field"] for entry in run["check"]["drift"]]
    assert run["repair"].changed
    assert not run["again"].changed
    assert holds_both(instance)
