# SPDX-License-Identifier: GPL-3.0-or-later
"""The token endpoint and related endpoints.

See docs/facts/servicenow_platform.md#client-credentials-grant, docs/facts/servicenow_platform.md#tokens.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from urllib.parse import parse_qsl

from .. import html_pages
from ..web import Call, Reply, html_reply, json_reply
from . import jwt, tokens
from .errors import NO_RESOURCE, error_reply
from .instance import Instance
from .jwt_assertions import subject_of
from .signin import check_password, is_open, needs_second_factor, record_login, session_cookies
from .store import Row

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
USERACCOUNT = "useraccount"


class Denied(Exception):
    """A token request that is refused."""

    def __init__(self, status: int, error: str, description: str = "access_denied") -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.description = description

    def reply(self) -> Reply:
        """The response in the token endpoint's own error format."""
        return json_reply(self.status, {"error_description": self.description, "error": self.error})


def access_denied() -> Denied:
    """The response that hides the reason (docs/facts/servicenow_platform.md#token-errors)."""
    return Denied(401, "server_error")


def token(instance: Instance, call: Call) -> Reply:
    """Answer `/oauth_token.do`."""
    if call.method != "POST":
        return error_reply(405, "Method not Supported")
    try:
        return _token(instance, call)
    except Denied as denied:
        return denied.reply()


def _token(instance: Instance, call: Call) -> Reply:
    params = _parameters(instance, call)
    if not instance.is_on("com.snc.platform.security.oauth.is.active"):
        raise access_denied()
    if not params.get("grant_type"):
        raise access_denied()
    client = _client(instance, call, params)
    grant = GRANTS.get(params["grant_type"])
    if grant is None:
        raise Denied(400, "unsupported_grant_type", "unsupported grant_type")
    scope = _scope(instance, client, params)
    user, gives_refresh, refresh = grant(instance, call, client, params)
    access, seconds = tokens.issue(instance, client, user["sys_id"], tokens.ACCESS, scope)
    content: dict[str, object] = {"access_token": access}
    if gives_refresh:
        content["refresh_token"] = refresh or tokens.issue(instance, client, user["sys_id"], tokens.REFRESH, scope)[0]
    reply = json_reply(200, {**content, "scope": scope, "token_type": "Bearer", "expires_in": seconds})
    for cookie in session_cookies(instance, call, user["sys_id"]):
        reply.headers.add("Set-Cookie", cookie)
    return reply


def _parameters(instance: Instance, call: Call) -> dict[str, str]:
    # Any content type other than a form is read as having no parameters
    # (docs/facts/servicenow_platform.md#token-endpoint).
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_form = kind == "application/x-www-form-urlencoded"
    params = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)) if is_form else {}
    if not instance.is_on("glide.oauth.allow.parameters.in.post.body.only", True):
        params = {**call.query, **params}
    return params


def _client(instance: Instance, call: Call, params: dict[str, str]) -> Row:
    client_id, secret = params.get("client_id", ""), params.get("client_secret", "")
    scheme, _, encoded = call.headers.get("Authorization", "").partition(" ")
    if not client_id and scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            client_id = ""
    for client in instance.database.lookup("oauth_entity", "client_id", client_id) if client_id else ():
        is_usable = client.get("active") == "true" and client.get("type", "client") == "client"
        if is_usable and client.get("client_id") == client_id and _secret_is_right(instance, client, secret):
            return client
    if instance.knobs.refresh_probe == "access_denied":
        raise access_denied()
    raise Denied(401, "invalid_client")


def _secret_is_right(instance: Instance, client: Row, secret: str) -> bool:
    if client.get("public_client") == "true":
        return True
    return bool(secret) and instance.cipher.decrypt(client.get("client_secret", "")) == secret


def _scope(instance: Instance, client: Row, params: dict[str, str]) -> str:
    wanted = params.get("scope", "").split()
    own = {
        row.get("oauth_entity_scope")
        for row in instance.database.lookup("oauth_entity_scope", "oauth_entity", client["sys_id"])
    }
    for row in instance.database.lookup("oauth_entity_auth_scope_mapping", "oauth_entity", client["sys_id"]):
        found = instance.database.find("sys_auth_scope", row.get("auth_scope", ""))
        own.add(found[1].get("name") if found is not None else None)
    if not own.issuperset(set(wanted) - {USERACCOUNT}):
        raise access_denied()
    return " ".join(wanted) or USERACCOUNT


