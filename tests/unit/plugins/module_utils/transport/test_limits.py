# SPDX-License-Identifier: GPL-3.0-or-later
"""A response has a deadline and a limit of size, and a pause has bounds at both ends."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport import reading
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    BadConnectionOption,
    EndlessResponse,
    HttpError,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.polling import (
    ProgressLine,
    Wait,
    poll,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import OK, Loopback, Reply, failure

Connect = Callable[..., Session]
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
JSON = {"Content-Type": "application/json"}


@contextmanager
def dripping(first: bytes, connections: list[object]) -> Iterator[str]:
    """Serve `first`, and then one byte every 50 ms, for ever; list the connections."""
    over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _address = server.accept()
            except OSError:
                return
            try:
                connections.append(connection)
                connection.recv(65536)
                connection.sendall(first)
                while not over.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                pass
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    over.set()
    server.close()
    thread.join(5)


@pytest.mark.parametrize("first", [HEADERS, b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["in the body", "in the headers"])
def test_a_response_that_never_ends_is_given_up_at_the_deadline(connected: Connect, first: bytes) -> None:
    connections: list[object] = []
    with dripping(first, connections) as url, pytest.raises(EndlessResponse, match="was not complete after 0.6 s"):
        connected(url, timeout=0.4, retry_deadline=0.2).request("GET", "/x")
    assert len(connections) == 1, "it is not requested again"


def test_the_connection_after_a_deadline_is_a_new_one(server: Loopback, connected: Connect) -> None:
    with dripping(HEADERS, []) as url, pytest.raises(EndlessResponse):
        connected(url, timeout=0.2, retry_deadline=0).request("GET", "/x")
    assert connected().request("GET", "/x").data == {"result": []}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_a_response_beyond_the_limit_of_size_is_not_read_to_its_end(
    server: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(reading, "MAX_BODY_BYTES", 1024**2)
    body = b'{"result": "' + b"a" * (40 * 1024**2) + b'"}'
    server.answers(
        Reply(body=gzip.compress(body), headers={**JSON, "Content-Encoding": "gzip"})
        if packed
        else Reply(body=body, headers=JSON)
    )
    with pytest.raises(EndlessResponse, match="larger than 1 MB"):
        connected().request("GET", "/x")
    assert len(server.received) == 1


def packed(body: bytes, times: int = 1) -> bytes:
    for _time in range(times):
        body = gzip.compress(body)
    return body


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip, gzip", packed(b"{}", 2), "compressed as gzip,gzip, which was not asked for"),
        ("br", b"x", "compressed as br"),
        ("zstd", b"x", "compressed as zstd"),
        ("gzip", b"no gzip", "cannot be decompressed"),
        ("gzip", packed(b"x" * 100)[:-12] + b"y" * 20, "cannot be decompressed|truncated"),
    ],
    ids=["twice", "brotli", "zstandard", "no gzip", "broken"],
)
def test_a_body_that_is_compressed_in_another_way_makes_no_sense(
    server: Loopback, connected: Connect, encoding: str, body: bytes, words: str
) -> None:
    server.answers(Reply(body=body, headers={**JSON, "Content-Encoding": encoding}))
    with pytest.raises(AmbiguousResponse, match=words):
        connected(retries=0).request("GET", "/x")
    assert server.received[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_body_is_unpacked(
    server: Loopback, connected: Connect, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    rows = {"result": [{"sys_id": f"{number:032x}"} for number in range(5000)]}
    body = pack(json.dumps(rows).encode())
    server.answers(Reply(body=body, headers={**JSON, "Content-Encoding": encoding}))
    assert connected().request("GET", "/x").data == rows


def test_a_task_waits_no_longer_than_one_timeout_and_the_deadline_in_all(
    connected: Connect, context: TaskContext
) -> None:
    started = time.monotonic()
    with dripping(HEADERS, []) as url:
        session = connected(url, timeout=0.4, retry_deadline=0.2)
        for _request in range(5):
            with pytest.raises(EndlessResponse):
                session.request("GET", "/x")
        with pytest.raises(EndlessResponse, match=r"was not sent: this task has waited 0\.6\d* s in vain"):
            session.request("POST", "/x", body={})
    assert time.monotonic() - started < 30
    assert context.calls.accepted == 0, "what was not sent changed nothing"


@pytest.mark.parametrize("levels", [150, 600, 100_000])
def test_json_that_is_nested_too_deep_makes_no_sense(server: Loopback, connected: Connect, levels: int) -> None:
    server.answers(Reply(body=b'{"result":' + b"[" * levels + b"]" * levels + b"}", headers=JSON))
    with pytest.raises(AmbiguousResponse, match="makes no sense: its JSON is nested too deep"):
        connected(retries=0).request("GET", "/x")


def test_a_pause_of_no_length_is_a_pause_all_the_same(server: Loopback, connected: Connect, clock: Clock) -> None:
    server.answers(failure(429, Retry_After="0"), failure(503, Retry_After="-7"), OK)
    connected().request("GET", "/x")
    assert clock.naps == [0.2, 0.2]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "3000",
            r"a pause of 3000 s, longer than retry_deadline \(120 s\): run again after 20\d\d-\d\d-\d\d \d\d:\d\d UTC",
        ),
        ("99999999", "a pause of more than a year"),
        ("inf", "a pause of more than a year"),
        ("1e400", "a pause of more than a year"),
    ],
)
def test_a_pause_beyond_the_deadline_reports_when_to_retry(
    server: Loopback, connected: Connect, clock: Clock, header: str, words: str
) -> None:
    server.answers(failure(429, "Rate limit exceeded", Retry_After=header))
    with pytest.raises(HttpError, match=f"429 Rate limit exceeded. The platform asks for {words}"):
        connected().request("GET", "/x")
    assert clock.naps == []


def test_polls_are_never_closer_than_a_tenth_of_a_second(clock: Clock) -> None:
    progress = ProgressLine(lambda _text: None)
    assert len(list(poll(2.0, 0.0, progress, lambda _seconds: ""))) < 20


@pytest.mark.parametrize(
    "given", [{"timeout": float("inf")}, {"timeout": float("nan")}, {"interval": -1.0}, {"interval": 1e9}]
)
def test_a_wait_without_bounds_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadConnectionOption, match="must be between 0 and"):
        Wait(**{"wanted": True, "timeout": 60.0, "interval": 1.0, **given})
