# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run may write its plan, given a saved plan or change requests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.change_control.change import (
    change_gate,
    key_of,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.change_control.gate import (
    Gate,
    saved_plan_gate,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.change_control.run_plan import RunPlan

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=timezone.utc)
FLEET = {"acme-dev": "https://acme-dev.service-now.com"}
DRIFT = {"object": "user svc", "field": "roles", "before": [], "after": ["itil"]}
ACTIVE = {"object": "user svc", "field": "active", "before": False, "after": True}
PLAN = RunPlan.of("onboard", FLEET, [("acme-dev", DRIFT), ("acme-dev", ACTIVE)])
REST = RunPlan.of("onboard", FLEET, [("acme-dev", ACTIVE)])
OTHER = RunPlan.of("onboard", FLEET, [("acme-dev", {**DRIFT, "after": ["admin"]})])
EMPTY = RunPlan.of("onboard", FLEET, [])


def saved(found: RunPlan = PLAN, state: str = "planned", check_mode: bool = False, now: RunPlan = PLAN) -> Gate:
    return saved_plan_gate(now, "plan.json", found.document(state), check_mode=check_mode)


def at(**offset: float) -> str:
    return (NOW + timedelta(**offset)).strftime("%Y-%m-%d %H:%M:%S")


def change(found: RunPlan = PLAN, display: str = "planned", **columns: str) -> dict[str, str]:
    return {
        "sys_id": "1", "number": "CHG0000001", "correlation_id": key_of(found) + found.digest,
        "correlation_display": f"secops.servicenow_defender: {display}", "type": "normal", "state": "-2", "approval": "approved",
        "active": "true", "on_hold": "false", "start_date": at(hours=-1), "end_date": at(hours=1),
        "sys_created_on": at(days=-1), "implementation_plan": found.text(), "change_plan": "", **columns,
    }  # fmt: skip


def gate(*rows: dict[str, str], now: RunPlan = PLAN, check_mode: bool = False, **options: Any) -> Gate:
    return change_gate(now, rows, NOW, options, check_mode=check_mode)


def test_without_a_file_the_plan_is_saved() -> None:
    found = saved_plan_gate(PLAN, "plan.json", None, check_mode=False)
    assert (found.held, found.failed, found.action) == (True, False, "save")
    assert saved_plan_gate(PLAN, "plan.json", None, check_mode=True).action == ""
    assert saved_plan_gate(EMPTY, "plan.json", None, check_mode=False).action == ""


def test_exactly_the_saved_plan_is_applied() -> None:
    assert (saved().held, saved().action) == (False, "start")
    assert saved(check_mode=True).held
    assert saved(OTHER).failed
    assert 'roles): [] -> ["itil"], approved was [] -> ["admin"]' in saved(OTHER).message
    assert saved(now=EMPTY).message.startswith("nothing is left to change")
    assert not saved(now=EMPTY).failed


def test_only_an_interrupted_run_applies_the_rest_of_a_saved_plan() -> None:
    assert saved(state="planned", now=REST).failed
    assert saved(state="applied", now=REST).failed
    found = saved(state="applying", now=REST)
    assert (found.held, found.failed) == (False, False)
    assert found.done.startswith("the rest of the plan in plan.json was applied")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (RunPlan.of("offboard", FLEET, [("acme-dev", DRIFT)]), "is one of offboard, not of onboard"),
        (
            RunPlan.of("onboard", {"acme-dev": "https://x"}, [("acme-dev", DRIFT)]),
            "another fleet: it differs in acme-dev",
        ),
    ],
)
def test_a_plan_of_another_playbook_or_fleet_is_refused(other: RunPlan, words: str) -> None:
    assert words in saved(other).message
    assert saved(other).failed


def test_a_damaged_file_is_refused_in_one_sentence() -> None:
    found = saved_plan_gate(PLAN, "plan.json", "{", check_mode=False)
    assert found.failed
    assert found.message == (
        "the file plan.json is damaged: it is not JSON. Nothing was written. Remove it to save a new plan"
    )


def test_a_change_is_opened_once() -> None:
    found = gate()
    assert (found.held, found.failed, found.action) == (True, False, "open")
    assert found.ticket["correlation_id"] == key_of(PLAN) + PLAN.digest
    assert len(found.ticket["correlation_id"]) <= 98
    assert gate(check_mode=True).action == ""
    assert gate(now=EMPTY).action == ""
    assert gate(change()).action == "start"
    # One that was closed is of an earlier time.
    again = gate(change(state="3", active="false"))
    assert again.ticket["correlation_id"] == key_of(PLAN) + PLAN.digest + ":2"


NEW_ONE = {"state": "-5", "approval": "not requested"}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (NEW_ONE, NEW_ONE, "change CHG0000001 waits: it is not approved"),
        ({}, NEW_ONE, "change CHG0000001 waits: CHG0000002 has the same plan"),
        (NEW_ONE, {}, "change CHG0000002 waits: CHG0000001 has the same plan"),
        ({"approval": "rejected", "state": "-5"}, NEW_ONE, "change CHG0000001 was rejected"),
        ({"state": "4", "active": "false"}, NEW_ONE, "change CHG0000002 waits: it is not approved"),
    ],
)
def test_of_two_with_one_plan_the_approved_or_the_oldest_counts(
    first: dict[str, str], second: dict[str, str], words: str
) -> None:
    rows = change(**first), change(**second, sys_id="2", number="CHG0000002", sys_created_on=at(hours=-2))
    found = gate(*rows)
    assert found.held and not found.action
    assert found.message.startswith(words)
    canceled = {"state": "4", "active": "false"}
    for one, other in (({}, canceled), (canceled, {})):
        rows = change(**one), change(**other, sys_id="2", number="CHG0000002", sys_created_on=at(hours=-2))
        assert gate(*rows).action == "start"
    closed = change(state="3", active="false"), change(**NEW_ONE, number="CHG0000002", sys_created_on=at(hours=-2))
    assert gate(*closed, now=EMPTY).message.endswith("CHG0000002 has the same plan: cancel it")


