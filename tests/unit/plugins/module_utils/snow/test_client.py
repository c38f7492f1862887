# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows over HTTP, and the messages of refusals (docs/facts/servicenow_platform.md#table-api)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import ServiceNowClient
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.client import RefusedRequest, short_name
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import PAGE, TableQuery
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.table_api import plain
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    RequestFailed,
    SignInFailed,
    TransportError,
)
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer, failure, rows
from tests.unit.plugins.module_utils.snow.fake_batch_api import BATCH, inner_requests
from tests.unit.plugins.module_utils.snow.fake_table_api import Tables, refuse

ClientOf = Callable[..., ServiceNowClient]


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 3 * PAGE])
def test_every_page_is_read(server: Loopback, client: ServiceNowClient, count: int) -> None:
    Tables(server, u_x=[{"sys_id": f"{n:05}"} for n in range(count)])
    (found,) = client.query([TableQuery("u_x")])
    assert [row["sys_id"] for row in found.rows] == [f"{n:05}" for n in range(count)]


def test_rows_behind_a_page_that_access_rules_emptied_are_read(server: Loopback, client: ServiceNowClient) -> None:
    everything = [{"sys_id": f"{n:05}"} for n in range(PAGE + 5)]
    Tables(server, hidden=tuple(row["sys_id"] for row in everything[:PAGE]), u_x=everything)
    (found,) = client.query([TableQuery("u_x")])
    assert len(found.rows) == 5


def test_further_pages_of_many_tables_share_a_round_trip(server: Loopback, client: ServiceNowClient) -> None:
    Tables(server, **{name: [{"sys_id": f"{n:05}"} for n in range(PAGE + 1)] for name in ("a", "b", "c")})
    found = client.query([TableQuery("a"), TableQuery("b"), TableQuery("c")])
    assert [len(one.rows) for one in found] == [PAGE + 1] * 3
    assert server.lines == [f"POST {BATCH}"] * 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ({"link": "https://acme-dev.service-now.com/api/now/table/sys_user/u1", "value": "u1"}, "u1"),
        ({"display_value": "Abel", "value": "u1", "link": "x"}, "u1"),
        ("", ""),
        (None, ""),
        (True, "true"),
        (1800, "1800"),
        ({}, ""),
    ],
)
def test_rows_hold_plain_strings(value: Any, text: str) -> None:
    assert plain({"user": value, "user.user_name": "x"}) == {"user": text, "user.user_name": "x"}


@pytest.mark.parametrize(
    "refusal",
    [
        failure(400, "Invalid table u_x"),
        failure(403, "User Not Authorized", "Failed API level ACL Validation"),
        failure(403, "Insufficient rights to query records", "Field(s) present in the query do not have permission"),
        failure(404, "Requested URI does not represent any resource"),
    ],
)
def test_an_optional_read_that_is_refused_is_an_answer(
    server: Loopback, client: ServiceNowClient, refusal: Reply
) -> None:
    server.answers(refusal)
    (found,) = client.query([TableQuery("u_x", optional=True)])
    assert found.rows == ()
    assert f"-> {refusal.status}" in found.refused


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_of_the_instance_is_not_a_refusal(server: Loopback, client: ServiceNowClient, status: int) -> None:
    server.answers(failure(status, "Rate limit exceeded"))
    with pytest.raises(RequestFailed, match=f"^{client.name} failed the request. GET .* -> {status}") as caught:
        client.query([TableQuery("u_x")])
    assert ("fewer forks" in str(caught.value)) == (status == 429)


def test_a_list_without_a_count_is_read_to_its_end(server: Loopback, client: ServiceNowClient) -> None:
    found = [{"sys_id": str(number)} for number in range(250)]

    def capped(request: Received) -> Reply:
        start = int(request.query.get("sysparm_offset", 0))
        return rows(*found[start : start + 100])

    server.answers_by(capped)
    (answered,) = client.query([TableQuery("sys_user")])
    assert len(answered.rows) == 250
    assert len(server.received) == 4


