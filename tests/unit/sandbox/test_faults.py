# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults.

See docs/facts/servicenow_platform.md#limits, docs/facts/servicenow_platform.md#cancelled-transactions,
docs/facts/servicenow_platform.md#pages-instead-of-json, docs/facts/servicenow_platform.md#write-safety.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.sandbox.process import SandboxError
from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]
USERS = "api/now/table/sys_user"


def faulty(make: Make, kind: str, **options: Any) -> RestClient:
    return make(faults=[{"kind": kind, **options}])


def created(instance: RestClient) -> bool:
    return any(row["name"] == "A" for row in instance.sandbox.state(instance.name, "oauth_entity"))


def test_throttling_returns_its_rule_and_retry_after(make: Make) -> None:
    answer = faulty(make, "429", seconds=7).call("GET", USERS)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert int(answer.headers["X-RateLimit-Reset"]) >= time.time()
    assert {"X-RateLimit-Limit", "X-RateLimit-Rule"} <= set(answer.headers)
    assert answer.json()["error"]["message"] == "Rate limit exceeded"
    bare = faulty(make, "429-bare").call("GET", USERS)
    assert (bare.status_code, "Retry-After" in bare.headers, bare.content) == (429, False, b"")


@pytest.mark.parametrize(
    ("kind", "status", "kind_of_content", "text"),
    [
        ("500", 500, "application/json", "Internal Server Error"),
        ("502", 502, "text/html", "Bad Gateway"),
        ("503", 503, "text/html", "Unavailable"),
        ("hibernating", 200, "text/html", "<title>Instance Hibernating page</title>"),
        ("login-page", 200, "text/html", "login.do"),
        ("wrong-content-type", 200, "text/plain", '"result"'),
    ],
)
def test_a_response_of_an_unexpected_type(make: Make, kind: str, status: int, kind_of_content: str, text: str) -> None:
    answer = faulty(make, kind).call("GET", USERS)
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, kind_of_content)
    assert text in answer.text


@pytest.mark.parametrize(
    ("kind", "target"),
    [("wake-redirect", "https://developer.servicenow.com/dev.do#!/home?wu=true"), ("login-redirect", "/login.do")],
)
def test_a_redirect_to_another_page(make: Make, kind: str, target: str) -> None:
    answer = faulty(make, kind).call("GET", USERS)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(target)


@pytest.mark.parametrize(("kind", "done"), [("500", False), ("500-after-commit", True)])
def test_a_500_may_come_after_the_write(make: Make, kind: str, done: bool) -> None:
    instance = faulty(make, kind)
    assert instance.table("oauth_entity", method="POST", body={"name": "A"}).status_code == 500
    assert created(instance) is done


@pytest.mark.parametrize(("kind", "done"), [("reset", False), ("reset-after-commit", True)])
def test_a_dropped_connection_may_come_after_the_write(make: Make, kind: str, done: bool) -> None:
    instance = faulty(make, kind)
    with pytest.raises(requests.ConnectionError):
        instance.table("oauth_entity", method="POST", body={"name": "A"})
    assert created(instance) is done


def test_a_truncated_body_with_its_true_length(make: Make) -> None:
    answer = faulty(make, "truncated").call("GET", USERS)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_connection_may_close_before_the_announced_length(make: Make) -> None:
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        faulty(make, "truncated-early").call("GET", USERS)


def test_a_cancelled_transaction_leaves_the_error_in_the_tail_of_a_200(make: Make) -> None:
    answer = faulty(make, "transaction-cancelled").call("GET", USERS)
    assert answer.status_code == 200
    assert answer.text.startswith('{"result":[')
    assert "Transaction cancelled: maximum execution time exceeded" in answer.text[-250:]
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_slowness_and_latency_delay_responses(make: Make) -> None:
    for instance in (faulty(make, "slow", seconds=0.2), make(latency_ms=200)):
        started = time.monotonic()
        assert instance.call("GET", USERS).status_code == 200
        assert time.monotonic() - started >= 0.2


def test_a_fault_may_be_limited_to_a_count_a_method_and_a_path(make: Make) -> None:
    fault = {"kind": "503", "count": 2, "method": "GET", "path": "/api/now/table/sys_user*"}
    instance = make(faults=[fault])
    assert instance.table("oauth_entity").status_code == 200
    assert instance.table("sys_user", method="POST", body={"user_name": "x"}).status_code == 201
    assert [instance.table("sys_user_role").status_code for _ in range(3)] == [503, 503, 200]


def test_a_rate_between_hits_some_and_the_same_ones_for_the_same_seed(make: Make) -> None:
    instance = faulty(make, "503", rate=0.5)
    name = instance.name

    def run() -> list[int]:
        instance.sandbox.new_instance(name, faults=[{"kind": "503", "rate": 0.5}])
        return [instance.call("GET", USERS).status_code for _ in range(12)]

    first = run()
    assert set(first) == {200, 503}
    assert run() == first


def test_faults_are_switched_while_the_instance_runs(make: Make) -> None:
    instance = make()
    instance.sandbox.turn(instance.name, faults=[{"kind": "hibernating"}])
    assert "Hibernating" in instance.anonymous().call("POST", "oauth_token.do").text
    instance.sandbox.turn(instance.name, faults=[])
    assert instance.call("GET", USERS).status_code == 200


@pytest.mark.parametrize("fault", [{"kind": "nonsense"}, {"kind": "500", "rate": 2}, {"kind": "500", "odd": 1}])
def test_a_fault_that_does_not_exist_is_refused(make: Make, fault: dict[str, Any]) -> None:
    with pytest.raises(SandboxError, match="400"):
        make(faults=[fault])
