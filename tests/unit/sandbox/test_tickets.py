# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents and problems through the Table API (docs/facts/servicenow_tickets.md#tables)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.client import JSON, RestClient, error_of, inner_json

Make = Callable[..., RestClient]
RESOLUTION = {"close_code": "Solution provided", "close_notes": "Done"}
ACL_UPDATE = (403, "Operation Failed", "ACL Exception Update Failed due to security constraints")


def agent(instance: RestClient) -> RestClient:
    return instance.user("itil_agent")


def owner(instance: RestClient) -> RestClient:
    return instance.user("service_owner")


def patch(client: RestClient, table: str, sys_id: str, **values: Any) -> Any:
    return client.table(table, sys_id, method="PATCH", body=values)


def test_an_incident_starts_as_the_documented_example_does(instance: RestClient) -> None:
    row = agent(instance).insert("incident", {"short_description": "Open port", "impact": 2, "urgency": 2})
    shown = {"state": "1", "incident_state": "1", "priority": "3", "active": "true", "approval": "not requested"}
    assert {name: row[name] for name in shown} == shown
    assert row["opened_at"] == row["sys_created_on"]
    assert (row["caller_id"], row["correlation_id"], row["closed_at"]) == ("", "", "")


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [
        ("1", "1", "1"),
        ("1", "2", "2"),
        ("2", "1", "2"),
        ("1", "3", "3"),
        ("2", "2", "3"),
        ("3", "2", "4"),
        ("3", "3", "5"),
    ],
)
def test_priority_follows_from_impact_and_urgency_alone(
    instance: RestClient, impact: str, urgency: str, priority: str
) -> None:
    for table in ("incident", "problem"):
        row = instance.insert(table, {"impact": impact, "urgency": urgency, "priority": "1"})
        assert row["priority"] == priority
    assert instance.insert("change_request", {"impact": impact, "urgency": urgency})["priority"] == "4"
    assert instance.insert("change_request", {"impact": impact, "priority": "2"})["priority"] == "2"


def test_numbers_follow_the_instances_own_maintenance(make: Make) -> None:
    instance = make(tickets={"numbering": {"incident": {"prefix": "SEC-", "digits": 4, "first": 3000000000}}})
    assert [instance.insert("incident", {})["number"] for _ in range(2)] == ["SEC-3000000000", "SEC-3000000001"]
    assert instance.insert("problem", {})["number"] == "PRB0040001"
    assert instance.insert("change_request", {})["number"] == "CHG0030001"


def test_a_number_is_not_reused_after_a_delete(instance: RestClient) -> None:
    first = instance.insert("incident", {})
    instance.table("incident", first["sys_id"], method="DELETE")
    assert instance.insert("incident", {})["number"] > first["number"]


def test_resolving_needs_code_and_notes_and_records_the_resolver(instance: RestClient) -> None:
    itil = agent(instance)
    row = itil.insert("incident", {"short_description": "x"})
    status, message, detail = error_of(patch(itil, "incident", row["sys_id"], state="6"))
    assert (status, message) == (403, "Operation Failed")
    assert detail.startswith("Data Policy Exception:")
    assert "Resolution code" in detail
    resolved = itil.update("incident", row["sys_id"], {"state": "6", **RESOLUTION})
    assert (resolved["incident_state"], resolved["active"]) == ("6", "true")
    assert resolved["resolved_by"]["value"] == instance.row("sys_user", "user_name=itil_agent")["sys_id"]
    again = itil.update("incident", row["sys_id"], {"state": "2"})
    assert (again["resolved_at"], again["resolved_by"], again["reopen_count"]) == ("", "", "1")


def test_on_hold_needs_a_reason(instance: RestClient) -> None:
    itil = agent(instance)
    row = itil.insert("incident", {})
    assert "On hold reason" in error_of(patch(itil, "incident", row["sys_id"], state="3"))[2]
    assert itil.update("incident", row["sys_id"], {"state": "3", "hold_reason": "4"})["incident_state"] == "3"


