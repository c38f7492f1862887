# SPDX-License-Identifier: GPL-3.0-or-later
"""The Batch API (docs/facts/servicenow_platform.md#batch-api)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.client import RestClient, error_of, inner_json

Make = Callable[..., RestClient]


def post(instance: RestClient, requests: list[dict[str, Any]], path: str = "api/now/v1/batch", **kwargs: Any) -> Any:
    answer = instance.call("POST", path, json={"batch_request_id": "7", "rest_requests": requests}, **kwargs)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_many_tables_are_read_in_one_round_trip_and_counted_apart(instance: RestClient) -> None:
    instance.sandbox.reset_requests(instance.name)
    content = instance.batch("/api/now/table/sys_user?sysparm_limit=1", "/api/now/table/sys_user_role").json()
    assert content["batch_request_id"] == "b"
    first, second = content["serviced_requests"]
    assert (first["id"], first["status_code"], first["status_text"]) == ("0", 200, "OK")
    assert isinstance(first["execution_time"], int)
    assert {header["name"] for header in first["headers"]} >= {"Content-Type", "X-Total-Count", "Link"}
    assert len(inner_json(first)["result"]) == 1
    assert len(inner_json(second)["result"]) > 30
    assert content["unserviced_requests"] == []
    counts = instance.sandbox.requests(instance.name)
    assert counts["routes"] == {"POST /api/now/v1/batch": 1}
    assert counts["inner"] == {"GET /api/now/table/sys_user": 1, "GET /api/now/table/sys_user_role": 1}


def test_inner_writes_run_in_order_with_base64_bodies(instance: RestClient) -> None:
    body = base64.b64encode(json.dumps({"name": "A"}).encode()).decode()
    headers = [{"name": "Content-Type", "value": "application/json"}]
    content = post(
        instance,
        [
            {"id": "1", "method": "POST", "url": "/api/now/table/oauth_entity", "headers": headers, "body": body},
            {"id": "2", "method": "GET", "url": "/api/now/table/oauth_entity?sysparm_query=name=A"},
        ],
        path="api/now/batch",
    )
    created, found = content["serviced_requests"]
    assert created["status_code"] == 201
    assert len(inner_json(found)["result"]) == 1


def test_headers_of_inner_answers_can_be_left_out(instance: RestClient) -> None:
    (answered,) = post(instance, [{"id": "1", "url": "/api/now/table/sys_user", "exclude_response_headers": True}])[
        "serviced_requests"
    ]
    assert "headers" not in answered


def test_an_inner_error_leaves_the_outer_answer_at_200(instance: RestClient) -> None:
    content = instance.batch("/api/now/table/no_such", "/api/now/table/sys_user", "/elsewhere.do").json()
    assert [each["status_code"] for each in content["serviced_requests"]] == [400, 200, 400]
    assert inner_json(content["serviced_requests"][0])["error"]["message"] == "Invalid table no_such"


def test_inner_requests_have_the_callers_rights_and_no_others(instance: RestClient) -> None:
    employee = instance.user("employee")
    content = employee.batch("/api/now/table/sys_user", "/api/now/table/sys_plugins").json()
    own, forbidden = content["serviced_requests"]
    assert [row["user_name"] for row in inner_json(own)["result"]] == ["employee"]
    assert forbidden["status_code"] == 403


def test_an_inner_url_is_relative_to_the_instance_not_to_the_host(instance: RestClient) -> None:
    (answered,) = instance.batch(f"/{instance.name}/api/now/table/sys_user").json()["serviced_requests"]
    assert answered["status_code"] == 400
    (answered,) = instance.batch("api/now/table/sys_user").json()["serviced_requests"]
    assert answered["status_code"] == 200


def test_unserved_requests_are_listed(make: Make) -> None:
    instance = make(batch={"unserviced": 1})
    content = instance.batch(*["/api/now/table/sys_user"] * 3).json()
    assert [each["id"] for each in content["serviced_requests"]] == ["0"]
    assert content["unserviced_requests"] == ["1", "2"]


def test_the_output_limit_leaves_requests_unserviced(make: Make) -> None:
    instance = make(batch={"max_output": 20000})
    content = instance.batch(*["/api/now/table/sys_user_role"] * 3).json()
    assert content["unserviced_requests"]
    headers = {"X-BATCHREQUEST-MAX-OUTPUT-SIZE": "100"}
    content = make().batch("/api/now/table/sys_user_role", headers=headers).json()
    assert content["unserviced_requests"] == ["0"]


def test_the_input_limit_rejects_the_whole_batch(make: Make) -> None:
    refused = error_of(make(batch={"max_input": 100}).batch("/api/now/table/sys_user"))
    assert refused[:2] == (400, "Exception while reading request")


def test_a_refused_batch_api_and_inner_errors_by_knob(make: Make) -> None:
    assert make(batch={"disabled": True}).batch("/api/now/table/sys_user").status_code == 403
    instance = make(batch={"inner_errors": {"/api/now/table/sys_user": 500}})
    content = instance.batch("/api/now/table/sys_user", "/api/now/table/sys_user_role").json()
    assert [each["status_code"] for each in content["serviced_requests"]] == [500, 200]


def test_a_fault_can_hit_the_inside_of_a_batch_alone(make: Make) -> None:
    instance = make(faults=[{"kind": "429", "inner": True, "count": 1}])
    content = instance.batch("/api/now/table/sys_user", "/api/now/table/sys_user").json()
    assert [each["status_code"] for each in content["serviced_requests"]] == [429, 200]


@pytest.mark.parametrize("body", ["{}", '{"rest_requests": 1}', "[]", "nonsense"])
def test_a_batch_without_requests_is_a_bad_request(instance: RestClient, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert instance.call("POST", "api/now/batch", data=body, headers=headers).status_code == 400


def test_batches_do_not_nest(instance: RestClient) -> None:
    request = {"id": "1", "method": "POST", "url": "/api/now/batch"}
    assert post(instance, [request])["serviced_requests"][0]["status_code"] == 400
