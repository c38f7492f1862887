# SPDX-License-Identifier: GPL-3.0-or-later
"""From the described connectors to their end: plan, write where a contract lets us, wait, say what is left."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ...engine.errors import EngineError
from ...engine.reconcile import NeverWrite, reconcile
from ...engine.result import ManualStep, Result
from ...engine.snapshot import Snapshot
from ..collection_store import CollectionStore
from .connectors import WANTED, Connectors
from .connectors_api import ERROR, fix_of

# How often in a row a connector may say that it failed before that is believed: the first word can be a stale one.
CONFIRMATIONS = 2


@dataclass(frozen=True)
class Wait:
    """Whether and how long (seconds) to wait until connectors are as described, and how often to look."""

    wanted: bool
    timeout: float
    interval: float


def connect_instances(store: CollectionStore, connectors: Connectors, waiting: Wait) -> Result:
    """Bring `connectors` to their described state.

    Raises `EngineError` when waiting came to its end, or when one that was sent stays in error. What was found is in its
    `output`.
    """
    result = reconcile(store, connectors)
    if waiting.wanted and not store.check_mode and connectors.open_names():
        for step in result.manual_steps:
            store.context.progress(_told(step))
        result.manual_steps = _until_settled(store, connectors, waiting)
    result.output = {"results": list(connectors.outcomes.values()), "problems": connectors.problems}
    for problem in connectors.problems:
        store.warn(f"{problem['message']}. {problem['remedy']}")
    if waiting.wanted and not store.check_mode:
        _fail_if_open(store, connectors, waiting, result)
    return result


def _until_settled(store: CollectionStore, connectors: Connectors, waiting: Wait) -> list[ManualStep]:
    """Look again and again; return the steps that are still to be done at the end."""
    ends = time.monotonic() + waiting.timeout
    failures: dict[str, int] = {}
    last_line = ""
    while True:
        reads = connectors.reads()
        steps = connectors.plan(Snapshot.of(reads, store.read(reads)), NeverWrite()).manual_steps
        failed = connectors.failed_names()
        failures = {name: failures.get(name, 0) + 1 for name in failed}
        undecided = [name for name in connectors.open_names() if failures.get(name, 0) < CONFIRMATIONS]
        line = _line(store, connectors)
        if line != last_line:
            store.context.progress(line)
            last_line = line
        if not undecided or time.monotonic() + waiting.interval > ends:
            return steps
        time.sleep(waiting.interval)


def _line(store: CollectionStore, connectors: Connectors) -> str:
    open_names = connectors.open_names()
    done = len(connectors.entries) - len(open_names)
    shown = ", ".join(f"{name}: {connectors.outcomes[name]['status']}" for name in open_names[:5])
    more = f" and {len(open_names) - 5} more" if len(open_names) > 5 else ""
    left = f"; {shown}{more}" if open_names else ""
    return f"{store.name}: {done} of {len(connectors.entries)} connectors as described{left}"


def _told(step: ManualStep) -> str:
    values = "; ".join(f"{label}: {value}" for label, value in step.values.items())
    secrets = "".join(f"; {label}: (secret)" for label in step.secret_values)
    return f"To do: {step.title}. {step.where}. {values}{secrets}"


def _fail_if_open(store: CollectionStore, connectors: Connectors, waiting: Wait, result: Result) -> None:
    parts = []
    for name in connectors.open_names():
        outcome = connectors.outcomes[name]
        if outcome["status"] == ERROR:
            words = outcome["message"] or "no message"
            parts.append(f"connector {name} stays in error: {words}. {fix_of(words)}")
        else:
            wanted = WANTED[connectors.entries[name]["state"]]
            parts.append(
                f"connector {name} is {outcome['status']}, not {wanted}, after {waiting.timeout:g} s (option wait_timeout)"
            )
    if parts:
        raise EngineError(f"{store.name}: {'; '.join(parts)}", result.as_dict(with_diff=False))
