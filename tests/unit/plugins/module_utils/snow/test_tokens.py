# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens to hand over, and proof that a client and a user get one that opens the API.

See docs/facts/servicenow_platform.md#tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import EngineError
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.token import revoke_token, token_for_later
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.token_check import verify_token
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    BadConnectionOption,
    SignInFailed,
)
from tests.unit.plugins.module_utils.loopback import OK, Loopback, Received, Reply, answer, failure
from tests.unit.plugins.module_utils.snow.fake_table_api import Tables

Options = Callable[..., dict[str, Any]]
TOKEN = {"access_token": "t0ken-1", "refresh_token": "refresh-1", "token_type": "Bearer", "expires_in": 1799}
DENIED = answer({"error_description": "access_denied", "error": "server_error"}, 401)
INVALID_CLIENT = answer({"error": "invalid_client"}, 401)
SECRETS = ("c1ient-Secret", "Pass-word-2", "t0ken-1", "refresh-1", "Pass-word-1")


# -- a token for later tasks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_token_is_handed_over_readable(
    server: Loopback, options: Options, context: TaskContext, check_mode: bool
) -> None:
    context.check_mode = check_mode
    server.answers(answer({**TOKEN, "expires_in": "1799"}))
    params = options(snow_client_id="c1ient", snow_client_secret="c1ient-Secret")
    result = token_for_later(params, context).as_dict(with_diff=True)
    msg = f"{context.subject}: access token valid for 1799 s"
    assert result == {"changed": False, "msg": msg, "access_token": "t0ken-1", "expires_in": 1799}
    assert context.redactor.scrub(result) == result, "the only secret that is not redacted"
    assert "c1ient-Secret" not in context.redactor.scrub_text("c1ient-Secret")


@pytest.mark.parametrize("given", [{"snow_username": "a", "snow_password": "b"}, {"snow_api_key": "k"}])
def test_a_credential_without_token_is_reported(options: Options, context: TaskContext, given: dict[str, str]) -> None:
    with pytest.raises(BadConnectionOption, match="has no token; use one of client_credentials, jwt_bearer"):
        token_for_later(options(**given), context)


def test_a_refused_token_is_explained(server: Loopback, options: Options, context: TaskContext) -> None:
    server.answers(INVALID_CLIENT)
    with pytest.raises(SignInFailed, match="wrong client secret"):
        token_for_later(options(snow_client_id="c1ient", snow_client_secret="c1ient-Secret"), context)


@pytest.mark.parametrize("reply", [OK, answer(status=204), Reply(200, b"")])
def test_a_token_is_revoked_however_that_is_answered(
    server: Loopback, options: Options, context: TaskContext, reply: Reply
) -> None:
    server.answers(reply)
    result = revoke_token(options(snow_access_token="t0ken-1"), context).as_dict(with_diff=False)
    assert result == {"changed": True, "msg": f"{context.subject}: revoked the access token"}
    (request,) = server.received
    assert (request.path, request.query) == ("/oauth_revoke_token.do", {"token": "t0ken-1"})
    assert "authorization" not in request.headers


def test_no_token_is_revoked_in_check_mode(server: Loopback, options: Options, context: TaskContext) -> None:
    context.check_mode = True
    assert revoke_token(options(snow_access_token="t0ken-1"), context).changed
    assert server.received == []


def test_revoking_invalidates_the_token(options: Options, context: TaskContext) -> None:
    with pytest.raises(BadConnectionOption, match="set snow_access_token"):
        revoke_token(options(), context)


# -- does the pair work? --------------------------------------------------------------------------------------------------


PASSWORD = {
    "client_id": "c1ient", "client_secret": "c1ient-Secret", "username": "svc_defender", "password": "Pass-word-2",
    "grant_type": "password", "fail_on_unverified": False,
}  # fmt: skip
CLIENT = {
    "client_id": "c1ient", "client_secret": "c1ient-Secret", "username": None, "password": None,
    "grant_type": "client_credentials", "fail_on_unverified": False,
}  # fmt: skip
EXPLAINER = {"snow_username": "svc_ansible", "snow_password": "Pass-word-1"}
APPLICATION = {"sys_id": "a1", "client_id": "c1ient", "name": "A", "active": "true", "user": "u1"}
USER = {
    "sys_id": "u1",
    "user_name": "svc_defender",
    "active": "true",
    "locked_out": "false",
    "password_needs_reset": "false",
}
GRANT_ON = {"sys_id": "p", "name": "glide.oauth.inbound.client.credential.grant_type.enabled", "value": "true"}


def plays(
    server: Loopback,
    token: Reply,
    api: Reply = OK,
    application: dict[str, str] | None = APPLICATION,
    user: dict[str, str] | None = USER,
    properties: tuple[dict[str, str], ...] = (GRANT_ON,),
) -> None:
    """Answer token requests with `token`, a bearer's reads with `api`, and the explainer's with rows."""
    tables = Tables(
        server,
        oauth_entity=[application] if application else [],
        sys_user=[user] if user else [],
        sys_properties=list(properties),
    )
    from_tables = server._answered_by
    assert from_tables is not None
    assert tables

    def answered(request: Received) -> Reply:
        if request.path == "/oauth_token.do":
            return token
        return api if request.headers.get("authorization", "").startswith("Bearer") else from_tables(request)

    server.answers_by(answered)


