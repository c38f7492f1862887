# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes in groups: after each the sign-in of the caller is tested, and a group that locks the caller out is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import EngineError
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import (
    CREATE,
    UPDATE,
    Plan,
    Resource,
    Write,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import Reconciler
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Drift
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.rollback import AccessLost
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import PlannedId, Query
from tests.unit.plugins.module_utils.fake_store import Platform


@dataclass
class Things(Resource):
    """Rows of `u_thing` by name: their wanted note, and the group that each is written in."""

    wanted: dict[str, tuple[str, int]]
    label: str = "things"

    def reads(self) -> list[Query]:
        return [Query("u_thing", "u_name", tuple(self.wanted), ("sys_id", "u_name", "u_note"))]

    def plan(self, snapshot: Any, secrets: Any) -> Plan:
        plan = Plan(self.label, bulk=True)
        for name, (note, stage) in self.wanted.items():
            rows = snapshot.rows("u_thing", "u_name", name)
            if rows and rows[0]["u_note"] == note:
                continue
            label, planned_id = f"thing {name}", PlannedId("u_thing", "u_name", name)
            plan.drift.append(Drift(label, "u_note", rows[0]["u_note"] if rows else None, note))
            if rows:
                undo = {"u_note": rows[0]["u_note"]}
                plan.writes.append(
                    Write(UPDATE, "u_thing", label, {"u_note": note}, rows[0]["sys_id"], stage, undo=undo)
                )
            else:
                values = {"u_name": name, "u_note": note}
                write = Write(
                    CREATE, "u_thing", label, values, stage=stage, identity={"u_name": name}, planned_id=planned_id
                )
                plan.writes.append(write)
        return plan


@dataclass
class Door:
    """Accepts the sign-in of the caller until a note closes it."""

    platform: Platform
    opened: bool = True
    log: list[str] = field(default_factory=list)

    def before(self) -> None:
        self.log.append("before")
        self.check()

    def wrote(self, done: int, total: int) -> None:
        self.log.append(f"{done}/{total}")

    def check(self) -> None:
        self.log.append("check")
        if not self.opened or any(row["u_note"] == "closed" for row in self.platform.tables["u_thing"].values()):
            raise AccessLost("401 User Not Authenticated")

    @contextmanager
    def rescue(self) -> Iterator[None]:
        self.log.append("rescue")
        yield


@pytest.fixture
def platform() -> Platform:
    made = Platform()
    for name in "abc":
        made.add("u_thing", u_name=name, u_note="old")
    return made


def ensure(platform: Platform, door: Door, **wanted: tuple[str, int]) -> Any:
    return Reconciler(platform, [Things(wanted)], door).run()


def notes(platform: Platform) -> dict[str, str]:
    return {row["u_name"]: row["u_note"] for row in platform.tables["u_thing"].values()}


def test_the_sign_in_is_tried_before_the_first_write_and_after_each_group(platform: Platform) -> None:
    door = Door(platform)
    assert ensure(platform, door, a=("new", 1), b=("new", 1), c=("new", 2)).changed
    assert door.log == ["before", "check", "1/3", "2/3", "check", "3/3", "check"]
    assert set(notes(platform).values()) == {"new"}


def test_a_caller_without_sign_in_writes_nothing(platform: Platform) -> None:
    with pytest.raises(AccessLost):
        ensure(platform, Door(platform, opened=False), a=("new", 1))
    assert platform.log == []


def test_the_group_that_locks_the_caller_out_is_rolled_back_and_those_before_it_stay(platform: Platform) -> None:
    door = Door(platform)
    with pytest.raises(EngineError) as caught:
        ensure(platform, door, a=("new", 1), b=("closed", 2), d=("made", 2), c=("never", 3))
    assert notes(platform) == {"a": "new", "b": "old", "c": "old"}
    assert "rescue" in door.log
    message = str(caught.value)
    assert "no longer signs in. 401 User Not Authenticated" in message
    assert "Rolled back: thing d, thing b" in message
    assert "The sign-in works again" in message
    assert "Written before and kept: thing a" in message
    assert caught.value.output == {"rolled_back": ["thing d", "thing b"], "not_rolled_back": []}


def test_what_cannot_be_restored_is_named(platform: Platform) -> None:
    platform.faults = {1: "refused"}
    with pytest.raises(
        EngineError, match="NOT rolled back: thing b: acme-dev refused to write thing b. Do it manually"
    ) as caught:
        ensure(platform, Door(platform), b=("closed", 1))
    assert "The sign-in still fails" in str(caught.value)


def test_a_failure_that_locked_no_one_out_is_reported_as_it_is(platform: Platform) -> None:
    platform.faults = {1: "refused"}
    with pytest.raises(EngineError, match="refused to write thing b"):
        ensure(platform, Door(platform), a=("new", 1), b=("new", 1))
    assert notes(platform)["a"] == "new"


def test_check_mode_sends_no_request(platform: Platform) -> None:
    platform.check_mode, door = True, Door(platform)
    assert ensure(platform, door, a=("new", 1)).changed
    assert door.log == []


def test_a_row_of_another_run_is_neither_created_nor_rolled_back(platform: Platform) -> None:
    door = Door(platform)
    before = door.before

    def while_the_door_is_tried() -> None:
        before()
        platform.add("u_thing", u_name="d", u_note="theirs")

    door.before = while_the_door_is_tried  # type: ignore[method-assign]
    with pytest.raises(EngineError):
        ensure(platform, door, b=("closed", 1), d=("ours", 1))
    assert notes(platform)["d"] == "theirs"
    assert "create u_thing" not in platform.verbs
