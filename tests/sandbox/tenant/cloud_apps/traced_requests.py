# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox's own portal pages send with each write: an id of the request, and the client's time. Made up for the sandbox."""

from __future__ import annotations

from ...web import Call
from ..errors import portal_error
from ..state import Row, Tenant
from .list_query import body_of, value_at

_CLOCK_MS = 600_000


def traced_body(tenant: Tenant, call: Call) -> Row:
    """Return the body of a write; refuse one that was handled already, or whose client's clock is off."""
    body = body_of(call)
    if tenant.knobs.wizard_strict:
        request, sent = value_at(body, "trace.requestId"), value_at(body, "trace.clientTime")
        if not isinstance(sent, int) or abs(tenant.now_ms() - sent) > _CLOCK_MS:
            raise portal_error(400, "BadRequest", "The client's clock is off by more than ten minutes")
        if not isinstance(request, str) or request in tenant.wizard_requests:
            raise portal_error(409, "Conflict", "This request was already handled")
        tenant.wizard_requests.add(request)
    return body
