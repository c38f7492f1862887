# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance answers any input like the platform and never fails itself."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from tests.sandbox.fleet import Fleet
from tests.sandbox.web import Call, Reply

TABLES = (
    "sys_user",
    "oauth_entity",
    "incident",
    "sys_user_has_role",
    "sys_properties",
    "oauth_jwt",
    "problem",
    "no_such",
)
COLUMNS = (
    "name",
    "user_name",
    "impact",
    "state",
    "access_token_lifespan",
    "user",
    "role",
    "sys_id",
    "due_date",
    "active",
)
SERVICE = Fleet().create("acme-dev")
PASSWORD = SERVICE.accounts()["admin"]
CREDENTIALS = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
bodies = st.dictionaries(st.sampled_from(COLUMNS), values, max_size=5)
flags = st.dictionaries(
    st.sampled_from(
        ("sysparm_display_value", "sysparm_input_display_value", "sysparm_exclude_reference_link", "sysparm_no_count")
    ),
    st.sampled_from(("true", "false", "all", "odd")),
)


def ask(method: str, path: str, query: str = "", body: bytes = b"", kind: str = "application/json") -> Reply:
    headers = CIMultiDict({"Authorization": CREDENTIALS, "Content-Type": kind})
    return SERVICE.answer(Call(method, path, headers, "http://127.0.0.1:1/acme-dev", body, query))


@given(st.sampled_from(TABLES), bodies, flags)
def test_any_row_can_be_written_and_read_back(table: str, body: dict[str, Any], params: dict[str, str]) -> None:
    query = "&".join(f"{name}={value}" for name, value in params.items())
    written = ask("POST", f"/api/now/table/{table}", query, json.dumps(body).encode())
    assert written.status in (201, 400, 403)
    if written.status == 201:
        sys_id = written.headers["Location"].rpartition("/")[2]
        for method in ("GET", "PATCH", "DELETE"):
            reply = ask(method, f"/api/now/table/{table}/{sys_id}", query, json.dumps(body).encode())
            assert reply.status in (200, 204, 403), reply.body


@given(st.sampled_from(TABLES), st.text(max_size=60), st.text(max_size=30))
def test_any_query_string_is_answered(table: str, query: str, more: str) -> None:
    assert ask("GET", f"/api/now/table/{table}", f"sysparm_query={query}&{more}").status in (200, 400, 403)
    assert ask("GET", f"/api/now/stats/{table}", f"sysparm_count=true&{more}&{query}").status in (200, 400, 403)


@given(st.sampled_from(("GET", "POST", "PUT", "BREW")), st.text(max_size=30), st.binary(max_size=60))
def test_any_path_and_body_are_answered(method: str, path: str, body: bytes) -> None:
    for target in (f"/{path}", f"/api/{path}", f"/api/now/{path}", f"/api/sn_cicd/{path}", "/oauth_token.do"):
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            assert ask(method, target, body=body, kind=kind).status < 500


@given(values | st.fixed_dictionaries({"rest_requests": st.lists(values, max_size=3)}))
def test_any_batch_is_answered(content: Any) -> None:
    assert ask("POST", "/api/now/batch", body=json.dumps(content).encode()).status in (200, 400)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "method", "url", "headers", "body"), values)))
def test_any_request_inside_a_batch_is_answered(request: dict[str, Any]) -> None:
    assert ask("POST", "/api/now/batch", body=json.dumps({"rest_requests": [request]}).encode()).status == 200
