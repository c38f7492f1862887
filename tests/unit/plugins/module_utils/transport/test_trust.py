# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the transport talks to, and what it tells them (architecture 5)."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.shell import Context
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    BadConnectionOption,
    HttpError,
    NoClearAnswer,
    NotJson,
    Unreachable,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import (
    Session,
    checked_base_url,
)
from tests.unit.plugins.module_utils.certificates import self_signed
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, OK, Loopback, Reply, answer

Connect = Callable[..., Session]
PROOF = {"Authorization": "Bearer f00dfacef00dface"}


class Signed:
    """Signs with `PROOF`; `proofs` counts how often."""

    def headers(self) -> Mapping[str, str]:
        return PROOF

    def renew(self) -> bool:
        return False


@pytest.fixture
def elsewhere() -> Iterator[Loopback]:
    """Another host, as far as the transport can tell."""
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
    with pytest.raises(NotJson, match=r"-> 302: redirected to 127\.0\.0\.1:\d+, which is not followed"):
        session.request(method, "/api/now/table/sys_user", body=None if method == "GET" else {})
    assert elsewhere.received == []
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "location", ["//{}/api/x", "https://{}/api/x", "http://user@{}/api/x", "http://{}.example/api/x"]
)
def test_a_disguised_other_host_is_another_host(server: Loopback, connected: Connect, location: str) -> None:
    server.answers(redirect(location.format(server.url.removeprefix("http://"))), redirect("/login.do"))
    with pytest.raises(NotJson):
        connected().request("GET", "/x")
    # A protocol-relative address of the same host is the same host; nothing else is.
    assert len(server.received) == (2 if location.startswith("//") else 1)


@pytest.mark.parametrize("location", ["/login.do?uri=/api/now", "/saml_redirector.do", "/", ""])
def test_a_redirect_to_a_sign_in_page_is_not_followed(server: Loopback, connected: Connect, location: str) -> None:
    server.answers(redirect(location))
    with pytest.raises(NotJson, match="single sign-on") as caught:
        connected().request("GET", "/api/now/table/sys_user")
    assert len(server.received) == 1
    assert "uri=" not in str(caught.value)


def test_a_redirect_to_the_vendors_site_means_a_sleeping_developer_instance(
    server: Loopback, connected: Connect
) -> None:
    server.answers(redirect("https://developer.servicenow.com/dev.do#!/home?wu=true"))
    with pytest.raises(NotJson, match="the developer instance is hibernating .*Wake it at developer.servicenow.com"):
        connected().request("GET", "/api/now/table/sys_user")


def test_a_write_is_not_redirected(server: Loopback, connected: Connect) -> None:
    server.answers(redirect("/api/now/v2/table/sys_user", 307))
    with pytest.raises(NotJson, match="not followed"):
        connected().request("POST", "/api/now/table/sys_user", body={})
    assert len(server.received) == 1


def test_redirects_in_a_circle_end(server: Loopback, connected: Connect) -> None:
    server.answers(redirect("/api/now/table/sys_user"))
    with pytest.raises(NotJson, match="not followed"):
        connected().request("GET", "/api/now/table/sys_user")
    assert len(server.received) <= 5


# -- credentials ----------------------------------------------------------------------------------------------------------


