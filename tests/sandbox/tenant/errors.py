# SPDX-License-Identifier: GPL-3.0-or-later
"""Error bodies of Entra, Graph and Cloud Apps."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone

from ..web import Call, Reply, json_reply


class Refused(Exception):
    """A request that is answered with an error; `reply` is the response."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"status {reply.status}")
        self.reply = reply


def entra_error(status: int, error: str, number: int, text: str, call: Call) -> Refused:
    """An error of the token endpoint: AADSTS text with trace, correlation and time.

    See docs/facts/entra.md#token-request-errors.
    """
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
    trace = str(uuid.uuid4())
    correlation = call.headers.get("client-request-id") or str(uuid.uuid4())
    tail = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"
    content = {
        "error": error,
        "error_description": f"AADSTS{number}: {text} {tail}",
        "error_codes": [number],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{call.base}/entra/error?code={number}",
    }
    return Refused(json_reply(status, content))


def graph_error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Refused:
    """An error of Graph (docs/facts/microsoft_graph.md#graph-errors)."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    request = str(uuid.uuid4())
    inner = {"date": now, "request-id": request, "client-request-id": request}
    content = {"error": {"code": code, "message": message, "innerError": inner}}
    return Refused(json_reply(status, content, {"request-id": request, **(headers or {})}))


def api_error(status: int, text: str) -> Refused:
    """An error of the Cloud Apps API. The vendor documents no schema: one key, one sentence.

    See docs/facts/defender_for_cloud_apps.md#api-errors.
    """
    return Refused(json_reply(status, {"detail": text}))


def portal_error(status: int, code: str, message: str) -> Refused:
    """An error of the portal's proxy, in the format of its community specification."""
    return Refused(json_reply(status, {"error": {"code": code, "message": message}}))
