# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback server to talk to, a clock without real waiting, and a process without caches of the last test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow import (
    auth,
    batch,
    change_api,
    store,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.pages import INSTANCE_PAGES
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport import (
    http_session,
    polling,
    retry,
    session,
    token_cache,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session, Settings
from tests.unit.plugins.module_utils.loopback import Loopback

ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Clock:
    """The product's `time`: sleeping only moves the hands, and every nap is noted."""

    def __init__(self) -> None:
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.naps)

    def time(self) -> float:
        return time.time() + sum(self.naps)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)

    def passes(self, seconds: float) -> None:
        """Let time pass outside the product."""
        self.naps.append(seconds)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the product sees."""
    shown = Clock()
    for module in (session, retry, polling, token_cache, store, batch, auth):
        monkeypatch.setattr(module, "time", shown)
    return shown


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connections, tokens or environment left over from anything before."""
    http_session._sessions.clear()
    auth.TOKENS.clear()
    batch._without_batch.clear()
    change_api._absent.clear()
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server with the responses that the test sets."""
    with Loopback.started() as running:
        yield running


@pytest.fixture
def context() -> TaskContext:
    """The run at hand."""
    return TaskContext()


@pytest.fixture
def connected(server: Loopback, context: TaskContext) -> Callable[..., Session]:
    """Return a session with the server; arguments are transport settings."""

    def connect(base_url: str = "", **settings: Any) -> Session:
        return Session(base_url or server.url, Settings(**settings), context, page_hints=INSTANCE_PAGES)

    return connect
