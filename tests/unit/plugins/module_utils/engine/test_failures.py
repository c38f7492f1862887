# SPDX-License-Identifier: GPL-3.0-or-later
"""A platform that is down or throttles has refused nothing: the run fails, and nothing is left to do manually."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    PlatformFailure,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import Reconciler
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import ManualStep
from tests.unit.plugins.module_utils.builders import role
from tests.unit.plugins.module_utils.fake_bulk_store import TABLE, BatchPlatform, Things
from tests.unit.plugins.module_utils.fake_store import Platform

STEP = ManualStep("thing", "Set the thing", "", "here", {})


class Guard:
    """Access that is never lost; `checks` counts how often that was verified."""

    checks = 0

    def before(self) -> None:
        pass

    def wrote(self, done: int, total: int) -> None:
        pass

    def check(self) -> None:
        self.checks += 1

    def rescue(self) -> Any:
        raise AssertionError("nothing is rolled back")


def things(count: int, kind: str) -> Things:
    return Things({f"t{number}": kind for number in range(count)}, STEP)


def failure_of(platform: Platform, resource: Things, *, guard: Any = None) -> dict[str, Any]:
    with pytest.raises(EngineError, match="failed to write") as caught:
        Reconciler(platform, [resource], guard).run()
    return caught.value.output


@pytest.mark.parametrize("make", [Platform, BatchPlatform])
@pytest.mark.parametrize("guard", [None, Guard()], ids=["without a guard", "in guarded batches"])
def test_one_failure_among_many_writes_fails_the_run_without_a_manual_step(make: Any, guard: Any) -> None:
    platform = make()
    platform.faults = {1: "failed"}
    output = failure_of(platform, things(3, "a"), guard=guard)
    assert [entry["status"] for entry in output["results"]] == ["changed", "failed", "changed"]
    assert output["manual_steps"] == []
    assert output["changed"] is True


@pytest.mark.parametrize("make", [Platform, BatchPlatform])
def test_a_platform_that_fails_every_write_is_not_called_again_and_again(make: Any) -> None:
    platform = make()
    platform.faults = dict.fromkeys(range(50), "failed")
    with pytest.raises(EngineError, match="503"):
        platform.ensure(things(6, "a"))
    assert isinstance(platform, BatchPlatform) or len(platform.log) == 2


def test_nothing_is_reported_as_changed_when_every_write_failed() -> None:
    platform = Platform(faults={0: "failed"})
    output = failure_of(platform, things(1, "a"))
    assert (output["changed"], output["manual_steps"]) == (False, [])


def test_a_refusal_with_a_manual_step_leaves_everything_unchanged() -> None:
    platform = Platform(faults={0: "refused"})
    result = platform.ensure(things(1, "a"))
    assert not result.changed
    assert [step.title for step in result.manual_steps] == ["Set the thing"]


def test_a_write_that_took_effect_in_spite_of_its_failure_counts_as_done() -> None:
    platform = Platform()
    platform.add(TABLE, u_name="t0", u_kind="old")
    update = platform.update

    def late(*arguments: Any) -> None:
        update(*arguments)
        raise PlatformFailure("acme-dev failed to write t0: timed out")

    platform.update = late  # type: ignore[method-assign]
    result = platform.ensure(things(1, "new"))
    assert result.changed
    assert result.output["results"][0]["status"] == "changed"


@pytest.mark.parametrize(("fault", "error"), [("failed", PlatformFailure), ("refused", Refused)])
def test_a_single_object_ends_with_the_error_itself(fault: str, error: type[EngineError]) -> None:
    with pytest.raises(error):
        Platform(faults={0: fault}).ensure(role("u_new"))