Granted = tuple[Row, bool, str]
"""The user, whether the response includes a refresh token, and the refresh token if it was sent by the client."""


def _by_password(instance: Instance, _call: Call, _client: Row, params: dict[str, str]) -> Granted:
    if instance.is_on("glide.oauth.inbound.ropc.grant_type.disabled"):
        raise access_denied()
    user = check_password(instance, params.get("username", ""), params.get("password", ""))
    if user is None or user.get("password_needs_reset") == "true" or needs_second_factor(instance, user):
        raise access_denied()
    return record_login(instance, user), True, ""


def _by_refresh_token(instance: Instance, _call: Call, client: Row, params: dict[str, str]) -> Granted:
    row = tokens.find(instance, params.get("refresh_token", ""), tokens.REFRESH)
    found = instance.database.find("sys_user", row.get("user", "")) if row is not None else None
    if row is None or row.get("peer") != client["sys_id"] or found is None or not is_open(found[1]):
        raise access_denied()
    return found[1], True, params["refresh_token"]


def _by_client_credentials(instance: Instance, _call: Call, client: Row, _params: dict[str, str]) -> Granted:
    if not instance.is_on("glide.oauth.inbound.client.credential.grant_type.enabled"):
        raise access_denied()
    found = instance.database.find("sys_user", client.get("user", ""))
    if found is None:
        text = f"OAuth client integration user is not configured for OAuth:{client.get('client_id', '')}"
        raise Denied(instance.knobs.integration_user_status, "unauthorized_client", text)
    if not is_open(found[1]):
        raise access_denied()
    return found[1], False, ""


def _by_assertion(instance: Instance, call: Call, client: Row, params: dict[str, str]) -> Granted:
    # One public client sends the assertion in a header of this name instead of the body
    # (docs/facts/servicenow_platform.md#token-endpoint).
    header = call.headers.get("Authentication", "")
    assertion = params.get("assertion") or header.partition(" ")[2]
    try:
        user = subject_of(instance, client, assertion)
    except jwt.BadAssertion as bad:
        raise Denied(401, "invalid_grant", str(bad)) from bad
    return user, False, ""


def _by_code(_instance: Instance, _call: Call, _client: Row, _params: dict[str, str]) -> Granted:
    raise Denied(401, "invalid_grant")


GRANTS: dict[str, Callable[[Instance, Call, Row, dict[str, str]], Granted]] = {
    "password": _by_password,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client_credentials,
    JWT_BEARER: _by_assertion,
    "authorization_code": _by_code,
}


def revoke(instance: Instance, call: Call) -> Reply:
    """Answer `/oauth_revoke_token.do?token=...`; it requires no credentials.

    See docs/facts/servicenow_platform.md#token-revocation-and-keys.
    """
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    tokens.revoke(instance, call.query.get("token") or form.get("token", ""))
    return Reply(200)


def authorize(instance: Instance, call: Call) -> Reply:
    """Answer `/oauth_auth.do`: returns the login page."""
    if instance.is_on("glide.oauth.state.parameter.required") and not call.query.get("state"):
        return html_reply(400, "<html><body>Missing State parameter in request</body></html>")
    return html_reply(200, html_pages.LOGIN)


def jwks(_instance: Instance, call: Call) -> Reply:
    """Answer `/api/now/oauth/jwks`."""
    return json_reply(200, jwt.public_keys()) if call.method == "GET" else error_reply(405, "Method not Supported")


def openid_configuration(instance: Instance, call: Call) -> Reply:
    """Answer `/.well-known/openid-configuration`, which recent releases have."""
    if instance.database.schema.release.order < 2:
        return error_reply(404, NO_RESOURCE)
    base = call.base
    return json_reply(
        200,
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/oauth_auth.do",
            "token_endpoint": f"{base}/oauth_token.do",
            "revocation_endpoint": f"{base}/oauth_revoke_token.do",
            "jwks_uri": f"{base}/api/now/oauth/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": list(GRANTS),
            "id_token_signing_alg_values_supported": ["RS256"],
        },
    )
