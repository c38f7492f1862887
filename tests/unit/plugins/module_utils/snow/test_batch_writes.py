# SPDX-License-Identifier: GPL-3.0-or-later
"""Many writes in one round trip, none of them twice.

See docs/facts/servicenow_platform.md#limits, docs/facts/servicenow_platform.md#write-safety,
docs/facts/servicenow_platform.md#batch-api.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import batch
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.batch import (
    Pace,
    WriteRequest,
    Written,
    write_all,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    HttpError,
    WriteInCheckMode,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.responses import Response
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, Received, Reply, answer, failure, page
from tests.unit.plugins.module_utils.snow.fake_batch_api import BATCH, inner_requests, with_batches

Connect = Callable[..., Session]


def requests(count: int, note: str = "") -> list[WriteRequest]:
    return [
        WriteRequest("POST", f"/api/now/table/table_{n}", {"sysparm_fields": "sys_id"}, {"name": f"{n}", "note": note})
        for n in range(count)
    ]


def done(request: Received) -> Reply:
    """Create the row: its id is the name of the table."""
    return answer({"result": {"sys_id": request.path.rsplit("/", 1)[-1]}}, 201)


def sent(session: Session, what: list[WriteRequest], pace: Pace | None = None, lines: list[str] | None = None) -> Any:
    return write_all(session, what, pace or Pace(), (lines if lines is not None else []).append)


def shown(results: list[Written]) -> list[str]:
    return [r.data["result"]["sys_id"] if isinstance(r, Response) else type(r).__name__ for r in results]


def expected(count: int) -> list[str]:
    return [f"table_{n}" for n in range(count)]


def test_many_writes_are_one_request_that_counts_as_a_write(
    server: Loopback, connected: Connect, context: TaskContext
) -> None:
    server.answers_by(with_batches(done))
    assert shown(sent(connected(), requests(10))) == expected(10)
    assert server.lines == [f"POST {BATCH}"]
    assert (context.calls.read, context.calls.write) == (0, 1)
    first = server.received[0].json["rest_requests"][0]
    assert (first["method"], first["url"]) == ("POST", "/api/now/table/table_0?sysparm_fields=sys_id")
    assert json.loads(base64.b64decode(first["body"])) == {"name": "0", "note": ""}


def test_in_check_mode_no_batch_of_writes_is_sent(server: Loopback, connected: Connect, context: TaskContext) -> None:
    context.check_mode = True
    with pytest.raises(WriteInCheckMode):
        sent(connected(), requests(2))
    assert server.received == []


def test_one_write_goes_out_alone(server: Loopback, connected: Connect) -> None:
    server.answers_by(done)
    assert shown(sent(connected(), requests(1))) == expected(1)
    assert server.lines == ["POST /api/now/table/table_0"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_inner_fault_leaves_that_write_unclear(server: Loopback, connected: Connect, status: int) -> None:
    server.answers_by(with_batches(lambda r: failure(status) if r.path.endswith("_1") else done(r)))
    assert shown(sent(connected(), requests(3))) == ["table_0", "AmbiguousResponse", "table_2"]
    assert server.lines == [f"POST {BATCH}"]


def test_what_is_left_unserviced_may_have_been_carried_out(server: Loopback, connected: Connect) -> None:
    server.answers_by(with_batches(done, most=2))
    assert shown(sent(connected(), requests(4))) == ["table_0", "table_1", "AmbiguousResponse", "AmbiguousResponse"]


@pytest.mark.parametrize("lost", [DROPPED, failure(503), Reply(200, b'{"serv', {"Content-Type": "application/json"})])
def test_a_batch_that_got_lost_is_not_sent_again(server: Loopback, connected: Connect, lost: Reply) -> None:
    server.answers(lost)
    assert shown(sent(connected(), requests(3))) == ["AmbiguousResponse"] * 3
    assert server.lines == [f"POST {BATCH}"]


def test_a_clear_refusal_is_reported_with_the_message_of_the_platform(server: Loopback, connected: Connect) -> None:
    server.answers_by(with_batches(lambda r: failure(403, "No") if r.path.endswith("_1") else done(r)))
    results = sent(connected(), requests(3))
    assert shown(results) == ["table_0", "HttpError", "table_2"]
    assert str(results[1]) == "POST /api/now/table/table_1 -> 403 No"


def test_only_what_the_rate_limit_held_back_is_sent_again(server: Loopback, connected: Connect, clock: Clock) -> None:
    seen: Counter[str] = Counter()
    lines: list[str] = []

    def limited(request: Received) -> Reply:
        seen[request.path] += 1
        if request.path.endswith(("_1", "_3")) and seen[request.path] == 1:
            reply = failure(429, "Rate limit exceeded")
            return Reply(reply.status, reply.body, {**reply.headers, "Retry-After": "9"})
        return done(request)

    server.answers_by(with_batches(limited))
    assert shown(sent(connected(), requests(5), lines=lines)) == expected(5)
    assert [len(inner_requests(one)) for one in server.received] == [5, 2]
    assert sum(clock.naps) == pytest.approx(9, abs=0.5)
    assert lines == [f"2 writes wait {n} s, because the instance limits the rate of requests" for n in (6, 4, 1)]


def test_a_pause_that_does_not_fit_says_when_to_come_back(server: Loopback, connected: Connect) -> None:
    def limited(request: Received) -> Reply:
        reply = failure(429, "Rate limit exceeded", Retry_After="3000")
        return reply if request.path.endswith("_1") else done(request)

    server.answers_by(with_batches(limited))
    results = sent(connected(), requests(3))
    assert shown(results) == ["table_0", "HttpError", "table_2"]
    assert "asks for a pause of 3000 s, longer than retry_deadline (120 s): run again after 20" in str(results[1])


def test_a_rate_limit_that_stays_is_a_refusal(server: Loopback, connected: Connect) -> None:
    server.answers_by(with_batches(lambda r: failure(429, "Rate limit exceeded") if r.path.endswith("_1") else done(r)))
    results = sent(connected(retries=2), requests(3))
    assert shown(results) == ["table_0", "HttpError", "table_2"]
    assert "429" in str(results[1])


@pytest.mark.parametrize("status", [400, 403, 404, 405, 415])
def test_where_batches_are_refused_each_write_goes_out_alone(server: Loopback, connected: Connect, status: int) -> None:
    server.answers_by(lambda r: failure(status, "No") if r.path == BATCH else done(r))
    assert shown(sent(connected(), requests(3))) == expected(3)
    assert shown(sent(connected(), requests(3))) == expected(3)
    assert server.lines.count(f"POST {BATCH}") == 1, "and that is remembered"
    assert len(server.received) == 7


def test_alone_a_lost_write_is_as_unclear_and_a_refusal_as_clear(server: Loopback, connected: Connect) -> None:
    replies = {"table_0": DROPPED, "table_1": failure(403, "No"), "table_2": failure(500)}
    server.answers_by(lambda r: failure(404) if r.path == BATCH else replies.get(r.path.rsplit("/", 1)[-1]) or done(r))
    results = sent(connected(), requests(4))
    assert shown(results) == ["AmbiguousResponse", "HttpError", "AmbiguousResponse", "table_3"]
    assert len(server.received) == 5, "each once"


def test_a_page_instead_of_a_batch_leaves_everything_unclear(server: Loopback, connected: Connect) -> None:
    server.answers_by(lambda r: page("Not here") if r.path == BATCH else done(r))
    assert shown(sent(connected(), requests(2))) == ["AmbiguousResponse"] * 2
    assert shown(sent(connected(), requests(2))) == expected(2), "and what is sent again goes out alone"


def test_wrong_credentials_end_it_at_once(server: Loopback, connected: Connect) -> None:
    server.answers(failure(401, "User Not Authenticated"))
    with pytest.raises(HttpError, match="401"):
        sent(connected(), requests(3))
    assert len(server.received) == 1


def test_a_batch_stays_below_the_limit_of_the_platform(
    server: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_BYTES", 40_000)
    server.answers_by(with_batches(done))
    assert shown(sent(connected(), requests(20, note="x" * 5000))) == expected(20)
    assert len(server.received) == 4
    assert all(len(one.body) < 40_000 + 1_000 for one in server.received)


def test_a_damaged_batch_reports_none_of_its_content(server: Loopback, connected: Connect) -> None:
    server.answers(answer({"serviced_requests": [{"id": "0", "status_code": None}, {"id": "7"}, None]}))
    results = sent(connected(), requests(2))
    assert all(isinstance(one, AmbiguousResponse) for one in results)


def test_the_pace_is_what_the_platform_does_in_a_few_seconds() -> None:
    pace = Pace()
    pace.learn(40, 0.5)
    assert pace.size == 150, "but never more"
    pace.learn(150, 30)
    assert pace.size == 12
    pace.learn(20, 100)
    assert pace.size == 5, "but some"


def test_a_platform_that_did_not_get_through_is_sent_less_from_then_on() -> None:
    pace = Pace()
    pace.slow_down()
    pace.learn(20, 0.1)
    assert pace.size == 20
