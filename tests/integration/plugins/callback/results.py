# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes every task result to the file that TEST_RESULTS_FILE names, one JSON line each.

Next to it is what the task requested of the simulated instance of the host's name: the callback runs in the parent, which
hands out the next task of a host only afterwards.
"""

from __future__ import annotations

import json
import os
import ssl
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from ansible.plugins.callback import CallbackBase

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.loop_items import (
    FAILED,
    SKIPPED,
    LoopItems,
)

DOCUMENTATION = r"""
name: results
type: aggregate
short_description: Write task results as JSON lines
description: For tests only.
"""

Counts = dict[str, dict[str, int]]


def connection_to(url: str) -> HTTPConnection:
    """Return a connection that stays open."""
    address = urlsplit(url)
    if address.scheme == "https":
        return HTTPSConnection(address.netloc, timeout=30, context=ssl._create_unverified_context())
    return HTTPConnection(address.netloc, timeout=30)


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core declares no types
    """Collects what tests assert on."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results"

    def __init__(self) -> None:
        super().__init__()
        self._connection = connection_to(os.environ["TEST_SANDBOX_URL"])
        self._seen: dict[str, Counts] = {}
        self._items = LoopItems()

    def v2_playbook_on_start(self, playbook: Any) -> None:
        for name, counts in self._counts().items():
            self._seen[name] = counts

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._write("unreachable", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._write("skipped", result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._items.note(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._items.note(result, FAILED)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._items.note(result, SKIPPED)

    def _write(self, status: str, result: Any) -> None:
        host = result._host.get_name()
        line = {
            "host": host,
            "task": result._task.get_name(),
            "status": status,
            "result": self._items.marked(result),
            "requests": self._asked_by(host),
        }
        with open(os.environ["TEST_RESULTS_FILE"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def _asked_by(self, host: str) -> Counts:
        """Return how often each route was called since the host's last task, outside batches and inside."""
        now = self._counts().get(host, {"routes": {}, "inner": {}})
        before = self._seen.get(host, {"routes": {}, "inner": {}})
        self._seen[host] = now
        return {
            kind: {name: count - before[kind].get(name, 0) for name, count in now[kind].items() if count != before[kind].get(name, 0)}
            for kind in ("routes", "inner")
        }  # fmt: skip

    def _counts(self) -> dict[str, Counts]:
        try:
            return self._read_counts()
        except ConnectionError:
            # It was idle for too long.
            self._connection.close()
            return self._read_counts()

    def _read_counts(self) -> dict[str, Counts]:
        self._connection.request("GET", "/_sandbox/requests")
        instances: dict[str, Counts] = json.load(self._connection.getresponse())["instances"]
        return instances
