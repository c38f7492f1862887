# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's verbs on an instance, and what a refusal tells (docs/facts/servicenow_platform.md#table-api)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    InvalidInput,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import (
    CREATE,
    DELETE,
    UPDATE,
    Write,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import Query
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import Instance
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.client import plain, short_name
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import PAGE, TableQuery
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    SignInFailed,
    TransportError,
    WriteInCheckMode,
)
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, Reply, answer, failure
from tests.unit.plugins.module_utils.snow.fake_batch_api import BATCH, inner_requests
from tests.unit.plugins.module_utils.snow.fake_table_api import Tables

InstanceOf = Callable[..., Instance]
USER = Write(CREATE, "sys_user", "user svc_defender", {"user_name": "svc_defender"})
CHANGE = Write(UPDATE, "sys_user", "user svc_defender")
SECRET = Write(UPDATE, "oauth_entity", "oauth_application CloudAppSecurity", secret=True)
REMOVAL = Write(DELETE, "sys_user", "user svc_defender")
ACL = "ACL Exception Insert Failed due to security constraints"


# -- reading --------------------------------------------------------------------------------------------------------------


def test_all_reads_of_a_call_are_one_round_trip(server: Loopback, instance: Instance, context: TaskContext) -> None:
    Tables(
        server,
        sys_user=[{"sys_id": "u1", "user_name": "a"}, {"sys_id": "u2", "user_name": "b"}],
        sys_user_role=[{"sys_id": "r1", "name": "itil"}],
    )
    users, roles = instance.read(
        [
            Query("sys_user", "user_name", ("a", "b", "c"), ("sys_id", "user_name")),
            Query("sys_user_role", "name", ("itil",), ("sys_id", "name")),
        ]
    )
    assert [row["sys_id"] for row in users.rows] == ["u1", "u2"]
    assert [row["sys_id"] for row in roles.rows] == ["r1"]
    assert server.lines == [f"POST {BATCH}"]
    assert (context.calls.read, context.calls.write) == (1, 0)


def test_what_is_foreseen_goes_along_with_the_next_read(server: Loopback, instance: Instance) -> None:
    kept = answer({"result": {"sys_id": "u1"}})
    Tables(server, other=lambda _request: kept, sys_user=[{"sys_id": "u1"}], sys_user_role=[{"sys_id": "r1"}])
    users, roles = TableQuery("sys_user", optional=True), TableQuery("sys_user_role", optional=True)
    instance.prefetch([users, roles])
    assert server.lines == [], "nothing is asked for its sake alone"
    instance.read([Query("sys_user_group", "", (), ("sys_id",), optional=True)])
    instance.prefetch([users])
    assert [answer.rows[0]["sys_id"] for answer in instance.query([roles, users])] == ["r1", "u1"]
    assert server.lines == [f"POST {BATCH}"], "and once"
    instance.update(CHANGE, "u1", {"name": "b"})
    instance.query([users])
    assert server.lines[-1].startswith("GET /api/now/table/sys_user"), "what was known may have changed"


def test_what_is_foreseen_is_known_although_another_read_was_refused(server: Loopback, instance: Instance) -> None:
    Tables(server, sys_user=[{"sys_id": "u1"}])
    users = TableQuery("sys_user", optional=True)
    instance.prefetch([users])
    with pytest.raises(Refused, match="no_such_table"):
        instance.read([Query("no_such_table", "", (), ("sys_id",))])
    asked = len(server.lines)
    assert instance.query([users])[0].rows[0]["sys_id"] == "u1"
    assert len(server.lines) == asked


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 3 * PAGE])
def test_every_page_is_read(server: Loopback, instance: Instance, count: int) -> None:
    Tables(server, u_x=[{"sys_id": f"{n:05}"} for n in range(count)])
    (found,) = instance.query([TableQuery("u_x")])
    assert [row["sys_id"] for row in found.rows] == [f"{n:05}" for n in range(count)]


