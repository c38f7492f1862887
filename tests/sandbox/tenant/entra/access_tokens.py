# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens: issue and verify them; the APIs they are for, and their permissions."""

from __future__ import annotations

import uuid
from typing import Any

from ...web import Call
from ..state import DOMAIN, Tenant
from . import signing_keys
from .registered import object_id_of

# The API is identified by its application id only; the others by their addresses in every cloud
# (docs/facts/defender_for_cloud_apps.md#api-sign-in).
IDENTIFIERS = {
    "mda": ("05a65629-4c1b-48c1-a78b-804c4abdd4af",),
    "graph": (
        "00000003-0000-0000-c000-000000000000",
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
    ),
    "arm": (
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net",
        "https://management.chinacloudapi.cn",
        "https://management.core.chinacloudapi.cn",
    ),
}
_RESOURCE_OF = {identifier: name for name, identifiers in IDENTIFIERS.items() for identifier in identifiers}


def resource_of(identifier: str) -> str | None:
    """The API of an identifier: mda, graph or arm."""
    return _RESOURCE_OF.get(identifier.rstrip("/").lower())


def access_token(tenant: Tenant, audience: str, client_id: str) -> str:
    """Issue an application token for an audience."""
    now = int(tenant.now())
    granted = {"mda": tenant.knobs.mda_permissions, "graph": tenant.knobs.graph_permissions}
    # An application that was registered later has no permissions; an administrator would have to consent to them.
    is_known = client_id in (tenant.client_id, tenant.identity_client_id)
    roles = granted.get(resource_of(audience) or "", []) if is_known else []
    claims: dict[str, Any] = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant.tenant_id}/",
        "iat": now,
        "nbf": now,
        "exp": now + tenant.knobs.token_lifetime,
        "appid": client_id,
        "appidacr": "1",
        "app_displayname": "automation",
        "idtyp": "app",
        "oid": object_id_of(tenant, client_id),
        "tid": tenant.tenant_id,
        "tenant_domain": DOMAIN,
        "uti": uuid.uuid4().hex[:22],
        "ver": "1.0",
    }
    if roles:
        claims["roles"] = list(roles)
    return signing_keys.sign(claims)


class InvalidToken(Exception):
    """The bearer token is not valid for this API."""


def roles_of(tenant: Tenant, call: Call, resource: str) -> list[str] | None:
    """The permissions of the bearer token of a call, None without one; raises InvalidToken."""
    claims = claims_of_call(tenant, call, resource)
    return None if claims is None else list(claims.get("roles", []))


def claims_of_call(tenant: Tenant, call: Call, resource: str) -> dict[str, Any] | None:
    """The claims of the bearer token of a call, None without one; raises InvalidToken if it is for another API."""
    scheme, _, token = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    claims = signing_keys.claims_of(token.strip())
    if claims is None:
        raise InvalidToken("Access token validation failure. Invalid signature.")
    if resource_of(str(claims["aud"])) != resource:
        raise InvalidToken("Access token validation failure. Invalid audience.")
    if claims["tid"] != tenant.tenant_id:
        raise InvalidToken("Access token is of another tenant.")
    if claims["exp"] <= tenant.now():
        raise InvalidToken("Lifetime validation failed, the token is expired.")
    return claims
