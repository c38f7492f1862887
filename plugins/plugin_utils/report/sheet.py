# SPDX-License-Identifier: GPL-3.0-or-later
"""The to-do sheet: what failed, problems, manual steps and what is unproven, equal ones of several instances once."""

from __future__ import annotations

from typing import Any

from . import groups
from .groups import Hosts
from .manual_steps import manual_steps
from .objects import FAILED, UNPROVEN
from .values import Json

# The badges of the page by the severity of a problem.
STYLES = {"error": FAILED, "warning": "drift"}
NOTES = {
    "failed": "A task ended with an error, so that what comes after it was not compared.",
    "problem": "What keeps a connection from working, or may do so.",
    "manual": "No API can do these. The next run verifies them.",
    "unproven": "Neither in sync nor drift: it could not be read or compared.",
}
TITLES = {
    "failed": "Failed and unreachable",
    "problem": "Problems",
    "manual": "Manual steps",
    "unproven": "Unproven",
}


def to_do(hosts: Hosts) -> list[Json]:
    """Return the groups of the sheet that are not empty: `id`, `title`, `note` and `rows`, the most urgent first.

    A row has title, badge, style, `hosts` and, where it has them, reason, where, remedy, `values`, `each` and `secret_values`.
    """
    found = {
        "failed": [_failure(row) for row in groups.failures(hosts)],
        "problem": [_problem(row) for row in groups.problems(hosts)],
        "manual": [_row(**row, style="drift", badge="manual step") for row in manual_steps(hosts)],
        "unproven": [_unproven(row) for row in groups.unproven(hosts)],
    }
    return [{"id": id, "title": TITLES[id], "note": NOTES[id], "rows": rows} for id, rows in found.items() if rows]


def _row(**content: Any) -> Json:
    empty: Json = {"reason": "", "where": "", "remedy": "", "values": {}, "each": [], "secret_values": []}
    return {**empty, **content}


def _failure(row: Json) -> Json:
    status = row["status"]
    reason = f"in task {row['task']}" if row["task"] else ""
    return _row(title=row["message"], reason=reason, hosts=row["hosts"], style=status, badge=status)


def _problem(row: Json) -> Json:
    style = STYLES.get(row["severity"], "unreachable")
    title, remedy = row["message"] or row["id"], row["remedy"]
    return _row(title=title, remedy=remedy, hosts=row["hosts"], style=style, badge=row["severity"] or "problem")


def _unproven(row: Json) -> Json:
    field = "" if row["field"] in ("", "state") else f" ({row['field']})"
    title = f"{row['object']}{field}"
    return _row(title=title, reason=row["reason"], hosts=row["hosts"], style=UNPROVEN, badge=UNPROVEN)