def test_rows_behind_a_page_that_access_rules_emptied_are_read(server: Loopback, instance: Instance) -> None:
    everything = [{"sys_id": f"{n:05}"} for n in range(PAGE + 5)]
    Tables(server, hidden=tuple(row["sys_id"] for row in everything[:PAGE]), u_x=everything)
    (found,) = instance.query([TableQuery("u_x")])
    assert len(found.rows) == 5


def test_further_pages_of_many_tables_share_a_round_trip(server: Loopback, instance: Instance) -> None:
    Tables(server, **{name: [{"sys_id": f"{n:05}"} for n in range(PAGE + 1)] for name in ("a", "b", "c")})
    found = instance.query([TableQuery("a"), TableQuery("b"), TableQuery("c")])
    assert [len(one.rows) for one in found] == [PAGE + 1] * 3
    assert server.lines == [f"POST {BATCH}"] * 2


def test_a_list_too_long_for_one_url_is_one_answer(server: Loopback, instance: Instance) -> None:
    names = tuple(f"glide.some.quite.long.property.name.{n}" for n in range(200))
    Tables(server, sys_properties=[{"sys_id": name, "name": name} for name in names])
    (found,) = instance.read([Query("sys_properties", "name", names, ("sys_id", "name"))])
    assert [row["name"] for row in found.rows] == list(names)
    assert server.lines == [f"POST {BATCH}"]


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
def test_an_optional_read_that_is_refused_is_an_answer(server: Loopback, instance: Instance, refusal: Reply) -> None:
    server.answers(refusal)
    (found,) = instance.query([TableQuery("u_x", optional=True)])
    assert found.rows == ()
    assert f"-> {refusal.status}" in found.refused


