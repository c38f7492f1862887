# SPDX-License-Identifier: GPL-3.0-or-later
"""Application permissions and throttling of Graph calls.

See docs/facts/microsoft_graph.md#advanced-hunting, docs/facts/microsoft_graph.md#secure-score-calls,
docs/facts/microsoft_graph.md#user-actions, docs/facts/microsoft_graph.md#conventions.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...web import Call
from ..entra.access_tokens import InvalidToken, roles_of
from ..errors import graph_error
from ..state import Tenant


def granted(tenant: Tenant, call: Call) -> list[str]:
    """The permissions of the caller's token; raises Refused."""
    try:
        roles = roles_of(tenant, call, "graph")
    except InvalidToken as bad:
        raise graph_error(401, "InvalidAuthenticationToken", str(bad)) from bad
    if roles is None:
        raise graph_error(401, "InvalidAuthenticationToken", "Access token is empty.")
    return roles


def require_security(tenant: Tenant, call: Call, *permissions: str) -> list[str]:
    """Require one of the permissions, with the error of Graph's security API."""
    roles = granted(tenant, call)
    if not set(permissions) & set(roles):
        wanted, held = ", ".join(permissions), ", ".join(roles) or "none"
        text = f"Missing application roles. API required roles: {wanted}, application roles: {held}."
        raise graph_error(403, "Forbidden", text)
    return roles


def require_directory(tenant: Tenant, call: Call, *choices: Iterable[str]) -> list[str]:
    """Require all permissions of one of the choices, with the error of Graph's directory API."""
    roles = granted(tenant, call)
    if not any(set(choice) <= set(roles) for choice in choices):
        raise denied()
    return roles


def denied() -> Exception:
    """The error of the directory API, the same for every missing permission."""
    return graph_error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def throttle(tenant: Tenant) -> None:
    """Count a call; raises Refused (429) if the window has too many."""
    knobs, now = tenant.knobs, tenant.now()
    while tenant.graph_calls and tenant.graph_calls[0] <= now - knobs.graph_window:
        tenant.graph_calls.popleft()
    if knobs.graph_calls and len(tenant.graph_calls) >= knobs.graph_calls:
        wait = str(int(tenant.graph_calls[0] + knobs.graph_window - now) + 1)
        headers = {"Retry-After": wait} if knobs.graph_retry_after else {}
        raise graph_error(429, "TooManyRequests", "Too many requests.", headers)
    tenant.graph_calls.append(now)
