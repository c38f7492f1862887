# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a response within limits of time and size.

The timeout of a socket counts from byte to byte, so a server that sends one byte now and then would hold a task for ever; and
a small compressed body can decode to one that exhausts the memory.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import SHUT_RDWR
from typing import Any

from .errors import EndlessResponse

MAX_BODY_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 16 * 1024

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


def read_body(response: Any, where: str) -> bytes:
    """Return the decoded body of a streamed `response`; raise `EndlessResponse` for one that exceeds the limit."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(CHUNK_BYTES):
        parts.append(part)
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise EndlessResponse(
                f"{where}: the response is larger than {MAX_BODY_BYTES // 1024**2} MB. Check the address and the proxy"
            )
    return b"".join(parts)
