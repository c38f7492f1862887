# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of an object, run twice: by modules in the worker process, and by ordinary ones.

Each step is a task that is run in check mode, for real, and once more. Check mode must predict the real run and
write nothing, the third run has to find nothing to do, and both ways to run have to give the same results and to leave
the same rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.integration.instances import Instance
from tests.integration.playbooks import READING, SHELLS, Done, Playbooks, Run, Task

PREDICTED = ("drift", "diff", "manual_steps", "changed")
DIFFERS = (
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"), "<id>"),
    # Hashes of payloads of update sets, which contain ids.
    (re.compile(r"(?<=payload_hash>)-?\d+|(?<=<id>:)-?\d+"), "<hash>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ?"), "<time>"),
    (re.compile(r"\$(SHA256|KMF)\$[^\"]+"), "<encrypted>"),
    (re.compile(r"(after|next one in) [\d.]+ s"), "<seconds>"),
    (re.compile(r"\(transaction [0-9a-f]+\)"), "<transaction>"),
)


def predicted_and_done(step: Task) -> list[Task]:
    """Return the tasks of one step: in check mode, for real, and again."""
    name = step["name"]
    return [
        {**step, "name": f"{name}: check", "check_mode": True, "diff": True},
        {**step, "name": f"{name}: real", "diff": True},
        {**step, "name": f"{name}: again", "diff": True},
    ]


def assert_predicted(run: Run, name: str) -> None:
    """Check the three tasks of a step against each other and against their requests to the instance."""
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert predicted.changed, f"{name} predicts no change: {predicted.result}"
    assert not predicted.writes, f"{name} wrote in check mode: {predicted.writes}"
    assert real.writes, f"{name} wrote nothing"
    assert_counted(real)
    for key in PREDICTED:
        assert predicted.result.get(key) == real.result.get(key), f"{name} does not predict {key}"
    assert not again.changed, f"{name} is not in sync:  {again['drift']}"
    assert bool(again["drift"]) == bool(again["manual_steps"]), "what is left are manual steps"
    assert not again.writes


def assert_counted(done: Done) -> None:
    """Check that a task returns how many requests it sent, and how many of them could change something.

    A batch is one request, and a write when it carries any; how many of them did is not counted by the instance.
    """
    reported = done["api_calls"]
    alone = {route: count for route, count in done.requests.items() if not route.startswith(READING)}
    assert reported["read"] + reported["write"] == sum(done.requests.values())
    if alone == done.writes:
        assert reported["write"] == sum(alone.values())
    else:
        batches = done.requests["POST /api/now/v1/batch"]
        assert sum(alone.values()) < reported["write"] <= sum(alone.values()) + batches


def run_lifecycle(
    playbook: Playbooks,
    new_instance: Callable[..., Instance],
    *steps: Task,
    **knobs: Any,
) -> tuple[Run, Instance]:
    """Run the steps on two fresh instances, in-process and by ordinary modules; return the in-process run.

    `knobs` are those of the instances.
    """
    lives = []
    for shell in SHELLS:
        instance = new_instance(**knobs)
        run = playbook([each for step in steps for each in predicted_and_done(step)], instance, shell=shell).went_well()
        for step in steps:
            assert_predicted(run, step["name"])
        lives.append((run, instance))
    assert_alike(*lives)
    return lives[0]


def assert_alike(one: tuple[Run, Instance], other: tuple[Run, Instance]) -> None:
    """Check that two runs of the same tasks on two instances gave the same results and left the same rows."""
    (here, this), (there, that) = one, other
    for left, right in zip(here.done, there.done, strict=True):
        assert comparable(left.result, this) == comparable(right.result, that), left.task
    assert comparable_rows(this) == comparable_rows(that)


def comparable(value: Any, instance: Instance) -> Any:
    """Return `value` without what differs between any two instances and runs: ids, times, addresses."""
    text = json.dumps(value, sort_keys=True).replace(instance.name, "<instance>")
    for pattern, replacement in DIFFERS:
        text = pattern.sub(replacement, text)
    return json.loads(text)


def comparable_rows(instance: Instance, leave_out: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Return all rows of an instance in a form that can be compared with those of another, but for some columns."""
    tables = {
        table: [{name: value for name, value in row.items() if name not in leave_out} for row in rows]
        for table, rows in instance.content().items()
    }
    return {
        table: sorted(json.dumps(row, sort_keys=True) for row in rows)
        for table, rows in comparable(tables, instance).items()
    }
