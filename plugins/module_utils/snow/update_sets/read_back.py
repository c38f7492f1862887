# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the updates of committed sets are in place: that a set is committed does not show it.

See docs/facts/servicenow_platform.md#cicd-update-set-api.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...engine.snapshot import Row, Snapshot
from ..client import ServiceNowClient
from ..query import TableQuery, encoded, in_parts
from .retrieved import DELETE, RetrievedSet, missing_updates, updates_of

# The name of an update is that of its table and the id of its row; some kinds of rows have names of their own.
ROW_UPDATE = re.compile(r"([a-z0-9_]+)_([0-9a-f]{32})")


@dataclass
class ReadBack:
    """`without_effect`: names of updates that a local copy lacks, or whose row is not there; `unread`: tables that were refused."""

    without_effect: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def read_back(client: ServiceNowClient, snapshot: Snapshot, sets: Sequence[RetrievedSet]) -> ReadBack:
    """Return what `sets`, the oldest first, left without effect. Of several updates of one row the last one counts."""
    found = ReadBack()
    lacking = {str(row["name"]): row for each in sets for row in missing_updates(snapshot, each)}
    last = {str(row.get("name", "")): row for each in sets for row in updates_of(snapshot, each)}
    by_table: dict[str, dict[str, Row]] = {}
    for name, row in last.items():
        parts = ROW_UPDATE.fullmatch(name)
        if parts and row.get("action") != DELETE:
            by_table.setdefault(parts[1], {})[parts[2]] = row
    for table, rows in by_table.items():
        present = _present(client, table, list(rows))
        if present is None:
            found.unread.append(table)
        else:
            lacking.update({str(row["name"]): row for sys_id, row in rows.items() if sys_id not in present})
    found.without_effect = [str(row.get("target_name") or name) for name, row in sorted(lacking.items())]
    return found


def _present(client: ServiceNowClient, table: str, ids: list[str]) -> set[str] | None:
    """Return which rows there are; None where the account may not read the table or some of the rows."""
    parts = in_parts({"sys_id": ids})
    answers = client.query([TableQuery(table, encoded(part), ("sys_id",), optional=True) for part in parts])
    hidden = sum((answer.total or 0) - len(answer.rows) for answer in answers)
    if hidden > 0 or any(answer.refused for answer in answers):
        return None
    return {row["sys_id"] for answer in answers for row in answer.rows}
