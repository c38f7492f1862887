# SPDX-License-Identifier: GPL-3.0-or-later
"""When a request is sent again, how long is waited, and when not."""

from __future__ import annotations

import random
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport import retry
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    ConnectError,
    HttpError,
    TransportError,
    WriteInCheckMode,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.retry import (
    RetryBudget,
    retry_after_seconds,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, OK, Loopback, Reply, answer, failure, page, rows

Connect = Callable[..., Session]

CUT = Reply(body=b'{"result": [{"sys_id": "a"}, {"sys_', headers={"Content-Type": "application/json"})
HUNG_UP = Reply(body=b'{"result": [{"sys_id": "a"}]}', headers={"Content-Type": "application/json"}, cut=9)
EMPTY = Reply(body=b"", headers={"Content-Type": "application/json"})
# A cancelled transaction can leave a truncated 200 body whose tail holds the error object
# (docs/facts/servicenow_platform.md#cancelled-transactions).
CANCELLED_WORDS = "Transaction cancelled: maximum execution time exceeded"
CANCELLED_TAIL = Reply(
    body=b'{"result":[{"sys_id":"a"},{"sys_id":"b"}'
    b',"error":{"message":"'
    + CANCELLED_WORDS.encode()
    + b'","detail":"Check logs for error trace."},"status":"failure"}',
    headers={"Content-Type": "application/json"},
)
CANCELLED_WHOLE = failure(200, CANCELLED_WORDS, "maximum execution time exceeded Check logs for error trace.")
PASSING_FAULTS = {
    "429": failure(429, "Rate limit exceeded"),
    "500": failure(500, "Operation Failed"),
    "502 page": page("Bad Gateway", 502),
    "503 page": page("The instance is offline for maintenance", 503),
    "504": failure(504),
    "reset": DROPPED,
    "cut": CUT,
    "cut and hung up": HUNG_UP,
    "cancelled, error in the tail": CANCELLED_TAIL,
    "cancelled, error object": CANCELLED_WHOLE,
}
passing_faults = pytest.mark.parametrize("fault", PASSING_FAULTS.values(), ids=PASSING_FAULTS)


@pytest.mark.parametrize("fault", [*PASSING_FAULTS.values(), EMPTY], ids=[*PASSING_FAULTS, "empty"])
def test_a_read_is_repeated_until_it_is_answered(
    server: Loopback, connected: Connect, context: TaskContext, fault: Reply
) -> None:
    server.answers(fault, fault, rows({"sys_id": "a"}))
    answered = connected().request("GET", "/api/now/table/sys_user")
    assert answered.data == {"result": [{"sys_id": "a"}]}
    assert server.lines == ["GET /api/now/table/sys_user"] * 3
    assert (context.calls.read, context.calls.write) == (3, 0)
    assert len(context.warnings) == 2, "every repetition is visible"
    assert all(server.url in warning for warning in context.warnings)


@passing_faults
def test_a_read_is_given_up_after_the_last_retry(server: Loopback, connected: Connect, fault: Reply) -> None:
    server.answers(fault)
    with pytest.raises(TransportError, match="^GET /api/now/table/sys_user"):
        connected(retries=2).request("GET", "/api/now/table/sys_user")
    assert len(server.received) == 3


@passing_faults
def test_a_create_is_never_sent_twice_but_after_429(server: Loopback, connected: Connect, fault: Reply) -> None:
    server.answers(fault, answer({"result": {"sys_id": "a"}}, 201))
    session = connected()
    if fault.status == 429:
        assert session.request("POST", "/api/now/table/sys_user", body={}).status == 201
        assert len(server.received) == 2
    else:
        with pytest.raises(AmbiguousResponse):
            session.request("POST", "/api/now/table/sys_user", body={})
        assert len(server.received) == 1


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@passing_faults
def test_writes_that_do_no_harm_twice_are_repeated(
    server: Loopback, connected: Connect, context: TaskContext, fault: Reply, method: str
) -> None:
    server.answers(fault, OK)
    connected().request(method, "/api/now/table/sys_user/a", body={})
    assert len(server.received) == context.calls.write == 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_write_may_be_answered_without_a_body(server: Loopback, connected: Connect, method: str) -> None:
    server.answers(EMPTY)
    assert connected().request(method, "/x", body={}).data is None
    assert len(server.received) == 1


def test_a_write_can_forbid_its_repetition(server: Loopback, connected: Connect) -> None:
    server.answers(DROPPED, OK)
    with pytest.raises(AmbiguousResponse):
        connected().request("PATCH", "/x", body={}, repeatable=False)
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409])
def test_a_clear_refusal_is_final(server: Loopback, connected: Connect, clock: Clock, status: int) -> None:
    server.answers(failure(status, "Operation Failed", "ACL Exception Insert Failed due to security constraints"))
    with pytest.raises(HttpError, match=f"^GET /x -> {status} Operation Failed: ACL Exception") as caught:
        connected().request("GET", "/x")
    assert caught.value.status == status
    assert len(server.received) == 1
    assert clock.naps == []


