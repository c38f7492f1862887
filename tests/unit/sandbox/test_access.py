# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control, by rows and by knobs.

See docs/facts/servicenow_platform.md#encoded-queries, docs/facts/servicenow_platform.md#records-on-the-wire,
docs/facts/servicenow_platform.md#errors, docs/facts/servicenow_platform.md#access-rules,
docs/facts/defender_for_cloud_apps.md#read-account.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sandbox.client import RestClient, error_of

Make = Callable[..., RestClient]
THIRTEEN = (
    "sys_user",
    "sys_user_group",
    "sys_user_grmember",
    "sys_user_has_role",
    "sys_user_role_contains",
    "sys_properties",
    "v_plugin",
    "sysevent_script_action",
    "sys_attachment",
    "sys_attachment_doc",
    "sysevent",
    "syslog_transaction",
    "incident",
)
INSERT_DENIED = (403, "Operation Failed", "ACL Exception Insert Failed due to security constraints")


def grant_read(instance: RestClient, role: str, *tables: str, active: bool = True) -> None:
    instance.sandbox.tamper(instance.name, "sys_user_role", {"name": role}, insert=True)
    for table in tables:
        values = {"name": table, "type": "record", "operation": "read", "active": active}
        (acl,) = instance.sandbox.tamper(instance.name, "sys_security_acl", values, insert=True)
        row = {"sys_security_acl": acl, "sys_user_role": role}
        instance.sandbox.tamper(instance.name, "sys_security_acl_role", row, insert=True)


def test_an_administrator_reads_all_thirteen_tables_and_each_has_its_own_rule(instance: RestClient) -> None:
    for table in THIRTEEN:
        assert instance.rows(table), table
        rules = instance.rows("sys_security_acl", f"type=record^operation=read^active=true^name={table}")
        assert rules, table


def test_a_custom_role_reads_the_thirteen_tables_once_its_rules_exist(instance: RestClient) -> None:
    reader = instance.user("reader", roles=[])
    own = {"sys_user": 1}
    for table in THIRTEEN:
        assert len(reader.rows(table)) == own.get(table, 0), table
    grant_read(instance, "custom_table_access", *THIRTEEN)
    row = {"user": "reader", "role": "custom_table_access"}
    instance.sandbox.tamper(instance.name, "sys_user_has_role", row, insert=True)
    for table in THIRTEEN:
        # One property requires its own read role: its row stays hidden
        # (docs/facts/defender_for_cloud_apps.md#read-account).
        hidden = 1 if table == "sys_properties" else 0
        assert len(reader.rows(table)) == len(instance.rows(table)) - hidden, table


def test_an_inactive_rule_grants_nothing(instance: RestClient) -> None:
    grant_read(instance, "custom_table_access", "sysevent", active=False)
    assert instance.user("reader", roles=["custom_table_access"]).rows("sysevent") == []


def test_rows_hidden_by_read_roles_stay_hidden_from_a_reader_of_the_table(instance: RestClient) -> None:
    reader = instance.user("reader", roles=["oauth_admin"])
    assert reader.rows("sys_properties", "name=glide.buildname")
    assert reader.rows("sys_properties", "name=glide.processors.session.private") == []
    assert instance.rows("sys_properties", "name=glide.processors.session.private")


def test_a_low_privilege_account_gets_no_properties_and_no_error(instance: RestClient) -> None:
    answer = instance.user("plain").table("sys_properties", sysparm_query="name=glide.buildname")
    assert (answer.status_code, answer.json()) == (200, {"result": []})


def test_the_page_is_cut_before_access_control_and_the_count_too(make: Make) -> None:
    instance = make()
    reader = instance.user("reader")
    answer = reader.table("sys_user", sysparm_limit=3)
    assert int(answer.headers["X-Total-Count"]) == 12
    assert answer.json()["result"] == []
    honest = make(total_count="after_acl")
    assert honest.user("reader").table("sys_user").headers["X-Total-Count"] == "1"


