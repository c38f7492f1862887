# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_record and snow_record_info: rows of any table."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task

MODULE, INFO = "snow_record", "snow_record_info"
GROUP: dict[str, Any] = {"table": "sys_user_group", "match": {"name": "Cloud Security"}}


def test_a_row_is_created_changed_and_deleted(playbook: Playbooks, new_instance: NewInstance) -> None:
    run, instance = run_lifecycle(
        playbook,
        new_instance,
        task(MODULE, "create", **GROUP, values={"description": "Ours", "active": True}),
        task(MODULE, "change", **GROUP, values={"description": "Theirs", "email": "team@example.com", "active": False}),
        task(MODULE, "clear", **GROUP, values={"email": ""}),
        task(MODULE, "delete", **GROUP, state="absent"),
        task(MODULE, "two columns", table="sys_user_grmember",
             match={"user": "6816f79cc0a8016401c5a33be04be441", "group": "00000000000000000000000000000001"}),
    )  # fmt: skip
    assert run["create: check"]["record"] == {"description": "Ours", "active": True, "name": "Cloud Security"}
    assert run["change: real"]["record"]["active"] is False
    assert run["clear: real"]["drift"] == [
        {"object": "sys_user_group Cloud Security", "field": "email", "before": "team@example.com", "after": ""}
    ]
    assert run["delete: real"]["record"] == {}
    assert not instance.rows("sys_user_group", name="Cloud Security")


def test_a_write_only_column_is_written_once_and_never_shown(playbook: Playbooks, instance: Instance) -> None:
    desired = {"table": "jwt_verifier_map", "match": {"name": "Acme key"}}
    secret = task(MODULE, **desired, values={"kid": "k1", "shared_key": "hidden-key-1"}, write_only=["shared_key"])
    run = playbook(
        [{**secret, "name": "check", "check_mode": True}, {**secret, "name": "real"}, {**secret, "name": "again"}],
        instance,
    ).went_well()
    assert run["real"].writes == {
        "POST /api/now/table/jwt_verifier_map": 1,
        "PATCH /api/now/table/jwt_verifier_map/{sys_id}": 1,
    }
    assert "shared_key" not in run["real"]["record"]
    assert not run["again"].changed
    assert "hidden-key-1" not in run.output + str([done.result for done in run.done])
    assert instance.row("jwt_verifier_map", name="Acme key")["shared_key"].startswith("$KMF$")


def test_a_field_the_table_does_not_have_is_named_before_anything_is_written(
    playbook: Playbooks, instance: Instance
) -> None:
    wrong, before = {"ignore_errors": True}, len(instance.rows("sys_user_group"))
    run = playbook(
        [
            task(MODULE, "new", **GROUP, values={"no_such_field": "x"}, more=wrong),
            task(MODULE, "old", table="sys_user_group", match={"name": "Service Desk"},
                 values={"no_such_field": "x"}, more=wrong),
            task(MODULE, "table", table="no_such_table", match={"name": "x"}, more=wrong),
            # An unknown field in a condition is dropped by the platform, so every row comes back.
            task(MODULE, "match", table="sys_user_group", match={"no_such_field": "x"}, state="absent", more=wrong),
        ],
        instance,
    )  # fmt: skip
    for name in ("new", "old"):
        assert run[name].failed
        assert "sys_user_group has no field no_such_field on this instance" in run[name].message
    assert "Invalid table no_such_table" in run["table"].message
    assert "check its name" in run["table"].message
    assert not any(done.writes for done in run.done)
    assert len(instance.rows("sys_user_group")) == before


