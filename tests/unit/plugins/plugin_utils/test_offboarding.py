# SPDX-License-Identifier: GPL-3.0-or-later
"""Which connectors belong to an instance, what its side waits for, and when it has left the fleet."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.objects_to_remove import (
    connectors_to_remove,
    integrations_to_remove,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.offboarding import left_fleet, waits_for

URL = "https://acme.service-now.com"
CONNECTION = {"host": "acme", "service": "mda", "name": "acme", "instance_url": f"{URL}/", "recorded": True}


@pytest.mark.parametrize(
    ("listed", "recorded", "removed", "kept"),
    [
        ([], True, [], []),
        ([("acme", URL)], True, ["acme"], []),
        ([("other", URL)], True, ["other"], []),
        ([("other", URL)], False, [], ["connector other"]),
        ([("acme", URL)], False, [], ["connector acme"]),
        ([("acme", "https://else.service-now.com")], True, [], ["connector acme"]),
        ([("", "")], True, ["acme"], []),
    ],
    ids=["none", "same", "by address", "not ours by address", "not ours", "of another instance", "only evidence"],
)
def test_connectors_are_selected_by_name_and_address(
    listed: list[tuple[str, str]], recorded: bool, removed: list[str], kept: list[str]
) -> None:
    rows = [{"name": name, "instance_url": url} for name, url in listed]
    found = connectors_to_remove([{**CONNECTION, "recorded": recorded}], rows)
    assert [row["name"] for row in found["connectors"]] == removed
    assert found["hosts"] == dict.fromkeys(removed, "acme")
    assert [row["object"] for row in found["kept"]] == kept


def test_a_list_that_is_refused_does_not_show_that_there_is_no_connector() -> None:
    found = connectors_to_remove([CONNECTION], [], ["the list of connectors is refused (403)"])
    assert [row["name"] for row in found["connectors"]] == ["acme"]


RECORD = {"object_id": "c1", "place": "https://acme.portal", "recorded_url": "https://old.service-now.com"}


@pytest.mark.parametrize(
    ("listed", "removed", "kept"),
    [
        ([("c1", "renamed", "")], {"renamed": f"{URL}/"}, []),
        ([("c1", "renamed", "https://old.service-now.com")], {"renamed": "https://old.service-now.com"}, []),
        ([("c1", "renamed", "https://else.service-now.com")], {}, ["connector renamed"]),
        ([("c1", "renamed", ""), ("c2", "acme", "")], {"renamed": f"{URL}/", "acme": ""}, []),
        ([("c1", "acme-test", "")], {}, ["connector acme-test"]),
        ([("c2", "acme", ""), ("c3", "third", URL)], {"acme": f"{URL}/"}, ["connector third"]),
    ],
    ids=["renamed", "instance too", "of another instance", "and made again", "name of another", "one more by address"],
)
def test_a_connector_that_was_renamed_is_found_by_its_recorded_id(
    listed: list[tuple[str, str, str]], removed: dict[str, str], kept: list[str]
) -> None:
    rows = [{"id": row, "name": name, "instance_url": url} for row, name, url in listed]
    other = {**CONNECTION, "host": "acme-test", "name": "acme-test", "instance_url": "", "recorded": False}
    found = connectors_to_remove([{**CONNECTION, **RECORD}, other], rows, [], "https://acme.portal/")
    assert {row["name"]: row["instance_url"] for row in found["connectors"]} == removed
    assert [row["object"] for row in found["kept"]] == kept
    assert not found["unproven"]


def test_what_is_recorded_elsewhere_is_not_known_to_be_gone() -> None:
    found = connectors_to_remove([{**CONNECTION, **RECORD}], [], [], "https://new.portal")
    assert "of https://acme.portal, not of https://new.portal" in found["unproven"][0]["reason"]
    assert "not looked for" in waits_for(CONNECTION, {"offboarding_plan": found}, check_mode=False)
    assert not connectors_to_remove([{**CONNECTION, **RECORD, "removed": True}], [], [], "https://new.portal")[
        "unproven"
    ]
    integration = {**CONNECTION, "service": "mdc", "object_id": "i1", "place": "/subscriptions/old", "scope": ""}
    found = integrations_to_remove([integration], [], "new")
    assert not found["integrations"]
    assert "of /subscriptions/old, not of /subscriptions/new" in found["unproven"][0]["reason"]
    tenant = {"offboarding_integrations": {"results": []}, "offboarding_integrations_plan": found}
    assert "not looked for" in waits_for(integration, tenant, check_mode=False)
    assert "is on /subscriptions/old" in waits_for(integration, {"offboarding_mdc_unused": True}, check_mode=False)
    assert not waits_for({**integration, "place": ""}, {"offboarding_mdc_unused": True}, check_mode=False)


@pytest.mark.parametrize(
    ("row", "removed", "kept"),
    [
        ({}, [("acme", ""), ("renamed", "/subscriptions/s")], []),
        ({"integration_type": "Jira"}, [("acme", "")], ["integration renamed"]),
        ({"inherited_from": "/providers/m"}, [("acme", "")], []),
        ({"id": "i2"}, [("acme", "")], []),
    ],
    ids=["renamed", "of another type", "inherited", "another one"],
)
def test_an_integration_that_was_renamed_is_found_by_its_recorded_id(
    row: dict[str, Any], removed: list[tuple[str, str]], kept: list[str]
) -> None:
    integration = {**CONNECTION, "service": "mdc", "object_id": "i1", "place": "/subscriptions/s", "scope": ""}
    listed = {"scope": "/subscriptions/s", "integration_type": "ServiceNow", "inherited_from": ""}
    renamed = {**listed, "id": "i1", "display_name": "renamed", **row}
    found = integrations_to_remove([integration], [renamed, {**listed, "id": "i3", "display_name": "acme"}], "s")
    assert [(each["name"], each["scope"]) for each in found["integrations"]] == removed
    assert {each["host"] for each in found["integrations"]} == {"acme"}
    assert [each["object"] for each in found["kept"]] == kept


def results(status: str, *steps: str, hosts: Any = None) -> dict[str, Any]:
    return {
        "offboarding_plan": {"hosts": {"acme": "acme"} if hosts is None else hosts},
        "offboarding_connectors": {
            "results": [{"name": "acme", "status": status}],
            "manual_steps": [{"id": step} for step in steps],
        },
    }


def test_an_instance_waits_while_its_connector_is_there() -> None:
    step = "connector:delete:acme"
    assert "not read" in waits_for(CONNECTION, {}, check_mode=False)
    assert not waits_for(CONNECTION, results("absent"), check_mode=False)
    assert not waits_for(CONNECTION, results("disabled", step), check_mode=False)
    assert not waits_for(CONNECTION, results("connected", hosts={}), check_mode=False)
    assert "acme is connected" in waits_for(CONNECTION, results("connected", step), check_mode=True)
    assert not waits_for(CONNECTION, results("connected"), check_mode=True), "a contract would remove it"
    assert "in the portal" in waits_for(CONNECTION, results("unknown"), check_mode=True)


@pytest.mark.parametrize(
    ("status", "entered", "waits"),
    [
        ("", True, True),
        ("", False, False),
        ("changed", True, False),
        ("absent", True, False),
        ("failed", True, True),
        ("unknown", False, True),
    ],
)
def test_a_data_connector_is_waited_for_unless_the_contract_removed_it(status: str, entered: bool, waits: bool) -> None:
    connection = {**CONNECTION, "service": "msem", "entered": entered}
    tenant = {"offboarding_data_connectors": {"results": [{"name": "acme", "status": status}]}} if status else {}
    assert bool(waits_for(connection, tenant, check_mode=False)) == waits


def test_an_integration_that_could_not_be_removed_is_waited_for() -> None:
    connection = {**CONNECTION, "service": "mdc"}
    failed = {"offboarding_integrations": {"results": [{"item": {"host": "acme"}, "failed": True}]}}
    assert "not read" in waits_for(connection, {}, check_mode=False)
    assert "could not be removed" in waits_for(connection, failed, check_mode=False)
    assert not waits_for(connection, {"offboarding_mdc_unused": True}, check_mode=False)
    assert not waits_for(connection, {"offboarding_integrations": {"results": []}}, check_mode=False)


def test_an_instance_has_left_until_new_secrets_are_stored() -> None:
    stored = {"offboarded": "2026-11-29"}
    assert "on 2026-11-29" in left_fleet(lambda name: stored.get(name, ""), ["mda"], "acme")
    stored["mda_password"] = "new"
    assert not left_fleet(lambda name: stored.get(name, ""), ["mda"], "acme")
    assert not left_fleet(lambda _name: "", ["mda"], "acme")
