# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that can be injected into a simulated service.

A fault occurs before the request is processed (`before`), after its effects are stored (`after`), or damages the
delivery of the response. `rate` 1 means always; `count` ends a fault after that number of occurrences.

See docs/facts/servicenow_platform.md#limits, docs/facts/servicenow_platform.md#cancelled-transactions,
docs/facts/servicenow_platform.md#pages-instead-of-json, docs/facts/servicenow_platform.md#write-safety.
"""

from __future__ import annotations

import fnmatch
import gzip
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import html_pages
from .settings import SettingError, read
from .web import Call, Reply, html_reply, json_reply

# How the server damages the delivery of a response.
RESET = "reset"
CLOSE_EARLY = "close-early"
DRIP = "drip"
BOMB_BYTES = 40 * 1024 * 1024
"""Decoded size of what `gzip-bomb` and `huge` deliver."""
DEEP_LEVELS = 100_000


@dataclass(slots=True)
class Fault:
    """One fault. `path` is a pattern such as `/api/now/table/*`; `inner` matches requests inside a batch instead."""

    kind: str = ""
    rate: float = 1.0
    count: int | None = None
    method: str = ""
    path: str = ""
    seconds: float = 1.0
    """Seconds that `slow` lasts, that `Retry-After` returns, after which a `late-commit` takes effect, or between bytes."""
    inner: bool = False

    def applies(self, call: Call) -> bool:
        """Whether the fault matches the request and is not used up."""
        return (
            self.count != 0
            and self.inner == call.inner
            and (not self.method or self.method.upper() == call.method)
            and (not self.path or fnmatch.fnmatchcase(call.path, self.path))
        )


def read_fault(data: Mapping[str, Any] | Fault) -> Fault:
    """Read a fault from its JSON form; raises SettingError if it is invalid."""
    if isinstance(data, Fault):
        return data
    fault = read(Fault, data, "fault")
    if fault.kind not in KINDS:
        raise SettingError(f"unknown fault kind {fault.kind!r}; known: {', '.join(sorted(KINDS))}")
    if not 0 <= fault.rate <= 1:
        raise SettingError("fault.rate must lie between 0 and 1")
    return fault


def draw(faults: list[Fault], call: Call, chance: random.Random) -> Fault | None:
    """Pick the fault, if any, that applies to a request."""
    for fault in faults:
        if fault.applies(call) and (fault.rate >= 1 or chance.random() < fault.rate):
            if fault.count is not None:
                fault.count -= 1
            return fault
    return None


def apply(fault: Fault, call: Call, work: Callable[[Call], Reply]) -> Reply:
    """Answer a request with a fault; `work` produces the healthy response and has effects."""
    spoilt = apply_before(fault, call)
    return spoilt if spoilt is not None else apply_after(fault, work(call))


def apply_before(fault: Fault, call: Call) -> Reply | None:
    """The response of a fault that prevents the service from processing the request."""
    before = KINDS[fault.kind][0]
    return before(fault, call) if before is not None else None


def apply_after(fault: Fault, reply: Reply) -> Reply:
    """The response that a fault turns a completed response into."""
    after = KINDS[fault.kind][1]
    return after(fault, reply) if after is not None else reply


def _throttled(fault: Fault, _call: Call) -> Reply:
    detail = "Rate limit of 1000 requests per hour for Table API exceeded"
    reply = json_reply(429, {"error": {"message": "Rate limit exceeded", "detail": detail}, "status": "failure"})
    wait = max(0, round(fault.seconds))
    reply.headers["Retry-After"] = str(wait)
    reply.headers["X-RateLimit-Limit"] = "1000"
    reply.headers["X-RateLimit-Reset"] = str(int(time.time()) + wait)
    reply.headers["X-RateLimit-Rule"] = "4f6a1d0bc3a1030041a5b6b8d340ddc2"
    return reply


def _server_error(_fault: Fault, _call: Call) -> Reply:
    return json_reply(500, {"error": {"message": "Internal Server Error", "detail": None}, "status": "failure"})


def _error_after(_fault: Fault, reply: Reply) -> Reply:
    return _server_error(Fault(), Call("", "", {}, "")) if reply.status < 400 else reply


def _gateway_timeout(_fault: Fault, _call: Call) -> Reply:
    return html_reply(504, html_pages.UNAVAILABLE)


def _reset_before(_fault: Fault, _call: Call) -> Reply:
    return Reply(damage=RESET)


def _reset_after(_fault: Fault, reply: Reply) -> Reply:
    reply.damage = RESET
    return reply


def _cut(_fault: Fault, reply: Reply) -> Reply:
    if reply.status == 200:
        reply.body = reply.body[: len(reply.body) // 2]
    return reply


def _cut_connection(_fault: Fault, reply: Reply) -> Reply:
    reply.damage = CLOSE_EARLY
    return reply


def _cancelled(_fault: Fault, reply: Reply) -> Reply:
    # A cancelled transaction returns the output written so far, followed by the error object
    # (docs/facts/servicenow_platform.md#cancelled-transactions).
    if reply.status == 200:
        message = "Transaction cancelled: maximum execution time exceeded"
        error = {"message": message, "detail": f"{message}. Check logs for error trace."}
        tail = json.dumps({"error": error, "status": "failure"})[1:]
        reply.body = reply.body[: len(reply.body) * 2 // 3] + b'"\n],' + tail.encode()
    return reply


def _wrong_type(_fault: Fault, reply: Reply) -> Reply:
    reply.headers["Content-Type"] = "text/plain;charset=UTF-8"
    return reply


def _drip(fault: Fault, reply: Reply) -> Reply:
    reply.damage, reply.pause = DRIP, fault.seconds
    return reply


def _filled(size: int) -> bytes:
    """JSON of about `size` bytes with many small values, which take far more memory than their text."""
    return b'{"result":[' + b"{}," * (size // 3) + b"{}]}"


def _huge(_fault: Fault, reply: Reply) -> Reply:
    if reply.status == 200:
        reply.body = _filled(BOMB_BYTES)
    return reply


def _many(_fault: Fault, reply: Reply) -> Reply:
    if reply.status == 200:
        reply.body = _filled(BOMB_BYTES // 3)
    return reply


@cache
def _bomb() -> bytes:
    return gzip.compress(_filled(BOMB_BYTES), 1)


def _gzip_bomb(_fault: Fault, reply: Reply) -> Reply:
    if reply.status == 200:
        reply.body = _bomb()
        reply.headers["Content-Encoding"] = "gzip"
    return reply


def _deep(_fault: Fault, reply: Reply) -> Reply:
    if reply.status == 200:
        reply.body = b'{"result":' + b"[" * DEEP_LEVELS + b"]" * DEEP_LEVELS + b"}"
    return reply


def _endless_pause(fault: Fault, call: Call) -> Reply:
    reply = _throttled(fault, call)
    reply.headers["Retry-After"] = "99999999"
    return reply


def _page(status: int, page: str) -> Callable[[Fault, Call], Reply]:
    return lambda _fault, _call: html_reply(status, page)


def _redirect(target: str) -> Callable[[Fault, Call], Reply]:
    def answer(_fault: Fault, call: Call) -> Reply:
        return html_reply(302, "", {"Location": target if "://" in target else call.base + target})

    return answer


_Before = Callable[[Fault, Call], Reply]
_After = Callable[[Fault, Reply], Reply]
# The request has effects after its response: the time-out of a gateway does not end the transaction behind it.
LATE = "late-commit"
KINDS: dict[str, tuple[_Before | None, _After | None]] = {
    "429": (_throttled, None),
    "429-forever": (_endless_pause, None),
    "429-bare": (lambda _fault, _call: Reply(429), None),
    "500": (_server_error, None),
    "500-after-commit": (None, _error_after),
    "502": (_page(502, html_pages.BAD_GATEWAY), None),
    "503": (_page(503, html_pages.UNAVAILABLE), None),
    "truncated": (None, _cut),
    "truncated-early": (None, _cut_connection),
    "transaction-cancelled": (None, _cancelled),
    "hibernating": (_page(200, html_pages.HIBERNATING), None),
    "wake-redirect": (_redirect("https://developer.servicenow.com/dev.do#!/home?wu=true"), None),
    "login-page": (_page(200, html_pages.LOGIN), None),
    "login-redirect": (_redirect("/login.do"), None),
    "slow": (None, None),
    "late-commit": (_gateway_timeout, None),
    "reset": (_reset_before, None),
    "reset-after-commit": (None, _reset_after),
    "wrong-content-type": (None, _wrong_type),
    "drip": (None, _drip),
    "huge": (None, _huge),
    "many": (None, _many),
    "gzip-bomb": (None, _gzip_bomb),
    "deep": (None, _deep),
}