def test_plugins_are_empty_or_forbidden_without_rights(instance: RestClient) -> None:
    reader = instance.user("reader")
    assert reader.rows("v_plugin") == []
    assert error_of(reader.table("sys_plugins"))[0] == 403
    assert reader.rows("sys_scope", "scope=global")


@pytest.mark.parametrize("table", ["sys_security_acl", "sys_security_acl_role"])
def test_access_rules_cannot_be_written_by_rest_not_even_by_an_administrator(instance: RestClient, table: str) -> None:
    assert error_of(instance.table(table, method="POST", body={"name": "incident"})) == INSERT_DENIED
    row = instance.rows(table, sysparm_limit=1)[0]["sys_id"]
    assert error_of(instance.table(table, row, method="PATCH", body={"active": "false"}))[0] == 403
    assert error_of(instance.table(table, row, method="DELETE"))[0] == 403
    assert instance.user("itil_agent").rows(table) == []
    assert instance.user("elevated", roles=["security_admin"]).rows(table)


def test_a_property_that_requires_elevation_cannot_be_written_by_rest(instance: RestClient) -> None:
    strict = instance.row("sys_properties", "name=glide.soap.strict_security")
    assert "security_admin" in strict["write_roles"]
    answer = instance.table("sys_properties", strict["sys_id"], method="PATCH", body={"value": "false"})
    assert error_of(answer)[2] == "ACL Exception Update Failed due to security constraints"
    plain = instance.row("sys_properties", "name=glide.ui.session_timeout")
    assert instance.update("sys_properties", plain["sys_id"], {"value": "60"})["value"] == "60"


def test_write_roles_widen_updates_but_creating_a_property_needs_admin(instance: RestClient) -> None:
    match = {"name": "glide.ui.session_timeout"}
    instance.sandbox.tamper(instance.name, "sys_properties", {"write_roles": "oauth_admin"}, match=match)
    manager = instance.user("oauth_manager")
    row = manager.row("sys_properties", "name=glide.ui.session_timeout")
    assert manager.update("sys_properties", row["sys_id"], {"value": "50"})["value"] == "50"
    other = manager.row("sys_properties", "name=glide.buildname")
    assert manager.table("sys_properties", other["sys_id"], method="PATCH", body={"value": "x"}).status_code == 403
    assert error_of(manager.table("sys_properties", method="POST", body={"name": "x"})) == INSERT_DENIED


@pytest.mark.parametrize(
    ("user", "table", "status"),
    [
        ("oauth_manager", "oauth_entity", 201),
        ("oauth_manager", "oauth_jwt", 201),
        ("user_manager", "oauth_entity", 403),
        ("user_manager", "sys_user", 201),
        ("user_manager", "sys_user_role", 201),
        ("oauth_manager", "sys_user", 403),
        ("itil_agent", "incident", 201),
        ("employee", "incident", 403),
        ("itil_agent", "sys_properties", 403),
    ],
)
def test_each_table_is_written_by_its_roles_only(instance: RestClient, user: str, table: str, status: int) -> None:
    body = {"name": "new", "user_name": "new", "short_description": "x"}
    assert instance.user(user).table(table, method="POST", body=body).status_code == status


def test_reading_roles_of_users_needs_itil_and_the_dictionary_its_own_role(instance: RestClient) -> None:
    assert instance.user("itil_agent").rows("sys_user_has_role")
    assert instance.user("employee").rows("sys_user_has_role") == []
    assert instance.user("itil_agent").rows("sys_dictionary", "name=incident") == []
    assert instance.user("dictionary", roles=["personalize_dictionary"]).rows("sys_dictionary", "name=incident")


def test_a_read_only_account_writes_nothing_with_any_role(instance: RestClient) -> None:
    reader = instance.user("reader", roles=["admin", "snc_read_only"])
    assert reader.rows("sys_properties")
    assert error_of(reader.table("oauth_entity", method="POST", body={"name": "A"})) == INSERT_DENIED


