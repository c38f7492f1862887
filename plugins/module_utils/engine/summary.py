# SPDX-License-Identifier: GPL-3.0-or-later
"""One sentence about what a run found and did: the `msg` of every module that manages objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .plan import CHANGED, CREATE, DELETE, OK, PERFORM, UPDATE, Plan
from .result import Drift

# Objects that one sentence names; of more it gives the number.
MAX_NAMES = 3
# Characters of a value that a message shows.
MAX_VALUE = 200
DONE = {CREATE: "created", UPDATE: "updated", DELETE: "deleted"}
PLANNED = {CREATE: "would create", UPDATE: "would update", DELETE: "would delete"}
IN_SYNC = "in sync"


@dataclass(frozen=True)
class Outcome:
    """The result for one object: "in sync", what was done to it, or its status. `is_action`: `what` is a verb."""

    label: str
    what: str
    is_action: bool = False


def outcomes_of(
    plan: Plan, statuses: Iterable[tuple[str, str]], unwritten: Iterable[str], *, check_mode: bool
) -> list[Outcome]:
    """Return the outcome of each object of a plan, from its `statuses` (object, status).

    `unwritten` are labels whose write was refused or was done by another run.
    """
    verbs = {
        **(PLANNED if check_mode else DONE),
        PERFORM: f"would {plan.performs[0]}" if check_mode else plan.performs[1],
    }
    actions = _actions(plan, frozenset(unwritten))
    drifted = {entry.object for entry in plan.drift}
    return [
        Outcome(label, verbs[actions.get(label, UPDATE)], is_action=True)
        if status == CHANGED
        else Outcome(label, _status(label, status, plan, drifted))
        for label, status in statuses
    ]


def _actions(plan: Plan, unwritten: frozenset[str]) -> dict[str, str]:
    """Return what is done to each object: creating or deleting it goes before updating it or creating a part of it."""
    actions: dict[str, str] = {}
    for write in plan.writes:
        if write.label in unwritten:
            continue
        label = plan.label
        if plan.bulk:
            label = str(write.outcome["object"]) if write.outcome else write.label
        is_part = write.is_join_row or write.label.startswith(f"{label}: ")
        action = UPDATE if is_part else write.action
        if actions.get(label, UPDATE) == UPDATE:
            actions[label] = action
    return actions


def _status(label: str, status: str, plan: Plan, drifted: set[str]) -> str:
    if status in plan.in_sync_statuses and (status != OK or label not in drifted):
        return IN_SYNC
    return "differs" if status == OK else status.replace("_", " ")


def summarize(name: str, outcomes: Sequence[Outcome], manual_steps: int = 0) -> str:
    """Return the sentence: how many objects of `name` are in sync, and by name what was done to the others."""
    left = [outcome for outcome in outcomes if outcome.what != IN_SYNC]
    parts = []
    if len(outcomes) == 1 and not left:
        parts.append(f"{outcomes[0].label} {IN_SYNC}")
    elif not left:
        parts.append(f"{len(outcomes)} objects {IN_SYNC}" if outcomes else "no objects")
    elif len(outcomes) > 1:
        parts.append(f"{len(outcomes) - len(left)} of {len(outcomes)} objects {IN_SYNC}")
    groups: dict[tuple[str, bool], list[str]] = {}
    for outcome in left:
        groups.setdefault((outcome.what, outcome.is_action), []).append(outcome.label)
    parts += [f"{what}{' ' if is_action else ': '}{_names(labels)}" for (what, is_action), labels in groups.items()]
    if manual_steps:
        parts.append(f"{manual_steps} manual step{'s' if manual_steps > 1 else ''}")
    return f"{name}: {'; '.join(parts)}"


def _names(labels: Sequence[str]) -> str:
    return ", ".join(labels) if len(labels) <= MAX_NAMES else str(len(labels))


def not_kept(entry: Drift) -> str:
    """Return what an object has after a write that the platform accepted, and what it was to have."""
    before, after = entry.before, entry.after
    is_long = isinstance(before, str) and isinstance(after, str) and len(after) > MAX_VALUE
    if is_long and before and after.startswith(before.rstrip()):
        return f"{entry.object}: {entry.field} was cut to {len(before)} of {len(after)} characters; shorten it"
    return f"{entry.object}: {entry.field} is {_shown(before)}, not {_shown(after)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 3]}..."
