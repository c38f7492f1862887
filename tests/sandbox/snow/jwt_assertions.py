# SPDX-License-Identifier: GPL-3.0-or-later
"""JWT bearer assertions, checked against `oauth_jwt` and `jwt_verifier_map`.

See docs/facts/servicenow_platform.md#creating-an-application-over-rest,
docs/facts/servicenow_platform.md#related-oauth-tables, docs/facts/servicenow_platform.md#token-endpoint.
"""

from __future__ import annotations

from typing import Any

from .callers import roles_of
from .instance import Instance
from .jwt import BadAssertion, unpack, verify_certificate, verify_shared
from .signin import is_open
from .store import Row


def subject_of(instance: Instance, client: Row, assertion: str) -> Row:
    """The user in the subject of an assertion; raises BadAssertion with the platform's message."""
    header, claims = unpack(assertion)
    endpoint = _endpoint(instance, client)
    if not _signature_holds(instance, endpoint, header, assertion):
        raise BadAssertion("The JWT signature is invalid")
    _check_claims(instance, endpoint, client, claims)
    column = endpoint.get("user_field") or "email"
    user = instance.database.first(
        "sys_user", column, str(claims.get(endpoint.get("sub_claim") or "sub", claims.get("sub", "")))
    )
    if user is None or not is_open(user):
        raise BadAssertion("The subject of the JWT is not an active user")
    if "admin" in roles_of(instance, user["sys_id"])[0]:
        raise BadAssertion("Grant access to admin is not allowed")
    return user


def _endpoint(instance: Instance, client: Row) -> Row:
    """The `oauth_jwt` row: the client itself, or the one that an ordinary client refers to."""
    for sys_id in (client["sys_id"], client.get("jwt_provider", "")):
        found = instance.database.find("oauth_jwt", sys_id)
        if found is not None:
            return found[1]
    raise BadAssertion("The client is not configured for JWT")


def _signature_holds(instance: Instance, endpoint: Row, header: dict[str, Any], assertion: str) -> bool:
    for row in instance.database.lookup("jwt_verifier_map", "oauth_jwt", endpoint["sys_id"]):
        if row.get("kid") and row["kid"] != header.get("kid"):
            continue
        if header.get("alg") == "HS256":
            key = instance.cipher.decrypt(row.get("shared_key", ""))
            if key and verify_shared(assertion, key):
                return True
        elif header.get("alg") == "RS256":
            found = instance.database.find("sys_certificate", row.get("sys_certificate", ""))
            if found is not None and verify_certificate(assertion, found[1].get("pem_certificate", "")):
                return True
    return False


def _check_claims(instance: Instance, endpoint: Row, client: Row, claims: dict[str, Any]) -> None:
    now, skew = instance.now(), float(endpoint.get("clock_skew") or 0)
    expires = claims.get("exp")
    if not isinstance(expires, (int, float)) or expires + skew < now:
        raise BadAssertion("The JWT has expired")
    audience = claims.get("aud")
    if client.get("client_id") not in (audience if isinstance(audience, list) else [audience]):
        raise BadAssertion("The audience of the JWT is not the client")
    if endpoint.get("enable_jti_verification") != "true":
        return
    identifier = str(claims.get(endpoint.get("jti_claim") or "jti", ""))
    used = instance.used_assertions
    if not identifier or used.get(identifier, 0.0) > now:
        raise BadAssertion("The JWT was used before")
    used[identifier] = float(expires) + skew