def test_only_an_itil_admin_closes_and_then_itil_may_only_read(instance: RestClient) -> None:
    itil = agent(instance)
    row = itil.insert("incident", {})
    detail = error_of(patch(itil, "incident", row["sys_id"], state="7", **RESOLUTION))[2]
    assert detail.startswith("Operation against file 'incident' was aborted by Business Rule")
    closed = owner(instance).update("incident", row["sys_id"], {"incident_state": "7", **RESOLUTION})
    assert (closed["state"], closed["active"]) == ("7", "false")
    assert closed["closed_at"]
    assert closed["closed_by"]["value"] == instance.row("sys_user", "user_name=service_owner")["sys_id"]
    assert error_of(patch(itil, "incident", row["sys_id"], work_notes="late")) == ACL_UPDATE
    assert itil.table("incident", row["sys_id"]).json()["result"]["state"] == "7"
    assert owner(instance).update("incident", row["sys_id"], {"state": "2"})["closed_at"] == ""


def test_knobs_allow_or_ignore_closing_by_itil(make: Make) -> None:
    ignoring = agent(make(tickets={"closing": "ignored"}))
    row = ignoring.insert("incident", {})
    assert ignoring.update("incident", row["sys_id"], {"state": "7", **RESOLUTION})["state"] == "1"
    open_handed = agent(make(tickets={"closing": "allowed", "closed_read_only": False}))
    row = open_handed.insert("incident", {})
    assert open_handed.update("incident", row["sys_id"], {"state": "7", **RESOLUTION})["state"] == "7"
    assert open_handed.update("incident", row["sys_id"], {"state": "2"})["active"] == "true"


def test_deleting_a_ticket_is_refused_to_itil(instance: RestClient) -> None:
    itil = agent(instance)
    for table in ("incident", "problem", "change_request"):
        row = itil.insert(table, {"short_description": "x"})
        detail = error_of(itil.table(table, row["sys_id"], method="DELETE"))[2]
        assert detail == "ACL Exception Delete Failed due to security constraints"
        assert instance.table(table, row["sys_id"], method="DELETE").status_code == 204


def test_itil_cannot_assign_to_a_group_that_carries_admin(instance: RestClient) -> None:
    itil = agent(instance)
    groups = {row["name"]: row["sys_id"] for row in itil.rows("sys_user_group")}
    row = itil.insert("incident", {"assignment_group": groups["Security Operations"]})
    answer = patch(itil, "incident", row["sys_id"], assignment_group=groups["Instance Administrators"])
    assert "aborted by Business Rule" in error_of(answer)[2]
    child = instance.insert("sys_user_group", {"name": "Child", "parent": groups["Instance Administrators"]})
    assert patch(itil, "incident", row["sys_id"], assignment_group=child["sys_id"]).status_code == 403
    assert patch(instance, "incident", row["sys_id"], assignment_group=child["sys_id"]).status_code == 200
    # Tickets that are already assigned there can still be updated.
    assert patch(itil, "incident", row["sys_id"], short_description="y").status_code == 200


def test_old_instances_have_different_resolution_codes(make: Make) -> None:
    instance = make(tickets={"close_codes": "old"}, choice="drop")
    query = "name=incident^element=close_code"
    codes = [row["value"] for row in agent(instance).rows("sys_choice", query)]
    assert codes[0] == "Solved (Permanently)"
    assert "Solution provided" not in codes
    row = instance.insert("incident", {})
    assert patch(instance, "incident", row["sys_id"], state="6", **RESOLUTION).status_code == 403
    done = instance.update("incident", row["sys_id"], {"state": "6", "close_code": codes[0], "close_notes": "Done"})
    assert done["close_code"] == codes[0]


def test_a_choice_list_can_be_the_instances_own(make: Make) -> None:
    instance = make(tickets={"choices": {"incident.close_code": {"done": "All done"}}}, choice="drop")
    row = instance.insert("incident", {"close_code": "done"}, sysparm_display_value="true")
    assert row["close_code"] == "All done"
    assert instance.insert("incident", {"close_code": "Solution provided"})["close_code"] == ""
    added = {"name": "incident", "element": "close_code", "value": "moot", "label": "Moot", "sequence": "9"}
    instance.insert("sys_choice", added)
    assert instance.insert("incident", {"close_code": "moot"})["close_code"] == "moot"
    instance.sandbox.turn(instance.name, tickets={"choices": {}, "close_codes": "old"})
    assert instance.insert("incident", {"close_code": "moot"})["close_code"] == ""


