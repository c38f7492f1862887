# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_instance: a whole instance in one plan."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, task

MODULE = "snow_instance"
WHOLE: dict[str, Any] = {
    "roles": [{"name": "defender_all", "contains": ["defender_reader"]}, {"name": "defender_reader"}],
    "users": [{"user_name": "svc_defender", "password": "first-Pass-1", "roles": ["defender_all"]}],
    "oauth_applications": [{"name": "Defender", "client_secret": "secret-one-1", "oauth_user": "svc_defender"}],
    "table_acls": [{"role": "defender_reader", "tables": ["incident"]}],
    "properties": {"acme.flag": True},
    "plugins": [{"id": "com.glide.rest"}],
    "records": [{"table": "sys_user_group", "match": {"name": "Cloud Security"}, "values": {"description": "Ours"}}],
}
GONE: dict[str, Any] = {
    "roles": [{"name": "defender_all", "state": "absent"}, {"name": "defender_reader", "state": "absent"}],
    "users": [{"user_name": "svc_defender", "state": "absent"}],
    "oauth_applications": [{"name": "Defender", "state": "absent"}],
    "records": [{"table": "sys_user_group", "match": {"name": "Cloud Security"}, "state": "absent"}],
}


def test_a_whole_instance_is_created_and_deleted(playbook: Playbooks, new_instance: NewInstance) -> None:
    run, instance = run_lifecycle(
        playbook, new_instance, task(MODULE, "create", **WHOLE), task(MODULE, "delete", **GONE)
    )
    created = {entry["object"]: entry["status"] for entry in run["create: real"]["results"]}
    assert created == {
        "role defender_all": "changed",
        "role defender_reader": "changed",
        "user svc_defender": "changed",
        "oauth_application Defender": "changed",
        "table_acl incident (defender_reader)": "needs_elevation",
        "sys_user_group Cloud Security": "changed",
        "property acme.flag": "changed",
        "plugin com.glide.rest": "ok",
    }
    assert len(run["create: real"]["manual_steps"]) == 1
    for table, name in (("sys_user_role", "defender_all"), ("oauth_entity", "Defender")):
        assert not instance.rows(table, name=name)
    assert not instance.rows("sys_user", user_name="svc_defender")


def test_what_refers_to_each_other_is_created_in_the_right_order(playbook: Playbooks, instance: Instance) -> None:
    playbook([task(MODULE, **WHOLE)], instance).went_well()
    user = instance.row("sys_user", user_name="svc_defender")
    assert instance.row("oauth_entity", name="Defender")["user"] == user["sys_id"]
    assert instance.roles_of("svc_defender", inherited="false") == ["defender_all"]
    assert instance.roles_of("svc_defender", inherited="true") == ["defender_reader"]


def test_an_unknown_role_or_user_stops_a_run_that_has_written_nothing(playbook: Playbooks, instance: Instance) -> None:
    before = instance.content()
    new_role = {"roles": [{"name": "defender_reader"}]}
    wrong: dict[str, dict[str, Any]] = {
        "no role": {**new_role, "users": [{"user_name": "svc_defender", "roles": ["no_such_role"]}]},
        "no user": {**new_role, "oauth_applications": [{"name": "Defender", "oauth_user": "missing"}]},
        "no contained": {"roles": [{"name": "defender_reader", "contains": ["no_such_role"]}]},
        "lifespan": {**new_role, "oauth_applications": [{"name": "Defender", "access_token_lifespan": 0}]},
        "field": {**new_role, "users": [{"user_name": "svc_defender", "extra_fields": {"no_such_field": "x"}}]},
        "twice": {"roles": [{"name": "a"}, {"name": "a"}]},
        "absent": {"roles": [{"name": "itil", "state": "absent"}], "users": [{"user_name": "x", "roles": ["itil"]}]},
    }
    run = playbook([task(MODULE, name, more={"ignore_errors": True}, **what) for name, what in wrong.items()], instance)
    words = {
        "no role": "roles names 'no_such_role', but no sys_user_role record has that name",
        "no user": "oauth_user names 'missing', but no sys_user record has that user_name",
        "no contained": "contains names 'no_such_role', but no sys_user_role record has that name",
        "lifespan": "oauth_applications[0].access_token_lifespan must be between 1 and 2147483647 seconds, not 0",
        "field": "sys_user has no field no_such_field",
        "twice": "listed more than once: role a",
        "absent": "role itil is to be deleted, but other objects of this task refer to it",
    }
    for name, expected in words.items():
        assert run[name].failed, name
        assert expected in run[name].message
        assert not run[name].writes, name
    assert instance.content() == before


