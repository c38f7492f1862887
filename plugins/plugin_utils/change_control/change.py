# SPDX-License-Identifier: GPL-3.0-or-later
"""Change requests that hold the plan of a run: how they are found, and whether one allows to write.

A change request is found by its correlation id, which names playbook and fleet and ends in the digest of its plan, so that a
controller keeps nothing. See docs/facts/servicenow_tickets.md#change-requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ...module_utils.snow.tickets.ticket import clean
from .gate import CLOSE, OPEN, START, Gate, refused
from .run_plan import APPLIED, APPLYING, PLANNED, RunPlan, is_remainder, is_shortened, lines_of, moved

PREFIX = "defender"
DISPLAY = "secops.servicenow_defender"
# State -> its name (docs/facts/servicenow_tickets.md#change-requests).
STATES = {
    -5: "New", -4: "Assess", -3: "Authorize", -2: "Scheduled", -1: "Implement", 0: "Review", 3: "Closed", 4: "Canceled",
}  # fmt: skip
SCHEDULED, IMPLEMENT, REVIEW, CLOSED, CANCELED = -2, -1, 0, 3, 4
REQUESTED, APPROVED, REJECTED = "requested", "approved", "rejected"
# Where the plan is in readable form. A standard change has its implementation plan from its template.
PLAN_COLUMNS = ("implementation_plan", "change_plan")
COLUMNS = (
    "sys_id", "number", "correlation_id", "correlation_display", "type", "state", "approval", "active", "on_hold", "start_date",
    "end_date", "sys_created_on", *PLAN_COLUMNS,
)  # fmt: skip
# Options of a ticket of module snow_tickets that users may set with servicenow_defender_change_fields; the rest are columns.
TICKET_OPTIONS = ("assignment_group", "assigned_to", "caller", "impact", "urgency", "short_description")
RISK = "Only the values in the plan are written. Each is read back, and a run that was interrupted can be repeated."
WAY_BACK = (
    "Set each field of the plan to its value before: in the variables of the inventory, then run the playbook again. New objects are removed "
    "with the playbook offboard. A secret that was replaced cannot be restored; the playbook rotate gives new ones."
)
TEST = "The playbook verify proves sign-in, connectors and integrations; the playbook drift then finds no deviation."
AGAIN = "set servicenow_defender_change_renew: true to open a new change request"


@dataclass(frozen=True)
class Change:
    """A change request as it was read."""

    row: Mapping[str, str]

    @property
    def number(self) -> str:
        """Its number, such as CHG0030001."""
        return self.row.get("number", "")

    @property
    def state(self) -> int | None:
        """Its state; numbers may be written as 3 or 3.0. None for one that is no number."""
        try:
            return int(float(self.row.get("state", "")))
        except ValueError:
            return None

    @property
    def state_name(self) -> str:
        """The name of its state, or the value of one that an instance has added."""
        return STATES.get(self.state, str(self.row.get("state", ""))) if self.state is not None else "unknown"

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor canceled."""
        return self.state not in (CLOSED, CANCELED) and self.row.get("active", "true") != "false"

    @property
    def is_approved(self) -> bool:
        """Whether it was approved: by its state, or by its approval in a state that an instance has added."""
        if self.state in STATES:
            return self.state in (SCHEDULED, IMPLEMENT) and self.row["approval"] != REQUESTED
        return self.row["approval"] == APPROVED

    @property
    def progress(self) -> str:
        """What a run has done with its plan."""
        return self.row["correlation_display"].rpartition(" ")[2]

    @property
    def digest(self) -> str:
        """The digest of its plan."""
        return (self.row.get("correlation_id", "").split(":") + [""] * 4)[3]

    @property
    def text(self) -> str:
        """Its plan in readable form."""
        return next((text for text in (clean(self.row[name]) for name in PLAN_COLUMNS) if lines_of(text)), "")

    def moment(self, column: str) -> datetime | None:
        """Return a date of its window, in UTC; None if it is not set."""
        try:
            return datetime.strptime(self.row.get(column, ""), "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
        except ValueError:
            return None

    @property
    def window(self) -> str:
        """Its window, for messages."""
        start, end = self.row.get("start_date") or "not set", self.row.get("end_date") or "not set"
        return f"window {start} to {end} UTC"


def key_of(plan: RunPlan) -> str:
    """Return what the correlation ids of all change requests for this playbook and fleet begin with."""
    return f"{PREFIX}:{plan.playbook}:{plan.fleet_digest}:"


def change_gate(
    plan: RunPlan,
    rows: Iterable[Mapping[str, Any]],
    now: datetime,
    options: Mapping[str, Any],
    *,
    check_mode: bool,
) -> Gate:
    """Return the gate of a run under change control; `rows` are the change requests that begin with `key_of` the plan.

    `options`: `renew` opens a new one in place of one that cannot be applied, `template` makes it a standard change, `fields` are
    those of the user.
    """
    known = [Change({name: str(row.get(name) or "") for name in COLUMNS}) for row in rows]
    known = sorted((each for each in known if each.row["correlation_id"].startswith(key_of(plan))), key=_age)
    same = _of_newest_plan(known)
    gate = _gate_of(plan, known, same[0] if same else None, now, options, check_mode=check_mode)
    twins = ", ".join(each.number for each in same[1:] if each.is_open)
    if twins and gate.action in (START, CLOSE):
        # One key finds both, so that neither could be closed.
        reason = f"{twins} has the same plan, as an answer was lost when it was opened. Cancel what is not needed"
        return Gate(f"change {same[0].number} waits: {reason}. Nothing was written. Run the same command again later")
    return replace(gate, message=f"{gate.message}. {twins} has the same plan: cancel it") if twins else gate


def _of_newest_plan(known: Sequence[Change]) -> list[Change]:
    """Return the change requests of the plan that was opened last, the one that counts first: what was applied or approved, else the oldest.

    A commit after its time-out leaves a second one, which no run has named.
    """
    same = [each for each in known if each.row["correlation_id"] == known[-1].row["correlation_id"]]
    return sorted(
        same,
        key=lambda each: (
            each.state != CLOSED,
            not each.is_open,
            each.progress == PLANNED,
            not each.is_approved,
            _age(each),
        ),
    )


def _gate_of(
    plan: RunPlan,
    known: Sequence[Change],
    newest: Change | None,
    now: datetime,
    options: Mapping[str, Any],
    *,
    check_mode: bool,
) -> Gate:
    # What was opened before one that was closed is settled with it.
    last = newest if newest and newest.state != CLOSED else None
    if not plan.rows:
        return _nothing_left(last)
    if last is None or (options.get("renew") and problem_of(last, plan, now)):
        return _opened(plan, known, options, check_mode=check_mode)
    problem = problem_of(last, plan, now)
    if problem:
        return refused(f"change {last.number} {problem}. Nothing was written. Correct it, or {AGAIN}")
    wait = waits_for(last, now)
    if wait:
        return Gate(f"change {last.number} waits: {wait}. Nothing was written. Run the same command again later")
    if check_mode:
        return Gate(f"change {last.number} is approved and would be applied: {plan.size}")
    return Gate(held=False, action=START, change=_named(last), done=f"change {last.number} was applied and closed")


def problem_of(change: Change, plan: RunPlan, now: datetime) -> str:
    """Return why a change request can never be applied as it is, "" if it can."""
    end = change.moment("end_date")
    if change.row["approval"] == REJECTED:
        return "was rejected"
    if change.state == CANCELED or not change.is_open:
        return "was canceled" if change.state == CANCELED else "is no longer active"
    if change.state == REVIEW:
        return "is in state Review: its work counts as done"
    if change.digest != plan.digest and not _is_rest(change, plan):
        what = "too much to compare" if is_shortened(change.text) else moved(lines_of(change.text), plan.lines())
        return f"has another plan than what would be written now. Moved: {what}"
    if change.digest == plan.digest and change.text != plan.text():
        return "was edited: the plan in it is not the one that it was opened with"
    if end is not None and end <= now:
        return f"has expired: {change.window}"
    return ""


def _is_rest(change: Change, plan: RunPlan) -> bool:
    """Return whether an interrupted run has written a part of the plan of `change`, and `plan` is the rest."""
    return (
        change.progress == APPLYING
        and not is_shortened(change.text)
        and is_remainder(lines_of(change.text), plan.lines())
    )


def waits_for(change: Change, now: datetime) -> str:
    """Return what an intact change request waits for, "" if its plan may be written now."""
    start, end = change.moment("start_date"), change.moment("end_date")
    if not change.is_approved:
        return f"it is not approved (state {change.state_name}, approval {change.row['approval'] or 'empty'}; {change.window})"
    if change.row["on_hold"] == "true":
        return f"it is on hold (state {change.state_name}; {change.window})"
    if start is None or end is None:
        return f"it is approved, but planned start and end are not both set ({change.window})"
    if now < start:
        return f"it is approved, and its window has not begun ({change.window})"
    return ""


def _age(change: Change) -> tuple[str, str]:
    return change.row["sys_created_on"], change.number


def _named(change: Change) -> dict[str, str]:
    named = {name: change.row[name] for name in ("sys_id", "number", "correlation_id")}
    # What a run writes when it begins; a state that an instance has added is kept.
    return {**named, "state": str(IMPLEMENT if change.state == SCHEDULED else change.row["state"])}


def _nothing_left(last: Change | None) -> Gate:
    """Return the gate of a run that finds nothing to change: an earlier one may have ended between its last write and the closing."""
    if last is None or not last.is_open:
        return Gate("nothing to change, so no change request was opened")
    if last.progress not in (APPLYING, APPLIED):
        return Gate(f"nothing to change any more: change {last.number} is not needed. Cancel it")
    return Gate(
        action=CLOSE, change=_named(last), done=f"change {last.number} was applied by an earlier run, and is closed"
    )


def _opened(plan: RunPlan, known: Sequence[Change], options: Mapping[str, Any], *, check_mode: bool) -> Gate:
    ticket = _ticket(plan, known, options)
    if check_mode:
        return Gate(f"a change request would be opened: {plan.size}\n{plan.text()}", ticket=ticket)
    return Gate(
        f"is opened: {plan.size}. Nothing else was written. Run the same command again when it is approved",
        action=OPEN,
        ticket=ticket,
    )


def _ticket(plan: RunPlan, known: Sequence[Change], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the change request in the options of a ticket of module snow_tickets."""
    key = key_of(plan) + plan.digest
    earlier = sum(bool(re.fullmatch(re.escape(key) + r"(:\d+)?", each.row["correlation_id"])) for each in known)
    given = dict(options.get("fields") or {})
    template = options.get("template") or ""
    own = {
        "type": "change_request",
        "correlation_id": f"{key}:{earlier + 1}" if earlier else key,
        "short_description": f"{DISPLAY}.{plan.playbook}: {plan.size}",
        **({"template": template} if template else {"description": _description(plan)}),
        **{name: given.pop(name) for name in TICKET_OPTIONS if name in given},
    }
    texts = {"risk_impact_analysis": RISK, **({} if template else {"backout_plan": WAY_BACK, "test_plan": TEST})}
    return {**own, "extra_fields": {**texts, **given, PLAN_COLUMNS[bool(template)]: plan.text()}}


def _description(plan: RunPlan) -> str:
    hosts = sorted({row["instance"] for row in plan.rows})
    return (
        f"The playbook {DISPLAY}.{plan.playbook} is to write {plan.size}: {', '.join(hosts)[:1500]}\n"
        f"When this change request is approved and inside its planned start and end, the same command writes exactly this plan, adds the "
        f"result, and closes it. If anything else would be written, it refuses.\n"
        f"SHA-256 of the plan: {plan.digest}"
    )
