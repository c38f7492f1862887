# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user reads when a call fails, and what no one may read."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    BadConnectionOption,
    ConnectError,
    TransportError,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, Received, Reply, answer, failure, page

Connect = Callable[..., Session]
SECRET = 'gäh "x/+&1\\'


def failed(session: Session, method: str = "GET", path: str = "/api/now/table/sys_user") -> str:
    """Return the message of a request that fails."""
    with pytest.raises(TransportError) as caught:
        session.request(method, path, body=None if method == "GET" else {})
    return str(caught.value)


# -- each failure has its own words ---------------------------------------------------------------------------------------


def test_a_refused_connection_is_named(connected: Connect) -> None:
    message = failed(connected("http://127.0.0.1:9", retries=0))
    assert message.startswith("GET /api/now/table/sys_user at http://127.0.0.1:9: cannot connect (")
    assert "refused" in message
    assert "Check that the host name is correct and that the host is up" in message


class NameServer:
    """Plays the name server: it answers every question with `error`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
        self.error, self.asked = socket.gaierror(number, words), 0
        monkeypatch.setattr(socket, "getaddrinfo", self.answer)

    def answer(self, *_question: object) -> object:
        self.asked += 1
        raise self.error


def test_a_host_name_that_does_not_exist_is_tried_once_more_and_named(
    connected: Connect, monkeypatch: pytest.MonkeyPatch, context: TaskContext, clock: Clock
) -> None:
    names = NameServer(monkeypatch, socket.EAI_NONAME, "Name or service not known")
    message = failed(connected("https://acme-prdo.service-now.com", retries=5))
    assert message == (
        "GET /api/now/table/sys_user at https://acme-prdo.service-now.com: the host name does not exist (Name or service not known). "
        "Check its spelling, and whether the DNS server that this machine asks knows it"
    )
    assert names.asked == 2
    assert [warning.partition(" failed")[0] for warning in context.warnings] == [
        "https://acme-prdo.service-now.com: attempt 1 of 2"
    ]


def test_a_proxy_name_that_does_not_exist_is_tried_once_more(
    connected: Connect, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    names = NameServer(monkeypatch, socket.EAI_NONAME, "Name or service not known")
    message = failed(connected("http://acme-prod.example.com", proxy="http://prxy.example.com:3128", retries=5))
    assert "the proxy refused the connection or is unreachable (Name or service not known)" in message
    assert names.asked == 2


def test_a_name_server_that_does_not_answer_now_is_asked_again(
    connected: Connect, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    names = NameServer(monkeypatch, socket.EAI_AGAIN, "Temporary failure in name resolution")
    message = failed(connected("https://acme-prod.service-now.com", retries=5))
    assert "cannot connect (Temporary failure in name resolution). Check that the host name is correct" in message
    assert names.asked == 6


def test_a_proxy_that_cannot_be_reached_is_called_the_culprit(connected: Connect) -> None:
    message = failed(connected("http://acme-prod.example.com", proxy="http://127.0.0.1:9", retries=0))
    assert "the proxy refused the connection or is unreachable" in message
    assert "Check proxy, https_proxy and no_proxy" in message


def test_a_proxy_that_refuses_is_called_the_culprit(server: Loopback, connected: Connect) -> None:
    # The server does not know CONNECT, so it answers 501, as a proxy that refuses would answer 403 or 407.
    message = failed(connected("https://acme-prod.service-now.com", proxy=server.url, retries=0))
    assert "the proxy refused the connection or is unreachable (Tunnel connection failed: 501" in message


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_silent_host_ends_in_a_time_out(server: Loopback, connected: Connect, method: str) -> None:
    server.answers(Reply(wait=5))
    message = failed(connected(timeout=0.1, retries=0), method)
    assert message.endswith("timed out after 0.1 s. Increase timeout if the platform is slow")


def test_a_host_that_never_answers_a_connection_ends_in_a_time_out(connected: Connect) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.socket() as first, socket.socket() as second:
            for waiting in (first, second):
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            message = failed(connected(f"http://127.0.0.1:{port}", timeout=0.2, retries=0), "POST")
    assert "cannot connect within 0.2 s" in message


def test_a_server_without_tls_is_named(server: Loopback, connected: Connect) -> None:
    message = failed(connected(server.url.replace("http", "https"), retries=0))
    assert "the TLS connection failed" in message
    assert "_ssl.c" not in message or "wrong version" in message.lower()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_dropped_connection_is_named(server: Loopback, connected: Connect, method: str) -> None:
    server.answers(DROPPED)
    message = failed(connected(retries=0), method)
    assert "the connection was dropped before the response was complete" in message


def test_an_answer_that_cannot_be_unpacked_is_no_clear_answer(server: Loopback, connected: Connect) -> None:
    server.answers(Reply(200, b"no gzip", {"Content-Encoding": "gzip", "Content-Type": "application/json"}))
    with pytest.raises(AmbiguousResponse):
        connected(retries=0).request("GET", "/x")


@pytest.mark.parametrize(
    "host", ["acme..service-now.com", "a" * 64 + ".service-now.com", "*.service-now.com", ".service-now.com"]
)
def test_a_host_name_that_cannot_exist_is_not_a_defect(connected: Connect, host: str) -> None:
    message = failed(connected(f"https://{host}", retries=0))
    assert host in message
    assert "LocationParseError" not in message


@pytest.mark.parametrize("token", ["f00dface\n", "f00dface\r\nX-Evil: 1", " f00dface", "f00d\u20acface"])
def test_a_token_that_fits_no_header_is_an_option_to_correct(
    server: Loopback, connected: Connect, clock: Clock, context: TaskContext, token: str
) -> None:
    class Signed:
        def headers(self) -> Mapping[str, str]:
            return {"x-sn-apikey": token}

        def renew(self) -> bool:
            return False

    context.redactor.add(token)
    session = connected()
    session.signer = Signed()
    with pytest.raises(BadConnectionOption, match="line break|header") as caught:
        session.request("GET", "/x")
    assert server.received == []
    assert clock.naps == [], "it will not get better"
    assert "f00d" not in str(caught.value)


# -- and none says what we sent -------------------------------------------------------------------------------------------


def base64s(secret: str) -> Iterator[str]:
    """Return the secret as it is seen in base64 of longer texts, at each alignment."""
    for before in ("", "a", "ab"):
        yield base64.b64encode(f"{before}{secret}:and more".encode()).decode()


ECHOES = {
    "raw": SECRET,
    "URL-encoded": quote(SECRET),
    "URL-encoded whole": quote(SECRET, safe=""),
    "form-encoded": quote_plus(SECRET),
    "hexadecimal": SECRET.encode().hex(),
    "JSON": json.dumps(SECRET),
    "JSON in UTF-8": json.dumps(SECRET, ensure_ascii=False),
    **{f"base64 at {n}": text for n, text in enumerate(base64s(SECRET))},
}


def echoing(text: str) -> dict[str, Reply]:
    """Return answers of each kind that repeat `text`."""
    return {
        "error": failure(403, "Operation Failed", f"no: {text}"),
        "passing error": failure(500, f"no: {text}"),
        "token error": answer({"error": "server_error", "error_description": text}, 401),
        "error in a 200": failure(200, f"Transaction cancelled: {text}"),
        "page": page(text),
        "cut": Reply(body=f'{{"result": "{text}'.encode(), headers={"Content-Type": "application/json"}),
        "redirect": Reply(302, b"", {"Location": f"/{quote(text)}/login.do"}),
        "transaction": failure(400, "Invalid table x", X_Transaction_ID=quote(text)),
    }


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("kind", echoing(""))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_repeats_a_secret_is_not_repeated(
    server: Loopback, connected: Connect, context: TaskContext, kind: str, echo: str, method: str
) -> None:
    context.redactor.add(SECRET)
    server.answers(echoing(echo)[kind])
    message = failed(connected(retries=1), method)
    cores = {text[4:-8] for text in base64s(SECRET)}
    for text in (message, *context.warnings):
        for form in {
            SECRET,
            quote(SECRET),
            quote_plus(SECRET),
            json.dumps(SECRET)[1:-1],
            SECRET.encode().hex(),
            *cores,
        }:
            assert form not in text


@pytest.mark.parametrize("reply", [DROPPED, failure(500, "x"), failure(403, "x"), page("x"), Reply(wait=5)], ids=str)
@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_a_message_holds_no_body_no_query_and_no_header(
    server: Loopback, connected: Connect, context: TaskContext, reply: Reply, method: str
) -> None:
    server.answers(reply)
    session = connected(retries=1, timeout=0.1)
    with pytest.raises(TransportError) as caught:
        session.request(
            method,
            "/api/now/table/sys_user",
            query={"sysparm_query": "email=query-word"},
            body={"last_name": "body-word"},
            headers={"x-private": "header-word"},
        )
    assert server.received[0].query == {"sysparm_query": "email=query-word"}, "it was sent"
    for text in (str(caught.value), *context.warnings):
        for word in ("query-word", "body-word", "header-word", "sysparm_query"):
            assert word not in text


def test_a_form_is_not_shown(server: Loopback, connected: Connect) -> None:
    def refuse(request: Received) -> Reply:
        assert request.form == {"client_secret": "form-word"}
        return failure(500, "x")

    server.answers_by(refuse)
    with pytest.raises(TransportError) as caught:
        connected(retries=0).request("POST", "/oauth_token.do", form={"client_secret": "form-word"}, only_reads=True)
    assert "form-word" not in str(caught.value)


def test_where_and_how_often_is_shown_while_waiting(server: Loopback, connected: Connect, context: TaskContext) -> None:
    server.answers(failure(429, "Rate limit exceeded", Retry_After="3"))
    failed(connected(retries=2))
    assert context.warnings == [
        f"{server.url}: attempt {n} of 3 failed, next one in 3.0 s. "
        "GET /api/now/table/sys_user -> 429 Rate limit exceeded"
        for n in (1, 2)
    ]


def test_nothing_a_user_reads_is_a_traceback(connected: Connect) -> None:
    message = failed(connected("http://127.0.0.1:9", retries=0))
    for noise in ("Max retries", "HTTPConnectionPool", "urllib3", "object at 0x", "Caused by"):
        assert noise not in message


def test_an_unreachable_host_is_safe_to_ask_again(connected: Connect) -> None:
    with pytest.raises(ConnectError):
        connected("http://127.0.0.1:9", retries=0).request("POST", "/x", body={})
