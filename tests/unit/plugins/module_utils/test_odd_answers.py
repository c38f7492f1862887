# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that make no sense, thrown at every module: each ends in one sentence, without a defect, and never in a claim of success."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.rate_limit import (
    RateLimit,
)
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer, page
from tests.unit.plugins.module_utils.module_calls import MODULES, examples, in_process, module

JSON = {"Content-Type": "application/json"}
ODD_ROWS: list[Any] = [
    None,
    1,
    "x",
    [],
    {},
    {"sys_id": 5, "name": None, "id": {"value": 3}, "_id": [], "properties": None},
    {"sys_id": {"value": None}, "name": ["a"], "id": None, "properties": "text", "value": {"value": {"value": 1}}},
    {
        "sys_id": "\ud800",
        "name": "\ud800",
        "id": "\ud800",
        "properties": {"displayName": 4, "extensions": [None, "x"], "status": 3},
    },
    {
        "id": "x",
        "name": "x",
        "properties": {"conditionSets": "x", "metadata": [], "resourceDetails": 7, "status": {"code": []}},
    },
]


def raw(text: str | bytes, status: int = 200, **headers: str) -> Reply:
    return Reply(status, text if isinstance(text, bytes) else text.encode(), {**JSON, **headers})


def batch(item: Any) -> Reply:
    return answer({"batch_request_id": "1", "serviced_requests": [item], "responses": [item]})


# What a server, a proxy or a broken application was seen to return, or could.
ANSWERS: dict[str, Reply] = {
    "null": raw("null"),
    "number": raw("42"),
    "text": raw('"no"'),
    "true": raw("true"),
    "empty object": raw("{}"),
    "empty list": raw("[]"),
    "list of anything": answer(ODD_ROWS),
    "result of nothing": answer({"result": None, "value": None, "data": None, "results": None}),
    "result of text": answer({"result": "x", "value": "x", "data": "x", "results": "x", "schema": "x"}),
    "result of anything": answer({"result": ODD_ROWS, "value": ODD_ROWS, "data": ODD_ROWS, "results": ODD_ROWS, "schema": ODD_ROWS}),
    "object of anything": answer({"result": ODD_ROWS[7], **ODD_ROWS[7]}),
    "deep object": answer({"result": {"a": {"b": [[{}]]}}, "properties": {"a": [[]]}}),
    "next link of anything": answer({"value": [], "nextLink": {"a": 1}, "@odata.nextLink": 7, "hasNext": "yes", "data": []}),
    "next link elsewhere": answer({"value": [], "nextLink": "https://[::1", "@odata.nextLink": "//x", "data": []}),
    "batch of nothing": batch(None),
    "batch of text": batch("x"),
    "batch without a body": batch({"id": "0", "status_code": 200, "status": 200}),
    "batch of no base64": batch({"id": "0", "status_code": "200", "status": "ok", "body": "!!!", "headers": "x"}),
    "batch of anything": batch({"id": 0, "status_code": None, "status": None, "body": {"a": 1}, "headers": [1]}),
    "batch of odd rows": batch(
        {"id": "0", "status_code": 200, "status": 200, "body": base64.b64encode(json.dumps({"result": ODD_ROWS}).encode()).decode()}
    ),
    "error of text": answer({"error": "no"}, 400),
    "error of anything": answer({"error": {"message": ["a", {"b": 1}], "code": 7, "details": [1, {"message": []}]}}, 403),
    "error of a list": answer([{"error": []}], 500),
    "error of nothing": answer({"error": None, "errors": {"a": [None]}, "detail": [[{}]]}, 404),
    "unfinished": raw('{"result": [{"sys_id": "a'),
    "not a number": raw('{"result": [{"sys_id": NaN}], "value": [{"id": Infinity}]}'),
    "number of 5000 digits": raw('{"result": [{"sys_id": ' + "1" * 5000 + '}], "value": []}'),
    "marked as Unicode": raw(b'\xef\xbb\xbf{"result": [], "value": [], "data": []}'),
    "in UTF-16": raw('{"result": [], "value": [], "data": []}'.encode("utf-16")),
    "in no charset": raw(b'{"result": "\xff\xfe\xff", "value": "\xc3("}'),
    "twice": raw('{"result": []}{"result": []}'),
    "only blanks": raw("  \r\n "),
    "nothing": Reply(200, b"", JSON),
    "no content": Reply(204, b"", {}),
    "accepted": Reply(202, b"", {"Location": "relative/path", "Retry-After": "soon"}),
    "circle of redirects": Reply(302, b"", {"Location": "/api/now/table/x"}),
    "redirect to nowhere": Reply(307, b"", {"Location": "https://[broken"}),
    "teapot": page("I'm a teapot", 418),
    "status of no meaning": raw("{}", 599),
    "signed out": Reply(401, b"", {"WWW-Authenticate": "\x7f"}),
    "page": page("<script>1</script>"),
    "throttled": raw("slow down", 429, **{"Retry-After": "-1e309", "x-ms-user-quota-resets-after": "99:99:99"}),
    "compressed as something": Reply(200, b"{}", {**JSON, "Content-Encoding": "br, gzip"}),
    "compressed twice": Reply(200, b"{}", {**JSON, "Content-Encoding": "gzip, gzip"}),
    "counted wrongly": raw('{"result": [], "value": [], "data": [], "total": "many", "count": -1}', **{"X-Total-Count": "-7"}),
    "counted without end": raw('{"result": [{"sys_id": "a"}], "data": [], "totalRecords": 1e9}', **{"X-Total-Count": "9" * 30}),
}  # fmt: skip
# None of these says that there is nothing yet.
NO_ANSWER = frozenset(
    {
        "null",
        "number",
        "text",
        "true",
        "empty object",
        "result of nothing",
        "result of text",
        "unfinished",
        "twice",
        "only blanks",
    }
)
CONNECTION = {
    "snow_username": "svc_ansible",
    "snow_password": "Pass-word-1",
    "azure_access_token": "t0ken-of-azure",
    "azure_subscription_id": "00000000-0000-0000-0000-0000000000aa",
    "retries": 0,
    "timeout": 5,
    "retry_deadline": 5,
    "poll_interval": 0,
    "wait_timeout": 0,
}
ADDRESSES = ("snow_url", "azure_arm_url", "azure_graph_url", "mda_url")


def replying(reply: Reply) -> Callable[[Received], Reply]:
    return lambda _request: reply


@pytest.mark.parametrize("name", MODULES)
def test_an_answer_without_sense_ends_in_one_sentence(
    server: Loopback, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "acquire", lambda _self: None)
    spec = module(name).SPEC.argument_spec
    known = {**CONNECTION, **dict.fromkeys(ADDRESSES, server.url)}
    connection = {option: value for option, value in known.items() if option in spec}
    example = {option: value for option, value in next(examples(name)).items() if option not in known}
    wrong = {}
    for kind, reply in ANSWERS.items():
        server.answers_by(replying(reply))
        result = in_process(name, {**example, **connection}, module(name).run)
        message = str(result.get("msg", ""))
        if not message.isprintable() or any(word in message for word in ("Traceback", "defect", "unexpected")):
            wrong[kind] = message[:200]
        if kind in NO_ANSWER and result.get("changed") and not result.get("failed"):
            wrong[kind] = f"changed: {json.dumps(result)[:300]}"
        json.dumps(result).encode()
    assert wrong == {}
