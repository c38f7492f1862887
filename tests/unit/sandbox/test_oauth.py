# SPDX-License-Identifier: GPL-3.0-or-later
"""The token endpoint.

See docs/facts/servicenow_platform.md#encrypted-columns, docs/facts/servicenow_platform.md#scope-restriction,
docs/facts/servicenow_platform.md#client-credentials-grant, docs/facts/servicenow_platform.md#tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.unit.sandbox.client import JSON, RestClient, error_of

Make = Callable[..., RestClient]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_DENIED = (401, {"error_description": "access_denied", "error": "server_error"})
INVALID_CLIENT = (401, {"error_description": "access_denied", "error": "invalid_client"})
CC_PROPERTY = "glide.oauth.inbound.client.credential.grant_type.enabled"


def outcome(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def login(instance: RestClient) -> dict[str, str]:
    return {"grant_type": "password", "username": instance.access.username, "password": instance.access.password}


def test_the_password_grant_gives_both_tokens_and_a_number_of_seconds(instance: RestClient) -> None:
    answer = instance.token(**login(instance), **instance.application())
    assert answer.status_code == 200
    content = answer.json()
    assert set(content) == {"access_token", "refresh_token", "scope", "token_type", "expires_in"}
    assert (content["scope"], content["token_type"]) == ("useraccount", "Bearer")
    assert content["expires_in"] in (1799, 1800)
    assert "JSESSIONID=" in answer.headers["Set-Cookie"]
    user = instance.with_token(content["access_token"]).call("GET", "api/now/ui/user/current_user").json()["result"]
    assert user["user_name"] == instance.access.username


def test_a_valid_token_is_reused_with_its_remaining_time(make: Make) -> None:
    instance = make()
    form = {**login(instance), **instance.application()}
    first = instance.token(**form).json()
    instance.sandbox.turn(instance.name, time_shift=100.0)
    again = instance.token(**form).json()
    assert (again["access_token"], again["refresh_token"]) == (first["access_token"], first["refresh_token"])
    assert again["expires_in"] in (1698, 1699, 1700)
    instance.sandbox.turn(instance.name, time_shift=2000.0)
    fresh = instance.token(**form).json()
    assert fresh["access_token"] != first["access_token"]
    assert instance.with_token(first["access_token"]).table("sys_user").status_code == 401


def test_without_token_reuse_every_request_gives_a_new_token(make: Make) -> None:
    instance = make(token_reuse=False)
    form = {**login(instance), **instance.application()}
    assert instance.token(**form).json()["access_token"] != instance.token(**form).json()["access_token"]


def test_the_refresh_token_gives_a_new_access_token_and_stays_the_same(instance: RestClient) -> None:
    application = instance.application()
    first = instance.token(**login(instance), **application).json()
    instance.sandbox.turn(instance.name, time_shift=3600.0)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = instance.token(**form, **application).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    instance.sandbox.turn(instance.name, time_shift=8640000.0 + 60)
    assert outcome(instance.token(**form, **application)) == ACCESS_DENIED


def test_a_refresh_token_belongs_to_its_application(instance: RestClient) -> None:
    token = instance.token(**login(instance), **instance.application("One")).json()["refresh_token"]
    other = instance.application("Other")
    assert outcome(instance.token(grant_type="refresh_token", refresh_token=token, **other)) == ACCESS_DENIED


def test_lifespans_come_from_the_application_the_cap_and_the_knob(make: Make) -> None:
    instance = make()
    application = instance.application(access_token_lifespan="3600")
    assert instance.token(**login(instance), **application).json()["expires_in"] in (3599, 3600)
    capped = make(properties={"glide.oauth.access_token.expire_in.system_max_seconds": "600"})
    assert capped.token(**login(capped), **capped.application()).json()["expires_in"] in (599, 600)
    short = make(token_lifetimes={"access": 5})
    assert short.token(**login(short), **short.application()).json()["expires_in"] in (4, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"username": "nobody"},
        {"password": "wrong"},
        {"scope": "no_such_scope"},
        {"grant_type": ""},
    ],
)
def test_the_reason_of_a_denial_is_hidden(instance: RestClient, change: dict[str, str]) -> None:
    form = {**login(instance), **instance.application(), **change}
    assert outcome(instance.token(**form)) == ACCESS_DENIED


@pytest.mark.parametrize("state", [{"active": False}, {"locked_out": True}, {"password_needs_reset": True}])
def test_a_user_who_may_not_sign_in_is_denied(make: Make, state: dict[str, bool]) -> None:
    instance = make(users={"svc": {"password": "Right-1", **state}})
    form = {"grant_type": "password", "username": "svc", "password": "Right-1", **instance.application()}
    assert outcome(instance.token(**form)) == ACCESS_DENIED


def test_wrong_passwords_at_the_token_endpoint_lock_the_user(instance: RestClient) -> None:
    instance.user("svc", "Right-1")
    form = {"grant_type": "password", "username": "svc", **instance.application()}
    for _ in range(5):
        instance.token(**form, password="wrong")
    assert outcome(instance.token(**form, password="Right-1")) == ACCESS_DENIED
    assert instance.row("sys_user", "user_name=svc")["locked_out"] == "true"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("glide.oauth.inbound.ropc.grant_type.disabled", "true"),
        ("com.snc.platform.security.oauth.is.active", "false"),
    ],
)
def test_a_property_switches_the_password_grant_off(make: Make, name: str, value: str) -> None:
    instance = make(properties={name: value})
    assert outcome(instance.token(**login(instance), **instance.application())) == ACCESS_DENIED


def test_a_wrong_secret_differs_from_a_wrong_refresh_token(make: Make) -> None:
    instance = make()
    application = instance.application()
    form = {"grant_type": "refresh_token", "refresh_token": "cannot-exist"}
    assert outcome(instance.token(**form, **application)) == ACCESS_DENIED
    assert outcome(instance.token(**form, **{**application, "client_secret": "wrong"})) == INVALID_CLIENT
    assert outcome(instance.token(**form, **{**application, "client_id": "unknown"})) == INVALID_CLIENT
    alike = make(refresh_probe="access_denied")
    application = alike.application()
    assert outcome(alike.token(**form, **application)) == ACCESS_DENIED
    assert outcome(alike.token(**form, **{**application, "client_secret": "wrong"})) == ACCESS_DENIED


def test_an_inactive_or_outbound_application_is_no_client(instance: RestClient) -> None:
    for number, columns in enumerate(({"active": "false"}, {"type": "oauth_provider"})):
        application = instance.application(f"App {number}", **columns)
        assert outcome(instance.token(**login(instance), **application)) == INVALID_CLIENT


def test_only_forms_count_and_only_in_the_body(make: Make) -> None:
    instance = make()
    form = {**login(instance), **instance.application()}
    answer = instance.anonymous().call("POST", "oauth_token.do", headers=JSON, data=json.dumps(form))
    assert outcome(answer) == ACCESS_DENIED
    assert instance.anonymous().call("POST", "oauth_token.do", params=form).status_code == 401
    lax = make(properties={"glide.oauth.allow.parameters.in.post.body.only": "false"})
    form = {**login(lax), **lax.application()}
    assert lax.anonymous().call("POST", "oauth_token.do", params=form).status_code == 200


def test_the_client_can_use_basic_at_the_token_endpoint(instance: RestClient) -> None:
    application = instance.application()
    client = instance.as_user(application["client_id"], application["client_secret"])
    assert client.call("POST", "oauth_token.do", data=login(instance)).status_code == 200


def test_unknown_grants_and_bad_codes_have_their_own_errors(instance: RestClient) -> None:
    application = instance.application()
    status, content = outcome(instance.token(grant_type="magic", **application))
    assert (status, content["error"]) == (400, "unsupported_grant_type")
    status, content = outcome(instance.token(grant_type="authorization_code", code="x", **application))
    assert (status, content["error"]) == (401, "invalid_grant")


def test_client_credentials_need_the_property_and_the_user(make: Make) -> None:
    assert make().rows("sys_properties", f"name={CC_PROPERTY}") == []
    for switch in ("absent", "false"):
        instance = make(cc_property=switch)
        application = instance.application(user="oauth_manager")
        assert outcome(instance.token(grant_type="client_credentials", **application)) == ACCESS_DENIED
    instance = make(cc_property="true")
    status, content = outcome(instance.token(grant_type="client_credentials", **instance.application("Nobody")))
    assert (status, content["error"]) == (400, "unauthorized_client")
    assert "integration user is not configured for OAuth:" in content["error_description"]
    application = instance.application("Somebody", user="oauth_manager")
    content = instance.token(grant_type="client_credentials", **application).json()
    assert "refresh_token" not in content
    caller = instance.with_token(content["access_token"]).call("GET", "api/now/ui/user/current_user").json()
    assert caller["result"]["user_name"] == "oauth_manager"


@pytest.mark.parametrize(("status", "refused"), [("", False), ("unrestricted", False), ("restricted", True)])
def test_a_restricted_application_gets_tokens_but_no_api(make: Make, status: str, refused: bool) -> None:
    instance = make(default_scope_status=status)
    application = instance.insert("oauth_entity", {"name": "App"})
    assert application["scope_restriction_status"] == status
    instance.update("oauth_entity", application["sys_id"], {"client_secret": "s"}, sysparm_input_display_value="true")
    form = {**login(instance), "client_id": application["client_id"], "client_secret": "s"}
    answer = instance.with_token(instance.token(**form).json()["access_token"]).table("sys_user")
    if refused:
        assert error_of(answer) == (403, "User Not Authorized", "Access to unscoped api is not allowed")
        scope = instance.row("sys_auth_scope", "name=useraccount")["sys_id"]
        instance.insert("oauth_entity_auth_scope_mapping", {"oauth_entity": application["sys_id"], "auth_scope": scope})
        assert instance.with_token(instance.token(**form).json()["access_token"]).table("sys_user").status_code == 200
    else:
        assert answer.status_code == 200


def test_a_revoked_token_is_refused(instance: RestClient) -> None:
    application = instance.application()
    tokens = instance.token(**login(instance), **application).json()
    for name in ("access_token", "refresh_token"):
        assert instance.anonymous().call("POST", f"oauth_revoke_token.do?token={tokens[name]}").status_code == 200
    assert instance.with_token(tokens["access_token"]).table("sys_user").status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert outcome(instance.token(**form, **application)) == ACCESS_DENIED


def test_deleting_the_token_rows_ends_the_tokens(instance: RestClient) -> None:
    token = instance.token(**login(instance), **instance.application()).json()["access_token"]
    for row in instance.rows("oauth_credential"):
        assert instance.table("oauth_credential", row["sys_id"], method="DELETE").status_code == 204
    assert instance.with_token(token).table("sys_user").status_code == 401


def test_a_token_ends_with_its_user(instance: RestClient) -> None:
    instance.user("svc", "Right-1")
    form = {"grant_type": "password", "username": "svc", "password": "Right-1", **instance.application()}
    token = instance.with_token(instance.token(**form).json()["access_token"])
    assert token.table("sys_user").status_code == 200
    instance.sandbox.tamper(instance.name, "sys_user", {"active": False}, match={"user_name": "svc"})
    assert token.table("sys_user").status_code == 401


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unsigned(header: dict[str, str], claims: dict[str, Any]) -> str:
    return ".".join(encode(json.dumps(part).encode()) for part in (header, claims))


def shared_assertion(key: str, claims: dict[str, Any]) -> str:
    signed = unsigned({"alg": "HS256", "typ": "JWT", "kid": "k1"}, claims)
    return f"{signed}.{encode(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


@pytest.fixture
def endpoint(instance: RestClient) -> dict[str, str]:
    body = {"name": "JWT", "client_id": "jwt-client", "user_field": "email"}
    row = instance.insert("oauth_jwt", body)
    display = {"sysparm_input_display_value": "true"}
    instance.update("oauth_jwt", row["sys_id"], {"client_secret": "s3cret"}, **display)
    verifier = instance.insert("jwt_verifier_map", {"name": "key", "kid": "k1", "oauth_jwt": row["sys_id"]})
    instance.update("jwt_verifier_map", verifier["sys_id"], {"shared_key": "shared"}, **display)
    return {"client_id": "jwt-client", "client_secret": "s3cret"}


def claims(**changes: Any) -> dict[str, Any]:
    standard = {"iss": "test", "sub": "employee@example.com", "aud": "jwt-client", "exp": time.time() + 60}
    return {**standard, "jti": str(time.perf_counter_ns()), **changes}


def test_an_assertion_signed_with_the_shared_key_signs_its_subject_in(
    instance: RestClient, endpoint: dict[str, str]
) -> None:
    assertion = shared_assertion("shared", claims())
    content = instance.token(grant_type=JWT_BEARER, assertion=assertion, **endpoint).json()
    caller = instance.with_token(content["access_token"]).call("GET", "api/now/ui/user/current_user").json()
    assert caller["result"]["user_name"] == "employee"
    # The same assertion a second time is a replay.
    assert instance.token(grant_type=JWT_BEARER, assertion=assertion, **endpoint).status_code == 401
    # One client carries the assertion in a header of this name.
    headers = {"Authentication": f"Bearer {shared_assertion('shared', claims())}"}
    form = {"grant_type": JWT_BEARER, **endpoint}
    assert instance.anonymous().call("POST", "oauth_token.do", data=form, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("key", "changes", "description"),
    [
        ("wrong", {}, "The JWT signature is invalid"),
        ("shared", {"exp": 1}, "The JWT has expired"),
        ("shared", {"aud": "someone-else"}, "The audience of the JWT is not the client"),
        ("shared", {"sub": "former@example.com"}, "The subject of the JWT is not an active user"),
        ("shared", {"sub": "admin@example.com"}, "Grant access to admin is not allowed"),
    ],
)
def test_a_bad_assertion_is_an_invalid_grant(
    instance: RestClient, endpoint: dict[str, str], key: str, changes: dict[str, Any], description: str
) -> None:
    answer = instance.token(grant_type=JWT_BEARER, assertion=shared_assertion(key, claims(**changes)), **endpoint)
    assert outcome(answer) == (401, {"error": "invalid_grant", "error_description": description})


def test_an_assertion_may_be_signed_with_the_key_of_a_certificate(
    instance: RestClient, endpoint: dict[str, str]
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    stored = instance.insert("sys_certificate", {"name": "signer", "pem_certificate": pem})
    parent = instance.row("oauth_jwt", "name=JWT")["sys_id"]
    body = {"name": "certificate", "kid": "k2", "oauth_jwt": parent, "sys_certificate": stored["sys_id"]}
    instance.insert("jwt_verifier_map", body)
    signed = unsigned({"alg": "RS256", "kid": "k2"}, claims())
    assertion = f"{signed}.{encode(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
    assert instance.token(grant_type=JWT_BEARER, assertion=assertion, **endpoint).status_code == 200


def test_a_jwt_format_token_verifies_with_the_published_keys(instance: RestClient) -> None:
    application = instance.application(token_format="jwt")
    token = instance.token(**login(instance), **application).json()["access_token"]
    (jwk,) = instance.anonymous().call("GET", "api/now/oauth/jwks").json()["keys"]
    exponent, modulus = (
        int.from_bytes(base64.urlsafe_b64decode(jwk[part] + "=" * (-len(jwk[part]) % 4)), "big") for part in ("e", "n")
    )
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    public.verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert instance.with_token(token).table("sys_user").status_code == 200
    assert instance.with_token(token[:-4] + "AAAA").table("sys_user").status_code == 401


def test_the_openid_configuration_exists_on_recent_releases(make: Make) -> None:
    instance = make()
    content = instance.anonymous().call("GET", ".well-known/openid-configuration").json()
    assert content["token_endpoint"] == f"{instance.url}/oauth_token.do"
    assert make(release="xanadu").anonymous().call("GET", ".well-known/openid-configuration").status_code == 404


def test_the_authorize_page_requires_a_state(instance: RestClient) -> None:
    assert "Missing State parameter in request" in instance.anonymous().call("GET", "oauth_auth.do").text
    assert "login.do" in instance.anonymous().call("GET", "oauth_auth.do?state=x").text
