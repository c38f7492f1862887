# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in: every grant, against the platform's token endpoint (docs/facts/servicenow_platform.md#token-endpoint)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import ServiceNowClient
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.auth import (
    NEEDS,
    grant_of,
    lifetime,
    token_form,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.options import GRANT_TYPES
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import TableQuery
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    BadConnectionOption,
    HttpError,
    SignInFailed,
    UnexpectedPage,
)
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import OK, Loopback, Received, Reply, answer, failure, page, rows

ClientOf = Callable[..., ServiceNowClient]

GIVEN = {
    "snow_username": "svc_ansible",
    "snow_password": "Pass-word-1",
    "snow_client_id": "c1ient",
    "snow_client_secret": "c1ient-Secret",
    "snow_refresh_token": "refresh-T0ken",
    "snow_jwt_assertion": "header.claims.signature",
    "snow_access_token": "access-T0ken",
    "snow_api_key": "api-Key-1",
}
CLIENT = {"client_id": "c1ient", "client_secret": "c1ient-Secret"}
FORMS = {
    "password": {"grant_type": "password", **CLIENT, "username": "svc_ansible", "password": "Pass-word-1"},
    "client_credentials": {"grant_type": "client_credentials", **CLIENT},
    "refresh_token": {"grant_type": "refresh_token", **CLIENT, "refresh_token": "refresh-T0ken"},
    "jwt_bearer": {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", **CLIENT, "assertion": "header.claims.signature",
    },
}  # fmt: skip
HEADERS = {
    "basic": {"authorization": "Basic " + base64.b64encode(b"svc_ansible:Pass-word-1").decode()},
    "token": {"authorization": "Bearer access-T0ken"},
    "api_key": {"x-sn-apikey": "api-Key-1"},
    "mtls": {},
}
DENIED = answer({"error_description": "access_denied", "error": "server_error"}, 401)


class Tokens:
    """Plays the token endpoint and the API behind it: only the newest token opens it."""

    def __init__(self, server: Loopback, expires_in: Any = 1799) -> None:
        self.issued: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.expires_in = expires_in
        server.answers_by(self._answer)

    def _answer(self, request: Received) -> Reply:
        if request.path == "/oauth_token.do":
            self.forms.append(request.form)
            self.issued.append(f"t0ken-number-{len(self.issued) + 1}")
            return answer({"access_token": self.issued[-1], "token_type": "Bearer", "expires_in": self.expires_in})
        if self.issued and request.headers.get("authorization") == f"Bearer {self.issued[-1]}":
            return OK
        return failure(401, "User Not Authenticated", "Required to provide Auth information")

    def revoke(self) -> None:
        self.issued.append("unknown token")


def read(client: ServiceNowClient) -> None:
    client.session.request("GET", "/api/now/table/sys_user")


# -- what is sent ---------------------------------------------------------------------------------------------------------


def test_there_is_a_way_for_every_grant_of_the_interface() -> None:
    assert set(NEEDS) == set(GRANT_TYPES) == set(FORMS) | set(HEADERS)


@pytest.mark.parametrize("grant", FORMS)
def test_a_grant_sends_its_form_to_the_token_endpoint(server: Loopback, client_of: ClientOf, grant: str) -> None:
    tokens = Tokens(server)
    read(client_of(**GIVEN, snow_grant_type=grant))
    token_request, api_request = server.received
    assert (token_request.method, token_request.path, token_request.query) == ("POST", "/oauth_token.do", {})
    assert token_request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in token_request.headers
    assert tokens.forms == [FORMS[grant]]
    assert api_request.headers["authorization"] == f"Bearer {tokens.issued[0]}"


@pytest.mark.parametrize("grant", HEADERS)
def test_other_ways_send_their_header_with_every_request(
    server: Loopback, client_of: ClientOf, grant: str, tmp_path: Any
) -> None:
    (tmp_path / "cert.pem").write_text("a certificate")
    read(client_of(**GIVEN, snow_grant_type=grant, snow_client_cert=str(tmp_path / "cert.pem")))
    (request,) = server.received
    sent = {name: value for name, value in request.headers.items() if name in ("authorization", "x-sn-apikey")}
    assert sent == HEADERS[grant]


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_character_fits_into_a_token_request(username: str, password: str) -> None:
    form = token_form("password", {**GIVEN, "snow_username": username, "snow_password": password})
    assert (form["username"], form["password"]) == (username, password)


