# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes sense of what came back: JSON, an error, or a page that should not be there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import AmbiguousResponse, HttpError, UnexpectedPage, platform_words

REQUEST_ID_HEADERS = ("x-transaction-id", "x-ms-request-id", "x-ms-correlation-request-id", "request-id")


@dataclass(frozen=True)
class RawResponse:
    """An answer as it came: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """A decoded answer. `data` is the decoded JSON, or None where there was no body."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    data: Any = None

    def error(self, scrub: Callable[[str], str] = str) -> HttpError:
        """Return this answer as an exception; `scrub` blots secrets out of the platform's words."""
        request_id = next((self.headers[name] for name in REQUEST_ID_HEADERS if self.headers.get(name)), "")
        return HttpError(self.method, self.path, self.status, scrub(platform_words(self.data)), scrub(request_id))


# (pattern in the page, what it is, what to do). See docs/facts/servicenow_platform.md#pages-instead-of-json.
PAGES = (
    (
        re.compile(rb"hibernating", re.I),
        "the developer instance is hibernating",
        "Wake it at developer.servicenow.com, wait a few minutes and run again",
    ),
    (
        re.compile(rb"login\.do|sys_?login|name=.user_password.|sign in|log in", re.I),
        "an interactive sign-in page",
        "Check the address; with single sign-on make sure that API paths are not redirected to it",
    ),
    (
        re.compile(rb"maintenance|upgrad|offline|unavailable", re.I),
        "a maintenance page",
        "Wait until the instance is back and run again",
    ),
)
WAKE_UP_HOST = "developer.servicenow.com"
CANCELLED = b"Transaction cancelled"


def read_response(method: str, path: str, raw: RawResponse, *, may_be_empty: bool = False) -> Response:
    """Decode `raw`. `may_be_empty`: a GET may answer without a body, as at the end of an operation.

    Raises `UnexpectedPage` for a page or a redirect where data was due, `AmbiguousResponse` for a cut answer. An error
    status stands whatever its body is (decide by status, body opaque, docs/facts/servicenow_platform.md#errors).
    """
    where = f"{method} {path} -> {raw.status}"
    if 300 <= raw.status < 400:
        raise _redirected(where, raw.headers.get("location", ""))
    if not raw.body.strip():
        if raw.status == 200 and method == "GET" and not may_be_empty:
            raise AmbiguousResponse(f"{where}: the answer is empty")
        return Response(method, path, raw.status, raw.headers)
    if "json" not in raw.headers.get("content-type", "").lower() and raw.body.lstrip()[:1] not in (b"{", b"["):
        if raw.status < 400:
            raise _page(where, raw)
        return Response(method, path, raw.status, raw.headers, {"error": f"({_page_kind(raw)[0]})"})
    try:
        data = json.loads(raw.body)
    except ValueError:
        if raw.status >= 400:
            return Response(method, path, raw.status, raw.headers)
        raise _cut(where, raw) from None
    if raw.status < 400 and isinstance(data, dict) and data.get("error") and data.get("status") == "failure":
        # A cancelled transaction can answer 200 with the error in the tail
        # (docs/facts/servicenow_platform.md#cancelled-transactions).
        raise AmbiguousResponse(f"{where}: {platform_words(data)}")
    return Response(method, path, raw.status, raw.headers, data)


def _cut(where: str, raw: RawResponse) -> AmbiguousResponse:
    if CANCELLED in raw.body:
        return AmbiguousResponse(
            f"{where}: the instance cancelled the transaction: maximum execution time exceeded. Ask for fewer rows or fields"
        )
    return AmbiguousResponse(f"{where}: the answer was cut off after {len(raw.body)} bytes")


def _redirected(where: str, target: str) -> UnexpectedPage:
    host = re.sub(r"^https?://([^/?#]*).*$", r"\1", target)
    if host.endswith(WAKE_UP_HOST):
        return UnexpectedPage(f"{where}: {PAGES[0][1]} (redirected to {WAKE_UP_HOST}). {PAGES[0][2]}")
    shown = host if target.startswith("http") else target.split("?", 1)[0]
    return UnexpectedPage(f"{where}: redirected to {shown or 'nowhere'}, which is not followed. {PAGES[1][2]}")


def _page_kind(raw: RawResponse) -> tuple[str, str]:
    for pattern, kind, remedy in PAGES:
        if pattern.search(raw.body):
            return kind, remedy
    return "a page instead of data", "Check that the address is the root of the instance"


def _page(where: str, raw: RawResponse) -> UnexpectedPage:
    kind, remedy = _page_kind(raw)
    content_type = raw.headers.get("content-type", "no content type").split(";", 1)[0]
    return UnexpectedPage(f"{where} came back as {content_type}, not JSON: {kind}. {remedy}")
