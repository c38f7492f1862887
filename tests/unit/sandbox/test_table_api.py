# SPDX-License-Identifier: GPL-3.0-or-later
"""The Table API (docs/facts/servicenow_platform.md#table-api)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.client import JSON, RestClient, error_of

Make = Callable[..., RestClient]
APPLICATION = "oauth_entity"


def test_all_values_are_strings_and_unknown_columns_are_dropped(instance: RestClient) -> None:
    row = instance.insert(APPLICATION, {"name": "A", "access_token_lifespan": 3600, "active": True, "bogus": "x"})
    assert row["access_token_lifespan"] == "3600"
    assert row["active"] == "true"
    assert "bogus" not in row
    assert re.fullmatch("[0-9a-f]{32}", row["client_id"])
    assert row["sys_mod_count"] == "0"
    assert row["sys_created_by"] == "svc_ansible"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["sys_created_on"])


def test_an_insert_answers_201_with_the_location_of_the_row(instance: RestClient) -> None:
    answer = instance.table(APPLICATION, method="POST", body={"name": "A"})
    assert answer.status_code == 201
    assert (
        answer.headers["Location"] == f"{instance.url}/api/now/table/oauth_entity/{answer.json()['result']['sys_id']}"
    )


def test_put_and_patch_both_update_only_what_they_name(instance: RestClient) -> None:
    row = instance.insert(APPLICATION, {"name": "A", "comments": "first"})
    for method in ("PUT", "PATCH"):
        answer = instance.table(APPLICATION, row["sys_id"], method=method, body={"comments": method})
        assert answer.status_code == 200
        assert (answer.json()["result"]["name"], answer.json()["result"]["comments"]) == ("A", method)


def test_the_update_count_increases_only_on_a_real_change(instance: RestClient) -> None:
    row = instance.insert(APPLICATION, {"name": "A", "active": "true"})
    same = instance.update(APPLICATION, row["sys_id"], {"name": "A", "active": True})
    assert same["sys_mod_count"] == "0"
    assert instance.update(APPLICATION, row["sys_id"], {"name": "B"})["sys_mod_count"] == "1"


def test_an_empty_string_clears_a_column(instance: RestClient) -> None:
    row = instance.insert(APPLICATION, {"name": "A", "comments": "text"})
    assert instance.update(APPLICATION, row["sys_id"], {"comments": ""})["comments"] == ""


def test_delete_answers_204_and_the_row_is_gone(instance: RestClient) -> None:
    row = instance.insert(APPLICATION, {"name": "A"})
    answer = instance.table(APPLICATION, row["sys_id"], method="DELETE")
    assert (answer.status_code, answer.content) == (204, b"")
    gone = error_of(instance.table(APPLICATION, row["sys_id"]))
    assert gone == (404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def test_references_are_objects_with_a_link_unless_excluded(instance: RestClient) -> None:
    admin = instance.row("sys_user", "user_name=employee", sysparm_fields="manager")["manager"]
    assert admin["link"] == f"{instance.url}/api/now/table/sys_user/{admin['value']}"
    plain = instance.row("sys_user", "user_name=employee", sysparm_exclude_reference_link="true")
    assert plain["manager"] == admin["value"]
    assert instance.row("sys_user", "user_name=guest")["manager"] == ""


def test_display_values_replace_or_accompany_the_values(instance: RestClient) -> None:
    query = "user_name=employee"
    shown = instance.row("sys_user", query, sysparm_display_value="true", sysparm_fields="manager,notification")
    assert shown["manager"]["display_value"] == "Service Owner"
    assert "value" not in shown["manager"]
    both = instance.row("sys_user", query, sysparm_display_value="all", sysparm_fields="manager,active")
    assert set(both["manager"]) == {"display_value", "link", "value"}
    assert both["active"] == {"display_value": "true", "value": "true"}
    bare = {"sysparm_display_value": "true", "sysparm_exclude_reference_link": "true", "sysparm_fields": "manager"}
    assert instance.row("sys_user", query, **bare) == {"manager": "Service Owner"}


def test_display_values_use_the_callers_time_zone_and_format(instance: RestClient) -> None:
    berlin = instance.user("berlin", roles=["admin"], time_zone="Europe/Berlin")
    shown = berlin.row("incident", "number=INC0010001", sysparm_display_value="all")
    assert shown["opened_at"] == {"display_value": "2025-01-15 09:00:00", "value": "2025-01-15 08:00:00"}
    assert shown["state"]["display_value"] == "In Progress"
    written = berlin.insert("incident", {"due_date": "2026-07-01 12:00:00"}, sysparm_input_display_value="true")
    assert written["due_date"] == "2026-07-01 10:00:00"
    assert instance.insert("incident", {"due_date": "2026-07-01 12:00:00"})["due_date"] == "2026-07-01 12:00:00"


def test_dot_walked_fields_come_back_as_flat_keys_and_unknown_ones_not_at_all(instance: RestClient) -> None:
    row = instance.row(
        "sys_user", "user_name=employee", sysparm_fields="manager.user_name,bogus,manager.bogus,user_name"
    )
    assert row == {"manager.user_name": "service_owner", "user_name": "employee"}


def test_pairs_filter_by_value_or_display_value_unless_a_query_is_given(instance: RestClient) -> None:
    by_name = instance.table("incident", caller_id="Plain Employee", sysparm_fields="number").json()["result"]
    assert [row["number"] for row in by_name] == ["INC0010001", "INC0010002"]
    by_label = instance.table("incident", state="New", sysparm_fields="number").json()["result"]
    assert [row["number"] for row in by_label] == ["INC0010002"]
    assert len(instance.table("incident", state="New", sysparm_query="numberISNOTEMPTY").json()["result"]) == 3


def test_a_child_row_is_visible_through_its_parent_table(instance: RestClient) -> None:
    child = instance.insert("oauth_jwt", {"name": "JWT", "clock_skew": "10"})
    parent = instance.row(APPLICATION, "name=JWT")
    assert (parent["sys_id"], parent["sys_class_name"]) == (child["sys_id"], "oauth_jwt")
    assert "clock_skew" not in parent
    assert instance.table(APPLICATION, child["sys_id"]).status_code == 200
    assert instance.rows("task", "sys_class_nameINSTANCEOFincident")


def test_paging_counts_and_links(instance: RestClient) -> None:
    answer = instance.table("sys_user_role", sysparm_query="ORDERBYsys_id", sysparm_limit=10, sysparm_offset=10)
    total = int(answer.headers["X-Total-Count"])
    assert len(answer.json()["result"]) == 10
    links = {
        relation: int(offset) for offset, relation in re.findall(r'offset=(\d+)>;rel="(\w+)"', answer.headers["Link"])
    }
    assert links == {"first": 0, "prev": 0, "next": 20, "last": (total - 1) // 10 * 10}
    quiet = instance.table("sys_user_role", sysparm_no_count="true", sysparm_suppress_pagination_header="true")
    assert "X-Total-Count" not in quiet.headers
    assert "Link" not in quiet.headers


def test_an_empty_list_is_404_in_version_one_only(instance: RestClient) -> None:
    for path, status in (("api/now/table", 200), ("api/now/v2/table", 200), ("api/now/v1/table", 404)):
        assert instance.call("GET", f"{path}/sys_user?sysparm_query=user_name=nobody").status_code == status


def test_head_and_method_override(instance: RestClient) -> None:
    head = instance.call("HEAD", "api/now/table/sys_user")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["X-Total-Count"]) > 5
    row = instance.insert(APPLICATION, {"name": "A"})
    headers = {**JSON, "X-HTTP-Method-Override": "PATCH"}
    path = f"api/now/table/oauth_entity/{row['sys_id']}"
    assert instance.call("POST", path, headers=headers, data='{"name":"B"}').json()["result"]["name"] == "B"


def test_a_write_can_request_an_empty_body(instance: RestClient) -> None:
    headers = {**JSON, "X-no-response-body": "true"}
    answer = instance.call("POST", "api/now/table/oauth_entity", headers=headers, data='{"name":"A"}')
    assert (answer.status_code, answer.content) == (201, b"")
    assert instance.row(APPLICATION, "name=A")


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "status", "message"),
    [
        ("GET", "api/now/table/no_such_table", {}, 400, "Invalid table no_such_table"),
        ("GET", "api/now/nothing", {}, 400, "Requested URI does not represent any resource"),
        ("GET", "api/now/table", {}, 400, "Requested URI does not represent any resource"),
        ("POST", "api/now/table/sys_user", {"headers": JSON, "data": "{"}, 400, "Exception while reading request"),
        ("POST", "api/now/table/sys_user", {"headers": JSON}, 400, "Exception while reading request"),
        ("POST", "api/now/table/sys_user", {"headers": {"Content-Type": "text/plain"}, "data": "x"}, 415, None),
        ("GET", "api/now/table/sys_user", {"headers": {"Accept": "application/xml"}}, 406, None),
        ("DELETE", "api/now/table/sys_user", {}, 405, "Method not Supported"),
        ("PATCH", "api/now/table/sys_user", {"headers": JSON, "data": "{}"}, 405, "Method not Supported"),
    ],
)
def test_errors_match_the_documentation_verbatim(
    instance: RestClient, method: str, path: str, kwargs: dict[str, Any], status: int, message: str | None
) -> None:
    found = error_of(instance.call(method, path, **kwargs))
    assert found[0] == status
    assert message is None or found[1] == message


def test_of_an_array_only_the_first_record_is_used(instance: RestClient) -> None:
    answer = instance.call("POST", "api/now/table/oauth_entity", headers=JSON, data='[{"name":"A"},{"name":"B"}]')
    assert answer.status_code == 201
    assert not instance.rows(APPLICATION, "name=B")


def test_a_body_over_the_limit_is_rejected_with_its_size(instance: RestClient) -> None:
    body = '{"name":"' + "x" * (11 * 1024 * 1024) + '"}'
    status, message, detail = error_of(instance.call("POST", "api/now/table/oauth_entity", headers=JSON, data=body))
    assert (status, message) == (400, "Exception while reading request")
    assert (
        detail == f"Rejected large REST payload with content-length = {len(body)} bytes. Max allowed: 10485760 bytes."
    )


def test_a_query_too_long_for_a_url_is_414_and_its_tiny_form_works(instance: RestClient) -> None:
    long = "user_nameINadmin," + ",".join(f"user{number}" for number in range(4000))
    assert instance.table("sys_user", sysparm_query=long).status_code == 414
    body = {"url": f"api/now/table/sys_user?sysparm_query={long}&sysparm_fields=user_name"}
    tiny = instance.call("POST", "api/now/tinyurl", json=body)
    assert tiny.status_code == 201
    assert instance.call("GET", tiny.json()["result"]).json() == {"result": [{"user_name": "admin"}]}


def test_choices_and_references_are_read_as_display_values_on_request(instance: RestClient) -> None:
    body = {"name": "A", "type": "OAuth Provider", "user": "Service Owner"}
    row = instance.insert(APPLICATION, body, sysparm_input_display_value="true")
    owner = instance.row("sys_user", "user_name=service_owner")["sys_id"]
    assert (row["type"], row["user"]["value"]) == ("oauth_provider", owner)
    # A sys_id is not a display value.
    assert instance.insert(APPLICATION, {"name": "B", "user": owner}, sysparm_input_display_value="true")["user"] == ""


@pytest.mark.parametrize(("choice", "stored"), [("store", "nonsense"), ("drop", "client")])
def test_an_unknown_choice_is_stored_or_dropped(make: Make, choice: str, stored: str) -> None:
    assert make(choice=choice).insert(APPLICATION, {"name": "A", "type": "nonsense"})["type"] == stored


def test_names_of_applications_are_not_unique_but_user_names_are(make: Make) -> None:
    instance = make(dup=["Twin"])
    assert len(instance.rows(APPLICATION, "name=Twin")) == 2
    status, message, detail = error_of(instance.table("sys_user", method="POST", body={"user_name": "GUEST"}))
    assert (status, message) == (403, "Operation Failed")
    assert detail.startswith("Operation against file 'sys_user' was aborted by Business Rule '")


def test_the_invalid_query_property_turns_everything_into_nothing(make: Make) -> None:
    assert len(make().rows("sys_user", "bogus=1")) > 5
    assert make(invalid_query="no_rows").rows("sys_user", "bogus=1") == []


def test_a_data_policy_refuses_what_lacks_its_columns(instance: RestClient) -> None:
    incident = instance.row("incident", "number=INC0010002")["sys_id"]
    status, message, detail = error_of(instance.table("incident", incident, method="PATCH", body={"state": "6"}))
    assert (status, message) == (403, "Operation Failed")
    assert detail.startswith("Data Policy Exception: ")
    resolved = {"state": "6", "close_code": "Solution provided", "close_notes": "done"}
    assert instance.update("incident", incident, resolved)["incident_state"] == "6"


def test_tickets_get_numbers_priorities_and_journals(instance: RestClient) -> None:
    row = instance.insert("incident", {"short_description": "x", "impact": "1", "urgency": "2", "work_notes": "seen"})
    assert row["number"] == "INC0010004"
    assert (row["priority"], row["state"], row["incident_state"], row["work_notes"]) == ("2", "1", "1", "")
    journal = instance.row("sys_journal_field", f"element_id={row['sys_id']}")
    assert (journal["element"], journal["value"]) == ("work_notes", "seen")
    assert instance.insert("problem", {})["state"] == "101"
    change = instance.insert("change_request", {})
    assert (change["number"], change["state"], change["type"]) == ("CHG0030001", "-5", "normal")


def test_the_dictionary_lists_the_columns_of_the_release(make: Make) -> None:
    query = "name=oauth_entity^element=client_type"
    assert make().row("sys_dictionary", query)["internal_type"] == "string"
    assert make(release="xanadu").rows("sys_dictionary", query) == []
    types = {row["element"]: row["internal_type"] for row in make().rows("sys_dictionary", "name=oauth_entity")}
    assert (types["client_secret"], types["access_token_lifespan"], types["user"]) == (
        "password2",
        "integer",
        "reference",
    )


def test_without_a_sort_order_pages_can_overlap_with_the_knob(make: Make) -> None:
    instance = make(unstable_order=True)
    orders = {tuple(row["sys_id"] for row in instance.rows("sys_user_role")) for _ in range(5)}
    assert len(orders) > 1
    sorted_orders = {tuple(row["sys_id"] for row in instance.rows("sys_user_role", "ORDERBYsys_id")) for _ in range(3)}
    assert len(sorted_orders) == 1


def test_every_answer_carries_the_platforms_headers(instance: RestClient) -> None:
    headers = instance.table("sys_user").headers
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["X-Is-Logged-In"] == "true"
    assert re.fullmatch("[0-9a-f]{12}", headers["X-Transaction-ID"])
    assert "JSESSIONID=" in headers["Set-Cookie"]
    assert "glide_user_route=glide." in headers["Set-Cookie"]
    refused = instance.as_user("admin", "wrong").table("sys_user")
    assert refused.headers["WWW-Authenticate"] == 'BASIC realm="Service-now"'
