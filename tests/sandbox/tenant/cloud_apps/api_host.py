# SPDX-License-Identifier: GPL-3.0-or-later
"""The API host of Defender for Cloud Apps: prefixes, sign-in, permissions, the limit per minute.

See docs/facts/defender_for_cloud_apps.md#documented-api.
"""

from __future__ import annotations

import hmac
import math

from ...web import Call, Reply, json_reply
from ..entra.access_tokens import InvalidToken, roles_of
from ..errors import Refused, api_error
from ..state import Tenant
from . import documented_lists, ip_ranges, policies, portal_api
from .instance_client import InstanceClient

# Both prefixes lead to the same documented routes; the others require the longer one.
DOCUMENTED = documented_lists.TABLE + ip_ranges.TABLE
PORTAL_ROUTES = portal_api.TABLE
ALL_ROUTES = DOCUMENTED + policies.TABLE + PORTAL_ROUTES
_LONG_PREFIX = "/cas/api"
_PREFIXES = ("/mda/cas/api", "/mda/api")


def route_of(path: str) -> str | None:
    """The pattern of a path, for the request counts."""
    for prefix in _PREFIXES:
        if path.startswith(prefix + "/"):
            name = ALL_ROUTES.name(path[len(prefix) :])
            return prefix + name if name else None
    return None


def answer(tenant: Tenant, call: Call, client: InstanceClient) -> Reply:
    """Answer a call to the tenant's API URL."""
    prefix = next((prefix for prefix in _PREFIXES if call.path.startswith(prefix + "/")), None)
    if prefix is None:
        raise api_error(404, "Not found.")
    _throttle(tenant)
    roles = _permissions_of_caller(tenant, call)
    path = call.path[len(prefix) :]
    found = (ALL_ROUTES if prefix.endswith(_LONG_PREFIX) else DOCUMENTED).find(call.method, path)
    if isinstance(found, int):
        raise api_error(found, "Not found." if found == 404 else f'Method "{call.method}" not allowed.')
    route, arguments = found
    if PORTAL_ROUTES.name(path) and not _may_call_portal_api(tenant, roles):
        raise api_error(403, "Insufficient role based permissions")
    is_open = PORTAL_ROUTES.name(path) or roles is None or (route.roles and set(route.roles) & set(roles))
    if not is_open:
        raise api_error(403, "Insufficient role based permissions")
    return route.handler(tenant, call, client, **arguments)


def _may_call_portal_api(tenant: Tenant, roles: list[str] | None) -> bool:
    # Whether these routes accept a legacy token is unknown; that they accept a bearer token is unlikely (4.1).
    allowed = tenant.knobs.connector_routes
    return allowed == "any" or (allowed == "token" and roles is None)


def _permissions_of_caller(tenant: Tenant, call: Call) -> list[str] | None:
    """The permissions of a bearer token; None for a legacy token, which has those of its user."""
    scheme, _, key = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "token":
        is_right = hmac.compare_digest(key.strip().encode(errors="surrogateescape"), tenant.api_token.encode())
        if not is_right or tenant.knobs.api_token == "revoked":
            raise api_error(401, "Invalid token.")
        return None
    try:
        roles = roles_of(tenant, call, "mda")
    except InvalidToken as bad:
        raise api_error(401, str(bad)) from bad
    if roles is None:
        raise api_error(401, "Authentication credentials were not provided.")
    return roles


def _throttle(tenant: Tenant) -> None:
    knobs, now = tenant.knobs, tenant.now()
    while tenant.calls and tenant.calls[0] <= now - knobs.throttle_seconds:
        tenant.calls.popleft()
    if not knobs.throttle or len(tenant.calls) < knobs.throttle:
        tenant.calls.append(now)
        return
    wait = math.ceil(tenant.calls[0] + knobs.throttle_seconds - now)
    raise Refused(_throttled(knobs.throttle_body, wait, knobs.retry_after))


def _throttled(form: str, wait: int, with_header: bool) -> Reply:
    # The wording is known, the format is not (2.5).
    text = f"Request was throttled. Expected available in {wait} seconds."
    if form == "json":
        reply = json_reply(429, {"detail": text})
    else:
        reply = Reply(429, text.encode() if form == "text" else b"")
        reply.headers["Content-Type"] = "text/plain; charset=utf-8"
    if with_header:
        reply.headers["Retry-After"] = str(wait)
    return reply
