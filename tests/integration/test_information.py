# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that only look: snow_instance_info, snow_oauth_application_info, snow_oauth_check; and snow_token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import assert_alike
from tests.integration.playbooks import SHELLS, Playbooks, Task, task

PAIR = {"client_id": "checked-client", "client_secret": "checked-secret-1"}


def add_client(instance: Instance, **columns: Any) -> None:
    instance.add("oauth_entity", name="Checked", **PAIR, **columns)


def check(name: str, instance: Instance, **options: Any) -> Task:
    account = {"username": instance.access.username, "password": instance.access.password}
    return task("snow_oauth_check", name, **{**PAIR, **account, "fail_on_unverified": False, **options})


def test_an_instance_returns_its_identity(playbook: Playbooks, new_instance: NewInstance) -> None:
    look = task(
        "snow_instance_info",
        properties=["glide.sys.default.tz", "no.such.property"],
        plugins=["com.glide.rest", "com.glide.tokenbased_auth", "com.acme.nothing"],
        tables=["oauth_entity", "no_such_table", "sys_user"],
    )
    runs = []
    for shell in SHELLS:
        instance = new_instance(acl={"deny_table": {"sys_user_group": "403"}})
        runs.append((playbook([look], instance, shell=shell).went_well(), instance))
    assert_alike(*runs)
    run, instance = runs[0]
    found = run.last["instance"]
    assert found["url"] == instance.access.url
    assert found["release"]["family"] == "zurich"
    assert found["release"]["patch"] == "patch2"
    assert found["caller"]["user_name"] == "svc_ansible"
    assert found["caller"]["roles"] == ["admin"]
    assert found["capabilities"] == {"scope_restriction": True, "machine_identity_console": True, "identity_type": True}
    assert found["properties"] == {"glide.sys.default.tz": "UTC", "no.such.property": None}
    assert found["plugins"]["com.glide.rest"] == "active"
    assert found["plugins"]["com.glide.tokenbased_auth"] == "inactive"
    assert found["tables"] == {"oauth_entity": "readable", "no_such_table": "absent", "sys_user": "readable"}
    problems = {entry["id"]: entry["severity"] for entry in run.last["problems"]}
    assert problems["plugin_inactive:com.glide.tokenbased_auth"] == "error"
    assert problems["table_absent:no_such_table"] == "error"
    assert run.last.requests == {"POST /api/now/v1/batch": 1}
    assert not run.last["changed"]


@pytest.mark.parametrize(
    ("release", "family", "capable"),
    [("xanadu", "xanadu", False), ("yokohama", "yokohama", True), ("australia", "australia", True)],
)
def test_the_release_is_read_and_what_it_can_is_probed(
    playbook: Playbooks, new_instance: NewInstance, release: str, family: str, capable: bool
) -> None:
    found = playbook([task("snow_instance_info")], new_instance(release=release)).went_well().last["instance"]
    assert found["release"]["family"] == family
    assert found["capabilities"]["scope_restriction"] is capable