def test_an_empty_list_of_the_first_version_of_the_api_is_empty(server: Loopback, instance: Instance) -> None:
    # Without rows, v1 answers 404 (docs/facts/servicenow_platform.md#paths-and-verbs).
    server.answers(failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"))
    (found,) = instance.query([TableQuery("sys_user")])
    assert (found.rows, found.refused) == ((), "")


@pytest.mark.parametrize(
    ("refusal", "remedy"),
    [
        (failure(400, "Invalid table u_x"), "The table does not exist on this instance"),
        (failure(403, "User Not Authorized", "Access to unscoped api is not allowed"), "broadly scoped"),
        (failure(403, "User Not Authorized", "Missing required api access scope: x"), "map an auth scope"),
        (failure(429, "Rate limit exceeded", "Rate limit of 10 requests per hour"), "fewer forks"),
    ],
)
def test_a_refused_read_says_who_what_the_platforms_words_and_what_to_do(
    server: Loopback, instance: Instance, refusal: Reply, remedy: str
) -> None:
    server.answers(refusal)
    with pytest.raises(Refused) as caught:
        instance.query([TableQuery("u_x")])
    message = str(caught.value)
    assert message.startswith(f"{instance.name} refused ")
    assert f"GET /api/now/table/u_x -> {refusal.status}" in message
    assert remedy in message


@pytest.mark.parametrize("odd", [{}, {"message": "Welcome to the gateway"}, {"result": None}, {"result": "none"}, []])
def test_an_answer_that_holds_no_list_of_rows_is_not_an_empty_table(
    server: Loopback, instance: Instance, odd: Any
) -> None:
    server.answers(answer(odd))
    with pytest.raises((TransportError, Refused)):
        instance.query([TableQuery("sys_user")])


def test_wrong_credentials_are_no_refusal_to_read(server: Loopback, instance: Instance) -> None:
    server.answers(failure(401, "User Not Authenticated", "Required to provide Auth information"))
    with pytest.raises(SignInFailed, match="wrong user name or password of svc_ansible"):
        instance.query([TableQuery("sys_user")])
    assert len(server.received) == 1


def test_a_value_the_server_would_run_stops_before_anything_is_sent(server: Loopback, instance: Instance) -> None:
    with pytest.raises(InvalidInput):
        instance.read([Query("sys_user", "user_name", ("javascript:gs.getUserID()",), ("sys_id",))])
    assert server.received == []


# -- writing --------------------------------------------------------------------------------------------------------------


def test_a_created_row_comes_back_plain(server: Loopback, instance: Instance, context: TaskContext) -> None:
    server.answers(answer({"result": {"sys_id": "u1", "manager": {"link": "x", "value": "u0"}}}, 201))
    assert instance.create(USER, {"user_name": "svc_defender"}) == {"sys_id": "u1", "manager": "u0"}
    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/api/now/table/sys_user")
    assert request.json == {"user_name": "svc_defender"}
    assert "sysparm_input_display_value" not in request.query
    assert context.calls.write == 1


@pytest.mark.parametrize(
    "reply",
    [DROPPED, failure(500), failure(503), answer({"result": {}}, 201), answer([], 200), answer({"result": None}, 201)],
)
def test_a_create_without_a_clear_answer_is_unclear_and_sent_once(
    server: Loopback, instance: Instance, reply: Reply
) -> None:
    server.answers(reply)
    with pytest.raises(UnclearOutcome, match="user svc_defender"):
        instance.create(USER, {})
    assert len(server.received) == 1


def test_a_throttled_create_is_sent_again(server: Loopback, instance: Instance) -> None:
    server.answers(failure(429, "Rate limit exceeded"), answer({"result": {"sys_id": "u1"}}, 201))
    assert instance.create(USER, {})["sys_id"] == "u1"


def test_ordinary_values_are_sent_as_they_are(server: Loopback, instance: Instance) -> None:
    server.answers(answer({"result": {}}))
    instance.update(CHANGE, "u1", {"active": "false"})
    (request,) = server.received
    assert (request.method, request.path, request.json) == (
        "PATCH", "/api/now/table/sys_user/u1", {"active": "false"},
    )  # fmt: skip
    assert "sysparm_input_display_value" not in request.query


def test_a_secret_goes_alone_as_a_display_value_and_is_a_secret(
    server: Loopback, instance: Instance, context: TaskContext
) -> None:
    # See docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#users.
    server.answers(answer({"result": {}}))
    instance.update(SECRET, "a1", {"client_secret": "c1ient-Secret"})
    (request,) = server.received
    assert request.json == {"client_secret": "c1ient-Secret"}
    assert request.query == {"sysparm_input_display_value": "true"}
    assert "c1ient-Secret" not in context.redactor.scrub_text("c1ient-Secret")


@pytest.mark.parametrize("reply", [answer(status=204), failure(404, "No Record found")])
def test_a_row_that_is_gone_is_deleted(server: Loopback, instance: Instance, reply: Reply) -> None:
    server.answers(reply)
    instance.delete(REMOVAL, "u1")
    assert server.lines == ["DELETE /api/now/table/sys_user/u1"]


def test_a_lost_answer_to_a_delete_is_asked_for_again(server: Loopback, instance: Instance) -> None:
    server.answers(DROPPED, failure(404, "No Record found"))
    instance.delete(REMOVAL, "u1")
    assert len(server.received) == 2


def refuse(server: Loopback, roles: tuple[str, ...], detail: str = ACL) -> None:
    """Refuse every write; answer who is calling, with `roles`."""
    Tables(
        server,
        other=lambda _request: failure(403, "Operation Failed", detail, X_Transaction_ID="3f2a01b2c3d4"),
        sys_user=[{"sys_id": "u0", "user_name": "svc_ansible"}],
        sys_user_has_role=[
            {"sys_id": f"h{n}", "user": "u0", "user.user_name": "svc_ansible", "role.name": role, "state": "active"}
            for n, role in enumerate(roles)
        ],
    )


def test_a_refused_write_names_the_roles_one_has_and_the_roles_it_takes(server: Loopback, instance: Instance) -> None:
    refuse(server, ("itil", "rest_service"))
    write = Write(CREATE, "oauth_entity", 'oauth_application "CloudAppSecurity"')
    with pytest.raises(Refused) as caught:
        instance.create(write, {})
    assert str(caught.value) == (
        f'{instance.name} refused to create oauth_application "CloudAppSecurity". '
        f"POST /api/now/table/oauth_entity -> 403 Operation Failed: {ACL} (transaction 3f2a01b2c3d4). "
        "svc_ansible has the roles itil, rest_service; writing oauth_entity takes one of oauth_admin, mi_admin, admin"
    )


@pytest.mark.parametrize(("verb", "write"), [("change", CHANGE), ("delete", REMOVAL), ("create", USER)])
def test_a_refusal_says_what_was_tried(server: Loopback, instance: Instance, verb: str, write: Write) -> None:
    refuse(server, ("admin",))
    actions: dict[str, Callable[[], object]] = {
        "change": lambda: instance.update(write, "u1", {}),
        "delete": lambda: instance.delete(write, "u1"),
        "create": lambda: instance.create(write, {}),
    }
    with pytest.raises(Refused, match=f"refused to {verb} user svc_defender"):
        actions[verb]()


def test_a_refusal_where_roles_cannot_be_read_does_not_guess(server: Loopback, instance: Instance) -> None:
    refuse(server, ())
    with pytest.raises(Refused, match="svc_ansible is calling; writing sys_user takes one of user_admin, admin"):
        instance.create(USER, {})


def test_a_business_rule_is_quoted(server: Loopback, instance: Instance) -> None:
    words = "Operation against file 'sys_user' was aborted by Business Rule 'x^a1'. Business Rule Stack:x"
    refuse(server, ("admin",), words)
    with pytest.raises(Refused, match="was aborted by Business Rule"):
        instance.create(USER, {})


def test_nothing_is_written_in_check_mode(server: Loopback, instance: Instance, context: TaskContext) -> None:
    context.check_mode = True
    for action in (
        lambda: instance.create(USER, {}),
        lambda: instance.update(CHANGE, "u1", {}),
        lambda: instance.delete(REMOVAL, "u1"),
    ):
        with pytest.raises(WriteInCheckMode):
            action()
    assert server.received == []


# -- who is calling -------------------------------------------------------------------------------------------------------


def test_who_is_calling_is_asked_once(server: Loopback, instance: Instance) -> None:
    refuse(server, ("itil", "oauth_admin"))
    for _time in range(2):
        account = instance.account()
        assert account is not None
        assert (account.user_name, account.roles) == ("svc_ansible", {"itil", "oauth_admin"})
    assert len(server.received) == 1


def test_without_a_user_name_the_instance_is_asked_who_we_are(server: Loopback, instance_of: InstanceOf) -> None:
    refuse(server, ())
    instance_of(snow_access_token="access-T0ken").account()
    asked = [request.query["sysparm_query"] for request in inner_requests(server.received[0])]
    assert asked[0].startswith("sys_id=javascript:gs.getUserID()^")


@pytest.mark.parametrize(
    "users", [[], [{"sys_id": "u0", "user_name": "svc_ansible"}, {"sys_id": "u1", "user_name": "svc_ansible"}]]
)
def test_an_instance_that_does_not_tell_leaves_the_caller_unknown(
    server: Loopback, instance: Instance, users: list[dict[str, str]]
) -> None:
    # An unknown queried field matches everything (docs/facts/servicenow_platform.md#encoded-queries).
    Tables(server, sys_user=users, sys_user_has_role=[])
    assert instance.account() is None


def test_no_visible_role_means_that_they_may_not_be_read(server: Loopback, instance: Instance) -> None:
    # Reading sys_user_has_role needs itil or more; unreadable rows are left out
    # (docs/facts/servicenow_platform.md#role-grants).
    refuse(server, ())
    account = instance.account()
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
def test_an_instance_is_called_what_people_call_it(url: str, name: str) -> None:
    assert short_name(url) == name
