# SPDX-License-Identifier: GPL-3.0-or-later
"""The smaller endpoints: aggregates, import sets, current user, pages.

See docs/facts/servicenow_platform.md#pages-instead-of-json, docs/facts/servicenow_platform.md#aggregate-api,
docs/facts/servicenow_platform.md#import-set-api.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.client import RestClient, error_of


def stats(instance: RestClient, table: str, **params: str) -> Any:
    answer = instance.call("GET", f"api/now/stats/{table}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_counts_and_figures_are_strings(instance: RestClient) -> None:
    assert stats(instance, "incident", sysparm_count="true") == {"stats": {"count": "3"}}
    figures = stats(instance, "incident", sysparm_avg_fields="state", sysparm_min_fields="state,severity")
    assert figures == {"stats": {"avg": {"state": "3.3333"}, "min": {"state": "1", "severity": "3"}}}
    assert stats(instance, "incident", sysparm_count="true", sysparm_query="state=1") == {"stats": {"count": "1"}}


def test_groups_have_their_fields(instance: RestClient) -> None:
    result = stats(
        instance, "incident", sysparm_count="true", sysparm_group_by="caller_id", sysparm_display_value="true"
    )
    found = {group["groupby_fields"][0]["value"]: group["stats"]["count"] for group in result}
    assert found == {"Plain Employee": "2", "Group Member": "1"}
    having = stats(
        instance, "incident", sysparm_count="true", sysparm_group_by="caller_id", sysparm_having="count^state^>^1"
    )
    assert [group["stats"]["count"] for group in having] == ["2"]
    ordered = stats(
        instance, "incident", sysparm_count="true", sysparm_group_by="caller_id", sysparm_order_by="COUNT^DESC"
    )
    assert [group["stats"]["count"] for group in ordered] == ["2", "1"]


def test_aggregates_see_only_what_the_caller_may_read(instance: RestClient) -> None:
    assert stats(instance.user("employee"), "incident", sysparm_count="true") == {"stats": {"count": "2"}}
    assert error_of(instance.call("GET", "api/now/stats/no_such"))[0] == 400


def test_an_import_set_inserts_updates_and_ignores(instance: RestClient) -> None:
    body = {"user_name": "imported", "first_name": "Im", "last_name": "Ported"}
    states = []
    for change in ({}, {"email": "imported@example.com"}, {"email": "imported@example.com"}):
        answer = instance.call("POST", "api/now/import/imp_user", json={**body, **change})
        assert answer.status_code == 201
        (result,) = answer.json()["result"]
        states.append(result["status"])
    assert states == ["inserted", "updated", "ignored"]
    assert answer.json()["import_set"].startswith("ISET")
    assert result["record_link"].endswith(f"/sys_user/{result['sys_id']}")
    assert instance.row("sys_user", "user_name=imported")["name"] == "Im Ported"


def test_the_current_user_is_the_caller(instance: RestClient) -> None:
    result = instance.user("itil_agent").call("GET", "api/now/ui/user/current_user").json()["result"]
    assert (result["user_name"], result["user_display_name"]) == ("itil_agent", "ITIL Agent")


@pytest.mark.parametrize("path", ["", "nav_to.do", "anything"])
def test_other_pages_redirect_to_the_login_page(instance: RestClient, path: str) -> None:
    answer = instance.anonymous().call("GET", path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{instance.url}/login.do")
    assert "login.do" in instance.anonymous().call("GET", "login.do").text
