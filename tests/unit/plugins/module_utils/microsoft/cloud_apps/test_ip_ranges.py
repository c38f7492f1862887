# SPDX-License-Identifier: GPL-3.0-or-later
"""IP ranges (docs/facts/defender_for_cloud_apps.md#ip-ranges)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput, Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import AmbiguousResponse
from ansible_collections.secops.servicenow_defender.plugins.modules import mda_ip_ranges
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer

Task = Callable[..., dict[str, Any]]
OFFICE = {"name": "Head office", "category": "corporate", "subnets": ["192.0.2.0/24", "198.51.100.7"]}


class Ranges:
    """Plays the API for data enrichment: an update replaces the whole range."""

    def __init__(self, server: Loopback, *records: dict[str, Any]) -> None:
        self.records = {str(record["_id"]): record for record in records}
        self.bodies: list[dict[str, Any]] = []
        self.denied = False
        server.answers_by(self._answer)

    def _answer(self, request: Received) -> Reply:
        parts = request.path.strip("/").split("/")
        if request.path == "/api/v1/subnet/":
            return answer({"data": list(self.records.values()), "hasNext": False})
        if self.denied:
            return answer({}, 403)
        if request.method == "DELETE":
            del self.records[parts[3]]
            return answer({})
        row_id = parts[3] if parts[-1] == "update_rule" else f"id-{len(self.records) + 1}"
        self.bodies.append(request.json)
        subnets = [{"originalString": text} for text in request.json["subnets"]]
        self.records[row_id] = {"_id": row_id, **request.json, "subnets": subnets}
        return answer(row_id)


@pytest.fixture
def task(server: Loopback) -> Task:
    def run(*ranges: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given = {"mda_url": server.url, "mda_api_token": "legacy-t0ken-text", "ip_ranges": list(ranges), **options}
        checked = ArgumentSpecValidator(mda_ip_ranges.SPEC.argument_spec).validate(given)
        assert not checked.error_messages
        return mda_ip_ranges.run(checked.validated_parameters, TaskContext(check_mode=check_mode)).as_dict(
            with_diff=True
        )

    return run


def test_a_range_is_created_and_a_second_run_changes_nothing(server: Loopback, task: Task) -> None:
    played = Ranges(server)
    assert task(OFFICE)["changed"] is True
    assert played.bodies == [{"name": "Head office", "category": 1, "subnets": ["192.0.2.0/24", "198.51.100.7/32"]}]
    again = task(OFFICE)
    assert (again["changed"], again["results"][0]["status"]) == (False, "ok")


@pytest.mark.parametrize("key", ["_id", "name"])
def test_a_list_with_ranges_that_are_not_recognized_changes_nothing(server: Loopback, task: Task, key: str) -> None:
    row = {"_id": "a", "name": "Head office", "category": 1, "subnets": ["192.0.2.0/24"]}
    played = Ranges(server, {**row, "other": row[key], key: None})
    with pytest.raises(AmbiguousResponse, match="entry 1 of 1 of its list has no"):
        task(OFFICE)
    assert played.bodies == []


def test_an_update_keeps_what_is_not_desired(server: Loopback, task: Task) -> None:
    played = Ranges(
        server,
        {
            "_id": "a",
            "name": "Head office",
            "category": 6,
            "subnets": ["192.0.2.0/24"],
            "organization": "Acme",
            "tags": ["t"],
        },
    )
    result = task(OFFICE)
    assert played.bodies[0]["organization"] == "Acme"
    assert played.bodies[0]["tags"] == ["t"]
    assert {entry["field"] for entry in result["drift"]} == {"category", "subnets"}


def test_a_category_that_is_not_set_is_not_managed(server: Loopback, task: Task) -> None:
    played = Ranges(server, {"_id": "a", "name": "Head office", "category": 1, "subnets": ["192.0.2.0/24"]})
    assert task({"name": "Head office", "subnets": ["192.0.2.0/24"]})["changed"] is False
    task({"name": "New", "subnets": ["198.51.100.0/24"]})
    task({"name": "Head office", "subnets": ["203.0.113.0/24"]})
    assert [body["category"] for body in played.bodies] == [6, 1]


def test_purge_removes_others_but_not_the_vendors(server: Loopback, task: Task) -> None:
    old = {"_id": "b", "name": "Old", "category": 6, "subnets": ["203.0.113.0/24"]}
    vendor = {"_id": "c", "name": "Azure", "category": 5, "subnets": [], "builtIn": True}
    played = Ranges(server, old, vendor)
    task(OFFICE)
    assert "b" in played.records
    assert task(OFFICE, purge=True)["changed"] is True
    assert {record["name"] for record in played.records.values()} == {"Head office", "Azure"}


def test_check_mode_only_reads(server: Loopback, task: Task) -> None:
    played = Ranges(server)
    assert task(OFFICE, check_mode=True)["changed"] is True
    assert (played.records, server.lines) == ({}, ["POST /api/v1/subnet/"])


def test_two_ranges_of_one_name_are_an_error(server: Loopback, task: Task) -> None:
    Ranges(server, *({"_id": row, "name": "Head office", "category": 1, "subnets": []} for row in ("a", "b")))
    with pytest.raises(InvalidInput, match=r"2 IP ranges named 'Head office' \(a, b\)"):
        task(OFFICE)


@pytest.mark.parametrize("subnet", ["192.0.2.0/33", "office", ""])
def test_an_invalid_subnet_is_reported(server: Loopback, task: Task, subnet: str) -> None:
    with pytest.raises(InvalidInput, match="is not a subnet"):
        task({**OFFICE, "subnets": [subnet]})
    assert server.received == []


def test_a_missing_right_is_reported(server: Loopback, task: Task) -> None:
    Ranges(server).denied = True
    with pytest.raises(Refused, match="could not create ip_range Head office"):
        task(OFFICE)
