# SPDX-License-Identifier: GPL-3.0-or-later
"""The Batch API (docs/facts/servicenow_platform.md#batch-api)."""

from __future__ import annotations

import base64
import fnmatch
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from multidict import CIMultiDict

from ..faults import apply, draw
from ..web import Call, Reply, json_reply
from .callers import Caller
from .errors import (
    API_ACL,
    NO_RESOURCE,
    Refused,
    error_reply,
    too_large,
    unreadable,
)
from .instance import Instance
from .knobs import faults_of
from .table_api import read_body

Dispatch = Callable[[Instance, Caller, Call], Reply]


def batch(instance: Instance, caller: Caller, call: Call, dispatch: Dispatch) -> Reply:
    """Run the inner requests one after another with the caller's rights."""
    limits = instance.knobs.batch
    if call.method != "POST":
        raise Refused(405, "Method not Supported")
    if limits.disabled:
        raise Refused(403, *API_ACL)
    if len(call.body) > limits.max_input:
        raise too_large(len(call.body), limits.max_input)
    content = read_body(call)
    wanted = content.get("rest_requests")
    if not isinstance(wanted, list):
        raise unreadable("rest_requests is missing.")
    remaining = _max_output(call, limits.max_output)
    serviced: list[dict[str, Any]] = []
    unserviced: list[str] = []
    for request in wanted:
        identifier = str(request.get("id", "")) if isinstance(request, dict) else ""
        if remaining <= 0 or (limits.unserviced is not None and len(serviced) >= limits.unserviced):
            unserviced.append(identifier)
            continue
        answered = _run_request(instance, caller, call, request, dispatch)
        remaining -= len(answered["body"])
        if remaining < 0:
            unserviced.append(identifier)
        else:
            serviced.append(answered)
    answer = {"batch_request_id": str(content.get("batch_request_id", "")), "serviced_requests": serviced}
    return json_reply(200, {**answer, "unserviced_requests": unserviced})


def _max_output(call: Call, limit: int) -> int:
    asked = call.headers.get("X-BATCHREQUEST-MAX-OUTPUT-SIZE", "")
    return min(int(asked), limit) if asked.isdecimal() else limit


def _run_request(instance: Instance, caller: Caller, outer: Call, request: Any, dispatch: Dispatch) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        inner = _inner_call(request, outer)
        reply = _answer(instance, caller, inner, dispatch)
    except Refused as refused:
        reply = refused.reply()
    answered: dict[str, Any] = {
        "id": str(request.get("id", "")) if isinstance(request, dict) else "",
        "status_code": reply.status,
        "status_text": HTTPStatus(reply.status).phrase,
        "body": base64.b64encode(reply.body).decode(),
        "execution_time": int((time.perf_counter() - started) * 1000),
    }
    if reply.status >= 400:
        answered["error_message"] = ""
    if not isinstance(request, dict) or request.get("exclude_response_headers") is not True:
        answered["headers"] = [{"name": name, "value": value} for name, value in reply.headers.items()]
    return answered


def _inner_call(request: Any, outer: Call) -> Call:
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise unreadable("A request without url.")
    path, _, query = request["url"].partition("?")
    listed = request.get("headers") or []
    if not isinstance(listed, list) or not all(isinstance(header, dict) for header in listed):
        raise unreadable("headers is not a list of names and values.")
    headers = CIMultiDict((str(header.get("name", "")), str(header.get("value", ""))) for header in listed)
    try:
        body = base64.b64decode(request.get("body") or "", validate=True)
    except (TypeError, ValueError) as error:
        raise unreadable("The body is not base64.") from error
    method = str(headers.get("X-HTTP-Method-Override") or request.get("method", "GET")).upper()
    path = "/" + unquote(path).lstrip("/")
    wants_headers = request.get("exclude_response_headers") is not True
    return Call(method, path, headers, outer.base, body, query, inner=True, wants_headers=wants_headers)


def _answer(instance: Instance, caller: Caller, inner: Call, dispatch: Dispatch) -> Reply:
    for pattern, status in instance.knobs.batch.inner_errors.items():
        if fnmatch.fnmatchcase(inner.path, pattern):
            return error_reply(status, HTTPStatus(status).phrase)
    if not inner.path.startswith("/api/") or inner.path.rstrip("/").endswith("/batch"):
        raise Refused(400, NO_RESOURCE, inner.path)
    instance.count_inner(inner)

    def work(each: Call) -> Reply:
        try:
            return dispatch(instance, caller, each)
        except Refused as refused:
            return refused.reply()

    fault = draw(faults_of(instance.knobs), inner, instance.chance)
    return apply(fault, inner, work) if fault is not None else work(inner)