# -- which grant ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_options", "grant"),
    [
        (("snow_username", "snow_password"), "basic"),
        (("snow_username", "snow_password", "snow_client_id"), "basic"),
        (("snow_username", "snow_password", "snow_client_id", "snow_client_secret"), "password"),
        (("snow_client_id", "snow_client_secret"), "client_credentials"),
        (("snow_client_id", "snow_client_secret", "snow_refresh_token"), "refresh_token"),
        (("snow_client_id", "snow_client_secret", "snow_jwt_assertion"), "jwt_bearer"),
        (("snow_access_token",), "token"),
        (("snow_access_token", "snow_client_id", "snow_client_secret"), "token"),
        (("snow_api_key",), "api_key"),
        (("snow_api_key", "snow_username", "snow_password"), "api_key"),
        (("snow_client_cert",), "mtls"),
        (("snow_client_cert", "snow_client_id", "snow_client_secret"), "client_credentials"),
        (("snow_client_cert", "snow_username", "snow_password"), "basic"),
    ],
)
def test_the_grant_follows_from_what_is_given(given_options: tuple[str, ...], grant: str) -> None:
    given_values = {name: GIVEN.get(name, "cert.pem") for name in given_options}
    assert grant_of(given_values) == grant


def test_a_named_grant_wins() -> None:
    assert grant_of({**GIVEN, "snow_grant_type": "basic"}) == "basic"


@pytest.mark.parametrize("grant", GRANT_TYPES)
def test_a_named_grant_reports_what_it_lacks(grant: str) -> None:
    with pytest.raises(BadConnectionOption) as caught:
        grant_of({"snow_grant_type": grant})
    assert str(caught.value) == f"snow_grant_type {grant} needs {', '.join(NEEDS[grant])}"


@pytest.mark.parametrize(
    ("given_options", "reported"),
    [
        ({}, "no credentials are set"),
        ({"snow_username": "svc_ansible"}, "snow_username alone is not enough"),
        (
            {"snow_client_id": "c1ient", "snow_password": "Pass-word-1"},
            "snow_client_id and snow_password alone are not enough",
        ),
    ],
)
def test_too_little_to_sign_in_is_reported_without_values(
    client_of: ClientOf, server: Loopback, given_options: dict[str, str], reported: str
) -> None:
    with pytest.raises(BadConnectionOption, match="^no way to sign in to http://127.0.0.1") as caught:
        client_of(**given_options)
    assert reported in str(caught.value)
    assert "Pass-word-1" not in str(caught.value)
    assert server.received == []


# -- how long a token lives -----------------------------------------------------------------------------------------------


def test_a_token_is_fetched_once_for_all_tasks_of_a_process(server: Loopback, client_of: ClientOf) -> None:
    tokens = Tokens(server)
    for _task in range(3):
        read(client_of(**GIVEN, snow_grant_type="password"))
    assert len(tokens.issued) == 1


@pytest.mark.parametrize(
    "other", [{"snow_password": "Pass-word-2"}, {"snow_grant_type": "client_credentials"}, {"snow_username": "other"}]
)
def test_other_credentials_get_a_token_of_their_own(
    server: Loopback, client_of: ClientOf, other: dict[str, str]
) -> None:
    tokens = Tokens(server)
    read(client_of(**GIVEN, snow_grant_type="password"))
    read(client_of(**{**GIVEN, "snow_grant_type": "password", **other}))
    assert len(tokens.issued) == 2


def test_another_instance_gets_a_token_of_its_own(server: Loopback, client_of: ClientOf) -> None:
    with Loopback.started() as second:
        first_tokens, second_tokens = Tokens(server), Tokens(second)
        read(client_of(**GIVEN, snow_grant_type="password"))
        read(client_of(**GIVEN, snow_grant_type="password", snow_url=second.url))
        assert (len(first_tokens.issued), len(second_tokens.issued)) == (1, 1)