def test_a_choice_the_platform_drops_is_an_error_that_names_it(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(choice="drop")
    run = playbook(
        [
            task(MODULE, table="sys_user", match={"user_name": "employee"}, values={"identity_type": "robot"},
                 more={"ignore_errors": True})
        ],
        instance,
    )  # fmt: skip
    assert run.last.failed
    assert "returned a different value" in run.last.message
    assert "identity_type is" in run.last.message
    assert "'robot'" in run.last.message


def test_commas_carets_and_quotes_in_names_are_taken_as_they_are(playbook: Playbooks, instance: Instance) -> None:
    names = ["A, B and C", "up^ORnameISNOTEMPTY", 'O\'Neil "quoted"', "per%cent+plus&and=is", "Grüße ☃", "name^EQ"]
    before = len(instance.rows("sys_user_group"))
    tasks = [task(MODULE, name, table="sys_user_group", match={"name": name}) for name in names]
    run = playbook([*tasks, *({**each, "name": f"{each['name']} again"} for each in tasks)], instance).went_well()
    assert all(run[name].changed for name in names)
    assert not any(run[f"{name} again"].changed for name in names)
    assert len(instance.rows("sys_user_group")) == before + len(names)
    deleting = [task(MODULE, name, table="sys_user_group", match={"name": name}, state="absent") for name in names]
    assert all(done.changed for done in playbook(deleting, instance).went_well().done)
    assert len(instance.rows("sys_user_group")) == before


def test_a_name_in_other_case_is_not_taken_for_the_same(playbook: Playbooks, instance: Instance) -> None:
    other = {"table": "sys_user_group", "match": {"name": "service desk"}}
    run = playbook(
        [
            task(MODULE, "create", **other, more={"ignore_errors": True}),
            task(MODULE, "delete", **other, state="absent"),
        ],
        instance,
    ).went_well()
    assert "differs from 'service desk' in upper and lower case only" in run["create"].message
    assert not run["delete"].changed
    assert len(instance.rows("sys_user_group", name="Service Desk")) == 1


def test_rows_are_read_as_they_are(playbook: Playbooks, instance: Instance) -> None:
    wrong = {"ignore_errors": True}
    run = playbook(
        [
            task(INFO, "dictionary", table="sys_user", query={"active": False}, fields=["user_name", "active"]),
            task(INFO, "list", table="sys_user", query={"user_name": ["admin", "guest"]}, fields=["user_name"]),
            task(INFO, "encoded", table="sys_user", query="user_nameSTARTSWITHsvc_^ORDERBYuser_name", fields=["user_name"]),
            task(INFO, "limit", table="sys_user", limit=2),
            task(INFO, "nothing", table="sys_user", query={"user_name": "nobody"}),
            task(INFO, "unknown field", table="sys_user", query={"no_such_field": "x"}, more=wrong),
            task(INFO, "unknown table", table="no_such_table", more=wrong),
            task(INFO, "script", table="sys_user", query={"user_name": "javascript:gs.getUserName()"}, more=wrong),
            task(INFO, "secret", table="sys_user", query={"user_name": "admin"}),
        ],
        instance,
    )  # fmt: skip
    assert run["dictionary"]["records"] == [{"active": "false", "user_name": "former"}]
    assert [row["user_name"] for row in run["list"]["records"]] in (["admin", "guest"], ["guest", "admin"])
    assert run["encoded"]["records"] == [{"user_name": "svc_ansible"}]
    assert len(run["limit"]["records"]) == 2
    assert run["nothing"]["records"] == []
    assert "sys_user has no field no_such_field" in run["unknown field"].message
    assert "Invalid table no_such_table" in run["unknown table"].message
    assert "would be run by the instance, so it is never sent" in run["script"].message
    assert run["secret"]["records"][0]["user_password"] == "********"
    assert not any(done.result.get("changed") for done in run.done)


def test_all_pages_are_read(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(unstable_order=True)
    for number in range(1001):
        instance.add("sys_user_grmember", user="employee", group="Service Desk", sys_created_by=f"n{number}")
    run = playbook([task(INFO, table="sys_user_grmember", fields=["sys_id"], limit=0)], instance).went_well()
    found = [row["sys_id"] for row in run.last["records"]]
    assert sorted(found) == sorted(row["sys_id"] for row in instance.rows("sys_user_grmember"))
    assert run.last.requests == {"GET /api/now/table/sys_user_grmember": 2}
