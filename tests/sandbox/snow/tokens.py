# SPDX-License-Identifier: GPL-3.0-or-later
"""Access and refresh tokens, kept as rows of `oauth_credential`.

See docs/facts/servicenow_platform.md#related-oauth-tables, docs/facts/servicenow_platform.md#token-endpoint.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from datetime import datetime, timedelta, timezone

from .instance import Instance
from .jwt import sign
from .server_functions import FORMAT
from .store import Row

TABLE = "oauth_credential"
ACCESS, REFRESH = "access_token", "refresh_token"


def issue(instance: Instance, client: Row, user_id: str, kind: str, scope: str) -> tuple[str, int]:
    """Return a token and its remaining seconds; a valid one of the same application, user and scope is reused."""
    _purge(instance, client["sys_id"], user_id)
    if instance.knobs.token_reuse or kind == REFRESH:
        for row in instance.database.lookup(TABLE, "user", user_id):
            if row.get("peer") == client["sys_id"] and row.get("type") == kind and row.get("scopes", "") == scope:
                return instance.cipher.decrypt(row["token"]) or "", remaining(instance, row)
    row = _new_row(instance, client, user_id, kind, scope)
    return instance.cipher.decrypt(row["token"]) or "", remaining(instance, row)


def _new_row(instance: Instance, client: Row, user_id: str, kind: str, scope: str) -> Row:
    sys_id = instance.new_id()
    lifespan = _lifespan(instance, client, kind)
    row = {
        "sys_id": sys_id,
        "type": kind,
        "peer": client["sys_id"],
        "user": user_id,
        "scopes": scope,
        "expires": (instance.moment() + timedelta(seconds=lifespan)).strftime(FORMAT),
        **instance.stamps("system"),
    }
    as_jwt = kind == ACCESS and client.get("token_format") == "jwt"
    token = _jwt(instance, client, row, lifespan) if as_jwt else _opaque(sys_id)
    row["token"] = instance.cipher.encrypt(token)
    instance.database.put(TABLE, row)
    return row


def _lifespan(instance: Instance, client: Row, kind: str) -> int:
    lifetimes = instance.knobs.token_lifetimes
    if kind == REFRESH:
        return (
            lifetimes.refresh if lifetimes.refresh is not None else int(client.get("refresh_token_lifespan") or 8640000)
        )
    lifespan = lifetimes.access if lifetimes.access is not None else int(client.get("access_token_lifespan") or 1800)
    cap = instance.property("glide.oauth.access_token.expire_in.system_max_seconds")
    return min(lifespan, int(cap)) if cap.isdecimal() and int(cap) else lifespan


def _opaque(sys_id: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(sys_id) + secrets.token_bytes(48)).decode().rstrip("=")


def _jwt(instance: Instance, client: Row, row: Row, lifespan: int) -> str:
    issued = int(instance.now())
    found = instance.database.find("sys_user", row["user"])
    subject = found[1].get(client.get("sub_claim") or "sys_id", "") if found else ""
    return sign(
        {
            "iss": instance.name,
            "aud": client.get("client_id", ""),
            "sub": subject,
            "iat": issued,
            "exp": issued + lifespan,
            "jti": row["sys_id"],
            "scope": row["scopes"],
        }
    )


def remaining(instance: Instance, row: Row) -> int:
    """Whole seconds until a token expires; negative if it has expired."""
    expires = datetime.strptime(row["expires"], FORMAT).replace(tzinfo=timezone.utc).timestamp()
    return int(expires - instance.now()) if expires >= instance.now() else -1


def find(instance: Instance, token: str, kind: str = "") -> Row | None:
    """The row of a valid token; None for an unknown, expired or revoked one, or one of another type."""
    row = instance.database.rows(TABLE).by_id.get(_sys_id_in(token))
    if row is None or instance.cipher.decrypt(row["token"]) != token or (kind and row.get("type") != kind):
        return None
    return row if remaining(instance, row) >= 0 else None


def _sys_id_in(token: str) -> str:
    try:
        if token.count(".") == 2:
            payload = token.split(".")[1]
            return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("jti"))
        return base64.urlsafe_b64decode(token[:24] + "=" * (-len(token[:24]) % 4))[:16].hex()
    except (ValueError, binascii.Error, AttributeError):
        return ""


def revoke(instance: Instance, token: str) -> bool:
    """Revoke a token; returns whether it was known."""
    row = find(instance, token)
    if row is not None:
        instance.database.remove(TABLE, row["sys_id"])
    return row is not None


def _purge(instance: Instance, client_id: str, user_id: str) -> None:
    for row in list(instance.database.lookup(TABLE, "user", user_id)):
        if row.get("peer") == client_id and remaining(instance, row) < 0:
            instance.database.remove(TABLE, row["sys_id"])