@pytest.mark.parametrize(
    ("expires_in", "still", "no_more"),
    [(1799, 1700, 1745), ("1799", 1700, 1745), (None, 1700, 1745), (100, 40, 60), (30, 10, 20)],
)
def test_a_token_is_renewed_before_it_expires(
    server: Loopback, client_of: ClientOf, clock: Clock, expires_in: Any, still: float, no_more: float
) -> None:
    tokens = Tokens(server, expires_in)
    client = client_of(**GIVEN, snow_grant_type="password")
    read(client)
    clock.passes(still)
    read(client)
    assert len(tokens.issued) == 1
    clock.passes(no_more - still)
    assert no_more < lifetime(expires_in)
    read(client)
    assert len(tokens.issued) == 2
    assert server.lines.count("GET /api/now/table/sys_user") == 3, "no request went out with the old one"


@pytest.mark.parametrize("expires_in", [0, 1, -5, "soon", None, float("nan")])
def test_an_odd_lifetime_does_not_hammer_the_token_endpoint(
    server: Loopback, client_of: ClientOf, expires_in: Any
) -> None:
    tokens = Tokens(server, expires_in)
    client = client_of(**GIVEN, snow_grant_type="password")
    for _request in range(3):
        read(client)
    assert len(tokens.issued) == (2 if expires_in in (0, 1, -5) else 1)


@pytest.mark.parametrize(("left", "nap"), [(0, 1), (3, 4), ("4", 5)])
def test_a_token_that_is_about_to_expire_is_replaced(
    server: Loopback, client_of: ClientOf, clock: Clock, left: Any, nap: float
) -> None:
    server.answers(
        answer({"access_token": "t0ken-1", "expires_in": left}),
        answer({"access_token": "t0ken-2", "expires_in": 1799}),
        OK,
    )
    read(client_of(**GIVEN, snow_grant_type="password"))
    assert clock.naps == [nap]
    assert server.received[-1].headers["authorization"] == "Bearer t0ken-2"


def test_a_token_that_is_about_to_expire_is_used_if_there_is_no_other(server: Loopback, client_of: ClientOf) -> None:
    server.answers(answer({"access_token": "t0ken-1", "expires_in": 3}), DENIED, OK)
    read(client_of(**GIVEN, snow_grant_type="password"))
    assert server.received[-1].headers["authorization"] == "Bearer t0ken-1"


def test_a_token_that_was_revoked_is_replaced_once(server: Loopback, client_of: ClientOf) -> None:
    tokens = Tokens(server)
    client = client_of(**GIVEN, snow_grant_type="password")
    read(client)
    tokens.revoke()
    read(client)
    assert len(tokens.forms) == 2


def test_a_token_that_is_refused_again_is_not_replaced_again(server: Loopback, client_of: ClientOf) -> None:
    server.answers_by(
        lambda r: answer({"access_token": "t0ken-1", "expires_in": 1799}) if "token" in r.path else failure(401, "No")
    )
    with pytest.raises(HttpError, match="401"):
        read(client_of(**GIVEN, snow_grant_type="password"))
    assert server.lines.count("POST /oauth_token.do") == 2
    assert server.lines.count("GET /api/now/table/sys_user") == 2


@pytest.mark.parametrize("grant", HEADERS)
def test_proof_that_cannot_be_renewed_is_tried_once(
    server: Loopback, client_of: ClientOf, grant: str, tmp_path: Any
) -> None:
    # Trying a wrong password again locks the account.
    (tmp_path / "cert.pem").write_text("a certificate")
    server.answers(failure(401, "User Not Authenticated"))
    with pytest.raises(HttpError):
        read(client_of(**GIVEN, snow_grant_type=grant, snow_client_cert=str(tmp_path / "cert.pem")))
    assert len(server.received) == 1


def test_a_token_obtained_at_run_time_is_a_secret_from_then_on(
    server: Loopback, client_of: ClientOf, context: TaskContext
) -> None:
    tokens = Tokens(server)
    read(client_of(**GIVEN, snow_grant_type="password"))
    assert tokens.issued[0] not in context.redactor.scrub_text(f"x {tokens.issued[0]}")
    later = TaskContext()
    later_client = connect_again(client_of, later)
    read(later_client)
    assert tokens.issued[0] not in later.redactor.scrub_text(f"x {tokens.issued[0]}"), "for the next task, too"


