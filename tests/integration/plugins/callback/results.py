# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes every task result to the file that TEST_RESULTS_FILE names, one JSON line each.

Beside it stands what the task asked of the simulated instance of the host's name: the callback runs in the parent, which
hands out the next task of a host only afterwards.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: results
type: aggregate
short_description: Write task results as JSON lines
description: For tests only.
"""

Counts = dict[str, dict[str, int]]


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core declares no types
    """Collects what tests assert on."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results"

    def __init__(self) -> None:
        super().__init__()
        handler = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
        self._seen: dict[str, Counts] = {}

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

    def _write(self, status: str, result: Any) -> None:
        host = result._host.get_name()
        line = {
            "host": host,
            "task": result._task.get_name(),
            "status": status,
            "result": result._result,
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
        with self._opener.open(f"{os.environ['TEST_SANDBOX_URL']}/_sandbox/requests", timeout=30) as answer:
            instances: dict[str, Counts] = json.load(answer)["instances"]
        return instances
