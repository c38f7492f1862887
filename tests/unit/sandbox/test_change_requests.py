# SPDX-License-Identifier: GPL-3.0-or-later
"""Change requests: state model, change API (docs/facts/servicenow_tickets.md#change-management-api)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.client import JSON, RestClient, error_of, inner_json
from tests.unit.sandbox.test_tickets import agent, patch

Make = Callable[..., RestClient]
PATH = "api/sn_chg_rest/v1/change"
CLOSING = {"close_code": "successful", "close_notes": "Done"}


def group(instance: RestClient, name: str = "Change Control") -> str:
    return str(instance.row("sys_user_group", f"name={name}")["sys_id"])


def change(client: RestClient, method: str, path: str = "", body: Any = None, **params: Any) -> Any:
    return client.call(method, PATH + path, json=body, params=params)


def made(client: RestClient, kind: str = "/normal", **values: Any) -> dict[str, Any]:
    answer = change(client, "POST", kind, values)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()["result"]
    return shown


def test_a_new_change_shows_values_types_and_what_was_ignored(instance: RestClient) -> None:
    sent = {
        "short_description": "Harden",
        "state": "-1",
        "type": "standard",
        "no_such_field": "x",
        "sys_mod_count": "9",
    }
    shown = made(agent(instance), **sent)
    assert shown["state"] == {"display_value": "New", "value": -5.0}
    assert shown["type"] == {"display_value": "Normal", "value": "normal"}
    assert shown["priority"]["value"] == 4.0
    assert shown["active"] == {"display_value": "true", "value": True}
    assert shown["number"]["value"] == "CHG0030001"
    assert shown["sys_created_on"]["display_value_internal"]
    assert sorted(shown["__meta"]["ignoredFields"]) == ["no_such_field", "state", "sys_mod_count", "type"]


def test_pairs_of_the_query_string_count_and_the_body_wins(instance: RestClient) -> None:
    answer = change(instance, "POST", "", {"description": "body"}, description="query", short_description="query")
    shown = answer.json()["result"]
    assert (shown["description"]["value"], shown["short_description"]["value"]) == ("body", "query")
    assert (
        instance.call("POST", f"{PATH}/emergency?short_description=x").json()["result"]["type"]["value"] == "emergency"
    )


def test_knobs_give_text_and_arrays(make: Make) -> None:
    instance = make(tickets={"change_values": "text", "change_array": True})
    (shown,) = made(instance)
    assert shown["state"] == {"display_value": "New", "value": "-5"}
    (read,) = change(instance, "GET", f"/{shown['sys_id']['value']}").json()["result"]
    assert read["sys_id"] == shown["sys_id"]
    assert "__meta" not in read


def test_a_standard_change_takes_its_plans_from_the_template(instance: RestClient) -> None:
    templates = change(agent(instance), "GET", "/standard/template").json()["result"]
    template = next(each for each in templates if each["name"]["value"] == "Rotate a certificate")
    shown = made(instance, f"/standard/{template['sys_id']['value']}", backout_plan="mine", short_description="s")
    assert shown["type"]["value"] == "standard"
    assert (shown["backout_plan"]["value"], shown["short_description"]["value"]) == ("Install the old one", "s")
    assert shown["__meta"]["ignoredFields"] == ["backout_plan"]
    assert change(instance, "POST", f"/standard/{'0' * 32}", {}).status_code == 404


@pytest.mark.parametrize(
    ("kind", "states"),
    [("/normal", "-4 -3 -2 -1 0"), ("/emergency", "-3 -2 -1 0")],
)
def test_a_change_goes_through_its_states_and_closes(instance: RestClient, kind: str, states: str) -> None:
    itil = agent(instance)
    sys_id = made(itil, kind)["sys_id"]["value"]
    first = states.split()[0]
    assert error_of(change(itil, "PATCH", f"/{sys_id}", {"state": first}))[2] == (
        "Data Policy Exception: Assignment group is mandatory"
    )
    body = {"assignment_group": group(instance)}
    for state in states.split():
        shown = change(itil, "PATCH", f"/{sys_id}", {"state": state, **body}).json()["result"]
        assert shown["state"]["value"] == float(state)
    refused = error_of(change(itil, "PATCH", f"/{sys_id}", {"state": "Closed"}))[2]
    assert refused == "Data Policy Exception: Close code is mandatory; Resolution notes is mandatory"
    closed = change(itil, "PATCH", f"/{sys_id}", {"state": "Closed", **CLOSING}).json()["result"]
    assert closed["active"]["value"] is False
    assert closed["closed_by"]["display_value"] == "ITIL Agent"
    assert change(itil, "PATCH", f"/{sys_id}", {"description": "late"}).status_code == 403


def test_illegal_jumps_are_refused_through_both_apis(instance: RestClient) -> None:
    itil = agent(instance)
    sys_id = made(itil, assignment_group=group(instance))["sys_id"]["value"]
    for state in ("-3", "-1", "3"):
        for answer in (
            change(itil, "PATCH", f"/{sys_id}", {"state": state, **CLOSING}),
            patch(itil, "change_request", sys_id, state=state, **CLOSING),
        ):
            assert "Check State Transition" in error_of(answer)[2]
    assert error_of(itil.table("change_request", method="POST", body={"state": "-2"}))[0] == 403
    assert patch(itil, "change_request", sys_id, state="4").json()["result"]["active"] == "false"


def test_references_and_choices_are_accepted_by_name(instance: RestClient) -> None:
    shown = made(instance, assignment_group="Cloud Platform", risk="High")
    assert shown["assignment_group"]["display_value"] == "Cloud Platform"
    assert shown["assignment_group"]["value"] == group(instance, "Cloud Platform")
    assert shown["risk"]["value"] == 2.0
    assert made(instance, assignment_group="Nobody")["assignment_group"]["value"] == ""


def test_next_states_lists_the_possible_states(instance: RestClient) -> None:
    sys_id = made(instance)["sys_id"]["value"]
    shown = change(instance, "GET", f"/{sys_id}/nextstates").json()["result"]
    assert shown["available_states"] == ["-4", "4", "-5"]
    assert shown["state_label"] == {"-4": "Assess", "4": "Canceled", "-5": "New"}
    assert shown["state_transitions"][0][0]["display_value"] == "New to Assess"


def test_lists_are_filtered_paged_and_of_one_type(instance: RestClient) -> None:
    for kind in ("/normal", "/emergency", "/normal"):
        made(instance, kind, correlation_display="azure")
    query = "correlation_display=azure^ORDERBYnumber"
    numbers = [each["number"]["value"] for each in change(instance, "GET", "", sysparm_query=query).json()["result"]]
    assert numbers == ["CHG0030001", "CHG0030002", "CHG0030003"]
    page = change(instance, "GET", "", sysparm_query=query, sysparm_limit=1, sysparm_offset=1).json()["result"]
    assert [each["number"]["value"] for each in page] == numbers[1:2]
    assert len(change(instance, "GET", "/normal", sysparm_query=query).json()["result"]) == 2
    emergency = page[0]["sys_id"]["value"]
    assert change(instance, "GET", f"/emergency/{emergency}").status_code == 200
    assert error_of(change(instance, "GET", f"/normal/{emergency}"))[0] == 404


def test_roles_of_the_change_api(instance: RestClient) -> None:
    sys_id = made(instance)["sys_id"]["value"]
    reader = instance.user("reader", roles=["sn_change_read"])
    writer = instance.user("writer", roles=["sn_change_write"])
    manager = instance.user("manager", roles=["change_manager"])
    denied = (403, "User Not Authorized", "Failed API level ACL Validation")
    assert change(reader, "GET", f"/{sys_id}").status_code == 200
    assert error_of(change(reader, "POST", "", {})) == denied
    # The Table API accepts what the change API refuses (5.6).
    assert error_of(change(writer, "POST", "", {})) == denied
    assert writer.table("change_request", method="POST", body={"type": "normal"}).status_code == 201
    assert error_of(change(agent(instance), "DELETE", f"/{sys_id}")) == denied
    gone = change(manager, "DELETE", f"/normal/{sys_id}")
    assert (gone.status_code, gone.json()["result"]["sys_id"]["value"]) == (200, sys_id)
    assert error_of(change(manager, "GET", f"/{sys_id}"))[0] == 404
    assert change(instance, "PUT", f"/{sys_id}", {}).status_code == 405


def test_changes_are_written_in_batches(instance: RestClient) -> None:
    itil = agent(instance)
    body = base64.b64encode(json.dumps({"short_description": "b"}).encode()).decode()
    headers = [{"name": name, "value": value} for name, value in JSON.items()]
    inner = [
        {"id": "1", "method": "POST", "url": f"/{PATH}/normal", "headers": headers, "body": body},
        {"id": "2", "method": "POST", "url": f"/{PATH}/emergency?short_description=q", "headers": []},
        {"id": "3", "method": "PATCH", "url": f"/{PATH}/{'0' * 32}", "headers": headers, "body": body},
    ]
    content = {"batch_request_id": "b", "rest_requests": inner}
    served = itil.call("POST", "api/now/v1/batch", json=content).json()["serviced_requests"]
    assert [each["status_code"] for each in served] == [200, 200, 404]
    assert inner_json(served[1])["result"]["type"]["value"] == "emergency"
