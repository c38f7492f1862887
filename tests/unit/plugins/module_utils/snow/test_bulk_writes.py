# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance makes of many writes, in the words of the engine.

See docs/facts/servicenow_platform.md#errors, docs/facts/servicenow_platform.md#write-safety,
docs/facts/servicenow_tickets.md#change-requests.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    AlreadyExists,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import (
    CREATE,
    DELETE,
    UPDATE,
    Write,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.store import BulkStore, Order
from ansible_collections.secops.servicenow_defender.plugins.module_utils.file_lock import folder
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import InstanceStore
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.change_api import ChangeWrite
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import SignInFailed
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer, failure
from tests.unit.plugins.module_utils.snow.fake_batch_api import with_batches

CHANGE = "/api/sn_chg_rest/v1/change"
NO_API = "Requested URI does not represent any resource"


def orders(kind: type[Write] = Write, action: str = CREATE, count: int = 2) -> list[Order]:
    table = "change_request" if kind is ChangeWrite else "incident"
    row_id = "" if action == CREATE else "abc"
    return [Order(kind(action, table, f"{table} {n}"), {"short_description": f"{n}"}, row_id) for n in range(count)]


def made(_request: Received) -> Reply:
    return answer({"result": {"sys_id": "abc"}}, 201)


def test_an_instance_takes_many_writes(store: InstanceStore) -> None:
    assert isinstance(store, BulkStore)


def test_a_row_comes_back_with_its_id_alone(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(with_batches(made))
    assert store.write_many(orders()) == [{"sys_id": "abc"}] * 2
    urls = [item["url"] for item in server.received[0].json["rest_requests"]]
    assert urls == ["/api/now/table/incident?sysparm_exclude_reference_link=true&sysparm_fields=sys_id"] * 2


@pytest.mark.parametrize("words", ["Unique Key violation detected by database", "duplicate entry for key PRIMARY"])
def test_a_taken_id_means_that_another_run_was_first(server: Loopback, store: InstanceStore, words: str) -> None:
    server.answers_by(with_batches(lambda _request: failure(403, f"Operation Failed: {words}")))
    assert all(isinstance(one, AlreadyExists) for one in store.write_many(orders()))
    assert not any(isinstance(one, AlreadyExists) for one in store.write_many(orders(action=UPDATE)))


def test_a_row_that_is_gone_is_reported(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(with_batches(lambda _request: failure(404, "No Record found")))
    first = store.write_many(orders(action=UPDATE))[0]
    assert isinstance(first, Refused)
    assert "It was deleted since it was read, or the account may not see it; run again" in str(first)


def test_rows_are_deleted_together(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(with_batches(lambda _request: Reply(204, b"")))
    assert store.write_many(orders(action=DELETE)) == [{"sys_id": "abc"}] * 2
    (batch,) = server.received
    inner = batch.json["rest_requests"]
    assert [(item["method"], item["url"], item["body"]) for item in inner] == [
        ("DELETE", "/api/now/table/incident/abc", "")
    ] * 2


def test_a_delete_of_a_row_that_is_gone_is_done_and_its_answer_kept(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(with_batches(lambda _request: failure(404, "No Record found")))
    sent = orders(action=DELETE)
    assert store.write_many(sent) == [{"sys_id": "abc"}] * 2
    assert all("404 No Record found" in order.write.not_found for order in sent)


def test_a_refused_delete_is_named_as_one(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(with_batches(lambda _request: failure(403, "Operation Failed")))
    first = store.write_many(orders(action=DELETE))[0]
    assert isinstance(first, Refused)
    assert "refused to delete incident 0" in str(first)


def test_an_answer_without_an_id_is_unclear(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(with_batches(lambda _request: answer({"result": {}}, 201)))
    assert all(isinstance(one, UnclearOutcome) for one in store.write_many(orders()))


@pytest.mark.parametrize("inner", [True, False])
def test_wrong_credentials_end_the_run(server: Loopback, store: InstanceStore, inner: bool) -> None:
    refused = failure(401, "User Not Authenticated")
    server.answers_by(with_batches(lambda _request: refused) if inner else lambda _request: refused)
    with pytest.raises(SignInFailed):
        store.write_many(orders())


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_change_request_comes_back_as_a_record_or_a_list_of_one(
    server: Loopback, store: InstanceStore, wrapped: bool
) -> None:
    record = {"sys_id": {"value": "abc", "display_value": "abc"}, "__meta": {"ignoredFields": []}}
    server.answers_by(with_batches(lambda _request: answer({"result": [record] if wrapped else record})))
    assert [one["sys_id"] for one in store.write_many(orders(ChangeWrite))] == ["abc"] * 2  # type: ignore[index]
    assert server.received[0].json["rest_requests"][0]["url"] == CHANGE


def test_a_change_is_patched_by_its_id(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(made)
    store.write_many(orders(ChangeWrite, UPDATE, 1))
    assert server.lines == [f"PATCH {CHANGE}/abc"]
    assert json.loads(server.received[0].body) == {"short_description": "0"}


def test_fields_that_the_change_api_left_out_are_named(server: Loopback, store: InstanceStore) -> None:
    record = {"sys_id": "abc", "__meta": {"ignoredFields": ["u_a", "u_b"]}}
    server.answers_by(with_batches(lambda _request: answer({"result": record})))
    first = store.write_many(orders(ChangeWrite))[0]
    assert isinstance(first, Refused)
    assert "was created, but the change API left out u_a, u_b" in str(first)


@pytest.mark.parametrize("missing", [failure(400, NO_API), failure(404, NO_API), failure(404, "Not Found")])
def test_without_a_change_api_the_table_is_written_and_that_is_remembered(
    server: Loopback, store: InstanceStore, missing: Reply
) -> None:
    server.answers_by(with_batches(lambda request: missing if request.path.startswith(CHANGE) else made(request)))
    assert store.write_many(orders(ChangeWrite)) == [{"sys_id": "abc"}] * 2
    assert len(server.received) == 2
    assert store.write_many(orders(ChangeWrite)) == [{"sys_id": "abc"}] * 2
    assert len(server.received) == 3


def test_a_change_that_is_gone_does_not_mean_that_the_api_is(server: Loopback, store: InstanceStore) -> None:
    server.answers_by(with_batches(lambda _request: failure(404, "No Record found")))
    assert isinstance(store.write_many(orders(ChangeWrite, UPDATE))[0], Refused)
    assert len(server.received) == 1


def test_progress_is_shown_every_few_seconds(store: InstanceStore, context: TaskContext, clock: Clock) -> None:
    lines: list[str] = []
    context.show = lines.append
    for done in range(40, 400, 40):
        clock.passes(1)
        store.written(done, 400, "tickets")
    assert lines == [f"{store.name}: {done} of 400 tickets written" for done in (80, 160, 240, 320)]


def test_turns_are_taken_in_the_folder_of_locks(
    store: InstanceStore, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with store.turn():
        (name,) = os.listdir(folder())
    assert name.startswith("servicenow_defender-")
    assert name.endswith(".turn")
