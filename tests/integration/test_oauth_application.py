# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_oauth_application: an entry of the Application Registry."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task

NAME = "Microsoft Defender"
MODULE = "snow_oauth_application"


def test_an_application_is_created_changed_and_deleted(playbook: Playbooks, new_instance: NewInstance) -> None:
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        task(MODULE, "create", name=NAME, client_secret="first-secret-1", access_token_lifespan=3600,
             refresh_token_lifespan=7776000, scope_restriction="broad",
             redirect_urls=["https://a.example.com/cb", "https://b.example.com/cb?x=1&y=2"]),
        task(MODULE, "change", name=NAME, client_secret="second-secret-2", access_token_lifespan=7200, comments="Ours",
             redirect_urls=["https://a.example.com/cb"], logo_url="https://a.example.com/logo.png",
             scope_restriction="restricted", oauth_user="service_owner", default_grant_type="password",
             extra_fields={"token_format": "jwt", "use_pkce": True}),
        task(MODULE, "deactivate", name=NAME, active=False),
        task(MODULE, "activate", name=NAME, active=True, client_secret="second-secret-2"),
        task(MODULE, "delete", name=NAME, state="absent"),
        task(MODULE, "keep", name="Kept", client_id="kept-client-id"),
    )  # fmt: skip
    created = run["create: real"]["oauth_application"]
    assert created["name"] == NAME
    assert len(created["client_id"]) == 32
    assert created["access_token_lifespan"] == 3600
    assert created["refresh_token_lifespan"] == 7776000
    assert created["redirect_urls"] == ["https://a.example.com/cb", "https://b.example.com/cb?x=1&y=2"]
    assert created["scope_restriction"] == "broad"
    assert created["active"] is True
    assert "client_secret" not in created
    assert run["create: real"].writes == {
        "POST /api/now/table/oauth_entity": 1,
        "PATCH /api/now/table/oauth_entity/{sys_id}": 1,
    }
    changed = {entry["field"]: (entry["before"], entry["after"]) for entry in run["change: check"]["drift"]}
    assert changed["access_token_lifespan"] == ("3600", "7200") or changed["access_token_lifespan"] == (3600, 7200)
    assert changed["scope_restriction"] == ("broad", "restricted")
    assert changed["oauth_user"] == ("", "service_owner")
    assert changed["client_secret"] == ("******** (value on the platform)", "******** (desired value)")
    assert run["change: real"]["oauth_application"]["oauth_user"] == "service_owner"
    assert run["delete: real"].writes == {
        "PATCH /api/now/table/oauth_entity/{sys_id}": 1,
        "DELETE /api/now/table/oauth_entity/{sys_id}": 1,
    }, "an application is deactivated before it is deleted"
    assert not instance.rows("oauth_entity", name=NAME)
    assert instance.row("oauth_entity", name="Kept")["client_id"] == "kept-client-id"


def test_the_secret_opens_the_token_endpoint_at_once(playbook: Playbooks, instance: Instance) -> None:
    run = playbook(
        [
            task(MODULE, name=NAME, client_secret="made-by-us-1", more={"register": "made"}),
            task(
                "snow_oauth_check",
                client_id="{{ made.oauth_application.client_id }}",
                client_secret="made-by-us-1",
                username=instance.access.username,
                password=instance.access.password,
            ),
        ],
        instance,
    ).went_well()
    assert run.last["verified"] is True


def test_two_applications_of_one_name_are_both_named_and_neither_is_touched(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(dup=[NAME])
    one, other = sorted(row["sys_id"] for row in instance.rows("oauth_entity", name=NAME))
    change: dict[str, Any] = {"name": NAME, "comments": "Ours"}
    again = {"ignore_errors": True}
    run = playbook(
        [
            task(MODULE, "both", **change, more=again),
            task(MODULE, "delete both", name=NAME, state="absent", more=again),
            task(MODULE, "one", **change, sys_id=one),
            task(MODULE, "one again", **change, sys_id=one),
            task(MODULE, "delete one", name=NAME, sys_id=other, state="absent"),
            task(MODULE, "delete it again", name=NAME, sys_id=other, state="absent"),
            task(MODULE, "now by name", **change),
        ],
        instance,
    ).went_well()
    for name in ("both", "delete both"):
        assert run[name].failed
        assert one in run[name].message
        assert other in run[name].message
        assert "sys_id" in run[name].message
        assert not run[name].writes
    assert run["one"].changed
    assert not run["one again"].changed
    assert run["delete one"].changed
    assert not run["delete it again"].changed
    assert not run["now by name"].changed
    assert instance.row("oauth_entity", name=NAME)["sys_id"] == one


def test_an_outbound_provider_of_the_same_name_is_another_thing(playbook: Playbooks, instance: Instance) -> None:
    run = playbook(
        [
            task(MODULE, "provider", name="Mail Relay", comments="Ours", more={"ignore_errors": True}),
            task(MODULE, "client", name="ServiceNow Agent", active=True),
        ],
        instance,
    )
    assert "exists on the instance as oauth_provider" in run["provider"].message
    assert not run["provider"].writes
    assert not run["client"].changed


def test_a_sys_id_renames(playbook: Playbooks, instance: Instance) -> None:
    sys_id = instance.add("oauth_entity", name="Old name")
    rename = {"name": NAME, "sys_id": sys_id}
    run = playbook([task(MODULE, "rename", **rename), task(MODULE, "again", **rename)], instance).went_well()
    assert run["rename"]["drift"] == [
        {"object": f"oauth_application {NAME}", "field": "name", "before": "Old name", "after": NAME}
    ]
    assert not run["again"].changed
    assert instance.row("oauth_entity", sys_id=sys_id)["name"] == NAME


def test_a_release_without_the_column_has_broad_scope_only(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(release="xanadu")
    before = instance.content()
    broad = task(MODULE, "broad", name=NAME, scope_restriction="broad")
    run = playbook(
        [
            task(MODULE, "restricted", name=NAME, scope_restriction="restricted", more={"ignore_errors": True}),
            broad,
            {**broad, "name": "broad again"},
            task(MODULE, "restricted later", name=NAME, scope_restriction="restricted", more={"ignore_errors": True}),
        ],
        instance,
    ).went_well()
    for name in ("restricted", "restricted later"):
        assert run[name].failed
        assert "oauth_entity has no field scope_restriction_status" in run[name].message
        assert "use a release that has it" in run[name].message
        assert not run[name].writes
    assert run["broad"].changed
    assert not run["broad again"].changed
    assert len(instance.content()["oauth_entity"]) == len(before["oauth_entity"]) + 1


@pytest.mark.parametrize("lifespan", [0, -1, 2147483648])
def test_a_lifespan_is_a_positive_number_of_seconds(playbook: Playbooks, instance: Instance, lifespan: int) -> None:
    refused = playbook([task(MODULE, name=NAME, access_token_lifespan=lifespan)], instance).last
    assert refused.failed
    assert f"access_token_lifespan must be between 1 and 2147483647 seconds, not {lifespan}" in refused.message
    assert not refused.requests, "no request was necessary"