def test_what_an_account_may_not_read_is_unknown_and_not_guessed(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(users={"nobody": {"password": "nobody-Pass-1", "roles": []}})
    account = {**instance.connection, "snow_username": "nobody", "snow_password": "nobody-Pass-1"}
    run = playbook([task("snow_instance_info", plugins=["com.glide.rest"])], {instance.name: account}).went_well()
    found = run.last["instance"]
    assert found["release"]["family"] == ""
    assert found["caller"] == {"user_name": "nobody", "roles": [], "known": True}
    assert found["plugins"] == {"com.glide.rest": "unknown"}
    assert {entry["id"] for entry in run.last["problems"]} >= {"release_unknown", "roles_unreadable"}


def test_the_registry_is_listed_with_the_end_of_its_tokens(playbook: Playbooks, new_instance: NewInstance) -> None:
    runs = []
    for shell in SHELLS:
        instance = new_instance()
        add_client(instance, refresh_token_lifespan="3600", user="svc_ansible")
        run = playbook(
            [
                task("snow_oauth_application_info", "before", name="Checked"),
                check("sign in", instance),
                task("snow_oauth_application_info", "after", name="Checked"),
                task("snow_oauth_application_info", "all"),
                task("snow_oauth_application_info", "none", name="no such application"),
            ],
            instance,
            shell=shell,
        ).went_well()
        runs.append((run, instance))
    assert_alike(*runs)
    run, instance = runs[0]
    (before,) = run["before"]["oauth_applications"]
    assert before["client_id"] == PAIR["client_id"]
    assert before["oauth_user"] == "svc_ansible"
    assert before["refresh_token_lifespan"] == 3600
    assert before["refresh_token_expires_at"] is None
    assert "client_secret" not in before
    (after,) = run["after"]["oauth_applications"]
    assert after["refresh_token_expires_at"].endswith("Z")
    names = [entry["name"] for entry in run["all"]["oauth_applications"]]
    assert names == ["Checked", "ServiceNow Agent", "ServiceNow Onboarding"], "outbound providers are left out"
    assert run["none"]["oauth_applications"] == []
    assert run["all"].requests == {"POST /api/now/v1/batch": 1}


def test_a_pair_that_works_is_verified(playbook: Playbooks, new_instance: NewInstance) -> None:
    runs = []
    for shell in SHELLS:
        instance = new_instance(cc_property="true")
        add_client(instance, user="svc_ansible", access_token_lifespan="3600")
        client = check("client", instance, grant_type="client_credentials")
        run = playbook([check("pair", instance), client], instance, shell=shell).went_well()
        runs.append((run, instance))
    for run, _instance in runs:
        pair = run["pair"].result
        assert (pair["verified"], pair["api_access"], pair["refresh_token_issued"]) == (True, True, True)
        assert 3590 <= pair["expires_in"] <= 3600
        assert pair["likely_causes"] == []
        assert not pair["changed"]
        assert run["client"]["verified"]
        assert not run["client"]["refresh_token_issued"]
        assert run["pair"].requests == {"POST /oauth_token.do": 1, "GET /api/now/table/sys_user": 1}


CAUSES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "locked": ({"users": {"checked": {"locked_out": "true"}}}, {}, "checked is locked out"),
    "inactive": ({"users": {"checked": {"active": "false"}}}, {}, "checked is inactive"),
    "reset": ({"users": {"checked": {"password_needs_reset": "true"}}}, {}, "checked has to reset the password first"),
    "no user": ({}, {"username": "missing"}, "no user is called missing"),
    "no client": ({}, {"client_id": "other"}, "no application has the client id other"),
    "secret": ({}, {"client_secret": "wrong-secret-1"}, "the client secret is wrong"),
    "password": ({}, {"password": "wrong-Pass-1"}, "the password is wrong"),
    "oauth off": (
        {"properties": {"com.snc.platform.security.oauth.is.active": "false"}},
        {},
        "OAuth is switched off (com.snc.platform.security.oauth.is.active)",
    ),
    "grant off": (
        {"properties": {"glide.oauth.inbound.ropc.grant_type.disabled": "true"}},
        {},
        "the password grant is switched off",
    ),
    "client grant off": (
        {"application": {"user": "checked"}},
        {"grant_type": "client_credentials"},
        "the client credentials grant is off until",
    ),
    "no application user": (
        {"cc_property": "true"},
        {"grant_type": "client_credentials"},
        "the application Checked has no OAuth application user",
    ),
    "application inactive": ({"application": {"active": "false"}}, {}, "the application Checked is inactive"),
    "restricted": (
        {"application": {"scope_restriction_status": "restricted"}},
        {},
        "the application is restricted to scopes that do not cover the API",
    ),
    "policy": ({"allowed_auth": ["basic"]}, {}, "an access policy of the instance does not accept tokens of this kind"),
}


