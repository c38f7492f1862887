# SPDX-License-Identifier: GPL-3.0-or-later
"""Many reads, one round trip; and what happens where that is not to be had.

See docs/facts/servicenow_platform.md#batch-api.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.batch import read_tables
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import TableQuery
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import HttpError
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.responses import Response
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.loopback import (
    DROPPED,
    Loopback,
    Received,
    Reply,
    answer,
    failure,
    page,
    rows,
)
from tests.unit.plugins.module_utils.snow.fake_batch_api import BATCH, inner_requests, serviced, with_batches

Connect = Callable[..., Session]


def queries(count: int) -> list[TableQuery]:
    return [TableQuery(f"table_{n}", "active=true", ("sys_id", "name")) for n in range(count)]


def named(request: Received) -> Reply:
    """Answer with the name of the requested table."""
    return rows({"sys_id": "a", "name": request.path.rsplit("/", 1)[-1]}, total=1)


def names(answers: list[Response]) -> list[str]:
    return [one.data["result"][0]["name"] for one in answers]


def expected(count: int) -> list[str]:
    return [f"table_{n}" for n in range(count)]


def test_many_reads_are_one_request(server: Loopback, connected: Connect, context: TaskContext) -> None:
    context.check_mode = True
    server.answers_by(with_batches(named))
    answers = read_tables(connected(), queries(10))
    assert names(answers) == expected(10)
    assert server.lines == [f"POST {BATCH}"]
    assert (context.calls.read, context.calls.write) == (1, 0), "a batch of reads is a read"
    assert all(one.headers["x-total-count"] == "1" for one in answers), "pages need the count"


def test_a_batch_holds_relative_urls_and_text_ids(server: Loopback, connected: Connect) -> None:
    server.answers_by(with_batches(named))
    read_tables(connected(), queries(3))
    items = server.received[0].json["rest_requests"]
    assert all(isinstance(item["id"], str) and item["url"].startswith("/api/now/table/table_") for item in items)
    assert {item["method"] for item in items} == {"GET"}
    for request, query in zip(inner_requests(server.received[0]), queries(3), strict=True):
        assert (request.path, request.query) == (query.path, query.parameters)


def test_one_read_goes_out_alone(server: Loopback, connected: Connect) -> None:
    server.answers_by(named)
    assert names(read_tables(connected(), queries(1))) == expected(1)
    assert server.lines == ["GET /api/now/table/table_0"]


def test_no_read_is_no_request(server: Loopback, connected: Connect) -> None:
    assert read_tables(connected(), []) == []
    assert server.received == []


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_what_did_not_fit_is_requested_again(server: Loopback, connected: Connect, most: int) -> None:
    server.answers_by(with_batches(named, most=most))
    answers = read_tables(connected(), queries(7))
    assert names(answers) == expected(7), "and the order is kept"
    assert Counter(server.lines)[f"POST {BATCH}"] <= 3
    asked = Counter(
        path
        for request in server.received
        for path in ([r.path for r in inner_requests(request)][:most] if request.path == BATCH else [request.path])
    )
    assert set(asked.values()) == {1}, "what was answered is not requested again"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_inner_fault_that_passes_is_requested_again(server: Loopback, connected: Connect, status: int) -> None:
    seen: Counter[str] = Counter()

    def sometimes(request: Received) -> Reply:
        seen[request.path] += 1
        faulty = request.path.endswith(("_1", "_3")) and seen[request.path] == 1
        return failure(status, "Rate limit exceeded") if faulty else named(request)

    server.answers_by(with_batches(sometimes))
    assert names(read_tables(connected(), queries(5))) == expected(5)


def test_an_inner_fault_that_stays_is_reported(server: Loopback, connected: Connect) -> None:
    def broken(request: Received) -> Reply:
        return failure(500, "Operation Failed") if request.path.endswith("_1") else named(request)

    server.answers_by(with_batches(broken))
    with pytest.raises(HttpError, match=r"^GET /api/now/table/table_1 -> 500 Operation Failed$"):
        read_tables(connected(retries=1), queries(3))


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_clear_inner_refusal_is_an_answer(server: Loopback, connected: Connect, status: int) -> None:
    def refused(request: Received) -> Reply:
        return failure(status, "Invalid table table_1") if request.path.endswith("_1") else named(request)

    server.answers_by(with_batches(refused))
    answers = read_tables(connected(), queries(3))
    assert [one.status for one in answers] == [200, status, 200]
    assert answers[1].path == "/api/now/table/table_1"
    assert server.lines == [f"POST {BATCH}"]


CUT = Reply(200, b'{"result": [{"sys_', {"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "inner", [CUT, page("log in"), Reply(200, b"", {}), Reply(302, b"", {"Location": "/login.do"})]
)
def test_an_inner_answer_that_is_none_is_requested_alone(server: Loopback, connected: Connect, inner: Reply) -> None:
    def odd(request: Received) -> Reply:
        return inner if "batch-id" in request.headers and request.path.endswith("_1") else named(request)

    server.answers_by(with_batches(odd))
    assert names(read_tables(connected(), queries(3))) == expected(3)


@pytest.mark.parametrize(
    "damage",
    [
        {"body": "no base64!"},
        {"body": 17},
        {"body": None},
        {"status_code": None},
        {"status_code": "soon"},
        {"status_code": 0, "body": ""},
        {"headers": "none"},
        {"headers": [None]},
        {"id": "99"},
        {"id": None},
        {"id": ""},
    ],
    ids=str,
)
def test_a_damaged_entry_is_requested_again(server: Loopback, connected: Connect, damage: dict[str, object]) -> None:
    def damaged(request: Received) -> Reply:
        if request.path != BATCH:
            return named(request)
        entries = [serviced(one, named(one)) for one in inner_requests(request)]
        entries[0] = {**entries[0], **damage}
        return answer({"batch_request_id": "1", "serviced_requests": [*entries, None], "unserviced_requests": []})

    server.answers_by(damaged)
    assert names(read_tables(connected(), queries(2))) == expected(2)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 415, 501])
def test_where_batches_are_refused_each_read_goes_out_alone(server: Loopback, connected: Connect, status: int) -> None:
    server.answers_by(
        lambda r: failure(status, "Requested URI does not represent any resource") if r.path == BATCH else named(r)
    )
    assert names(read_tables(connected(), queries(3))) == expected(3)
    assert names(read_tables(connected(), queries(2))) == expected(2)
    assert server.lines.count(f"POST {BATCH}") == 1, "and that is remembered"
    assert len(server.received) == 6


def test_a_page_instead_of_a_batch_is_no_batch(server: Loopback, connected: Connect) -> None:
    server.answers_by(lambda r: page("Not here") if r.path == BATCH else named(r))
    assert names(read_tables(connected(), queries(2))) == expected(2)


def test_a_refusal_of_one_instance_reports_nothing_about_another(server: Loopback, connected: Connect) -> None:
    with Loopback.started() as second:
        server.answers_by(lambda r: failure(404) if r.path == BATCH else named(r))
        second.answers_by(with_batches(named))
        read_tables(connected(), queries(2))
        read_tables(connected(second.url), queries(2))
        assert second.lines == [f"POST {BATCH}"]


def test_wrong_credentials_end_it_at_once(server: Loopback, connected: Connect) -> None:
    # Each single request would be one more failed sign-in.
    server.answers(failure(401, "User Not Authenticated"))
    with pytest.raises(HttpError, match="401"):
        read_tables(connected(), queries(3))
    assert len(server.received) == 1


def test_a_batch_that_got_lost_is_sent_again(server: Loopback, connected: Connect) -> None:
    lost = [DROPPED, failure(503), CUT]
    server.answers_by(lambda r: lost.pop() if lost else with_batches(named)(r))
    assert names(read_tables(connected(), queries(2))) == expected(2)
    assert server.lines == [f"POST {BATCH}"] * 4


def test_a_very_long_list_is_sent_in_several_batches(server: Loopback, connected: Connect) -> None:
    server.answers_by(with_batches(named))
    assert names(read_tables(connected(), queries(250))) == expected(250)
    assert server.lines == [f"POST {BATCH}"] * 3
