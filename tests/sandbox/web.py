# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers as the simulated services see them, free of the HTTP server."""

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
    the root of every link it hands out. `certificate_name` is the common name of a client certificate that the server
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
    """False where nobody will see the headers of the answer."""
    _query: dict[str, str] | None = field(default=None, repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query string, the last value of each."""
        if self._query is None:
            self._query = dict(parse_qsl(self.query_text, keep_blank_values=True)) if self.query_text else {}
        return self._query

    def use_query(self, text: str) -> None:
        """Take the parameters from elsewhere; `query_text` stays what was sent."""
        self._query = dict(parse_qsl(text, keep_blank_values=True))

    def flag(self, name: str) -> bool:
        """Tell whether a query parameter is set to true."""
        return self.query.get(name, "").lower() == "true"


@dataclass(slots=True)
class Reply:
    """One answer. `damage` asks the server to spoil its delivery: see `faults`.

    An answer that has to call out first comes as `pending`, and nothing else of it counts.
    """

    status: int = 200
    body: bytes = b""
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    damage: str = ""
    pending: Awaitable[Reply] | None = None


class Service(Protocol):
    """What the server needs to know of a service: a ServiceNow instance, or a part of the Microsoft tenant."""

    name: str

    @property
    def latency(self) -> float:
        """Seconds that each answer takes."""

    @property
    def faults(self) -> list[Fault]:
        """The faults of this service alone."""

    @property
    def chance(self) -> Random:
        """What decides whether a fault of this service happens."""

    def route(self, path: str) -> str:
        """Name the route of a path for the request counters, without identifiers."""

    def answer(self, call: Call) -> Reply:
        """Answer one request."""


def json_reply(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """Make an answer with a JSON body."""
    reply = Reply(status, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))
    reply.headers["Content-Type"] = JSON_TYPE
    if headers:
        reply.headers.extend(headers)
    return reply


def html_reply(status: int, page: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Make an answer with an HTML body."""
    reply = Reply(status, page.encode())
    reply.headers["Content-Type"] = HTML_TYPE
    if headers:
        reply.headers.extend(headers)
    return reply
