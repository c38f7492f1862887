# SPDX-License-Identifier: GPL-3.0-or-later
"""Token buckets of requests per subscription (docs/facts/defender_for_cloud.md#azure-resource-manager)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .errors import arm_error
from .scopes import Scope

if TYPE_CHECKING:
    from ..state import Tenant

QUOTA_SECONDS = 5
_LIVE = {"read": 250, "write": 200, "delete": 200}
_REFILL = {"read": 10, "write": 20, "delete": 20}
"""Seconds until an empty bucket is full again."""


def _kind(method: str) -> str:
    return {"GET": "read", "HEAD": "read", "DELETE": "delete"}.get(method, "write")


def _state(tenant: Tenant, kind: str, scope: Scope) -> tuple[str, float, float]:
    """The name of the bucket, its size, and its level."""
    wanted = tenant.knobs.arm_reads if kind == "read" else tenant.knobs.arm_writes
    size = float(wanted or _LIVE[kind])
    name = f"{kind}:{scope.subscription or 'tenant'}"
    left, when = tenant.arm.buckets.get(name, (size, tenant.now()))
    return name, size, min(size, left + (tenant.now() - when) * size / _REFILL[kind])


def spend(tenant: Tenant, method: str, scope: Scope) -> None:
    """Take one request from its bucket; raises Refused with 429 if it is empty."""
    kind = _kind(method)
    name, size, left = _state(tenant, kind, scope)
    limited = (tenant.knobs.arm_reads if kind == "read" else tenant.knobs.arm_writes) > 0
    if limited and left < 1:
        # A retry that is too early is refused again, with a new value.
        wait = math.ceil((1 - left) * _REFILL[kind] / size)
        what = f"subscription '{scope.subscription}'" if scope.subscription else "tenant"
        text = (
            f"Number of '{kind}' requests for {what} exceeded the limit of '{int(size)}'. "
            f"Please try again after '{wait}' seconds."
        )
        code = "SubscriptionRequestsThrottled" if scope.subscription else "TenantRequestsThrottled"
        raise arm_error(429, code, text, headers={"Retry-After": str(wait)})
    tenant.arm.buckets[name] = (max(0.0, left - 1), tenant.now())


def spend_quota(tenant: Tenant) -> None:
    """Take one call of Resource Graph; raises Refused with 429 if the quota is used up (facts: Resource Graph)."""
    begun = tenant.now() // QUOTA_SECONDS
    used, window = tenant.arm.buckets.get("resource graph", (0.0, begun))
    used = used if window == begun else 0.0
    if tenant.knobs.graph_quota and used >= tenant.knobs.graph_quota:
        wait = math.ceil((begun + 1) * QUOTA_SECONDS - tenant.now())
        headers = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": f"00:00:{wait:02}"}
        raise arm_error(429, "RateLimiting", "Please provide below info when asking for support.", headers=headers)
    tenant.arm.buckets["resource graph"] = (used + 1, begun)


def remaining(tenant: Tenant, method: str, scope: Scope) -> int:
    """The number of remaining requests."""
    return int(_state(tenant, _kind(method), scope)[2])
