# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in to an API: Basic, bearer token, API key, client certificate, session cookie.

See docs/facts/servicenow_platform.md#sign-in-gates, docs/facts/servicenow_platform.md#users.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie

from ..web import Call, Reply
from . import tokens
from .callers import Caller, caller_of, roles_of
from .encrypted_fields import password_matches
from .errors import not_authenticated
from .instance import Instance
from .store import Row

SESSION_SECONDS = 1800
_MAX_SESSIONS = 200
_BASIC = "glide.authenticate.basic_auth."


class NotSignedIn(Exception):
    """The call has no valid credentials for the API."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        super().__init__("not signed in")
        self.headers = headers or {}

    def reply(self) -> Reply:
        """The response, the same for every reason."""
        reply = not_authenticated()
        reply.headers.update(self.headers)
        return reply


def sign_in(instance: Instance, call: Call) -> Caller:
    """Authenticate the caller; raises NotSignedIn."""
    failure: NotSignedIn | None = None
    for sign_in_method, attempt in (("credentials", _by_credentials), ("cookie", _by_cookie)):
        try:
            caller = attempt(instance, call)
        except NotSignedIn as refused:
            failure = failure or refused
            if sign_in_method == "credentials" and not _uses_session_cookie(instance, call):
                break
            continue
        if caller is not None:
            return caller
    guest = instance.user_named("guest")
    if failure is None and guest is not None and not instance.is_on("glide.basicauth.required.api"):
        return caller_of(instance, guest, "guest")
    raise failure or NotSignedIn()


def _uses_session_cookie(instance: Instance, call: Call) -> bool:
    # A session that was opened with a token outlives it, unless this property is on
    # (docs/facts/servicenow_platform.md#oauth-properties, docs/facts/servicenow_platform.md#token-endpoint).
    is_token = call.headers.get("Authorization", "").lower().startswith("bearer ")
    return is_token and not instance.is_on("glide.authenticate.oauth.post.token.expiration.cookie_auth.disabled")


def _by_credentials(instance: Instance, call: Call) -> Caller | None:
    scheme, _, rest = call.headers.get("Authorization", "").partition(" ")
    scheme = scheme.lower()
    if scheme == "basic":
        return _admitted(instance, _by_basic(instance, rest))
    if scheme == "bearer":
        return _admitted(instance, _by_token(instance, rest.strip()))
    key = call.headers.get("x-sn-apikey") or (call.query.get("x-sn-apikey", "") if call.query_text else "")
    if key:
        return _admitted(instance, _by_name(instance, instance.knobs.api_keys.get(key, ""), "api_key"))
    if call.certificate_name:
        return _admitted(instance, _by_name(instance, call.certificate_name, "mtls"))
    return None


def _admitted(instance: Instance, caller: Caller) -> Caller:
    allowed = instance.knobs.allowed_auth
    if allowed is not None and caller.sign_in_method not in allowed:
        # An access policy turns valid credentials into a 401 (docs/facts/servicenow_platform.md#sign-in-gates).
        raise NotSignedIn({"WWW-Authenticate": "Bearer" if "oauth" in allowed else 'BASIC realm="Service-now"'})
    return caller


def _by_basic(instance: Instance, encoded: str) -> Caller:
    try:
        user_name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise NotSignedIn() from error
    user = check_password(instance, user_name, password)
    if user is None or not _basic_is_allowed(instance, user):
        raise NotSignedIn()
    if user.get("password_needs_reset") == "true" and instance.is_on(
        "glide.authenticate.api.user.reset_password.mandatory"
    ):
        raise NotSignedIn()
    if needs_second_factor(instance, user):
        raise NotSignedIn({"X-MFA_TOKEN": "invalid"})
    return caller_of(instance, record_login(instance, user), "basic")


def check_password(instance: Instance, user_name: str, password: str) -> Row | None:
    """The user, if the password is correct and the account usable. A wrong password is counted and can lock it."""
    user = instance.user_named(user_name)
    if user is None or not is_open(user):
        return None
    if password_matches(password, user.get("user_password", "")):
        return user
    failed = int(user.get("failed_attempts") or "0") + 1
    changed = {**user, "failed_attempts": str(failed)}
    if 0 < instance.knobs.lockout_after <= failed:
        changed["locked_out"] = "true"
    instance.database.put("sys_user", changed)
    return None


def is_open(user: Row) -> bool:
    """Whether an account is active and not locked."""
    return user.get("active") == "true" and user.get("locked_out") != "true"


def needs_second_factor(instance: Instance, user: Row) -> bool:
    """Whether the sign-in of an integration requires multi-factor authentication."""
    return user.get("enable_multifactor_authn") == "true" and instance.is_on(
        "glide.authenticate.multifactor.for_integrations"
    )


def record_login(instance: Instance, user: Row) -> Row:
    """Record a successful sign-in on the user; resets the count of failed ones."""
    now = instance.timestamp()
    changed = {**user, "last_login_time": now, "last_login": now[:10]}
    changed.pop("failed_attempts", None)
    if changed != user:
        instance.database.put("sys_user", changed)
    return changed


def _basic_is_allowed(instance: Instance, user: Row) -> bool:
    enforced = (
        instance.is_on(f"{_BASIC}restriction.active")
        and instance.is_on(f"{_BASIC}restriction.enforce")
        and instance.plugin_is_active("com.snc.integration.multifactor.authentication")
    )
    if not enforced or user.get("web_service_access_only") == "true":
        return True
    roles, _ = roles_of(instance, user["sys_id"])
    allowed_roles = {"snc_basic_auth_api_access", *_names(instance.property(f"{_BASIC}allowed_roles"))}
    return not roles.isdisjoint(allowed_roles) or user["sys_id"] in _names(instance.property(f"{_BASIC}allowed_users"))


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def _by_token(instance: Instance, token: str) -> Caller:
    row = tokens.find(instance, token, tokens.ACCESS)
    found = instance.database.find("sys_user", row.get("user", "")) if row is not None else None
    if row is None or found is None or not is_open(found[1]):
        raise NotSignedIn({"WWW-Authenticate": 'Bearer realm="Service-now"'})
    client = instance.database.find("oauth_entity", row.get("peer", ""))
    return caller_of(instance, found[1], "oauth", is_unscoped=client is not None and is_restricted(instance, client[1]))


def is_restricted(instance: Instance, client: Row) -> bool:
    """Whether an application is securely scoped and so denied the unscoped APIs.

    See docs/facts/servicenow_platform.md#scope-restriction.
    """
    if client.get("scope_restriction_status") != "restricted":
        return False
    mapped = instance.database.lookup("oauth_entity_auth_scope_mapping", "oauth_entity", client["sys_id"])
    scopes = (instance.database.find("sys_auth_scope", row.get("auth_scope", "")) for row in mapped)
    has_useraccount = any(found is not None and found[1].get("name") == "useraccount" for found in scopes)
    return not has_useraccount and not instance.is_on("glide.security.oauth_allow_unscoped_clients")


def _by_name(instance: Instance, user_name: str, sign_in_method: str) -> Caller:
    user = instance.user_named(user_name)
    if user is None or not is_open(user):
        raise NotSignedIn()
    return caller_of(instance, user, sign_in_method)


def _by_cookie(instance: Instance, call: Call) -> Caller | None:
    user_id, end = instance.sessions.get(session_id(call), ("", 0.0))
    found = instance.database.find("sys_user", user_id) if user_id and end > instance.now() else None
    return caller_of(instance, found[1], "cookie") if found is not None and is_open(found[1]) else None


def session_id(call: Call) -> str:
    """The session id in a call's cookies; empty without one."""
    text = call.headers.get("Cookie", "")
    if "JSESSIONID" not in text:
        return ""
    try:
        morsel = SimpleCookie(text).get("JSESSIONID")
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def session_cookies(instance: Instance, call: Call, user_id: str) -> Iterator[str]:
    """Open a session for a user and yield its `Set-Cookie` values; nothing if the call already has one."""
    known = instance.sessions.get(session_id(call))
    if known is not None and known[0] == user_id:
        return
    while len(instance.sessions) >= _MAX_SESSIONS:
        del instance.sessions[next(iter(instance.sessions))]
    identifier = secrets.token_hex(16).upper()
    instance.sessions[identifier] = (user_id, instance.now() + SESSION_SECONDS)
    # On one host many instances share a cookie jar: the path keeps their cookies apart.
    path = call.base.partition("://")[2].partition("/")[2]
    for name, value in (
        ("JSESSIONID", identifier),
        ("glide_user_route", f"glide.{identifier.lower()}"),
        ("glide_session_store", identifier),
        (f"BIGipServerpool_{instance.name}", "3221225994.33854.0000"),
    ):
        yield f"{name}={value}; Path=/{path}; HttpOnly"
