# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTP server on this machine with the responses that a test sets, also faulty ones."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer. `cut`: send that many bytes of the body, then hang up. `dropped`: hang up without a word."""

    status: int = 200
    body: bytes = b'{"result": []}'
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    dropped: bool = False
    wait: float = 0


def answer(data: Any = None, status: int = 200, **headers: str) -> Reply:
    """Return a reply with `data` as JSON (no body for None); `retry_after="3"` is the header Retry-After."""
    sent = {"Content-Type": "application/json;charset=UTF-8"} if data is not None else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(data).encode() if data is not None else b"", sent)


def page(text: str, status: int = 200) -> Reply:
    """Return a reply with an HTML page."""
    return Reply(status, f"<html><body>{text}</body></html>".encode(), {"Content-Type": "text/html;charset=UTF-8"})


def failure(status: int, message: str = "", detail: str | None = None, **headers: str) -> Reply:
    """Return an error of the platform (docs/facts/servicenow_platform.md#errors)."""
    return answer({"error": {"message": message, "detail": detail}, "status": "failure"}, status, **headers)


def rows(*found: dict[str, str], total: int | None = None) -> Reply:
    """Return an answer of the Table API with `found`."""
    return answer({"result": list(found)}, **({} if total is None else {"X_Total_Count": str(total)}))


OK = rows()
DROPPED = Reply(dropped=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for headers and body
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.owner.connections += 1

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(
            self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body
        )
        self.server.owner.received.append(received)
        self._reply(self.server.owner.next_reply(received))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _handle

    def _reply(self, reply: Reply) -> None:
        if reply.wait:
            self.server.owner.over.wait(reply.wait)
        if reply.dropped:
            # No lingering: the client sees a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: reply.cut])
        self.close_connection = self.close_connection or reply.cut is not None

    def log_message(self, *_args: Any) -> None:
        """Be quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: Loopback

    def handle_error(self, *_args: Any) -> None:
        """Be quiet: a client that hangs up is part of the test."""


class Loopback:
    """The server: `answers()` sets the next responses, `received` holds what arrived, over how many `connections`."""

    def __init__(self, server: _Server, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        self.received: list[Received] = []
        self.connections = 0
        self.over = threading.Event()
        self._script: list[Reply] = []
        self._answered_by: Callable[[Received], Reply] | None = None

    @classmethod
    @contextmanager
    def started(cls, certificate: tuple[str, str] | None = None) -> Iterator[Loopback]:
        """Serve for the time of a block; with a `certificate` (file, key file) over TLS."""
        server = _Server(("127.0.0.1", 0), _Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        running = server.owner = cls(server, "https" if certificate else "http")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.over.set()
            server.shutdown()
            server.server_close()

    def answers(self, *replies: Reply) -> None:
        """Answer with `replies`, one by one; the last one again and again."""
        self._script, self._answered_by = list(replies), None

    def answers_by(self, function: Callable[[Received], Reply]) -> None:
        """Answer each request with what `function` makes of it."""
        self._answered_by = function

    def next_reply(self, received: Received) -> Reply:
        if self._answered_by:
            return self._answered_by(received)
        if not self._script:
            return OK
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    @property
    def lines(self) -> list[str]:
        """What arrived, as `METHOD path`."""
        return [f"{request.method} {request.path}" for request in self.received]
