# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer is taken for.

See docs/facts/servicenow_platform.md#records-on-the-wire, docs/facts/servicenow_platform.md#errors,
docs/facts/servicenow_platform.md#pages-instead-of-json.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    HttpError,
    UnexpectedPage,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.platform_words import platform_words
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.redact import Redactor
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.responses import (
    RawResponse,
    read_response,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback, Reply, answer, failure, page

Connect = Callable[..., Session]
LOGIN_FORM = '<form action="login.do"><input name="user_password" type="password"></form>'


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("<title>Instance Hibernating page</title>", "hibernating", "developer.servicenow.com"),
        (LOGIN_FORM, "interactive sign-in page", "single sign-on"),
        ("Down for scheduled maintenance", "maintenance page", "Wait until the instance is available again"),
        ("<h1>It works!</h1>", "a page instead of data", "root of the instance"),
    ],
)
def test_a_page_in_place_of_data_is_named_with_the_remedy(
    server: Loopback, connected: Connect, clock: Clock, text: str, what: str, remedy: str
) -> None:
    server.answers(page(text))
    with pytest.raises(
        UnexpectedPage, match=r"^GET /api/now/table/sys_user -> 200 returned text/html instead of JSON"
    ) as caught:
        connected().request("GET", "/api/now/table/sys_user")
    assert what in str(caught.value)
    assert remedy in str(caught.value)
    assert clock.naps == [], "a page does not go away within seconds"


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_page_in_answer_to_a_write_is_its_own_error_too(server: Loopback, connected: Connect, method: str) -> None:
    server.answers(page(LOGIN_FORM))
    with pytest.raises(UnexpectedPage, match="interactive sign-in page"):
        connected().request(method, "/x", body={})
    assert len(server.received) == 1


def test_an_instance_that_is_offline_is_called_so(server: Loopback, connected: Connect) -> None:
    server.answers(page("The instance is being upgraded", 503))
    with pytest.raises(HttpError, match=r"^GET /x -> 503 The instance is being upgraded \(a maintenance page\)$"):
        connected(retries=0).request("GET", "/x")


@pytest.mark.parametrize("status", [200, 201])
def test_json_is_decoded(status: int) -> None:
    raw = RawResponse(
        status, {"content-type": "application/json;charset=UTF-8"}, '{"result": {"name": "Zoë"}}'.encode()
    )
    assert read_response("POST", "/x", raw).data == {"result": {"name": "Zoë"}}


