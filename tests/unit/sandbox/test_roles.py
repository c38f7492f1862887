# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles, grants, inheritance.

See docs/facts/servicenow_platform.md#role-grants, docs/facts/servicenow_platform.md#roles.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sandbox.client import RestClient, error_of

Make = Callable[..., RestClient]


def ids(instance: RestClient, user: str, role: str) -> dict[str, str]:
    return {
        "user": instance.row("sys_user", f"user_name={user}")["sys_id"],
        "role": instance.row("sys_user_role", f"name={role}")["sys_id"],
    }


def grants(instance: RestClient, user: str) -> list[tuple[str, str]]:
    query = f"user.user_name={user}^state=active"
    rows = instance.rows("sys_user_has_role", query, sysparm_fields="role.name,inherited")
    return sorted((row["role.name"], row["inherited"]) for row in rows)


def test_a_grant_adds_the_contained_roles_as_inherited_rows(instance: RestClient) -> None:
    row = instance.insert("sys_user_has_role", ids(instance, "employee", "change_manager"))
    assert row["inherited"] == "false"
    assert grants(instance, "employee") == [
        ("change_manager", "false"),
        ("sn_change_read", "true"),
        ("sn_change_write", "true"),
    ]
    instance.table("sys_user_has_role", row["sys_id"], method="DELETE")
    assert grants(instance, "employee") == []


def test_an_inherited_row_cannot_be_deleted(instance: RestClient) -> None:
    row = instance.row("sys_user_has_role", "user.user_name=itil_agent^role.name=cmdb_read")
    answer = instance.table("sys_user_has_role", row["sys_id"], method="DELETE")
    assert error_of(answer)[:2] == (403, "Operation Failed")


def test_one_row_counts_its_causes_and_may_be_direct_too(instance: RestClient) -> None:
    instance.insert("sys_user_has_role", ids(instance, "employee", "itil"))
    instance.insert("sys_user_has_role", ids(instance, "employee", "change_manager"))
    query = "user.user_name=employee^role.name=sn_change_write"
    inherited = instance.row("sys_user_has_role", query)
    assert (inherited["inherited"], inherited["inh_count"]) == ("true", "2")
    direct = instance.insert("sys_user_has_role", ids(instance, "employee", "sn_change_write"))
    assert instance.row("sys_user_has_role", query)["inherited"] == "false"
    # Removing the direct grant leaves the inherited one.
    assert instance.table("sys_user_has_role", direct["sys_id"], method="DELETE").status_code == 204
    left = instance.row("sys_user_has_role", query)
    assert (left["inherited"], left["inh_count"]) == ("true", "2")


def test_a_second_direct_grant_is_refused_with_counted_inheritance(instance: RestClient) -> None:
    body = ids(instance, "employee", "itil")
    instance.insert("sys_user_has_role", body)
    assert instance.table("sys_user_has_role", method="POST", body=body).status_code == 403


def test_without_counted_inheritance_duplicates_are_normal(make: Make) -> None:
    instance = make(role_management_v2=False)
    for role in ("itil", "change_manager", "itil"):
        instance.insert("sys_user_has_role", ids(instance, "employee", role))
    found = grants(instance, "employee")
    assert found.count(("itil", "false")) == 2
    assert found.count(("sn_change_write", "true")) == 3
    first = instance.rows("sys_user_has_role", "user.user_name=employee^role.name=itil")[0]["sys_id"]
    instance.table("sys_user_has_role", first, method="DELETE")
    assert grants(instance, "employee").count(("sn_change_write", "true")) == 2


def test_a_change_of_containment_reaches_every_holder(instance: RestClient) -> None:
    role = instance.insert("sys_user_role", {"name": "custom_table_access"})
    instance.insert("sys_user_has_role", ids(instance, "employee", "custom_table_access"))
    rest = instance.row("sys_user_role", "name=rest_service")["sys_id"]
    link = instance.insert("sys_user_role_contains", {"role": role["sys_id"], "contains": rest})
    assert grants(instance, "employee") == [("custom_table_access", "false"), ("rest_service", "true")]
    instance.table("sys_user_role_contains", link["sys_id"], method="DELETE")
    assert grants(instance, "employee") == [("custom_table_access", "false")]


def test_members_inherit_the_roles_of_groups(instance: RestClient) -> None:
    assert ("itil", "true") in grants(instance, "group_member")
    membership = instance.row("sys_user_grmember", "user.user_name=group_member")
    instance.table("sys_user_grmember", membership["sys_id"], method="DELETE")
    assert grants(instance, "group_member") == []


def test_only_an_administrator_grants_admin_directly_or_in_a_wrapper(instance: RestClient) -> None:
    manager = instance.user("user_manager")
    for role in ("admin", "security_admin"):
        answer = manager.table("sys_user_has_role", method="POST", body=ids(instance, "employee", role))
        assert answer.status_code == 403, role
    wrapper = manager.insert("sys_user_role", {"name": "wrapper"})
    admin = instance.row("sys_user_role", "name=admin")["sys_id"]
    body = {"role": wrapper["sys_id"], "contains": admin}
    assert manager.table("sys_user_role_contains", method="POST", body=body).status_code == 403
    assert manager.insert("sys_user_has_role", ids(instance, "employee", "itil"))
    assert instance.insert("sys_user_has_role", ids(instance, "employee", "admin"))


def test_a_role_cannot_contain_itself_and_its_name_is_unique(instance: RestClient) -> None:
    itil = instance.row("sys_user_role", "name=itil")["sys_id"]
    write = instance.row("sys_user_role", "name=sn_change_write")["sys_id"]
    body = {"role": write, "contains": itil}
    assert instance.table("sys_user_role_contains", method="POST", body=body).status_code == 403
    assert instance.table("sys_user_role", method="POST", body={"name": "itil"}).status_code == 403


@pytest.mark.parametrize("table", ["sys_user", "sys_user_role"])
def test_deleting_a_user_or_a_role_deletes_the_grants(instance: RestClient, table: str) -> None:
    role = instance.insert("sys_user_role", {"name": "custom_table_access"})
    user = instance.insert("sys_user", {"user_name": "svc"})
    instance.insert("sys_user_has_role", {"user": user["sys_id"], "role": role["sys_id"]})
    instance.table(table, (user if table == "sys_user" else role)["sys_id"], method="DELETE")
    assert not [row for row in instance.rows("sys_user_has_role") if row["user"]["value"] == user["sys_id"]]


def test_the_inheritance_api_shows_where_roles_come_from(instance: RestClient) -> None:
    user = instance.row("sys_user", "user_name=group_member")["sys_id"]
    path = f"api/global/user_role_inheritance?user_sysid={user}"
    result = instance.user("user_manager").call("GET", path).json()["result"]
    assert result["user_name"] == "group_member"
    assert "[Cloud Platform]/itil/sn_change_write/sn_change_read" in result["from_group"]
    assert result["from_role"] == []
    assert instance.user("employee").call("GET", path).status_code == 403
    agent = instance.row("sys_user", "user_name=itil_agent")["sys_id"]
    result = instance.call("GET", f"api/global/user_role_inheritance?user_sysid={agent}").json()["result"]
    assert result["from_role"][0] == "/itil"
