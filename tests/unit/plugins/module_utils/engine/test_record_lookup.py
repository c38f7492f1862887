# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows are meant, and the lists that are kept as rows of their own.

See docs/facts/servicenow_platform.md#encoded-queries, docs/facts/servicenow_platform.md#role-grants.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift
from tests.unit.plugins.module_utils.builders import application, record, role, user
from tests.unit.plugins.module_utils.fake_store import Platform

# -- which row ------------------------------------------------------------------------------------------------------------


def test_two_rows_of_one_name_stop_the_run_and_are_both_named(platform: Platform) -> None:
    ids = sorted(platform.add("oauth_entity", name="A") for _time in range(2))
    with pytest.raises(InvalidInput, match=f"2 oauth_entity records are named A .{ids[0]}, {ids[1]}.*sys_id"):
        platform.ensure(role("u_new"), application("A", access_token_lifespan=1))
    assert platform.log == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_sys_id_picks_one_of_two(platform: Platform, state: str) -> None:
    first, second = (platform.add("oauth_entity", name="A") for _time in range(2))
    platform.ensure(application("A", sys_id=second, comments="x", state=state))
    assert platform.tables["oauth_entity"][first]["comments"] == ""
    assert (second in platform.tables["oauth_entity"]) == (state == "present")


def test_a_sys_id_that_does_not_exist_is_not_created(platform: Platform) -> None:
    with pytest.raises(InvalidInput, match="no oauth_entity record has the sys_id 00"):
        platform.ensure(application("A", sys_id="00"))
    assert not platform.ensure(application("A", sys_id="00", state="absent")).changed


def test_a_sys_id_may_be_renamed(platform: Platform) -> None:
    found = platform.add("oauth_entity", name="Old")
    assert platform.ensure(application("New", sys_id=found)).changed
    assert platform.row("oauth_entity", "New")["sys_id"] == found


@pytest.mark.parametrize(
    ("make", "table", "column"),
    [
        (lambda: user("Svc_Defender"), "sys_user", "user_name"),
        (lambda: role("Svc_Defender"), "sys_user_role", "name"),
        (lambda: application("Svc_Defender"), "oauth_entity", "name"),
    ],
)
def test_a_name_that_differs_in_case_only_is_not_created_again(
    platform: Platform, make: Any, table: str, column: str
) -> None:
    there = platform.add(table, **{column: "svc_defender"})
    with pytest.raises(InvalidInput, match=rf"'svc_defender' \({there}\), which differs from 'Svc_Defender'"):
        platform.ensure(make())
    assert platform.log == []


def test_a_name_that_differs_in_case_only_is_not_removed(platform: Platform) -> None:
    platform.add("sys_user", user_name="svc_defender")
    absent = user("SVC_DEFENDER", state="absent")
    assert not platform.ensure(absent).changed


def test_an_unknown_queried_field_does_not_make_every_row_ours(platform: Platform) -> None:
    # The term is dropped, so the query matches everything (docs/facts/servicenow_platform.md#encoded-queries).
    platform.add("u_thing", u_name="a")
    platform.add("u_thing", u_name="b")
    gone = record("u_thing", {"u_missing": "a"}, state="absent")
    assert not platform.ensure(gone).changed
    assert len(platform.tables["u_thing"]) == 2


def test_a_client_is_distinguished_from_a_provider_of_the_same_name(platform: Platform) -> None:
    provider = platform.add("oauth_entity", name="A", type="oauth_provider")
    with pytest.raises(InvalidInput, match=f"A exists on the instance as oauth_provider .{provider}., not as a client"):
        platform.ensure(application("A"))
    platform.add("oauth_entity", name="A", type="client")
    platform.ensure(application("A", comments="x"))
    assert platform.tables["oauth_entity"][provider]["comments"] == ""


# -- links ----------------------------------------------------------------------------------------------------------------


def test_roles_are_added_to_those_that_are_there(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    result = platform.ensure(user("a", roles=["rest_service"]))
    assert result.drift == [Drift("user a", "roles", ["itil"], ["itil", "rest_service"])]
    assert platform.roles_of("a") == ["itil", "rest_service"]
    assert not platform.ensure(user("a", roles=["rest_service"])).changed


def test_exclusive_roles_are_all_roles(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    desired = user("a", roles=["rest_service"], exclusive_roles=True)
    assert platform.ensure(desired).drift == [Drift("user a", "roles", ["itil"], ["rest_service"])]
    assert platform.roles_of("a") == ["rest_service"]
    assert not platform.ensure(user("a", roles=["rest_service"], exclusive_roles=True)).changed


def test_inherited_roles_count_as_held_and_are_never_deleted(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    assert not platform.ensure(user("a", roles=["itil", "rest_service"])).changed
    assert not platform.ensure(user("a", roles=["itil"], exclusive_roles=True)).changed
    assert platform.roles_of("a") == ["itil", "rest_service"]


def test_a_role_that_fell_with_its_cause_is_granted_in_the_same_run(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    platform.ensure(user("a", roles=["rest_service"], exclusive_roles=True))
    assert platform.roles_of("a", inherited=False) == ["rest_service"]
    assert not platform.ensure(user("a", roles=["rest_service"], exclusive_roles=True)).changed


def test_a_role_that_fell_with_another_objects_change_is_granted_too(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    desired = [role("itil", contains=[]), user("a", roles=["itil", "rest_service"])]
    platform.ensure(*desired)
    assert platform.roles_of("a", inherited=False) == ["itil", "rest_service"]
    assert not platform.ensure(role("itil", contains=[]), user("a", roles=["itil", "rest_service"])).changed


def test_duplicate_grants_are_tolerated_and_removed_together(platform: Platform) -> None:
    # Without Role Management V2 duplicates are normal (docs/facts/servicenow_platform.md#role-grants).
    platform.add("sys_user", user_name="a", web_service_access_only="true")
    platform.grant("a", "itil")
    platform.grant("a", "itil")
    assert not platform.ensure(user("a", roles=["itil"])).changed
    platform.ensure(user("a", roles=[], exclusive_roles=True))
    assert platform.roles_of("a") == []


def test_a_role_contains_exactly_the_desired_roles(platform: Platform) -> None:
    platform.contain("itil", "rest_service")
    result = platform.ensure(role("itil", contains=["admin"]))
    assert result.drift == [Drift("role itil", "contains", ["rest_service"], ["admin"])]
    assert platform.ensure(role("itil", contains=[])).drift == [Drift("role itil", "contains", ["admin"], [])]
    assert not platform.ensure(role("itil")).changed, "left out, it is not managed"


def test_a_name_that_is_listed_twice_is_linked_once(platform: Platform) -> None:
    platform.ensure(user("a", roles=["itil", "itil"]))
    assert platform.verbs.count("create sys_user_has_role") == 1
