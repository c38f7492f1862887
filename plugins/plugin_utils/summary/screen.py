# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback `summary` prints: equal lines of several hosts once, and a failure that a summary has named not again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

COUNTS = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
SHOWN = {"failures": "failed"}
# Of a message, as much as the summary of a playbook shows.
COMPARED = 400
MAX_FAILURE = 160


class Screen:
    """Collects the lines of one task until the next one starts.

    A long failure is shortened, as the summary of a playbook has it again; what none had by the end is printed then.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[str, list[str]]] = {}
        self._shortened: list[tuple[str, list[str], str]] = []
        self._printed = ""

    def note(self, word: str, host: str, text: str, task: str = "") -> None:
        """Keep a line of a host; `word` is failed or unreachable, "" for a message, and `task` what failed."""
        if not (word and self._was_printed(text)):
            self._kept.setdefault((word, text), (task, []))[1].append(host)

    def take(self) -> Iterator[tuple[str, list[str], str]]:
        """Yield word, hosts and text of each line, and forget them."""
        kept, self._kept = self._kept, {}
        for (word, text), (task, hosts) in kept.items():
            if not word:
                self._printed += " ".join(text.split()) + "\n"
            elif len(text) > MAX_FAILURE:
                self._shortened.append((word, hosts, text))
                text = f"{text[:MAX_FAILURE]}..."
            yield word, hosts, f"{task}: {text}" if task else text

    def rest(self) -> Iterator[tuple[str, list[str], str]]:
        """Yield the failures of which no message had more than `take` has yielded, and forget them."""
        shortened, self._shortened = self._shortened, []
        yield from (each for each in shortened if not self._was_printed(each[2]))

    def _was_printed(self, text: str) -> bool:
        return " ".join(text.split())[:COMPARED] in self._printed


def texts_of(result: Mapping[str, Any], *, looped: bool = False, failed: bool = False) -> Iterator[str]:
    """Yield the messages of a result, or of the items of its loop; of a failed loop those of the items that failed."""
    items = result.get("results") if looped else None
    if not isinstance(items, list):
        items = [result]
    for item in items:
        if not isinstance(item, Mapping) or item.get("skipped") or item.get("_ansible_no_log"):
            continue
        if not failed or item.get("failed") or item.get("unreachable") or len(items) == 1:
            yield _text(item, failed=failed)


def _text(item: Mapping[str, Any], *, failed: bool) -> str:
    if failed:
        return " ".join(str(item.get("msg") or "no reason was given").split())
    if "msg" in item:
        value = item["msg"]
    else:  # the option var of debug: the variable is the only key of its own
        own = {
            key: each
            for key, each in item.items()
            if not key.startswith("_ansible") and key not in ("changed", "failed", "item")
        }
        value = next(iter(own.values())) if len(own) == 1 else own
    lines = value if isinstance(value, list) else [value]
    return "\n".join(each if isinstance(each, str) else json.dumps(each, default=str) for each in lines)


def counted(hosts: int, total: Mapping[str, int]) -> str:
    """Return the counts of a run in one line; skipped, rescued and ignored tasks are what a playbook expects."""
    wanted = ("ok", "changed", "failures", "unreachable")
    numbers = ", ".join(f"{total[key]} {SHOWN.get(key, key)}" for key in wanted)
    return f"{hosts} {'host' if hosts == 1 else 'hosts'}: {numbers}"