def test_a_create_that_never_arrived_is_sent_again(connected: Connect, clock: Clock) -> None:
    with pytest.raises(ConnectError):
        connected("http://127.0.0.1:9", retries=3).request("POST", "/x", body={})
    assert len(clock.naps) == 3


# -- how long -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(8))
def test_waits_grow_exponentially_with_full_jitter(monkeypatch: pytest.MonkeyPatch, attempt: int) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    monkeypatch.setattr(retry.random, "uniform", uniform)
    retry_budget = RetryBudget(retries=20, deadline=1e9, attempt=attempt)
    assert retry_budget.next_delay() == min(30.0, 0.5 * 2**attempt)
    assert asked == [(0, min(30.0, 0.5 * 2**attempt))]


def test_two_clients_do_not_wait_in_step() -> None:
    def waits(seed: int) -> list[Any]:
        random.seed(seed)
        retry_budget = RetryBudget(retries=5, deadline=1e9)
        return [retry_budget.next_delay() for _attempt in range(5)]

    assert waits(1) != waits(2)


def test_retry_after_in_seconds_is_waited(server: Loopback, connected: Connect, clock: Clock) -> None:
    server.answers(failure(429, "Rate limit exceeded", Retry_After="7"), OK)
    connected().request("GET", "/x")
    assert clock.naps == [7]


def test_retry_after_as_a_date_is_waited(server: Loopback, connected: Connect, clock: Clock) -> None:
    server.answers(failure(503, Retry_After=formatdate(clock.time() + 42, usegmt=True)), OK)
    connected().request("GET", "/x")
    assert clock.naps[0] == pytest.approx(42, abs=2)


def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
    server: Loopback, connected: Connect, clock: Clock
) -> None:
    server.answers(failure(429, "Rate limit exceeded", Retry_After="3600"), OK)
    with pytest.raises(HttpError, match="429 Rate limit exceeded"):
        connected().request("GET", "/x")
    assert (len(server.received), clock.naps) == (1, [])


def test_the_deadline_ends_a_call_before_its_retries_do(server: Loopback, connected: Connect, clock: Clock) -> None:
    server.answers(failure(429, Retry_After="25"))
    with pytest.raises(HttpError):
        connected(retries=50, retry_deadline=60).request("GET", "/x")
    assert clock.naps == [25, 25]


def test_no_retries_means_one_attempt(server: Loopback, connected: Connect, clock: Clock) -> None:
    server.answers(DROPPED)
    with pytest.raises(AmbiguousResponse):
        connected(retries=0).request("GET", "/x")
    assert (len(server.received), clock.naps) == (1, [])


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "nan", "Wed, 99 Foo 2026 00:00:00 GMT", "0"])
def test_an_odd_retry_after_never_makes_a_wait_longer(header: str | None) -> None:
    assert retry_after_seconds(header) in (None, 0)


@given(st.text())
def test_reading_retry_after_never_fails(header: str) -> None:
    seconds = retry_after_seconds(header)
    assert seconds is None or seconds >= 0


# -- the guard ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_nothing_that_writes_leaves_the_machine_in_check_mode(
    server: Loopback, connected: Connect, context: TaskContext, method: str
) -> None:
    context.check_mode = True
    with pytest.raises(WriteInCheckMode, match=f"{method} /api/now/table/sys_user .* check mode"):
        connected().request(method, "/api/now/table/sys_user", body={})
    assert server.received == []


def test_a_post_that_only_reads_passes_in_check_mode(
    server: Loopback, connected: Connect, context: TaskContext
) -> None:
    context.check_mode = True
    server.answers(DROPPED, OK)
    connected().request("POST", "/api/now/v1/batch", body={}, only_reads=True)
    assert len(server.received) == 2, "it is repeated as a read is"
    assert (context.calls.read, context.calls.write) == (2, 0)