@pytest.mark.parametrize("pair", [PASSWORD, CLIENT], ids=["password", "client_credentials"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_pair_that_works_is_verified_by_token_and_api(
    server: Loopback, options: Options, context: TaskContext, pair: dict[str, Any], check_mode: bool
) -> None:
    context.check_mode = check_mode
    plays(server, answer(TOKEN))
    report = verify_token({**options(), **pair}, context)
    assert (report["verified"], report["api_access"], report["expires_in"]) == (True, True, 1799)
    assert report["refresh_token_issued"] is True
    assert report["likely_causes"] == []
    assert report["msg"].startswith(f"{context.subject}: client c1ient ")
    assert report["msg"].endswith("gets a token that may use the API")
    form = server.received[0].form
    assert (form["grant_type"], form["client_id"]) == (pair["grant_type"], "c1ient")
    assert server.received[1].headers["authorization"] == "Bearer t0ken-1"
    assert context.calls.write == 0
    assert not any(secret in str(context.redactor.scrub(report)) for secret in SECRETS)


def test_a_missing_refresh_token_is_reported(server: Loopback, options: Options, context: TaskContext) -> None:
    plays(server, answer({"access_token": "t0ken-1", "expires_in": "1800"}))
    report = verify_token({**options(), **CLIENT}, context)
    assert (report["refresh_token_issued"], report["expires_in"]) == (False, 1800)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (failure(403, "User Not Authorized", "Access to unscoped api is not allowed"), "make it broadly scoped"),
        (failure(401, "User Not Authenticated"), "access policy"),
        (failure(403, "User Not Authorized", "Failed API level ACL Validation"), "snc_platform_rest_api_access"),
    ],
)
def test_a_token_that_does_not_open_the_api_does_not_verify(
    server: Loopback, options: Options, context: TaskContext, reply: Reply, cause: str
) -> None:
    plays(server, answer(TOKEN), api=reply)
    report = verify_token({**options(), **PASSWORD}, context)
    assert (report["verified"], report["api_access"]) == (False, False)
    assert report["expires_in"] == 1799
    assert cause in report["likely_causes"][0]
    assert f"-> {reply.status}" in report["answer"]


OFF = {"sys_id": "p", "name": "glide.oauth.inbound.ropc.grant_type.disabled", "value": "true"}
OAUTH_OFF = {"sys_id": "p", "name": "com.snc.platform.security.oauth.is.active", "value": "false"}
MULTIFACTOR = {"sys_id": "p", "name": "glide.authenticate.multifactor.for_integrations", "value": "true"}


@pytest.mark.parametrize(
    ("pair", "token", "rows", "causes"),
    [
        (PASSWORD, INVALID_CLIENT, {"application": None}, ["no application has the client id c1ient"]),
        (
            PASSWORD,
            INVALID_CLIENT,
            {"application": {**APPLICATION, "active": "false"}},
            ["the application A is inactive"],
        ),
        (PASSWORD, INVALID_CLIENT, {}, ["the client secret is wrong"]),
        (PASSWORD, DENIED, {}, ["the password is wrong"]),
        (PASSWORD, DENIED, {"user": None}, ["no user is called svc_defender"]),
        (PASSWORD, DENIED, {"user": {**USER, "active": "false"}}, ["svc_defender is inactive"]),
        (PASSWORD, DENIED, {"user": {**USER, "locked_out": "true"}}, ["svc_defender is locked out"]),
        (PASSWORD, DENIED, {"user": {**USER, "password_needs_reset": "true"}}, ["has to reset the password first"]),
        (PASSWORD, DENIED, {"properties": (OFF,)}, ["the password grant is switched off"]),
        (PASSWORD, DENIED, {"properties": (OAUTH_OFF,)}, ["OAuth is switched off"]),
        (PASSWORD, DENIED, {"properties": (MULTIFACTOR,)}, ["multi-factor authentication is demanded"]),
        (CLIENT, DENIED, {"properties": ()}, ["the client credentials grant is off until"]),
        (
            CLIENT,
            DENIED,
            {"application": {**APPLICATION, "user": ""}},
            ["the application A has no OAuth application user"],
        ),
        (CLIENT, DENIED, {}, ["the client secret is wrong"]),
    ],
)
def test_causes_are_looked_up_where_an_administrators_account_is_given(
    server: Loopback,
    options: Options,
    context: TaskContext,
    pair: dict[str, Any],
    token: Reply,
    rows: dict[str, Any],
    causes: list[str],
) -> None:
    plays(server, token, **rows)
    report = verify_token({**options(**EXPLAINER), **pair}, context)
    assert report["verified"] is False
    assert len(report["likely_causes"]) == len(causes)
    for found, expected in zip(report["likely_causes"], causes, strict=True):
        assert expected in found


@pytest.mark.parametrize("given", [{}, EXPLAINER], ids=["no account", "an account that may not look"])
def test_causes_are_the_documented_ones_where_none_can_be_looked_up(
    server: Loopback, options: Options, context: TaskContext, given: dict[str, str]
) -> None:
    server.answers_by(lambda r: DENIED if "token" in r.path else failure(401, "User Not Authenticated"))
    report = verify_token({**options(**given), **PASSWORD}, context)
    assert any("locked out" in cause for cause in report["likely_causes"])
    assert any("grant_type.disabled" in cause for cause in report["likely_causes"])


def test_an_unverified_pair_fails_by_default(server: Loopback, options: Options, context: TaskContext) -> None:
    plays(server, DENIED, user={**USER, "locked_out": "true"})
    with pytest.raises(EngineError) as caught:
        verify_token({**options(**EXPLAINER), **PASSWORD, "fail_on_unverified": True}, context)
    message = str(caught.value)
    assert "client c1ient with user svc_defender does not get a token that may use the API" in message
    assert "POST /oauth_token.do -> 401 server_error: access_denied" in message
    assert message.endswith("Likely causes: svc_defender is locked out")
    assert caught.value.output["verified"] is False
    assert not any(secret in message for secret in SECRETS)
