# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers the transport trusts, and what it sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.base_url import checked_base_url
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    BadConnectionOption,
    UnexpectedPage,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.loopback import OK, Loopback, Reply, answer

Connect = Callable[..., Session]
PROOF = {"Authorization": "Bearer f00dfacef00dface"}


class Signed:
    """Signs with `PROOF`."""

    def headers(self) -> Mapping[str, str]:
        return PROOF

    def renew(self) -> bool:
        return False


@pytest.fixture
def elsewhere() -> Iterator[Loopback]:
    """Another host, as far as the transport knows."""
    with Loopback.started() as running:
        yield running


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status, b"", {"Location": location})


# -- redirects ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_read_follows_a_redirect_to_an_api_path_of_the_same_host(
    server: Loopback, connected: Connect, status: int
) -> None:
    server.answers(redirect("/api/now/v2/table/sys_user?sysparm_limit=1", status), OK)
    session = connected()
    session.signer = Signed()
    assert session.request("GET", "/api/now/table/sys_user", query={"sysparm_limit": "1"}).data == {"result": []}
    assert server.received[1].query == {"sysparm_limit": "1"}
    assert server.received[1].headers["authorization"] == PROOF["Authorization"]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_another_host_gets_nothing_not_even_a_request(
    server: Loopback, elsewhere: Loopback, connected: Connect, method: str
) -> None:
    server.answers(redirect(f"{elsewhere.url}/api/now/table/sys_user"))
    session = connected()
    session.signer = Signed()
    with pytest.raises(UnexpectedPage, match=r"-> 302: redirected to 127\.0\.0\.1:\d+, which is not followed"):
        session.request(method, "/api/now/table/sys_user", body=None if method == "GET" else {})
    assert elsewhere.received == []
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "location", ["//{}/api/x", "https://{}/api/x", "http://user@{}/api/x", "http://{}.example/api/x"]
)
def test_a_disguised_other_host_is_another_host(server: Loopback, connected: Connect, location: str) -> None:
    server.answers(redirect(location.format(server.url.removeprefix("http://"))), redirect("/login.do"))
    with pytest.raises(UnexpectedPage):
        connected().request("GET", "/x")
    # A protocol-relative address of the same host is the same host; nothing else is.
    assert len(server.received) == (2 if location.startswith("//") else 1)


@pytest.mark.parametrize("location", ["/login.do?uri=/api/now", "/saml_redirector.do", "/", ""])
def test_a_redirect_to_a_sign_in_page_is_not_followed(server: Loopback, connected: Connect, location: str) -> None:
    server.answers(redirect(location))
    with pytest.raises(UnexpectedPage, match="single sign-on") as caught:
        connected().request("GET", "/api/now/table/sys_user")
    assert len(server.received) == 1
    assert "uri=" not in str(caught.value)


def test_a_redirect_to_the_vendors_site_means_a_sleeping_developer_instance(
    server: Loopback, connected: Connect
) -> None:
    server.answers(redirect("https://developer.servicenow.com/dev.do#!/home?wu=true"))
    with pytest.raises(
        UnexpectedPage, match="the developer instance is hibernating .*Wake it at developer.servicenow.com"
    ):
        connected().request("GET", "/api/now/table/sys_user")


def test_a_write_is_not_redirected(server: Loopback, connected: Connect) -> None:
    server.answers(redirect("/api/now/v2/table/sys_user", 307))
    with pytest.raises(UnexpectedPage, match="not followed"):
        connected().request("POST", "/api/now/table/sys_user", body={})
    assert len(server.received) == 1


def test_redirects_in_a_circle_end(server: Loopback, connected: Connect) -> None:
    server.answers(redirect("/api/now/table/sys_user"))
    with pytest.raises(UnexpectedPage, match="not followed"):
        connected().request("GET", "/api/now/table/sys_user")
    assert len(server.received) <= 5


# -- credentials ----------------------------------------------------------------------------------------------------------


def test_a_netrc_does_not_replace_our_credentials(
    server: Loopback, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session = connected()
    session.request("GET", "/x")
    session.signer = Signed()
    session.request("GET", "/x")
    assert [request.headers.get("authorization") for request in server.received] == [None, PROOF["Authorization"]]


def test_cookies_are_not_sent_back(server: Loopback, connected: Connect) -> None:
    # A session cookie can authenticate even after its token has expired
    # (docs/facts/servicenow_platform.md#token-session-cookie).
    server.answers(answer({}, Set_Cookie="JSESSIONID=A1B2; Path=/; HttpOnly"), OK)
    session = connected()
    session.request("GET", "/x")
    session.request("GET", "/x")
    connected().request("GET", "/x")
    assert [request.headers.get("cookie") for request in server.received] == [None] * 3


def test_an_unsigned_request_carries_no_proof(server: Loopback, connected: Connect) -> None:
    session = connected()
    session.signer = Signed()
    session.request("POST", "/oauth_token.do", form={"a": "b c"}, signed=False, only_reads=True)
    (request,) = server.received
    assert "authorization" not in request.headers
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {"a": "b c"}


@pytest.mark.parametrize(
    "url",
    [
        "http://acme-prod.service-now.com",
        "http://198.51.100.7",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://[2001:db8::1]:8080",
    ],
)
def test_plain_http_is_refused_to_any_other_machine(url: str) -> None:
    with pytest.raises(BadConnectionOption, match=r"^snow_url is plain http .* Use https://"):
        checked_base_url("snow_url", url)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://acme-prod.service-now.com", "https://acme-prod.service-now.com"),
        (" https://acme-prod.service-now.com/ ", "https://acme-prod.service-now.com"),
        ("https://gateway.example.com/snow/acme/", "https://gateway.example.com/snow/acme"),
        ("http://127.0.0.1:8080/acme-dev", "http://127.0.0.1:8080/acme-dev"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://Acme-Prod.Service-Now.com", "HTTPS://Acme-Prod.Service-Now.com"),
    ],
)
def test_an_address_is_the_root_of_the_instance(url: str, base: str) -> None:
    assert checked_base_url("snow_url", url) == base


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "snow_url is required"),
        ("", "snow_url is required"),
        ("acme-prod", "must be an absolute URL"),
        ("acme-prod.service-now.com", "must be an absolute URL"),
        ("https:/acme-prod.service-now.com", "must be an absolute URL"),
        ("ftp://acme-prod.service-now.com", "must be an absolute URL"),
        ("https://", "must be an absolute URL"),
        ("https://[::1", "must be an absolute URL"),
        ("https://acme-prod.service-now.com:port", "must be an absolute URL"),
        ("https://acme-prod.service-now.com:99999", "must be an absolute URL"),
        ("https://acme-prod.service-now.com?x=1", r"must end before any \? or #"),
        ("https://acme-prod.service-now.com/#top", r"must end before any \? or #"),
    ],
)
def test_an_unusable_address_is_refused(url: str | None, words: str) -> None:
    with pytest.raises(BadConnectionOption, match=words):
        checked_base_url("snow_url", url)


@pytest.mark.parametrize(
    "url",
    [
        "https://admin:S3cret-word@acme-prod.service-now.com",
        "http://admin:S3cret-word@acme-prod.service-now.com",
        "https//admin:S3cret-word@acme-prod.service-now.com",
        "admin:S3cret-word@acme-prod.service-now.com",
        "ftp://admin:S3cret-word@acme-prod.service-now.com",
        "https://admin:S3cret-word@acme-prod.service-now.com:port",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(BadConnectionOption, match="snow_url must not contain credentials") as caught:
        checked_base_url("snow_url", url)
    assert "S3cret-word" not in str(caught.value)