def test_a_netrc_does_not_replace_our_credentials(
    server: Loopback, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session = connected()
    session.request("GET", "/x")
    session.signer = Signed()
    session.request("GET", "/x")
    assert [request.headers.get("authorization") for request in server.received] == [None, PROOF["Authorization"]]


def test_cookies_are_not_sent_back(server: Loopback, connected: Connect) -> None:
    # ServiceNow platform facts 2.1: a session cookie can go on authenticating after its token has expired.
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
        ("acme-prod", "must be a whole address"),
        ("acme-prod.service-now.com", "must be a whole address"),
        ("https:/acme-prod.service-now.com", "must be a whole address"),
        ("ftp://acme-prod.service-now.com", "must be a whole address"),
        ("https://", "must be a whole address"),
        ("https://[::1", "must be a whole address"),
        ("https://acme-prod.service-now.com:port", "must be a whole address"),
        ("https://acme-prod.service-now.com:99999", "must be a whole address"),
        ("https://acme-prod.service-now.com?x=1", r"must end before any \? or #"),
        ("https://acme-prod.service-now.com/#top", r"must end before any \? or #"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str | None, words: str) -> None:
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
    with pytest.raises(BadConnectionOption, match="snow_url must not carry credentials") as caught:
        checked_base_url("snow_url", url)
    assert "S3cret-word" not in str(caught.value)


# -- proxies --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["option", "environment"])
def test_requests_go_through_the_proxy(
    server: Loopback, elsewhere: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "environment":
        monkeypatch.setenv("http_proxy", server.url)
        session = connected("http://localhost:9")
    else:
        session = connected("http://localhost:9", proxy=server.url)
    session.request("GET", "/api/now/table/sys_user")
    session.request("POST", "/oauth_token.do", form={}, signed=False, only_reads=True)
    assert [request.headers["host"] for request in server.received] == ["localhost:9"] * 2, "the token call, too"


def test_the_proxy_option_wins_over_the_environment(
    server: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    connected("http://localhost:9", proxy=server.url).request("GET", "/x")
    assert len(server.received) == 1


def test_no_proxy_is_honoured(server: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    connected().request("GET", "/x")
    assert len(server.received) == 1


def test_a_proxy_takes_credentials(server: Loopback, connected: Connect) -> None:
    proxy = server.url.replace("//", "//robot:pa%2Fss@")
    connected("http://localhost:9", proxy=proxy).request("GET", "/x")
    expected = base64.b64encode(b"robot:pa/ss").decode()
    assert server.received[0].headers["proxy-authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("how", ["option", "environment"])
@pytest.mark.parametrize("address", ["127.0.0.1:9", "127.0.0.1:port", "[::1"])
def test_a_proxys_password_is_not_shown(
    connected: Connect, context: Context, monkeypatch: pytest.MonkeyPatch, how: str, address: str
) -> None:
    proxy = f"http://robot:Pa%24%24word%2F1@{address}"
    settings = {"proxy": proxy} if how == "option" else {}
    if how == "environment":
        monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises((Unreachable, BadConnectionOption), match="proxy") as caught:
        connected("http://localhost:9", retries=1, **settings).request("GET", "/x")
    for text in (str(caught.value), *context.warnings):
        assert "Pa%24%24word%2F1" not in text
        assert "Pa$$word/1" not in text


# -- certificates ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_server(certificate: tuple[str, str]) -> Iterator[Loopback]:
    with Loopback.started(certificate) as running:
        yield running


def test_a_server_that_nobody_vouches_for_gets_nothing_and_is_not_tried_again(
    tls_server: Loopback, connected: Connect, clock: Clock
) -> None:
    with pytest.raises(Unreachable, match=r"certificate.*ca_path") as caught:
        connected(tls_server.url).request("POST", "/x", body={})
    assert tls_server.received == []
    assert clock.naps == [], "it will not get better"
    assert "Max retries" not in str(caught.value)


@pytest.mark.parametrize("how", ["ca_path", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_of_ones_own_is_trusted(
    tls_server: Loopback, connected: Connect, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "ca_path":
        session = connected(tls_server.url, ca_path=certificate[0])
    else:
        monkeypatch.setenv(how, certificate[0])
        session = connected(tls_server.url)
    session.request("POST", "/oauth_token.do", form={}, signed=False, only_reads=True)
    assert len(tls_server.received) == 1


def test_the_option_wins_over_the_environment(
    tls_server: Loopback, connected: Connect, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    connected(tls_server.url, ca_path=certificate[0]).request("GET", "/x")
    assert len(tls_server.received) == 1


def test_verification_switched_off_is_warned_about(
    tls_server: Loopback, connected: Connect, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connected(tls_server.url, validate_certs=False).request("GET", "/x")
    assert len(tls_server.received) == 1
    assert context.warnings == [
        f"validate_certs is false: anybody on the way can read and change what is sent to {tls_server.url}"
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path /nowhere/ca.pem does not exist"),
        ({"client_cert": "/nowhere/c.pem"}, "client certificate file /nowhere/c.pem cannot be read: No such file"),
        ({"client_key": "/nowhere/k.pem"}, "client key file /nowhere/k.pem cannot be read: No such file"),
    ],
)
def test_a_missing_file_is_named_before_anything_is_sent(
    server: Loopback, connected: Connect, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(BadConnectionOption, match=words):
        connected(**settings)
    assert server.received == []


def test_a_missing_bundle_of_the_environment_is_called_by_its_name(
    connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(BadConnectionOption, match=r"REQUESTS_CA_BUNDLE /nowhere/ca.pem does not exist"):
        connected()


def test_an_encrypted_key_is_refused_since_nobody_is_there_to_type_its_passphrase(
    connected: Connect, certificate: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(BadConnectionOption, match=r"client key file .*key.pem is encrypted"):
        connected(client_cert=certificate[0], client_key=str(tmp_path / "key.pem"))


@pytest.mark.parametrize("which", ["client_cert", "ca_path"])
def test_a_file_that_holds_no_certificate_is_named(
    tls_server: Loopback, connected: Connect, certificate: tuple[str, str], tmp_path: Path, which: str
) -> None:
    (tmp_path / "wrong.pem").write_text("no certificate")
    settings = {"ca_path": certificate[0], "retries": 2, which: str(tmp_path / "wrong.pem")}
    with pytest.raises(BadConnectionOption, match="wrong.pem"):
        connected(tls_server.url, **settings).request("GET", "/x")


def test_a_dropped_connection_may_mean_an_unwelcome_client_certificate(
    tls_server: Loopback, connected: Connect, certificate: tuple[str, str]
) -> None:
    tls_server.answers(DROPPED)
    session = connected(
        tls_server.url, ca_path=certificate[0], client_cert=certificate[0], client_key=certificate[1], retries=0
    )
    with pytest.raises(NoClearAnswer, match="does not accept the client certificate"):
        session.request("GET", "/x")


# -- the sessions ---------------------------------------------------------------------------------------------------------


def test_one_connection_serves_all_requests_of_a_process(server: Loopback, connected: Connect) -> None:
    for session in (connected(), connected(retries=1)):
        session.request("GET", "/x")
        session.request("POST", "/x", body={})
    assert len(server.received) == 4
    assert server.connections == 1


def test_sessions_with_other_proof_of_identity_are_not_shared(
    connected: Connect, certificate: tuple[str, str], server: Loopback
) -> None:
    plain, certified = connected(), connected(client_cert=certificate[0], client_key=certificate[1])
    assert plain._http is not certified._http
    assert plain._http.cert is None
    assert certified._http.cert == certificate


def test_a_renewed_proof_is_tried_once(server: Loopback, connected: Connect) -> None:
    class Renewing(Signed):
        renewals = 0

        def headers(self) -> Mapping[str, str]:
            return {"Authorization": f"Bearer token-{self.renewals}"}

        def renew(self) -> bool:
            self.renewals += 1
            return True

    server.answers(answer({"error": {"message": "User is not authenticated"}}, 401))
    session = connected()
    session.signer = Renewing()
    with pytest.raises(HttpError, match="401"):
        session.request("GET", "/x")
    assert [r.headers["authorization"] for r in server.received] == ["Bearer token-0", "Bearer token-1"]
