# SPDX-License-Identifier: GPL-3.0-or-later
"""What each resource is, beyond what the engine does for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.resources.instance import (
    INSTANCE_OPTIONS,
    resources_of,
)
from tests.unit.plugins.module_utils.builders import acls, application, params, record, role, user
from tests.unit.plugins.module_utils.fake_store import Platform, shown


@pytest.fixture
def platform() -> Platform:
    return Platform()


# -- accounts -------------------------------------------------------------------------------------------------------------


def test_a_service_account_cannot_sign_in_to_pages_by_default(platform: Platform) -> None:
    platform.ensure(user("a"), user("b", web_service_access_only=False))
    assert platform.row("sys_user", "a")["web_service_access_only"] == "true"
    assert platform.row("sys_user", "b")["web_service_access_only"] == "false"


def test_what_is_not_set_of_an_existing_account_is_not_managed(platform: Platform) -> None:
    # NULL is what most accounts have.
    for name, web_only, active in (("a", "false", "true"), ("b", "", "false")):
        platform.add("sys_user", user_name=name, web_service_access_only=web_only, active=active)
        assert not platform.ensure(user(name, roles=[])).changed
        assert platform.row("sys_user", name)["web_service_access_only"] == web_only
        assert platform.row("sys_user", name)["active"] == active


def test_defaults_of_what_is_created_are_verified(platform: Platform) -> None:
    result = platform.ensure(user("a"), application("A"))
    assert [row["active"] for row in result.output["results"]] == [True, True]
    assert result.output["results"][0]["web_service_access_only"] is True


def test_whether_an_existing_application_is_active_is_managed_only_if_set(platform: Platform) -> None:
    platform.add("oauth_entity", name="A", active="false")
    assert not platform.ensure(application("A", comments="")).changed
    assert platform.ensure(application("A", active=True)).changed
    assert platform.row("oauth_entity", "A")["active"] == "true"


def test_a_password_of_the_desired_state_needs_no_change_at_first_use(platform: Platform) -> None:
    # The flag blocks the password grant (docs/facts/servicenow_platform.md#users).
    platform.add("sys_user", user_name="a", web_service_access_only="true", password_needs_reset="true")
    assert not platform.ensure(user("a")).changed
    platform.ensure(user("a", password="Pass-word-1"))
    assert platform.row("sys_user", "a")["password_needs_reset"] == "false"


@pytest.mark.parametrize(("state", "active"), [("present", "true"), ("disabled", "false")])
def test_a_state_sets_whether_an_account_is_active(platform: Platform, state: str, active: str) -> None:
    for there in ("true", "false", None):
        name = f"user-{there}"
        if there:
            platform.add("sys_user", user_name=name, active=there)
        platform.ensure(user(name, state=state))
        assert platform.row("sys_user", name)["active"] == active
        assert not platform.ensure(user(name, state=state)).changed


def test_a_locked_account_is_not_unlocked_unasked(platform: Platform) -> None:
    platform.add("sys_user", user_name="a", web_service_access_only="true", locked_out="true")
    assert not platform.ensure(user("a")).changed
    platform.tables["sys_user"][platform.id_of("sys_user", "a")]["failed_attempts"] = "7"
    result = platform.ensure(user("a", extra_fields={"locked_out": False}))
    assert Drift("user a", "locked_out", "true", "false") in result.drift
    assert platform.warnings == [
        "acme-dev: user a is locked out after 7 failed sign-ins. A client that signs in with an old password locks it again once it is unlocked"
    ]
    assert platform.row("sys_user", "a")["locked_out"] == "false"


def test_a_release_without_identity_types_is_reported(platform: Platform) -> None:
    platform.add("sys_user", user_name="other")
    platform.unreadable.add(("sys_user", "identity_type"))
    with pytest.raises(InvalidInput, match="sys_user has no field identity_type"):
        platform.ensure(user("a", identity_type="machine"))
    assert platform.log == []
    platform.ensure(user("a"))


# -- applications ---------------------------------------------------------------------------------------------------------


def test_a_new_application_is_a_client(platform: Platform) -> None:
    platform.ensure(application("A"))
    ((_verb, _table, sent),) = platform.log
    assert sent == {"type": "client", "name": "A", "active": "true"}


def test_the_type_of_an_application_that_is_there_is_left_alone(platform: Platform) -> None:
    platform.add("oauth_entity", name="A", type="")
    assert not platform.ensure(application("A")).changed


@pytest.mark.parametrize(("desired", "status"), [("broad", "unrestricted"), ("restricted", "restricted")])
def test_a_scope_restriction_is_set_explicitly(platform: Platform, desired: str, status: str) -> None:
    # The default of the column is unknown (docs/facts/servicenow_platform.md#scope-restriction).
    platform.ensure(application("A", scope_restriction=desired))
    assert platform.row("oauth_entity", "A")["scope_restriction_status"] == status
    assert not platform.ensure(application("A", scope_restriction=desired)).changed


@pytest.mark.parametrize("lifespan", [1, 3600, 7_776_000, 2**31 - 1])
@pytest.mark.parametrize("name", ["access_token_lifespan", "refresh_token_lifespan"])
def test_a_lifespan_is_a_positive_number_of_seconds(platform: Platform, name: str, lifespan: int) -> None:
    platform.ensure(application("A", **{name: lifespan}))
    assert platform.row("oauth_entity", "A")[name] == str(lifespan)


@pytest.mark.parametrize(
    ("make", "column"),
    [
        (lambda extra: application("A", extra_fields=extra), "redirect_url"),
        (lambda extra: application("A", extra_fields=extra), "client_secret"),
        (lambda extra: application("A", extra_fields=extra), "scope_restriction_status"),
        (lambda extra: user("a", extra_fields=extra), "user_password"),
        (lambda extra: user("a", extra_fields=extra), "active"),
    ],
)
def test_extra_fields_do_not_get_around_an_option(make: Callable[[dict[str, Any]], Any], column: str) -> None:
    with pytest.raises(InvalidInput, match=f"extra_fields names {column}, which has an option of its own"):
        make({column: "x"})


# -- rows of any table ----------------------------------------------------------------------------------------------------


def test_a_record_is_created_changed_and_deleted(platform: Platform) -> None:
    desired = {"values": {"u_count": 5, "u_on": True, "u_note": ""}}
    platform.ensure(record("u_thing", {"u_name": "a", "u_kind": "x"}, **desired))
    assert platform.log == [
        ("create", "u_thing", {"u_name": "a", "u_kind": "x", "u_count": "5", "u_on": "true", "u_note": ""})
    ]
    result = platform.ensure(record("u_thing", {"u_name": "a", "u_kind": "x"}, values={"u_on": False, "u_count": 5}))
    assert [(d.object, d.field, d.before, d.after) for d in result.drift] == [("u_thing a, x", "u_on", "true", "false")]
    assert platform.ensure(record("u_thing", {"u_name": "a", "u_kind": "x"}, state="absent")).changed
    assert platform.tables["u_thing"] == {}


def test_a_value_that_is_not_given_is_not_managed(platform: Platform) -> None:
    platform.ensure(record("u_thing", {"u_name": "a"}, values={"u_note": "n"}))
    assert not platform.ensure(record("u_thing", {"u_name": "a"}, values={"u_note": None})).changed


RECORD_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to match": ({"match": {}}, "match must name at least one column, each with a value"),
    "an empty value": ({"match": {"u_name": ""}}, "match must name at least one column, each with a value"),
    "no value": ({"match": {"u_name": None}}, "match must name at least one column, each with a value"),
    "write-only, but not set": (
        {"match": {"u_name": "a"}, "write_only": ["u_x"]},
        "write_only names u_x, which values",
    ),
    "two values for one column": (
        {"match": {"u_name": "a"}, "values": {"u_name": "b"}},
        "match and values disagree on u_name",
    ),
    "access rules": (
        {"table": "sys_security_acl", "match": {"name": "x"}},
        "cannot be written without elevation.*snow_table_acls",
    ),
    "roles of access rules": ({"table": "sys_security_acl_role", "match": {"x": "x"}}, "use snow_table_acls"),
}


@pytest.mark.parametrize(("given", "words"), RECORD_MISTAKES.values(), ids=RECORD_MISTAKES)
def test_an_invalid_record_is_refused_before_the_first_request(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        record(**{"table": "u_thing", **given})


@pytest.mark.parametrize(
    "given", [{"match": {"user.user_name": "a"}}, {"match": {"role": "x"}, "values": {"user.active": True}}]
)
def test_a_record_does_not_write_columns_of_another_table(platform: Platform, given: dict[str, Any]) -> None:
    platform.add("sys_user_has_role")
    with pytest.raises(InvalidInput):
        platform.ensure(record("sys_user_has_role", **given))
    assert platform.log == []


@pytest.mark.parametrize(
    ("table", "roles"), [("oauth_entity", "oauth_admin"), ("sys_user", "user_admin"), ("sys_user_role", "user_admin")]
)
def test_a_record_requires_the_right_of_its_table(platform: Platform, table: str, roles: str) -> None:
    platform.roles = frozenset({"itil"})
    with pytest.raises(Exception, match=f"it needs one of the roles {roles}"):
        platform.ensure(record(table, {"name" if table != "sys_user" else "user_name": "x"}))
    assert platform.log == []


# -- access rules ---------------------------------------------------------------------------------------------------------


def rule(platform: Platform, table: str, role_name: str, **values: str) -> None:
    """Let a rule of `table` take a role."""
    acl = platform.add("sys_security_acl", name=table, **values)
    platform.add(
        "sys_security_acl_role", sys_security_acl=acl, sys_user_role=platform.id_of("sys_user_role", role_name)
    )


@pytest.fixture
def ruled(platform: Platform) -> Platform:
    """An instance with two roles and four tables, each with a rule for the other role."""
    for name in ("u_defender", "itil"):
        platform.add("sys_user_role", name=name)
    for table in ("incident", "sys_user", "syslog", "sysevent"):
        platform.add("sys_db_object", name=table)
        rule(platform, table, "itil")
    return platform


def verdicts(platform: Platform, *tables: str) -> dict[str, str]:
    results = platform.ensure(acls("u_defender", *tables)).output["results"]
    assert all(entry["role"] == "u_defender" for entry in results)
    return {entry["table"]: entry["status"] for entry in results}


def test_a_table_is_granted_missing_or_needs_elevation(ruled: Platform) -> None:
    rule(ruled, "incident", "u_defender")
    assert verdicts(ruled, "incident", "sys_user", "u_gone", "v_user_session") == {
        "incident": "granted",
        "sys_user": "needs_elevation",
        "u_gone": "missing",
        "v_user_session": "needs_elevation",
    }
    assert ruled.log == [], "access rules are never written (docs/facts/servicenow_platform.md#access-rules)"


@pytest.mark.parametrize(
    "values", [{"operation": "write"}, {"type": "field"}, {"active": "false"}], ids=["operation", "type", "inactive"]
)
def test_a_rule_of_another_kind_grants_nothing(ruled: Platform, values: dict[str, str]) -> None:
    rule(ruled, "incident", "u_defender", **values)
    assert verdicts(ruled, "incident") == {"incident": "needs_elevation"}


def test_a_rule_that_denies_grants_nothing(ruled: Platform) -> None:
    rule(ruled, "incident", "u_defender", decision_type="deny")
    assert verdicts(ruled, "incident") == {"incident": "needs_elevation"}
    rule(ruled, "incident", "u_defender")
    (entry,) = ruled.ensure(acls("u_defender", "incident")).output["results"]
    assert (entry["status"], "denies access" in entry["note"]) == ("granted", True)


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ({"condition": "active=true"}, "a condition of the rule narrows which rows"),
        ({"advanced": "true", "script": "answer = gs.hasRole('admin')"}, "a script of the rule narrows which rows"),
        ({"advanced": "false", "script": "answer = false"}, None),
    ],
)
def test_what_narrows_a_grant_is_noted(ruled: Platform, values: dict[str, str], note: str | None) -> None:
    rule(ruled, "incident", "u_defender", **values)
    (entry,) = ruled.ensure(acls("u_defender", "incident")).output["results"]
    assert (entry["status"], entry.get("note")) == ("granted", note)
    assert set(ruled.warnings) == (
        {f"acme-dev: table_acl incident (u_defender) is granted, but {note}"} if note else set()
    )
    rule(ruled, "incident", "u_defender")
    assert "note" not in ruled.ensure(acls("u_defender", "incident")).output["results"][0]


def test_grants_that_cannot_be_read_are_unknown(ruled: Platform) -> None:
    ruled.closed = {"sys_security_acl_role"}
    assert verdicts(ruled, "incident") == {"incident": "unknown"}


def test_what_is_not_granted_is_drift_and_one_manual_step(ruled: Platform) -> None:
    predicted = ruled.ensure(acls("u_defender", "incident", "syslog", "u_gone"), check=True)
    result = ruled.ensure(acls("u_defender", "incident", "syslog", "u_gone"))
    assert shown(predicted) == shown(result)
    assert not result.changed
    assert {(d.object, d.before, d.after) for d in result.drift} == {
        ("table_acl incident (u_defender)", "needs_elevation", "granted"),
        ("table_acl syslog (u_defender)", "needs_elevation", "granted"),
        ("table_acl u_gone (u_defender)", "missing", "granted"),
    }
    (step,) = result.manual_steps
    assert "security_admin" in step.reason
    assert step.values["Name"] == "incident, syslog"
    assert step.values["Requires role"] == "u_defender"
    assert step.values["Operation"] == "read"


def test_rules_that_cannot_be_read_are_unknown_not_missing(platform: Platform) -> None:
    platform.add("sys_db_object", name="incident")
    result = platform.ensure(acls("u_defender", "incident"))
    assert [entry["status"] for entry in result.output["results"]] == ["unknown"]
    assert (result.drift, result.manual_steps) == ([], [])
    assert "whether role u_defender may read incident is unknown" in platform.warnings[0]


def test_a_table_without_any_rule_is_distinguished_from_unreadable_rules(ruled: Platform) -> None:
    ruled.add("sys_db_object", name="u_new")
    assert verdicts(ruled, "u_new") == {"u_new": "needs_elevation"}


def test_all_tables_granted_is_in_sync(ruled: Platform) -> None:
    for table in ("incident", "syslog"):
        rule(ruled, table, "u_defender")
    result = ruled.ensure(acls("u_defender", "incident", "syslog", "incident"))
    assert (result.changed, result.drift, result.manual_steps) == (False, [], [])
    assert len(result.output["results"]) == 2


# -- a whole instance -----------------------------------------------------------------------------------------------------


def test_a_whole_instance_is_every_kind_at_once(platform: Platform) -> None:
    desired = params(
        INSTANCE_OPTIONS,
        {
            "roles": [{"name": "u_defender", "state": "present"}],
            "users": [
                {"user_name": "svc", "state": "present", "update_password": "on_mismatch", "roles": ["u_defender"]}
            ],
            "oauth_applications": [
                {"name": "A", "state": "present", "update_secret": "on_mismatch", "oauth_user": "svc", "active": True}
            ],
            "table_acls": [{"role": "u_defender", "tables": ["incident"], "operation": "read"}],
            "properties": {"glide.x": True},
            "plugins": [{"id": "com.x", "state": "active"}],
            "records": [{"table": "u_thing", "match": {"u_name": "a"}, "state": "present"}],
        },
    )
    result = platform.ensure(*resources_of(desired))
    assert platform.verbs == [
        "create sys_user_role", "create sys_user", "create sys_user_has_role", "create oauth_entity", "create sys_properties",
        "perform v_plugin", "create u_thing",
    ]  # fmt: skip
    assert len(result.output["results"]) == 7
    assert not platform.ensure(*resources_of(desired)).changed


def test_an_empty_desired_state_is_in_sync(platform: Platform) -> None:
    assert not platform.ensure(*resources_of(params(INSTANCE_OPTIONS, {}))).changed


@pytest.mark.parametrize(
    ("option", "entry"),
    [
        ("roles", {"name": "r", "state": "present"}),
        ("users", {"user_name": "r", "state": "present", "update_password": "always"}),
        ("records", {"table": "u_thing", "match": {"u_name": "r"}, "state": "present"}),
    ],
)
def test_an_object_that_is_listed_twice_is_refused(option: str, entry: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="listed more than once: .*r"):
        resources_of(params(INSTANCE_OPTIONS, {option: [entry, dict(entry)]}))


def test_a_role_and_a_user_may_have_one_name(platform: Platform) -> None:
    platform.ensure(role("same"), user("same"))
    assert len(platform.log) == 2
