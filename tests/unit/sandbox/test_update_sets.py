# SPDX-License-Identifier: GPL-3.0-or-later
"""Update sets between simulated instances (docs/facts/servicenow_platform.md#cicd-update-set-api)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.settings import SettingError
from tests.sandbox.snow import update_sets
from tests.sandbox.snow.instance import Instance
from tests.sandbox.snow.knobs import Knobs, turn

NAME, PROPERTY, ROW = "Baseline", "acme.one", "a" * 32
PAYLOAD = (
    '<record_update table="sys_properties"><sys_properties action="INSERT_OR_UPDATE">'
    f"<name>{PROPERTY}</name><value>true</value><sys_id>{ROW}</sys_id></sys_properties></record_update>"
)


def instance(name: str, **cicd: Any) -> Instance:
    return Instance(name, turn(Knobs(), {"cicd": cicd}))


def pair(**cicd: Any) -> tuple[Instance, str]:
    """Return an instance that has retrieved a set of another one, and the id of the retrieved set."""
    source, target = instance("dev"), instance("prod", **cicd)
    source.database.put("sys_update_set", {"sys_id": "s" * 32, "name": NAME, "state": "complete"})
    update = {"sys_id": "u" * 32, "name": f"sys_properties_{ROW}", "update_set": "s" * 32, "payload": PAYLOAD}
    source.database.put("sys_update_xml", {**update, **source.stamps("admin")})
    target.peer = lambda url: source if url.endswith("/dev") else None
    row = {"sys_id": "r" * 32, "name": "dev", "url": "https://x/dev", "active": "true"}
    assert update_sets.retrieve(target, row, "s" * 32, replaces=False) is None
    (remote,) = target.database.scan("sys_remote_update_set")
    assert (remote["state"], remote["remote_sys_id"]) == ("loaded", "s" * 32)
    return target, remote["sys_id"]


def test_a_commit_keeps_a_local_copy_and_a_back_out_removes_it() -> None:
    target, remote = pair()
    update_sets.preview(target, remote)
    assert update_sets.open_problems(target, remote) == []
    update_sets.commit(target, remote, through_api=True)
    assert target.property(PROPERTY) == "true"
    row = target.database.rows("sys_remote_update_set").by_id[remote]
    assert row["state"] == "committed"
    assert len(list(target.database.lookup("sys_update_xml", "update_set", row["update_set"]))) == 1
    update_sets.back_out(target, row["update_set"])
    assert target.database.first("sys_properties", "name", PROPERTY) is None
    assert target.database.find("sys_update_set", row["update_set"]) is None
    update_sets.preview(target, remote)
    assert [each["description"] for each in update_sets.open_problems(target, remote)] == [update_sets.NEWER]


def test_a_set_that_is_not_complete_or_not_reachable_is_not_retrieved() -> None:
    target, _remote = pair()
    row = {"sys_id": "r" * 32, "name": "dev", "url": "https://x/dev", "active": "true"}
    assert "not complete" in (update_sets.retrieve(target, row, "t" * 32, replaces=False) or "")
    assert "Could not connect" in (
        update_sets.retrieve(target, {**row, "url": "https://y"}, "s" * 32, replaces=False) or ""
    )
    assert "not active" in (update_sets.retrieve(target, {**row, "active": "false"}, "s" * 32, replaces=False) or "")


@pytest.mark.parametrize("xml", ["", "<unload/>", '<unload unload_date="2026-01-01 00:00:00"><sys_user/></unload>'])
def test_only_an_export_of_update_sets_is_imported(xml: str) -> None:
    with pytest.raises(SettingError):
        update_sets.import_file(instance("dev"), xml)
