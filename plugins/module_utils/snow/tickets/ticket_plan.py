# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the writes and manual steps that bring one ticket to its desired state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ...engine.errors import InvalidInput
from ...engine.field import without_decimals
from ...engine.plan import CHANGED, CREATE, MANUAL, OK, REFUSED, UPDATE, Plan, Value, Write
from ...engine.result import Drift
from ...engine.snapshot import PlannedId, Row, Snapshot
from ..change_api import ChangeWrite
from .attachments import plan_attachment
from .choices import Choices
from .manual_steps import change_step, duplicate_notes, duplicate_step, problem_step
from .ticket import Ticket
from .ticket_types import (
    ABSENT,
    CANCELED,
    CHANGE_REQUEST,
    CLOSED,
    INCIDENT,
    OPEN,
    RESOLVED,
    SATISFIED_BY,
)

STAGE = 8
# What is done to a ticket, by the state that it gets; a new one is created.
ACTIONS = {OPEN: "reopened", RESOLVED: "resolved", CLOSED: "closed", CANCELED: "canceled"}
CREATED, UPDATED = "created", "updated"
BULK_NOUN = "tickets"
ITIL_MAY_NOT_CLOSE = (
    "Closing requires the role itil_admin or admin on most instances: use state: resolved and let the instance close it later, "
    "or use an account with one of these roles"
)


