# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's verbs on an instance (docs/facts/servicenow_platform.md#table-api)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import InstanceStore
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.account import Account, remedy
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import TableQuery
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    HttpError,
    WriteInCheckMode,
)
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, Reply, answer, failure
from tests.unit.plugins.module_utils.snow.fake_batch_api import BATCH
from tests.unit.plugins.module_utils.snow.fake_table_api import ACL, Tables, refuse

USER = Write(CREATE, "sys_user", "user svc_defender", {"user_name": "svc_defender"})
CHANGE = Write(UPDATE, "sys_user", "user svc_defender")
SECRET = Write(UPDATE, "oauth_entity", "oauth_application CloudAppSecurity", secret=True)
REMOVAL = Write(DELETE, "sys_user", "user svc_defender")


# -- reading --------------------------------------------------------------------------------------------------------------


def test_all_reads_of_a_call_are_one_round_trip(server: Loopback, store: InstanceStore, context: TaskContext) -> None:
    Tables(
        server,
        sys_user=[{"sys_id": "u1", "user_name": "a"}, {"sys_id": "u2", "user_name": "b"}],
        sys_user_role=[{"sys_id": "r1", "name": "itil"}],
    )
    users, roles = store.read(
        [
            Query("sys_user", "user_name", ("a", "b", "c"), ("sys_id", "user_name")),
            Query("sys_user_role", "name", ("itil",), ("sys_id", "name")),
        ]
    )
    assert [row["sys_id"] for row in users.rows] == ["u1", "u2"]
    assert [row["sys_id"] for row in roles.rows] == ["r1"]
    assert server.lines == [f"POST {BATCH}"]
    assert (context.calls.read, context.calls.write) == (1, 0)


def test_what_is_predicted_is_read_with_the_next_batch(server: Loopback, store: InstanceStore) -> None:
    kept = answer({"result": {"sys_id": "u1"}})
    Tables(server, other=lambda _request: kept, sys_user=[{"sys_id": "u1"}], sys_user_role=[{"sys_id": "r1"}])
    users, roles = TableQuery("sys_user", optional=True), TableQuery("sys_user_role", optional=True)
    store.client.prefetch([users, roles])
    assert server.lines == [], "no request is sent for it alone"
    store.read([Query("sys_user_group", "", (), ("sys_id",), optional=True)])
    store.client.prefetch([users])
    assert [answer.rows[0]["sys_id"] for answer in store.client.query([roles, users])] == ["r1", "u1"]
    assert server.lines == [f"POST {BATCH}"], "and once"
    store.update(CHANGE, "u1", {"name": "b"})
    store.client.query([users])
    assert server.lines[-1].startswith("GET /api/now/table/sys_user"), "what was known may have changed"


def test_what_is_predicted_is_known_although_another_read_was_refused(server: Loopback, store: InstanceStore) -> None:
    Tables(server, sys_user=[{"sys_id": "u1"}])
    users = TableQuery("sys_user", optional=True)
    store.client.prefetch([users])
    with pytest.raises(Refused, match="no_such_table"):
        store.read([Query("no_such_table", "", (), ("sys_id",))])
    asked = len(server.lines)
    assert store.client.query([users])[0].rows[0]["sys_id"] == "u1"
    assert len(server.lines) == asked


def test_a_list_too_long_for_one_url_is_one_answer(server: Loopback, store: InstanceStore) -> None:
    names = tuple(f"glide.some.quite.long.property.name.{n}" for n in range(200))
    Tables(server, sys_properties=[{"sys_id": name, "name": name} for name in names])
    (found,) = store.read([Query("sys_properties", "name", names, ("sys_id", "name"))])
    assert [row["name"] for row in found.rows] == list(names)
    assert server.lines == [f"POST {BATCH}"]


def test_a_value_the_server_would_run_stops_before_anything_is_sent(server: Loopback, store: InstanceStore) -> None:
    with pytest.raises(InvalidInput):
        store.read([Query("sys_user", "user_name", ("javascript:gs.getUserID()",), ("sys_id",))])
    assert server.received == []


# -- writing --------------------------------------------------------------------------------------------------------------


def test_a_created_row_comes_back_plain(server: Loopback, store: InstanceStore, context: TaskContext) -> None:
    server.answers(answer({"result": {"sys_id": "u1", "manager": {"link": "x", "value": "u0"}}}, 201))
    assert store.create(USER, {"user_name": "svc_defender"}) == {"sys_id": "u1", "manager": "u0"}
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
    server: Loopback, store: InstanceStore, reply: Reply
) -> None:
    server.answers(reply)
    with pytest.raises(UnclearOutcome, match="user svc_defender"):
        store.create(USER, {})
    assert len(server.received) == 1


def test_a_throttled_create_is_sent_again(server: Loopback, store: InstanceStore) -> None:
    server.answers(failure(429, "Rate limit exceeded"), answer({"result": {"sys_id": "u1"}}, 201))
    assert store.create(USER, {})["sys_id"] == "u1"


def test_ordinary_values_are_sent_as_they_are(server: Loopback, store: InstanceStore) -> None:
    server.answers(answer({"result": {}}))
    store.update(CHANGE, "u1", {"active": "false"})
    (request,) = server.received
    assert (request.method, request.path, request.json) == (
        "PATCH", "/api/now/table/sys_user/u1", {"active": "false"},
    )  # fmt: skip
    assert "sysparm_input_display_value" not in request.query


