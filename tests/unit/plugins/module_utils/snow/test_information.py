# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that only read find out."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import ServiceNowClient
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.client import RefusedRequest
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.instance_facts import instance_facts
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.oauth_application_info import (
    oauth_applications,
    summary,
    with_accounts,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.record_info import (
    records,
    records_of_all,
)
from tests.unit.plugins.module_utils.loopback import Loopback, Reply, failure, rows
from tests.unit.plugins.module_utils.snow.fake_batch_api import BATCH, with_batches
from tests.unit.plugins.module_utils.snow.fake_table_api import Tables

ME = [{"sys_id": "u0", "user_name": "svc_ansible", "identity_type": ""}]
ADMIN = [{"sys_id": "h0", "user": "u0", "user.user_name": "svc_ansible", "role.name": "admin", "state": "active"}]
BUILD = {"sys_id": "p0", "name": "glide.war", "value": "glide-zurich-07-01-2025__patch2-09-10-2025.zip"}
NOT_YOURS = failure(403, "User Not Authorized", "Failed API level ACL Validation")


def fleet(server: Loopback, **changed: Any) -> None:
    """Play an instance as an administrator sees it."""
    tables: dict[str, Any] = {
        "sys_user": ME,
        "sys_user_has_role": ADMIN,
        "sys_properties": [BUILD],
        "v_plugin": [{"sys_id": "v0", "id": "com.snc.platform.security.oauth", "active": "active"}],
        "sys_plugins": [],
        "oauth_entity": [{"sys_id": "a0", "scope_restriction_status": "", "inbound_grant_type": ""}],
        "incident": [{"sys_id": "i0"}],
    }
    Tables(server, **{**tables, **changed})


def facts(client: ServiceNowClient, **asked: list[str]) -> dict[str, Any]:
    return instance_facts(client, **{"properties": [], "plugins": [], "tables": [], **asked})


# -- the instance ---------------------------------------------------------------------------------------------------------


def test_everything_about_an_instance_is_one_round_trip(server: Loopback, client: ServiceNowClient) -> None:
    fleet(server)
    found = facts(client, properties=["glide.war"], plugins=["com.x"], tables=["incident", "u_gone"])
    assert server.lines == [f"POST {BATCH}"]
    reported = found["instance"]
    assert (reported["release"]["family"], reported["release"]["patch"]) == ("zurich", "patch2")
    assert reported["caller"] == {"user_name": "svc_ansible", "roles": ["admin"], "known": True}
    assert reported["capabilities"] == {
        "scope_restriction": True,
        "machine_identity_console": True,
        "identity_type": True,
    }
    assert reported["properties"] == {"glide.war": BUILD["value"]}
    assert reported["plugins"] == {"com.x": "inactive"}
    assert reported["tables"] == {"incident": "readable", "u_gone": "absent"}
    assert [problem["id"] for problem in found["problems"]] == ["plugin_inactive:com.x", "table_absent:u_gone"]
    assert found["msg"].startswith(f"{client.name} (Zurich patch2): error plugin_inactive:com.x: ")


def test_nothing_to_report_is_reported(server: Loopback, client: ServiceNowClient) -> None:
    fleet(server)
    found = facts(client)
    assert found["problems"] == []
    assert found["msg"] == f"{client.name} (Zurich patch2): ready for a connection"


def test_an_account_that_sees_nothing_gets_unknown_for_an_answer(server: Loopback, client: ServiceNowClient) -> None:
    # Zero rows, not a refusal (docs/facts/servicenow_platform.md#reading-the-release,
    # docs/facts/servicenow_platform.md#package-tables).
    fleet(server, sys_properties=[], sys_user_has_role=[], v_plugin=[], sys_plugins=[], oauth_entity=[])
    found = facts(client, properties=["glide.war"], plugins=["com.x"])
    reported = found["instance"]
    assert reported["release"] == {"family": "", "patch": "", "build": "", "date": "", "known": False}
    assert reported["properties"] == {"glide.war": None}
    assert reported["plugins"] == {"com.x": "unknown"}
    assert reported["capabilities"]["scope_restriction"] is None
    assert {problem["id"] for problem in found["problems"]} == {
        "release_unknown",
        "roles_unreadable",
        "plugin_unknown:com.x",
    }
    assert "unknown release" in found["msg"]


def test_refused_tables_are_part_of_the_answer(server: Loopback, client: ServiceNowClient) -> None:
    fleet(server, refused={"sys_plugins": NOT_YOURS, "sys_user": NOT_YOURS, "incident": NOT_YOURS})
    found = facts(client, tables=["incident"])
    assert found["instance"]["tables"] == {"incident": "refused"}
    assert {problem["id"] for problem in found["problems"]} == {"account_unknown", "table_refused:incident"}


def test_an_api_that_is_closed_to_the_account_is_no_set_of_empty_tables(
    server: Loopback, client: ServiceNowClient
) -> None:
    restricted = failure(403, "User Not Authorized", "Access to unscoped api is not allowed")
    server.answers_by(with_batches(lambda _request: restricted))
    with pytest.raises(RefusedRequest, match="Access to unscoped api is not allowed.*broadly scoped"):
        facts(client)


@pytest.mark.parametrize(
    ("virtual", "installed", "state"),
    [
        ([{"sys_id": "1", "id": "com.x", "active": "active"}], [], "active"),
        ([{"sys_id": "1", "id": "com.x", "active": "inactive"}], [], "inactive"),
        ([], [{"sys_id": "1", "source": "com.x", "active": "true"}], "active"),
        ([], [], "unknown"),
        ([{"sys_id": "1", "id": "com.other", "active": "active"}], [], "unknown"),
    ],
)
def test_a_plugin_is_active_inactive_or_unknown(
    server: Loopback,
    client: ServiceNowClient,
    virtual: list[dict[str, str]],
    installed: list[dict[str, str]],
    state: str,
) -> None:
    fleet(server, v_plugin=virtual, sys_plugins=installed)
    assert facts(client, plugins=["com.x"])["instance"]["plugins"] == {"com.x": state}


@pytest.mark.parametrize(
    ("row", "capable"), [({"sys_id": "a0"}, False), ({"sys_id": "a0", "inbound_grant_type": ""}, True)]
)
def test_capabilities_are_columns_that_are_there(
    server: Loopback, client: ServiceNowClient, row: dict[str, str], capable: bool
) -> None:
    fleet(server, oauth_entity=[row])
    assert facts(client)["instance"]["capabilities"]["machine_identity_console"] is capable


# -- applications ---------------------------------------------------------------------------------------------------------


ENTRY = {
    "sys_id": "a1", "name": "B", "type": "client", "sys_class_name": "oauth_entity", "client_id": "c1ient", "active": "true",
    "access_token_lifespan": "3600", "refresh_token_lifespan": "7776000", "redirect_url": "https://a/,https://b/", "user": "u1",
    "user.user_name": "svc_defender", "scope_restriction_status": "unrestricted", "comments": "", "logo_url": "",
    "default_grant_type": "", "client_secret": "ciphertext",
}  # fmt: skip
CREDENTIALS = [
    {"sys_id": "c1", "peer": "a1", "peer.name": "B", "type": "refresh_token", "expires": "2026-06-01 08:00:00"},
    {"sys_id": "c2", "peer": "a1", "peer.name": "B", "type": "refresh_token", "expires": "2026-09-01 08:00:00"},
    {"sys_id": "c3", "peer": "a1", "peer.name": "B", "type": "access_token", "expires": "2026-12-01 08:00:00"},
]


def test_an_application_is_returned_in_typed_values_with_the_expiry_of_its_tokens(
    server: Loopback, client: ServiceNowClient
) -> None:
    Tables(server, oauth_entity=[ENTRY, {**ENTRY, "sys_id": "a2", "name": "A"}], oauth_credential=CREDENTIALS)
    first, second = oauth_applications(client)
    assert (first["name"], second["name"]) == ("A", "B")
    assert first["refresh_token_expires_at"] is None
    assert second["refresh_token_expires_at"] == "2026-09-01T08:00:00Z"
    assert (second["access_token_lifespan"], second["active"]) == (3600, True)
    assert second["redirect_urls"] == ["https://a/", "https://b/"]
    assert (second["oauth_user"], second["scope_restriction"]) == ("svc_defender", "broad")
    assert "client_secret" not in second
    assert "ciphertext" not in str(second)
    assert server.lines == [f"POST {BATCH}"]


def test_only_the_application_of_exactly_that_name_is_returned(server: Loopback, client: ServiceNowClient) -> None:
    server.answers_by(with_batches(lambda r: rows(ENTRY, {**ENTRY, "name": "b"}) if "entity" in r.path else rows()))
    assert [entry["name"] for entry in oauth_applications(client, "B")] == ["B"]


@pytest.mark.parametrize("refusal", [NOT_YOURS, failure(400, "Invalid table oauth_credential")])
def test_tokens_that_may_not_be_read_have_no_known_end(
    server: Loopback, client: ServiceNowClient, refusal: Reply
) -> None:
    Tables(server, oauth_entity=[ENTRY], refused={"oauth_credential": refusal})
    (only,) = oauth_applications(client, "B")
    assert only["refresh_token_expires_at"] is None


# -- rows -----------------------------------------------------------------------------------------------------------------


USERS = [
    {"sys_id": "u1", "user_name": "a", "active": "true", "user_password": "hash"},
    {"sys_id": "u2", "user_name": "A", "active": "true", "user_password": ""},
]


def everything(server: Loopback) -> None:
    """Answer every query with every row, as a platform that does not know a queried field."""
    server.answers_by(lambda _request: rows(*USERS, total=2))


def asked(table: str, query: Any, fields: list[str], limit: int, **more: Any) -> dict[str, Any]:
    return {"table": table, "query": query, "fields": fields, "limit": limit, **more}


def test_rows_are_returned_without_what_may_be_a_secret(server: Loopback, client: ServiceNowClient) -> None:
    everything(server)
    found = records(client, asked("sys_user", None, [], 0))
    assert [row["user_name"] for row in found] == ["a", "A"]
    assert [row["user_password"] for row in found] == ["********", ""]


def test_rows_are_checked_again(server: Loopback, client: ServiceNowClient) -> None:
    everything(server)
    assert [row["sys_id"] for row in records(client, asked("sys_user", {"user_name": "a"}, [], 0))] == ["u1"]
    assert [row["sys_id"] for row in records(client, asked("sys_user", {"user_name": ["A", "b"]}, [], 0))] == ["u2"]


@pytest.mark.parametrize("fields", [[], ["user_name"]])
def test_a_condition_on_a_field_that_does_not_exist_is_no_answer(
    server: Loopback, client: ServiceNowClient, fields: list[str]
) -> None:
    everything(server)
    with pytest.raises(InvalidInput, match="sys_user has no field u_gone"):
        records(client, asked("sys_user", {"u_gone": "x"}, fields, 0))


def test_only_the_wanted_columns_are_returned(server: Loopback, client: ServiceNowClient) -> None:
    Tables(server, sys_user=USERS)
    assert records(client, asked("sys_user", {"active": True}, ["user_name"], 0)) == [
        {"user_name": "a"},
        {"user_name": "A"},
    ]


def test_an_encoded_query_goes_out_as_it_is(server: Loopback, client: ServiceNowClient) -> None:
    everything(server)
    records(client, asked("sys_user", "active=true^ORDERBYDESCuser_name", [], 1))
    sent = server.received[0].query
    assert sent["sysparm_query"].startswith("active=true^ORDERBYDESCuser_name")
    assert sent["sysparm_limit"] == "1"


@pytest.mark.parametrize("query", [17, {"user_name": []}, {"a": "javascript:x"}])
def test_an_invalid_query_is_refused_before_it_is_sent(server: Loopback, client: ServiceNowClient, query: Any) -> None:
    with pytest.raises(InvalidInput):
        records(client, asked("sys_user", query, [], 0))
    assert server.received == []


def test_several_tables_are_one_request(server: Loopback, client: ServiceNowClient) -> None:
    Tables(server, sys_user=USERS, refused={"oauth_credential": NOT_YOURS})
    found = records_of_all(
        client,
        [
            asked("sys_user", {"active": True}, ["user_name"], 0),
            asked("oauth_credential", None, [], 0, optional=True),
        ],
    )
    assert [len(each["records"]) for each in found] == [2, 0]
    assert [bool(each["refused"]) for each in found] == [False, True]
    assert [request.path for request in server.received] == [BATCH]


def test_applications_of_several_names_and_accounts_are_one_request(server: Loopback, client: ServiceNowClient) -> None:
    registry = [
        {"sys_id": f"a{number}", "name": name, "type": "client", "client_id": f"c{number}"}
        for number, name in enumerate(("One", "Two", "Three", "Two", "one"))
    ]
    token = {"sys_id": "t", "peer": "a0", "type": "refresh_token", "expires": "2027-02-19 10:38:24", "peer.name": "One"}
    accounts = [{**row, "locked_out": "true"} for row in USERS]
    Tables(server, oauth_entity=registry, oauth_credential=[token], sys_user=accounts)
    names = ["Two", "One", "Four"]
    found, known = with_accounts(client, names, ["a", "b"])
    assert server.lines == [f"POST {BATCH}"]
    assert [(row["name"], row["sys_id"]) for row in found] == [("One", "a0"), ("Two", "a1"), ("Two", "a3")]
    assert found[0]["refresh_token_expires_at"] == "2027-02-19T10:38:24Z"
    assert known == [{"user_name": "a", "active": True, "locked_out": True}]
    assert summary("acme", names, found) == (
        "acme: 2 applications are named 'Two' (a1, a3); remove or rename all but one; 'One' has the client id c0; "
        "no application is named 'Four', or the account may not read oauth_entity"
    )
