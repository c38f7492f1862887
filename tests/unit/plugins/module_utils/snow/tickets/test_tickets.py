# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets on an instance in memory: runs may overlap or break off, one open ticket is kept for each key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    InvalidInput,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.reconcile import Reconciler
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Result
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.tickets.choices import Choices
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.tickets.ticket_types import TYPES
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.tickets.tickets import Tickets
from tests.unit.plugins.module_utils import fake_store as memory
from tests.unit.plugins.module_utils.fake_bulk_store import BatchPlatform
from tests.unit.plugins.module_utils.fake_store import Interrupted

URL = "https://acme-prod.service-now.com"
TABLES: dict[str, dict[str, str]] = {
    "incident": {
        "number": "", "correlation_id": "", "correlation_display": "", "state": "1", "active": "true", "close_code": "",
        "close_notes": "", "short_description": "", "description": "", "impact": "3", "urgency": "3",
        "assignment_group": "", "assigned_to": "", "caller_id": "", "sys_created_on": "",
    },
    "sys_choice": {"name": "", "element": "", "value": "", "label": "", "sequence": "", "language": "en", "inactive": "false"},
    "sys_user_group": {"name": ""},
}  # fmt: skip


@dataclass
class Desk(BatchPlatform):
    """An instance with incidents. No run requests a sys_id, as it is not known whether that is honored."""

    def create(self, write: Any, values: Any) -> Any:
        assert "sys_id" not in values
        return super().create(write, values)

    def _insert(self, table: str, values: Any, creator: str, mod_count: str) -> str:
        row_id = super()._insert(table, values, creator, mod_count)
        row = self.tables[table][row_id]
        if table == "incident":
            row.update(number=f"INC{int(row_id, 16):07d}", sys_created_on=f"2026-01-01 00:00:{int(row_id, 16):09d}")
        return row_id


