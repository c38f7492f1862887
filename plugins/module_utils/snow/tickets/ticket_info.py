# SPDX-License-Identifier: GPL-3.0-or-later
"""The tickets of one source, of all types, with the file that is attached to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.problem import WARNING, Problem
from ..attachment_api import TABLE, file_parts, file_path
from ..attachment_files import read_files
from ..client import ServiceNowClient
from ..options import Options
from ..query import TableQuery, TableRow, encoded
from .ticket_plan import record_url
from .ticket_types import OPEN, TYPES
from .tickets import DISPLAY

COLUMNS = (
    "sys_id", "number", "correlation_id", "short_description", "description", "state", "active", "close_notes",
    "sys_updated_on", "closed_at",
)  # fmt: skip
# Columns that only some types have.
MORE = {"incident": ("resolved_at",), "problem": ("resolution_code", "resolved_at")}
# Bytes of files in one round trip: less than a batch may answer (docs/facts/servicenow_platform.md#batch-api).
MAX_FILES = 4_000_000
# How instances say that there is no such table.
NO_TABLE = "Invalid table"
TICKET_INFO_OPTIONS: Options = {
    "types": {"type": "list", "elements": "str", "choices": list(TYPES), "default": list(TYPES)},
    "correlation_display": {"type": "str", "default": DISPLAY},
    "attachment": {"type": "str"},
    "without_content": {"type": "list", "elements": "str", "default": []},
}


@dataclass
class TicketReading:
    """The tickets, and which types could not be read."""

    tickets: list[dict[str, Any]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_tickets(client: ServiceNowClient, asked: Mapping[str, Any]) -> TicketReading:
    """Return the tickets of TICKET_INFO_OPTIONS; a table that the account may not read is a problem, one that is missing is none."""
    types = list(dict.fromkeys(asked["types"]))
    queries = [_query(kind, asked["correlation_display"]) for kind in types]
    name = asked["attachment"] or ""
    condition = f"table_nameIN{','.join(types)}^{encoded({'file_name': name})}" if name else ""
    columns = ("sys_id", "table_sys_id", "file_name", "hash", "size_bytes", "sys_created_on")
    files = [TableQuery(TABLE, condition, columns, optional=True)] if name else []
    answers = client.query([*queries, *files])
    found = TicketReading()
    for kind, answer in zip(types, answers, strict=False):
        # Rows that access rules hide are counted (docs/facts/servicenow_platform.md#paging).
        hidden = (answer.total or 0) - len(answer.rows)
        words = answer.refused or (f"{hidden} tickets there are hidden from it" if hidden > 0 else "")
        if words and NO_TABLE not in words:
            found.unread.append(kind)
            found.problems.append(_refused(kind, words))
        found.tickets += [
            _ticket(client.session.base_url, kind, row, asked["correlation_display"]) for row in answer.rows
        ]
    found.tickets = [ticket for ticket in found.tickets if ticket]
    if files and answers[-1].refused:
        found.problems.append(_refused(TABLE, answers[-1].refused))
    _add_files(client, found.tickets, answers[-1].rows if files else (), asked["without_content"])
    return found


def _query(kind: str, display: str) -> TableQuery:
    columns = (*COLUMNS, *MORE.get(kind, ()), "correlation_display")
    return TableQuery(kind, encoded({"correlation_display": display}), columns, optional=True)


def _refused(table: str, words: str) -> Problem:
    message = f"the account may not read {table}: {words}"
    remedy = "Give it a role that reads the table. Until then tickets there are not known, and findings that they have get no other one"
    return Problem(f"table_refused:{table}", WARNING, message, remedy)


def _ticket(base_url: str, kind: str, row: TableRow, display: str) -> dict[str, Any]:
    # A platform that does not know a queried column returns every row (docs/facts/servicenow_platform.md#encoded-queries).
    if row.get("correlation_display") != display:
        return {}
    known = {name: value for name, value in row.items() if name != "correlation_display"}
    return {"type": kind, **known, "link": record_url(base_url, kind, row["sys_id"]), "attachment": None}


def _add_files(
    client: ServiceNowClient, tickets: Sequence[dict[str, Any]], rows: Iterable[TableRow], closed: Sequence[str]
) -> None:
    """Set `attachment` of each ticket to the newest file, with its content unless the ticket is closed with one of these notes."""
    by_ticket: dict[str, TableRow] = {}
    for each in sorted(rows, key=lambda row: (row.get("sys_created_on", ""), row["sys_id"])):
        by_ticket[each.get("table_sys_id", "")] = each
    wanted = []
    for ticket in tickets:
        row = by_ticket.get(ticket["sys_id"])
        if row is None:
            continue
        ticket["attachment"] = {
            "sys_id": row["sys_id"],
            "name": row.get("file_name", ""),
            "hash": row.get("hash", ""),
            "content": None,
        }
        # One that is resolved, and not closed yet, can be reopened.
        is_live = ticket.get("active") != "false" or TYPES[ticket["type"]].state_of(ticket) == OPEN
        if is_live or not str(ticket.get("close_notes") or "").lstrip().startswith(tuple(closed) or ("\0",)):
            size = row.get("size_bytes", "")
            wanted.append((row["sys_id"], int(size) if size.isdecimal() else 0, ticket["attachment"]))
    held = {name: attachment for name, _size, attachment in wanted}
    for part in file_parts([(name, size) for name, size, _attachment in wanted], MAX_FILES):
        for name, content in zip(part, read_files(client.session, [file_path(each) for each in part]), strict=True):
            held[name]["content"] = content