def test_a_secret_goes_alone_as_a_display_value_and_is_a_secret(
    server: Loopback, store: InstanceStore, context: TaskContext
) -> None:
    # See docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#users.
    server.answers(answer({"result": {}}))
    store.update(SECRET, "a1", {"client_secret": "c1ient-Secret"})
    (request,) = server.received
    assert request.json == {"client_secret": "c1ient-Secret"}
    assert request.query == {"sysparm_input_display_value": "true"}
    assert "c1ient-Secret" not in context.redactor.scrub_text("c1ient-Secret")


@pytest.mark.parametrize("reply", [answer(status=204), failure(404, "No Record found")])
def test_a_row_that_is_gone_is_deleted(server: Loopback, store: InstanceStore, reply: Reply) -> None:
    server.answers(reply)
    removal = replace(REMOVAL)
    store.delete(removal, "u1")
    assert server.lines == ["DELETE /api/now/table/sys_user/u1"]
    assert ("No Record found" in removal.not_found) == (reply.status == 404)


@pytest.mark.parametrize(
    "body", [{"message": "blocked by rule 7"}, {"detail": "blocked by rule 7"}, "blocked by rule 7"]
)
def test_a_refusal_of_a_gateway_is_not_explained_with_access_rules(
    server: Loopback, store: InstanceStore, body: object
) -> None:
    server.answers(answer(body, 403))
    with pytest.raises(
        Refused, match="403 blocked by rule 7.*a proxy, gateway or firewall before the instance"
    ) as caught:
        store.delete(REMOVAL, "u1")
    assert "access rule" not in str(caught.value)


def test_a_lost_answer_to_a_delete_is_requested_again(server: Loopback, store: InstanceStore) -> None:
    server.answers(DROPPED, failure(404, "No Record found"))
    store.delete(REMOVAL, "u1")
    assert len(server.received) == 2


def test_a_refused_write_names_the_held_and_the_required_roles(server: Loopback, store: InstanceStore) -> None:
    refuse(server, ("itil", "rest_service"))
    write = Write(CREATE, "oauth_entity", 'oauth_application "CloudAppSecurity"')
    with pytest.raises(Refused) as caught:
        store.create(write, {})
    assert str(caught.value) == (
        f'{store.name} refused to create oauth_application "CloudAppSecurity". '
        f"POST /api/now/table/oauth_entity -> 403 Operation Failed: {ACL} (transaction 3f2a01b2c3d4). "
        "svc_ansible has the roles itil, rest_service; writing oauth_entity requires one of oauth_admin, mi_admin, admin"
    )


@pytest.mark.parametrize(("verb", "write"), [("change", CHANGE), ("delete", REMOVAL), ("create", USER)])
def test_a_refusal_reports_what_was_tried(server: Loopback, store: InstanceStore, verb: str, write: Write) -> None:
    refuse(server, ("admin",))
    actions: dict[str, Callable[[], object]] = {
        "change": lambda: store.update(write, "u1", {}),
        "delete": lambda: store.delete(write, "u1"),
        "create": lambda: store.create(write, {}),
    }
    with pytest.raises(Refused, match=f"refused to {verb} user svc_defender"):
        actions[verb]()


def test_a_role_that_blocks_every_write_is_named_with_the_roles_that_allow_it(
    server: Loopback, store: InstanceStore
) -> None:
    refuse(server, ("admin", "snc_read_only"))
    with pytest.raises(Refused) as caught:
        store.create(USER, {})
    assert "svc_ansible has the role snc_read_only, which blocks every write" in str(caught.value)
    assert "requires one of" not in str(caught.value)


def test_a_refused_read_is_not_reported_as_a_write() -> None:
    account = Account("svc_ansible", frozenset({"itil", "snc_read_only"}))
    told = remedy(HttpError("GET", "/api/now/table/sys_user", 403, "ACL"), "sys_user", lambda: account)
    assert told == (
        "svc_ansible has the roles itil, snc_read_only; reading sys_user requires a role that its read access rules (ACLs) accept"
    )


def test_a_refusal_where_roles_cannot_be_read_does_not_guess(server: Loopback, store: InstanceStore) -> None:
    refuse(server, ())
    with pytest.raises(Refused, match="svc_ansible is calling; writing sys_user requires one of user_admin, admin"):
        store.create(USER, {})


def test_a_business_rule_is_quoted(server: Loopback, store: InstanceStore) -> None:
    words = "Operation against file 'sys_user' was aborted by Business Rule 'x^a1'. Business Rule Stack:x"
    refuse(server, ("admin",), words)
    with pytest.raises(Refused, match="was aborted by Business Rule"):
        store.create(USER, {})


def test_nothing_is_written_in_check_mode(server: Loopback, store: InstanceStore, context: TaskContext) -> None:
    context.check_mode = True
    for action in (
        lambda: store.create(USER, {}),
        lambda: store.update(CHANGE, "u1", {}),
        lambda: store.delete(REMOVAL, "u1"),
    ):
        with pytest.raises(WriteInCheckMode):
            action()
    assert server.received == []
