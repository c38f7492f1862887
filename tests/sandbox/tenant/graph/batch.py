# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON batching, and the routes of Graph (docs/facts/microsoft_graph.md#conventions)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from ...web import Call, Reply, json_reply
from ..conditional_access import named_locations, policies
from ..entra import applications
from ..entra_users import memberships, users
from ..errors import Refused, graph_error
from ..routes import Route, Table
from ..secure_score import scores
from ..secure_score.scores import read_json
from ..state import Row, Tenant
from . import hunting, incidents
from .permissions import granted

MAX_REQUESTS = 20
_VERSION = "/graph/v1.0"


def batch(tenant: Tenant, call: Call) -> Reply:
    """Answer `/v1.0/$batch`: responses are in any order, each with its own status."""
    granted(tenant, call)
    requests = read_json(call).get("requests")
    if not isinstance(requests, list) or not requests or len(requests) > MAX_REQUESTS:
        text = f"Number of batch request steps must be between 1 and {MAX_REQUESTS}."
        raise graph_error(400, "BadRequest", text)
    if len({str(each.get("id", "")) for each in requests}) < len(requests):
        raise graph_error(400, "BadRequest", "Request ids must be unique.")
    responses: dict[str, Row] = {}
    for request in requests:
        responses[str(request["id"])] = _run_request(tenant, call, request, responses)
    # Reversed, because clients must not rely on their order.
    return json_reply(200, {"responses": list(responses.values())[::-1]})


def _run_request(tenant: Tenant, call: Call, request: Row, before: dict[str, Row]) -> Row:
    needed = [before.get(str(each), {"status": 400})["status"] for each in request.get("dependsOn") or ()]
    if any(status >= 400 for status in needed):
        reply = graph_error(424, "FailedDependency", "A request that this one depends on has failed.").reply
    else:
        reply = _answer(tenant, _inner_call(call, request))
    body = json.loads(reply.body) if reply.body else None
    found = {"id": str(request["id"]), "status": reply.status, "headers": dict(reply.headers)}
    return {**found, "body": body} if body is not None else found


def _inner_call(call: Call, request: Row) -> Call:
    path, _, query = str(request.get("url", "")).partition("?")
    given: dict[str, Any] = request.get("headers") or {}
    headers = {"Authorization": call.headers.get("Authorization", ""), **{str(k): str(v) for k, v in given.items()}}
    body = json.dumps(request["body"]).encode() if request.get("body") is not None else b""
    method = str(request.get("method", "GET")).upper()
    return Call(method, f"{_VERSION}/{unquote(path).lstrip('/')}", headers, call.base, body, query, inner=True)


def _answer(tenant: Tenant, call: Call) -> Reply:
    try:
        return answer(tenant, call, _SINGLE)
    except Refused as refused:
        return refused.reply


def answer(tenant: Tenant, call: Call, table: Table | None = None) -> Reply:
    """Answer one request; an unknown path or method has the same errors alone and in a batch. Raises Refused."""
    if call.method == "POST":
        # An action can be called by its qualified name, as SDKs do.
        call.path = _QUALIFIED.sub("/", call.path)
    found = (table or TABLE).find(call.method, call.path)
    if not isinstance(found, int):
        route, arguments = found
        return route.handler(tenant, call, **arguments)
    granted(tenant, call)
    if found == 405:
        raise graph_error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    version, _, rest = call.path.removeprefix("/graph/").partition("/")
    if version not in ("v1.0", "beta"):
        raise graph_error(400, "BadRequest", f"Invalid version: {version}.")
    raise graph_error(400, "BadRequest", f"Resource not found for the segment '{rest.rpartition('/')[2]}'.")


def reads_secure_score(call: Call) -> bool:
    """Whether a call reads scores, directly or within a batch."""
    return "/secureScore" in call.path or (call.path.endswith("/$batch") and b"secureScore" in call.body)


_QUALIFIED = re.compile(r"/(?:microsoft\.)?graph\.(?:\w+\.)*(?=\w+$)")
_SINGLE = hunting.TABLE + incidents.TABLE + scores.TABLE + users.TABLE + memberships.TABLE
_SINGLE += applications.TABLE + named_locations.TABLE + policies.TABLE
TABLE = _SINGLE + Table(Route("POST", f"{_VERSION}/$batch", batch))
