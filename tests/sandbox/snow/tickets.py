# SPDX-License-Identifier: GPL-3.0-or-later
"""Business rules of incident, problem and change request.

See docs/facts/servicenow_tickets.md#incidents, docs/facts/servicenow_tickets.md#problems,
docs/facts/servicenow_tickets.md#change-requests, docs/facts/servicenow_tickets.md#task-columns.
"""

from __future__ import annotations

from collections.abc import Collection

from .data.identity import PROTECTED_ROLES
from .data.ticket_states import CHANGE_TRANSITIONS, CLOSED
from .role_grants import role_closure
from .store import Database
from .write_context import WriteContext

# Undocumented names of rules are made up; clients must not rely on them.
NO_CLOSING = "Only itil_admin may close an incident"
NO_PRIVILEGED_GROUP = "Restrict assignment to privileged groups"
NO_PROBLEM_TRANSITION = "Problem state is moved by its state model"
NO_CHANGE_TRANSITION = "Change Model: Check State Transition"


def number(change: WriteContext) -> None:
    """Set the number of a new row: prefix, digits and start are specific to the instance (5.5)."""
    if change.operation == "insert" and not change.row.get("number"):
        fresh = change.instance.next_number(change.table)
        if fresh:
            change.row["number"] = fresh


def task(change: WriteContext) -> None:
    """Set the defaults of a new task, and store journal input as entries."""
    row = change.row
    if change.operation == "insert":
        row["opened_at"] = row.get("opened_at") or row["sys_created_on"]
        row["opened_by"] = row.get("opened_by") or _author(change)
        row["task_effective_number"] = row.get("number", "")
    _journal(change)


def _journal(change: WriteContext) -> None:
    for column in ("work_notes", "comments"):
        text = change.row.pop(column, "")
        if text and change.operation != "delete":
            change.is_journaled = True
            entry = {"name": change.table, "element": column, "element_id": change.row["sys_id"], "value": text}
            author = change.caller.user_name if change.caller else "system"
            entry.update(sys_id=change.instance.new_id(), **change.instance.stamps(author))
            change.instance.database.put("sys_journal_field", entry)


def assignment(change: WriteContext) -> None:
    """Refuse a group with the role admin or security_admin to all but administrators (5.2)."""
    group = change.row.get("assignment_group", "")
    if change.operation == "delete" or change.caller is None or change.caller.is_admin or not group:
        return
    if change.sets("assignment_group") and not _roles_of(change.instance.database, group).isdisjoint(PROTECTED_ROLES):
        raise change.abort(NO_PRIVILEGED_GROUP)


def _roles_of(database: Database, group: str) -> set[str]:
    """The names of all roles that members of a group have, including those of its parents."""
    names: set[str] = set()
    seen: set[str] = set()
    while group and group not in seen:
        seen.add(group)
        for grant in database.lookup("sys_group_has_role", "group", group):
            for role in role_closure(database, grant.get("role", "")):
                found = database.find("sys_user_role", role)
                names.add(found[1].get("name", "") if found else "")
        found = database.find("sys_user_group", group)
        group = found[1].get("parent", "") if found else ""
    return names


def incident(change: WriteContext) -> None:
    """States, derived priority, dates of an incident (5.2)."""
    row = change.row
    if change.operation == "delete":
        return
    if change.sets("incident_state") and not change.sets("state"):
        row["state"] = row.get("incident_state", "")
    _closing(change)
    row["incident_state"] = row.get("state", "")
    row["priority"] = _derived_priority(change)
    _stamp(change, "resolved", is_set=row["state"] in ("6", "7"))
    if change.old is not None and change.old.get("state") in ("6", "7") and row["state"] in ("1", "2", "3"):
        row["reopen_count"] = str(int(row.get("reopen_count") or "0") + 1)
    _lifecycle(change, CLOSED["incident"])


def _closing(change: WriteContext) -> None:
    mode = change.instance.knobs.tickets.closing
    caller, row = change.caller, change.row
    if mode == "allowed" or caller is None or not change.sets("state") or row.get("state") != "7":
        return
    if caller.is_admin or "itil_admin" in caller.roles:
        return
    if mode == "refused":
        raise change.abort(NO_CLOSING)
    row["state"] = (change.old or {}).get("state", "1")


def _derived_priority(change: WriteContext) -> str:
    """Priority 1 to 5 from impact and urgency (5.2). That problems use the same matrix is LIKELY."""
    grades = [change.row.get(column, "") for column in ("impact", "urgency")]
    return str(sum(int(grade) if grade in ("1", "2", "3") else 3 for grade in grades) - 1)


def _lifecycle(change: WriteContext, closed: Collection[str]) -> None:
    is_closed = change.row.get("state", "") in closed
    change.row["active"] = "false" if is_closed else "true"
    _stamp(change, "closed", is_set=is_closed)


def _stamp(change: WriteContext, word: str, *, is_set: bool) -> None:
    """Fill or clear `<word>_at` and `<word>_by`."""
    row = change.row
    row[f"{word}_at"] = (row.get(f"{word}_at") or change.instance.timestamp()) if is_set else ""
    row[f"{word}_by"] = (row.get(f"{word}_by") or _author(change)) if is_set else ""


def _author(change: WriteContext) -> str:
    return change.caller.user_id if change.caller else ""


def problem(change: WriteContext) -> None:
    """States and priority of a problem: the Table API does not change their state since Rome (5.3)."""
    if change.operation == "delete":
        return
    row, settings = change.row, change.instance.knobs.tickets
    kept = (change.old or {}).get("state") or change.instance.default("problem", "state")
    moves = change.caller is not None and row.get("state", "") != kept
    if moves and settings.problem_transitions == "refused":
        raise change.abort(NO_PROBLEM_TRANSITION)
    if moves and settings.problem_transitions == "ignored":
        row["state"] = kept
    row["problem_state"] = row.get("state", "")
    row["priority"] = _derived_priority(change)
    _lifecycle(change, CLOSED["problem" if settings.problem_model == "madrid" else "legacy problem"])


def change_request(change: WriteContext) -> None:
    """The state model of a change request (5.4). Its priority does not follow from impact and urgency."""
    if change.operation == "delete":
        return
    row = change.row
    before = (change.old or {}).get("state", "-5")
    after = row.get("state", "")
    if change.caller is not None and after != before and change.instance.knobs.tickets.change_transitions == "enforced":
        kind = (change.old or row).get("type", "normal")
        # A new change request starts in state New, regardless of the value sent.
        if change.old is None or after not in CHANGE_TRANSITIONS.get(kind, CHANGE_TRANSITIONS["normal"])[before]:
            raise change.abort(NO_CHANGE_TRANSITION)
    _lifecycle(change, CLOSED["change_request"])


def subtask(change: WriteContext) -> None:
    """Whether a problem task or a change task is active, and since when it is closed."""
    if change.operation != "delete":
        _lifecycle(change, CLOSED[change.table])
