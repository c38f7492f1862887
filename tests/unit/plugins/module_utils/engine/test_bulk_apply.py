# SPDX-License-Identifier: GPL-3.0-or-later
"""Many writes in one round trip: as safe as one by one.

See docs/facts/servicenow_platform.md#write-safety, docs/facts/servicenow_platform.md#batch-api.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    AlreadyExists,
    EngineError,
    Refused,
    UnclearOutcome,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import ManualStep
from tests.unit.plugins.module_utils.fake_bulk_store import TABLE, BatchPlatform, Things
from tests.unit.plugins.module_utils.fake_store import Interrupted, Platform


def named(count: int, kind: str = "a") -> dict[str, str]:
    return {f"t{number}": kind for number in range(count)}


def kinds(platform: Platform) -> dict[str, str]:
    rows = platform.tables[TABLE].values()
    assert max(Counter(row["u_name"] for row in rows).values(), default=1) == 1, "something is there twice"
    return {row["u_name"]: row["u_kind"] for row in rows}


def statuses(output: dict[str, Any]) -> dict[str, str]:
    return {entry["object"].removeprefix("thing "): entry["status"] for entry in output["results"]}


def test_independent_writes_go_out_together() -> None:
    platform = BatchPlatform(most=4)
    platform.add(TABLE, u_name="t0", u_kind="old")
    result = platform.ensure(Things(named(10)))
    assert kinds(platform) == named(10)
    assert platform.batches == [4, 4, 2]
    assert platform.progress == [(4, 10, "things"), (8, 10, "things"), (10, 10, "things")]
    assert set(statuses(result.output).values()) == {"changed"}
    assert not platform.ensure(Things(named(10))).changed


def test_a_store_without_batches_is_written_one_by_one() -> None:
    platform = Platform()
    assert platform.ensure(Things(named(3))).changed
    assert kinds(platform) == named(3)


def test_check_mode_sends_nothing() -> None:
    platform = BatchPlatform()
    assert platform.ensure(Things(named(3)), check=True).changed
    assert platform.batches == platform.turns == []


def test_creates_wait_for_their_turn_and_changes_do_not() -> None:
    platform = BatchPlatform(most=2)
    platform.ensure(Things(named(4)))
    assert platform.turns == [(0, 2), (2, 4)], "other runs get theirs in between"
    platform.ensure(Things(named(4, "b")))
    assert len(platform.turns) == 2


def test_what_another_run_created_meanwhile_is_not_created_again() -> None:
    platform = BatchPlatform()
    platform.before_turn = lambda: platform.add(TABLE, u_name="t1", u_kind="a") and None
    result = platform.ensure(Things(named(3)))
    assert kinds(platform) == named(3)
    assert statuses(result.output) == {"t0": "changed", "t1": "ok", "t2": "changed"}


def test_what_another_run_created_otherwise_is_brought_to_our_description() -> None:
    platform = BatchPlatform()
    platform.before_turn = lambda: platform.add(TABLE, u_name="t1", u_kind="theirs") and None
    result = platform.ensure(Things(named(2)))
    assert kinds(platform) == named(2)
    assert statuses(result.output) == {"t0": "changed", "t1": "changed"}


def test_a_run_that_finds_everything_done_by_another_changes_nothing() -> None:
    platform = BatchPlatform()

    def other() -> None:
        for name in ("t0", "t1"):
            platform.add(TABLE, u_name=name, u_kind="a")

    platform.before_turn = other
    assert not platform.ensure(Things(named(2))).changed
    assert platform.batches == []


@given(st.dictionaries(st.integers(0, 40), st.sampled_from(["lost", "committed"])), st.integers(1, 12))
def test_lost_responses_never_cause_duplicates(faults: dict[int, str], most: int) -> None:
    platform = BatchPlatform(most=most, create_attempts=50)
    platform.faults = dict(faults)
    result = platform.ensure(Things(named(12)))
    assert kinds(platform) == named(12)
    assert set(statuses(result.output).values()) == {"changed"}


@given(st.integers(0, 15), st.sampled_from(["before", "after"]), st.integers(1, 8))
def test_an_interrupted_run_is_finished_by_the_next_one(number: int, fault: str, most: int) -> None:
    platform = BatchPlatform(most=most)
    for name in ("t0", "t3", "t5"):
        platform.add(TABLE, u_name=name, u_kind="old")
    platform.faults = {number: fault}
    try:
        platform.ensure(Things(named(12)))
    except Interrupted:
        platform.ensure(Things(named(12)))
    assert kinds(platform) == named(12)


def test_all_unclear_writes_are_searched_with_one_request() -> None:
    platform = BatchPlatform()
    platform.faults = {1: "lost", 2: "committed", 4: "lost"}
    platform.ensure(Things(named(5)))
    first, turn, *lookups, last = platform.reads
    lookup, *again = lookups
    assert first == last
    assert again == [lookup] * 4, "a late commit is waited for before anything is created again"
    assert turn[0].values == first[0].values
    (question,) = lookup
    assert question.values == ("t1", "t2", "t4")
    assert platform.batches == [5, 2], "only what is not there is sent again"


def test_an_unclear_change_that_was_made_is_not_made_again() -> None:
    platform = BatchPlatform()
    for name in named(3):
        platform.add(TABLE, u_name=name, u_kind="old")
    platform.faults = {0: "committed", 1: "lost"}
    platform.ensure(Things(named(3)))
    assert platform.batches == [3, 1]
    assert kinds(platform) == named(3)


def with_rows(**options: Any) -> BatchPlatform:
    platform = BatchPlatform(**options)
    for name in named(3):
        platform.add(TABLE, u_name=name, u_kind="old")
    return platform


NONE = dict.fromkeys(named(3))


def test_deletes_go_out_together() -> None:
    platform = with_rows()
    result = platform.ensure(Things(NONE))
    assert kinds(platform) == {}
    assert platform.batches == [3]
    assert set(statuses(result.output).values()) == {"changed"}
    assert not platform.ensure(Things(NONE)).changed


def test_an_unclear_delete_is_sent_again_only_while_the_row_is_there() -> None:
    platform = with_rows()
    platform.faults = {0: "committed", 1: "lost"}
    result = platform.ensure(Things(NONE))
    assert kinds(platform) == {}
    assert platform.batches == [3, 1]
    assert set(statuses(result.output).values()) == {"changed"}


def test_a_delete_without_effect_ends_the_run() -> None:
    platform = with_rows()
    platform.ignores.add((TABLE, ""))
    with pytest.raises(
        EngineError, match="accepted the update but returned a different value: thing t0: kind is 'old'"
    ):
        platform.ensure(Things(NONE, ManualStep("x", "Delete it", "reason", "there", {})))


def test_a_delete_answered_with_not_found_is_refused_while_the_row_is_there() -> None:
    platform = with_rows()
    platform.not_found[TABLE] = "No Record found"
    with pytest.raises(Refused, match="refused to delete thing t0, which is still there: DELETE u_thing -> 404"):
        platform.ensure(Things(NONE))


def test_a_refused_delete_is_a_manual_step() -> None:
    platform = with_rows()
    platform.faults = {1: "refused"}
    result = platform.ensure(Things(NONE, ManualStep("x", "Delete it", "reason", "there", {})))
    assert statuses(result.output) == {"t0": "changed", "t1": "manual", "t2": "changed"}
    (step,) = result.manual_steps
    assert "refused to write thing t1" in step.reason


def test_one_refusal_does_not_stop_the_others() -> None:
    platform = BatchPlatform()
    platform.faults = {1: "refused"}
    result = platform.ensure(Things(named(3)))
    assert statuses(result.output) == {"t0": "changed", "t1": "refused", "t2": "changed"}
    assert result.changed
    assert any("refused to write thing t1" in warning for warning in platform.warnings)


def test_all_refused_is_a_failure_that_reports_everything_once() -> None:
    platform = BatchPlatform()
    platform.faults = dict.fromkeys(range(30), "refused")
    with pytest.raises(EngineError, match="30 were refused; see results. The first: .*thing t0") as caught:
        platform.ensure(Things(named(30)))
    assert set(statuses(caught.value.output).values()) == {"refused"}


def test_what_has_no_api_becomes_a_manual_step() -> None:
    platform = BatchPlatform()
    platform.faults = {0: "refused"}
    step = ManualStep("thing", "Make the thing", "", "somewhere", {})
    result = platform.ensure(Things(named(2), step))
    assert statuses(result.output) == {"t0": "manual", "t1": "changed"}
    (reported,) = result.manual_steps
    assert reported.reason == "acme-dev refused to write thing t0"


def test_a_value_that_was_not_kept_is_reported_with_its_object_and_the_others_continue() -> None:
    platform = BatchPlatform()
    platform.add(TABLE, u_name="t0", u_kind="a")
    real = platform.create

    def create(write: Any, values: Any) -> Any:
        return real(write, {**values, "u_kind": "other"} if values["u_name"] == "t1" else values)

    platform.create = create  # type: ignore[method-assign]
    result = platform.ensure(Things(named(3)))
    assert statuses(result.output) == {"t0": "ok", "t1": "refused", "t2": "changed"}
    assert "returned a different value: thing t1: kind is 'other', not 'a'" in result.output["results"][1]["reason"]


def test_what_exists_already_was_created_by_another_run() -> None:
    platform = BatchPlatform()

    def create(write: Any, values: Any) -> Any:
        platform.add(TABLE, **values)
        raise AlreadyExists("duplicate key")

    platform.create = create  # type: ignore[method-assign]
    result = platform.ensure(Things(named(2)))
    assert not result.changed
    assert kinds(platform) == named(2)


def test_what_is_declared_but_missing_is_refused() -> None:
    platform = BatchPlatform()
    refusals = [AlreadyExists("acme-dev: duplicate key")]
    real = platform.create

    def create(write: Any, values: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return real(write, values)

    platform.create = create  # type: ignore[method-assign]
    result = platform.ensure(Things(named(2)))
    assert statuses(result.output) == {"t0": "refused", "t1": "changed"}


def test_one_that_never_comes_through_fails_the_run_after_the_others() -> None:
    platform = BatchPlatform()
    real = platform.create

    def create(write: Any, values: Any) -> Any:
        if values["u_name"] == "t1":
            raise UnclearOutcome("whether thing t1 was created is unclear")
        return real(write, values)

    platform.create = create  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="whether thing t1 was created is unclear") as caught:
        platform.ensure(Things(named(3)))
    assert statuses(caught.value.output) == {"t0": "changed", "t1": "failed", "t2": "changed"}


def test_a_platform_that_is_gone_ends_the_run_with_its_first_part() -> None:
    platform = BatchPlatform(most=3)
    platform.faults = dict.fromkeys(range(100), "lost")
    with pytest.raises(UnclearOutcome):
        platform.ensure(Things(named(9)))
    assert platform.batches == [3] * platform.create_attempts


def test_a_failure_that_is_none_of_these_ends_the_run() -> None:
    platform = BatchPlatform()

    def create(write: Any, values: Any) -> Any:
        raise EngineError("a defect")

    platform.create = create  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="a defect"):
        platform.ensure(Things(named(2)))


def test_a_refusal_ends_the_run_where_no_outcome_can_take_it() -> None:
    platform = Platform()
    platform.faults = {0: "refused"}
    things = Things({"t0": "a"})
    plan = things.plan

    def without_outcome(snapshot: Any, secrets: Any) -> Any:
        made = plan(snapshot, secrets)
        for write in made.writes:
            write.outcome = None
        return made

    things.plan = without_outcome  # type: ignore[method-assign]
    with pytest.raises(Refused):
        platform.ensure(things)
