# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a browser's recording of its traffic (HAR 1.2): the parts of requests and responses that a contract needs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ...engine.errors import InvalidInput

JSON, FORM, NONE, OTHER = "json", "form", "none", "other"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Shorter values (a language, a flag) occur in many places and are not secrets.
MIN_SECRET_LENGTH = 8


@dataclass(frozen=True)
class Exchange:
    """One request and its response. `body` and `response` are decoded; `kind` is the format of the body."""

    index: int
    method: str
    url: str
    headers: Mapping[str, str]
    kind: str
    body: Any
    raw: str
    status: int
    response: Any
    started: float | None
    secrets: frozenset[str] = field(default_factory=frozenset, repr=False)

    @property
    def host(self) -> str:
        """Scheme and host."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path, the only part of an address that messages may show."""
        return urlsplit(self.url).path

    @property
    def writes(self) -> bool:
        """Whether the method may change something."""
        return self.method not in READING

    @property
    def succeeded(self) -> bool:
        """Whether the status is a success."""
        return 200 <= self.status < 300


def read_har(text: str) -> list[Exchange]:
    """Return the exchanges of a HAR by start time. Raises `InvalidInput` if `text` is not a HAR."""
    try:
        entries = json.loads(text)["log"]["entries"]
        if not isinstance(entries, list):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(
            "not a HAR file: log.entries is missing. Export it with 'Save all as HAR with content' of the browser's developer tools"
        ) from None
    found = [_exchange(entry) for entry in entries if isinstance(entry, Mapping)]
    ordered = sorted((one for one in found if one), key=lambda one: one.started or 0.0)
    return [Exchange(**{**vars(one), "index": index}) for index, one in enumerate(ordered)]


def _exchange(entry: Mapping[str, Any]) -> Exchange | None:
    request, response = _mapping(entry.get("request")), _mapping(entry.get("response"))
    url = request.get("url")
    if not isinstance(url, str) or not urlsplit(url).netloc:
        return None
    headers = {str(h["name"]).lower(): str(h.get("value", "")) for h in _list(request.get("headers")) if "name" in h}
    kind, body, raw = _body(_mapping(request.get("postData")))
    return Exchange(
        index=0,
        method=str(request.get("method", "GET")).upper(),
        url=url,
        headers=headers,
        kind=kind,
        body=body,
        raw=raw,
        status=int(response.get("status") or 0),
        response=_response(_mapping(response.get("content"))),
        started=_timestamp(entry.get("startedDateTime")),
        secrets=frozenset(_secrets(headers, request, response)),
    )


def _body(data: Mapping[str, Any]) -> tuple[str, Any, str]:
    raw = str(data.get("text") or "")
    if "x-www-form-urlencoded" in str(data.get("mimeType", "")):
        pairs = [(str(p.get("name", "")), str(p.get("value", ""))) for p in _list(data.get("params"))]
        return FORM, dict(parse_qsl(raw, keep_blank_values=True) if raw else pairs), raw
    if not raw:
        return (OTHER, None, json.dumps(data["params"])) if data.get("params") else (NONE, None, "")
    try:
        return JSON, json.loads(raw), raw
    except ValueError:
        return OTHER, None, raw


def _response(content: Mapping[str, Any]) -> Any:
    text = str(content.get("text") or "")
    try:
        return json.loads(base64.b64decode(text) if content.get("encoding") == "base64" else text)
    except ValueError:
        return None


def _secrets(headers: Mapping[str, str], request: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[str]:
    """Yield the credentials of the session: values of cookies and of headers that carry tokens."""
    cookies = [*_list(request.get("cookies")), *_list(response.get("cookies"))]
    values = [str(cookie.get("value", "")) for cookie in cookies]
    values += [part.partition("=")[2] for part in headers.get("cookie", "").split("; ")]
    values += [value.rpartition(" ")[2] for name, value in headers.items() if name == "authorization" or is_xsrf(name)]
    yield from (value for value in values if len(value) >= MIN_SECRET_LENGTH)


def is_xsrf(header: str) -> bool:
    """Return whether a header carries the token against cross-site request forgery."""
    return "xsrf" in header.lower() or "csrf" in header.lower()


def _timestamp(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def leaves(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield every scalar in `node` with its path of keys and positions."""
    if isinstance(node, Mapping):
        for key, item in node.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(node, list):
        for position, item in enumerate(node):
            yield from leaves(item, (*path, position))
    else:
        yield path, node