class TicketPlan:
    """The part of `plan` for one ticket of the instance at `base_url`.

    `predict`: the outcome shows the ticket after the writes; else it shows the actual one.
    """

    def __init__(
        self, plan: Plan, ticket: Ticket, snapshot: Snapshot, choices: Choices, *, base_url: str, predict: bool
    ) -> None:
        self.plan, self.ticket, self.snapshot, self.choices = plan, ticket, snapshot, choices
        self.base_url, self.predict = base_url, predict
        self.type = ticket.type
        self.outcome: dict[str, Any] = {
            "object": ticket.label,
            "type": self.type.table,
            "correlation_id": ticket.key,
            "status": OK,
            "action": "",
            "short_description": str(ticket.values.get("short_description") or ""),
        }
        plan.outcomes.append(self.outcome)

    def make(self, row: Row | None, duplicates: Sequence[Row]) -> None:
        """Compare with `row`, and add the writes, the manual steps and the outcome.

        `duplicates` are rows to cancel in favour of `row`.
        """
        if row is None:
            self._make_new()
            return
        state = self.type.state_of(row)
        self._show(row, state, row.get("state", ""))
        for duplicate in duplicates:
            self._cancel_duplicate(duplicate, row)
        if self._begins(row) and not self.choices.has(self.type.table, "state", self.type.working):
            self._refuse_state(row, self.type.working, {}, "put to work")
            return
        wanted = self._wanted_state(state)
        changes = self._field_changes(row) if OPEN in (state, wanted) else {}
        if wanted:
            self._move(row, wanted, changes)
        elif changes:
            self._write(row, changes)
            if "state" in changes:
                self._predict(OPEN, self.type.working)
        if OPEN in (state, wanted) and self._attach(row["sys_id"]) and self.outcome["status"] == OK:
            self.outcome.update(status=CHANGED, action=UPDATED)

    def refuse(self, reason: str) -> None:
        """Note that the ticket is left out, and why."""
        self.outcome.update(status=REFUSED, reason=reason, number=self.outcome.get("number", ""))
        self.plan.drift.append(Drift(self.ticket.label, "state", self.outcome.get("state"), self.ticket.state))

    # -- new ----------------------------------------------------------------------------------------------------------

    def _make_new(self) -> None:
        ticket = self.ticket
        self.outcome.update(number="", sys_id="", link="", state=ABSENT, platform_state="")
        if ticket.state != OPEN:
            self.outcome["status"] = ABSENT
            return
        if not ticket.values.get("short_description"):
            raise InvalidInput(f"{ticket.label}: it does not exist, and creating it requires short_description")
        values: dict[str, Value] = {"correlation_id": ticket.key, "correlation_display": ticket.display}
        values.update(ticket.wire(self.snapshot, self.choices))
        template = ticket.template_id(self.snapshot)
        if ticket.work_note:
            values["work_notes"] = ticket.work_note
        if ticket.change_type:
            values["type"] = ticket.change_type
        self._add_item(values)
        self._note_drift("state", ABSENT, OPEN)
        self.plan.after[ticket.label].update({name: ticket.values[name] for name in ticket.values})
        self.outcome.update(status=CHANGED, action=CREATED)
        self._predict(OPEN, self.type.initial)
        self._need_columns()
        kind = ChangeWrite if self.type is CHANGE_REQUEST else Write
        write = kind(
            CREATE,
            self.type.table,
            ticket.label,
            values,
            stage=STAGE,
            identity={"correlation_id": ticket.key},
            planned_id=PlannedId(self.type.table, "correlation_id", ticket.key),
            outcome=self.outcome,
            bulk_noun=BULK_NOUN,
        )
        if isinstance(write, ChangeWrite):
            write.template = template
        self.plan.writes.append(write)
        self._attach(write.planned_id)

    def _add_item(self, values: dict[str, Value]) -> None:
        """Add the configuration item to a new ticket; where it is not clear, the ticket has none."""
        item, reason = self.ticket.item(self.snapshot)
        if item and "cmdb_ci" not in values:
            values["cmdb_ci"] = item
        if reason:
            self.plan.warnings.append(f"{self.ticket.label}: {reason}")

    def _attach(self, row: Value) -> bool:
        wanted = self.ticket.attachment
        return bool(wanted) and plan_attachment(
            self.plan, self.ticket.label, self.type.table, row, wanted or {}, self.snapshot, self.outcome
        )

    # -- update -------------------------------------------------------------------------------------------------------

    def _wanted_state(self, state: str) -> str:
        """Return the state to change to from `state`, or "" to keep it."""
        ticket = self.ticket
        if ticket.state == OPEN and state == RESOLVED and not ticket.reopen:
            self.outcome["reason"] = "it has been resolved and stays resolved; set reopen: true to reopen it"
            return ""
        wanted = "" if state in SATISFIED_BY[ticket.state] else ticket.state
        if ticket.state == OPEN and state != OPEN and not wanted:
            self.outcome["reason"] = f"it has been {state} and stays {state}"
        return wanted

    def _begins(self, row: Row) -> bool:
        """Return whether a new ticket is to be put to work."""
        kind = self.type
        is_new = without_decimals(row.get("state", "")) == kind.initial
        is_asked = self.ticket.begin and self.ticket.state == OPEN
        return is_asked and is_new and bool(kind.working) and kind.state_writable

    def _field_changes(self, row: Row) -> dict[str, Value]:
        changes = self.ticket.differences(self.ticket.wire(self.snapshot, self.choices), row)
        for column in changes:
            name, value = self.ticket.shown(column)
            self._note_drift(name, self.ticket.before(column, row), value)
        if self._begins(row):
            self._note_drift("state", self._label(row.get("state", "")), self._label(self.type.working))
            changes["state"] = self.type.working
        return changes

    def _move(self, row: Row, wanted: str, changes: dict[str, Value]) -> None:
        state = self.type.state_of(row)
        target = self.type.reopened if wanted == OPEN else self.type.targets[wanted]
        self._note_drift("state", state, wanted)
        if self.type.state_writable and not self.choices.has(self.type.table, "state", target):
            self._refuse_state(row, target, changes)
            return
        if not self.type.state_writable:
            if changes:
                self._write(row, changes)
            link = self._link(row["sys_id"])
            step = problem_step(self.ticket, row, target, self.choices, link)
            self.plan.manual_steps.append(step)
            self.outcome.update(status=MANUAL, reason=step.reason)
            return
        changes = {**changes, "state": target, **self.ticket.ending(wanted, row, self.choices)}
        self._write(row, changes, wanted)
        self._predict(self.type.states.get(target, OPEN), target)

    def _refuse_state(self, row: Row, target: str, changes: dict[str, Value], action: str = "") -> None:
        """Note that the instance has other states, and which; the rest of the ticket is written."""
        if changes:
            self._write(row, changes)
        known = self.choices.known(self.type.table, "state")
        listed = ", ".join(f"{value} ({label})" for value, label in known.items())
        reason = (
            f"{self.ticket.label} ({row.get('number', '')}): this instance has no state {target} for a {self.type.noun}, so it was not "
            f"{action or ACTIONS[self.ticket.state]}; its states are {listed}. Set it in ServiceNow"
        )
        self.outcome.update(status=REFUSED, reason=reason)
        self.plan.warnings.append(reason)

    def _write(self, row: Row, changes: dict[str, Value], wanted: str = "") -> None:
        ticket = self.ticket
        self.outcome.update(status=CHANGED, action=ACTIONS[wanted] if wanted else UPDATED)
        self._need_columns()
        write = self._update(ticket.label, row, changes)
        if ticket.work_note:
            write.values["work_notes"] = ticket.work_note
        if wanted and self.type is CHANGE_REQUEST:
            link = self._link(row["sys_id"])
            texts = {name: str(value) for name, value in changes.items()}
            write.step = change_step(ticket, row, wanted, texts, self.choices, link)
        if wanted == CLOSED and self.type is INCIDENT:
            write.hint = ITIL_MAY_NOT_CLOSE
        self.plan.writes.append(write)

    def _cancel_duplicate(self, duplicate: Row, kept: Row) -> None:
        """Cancel a ticket that an overlapping run on another machine created in addition to `kept`."""
        label = f"{self.ticket.label}: duplicate {duplicate.get('number', '')}"
        self.plan.drift.append(Drift(label, "state", OPEN, CANCELED))
        if not self.type.state_writable:
            link = self._link(duplicate["sys_id"])
            step = duplicate_step(self.ticket, duplicate, kept, self.choices, link)
            self.plan.manual_steps.append(step)
            self.outcome.update(
                status=MANUAL, reason=f"{duplicate.get('number', '')} is a duplicate of it. {step.reason}"
            )
            return
        changes: dict[str, Value] = {"state": self.type.targets[CANCELED], "close_notes": duplicate_notes(kept)}
        if "Duplicate" in self.choices.known(self.type.table, self.type.code):
            changes[self.type.code] = "Duplicate"
        write = self._update(label, duplicate, changes)
        write.second_pass = True
        self.outcome["status"] = CHANGED
        self.plan.writes.append(write)

    def _update(self, label: str, row: Row, changes: dict[str, Value]) -> Write:
        kind = ChangeWrite if self.type is CHANGE_REQUEST else Write
        return kind(
            UPDATE,
            self.type.table,
            label,
            dict(changes),
            row["sys_id"],
            STAGE,
            # What the row shows after the write; a work note cannot be read back, and must not be written twice.
            identity={"sys_id": row["sys_id"], **changes},
            outcome=self.outcome,
            bulk_noun=BULK_NOUN,
        )

    # -- outcome ------------------------------------------------------------------------------------------------------

    def _need_columns(self) -> None:
        if self.ticket.extra:
            known = self.plan.columns.get(self.type.table, ())
            self.plan.columns[self.type.table] = tuple(dict.fromkeys(known + self.ticket.extra))

    def _show(self, row: Row, state: str, value: str) -> None:
        self.outcome.update(
            number=row.get("number", ""),
            sys_id=row["sys_id"],
            link=self._link(row["sys_id"]),
            state=state,
            platform_state=self._label(value),
            short_description=self.outcome["short_description"] or row.get("short_description", ""),
        )

    def _predict(self, state: str, value: str) -> None:
        if self.predict:
            self.outcome.update(state=state, platform_state=self._label(value))

    def _link(self, row_id: str) -> str:
        return record_url(self.base_url, self.type.table, row_id)

    def _label(self, value: str) -> str:
        return self.choices.label(self.type.table, "state", value)

    def _note_drift(self, name: str, before: Any, after: Any) -> None:
        label = self.ticket.label
        self.plan.drift.append(Drift(label, name, before, after))
        self.plan.before.setdefault(label, {})[name] = before
        self.plan.after.setdefault(label, {})[name] = after


def record_url(base_url: str, table: str, row_id: str) -> str:
    """Return the URL of a row in the web interface of the instance at `base_url`."""
    return f"{base_url}/nav_to.do?uri={quote(f'/{table}.do?sys_id={row_id}', safe='')}"
