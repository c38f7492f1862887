# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of a made-up portal, as a browser would save them. No real portal is known to look like this."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

PORTAL = "https://security.example.com"
API = f"{PORTAL}/apiproxy/mcas/cas/api/v1"
STARTED = "2026-11-21T10:00:00.000Z"
STARTED_MS = 1795255200000
DRAFT, CONNECTOR = "d4af7c0ffee0000000000001", "63dd5f272b9cbba7bb29d703"
COOKIE, XSRF = "sccauth=c00kie-of-the-session", "xsrf-t0ken-of-the-session"

TYPED = {
    "name": "Acme development",
    "instance_url": "https://acme-dev.service-now.com",
    "username": "svc_defender",
    "password": 'Pass "word" & 1/+',
    "client_id": "0123456789abcdef0123456789abcdef",
    "client_secret": "c1ient-Secret=",
}
OTHER = {
    "name": "Acme test",
    "instance_url": "https://acme-test.service-now.com",
    "username": "svc_other",
    "password": "An/other \\ word",
    "client_id": "fedcba9876543210fedcba9876543210",
    "client_secret": "0ther-Secret",
}


def entry(
    method: str, url: str, body: Any = None, answer: Any = None, status: int = 200, second: int = 0, **more: Any
) -> dict[str, Any]:
    """Return one exchange of a HAR."""
    headers = {
        "Content-Type": "application/json",
        "Cookie": COOKIE,
        "X-XSRF-TOKEN": XSRF,
        "X-Request-Id": "r4ndom-1234567890",
    }
    request: dict[str, Any] = {
        "method": method,
        "url": url,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
    }
    if body is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(body), **more}
    content = {"mimeType": "application/json", "text": json.dumps(answer)}
    started = STARTED.replace("00.000Z", f"{second:02d}.000Z")
    return {"startedDateTime": started, "request": request, "response": {"status": status, "content": content}}


def har(*entries: dict[str, Any]) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}})


def connect_body(typed: Mapping[str, str], app: int = 14509) -> dict[str, Any]:
    """Return what the made-up wizard sends: each value in another dress."""
    return {
        "appId": app,
        "draft": DRAFT,
        "clientTime": STARTED_MS + 1500,
        "trace": "0b0c7a52-8f44-4ad8-9d5b-7f1c0a2f3b4d",
        "settings": json.dumps(
            {"displayName": typed["name"], "login": typed["username"]}, separators=(",", ":"), ensure_ascii=False
        ),
        "auth": {"phrase": base64.b64encode(typed["password"].encode()).decode(), "key": typed["client_id"]},
        "secret": quote(typed["client_secret"], safe=""),
        "tokenEndpoint": f"{typed['instance_url']}/oauth_token.do",
    }


def connect_url(typed: Mapping[str, str]) -> str:
    return f"{API}/wizard/connect/?to={quote(typed['instance_url'], safe='')}"


def wizard(typed: Mapping[str, str] = TYPED, app: int = 14509, status: int = 200) -> list[dict[str, Any]]:
    """Return the exchanges of one connection: a draft, the connection, its confirmation, and the list."""
    return [
        entry("GET", f"{API}/apps/", None, {"data": [{"appId": 14509, "appName": "ServiceNow"}]}, second=1),
        entry("POST", f"{API}/wizard/start/", {"appId": app}, {"draftId": DRAFT}, second=2),
        entry(
            "POST", connect_url(typed), connect_body(typed, app), {"result": {"connector": {"_id": CONNECTOR}}}, status, 3
        ),
        entry("POST", f"{API}/wizard/confirm/{CONNECTOR}/", {"accepted": True}, {"ok": True}, second=4),
        entry(
            "POST", f"{API}/app_connectors/", {"filters": {}, "skip": 0, "limit": 100}, {"data": [], "hasNext": False}, second=5
        ),
    ]  # fmt: skip
