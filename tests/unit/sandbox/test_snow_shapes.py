# SPDX-License-Identifier: GPL-3.0-or-later
"""What other clients of ServiceNow use besides the tables of this collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from tests.unit.sandbox.client import RestClient

FILE = "api/now/attachment"
# Columns of an incident as documented for GET, beyond those that this collection writes.
COLUMNS = """
activity_due additional_assignee_list approval_history approval_set business_duration business_impact business_service
business_stc calendar_duration calendar_stc caused_by cause child_incidents comments_and_work_notes contract delivery_plan
delivery_task escalation expected_start follow_up group_list order origin_id origin_table parent_incident reopened_by
reopened_time route_reason service_offering sla_due sys_domain_path task_effective_number time_worked universal_request
user_input work_end work_notes_list work_start
"""


def test_an_incident_has_all_its_columns(instance: RestClient) -> None:
    row = instance.insert("incident", {"short_description": "Printer", "user_input": "x", "escalation": "2"})
    assert not set(COLUMNS.split()) - set(row)
    assert (row["user_input"], row["escalation"], row["task_effective_number"]) == ("x", "2", row["number"])
    child = instance.insert("incident", {"parent_incident": row["sys_id"]})
    assert child["parent_incident"]["value"] == row["sys_id"]


def test_tasks_of_changes_and_problems_have_numbers_and_states(instance: RestClient) -> None:
    change = instance.insert("change_request", {"short_description": "Patch"})
    task = instance.insert("change_task", {"change_request": change["sys_id"]})
    assert task["number"].startswith("CTASK") and (task["state"], task["active"]) == ("1", "true")
    closed = instance.update("change_task", task["sys_id"], {"state": "3"})
    assert (closed["active"], bool(closed["closed_at"])) == ("false", True)
    other = instance.insert("problem_task", {"short_description": "Look"})
    assert other["number"].startswith("PTASK") and other["state"] == "151"
    assert instance.row("task", f"number={task['number']}")["sys_class_name"] == "change_task"


def test_a_standard_change_refers_to_the_version_of_its_template(instance: RestClient) -> None:
    template = instance.row("std_change_record_producer", "name=Rotate a certificate")
    path = f"api/sn_chg_rest/change/standard/{template['sys_id']}"
    answer = instance.call("POST", path, json={}, headers={"Accept": "application/json"})
    version = answer.json()["result"]["std_change_producer_version"]
    assert version["display_value"] == "Rotate a certificate - 1"
    row = instance.row("std_change_producer_version", f"std_change_producer={template['sys_id']}")
    assert row["sys_id"] == version["value"]


def test_a_user_has_preferences_of_his_own(make: Callable[..., RestClient]) -> None:
    instance = make(users={"worker": {"password": "Password-1", "roles": ["itil"]}})
    worker = instance.as_user("worker", "Password-1")
    admin = instance.row("sys_user", "user_name=admin")["sys_id"]
    mine = instance.row("sys_user", "user_name=worker")["sys_id"]
    for user in (admin, mine):
        instance.insert("sys_user_preference", {"user": user, "name": "rowcount", "value": "50"})
    assert [row["user"]["value"] for row in worker.rows("sys_user_preference")] == [mine]


def test_a_file_is_attached_read_and_deleted(instance: RestClient) -> None:
    record = instance.insert("incident", {"short_description": "Printer"})["sys_id"]
    query = {"table_name": "incident", "table_sys_id": record, "file_name": "a.txt"}
    content = b"one\ntwo"
    plain = {"Accept": "application/json", "Content-Type": "text/plain"}
    answer = instance.call("POST", f"{FILE}/file", params=query, data=content, headers=plain)
    assert answer.status_code == 201
    row = answer.json()["result"]
    assert (row["file_name"], row["size_bytes"], row["hash"]) == ("a.txt", "7", hashlib.sha256(content).hexdigest())
    assert answer.headers["Location"].endswith(row["sys_id"])
    listed = instance.call("GET", FILE, params={"sysparm_query": f"table_sys_id={record}"})
    assert listed.headers["X-Total-Count"] == "1" and listed.json()["result"][0]["download_link"].endswith("/file")
    read = instance.call("GET", f"{FILE}/{row['sys_id']}/file")
    assert read.content == content and json.loads(read.headers["X-Attachment-Metadata"])["sys_id"] == row["sys_id"]
    assert instance.call("DELETE", f"{FILE}/{row['sys_id']}").status_code == 204
    assert instance.call("GET", f"{FILE}/{row['sys_id']}").status_code == 404


def test_a_file_comes_in_a_form_too(instance: RestClient) -> None:
    record = instance.insert("incident", {"short_description": "Printer"})["sys_id"]
    form = {"table_name": "incident", "table_sys_id": record}
    answer = instance.call("POST", f"{FILE}/upload", data=form, files={"file": ("b.png", b"\x89PNG", "image/png")})
    assert answer.status_code == 201 and answer.json()["result"]["content_type"] == "image/png"


def test_a_file_requires_the_record_and_the_right_to_change_it(make: Callable[..., RestClient]) -> None:
    instance = make(users={"reader": {"password": "Password-1", "roles": ["sn_incident_read"]}})
    record = instance.insert("incident", {"short_description": "Printer"})["sys_id"]
    query = {"table_name": "incident", "table_sys_id": record, "file_name": "a.txt"}
    headers = {"Content-Type": "text/plain"}
    reader = instance.as_user("reader", "Password-1")
    assert reader.call("POST", f"{FILE}/file", params=query, data=b"x", headers=headers).status_code == 403
    query["table_sys_id"] = "0" * 32
    assert instance.call("POST", f"{FILE}/file", params=query, data=b"x", headers=headers).status_code == 404
    del query["file_name"]
    assert instance.call("POST", f"{FILE}/file", params=query, data=b"x", headers=headers).status_code == 400