def test_a_missing_right_is_reported_before_the_first_write(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(users={"half": {"password": "half-Pass-1", "roles": ["user_admin", "itil"]}})
    account = {**instance.connection, "snow_username": "half", "snow_password": "half-Pass-1"}
    refused = playbook([task(MODULE, **WHOLE)], {instance.name: account}).last
    assert refused.failed
    assert "half may not write oauth_application Defender" in refused.message
    assert "oauth_admin, mi_admin, admin" in refused.message
    assert "Nothing was written" in refused.message
    assert not refused.writes


def test_a_read_only_account_is_refused_before_the_first_write(playbook: Playbooks, new_instance: NewInstance) -> None:
    roles = ["oauth_admin", "user_admin", "itil", "snc_read_only"]
    instance = new_instance(users={"looker": {"password": "look-Pass-1", "roles": roles}})
    account = {**instance.connection, "snow_username": "looker", "snow_password": "look-Pass-1"}
    desired = {"oauth_applications": [{"name": "Defender"}]}
    run = playbook(
        [
            task(MODULE, "check", more={"check_mode": True, "ignore_errors": True}, **desired),
            task(MODULE, "real", more={"ignore_errors": True}, **desired),
        ],
        {instance.name: account},
    ).went_well()
    for name in ("check", "real"):
        assert run[name].failed and not run[name].writes
        assert "it has the role snc_read_only, which blocks every write" in run[name].message
    assert not instance.rows("oauth_entity", name="Defender")


def test_a_business_rule_that_aborts_is_quoted(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(abort={"oauth_entity": "Acme change freeze"})
    refused = playbook([task(MODULE, oauth_applications=[{"name": "Defender"}])], instance).last
    assert refused.failed
    assert "Acme change freeze" in refused.message
    assert instance.name in refused.message


KINDS: dict[str, dict[str, Any]] = {
    "unknown fields match nothing": {"invalid_query": "no_rows"},
    "counts after access rules": {"total_count": "after_acl"},
    "rows in any order": {"unstable_order": True},
    "choices dropped": {"choice": "drop"},
    "scope restricted by default": {"default_scope_status": "restricted"},
    "no generated secrets": {"auto_generate": False},
    "fresh tokens": {"token_reuse": False},
    "roles by cause": {"role_management_v2": False},
    "xanadu": {"release": "xanadu"},
    "yokohama": {"release": "yokohama"},
    "australia": {"release": "australia"},
    "brazil": {"release": "brazil"},
}


def test_instances_of_every_kind_end_in_sync(playbook: Playbooks, new_instance: NewInstance) -> None:
    made = {kind: new_instance(**knobs) for kind, knobs in KINDS.items()}
    applications = [{**WHOLE["oauth_applications"][0], "scope_restriction": "broad"}]
    desired = {**WHOLE, "oauth_applications": applications}
    pair = {
        "client_id": "{{ (made.results | selectattr('client_id', 'defined') | first).client_id }}",
        "client_secret": "secret-one-1",
        "username": "svc_defender",
        "password": "first-Pass-1",
    }
    run = playbook(
        [
            task(MODULE, "predict", **desired, more={"check_mode": True}),
            task(MODULE, "create", **desired, more={"register": "made"}),
            task(MODULE, "again", **desired),
            task("snow_oauth_check", "prove", **pair),
            task(MODULE, "delete", **GONE),
            task(MODULE, "delete again", **GONE),
        ],
        list(made.values()),
        "-f",
        "4",
    ).went_well()
    for kind, instance in made.items():
        for name, changed in (("predict", True), ("create", True), ("again", False), ("delete", True)):
            assert run.on(instance.name, name).changed is changed, (kind, name)
        assert not run.on(instance.name, "delete again").changed, kind
        assert run.on(instance.name, "prove")["verified"], kind
        assert run.on(instance.name, "predict")["drift"] == run.on(instance.name, "create")["drift"], kind


def test_names_are_taken_as_they_are_also_where_others_refer_to_them(playbook: Playbooks, instance: Instance) -> None:
    desired = {
        "roles": [{"name": "a, b^c", "contains": ["d^ORname=admin"]}, {"name": "d^ORname=admin"}],
        "users": [
            {"user_name": "svc, one^two", "roles": ["a, b^c"]},
            {"user_name": "svc'three", "roles": ["itil"]},
        ],
        "oauth_applications": [{"name": 'App, ^NQ "one"', "oauth_user": "svc, one^two"}, {"name": "Größe & 100 %"}],
        "properties": {"acme,comma": "1", "acme^caret": "2"},
    }
    run = playbook([task(MODULE, "create", **desired), task(MODULE, "again", **desired)], instance).went_well()
    assert not run["again"].changed
    assert instance.roles_of("svc, one^two") == ["a, b^c", "d^ORname=admin"]
    user = instance.row("sys_user", user_name="svc, one^two")
    assert instance.row("oauth_entity", name='App, ^NQ "one"')["user"] == user["sys_id"]


def test_a_name_in_other_case_is_no_name(playbook: Playbooks, instance: Instance) -> None:
    before = instance.content()
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "role": ({"users": [{"user_name": "svc_defender", "roles": ["ITIL"]}]}, "roles names 'ITIL'"),
        "user": ({"users": [{"user_name": "Employee"}]}, "'employee'"),
        "application": ({"oauth_applications": [{"name": "servicenow agent"}]}, "'ServiceNow Agent'"),
        "property": ({"properties": {"Glide.sys.default.tz": "UTC"}}, "'glide.sys.default.tz'"),
    }
    tasks = [task(MODULE, name, **what, more={"ignore_errors": True}) for name, (what, _words) in wrong.items()]
    run = playbook(tasks, instance)
    for name, (_what, words) in wrong.items():
        assert run[name].failed, name
        assert words in run[name].message
    assert instance.content() == before


def with_tokens(instance: Instance) -> list[str]:
    """Add two applications, each with the tokens that a client got; return their names."""
    names = ["Defender A", "Defender B"]
    for name in names:
        pair = {"client_id": f"client {name}", "client_secret": "secret-one-1"}
        instance.add("oauth_entity", name=name, type="client", active="true", **pair)
        access = instance.access
        issued = instance.ask_for_token(
            grant_type="password", username=access.username, password=access.password, **pair
        )
        assert "refresh_token" in issued
    return names


def test_tokens_are_revoked_together(playbook: Playbooks, instance: Instance) -> None:
    revoke = task(MODULE, "revoke", revoke_tokens=with_tokens(instance))
    predict = {**revoke, "name": "predict", "check_mode": True}
    run = playbook([predict, revoke, {**revoke, "name": "again"}], instance).went_well()
    assert run["predict"]["drift"] == run["revoke"]["drift"]
    assert [(entry["before"], entry["after"]) for entry in run["revoke"]["drift"]] == [(2, 0), (2, 0)]
    assert run["revoke"].requests == {"GET /api/now/table/oauth_credential": 2, "POST /api/now/v1/batch": 1}
    assert run["revoke"].inner == {"DELETE /api/now/table/oauth_credential/{sys_id}": 4}
    assert not instance.rows("oauth_credential")
    assert not run["predict"].writes
    assert not run["again"].changed


def test_tokens_that_the_account_may_not_delete_are_a_manual_step(playbook: Playbooks, instance: Instance) -> None:
    names = with_tokens(instance)
    instance.turn(acl={"deny_delete": ["oauth_credential"]})
    run = playbook([task(MODULE, "revoke", revoke_tokens=names)], instance).went_well()
    assert [entry["status"] for entry in run.last["results"]] == ["manual", "manual"]
    steps = {step["id"]: step["reason"] for step in run.last["manual_steps"]}
    assert steps.keys() == {f"tokens:{name}" for name in names}
    for name in names:
        assert f"refused to delete tokens {name}" in steps[f"tokens:{name}"]
    assert not run.last.changed
    assert len(instance.rows("oauth_credential")) == 4