def connect_again(client_of: ClientOf, context: TaskContext) -> ServiceNowClient:
    made = client_of(**GIVEN, snow_grant_type="password")
    return ServiceNowClient.from_params(made.params, context)


# -- messages of refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "words", "cause"),
    [
        (DENIED, "server_error: access_denied", "locked out"),
        (DENIED, "401", "glide.oauth.inbound.ropc.grant_type.disabled"),
        (DENIED, "401", "glide.authenticate.multifactor.for_integrations"),
        (answer({"error": "invalid_client"}, 401), "invalid_client", "wrong client secret"),
        (answer({"error": "unauthorized_client"}, 400), "unauthorized_client", "no OAuth application user"),
        (answer({"error": "unsupported_grant_type"}, 400), "unsupported_grant_type", "does not know the grant"),
        (answer({"error": "invalid_grant"}, 401), "invalid_grant", "expired"),
        (answer({"scope": "useraccount"}), "200", "the answer holds no access_token"),
        (answer(["odd"], 401), "401", "wrong user name or password"),
        (page("gone", 404), "404", "wrong user name or password"),
    ],
)
def test_a_refused_token_request_names_the_grant_the_words_and_the_likely_causes(
    server: Loopback, client_of: ClientOf, reply: Reply, words: str, cause: str
) -> None:
    server.answers(reply)
    with pytest.raises(SignInFailed) as caught:
        read(client_of(**GIVEN, snow_grant_type="password"))
    message = str(caught.value)
    assert message.startswith(f"sign-in to {server.url} with grant password was refused. POST /oauth_token.do -> ")
    assert words in message
    assert cause in message.split("Likely causes: ")[1]
    assert server.lines == ["POST /oauth_token.do"], "not tried again: that could lock the account"
    for value in ("Pass-word-1", "c1ient-Secret"):
        assert value not in message


def test_a_sleeping_instance_is_called_so_at_the_token_endpoint_too(server: Loopback, client_of: ClientOf) -> None:
    server.answers(page("<title>Instance Hibernating page</title>"))
    with pytest.raises(UnexpectedPage, match="hibernating"):
        read(client_of(**GIVEN, snow_grant_type="client_credentials"))


def test_a_passing_fault_of_the_token_endpoint_is_waited_out(server: Loopback, client_of: ClientOf) -> None:
    server.answers(
        failure(503), failure(429, Retry_After="2"), answer({"access_token": "t0ken-1", "expires_in": 1799}), rows()
    )
    read(client_of(**GIVEN, snow_grant_type="password"))
    assert server.lines == ["POST /oauth_token.do"] * 3 + ["GET /api/now/table/sys_user"]


def test_signing_in_is_possible_in_check_mode(server: Loopback, client_of: ClientOf, context: TaskContext) -> None:
    context.check_mode = True
    Tokens(server)
    read(client_of(**GIVEN, snow_grant_type="password"))
    assert (context.calls.read, context.calls.write) == (2, 0)


@pytest.mark.parametrize(
    ("grant", "cause"),
    [
        ("basic", "glide.authenticate.basic_auth.restriction.enforce"),
        ("token", "get a new one"),
        ("api_key", "no access policy accepts API keys"),
        ("password", "an access policy of the instance may demand another way to sign in"),
    ],
)
def test_a_refused_call_reports_what_a_401_means_for_the_grant(
    server: Loopback, client_of: ClientOf, grant: str, cause: str
) -> None:
    server.answers_by(
        lambda r: (
            answer({"access_token": "t0ken-1"})
            if "token" in r.path
            else failure(401, "User Not Authenticated", "Required to provide Auth information")
        )
    )
    with pytest.raises(SignInFailed, match="User Not Authenticated: Required to provide Auth information") as caught:
        client_of(**GIVEN, snow_grant_type=grant).query([TableQuery("sys_user")])
    assert cause in str(caught.value)