def test_an_empty_list_of_the_first_version_of_the_api_is_empty(server: Loopback, client: ServiceNowClient) -> None:
    # Without rows, v1 answers 404 (docs/facts/servicenow_platform.md#paths-and-verbs).
    server.answers(failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"))
    (found,) = client.query([TableQuery("sys_user")])
    assert (found.rows, found.refused) == ((), "")


@pytest.mark.parametrize(
    ("refusal", "remedy"),
    [
        (failure(400, "Invalid table u_x"), "The table does not exist on this instance"),
        (failure(403, "User Not Authorized", "Access to unscoped api is not allowed"), "broadly scoped"),
        (failure(403, "User Not Authorized", "Missing required api access scope: x"), "map an auth scope"),
    ],
)
def test_a_refused_read_reports_who_what_the_platforms_message_and_the_remedy(
    server: Loopback, client: ServiceNowClient, refusal: Reply, remedy: str
) -> None:
    server.answers(refusal)
    with pytest.raises(RefusedRequest) as caught:
        client.query([TableQuery("u_x")])
    message = str(caught.value)
    assert message.startswith(f"{client.name} refused ")
    assert f"GET /api/now/table/u_x -> {refusal.status}" in message
    assert remedy in message


@pytest.mark.parametrize("odd", [{}, {"message": "Welcome to the gateway"}, {"result": None}, {"result": "none"}, []])
def test_an_answer_that_holds_no_list_of_rows_is_not_an_empty_table(
    server: Loopback, client: ServiceNowClient, odd: Any
) -> None:
    server.answers(answer(odd))
    with pytest.raises(TransportError):
        client.query([TableQuery("sys_user")])


def test_wrong_credentials_are_no_refusal_to_read(server: Loopback, client: ServiceNowClient) -> None:
    server.answers(failure(401, "User Not Authenticated", "Required to provide Auth information"))
    with pytest.raises(SignInFailed, match="wrong user name or password of svc_ansible"):
        client.query([TableQuery("sys_user")])
    assert len(server.received) == 1


# -- who is calling -------------------------------------------------------------------------------------------------------


def test_the_caller_is_read_once(server: Loopback, client: ServiceNowClient) -> None:
    refuse(server, ("itil", "oauth_admin"))
    for _time in range(2):
        account = client.account()
        assert account is not None
        assert (account.user_name, account.roles) == ("svc_ansible", {"itil", "oauth_admin"})
    assert len(server.received) == 1


def test_without_a_user_name_the_instance_is_queried_for_the_caller(server: Loopback, client_of: ClientOf) -> None:
    refuse(server, ())
    client_of(snow_access_token="access-T0ken").account()
    asked = [request.query["sysparm_query"] for request in inner_requests(server.received[0])]
    assert asked[0].startswith("sys_id=javascript:gs.getUserID()^")


@pytest.mark.parametrize(
    "users", [[], [{"sys_id": "u0", "user_name": "svc_ansible"}, {"sys_id": "u1", "user_name": "svc_ansible"}]]
)
def test_an_instance_without_the_answer_leaves_the_caller_unknown(
    server: Loopback, client: ServiceNowClient, users: list[dict[str, str]]
) -> None:
    # An unknown queried field matches everything (docs/facts/servicenow_platform.md#encoded-queries).
    Tables(server, sys_user=users, sys_user_has_role=[])
    assert client.account() is None


def test_no_visible_role_means_that_they_may_not_be_read(server: Loopback, client: ServiceNowClient) -> None:
    # Reading sys_user_has_role needs itil or more; unreadable rows are left out
    # (docs/facts/servicenow_platform.md#role-grants).
    refuse(server, ())
    account = client.account()
    assert account is not None
    assert account.roles is None


# -- the name -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://acme-prod.service-now.com", "acme-prod"),
        ("https://gateway.example.com/snow/acme", "gateway.example.com/snow/acme"),
        ("https://acme-prod.service-now.com/prefix", "acme-prod.service-now.com/prefix"),
        ("http://127.0.0.1:8080/acme-dev", "127.0.0.1:8080/acme-dev"),
    ],
)
def test_an_instance_has_the_name_that_users_set(url: str, name: str) -> None:
    assert short_name(url) == name
