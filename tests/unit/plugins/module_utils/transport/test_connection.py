# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the platform: proxies, certificates, and the sessions of a process."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    BadConnectionOption,
    ConnectError,
    HttpError,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from tests.unit.plugins.module_utils.certificates import self_signed
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import DROPPED, Loopback, answer

Connect = Callable[..., Session]

# -- proxies --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["option", "environment"])
def test_requests_go_through_the_proxy(
    server: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "environment":
        monkeypatch.setenv("http_proxy", server.url)
        session = connected("http://acme-prod.example.com")
    else:
        session = connected("http://acme-prod.example.com", proxy=server.url)
    session.request("GET", "/api/now/table/sys_user")
    session.request("POST", "/oauth_token.do", form={}, signed=False, only_reads=True)
    assert [request.headers["host"] for request in server.received] == ["acme-prod.example.com"] * 2, (
        "the token call, too"
    )


def test_the_proxy_option_wins_over_the_environment(
    server: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    connected("http://acme-prod.example.com", proxy=server.url).request("GET", "/x")
    assert len(server.received) == 1


def test_no_proxy_is_honoured(connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "acme-prod.example.com")
    with pytest.raises(ConnectError) as caught:
        connected("http://acme-prod.example.com:1", retries=0).request("GET", "/x")
    assert "the proxy" not in str(caught.value)


@pytest.mark.parametrize("how", ["option", "environment"])
def test_what_is_sent_to_this_machine_passes_no_proxy(
    server: Loopback, connected: Connect, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    connected(**({"proxy": "http://127.0.0.1:9"} if how == "option" else {})).request("GET", "/x")
    assert len(server.received) == 1


def test_a_proxy_takes_credentials(server: Loopback, connected: Connect) -> None:
    proxy = server.url.replace("//", "//robot:pa%2Fss@")
    connected("http://acme-prod.example.com", proxy=proxy).request("GET", "/x")
    expected = base64.b64encode(b"robot:pa/ss").decode()
    assert server.received[0].headers["proxy-authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_proxys_password_is_a_secret_from_then_on(
    connected: Connect, context: TaskContext, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    proxy = "http://robot:Pa%24%24word%2F1@127.0.0.1:9"
    if how == "environment":
        monkeypatch.setenv("http_proxy", proxy)
    connected("http://acme-prod.example.com", **({"proxy": proxy} if how == "option" else {}))
    for form in ("Pa%24%24word%2F1", "Pa$$word/1"):
        assert context.redactor.scrub_text(f"x {form}") == "x ********"


@pytest.mark.parametrize("how", ["option", "environment"])
@pytest.mark.parametrize("address", ["127.0.0.1:9", "127.0.0.1:port", "[::1"])
def test_a_proxys_password_is_not_shown(
    connected: Connect, context: TaskContext, monkeypatch: pytest.MonkeyPatch, how: str, address: str
) -> None:
    proxy = f"http://robot:Pa%24%24word%2F1@{address}"
    settings = {"proxy": proxy} if how == "option" else {}
    if how == "environment":
        monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises((ConnectError, BadConnectionOption), match="proxy") as caught:
        connected("http://acme-prod.example.com", retries=1, **settings).request("GET", "/x")
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


def test_an_untrusted_server_receives_nothing_and_is_not_tried_again(
    tls_server: Loopback, connected: Connect, clock: Clock
) -> None:
    with pytest.raises(ConnectError, match=r"certificate.*ca_path") as caught:
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
    tls_server: Loopback, connected: Connect, context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connected(tls_server.url, validate_certs=False).request("GET", "/x")
    assert len(tls_server.received) == 1
    assert context.warnings == [
        f"validate_certs is false: anyone on the network path can read and change the traffic to {tls_server.url}"
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


def test_an_encrypted_key_is_refused_since_no_one_can_enter_its_passphrase(
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
    with pytest.raises(AmbiguousResponse, match="may have rejected the client certificate"):
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
    class Renewing:
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