@pytest.fixture(autouse=True)
def _incidents(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, columns in TABLES.items():
        monkeypatch.setitem(memory.COLUMNS, name, columns)


def desired(count: int, **more: Any) -> list[dict[str, Any]]:
    common = {"type": "incident", "state": "open", "reopen": False, **more}
    return [{**common, "correlation_id": f"k{number}", "short_description": f"T {number}"} for number in range(count)]


def run(desk: Desk, entries: list[dict[str, Any]], check: bool = False) -> Result:
    desk.check_mode = check
    return Reconciler(desk, [Tickets(entries, URL)]).run()


def open_ones(desk: Desk) -> Counter[str]:
    return Counter(row["correlation_id"] for row in desk.tables["incident"].values() if row["state"] == "1")


COUNT = 6
WANTED = Counter({f"k{number}": 1 for number in range(COUNT)})


@given(st.integers(0, COUNT - 1), st.integers(1, COUNT), st.booleans())
def test_runs_on_two_machines_leave_one_open_ticket_for_each_key(number: int, most: int, same: bool) -> None:
    for name, columns in TABLES.items():
        memory.COLUMNS.setdefault(name, columns)
    desk = Desk(most=most)
    others: list[Result] = []
    real = desk.create

    def create(write: Any, values: Any) -> Any:
        # The other run does all of its work after we looked and before we create.
        if len(desk.log) == number and not others:
            others.append(Result())
            others[0] = run(desk, desired(COUNT, description="" if same else "theirs"))
        return real(write, values)

    desk.create = create  # type: ignore[method-assign]
    ours = run(desk, desired(COUNT))
    assert open_ones(desk) == WANTED
    stay = {row["number"] for row in desk.tables["incident"].values() if row["state"] == "1"}
    assert {entry["number"] for entry in ours.output["results"]} == stay
    canceled = [row for row in desk.tables["incident"].values() if row["state"] == "8"]
    assert all(row["close_notes"].split()[2].rstrip(":") in stay for row in canceled)
    assert not run(desk, desired(COUNT)).changed


@given(st.integers(0, COUNT), st.sampled_from(["before", "after", "lost", "committed"]), st.integers(1, COUNT))
def test_a_run_that_breaks_off_is_finished_by_the_next_one(number: int, fault: str, most: int) -> None:
    for name, columns in TABLES.items():
        memory.COLUMNS.setdefault(name, columns)
    desk = Desk(most=most)
    desk.faults = {number: fault}
    try:
        run(desk, desired(COUNT))
    except Interrupted:
        run(desk, desired(COUNT))
    assert open_ones(desk) == WANTED
    assert len(desk.tables["incident"]) == COUNT


def touched(desk: Desk, **values: str) -> dict[str, str]:
    """Put a second ticket with the key k0 there, as another run of ours would have made it, but for `values`."""
    ours = {"correlation_id": "k0", "correlation_display": "Microsoft Defender for Cloud", "short_description": "T 0"}
    row_id = desk.add("incident", **ours)
    row = desk.tables["incident"][row_id]
    row.update({"sys_created_by": "svc_ansible", "sys_mod_count": "0", **values})
    return row


@pytest.mark.parametrize(
    "values",
    [{"sys_mod_count": "1"}, {"sys_created_by": "somebody"}, {"correlation_display": "Another source"}],
    ids=str,
)
def test_two_possibly_foreign_tickets_are_both_named(values: dict[str, str]) -> None:
    desk = Desk()
    run(desk, desired(1))
    other = touched(desk, **values)
    with pytest.raises(InvalidInput, match="2 open tickets have the key of incident k0: .*None was changed") as caught:
        run(desk, desired(1))
    assert other["number"] in str(caught.value)
    assert len(desk.log) == 1


def test_a_duplicate_that_another_user_changed_is_reported_and_kept() -> None:
    desk = Desk()
    real = desk.create

    def create(write: Any, values: Any) -> Any:
        row = real(write, values)
        touched(desk, sys_mod_count="1")
        return row

    desk.create = create  # type: ignore[method-assign]
    result = run(desk, desired(1))
    assert result.output["results"][0]["status"] == "changed"
    assert any("2 open tickets have the key of incident k0" in warning for warning in desk.warnings)


def test_the_other_run_may_cancel_the_duplicate_first() -> None:
    desk = Desk()
    run(desk, desired(1))
    duplicate = touched(desk)

    def update(write: Any, row_id: str, values: Any) -> None:
        duplicate["state"] = "8"
        raise memory.Refused(f"{desk.name} refused to change {write.label}: read-only")

    desk.create_attempts = 1
    desk.update = update  # type: ignore[method-assign]
    real_reads, looks = desk.read, [0]

    def read(reads: Any) -> Any:
        looks[0] += 1
        if looks[0] == 1:
            hidden = desk.tables["incident"].pop(duplicate["sys_id"])
            answers = real_reads(reads)
            desk.tables["incident"][duplicate["sys_id"]] = hidden
            return answers
        return real_reads(reads)

    desk.read = read  # type: ignore[method-assign]
    more = [*desired(1), {**desired(2)[1]}]
    result = run(desk, more)
    assert [entry["status"] for entry in result.output["results"]] == ["ok", "changed"]
    assert desk.warnings == []


def test_check_mode_predicts_numbers_as_empty() -> None:
    desk = Desk()
    result = run(desk, desired(1), check=True)
    assert result.output["results"] == [
        {
            "object": "incident k0",
            "type": "incident",
            "correlation_id": "k0",
            "status": "changed",
            "action": "created",
            "short_description": "T 0",
            "number": "",
            "sys_id": "",
            "link": "",
            "state": "open",
            "platform_state": "1",
        }
    ]
    assert desk.log == []


@pytest.mark.parametrize(
    ("table", "row", "state"),
    [
        ("incident", {"state": "3"}, "open"),
        ("incident", {"state": "6"}, "resolved"),
        ("incident", {"state": "20", "active": "false"}, "closed"),
        ("incident", {"state": "20", "active": "true"}, "open"),
        ("problem", {"state": "104"}, "open"),
        ("problem", {"state": "4"}, "closed"),
        ("problem", {"state": "107", "resolution_code": "canceled"}, "canceled"),
        ("change_request", {"state": "0"}, "open"),
        ("change_request", {"state": "-5"}, "open"),
        ("change_request", {"state": "3"}, "closed"),
        ("change_request", {"state": "4"}, "canceled"),
    ],
)
def test_states_have_the_same_words_for_all_types(table: str, row: dict[str, str], state: str) -> None:
    assert TYPES[table].state_of(row) == state


def choices(**lists: dict[str, str]) -> Choices:
    return Choices({tuple(name.split("__")): values for name, values in lists.items()})  # type: ignore[misc]


@pytest.mark.parametrize("said", ["1", "1 - High", "high", "HIGH"])
def test_a_choice_goes_by_value_label_or_word(said: str) -> None:
    known = choices(task__impact={"1": "1 - High", "2": "2 - Medium"})
    assert known.wire("incident", "impact", said, "incident k") == "1"


def test_the_choices_of_a_table_hide_those_it_inherits() -> None:
    known = choices(task__state={"1": "Open"}, incident__state={"1": "New"})
    assert known.label("incident", "state", "1") == "New"
    assert known.label("problem", "state", "1") == "Open"


def test_without_known_choices_words_have_their_usual_meaning() -> None:
    assert [Choices().wire("incident", "impact", word, "") for word in ("High", "low", "2")] == ["1", "3", "2"]


def test_only_a_change_request_has_a_template() -> None:
    with pytest.raises(InvalidInput, match="an? incident has no template"):
        Tickets(desired(1, template="Rotate a certificate"), URL)


def test_a_ticket_that_is_to_be_resolved_is_not_put_to_work() -> None:
    desk = Desk()
    run(desk, desired(1))
    resolved = run(desk, desired(1, begin=True, state="resolved"))
    assert [(entry.field, entry.after) for entry in resolved.drift if entry.field == "state"] == [("state", "resolved")]