def test_a_data_policy_can_make_the_caller_mandatory(make: Make) -> None:
    instance = make(tickets={"mandatory": {"incident": ["caller_id", "short_description"]}})
    answer = instance.table("incident", method="POST", body={"short_description": "x"})
    assert error_of(answer) == (403, "Operation Failed", "Data Policy Exception: Caller is mandatory")


def test_work_notes_are_journal_entries(instance: RestClient) -> None:
    itil = agent(instance)
    row = itil.insert("incident", {"work_notes": "first"})
    changed = itil.update("incident", row["sys_id"], {"work_notes": "second"})
    assert (changed["work_notes"], changed["sys_mod_count"]) == ("", "1")
    entries = itil.rows("sys_journal_field", f"element_id={row['sys_id']}^element=work_notes")
    assert [entry["value"] for entry in entries] == ["first", "second"]
    assert entries[0]["sys_created_by"] == "itil_agent"


def test_the_table_api_changes_no_problem_state(make: Make) -> None:
    instance = make()
    row = instance.insert("problem", {"short_description": "x", "state": "104"})
    assert (row["state"], row["problem_state"]) == ("101", "101")
    kept = instance.update("problem", row["sys_id"], {"state": "106", "short_description": "y"})
    assert (kept["state"], kept["short_description"]) == ("101", "y")
    instance.sandbox.turn(instance.name, tickets={"problem_transitions": "refused"})
    assert "aborted by Business Rule" in error_of(patch(instance, "problem", row["sys_id"], state="102"))[2]


def test_problem_states_change_out_of_band_and_closing_needs_fields(make: Make) -> None:
    instance = make(tickets={"problem_transitions": "allowed"})
    row = instance.insert("problem", {})
    assert "Assigned to" in error_of(patch(instance, "problem", row["sys_id"], state="102"))[2]
    user = instance.row("sys_user", "user_name=itil_agent")["sys_id"]
    values = {"state": "106", "assigned_to": user, "resolution_code": "fix_applied", "cause_notes": "c"}
    assert "Fix notes" in error_of(patch(instance, "problem", row["sys_id"], **values))[2]
    assert instance.update("problem", row["sys_id"], {**values, "fix_notes": "f"})["active"] == "true"
    closed = instance.update("problem", row["sys_id"], {"state": "107"})
    assert (closed["active"], bool(closed["closed_at"])) == ("false", True)
    by_hand = instance.insert("problem", {})
    instance.sandbox.tamper(instance.name, "problem", {"state": "107"}, match={"number": by_hand["number"]})
    assert instance.table("problem", by_hand["sys_id"]).json()["result"]["state"] == "107"


def test_the_legacy_problem_model_counts_from_one_to_four(make: Make) -> None:
    instance = make(tickets={"problem_model": "legacy"})
    row = instance.insert("problem", {})
    assert row["state"] == "1"
    values = [each["value"] for each in instance.rows("sys_choice", "name=problem^element=state")]
    assert values == ["1", "2", "3", "4"]
    instance.sandbox.tamper(instance.name, "problem", {"state": "4"}, match={"number": row["number"]})
    assert instance.table("problem", row["sys_id"]).json()["result"]["active"] == "false"


def test_tickets_are_written_in_batches(instance: RestClient) -> None:
    itil = agent(instance)
    row = itil.insert("incident", {})
    bodies = [
        ("POST", "/api/now/table/incident", {"short_description": "a", "correlation_id": "1"}),
        ("POST", "/api/now/table/incident", {"state": "6"}),
        ("PATCH", f"/api/now/table/incident/{row['sys_id']}", {"state": "6", **RESOLUTION}),
    ]
    inner = [
        {
            "id": str(place),
            "method": method,
            "url": url,
            "headers": [{"name": name, "value": value} for name, value in JSON.items()],
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
        }
        for place, (method, url, body) in enumerate(bodies)
    ]
    content = {"batch_request_id": "b", "rest_requests": inner}
    served = itil.call("POST", "api/now/v1/batch", json=content).json()["serviced_requests"]
    assert [each["status_code"] for each in served] == [201, 403, 200]
    assert inner_json(served[0])["result"]["correlation_id"] == "1"
    assert instance.row("incident", f"sys_id={row['sys_id']}")["state"] == "6"
