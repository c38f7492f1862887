# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a ticket: attached once, replaced when it changes; and the configuration item of a cloud resource."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.plan import CREATE, DELETE, Plan
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import (
    PlannedId,
    QueryResult,
    Snapshot,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.attachment_api import file_parts
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.tickets.attachments import (
    attachment_query,
    digest_of,
    plan_attachment,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.tickets.configuration_items import (
    configuration_item,
    item_query,
)

WANTED = {"name": "findings.csv", "content": "new"}


def file(sys_id: str, content: str, name: str = "findings.csv") -> dict[str, str]:
    return {"sys_id": sys_id, "table_sys_id": "1", "file_name": name, "hash": digest_of(content)}


def planned(row: Any, *known: dict[str, str]) -> tuple[list[tuple[str, Any]], Plan]:
    plan = Plan("tickets", bulk=True)
    snapshot = Snapshot.of([attachment_query(["1"])], [QueryResult(known)], "sys_id")
    has_writes = plan_attachment(plan, "incident k", "incident", row, WANTED, snapshot, {})
    assert has_writes == bool(plan.writes)
    return [(write.action, write.row) for write in plan.writes], plan


@pytest.mark.parametrize(
    ("known", "writes"),
    [
        ([], [(CREATE, "")]),
        ([file("a", "new")], []),
        ([file("a", "old")], [(CREATE, ""), (DELETE, "a")]),
        ([file("b", "new"), file("a", "new")], [(DELETE, "b")]),
        ([file("a", "old"), file("b", "new")], [(DELETE, "a")]),
        ([file("a", "new", name="other.csv")], [(CREATE, "")]),
    ],
)
def test_there_is_one_file_with_the_content(known: list[dict[str, str]], writes: list[tuple[str, str]]) -> None:
    found, plan = planned("1", *known)
    assert found == writes
    assert bool(plan.drift) == any(action == CREATE for action, _row in writes)


def test_a_new_ticket_gets_its_file_when_it_has_an_id() -> None:
    row = PlannedId("incident", "correlation_id", "k")
    found, plan = planned(row, file("a", "new"))
    assert found == [(CREATE, "")]
    assert plan.writes[0].values["table_sys_id"] == row
    assert plan.writes[0].identity["hash"] == digest_of("new")


def test_files_are_read_in_parts_of_limited_size() -> None:
    assert file_parts([("a", 5), ("b", 4), ("c", 20), ("d", 1)], 10) == [["a", "b"], ["c"], ["d"]]


@pytest.mark.parametrize(
    ("rows", "refused", "item", "words"),
    [
        ([{"sys_id": "1", "object_id": "/SUB/x"}], "", "1", ""),
        ([], "", "", ""),
        ([{"sys_id": "1", "object_id": "/sub/xy"}], "", "", ""),
        ([], "403 no", "", "may not read cmdb_ci_vm_object (403 no)"),
        (
            [{"sys_id": n, "object_id": "/sub/x", "name": f"vm{n}"} for n in "21"],
            "",
            "",
            "so none was set: vm1 (1), vm2 (2)",
        ),
    ],
)
def test_a_configuration_item_is_the_only_one_of_the_resource(
    rows: list[dict[str, str]], refused: str, item: str, words: str
) -> None:
    snapshot = Snapshot.of([item_query(["/Sub/x"])], [QueryResult(tuple(rows), refused)], "sys_id")
    found, reason = configuration_item("/Sub/x", snapshot)
    assert found == item
    assert words in reason
    assert bool(reason) == bool(words)
