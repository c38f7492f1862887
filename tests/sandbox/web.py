# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and responses of the simulated services, independent of the HTTP server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from multidict import CIMultiDict

if TYPE_CHECKING:
    from random import Random

    from .faults import Fault

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"


@dataclass(slots=True)
class Call:
    """One request to a service.

    `path` starts with "/" and is relative to the service; `base` is the service's own URL without a trailing slash,
    the root of every link in its responses. `certificate_name` is the common name of a client certificate that the server
    has verified.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    base: str
    body: bytes = b""
    query_text: str = ""
    certificate_name: str | None = None
    inner: bool = False
    """Whether the request came inside a batch."""
    wants_headers: bool = True
    """False if the client will not receive the response headers."""
    _query: dict[str, str] | None = field(default=None, repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query string, the last value of each."""
        if self._query is None:
            self._query = dict(parse_qsl(self.query_text, keep_blank_values=True)) if self.query_text else {}
        return self._query

    def use_query(self, text: str) -> None:
        """Replace the parameters; `query_text` keeps the original query string."""
        self._query = dict(parse_qsl(text, keep_blank_values=True))

    def flag(self, name: str) -> bool:
        """Whether a query parameter is set to true."""
        return self.query.get(name, "").lower() == "true"


@dataclass(slots=True)
class Reply:
    """One response. `damage` makes the server damage its delivery, with `pause` seconds between bytes: see `faults`.

    A response that requires an outgoing call first is returned as `pending`; its other attributes are ignored.
    """

    status: int = 200
    body: bytes = b""
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    damage: str = ""
    pause: float = 0.0
    pending: Awaitable[Reply] | None = None


class Service(Protocol):
    """The interface of a service to the server: a ServiceNow instance, or the Microsoft tenant."""

    name: str

    @property
    def latency(self) -> float:
        """Seconds of delay before each response."""

    @property
    def faults(self) -> list[Fault]:
        """The faults of this service alone."""

    @property
    def chance(self) -> Random:
        """Random generator that decides whether a fault of this service occurs."""

    def route(self, path: str) -> str:
        """Name the route of a path for the request counters, without identifiers."""

    def answer(self, call: Call) -> Reply:
        """Answer one request."""


def json_reply(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """Build a response with a JSON body."""
    reply = Reply(status, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))
    reply.headers["Content-Type"] = JSON_TYPE
    if headers:
        reply.headers.extend(headers)
    return reply


def html_reply(status: int, page: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Build a response with an HTML body."""
    reply = Reply(status, page.encode())
    reply.headers["Content-Type"] = HTML_TYPE
    if headers:
        reply.headers.extend(headers)
    return reply
