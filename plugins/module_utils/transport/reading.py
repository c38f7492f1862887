# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a response within limits of time and size.

The timeout of a socket counts from byte to byte, so a server that sends one byte now and then would hold a task for ever; and
a small compressed body can decode to one that exhausts the memory.
"""

from __future__ import annotations

import os
import threading
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import SHUT_RDWR
from typing import Any

from .errors import AmbiguousResponse, EndlessResponse
from .words import cleaned

# A batch of ServiceNow has up to 10 MB (docs/facts/servicenow_platform.md#batch-api), pages of the other platforms have less.
MAX_BODY_BYTES = 12 * 1024 * 1024
CHUNK_BYTES = 16 * 1024
# How the body of a response may be compressed, as zlib calls it, and what is asked for.
WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
ENCODINGS = "gzip"

# The open connections of this process; a task has one request under way at a time.
_connections: weakref.WeakSet[Any] = weakref.WeakSet()


class Tracked:
    """A connection of urllib3 that the deadline can end. A fork inherits those of its parent, which it must not end."""

    process = 0

    def connect(self) -> Any:
        """Connect, and become known to the deadline."""
        connected = super().connect()  # type: ignore[misc]
        self.process = os.getpid()
        _connections.add(self)
        return connected


def track(manager: Any) -> Any:
    """Let the connections of a urllib3 pool manager be tracked; return the manager."""
    manager.pool_classes_by_scheme = {
        scheme: type(
            f"Tracked{pool.__name__}",
            (pool,),
            {"ConnectionCls": type(f"Tracked{pool.ConnectionCls.__name__}", (Tracked, pool.ConnectionCls), {})},
        )
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


@dataclass
class Deadline:
    """The time within which a response has to be complete; `passed` when it was not."""

    seconds: float
    passed: bool = False
    _over: bool = field(default=False, repr=False)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Shut the connections down when the block lasts longer than the deadline."""
        timer = threading.Timer(self.seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            self._over = True
            timer.cancel()

    def _end(self) -> None:
        if self._over:
            return
        self.passed = True
        for connection in list(_connections):
            sock = getattr(connection, "sock", None)
            if sock is not None and connection.process == os.getpid():
                with suppress(OSError):
                    sock.shutdown(SHUT_RDWR)


def read_body(response: Any, where: str) -> bytearray:
    """Return the decoded body of a streamed `response`; raise `EndlessResponse` for one that exceeds the limit."""
    body = bytearray()
    for part in _decoded(response, where):
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise EndlessResponse(
                f"{where}: the response is larger than {MAX_BODY_BYTES // 1024**2} MB. Check the address and the proxy"
            )
    return body


def _decoded(response: Any, where: str) -> Iterator[bytes]:
    """Yield the parts of a body, each of a size that was chosen here: a packed part can hold a million times its own size."""
    name = "".join(response.headers.get("Content-Encoding", "").lower().split())
    if name in ("", "identity"):
        yield from response.iter_content(CHUNK_BYTES)
        return
    if name not in WINDOWS:
        raise AmbiguousResponse(
            f"{where}: the response is compressed as {cleaned(name, limit=40)}, which was not asked for. Check the address and the proxy"
        )
    unpacker = zlib.decompressobj(WINDOWS[name])
    # What is left of the body is read as it is.
    response.raw.headers.pop("Content-Encoding")
    try:
        for packed in response.iter_content(CHUNK_BYTES):
            while packed:
                yield unpacker.decompress(packed, CHUNK_BYTES)
                packed = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise AmbiguousResponse(f"{where}: the response cannot be decompressed ({error})") from None
