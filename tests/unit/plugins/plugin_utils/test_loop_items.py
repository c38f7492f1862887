# SPDX-License-Identifier: GPL-3.0-or-later
"""The items of a loop say in a callback how they ended, also where ansible-core leaves that out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.loop_items import FAILED, SKIPPED, LoopItems


def result(content: dict[str, Any], *, host: str = "acme-dev", old: bool = False) -> SimpleNamespace:
    """Return a task's result as a callback gets it; `old` is before ansible-core 2.19."""
    parts = {"host": SimpleNamespace(get_name=lambda: host), "task": SimpleNamespace(_uuid="1"), "result": content}
    return SimpleNamespace(**{f"_{name}" if old else name: value for name, value in parts.items()})


def test_items_say_how_they_ended() -> None:
    for old in (False, True):
        items = LoopItems()
        for ending in ("", FAILED, SKIPPED, FAILED):
            items.note(result({}, old=old), ending)
        items.note(result({}, host="acme-test", old=old))
        rows = [{"item": 1}, {"item": 2}, {"item": 3}, {"item": 4, "unreachable": True}]
        content = {"msg": "One or more items failed", "results": rows}
        marked = items.marked(result(content, old=old))
        assert marked == {
            "msg": "One or more items failed",
            "results": [{"item": 1}, {"item": 2, "failed": True}, {"item": 3, "skipped": True}, rows[3]],
        }
        assert items.marked(result(content, old=old)) == content, "the task may run again"
        assert items.marked(result({"results": [{}]}, host="acme-test", old=old)) == {"results": [{}]}


def test_results_of_a_task_without_a_loop_are_its_own() -> None:
    items = LoopItems()
    assert items.marked(result({"results": [{"item": 1}]})) == {"results": [{"item": 1}]}
    items.note(result({}), FAILED)
    assert items.forget(result({})) == [FAILED]
    assert items.forget(result({})) == []
