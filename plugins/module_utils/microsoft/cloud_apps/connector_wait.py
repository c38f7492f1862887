# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconciles connectors and waits until they are in sync."""

from __future__ import annotations

import math

from ...engine.errors import EngineError
from ...engine.plan import CREATE, DELETE, UPDATE
from ...engine.reconcile import NeverWrite, reconcile, take_snapshot
from ...engine.result import ManualStep, Result
from ...engine.summary import DONE, IN_SYNC, PLANNED, Outcome, summarize
from ...transport.polling import ProgressLine, Wait, poll
from ..collection_store import CollectionStore
from .connector_entry import STATUSES
from .connector_errors import remedy_for
from .connector_health import ERROR
from .connectors import Connectors

# Consecutive reads that must show an error: the first one can be outdated.
CONFIRMATIONS = 2
MAX_SHOWN = 5
ACTIONS = {"create": CREATE, "delete": DELETE}


def connect_instances(store: CollectionStore, connectors: Connectors, waiting: Wait) -> Result:
    """Bring `connectors` to their desired state.

    Raises `EngineError` when waiting timed out, when a connector that was written stays in error, or when some were left because of
    their name. Its `output` is the result so far.
    """
    try:
        result = reconcile(store, connectors)
    except EngineError as error:
        # Which of them have accepted what was sent is not known.
        for row in error.output.get("results") or []:
            row.pop("accepted", None)
        raise
    waits = waiting.wanted and not store.check_mode
    if waits and connectors.awaited_names() and not connectors.refused:
        for step in result.manual_steps:
            store.context.progress(render_step(step))
        result.manual_steps = _wait(store, connectors, waiting)
    result.msg = _summary(store, connectors, result.manual_steps)
    connectors.keep_new_records(written=not store.check_mode)
    result.output = {
        "results": list(connectors.outcomes.values()),
        "problems": [problem.as_dict() for problem in connectors.problems],
    }
    for problem in connectors.problems:
        store.warn(f"{problem.message}. {problem.remedy}")
    if connectors.refusals:
        # What was done for the others is the output.
        raise EngineError("; ".join(connectors.refusals.values()), result.as_dict(with_diff=False))
    if waits:
        _fail_if_open(store, connectors, waiting, result)
    return result


def _wait(store: CollectionStore, connectors: Connectors, waiting: Wait) -> list[ManualStep]:
    """Poll until every connector is in sync or failed, or time is up; return the remaining manual steps."""
    failures: dict[str, int] = {}
    last_line = ""
    # A line is shown when the status changes, not at intervals.
    progress = ProgressLine(store.context.progress, math.inf)
    polls = poll(waiting.timeout, waiting.interval, progress, lambda _seconds: "", max_interval=waiting.interval)
    while True:
        steps = connectors.plan(take_snapshot(store, connectors), NeverWrite()).manual_steps
        failed = connectors.failed_names()
        failures = {name: failures.get(name, 0) + 1 for name in failed}
        undecided = [name for name in connectors.awaited_names() if failures.get(name, 0) < CONFIRMATIONS]
        line = _progress_line(store, connectors)
        if line != last_line:
            progress.show(line)
            last_line = line
        if not undecided or next(polls, None) is None:
            return steps


def _progress_line(store: CollectionStore, connectors: Connectors) -> str:
    open_names = connectors.open_names()
    done = len(connectors.entries) - len(open_names)
    shown = ", ".join(f"{name}: {connectors.outcomes[name]['status']}" for name in open_names[:MAX_SHOWN])
    more = f" and {len(open_names) - MAX_SHOWN} more" if len(open_names) > MAX_SHOWN else ""
    left = f"; {shown}{more}" if open_names else ""
    return f"{store.name}: {done} of {len(connectors.entries)} connectors in sync{left}"


def render_step(step: ManualStep) -> str:
    """Return a manual step as one line."""
    values = "; ".join(f"{label}: {value}" for label, value in step.values.items())
    secrets = "".join(f"; {label}: (secret)" for label in step.secret_values)
    return f"To do: {step.title}. {step.where}. {values}{secrets}"


def _summary(store: CollectionStore, connectors: Connectors, steps: list[ManualStep]) -> str:
    open_names, failed = connectors.open_names(), connectors.failed_names()
    words = PLANNED if store.check_mode else DONE
    outcomes = []
    for name, outcome in connectors.outcomes.items():
        what = outcome["status"] if name in open_names else IN_SYNC
        written = name in connectors.written or name in connectors.switched
        is_action = written and (store.check_mode or name not in failed)
        if is_action:
            what = words[ACTIONS.get(connectors.written.get(name, ""), UPDATE)]
        outcomes.append(Outcome(outcome["object"], what, is_action=is_action))
    return summarize(store.name, outcomes, len(steps))


def _fail_if_open(store: CollectionStore, connectors: Connectors, waiting: Wait, result: Result) -> None:
    parts = []
    for name in connectors.awaited_names():
        outcome = connectors.outcomes[name]
        if outcome["status"] == ERROR:
            words = outcome["message"] or "no message"
            parts.append(f"connector {name} stays in error: {words}. {remedy_for(words)}")
        else:
            wanted = STATUSES[connectors.entries[name]["state"]]
            parts.append(f"connector {name} is {outcome['status']}, not {wanted}, after {waiting.limit}")
    if parts:
        raise EngineError(f"{store.name}: {'; '.join(parts)}", result.as_dict(with_diff=False))