def test_a_pair_that_does_not_work_is_explained_by_what_is_found(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    made: dict[str, Instance] = {}
    for name, (knobs, _options, _words) in CAUSES.items():
        users = {
            "checked": {"password": "checked-Pass-1", "roles": ["itil"], **knobs.get("users", {}).get("checked", {})}
        }
        rest = {key: value for key, value in knobs.items() if key not in ("users", "application")}
        made[name] = new_instance(users=users, **rest)
        add_client(made[name], **knobs.get("application", {}))
    hosts = {
        instance.name: {
            **instance.connection,
            "options": {"username": "checked", "password": "checked-Pass-1", "grant_type": "password", **PAIR}
            | CAUSES[name][1],
        }
        for name, instance in made.items()
    }
    option = {name: f"{{{{ options.{name} }}}}" for name in ("username", "password", "grant_type", *PAIR)}
    looked = task("snow_oauth_check", "look", fail_on_unverified=False, **option)
    failing = task("snow_oauth_check", "fail", **option, more={"ignore_errors": True})
    run = playbook([looked, failing], hosts).went_well()
    for name, instance in made.items():
        words = CAUSES[name][2]
        found = run.on(instance.name, "look")
        assert found["verified"] is False
        assert any(words in cause for cause in found["likely_causes"]), (name, found["likely_causes"])
        assert len(found["likely_causes"]) == 1, "causes that were looked up are not mixed with guesses"
        failed = run.on(instance.name, "fail")
        assert failed.failed
        assert words in failed.message
        assert instance.name in failed.message


def test_the_client_id_can_be_read_from_the_instance(playbook: Playbooks, instance: Instance) -> None:
    add_client(instance)
    by_name = {"client_id": "", "application": "Checked"}
    run = playbook(
        [
            check("look", instance, **by_name),
            check("none", instance, client_id="", application="Nothing", more={"ignore_errors": True}),
        ],
        instance,
    ).went_well()
    assert run["look"]["verified"] is True
    assert "client checked-client with user" in run["look"].message
    assert "no application is named 'Nothing'" in run["none"].message


def test_without_an_account_of_its_own_the_documented_causes_are_given(playbook: Playbooks, instance: Instance) -> None:
    add_client(instance)
    url = {"snow_url": instance.access.url}
    run = playbook([check("look", instance, password="wrong-Pass-1")], {instance.name: url}).went_well()
    assert len(run.last["likely_causes"]) > 1
    assert run.last.requests == {"POST /oauth_token.do": 1}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_token_is_handed_over_used_and_revoked_without_being_printed(
    playbook: Playbooks, instance: Instance, shell: str
) -> None:
    add_client(instance)
    sign_in = {"snow_client_id": PAIR["client_id"], "snow_client_secret": PAIR["client_secret"]}
    given = {"snow_access_token": "{{ handed.access_token }}"}
    run = playbook(
        [
            task("snow_token", "fetch", **sign_in, more={"register": "handed"}),
            task("snow_instance_info", "use", **given, snow_grant_type="token"),
            task("snow_token", "predict", **given, state="absent", more={"check_mode": True}),
            task("snow_instance_info", "use again", **given, snow_grant_type="token"),
            task("snow_token", "revoke", **given, state="absent"),
            task("snow_instance_info", "gone", **given, snow_grant_type="token", more={"ignore_errors": True}),
            {"name": "how long", "ansible.builtin.debug": {"msg": "{{ handed.expires_in }}"}},
        ],
        instance,
        "-vvv",
        shell=shell,
    ).went_well()
    assert "censored" in run["fetch"].result
    assert run["use"]["instance"]["grant_type"] == "token"
    assert run["predict"].writes == {}
    assert not run["use again"].failed
    assert run["revoke"].writes == {"POST /oauth_revoke_token.do": 1}
    assert "The access token has expired, was revoked" in run["gone"].message
    assert int(run["how long"]["msg"]) > 1700
    issued = instance.ask_for_token(
        **PAIR, grant_type="password", username=instance.access.username, password=instance.access.password
    )
    assert issued["access_token"] not in run.output


def test_a_sign_in_without_a_token_has_none_to_hand_over(playbook: Playbooks, instance: Instance) -> None:
    wrong = {"ignore_errors": True}
    run = playbook(
        [task("snow_token", "basic", more=wrong), task("snow_token", "which", state="absent", more=wrong)], instance
    )
    assert "snow_grant_type basic has no token" in run["basic"].message
    assert "set snow_access_token" in run["which"].message