def test_no_body_is_fine_where_none_is_due(server: Loopback, connected: Connect) -> None:
    server.answers(answer(status=204))
    assert connected().request("DELETE", "/api/now/table/sys_user/a").data is None
    assert connected().request("HEAD", "/api/now/table/sys_user/a").data is None


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff\xfe", b'{"error": 1}', b'["a"]', b'"text"'])
@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 415])
def test_an_error_status_counts_with_any_body(status: int, body: bytes) -> None:
    # Clients must not require the detail to be a string, nor the body to be JSON
    # (docs/facts/servicenow_platform.md#errors).
    answered = read_response("GET", "/x", RawResponse(status, {"content-type": "application/json"}, body))
    assert answered.status == status
    assert str(answered.error()).startswith(f"GET /x -> {status}")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"error": {"message": "Invalid table u_x", "detail": None}, "status": "failure"}, "Invalid table u_x"),
        (
            {"error": {"message": "User Not Authorized", "detail": {"reason": "scope"}}},
            "User Not Authorized: {'reason'",
        ),
        ({"error_description": "access_denied", "error": "server_error"}, "server_error: access_denied"),
        ({"error": {"code": "AuthorizationFailed", "message": "No."}}, "AuthorizationFailed: No."),
        ({"result": {"status": "3", "error": "Unknown plugin"}}, "Unknown plugin"),
        ({"message": "no route matches"}, "no route matches"),
        ({"Message": "The request is invalid."}, "The request is invalid."),
        ({"detail": "Token expired"}, "Token expired"),
        ({"detail": [{"loc": ["body", "x"], "msg": "field required"}]}, "field required"),
        (
            {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "blocked by rule 7"},
            "Forbidden: blocked by rule 7",
        ),
        (
            {"title": "Invalid", "errors": {"$.name": ["too long", "reserved"]}},
            "Invalid: $.name: too long: $.name: reserved",
        ),
        ({"errors": ["first", {"code": "E2", "message": "second"}]}, "first: E2: second"),
        ({"errors": [{"title": "Denied", "detail": "by policy"}]}, "Denied: by policy"),
        ([{"errorCode": "X", "message": "listed"}], "listed"),
        (
            {"odata.error": {"code": "Request_BadRequest", "message": {"lang": "en", "value": "old"}}},
            "Request_BadRequest: old",
        ),
        ("upstream request timeout", "upstream request timeout"),
        ({"result": []}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_platforms_own_words_are_found(data: object, words: str) -> None:
    assert platform_words(data).startswith(words)
    assert bool(platform_words(data)) == bool(words)


def test_an_error_names_the_transaction(server: Loopback, connected: Connect) -> None:
    server.answers(failure(403, "Operation Failed", "Data Policy Exception: x", X_Transaction_ID="3f2a01b2c3d4"))
    with pytest.raises(HttpError) as caught:
        connected().request("PATCH", "/api/now/table/sys_user/a", body={})
    assert str(caught.value) == (
        "PATCH /api/now/table/sys_user/a -> 403 Operation Failed: Data Policy Exception: x (transaction 3f2a01b2c3d4)"
    )


def test_a_cancelled_transaction_is_reported_with_the_remedy(server: Loopback, connected: Connect) -> None:
    body = b'{"result":[{"sys_id":"a"},"error":{"message":"Transaction cancelled: maximum execution time exceeded"}'
    server.answers(Reply(200, body, {"Content-Type": "application/json"}))
    with pytest.raises(AmbiguousResponse, match=r"cancelled the transaction.*Request fewer rows"):
        connected(retries=0).request("GET", "/x")


def test_a_response_with_rows_and_an_error_is_still_a_response(server: Loopback, connected: Connect) -> None:
    # CI/CD progress holds an empty "error" (docs/facts/servicenow_platform.md#cicd-api).
    server.answers(answer({"result": {"status": "1", "error": ""}}))
    assert connected().request("GET", "/api/sn_cicd/progress/a").data["result"]["status"] == "1"


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("text/plain", b"no route to backend", "no route to backend"),
        (
            "text/html",
            b"<html><head><style>p {}</style></head><body><h1>Access&nbsp;denied</h1><p>id &lt;7&gt;</p></body>",
            "Access denied id <7>",
        ),
        ("text/plain", b"\x1b[31mred\x07\r\nalert\x00", "[31mred alert"),
        ("application/json", b'{"message": "cut of', '{"message": "cut of'),
        ("text/html", b"<html></html>", "(a page instead of data)"),
        ("", b"ab " * 5000, "ab ab ab"),
    ],
)
def test_what_a_gateway_wrote_is_shown_in_one_line(content_type: str, body: bytes, words: str) -> None:
    refused = read_response("GET", "/x", RawResponse(403, {"content-type": content_type}, body)).error()
    assert refused.words.startswith(words)
    assert len(refused.words) < 210
    assert refused.words.isprintable()
    assert not refused.from_platform


@pytest.mark.parametrize(
    "body", ["refused: pa<b>ss&amp;word", "<p>refused: pa&lt;b&gt;ss&amp;amp;word</p>", "x" * 190 + " pa<b>ss&amp;word"]
)
def test_a_page_that_repeats_a_secret_shows_none(body: str) -> None:
    redactor = Redactor(["pa<b>ss&amp;word"])
    raw = RawResponse(403, {"content-type": "text/html"}, body.encode())
    words = read_response("GET", "/x", raw).error(redactor.scrub_text).words
    assert "ss&" not in words
    assert "***" in words
