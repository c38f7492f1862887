# SPDX-License-Identifier: GPL-3.0-or-later
"""Decodes responses: JSON, an error, or a page instead of data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import AmbiguousResponse, EndlessResponse, HttpError, UnexpectedPage
from .platform_words import excerpt, is_from_platform, platform_words
from .words import cleaned

# Levels of JSON that are accepted. What handles a response later goes down level by level.
MAX_DEPTH = 100
# Values in one response: a million of the smallest ones take 100 times the memory of a page of 1,000 rows.
MAX_VALUES = 500_000
# Bytes that are kept of an error response without valid JSON.
MAX_TEXT = 65_536
REQUEST_ID_HEADERS = ("x-transaction-id", "x-ms-request-id", "x-ms-correlation-request-id", "request-id")


@dataclass(frozen=True)
class RawResponse:
    """A response as received: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


@dataclass(frozen=True)
class Response:
    """A decoded response. `data` is the decoded JSON, or None for an empty body.

    With an error status, `data` can be the text of a `page` (its kind), or of a body without valid JSON.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    data: Any = None
    page: str = ""

    def error(self, scrub: Callable[[str], str] = str) -> HttpError:
        """Return this response as an exception; `scrub` removes secrets from the platform's message.

        The message is one line, without control characters and of bounded length.
        """
        request_id = next((self.headers[name] for name in REQUEST_ID_HEADERS if self.headers.get(name)), "")
        return HttpError(
            self.method,
            self.path,
            self.status,
            self._words(scrub),
            cleaned(request_id, scrub),
            from_platform=is_from_platform(self.data),
        )

    def _words(self, scrub: Callable[[str], str]) -> str:
        if not isinstance(self.data, str):
            return cleaned(platform_words(self.data), scrub)
        words = cleaned(excerpt(self.data, scrub))
        named = self.page and (self.page != OTHER_PAGE.kind or not words)
        return f"{words} ({self.page})".strip() if named else words


@dataclass(frozen=True)
class PageHint:
    """A page that a platform is known to return instead of data: how to recognize it, what it is, and what to do.

    `host`: a redirect to this host means the same. `in_json`: the text is found in truncated JSON, not in a page.
    """

    pattern: re.Pattern[bytes]
    kind: str
    remedy: str
    host: str = ""
    in_json: bool = False


# Tried after the hints of the platform.
SIGN_IN_PAGE = PageHint(
    re.compile(rb"sign in|log in", re.I),
    "an interactive sign-in page",
    "Check the address; with single sign-on make sure that API paths are not redirected to it",
)
MAINTENANCE_PAGE = PageHint(
    re.compile(rb"maintenance|upgrad|offline|unavailable", re.I),
    "a maintenance page",
    "Wait until the host is available again, then run again",
)
OTHER_PAGE = PageHint(re.compile(b""), "a page instead of data", "Check that the address is the root of the API")
COMMON_PAGES = (SIGN_IN_PAGE, MAINTENANCE_PAGE, OTHER_PAGE)


def read_response(
    method: str, path: str, raw: RawResponse, *, may_be_empty: bool = False, hints: Sequence[PageHint] = ()
) -> Response:
    """Decode `raw`. `may_be_empty`: the response to a GET may have no body, as at the end of an operation.

    Raises `UnexpectedPage` for a page or a redirect instead of data, `AmbiguousResponse` for a truncated response. An error
    status counts regardless of the body. `hints` are the known pages of the platform.
    """
    where = f"{method} {path} -> {raw.status}"
    if 300 <= raw.status < 400:
        raise _redirect_error(where, raw.headers.get("location", ""), hints)
    if not raw.body.strip():
        if raw.status == 200 and method == "GET" and not may_be_empty:
            raise AmbiguousResponse(f"{where}: the response is empty")
        return Response(method, path, raw.status, raw.headers)
    if "json" not in raw.headers.get("content-type", "").lower() and raw.body.lstrip()[:1] not in (b"{", b"["):
        page = _find_hint(raw, hints)
        if raw.status < 400:
            raise _page_error(where, raw, page)
        return Response(method, path, raw.status, raw.headers, _text(raw), page.kind)
    try:
        data = _decoded(raw.body, where)
    except (ValueError, RecursionError, EndlessResponse) as error:
        if raw.status >= 400:
            return Response(method, path, raw.status, raw.headers, _text(raw))
        if isinstance(error, EndlessResponse):
            raise
        raise _unreadable(where, raw, error, hints) from None
    if raw.status < 400 and isinstance(data, dict) and data.get("error") and data.get("status") == "failure":
        # A cancelled transaction can return 200 with the error at the end
        # (docs/facts/servicenow_platform.md#cancelled-transactions).
        raise AmbiguousResponse(f"{where}: {cleaned(platform_words(data))}")
    return Response(method, path, raw.status, raw.headers, data)


def _decoded(body: bytes | bytearray, where: str) -> Any:
    """Return the JSON of `body`; raise `EndlessResponse`, `RecursionError` or `ValueError`."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise EndlessResponse(
            f"{where}: the response has more than {MAX_VALUES:,} values. Check the address and the proxy"
        )
    data = json.loads(body)
    _check_depth(data)
    return data


def _check_depth(data: Any) -> None:
    """Raise `RecursionError` for data that is nested deeper than any response of these platforms."""
    level = [data] if isinstance(data, (dict, list)) else []
    for _depth in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise RecursionError


def _unreadable(where: str, raw: RawResponse, error: Exception, hints: Sequence[PageHint]) -> AmbiguousResponse:
    if isinstance(error, RecursionError):
        return AmbiguousResponse(f"{where}: the response makes no sense: its JSON is nested too deep")
    hint = next((hint for hint in hints if hint.in_json and hint.pattern.search(raw.body)), None)
    if hint:
        return AmbiguousResponse(f"{where}: {hint.kind}. {hint.remedy}")
    return AmbiguousResponse(f"{where}: the response was truncated after {len(raw.body)} bytes")


def _redirect_error(where: str, target: str, hints: Sequence[PageHint]) -> UnexpectedPage:
    host = re.sub(r"^https?://([^/?#]*).*$", r"\1", target)
    hint = next((hint for hint in hints if hint.host and host.endswith(hint.host)), None)
    if hint:
        return UnexpectedPage(f"{where}: {hint.kind} (redirected to {hint.host}). {hint.remedy}")
    shown = host if target.startswith("http") else target.split("?", 1)[0]
    return UnexpectedPage(
        f"{where}: redirected to {cleaned(shown, limit=200) or 'nowhere'}, which is not followed. {SIGN_IN_PAGE.remedy}"
    )


def _find_hint(raw: RawResponse, hints: Sequence[PageHint]) -> PageHint:
    return next(hint for hint in (*hints, *COMMON_PAGES) if not hint.in_json and hint.pattern.search(raw.body))


def _text(raw: RawResponse) -> str:
    return raw.body[:MAX_TEXT].decode(errors="replace")


def _page_error(where: str, raw: RawResponse, page: PageHint) -> UnexpectedPage:
    content_type = raw.headers.get("content-type", "no content type").split(";", 1)[0]
    return UnexpectedPage(
        f"{where} returned {cleaned(content_type, limit=200)} instead of JSON: {page.kind}. {page.remedy}"
    )