def test_callers_can_read_their_own_user_and_incidents(instance: RestClient) -> None:
    employee = instance.user("employee")
    assert [row["user_name"] for row in employee.rows("sys_user")] == ["employee"]
    assert [row["number"] for row in employee.rows("incident")] == ["INC0010001", "INC0010002"]


def test_a_hidden_row_cannot_be_read_or_changed_by_its_id(instance: RestClient) -> None:
    employee = instance.user("employee")
    admin = instance.row("sys_user", "user_name=admin")["sys_id"]
    assert employee.table("sys_user", admin).status_code == 404
    assert employee.table("sys_user", admin, method="PATCH", body={"title": "x"}).status_code == 404


def test_a_token_is_never_shown_and_cannot_be_requested(instance: RestClient) -> None:
    application = instance.application()
    login = {"username": instance.access.username, "password": instance.access.password}
    instance.token(grant_type="password", **login, **application)
    rows = instance.rows("oauth_credential")
    assert {row["type"] for row in rows} == {"access_token", "refresh_token"}
    assert all("token" not in row for row in rows)
    refused = error_of(instance.table("oauth_credential", sysparm_query="tokenSTARTSWITHa"))
    assert refused[:2] == (403, "Insufficient rights to query records")


def test_a_field_rule_hides_a_column_from_a_reader_of_the_table(instance: RestClient) -> None:
    grant_read(instance, "custom_table_access", "sys_properties")
    values = {"name": "sys_properties.value", "type": "record", "operation": "read"}
    (acl,) = instance.sandbox.tamper(instance.name, "sys_security_acl", values, insert=True)
    row = {"sys_security_acl": acl, "sys_user_role": "security_admin"}
    instance.sandbox.tamper(instance.name, "sys_security_acl_role", row, insert=True)
    reader = instance.user("reader", roles=["custom_table_access"])
    assert "value" not in reader.rows("sys_properties")[0]
    assert "value" in instance.rows("sys_properties")[0]


def test_knobs_deny_tables_fields_and_writes_to_every_caller(make: Make) -> None:
    denials = {
        "deny_table": {"v_plugin": "empty", "sys_scope": "403"},
        "deny_field": {"sys_user": ["email"]},
        "deny_insert": ["oauth_entity"],
        "deny_update": ["sys_properties"],
        "deny_delete": ["oauth_entity"],
    }
    instance = make(acl=denials)
    assert instance.rows("v_plugin") == []
    assert instance.table("sys_scope").status_code == 403
    assert "email" not in instance.row("sys_user", "user_name=admin")
    refused = error_of(instance.table("sys_user", sysparm_query="emailISNOTEMPTY"))
    detail = "Field(s) present in the query do not have permission to be read"
    assert refused == (403, "Insufficient rights to query records", detail)
    assert error_of(instance.table("oauth_entity", method="POST", body={"name": "A"})) == INSERT_DENIED
    prop = instance.rows("sys_properties", "name=glide.ui.session_timeout")[0]["sys_id"]
    assert instance.table("sys_properties", prop, method="PATCH", body={"value": "1"}).status_code == 403
    application = instance.rows("oauth_entity")[0]["sys_id"]
    assert instance.table("oauth_entity", application, method="DELETE").status_code == 403


def test_a_knob_lets_a_business_rule_abort_writes(make: Make) -> None:
    instance = make(abort={"oauth_entity": "Guard the registry"})
    detail = error_of(instance.table("oauth_entity", method="POST", body={"name": "A"}))[2]
    assert "was aborted by Business Rule 'Guard the registry^" in detail


def test_an_active_endpoint_rule_requires_the_api_role(instance: RestClient) -> None:
    match = {"name": "now/table", "type": "REST_Endpoint"}
    instance.sandbox.tamper(instance.name, "sys_security_acl", {"active": True}, match=match)
    refused = error_of(instance.user("employee").table("sys_user"))
    assert refused == (403, "User Not Authorized", "Failed API level ACL Validation")
    assert instance.user("itil_agent").table("sys_user").status_code == 200
