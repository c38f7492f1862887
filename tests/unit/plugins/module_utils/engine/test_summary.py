# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentence that a run returns as `msg`."""

from __future__ import annotations

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import (
    CHANGED,
    CREATE,
    DELETE,
    OK,
    PERFORM,
    UPDATE,
    Plan,
    Write,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.summary import (
    Outcome,
    outcomes_of,
    summarize,
)


@pytest.mark.parametrize(
    ("outcomes", "manual_steps", "sentence"),
    [
        ({}, 0, "no objects"),
        ({"user a": "in sync"}, 0, "user a in sync"),
        ({"user a": "created"}, 0, "created user a"),
        ({"user a": "would delete"}, 0, "would delete user a"),
        ({"property x": "needs elevation"}, 1, "needs elevation: property x; 1 manual step"),
        ({"a": "in sync", "b": "in sync"}, 0, "2 objects in sync"),
        ({"a": "in sync", "b": "created", "c": "updated"}, 0, "1 of 3 objects in sync; created b; updated c"),
        ({**dict.fromkeys("abcd", "updated"), "e": "refused"}, 2, "0 of 5 objects in sync; updated 4; refused: e; 2 manual steps"),
    ],
)  # fmt: skip
def test_objects_are_counted_and_changes_are_named(outcomes: dict[str, str], manual_steps: int, sentence: str) -> None:
    verbs = ("created", "updated", "would delete")
    found = [Outcome(label, what, is_action=what in verbs) for label, what in outcomes.items()]
    assert summarize("acme-prod", found, manual_steps) == f"acme-prod: {sentence}"


def what(
    plan: Plan, *statuses: tuple[str, str], unwritten: tuple[str, ...] = (), check_mode: bool = False
) -> list[str]:
    return [outcome.what for outcome in outcomes_of(plan, statuses, unwritten, check_mode=check_mode)]


@pytest.mark.parametrize(("check_mode", "said"), [(False, "created"), (True, "would create")])
def test_a_new_row_with_its_secret_and_its_roles_is_created(check_mode: bool, said: str) -> None:
    writes = [Write(CREATE, "t", "user a"), Write(UPDATE, "t", "user a", secret=True)]
    writes.append(Write(CREATE, "m2m", "user a: itil", is_join_row=True))
    assert what(Plan("user a", writes=writes), ("user a", CHANGED), check_mode=check_mode) == [said]


def test_a_changed_list_of_roles_is_an_update() -> None:
    plan = Plan("user a", writes=[Write(DELETE, "m2m", "user a: itil", is_join_row=True)])
    assert what(plan, ("user a", CHANGED)) == ["updated"]


@pytest.mark.parametrize(("check_mode", "verb"), [(False, "activated"), (True, "would activate")])
def test_an_operation_has_a_verb_of_its_own(check_mode: bool, verb: str) -> None:
    write = Write(PERFORM, "v_plugin", "plugin com.x", outcome={"object": "plugin com.x"})
    plan = Plan("plugins", bulk=True, writes=[write], performs=("activate", "activated"))
    assert what(plan, ("plugin com.x", CHANGED), check_mode=check_mode) == [verb]


def test_each_object_of_many_has_its_own_outcome() -> None:
    outcomes = [{"object": name} for name in "abcd"]
    writes = [Write(CREATE, "t", "a", outcome=outcomes[0]), Write(UPDATE, "t", "b", outcome=outcomes[1])]
    plan = Plan("things", bulk=True, writes=writes, in_sync_statuses=(OK, "granted"))
    plan.add_drift("x", 1, 2)
    statuses = (("a", CHANGED), ("b", CHANGED), ("c", "granted"), ("d", "not_entitled"), ("things", OK))
    assert what(plan, *statuses) == ["created", "updated", "in sync", "not entitled", "differs"]
