# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the updates of committed sets are in place (docs/facts/servicenow_platform.md#cicd-update-set-api)."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import (
    Query,
    QueryResult,
    Snapshot,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.client import ServiceNowClient
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import TableQuery, TableRows
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.update_sets.read_back import (
    ReadBack,
    read_back,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.update_sets.retrieved import RetrievedSet

ROW = "a" * 32
KEPT = "b" * 32


class FakeClient:
    """Knows some rows of one table, or refuses."""

    def __init__(self, *present: str, refused: str = "") -> None:
        self.answer = TableRows(tuple(cast("Any", {"sys_id": each}) for each in present), refused, len(present))

    def query(self, queries: list[TableQuery]) -> list[TableRows]:
        return [self.answer for _query in queries]


def sets_with(*updates: tuple[str, str]) -> tuple[Snapshot, list[RetrievedSet]]:
    """Return one set for each update, the oldest first, an update as row and action; local copies are complete."""
    found = [
        RetrievedSet(f"set{number}", "remote", "source", "committed", f"local{number}", "")
        for number in range(len(updates))
    ]
    rows = [
        {
            "sys_id": f"{column}{number}",
            "name": f"sys_properties_{row}",
            "target_name": row[0],
            "action": action,
            column: value,
        }
        for number, (row, action) in enumerate(updates)
        for column, value in (("remote_update_set", f"set{number}"), ("update_set", f"local{number}"))
    ]
    queries = [
        Query(
            "sys_update_xml",
            column,
            tuple(each.sys_id if column == "remote_update_set" else each.local_id for each in found),
            ("sys_id",),
        )
        for column in ("remote_update_set", "update_set")
    ]
    answers = [QueryResult(tuple(row for row in rows if query.column in row), "", None) for query in queries]
    return Snapshot.of(queries, answers, "sys_id"), found


@pytest.mark.parametrize(
    ("updates", "client", "expected"),
    [
        ([(ROW, "INSERT_OR_UPDATE")], FakeClient(ROW), ReadBack()),
        ([(ROW, "INSERT_OR_UPDATE")], FakeClient(), ReadBack(["a"])),
        ([(ROW, "INSERT_OR_UPDATE"), (ROW, "DELETE")], FakeClient(), ReadBack()),
        ([(ROW, "DELETE"), (ROW, "INSERT_OR_UPDATE")], FakeClient(), ReadBack(["a"])),
        ([(ROW, "INSERT_OR_UPDATE"), (KEPT, "INSERT_OR_UPDATE")], FakeClient(KEPT), ReadBack(["a"])),
        ([(ROW, "INSERT_OR_UPDATE")], FakeClient(refused="403"), ReadBack([], ["sys_properties"])),
    ],
    ids=["there", "gone", "deleted by a later set", "made again", "one of two", "refused"],
)
def test_of_several_updates_of_a_row_the_last_one_counts(
    updates: list[tuple[str, str]], client: FakeClient, expected: ReadBack
) -> None:
    snapshot, sets = sets_with(*updates)
    assert read_back(cast("ServiceNowClient", client), snapshot, sets) == expected