def test_fields_of_the_user_replace_those_of_the_collection() -> None:
    ticket = gate(fields={"assignment_group": "Security", "risk": "2", "test_plan": "Ask Anna"}).ticket
    assert ticket["assignment_group"] == "Security"
    assert (ticket["extra_fields"]["risk"], ticket["extra_fields"]["test_plan"]) == ("2", "Ask Anna")
    standard = gate(template="Connect Defender").ticket
    assert standard["template"] == "Connect Defender"
    assert "backout_plan" not in standard["extra_fields"]
    assert standard["extra_fields"]["change_plan"] == PLAN.text()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"state": "-5", "approval": "not requested"}, "not approved (state New, approval not requested"),
        ({"state": "-4.0", "approval": "requested"}, "not approved (state Assess"),
        ({"state": "150", "approval": "requested"}, "not approved (state 150"),
        ({"state": "-2", "approval": "requested"}, "not approved (state Scheduled, approval requested"),
        ({"state": "-3", "approval": "approved"}, "not approved (state Authorize, approval approved"),
        ({"on_hold": "true"}, "on hold"),
        ({"start_date": at(minutes=1)}, "its window has not begun"),
        ({"start_date": ""}, "planned start and end are not both set"),
        ({"end_date": ""}, "planned start and end are not both set"),
    ],
)
def test_a_run_waits_for_approval_and_window(columns: dict[str, str], words: str) -> None:
    found = gate(change(**columns))
    assert (found.held, found.failed, found.action) == (True, False, "")
    assert words in found.message
    assert "window" in found.message


@pytest.mark.parametrize("columns", [{"state": "-2.0", "approval": ""}, {"state": "-1"}, {"state": "150"}])
def test_an_approved_change_is_applied(columns: dict[str, str]) -> None:
    assert gate(change(**columns)).action == "start"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"approval": "rejected", "state": "-5"}, "was rejected"),
        ({"state": "4", "active": "false"}, "was canceled"),
        ({"state": "7", "active": "false"}, "is no longer active"),
        ({"state": "0"}, "is in state Review"),
        ({"end_date": at(minutes=-1)}, "has expired"),
        ({"end_date": at(minutes=-1), "state": "-4", "approval": "requested"}, "has expired"),
        ({"implementation_plan": PLAN.text().replace("itil", "admin")}, "was edited"),
        ({"implementation_plan": ""}, "was edited"),
    ],
)
def test_a_change_that_cannot_be_applied_is_refused_and_can_be_renewed(columns: dict[str, str], words: str) -> None:
    found = gate(change(**columns))
    assert (found.held, found.failed, found.action) == (True, True, "")
    assert words in found.message
    assert "servicenow_defender_change_renew" in found.message
    renewed = gate(change(**columns), renew=True)
    assert renewed.action == "open"
    assert renewed.ticket["correlation_id"].endswith(":2")


def test_carriage_returns_of_a_form_are_no_edit() -> None:
    assert gate(change(implementation_plan=PLAN.text().replace("\n", "\r\n") + "\r\n")).action == "start"


def test_a_plan_that_moved_is_refused_with_what_moved() -> None:
    found = gate(change(OTHER))
    assert found.failed
    assert (
        "change CHG0000001 has another plan than what would be written now. Moved: added: acme-dev: user svc (active)"
        in found.message
    )
    assert gate(change(OTHER), renew=True).ticket["correlation_id"] == key_of(PLAN) + PLAN.digest
    assert gate(change(OTHER), change(number="CHG0000002", sys_created_on=at())).action == "start"


def test_an_interrupted_run_is_continued_and_closed() -> None:
    assert gate(change(), now=REST).failed
    assert gate(change(display="applying"), now=REST).action == "start"
    assert gate(change(display="applying", end_date=at(minutes=-1)), now=REST).failed
    closing = gate(change(display="applying", state="-1"), now=EMPTY)
    assert (closing.held, closing.failed, closing.action) == (True, False, "close")
    assert closing.change == {
        "sys_id": "1",
        "number": "CHG0000001",
        "correlation_id": change()["correlation_id"],
        "state": "-1",
    }
    assert gate(change(display="applied", state="0"), now=EMPTY).action == "close"
    assert "is not needed" in gate(change(), now=EMPTY).message


def test_what_was_opened_before_a_closed_change_is_settled() -> None:
    old = change(OTHER, approval="rejected", sys_created_on=at(days=-2))
    assert gate(old, change(state="3", active="false")).action == "open"
    assert gate(old, now=EMPTY).message.startswith("nothing to change any more")


def test_changes_of_other_fleets_are_not_ours() -> None:
    other = RunPlan.of("onboard", {"acme-prod": "https://p"}, [("acme-prod", DRIFT)])
    assert gate(change(other)).action == "open"
