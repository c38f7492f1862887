# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins and store applications (docs/facts/servicenow_platform.md#plugins-and-applications)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import ManualStep, Result
from tests.unit.plugins.module_utils.builders import plugins
from tests.unit.plugins.module_utils.fake_store import Platform, shown

STEP = ManualStep("plugin:com.x", "Have plugin com.x activated on acme-dev", "on request", "Now Support", {})


@pytest.fixture
def platform() -> Platform:
    return Platform()


def statuses(result: Result) -> dict[str, str]:
    return {entry["name"]: entry["status"] for entry in result.output["results"]}


def installed(version: str | None = None) -> Any:
    return plugins(applications=[{"scope": "x_app", "version": version}])


@pytest.mark.parametrize("active", ["active", "true", "Active", "1"])
@pytest.mark.parametrize(("table", "column"), [("v_plugin", "id"), ("sys_plugins", "source")])
def test_a_plugin_that_either_table_shows_active_is_active(
    platform: Platform, table: str, column: str, active: str
) -> None:
    platform.add(table, **{column: "com.x", "active": active})
    result = platform.ensure(plugins("com.x"))
    assert (statuses(result), result.changed, platform.log) == ({"com.x": "ok"}, False, [])


@pytest.mark.parametrize("active", ["inactive", "false", "", None])
def test_a_plugin_that_is_not_is_activated(platform: Platform, active: str | None) -> None:
    if active is not None:
        platform.add("v_plugin", id="com.x", active=active)
    predicted = platform.ensure(plugins("com.x"), check=True)
    assert platform.log == []
    result = platform.ensure(plugins("com.x"))
    assert shown(predicted) == shown(result)
    assert statuses(result) == {"com.x": "changed"}
    assert platform.log == [("perform", "v_plugin", {"path": "/api/sn_cicd/plugin/com.x/activate"})]
    assert not platform.ensure(plugins("com.x")).changed


def test_a_list_that_lags_behind_does_not_turn_a_success_into_an_error(platform: Platform) -> None:
    platform.lists_late = True
    assert statuses(platform.ensure(plugins("com.x"), check=False)) == {"com.x": "changed"}
    assert len(platform.log) == 1


@pytest.mark.parametrize(
    ("there", "wanted", "status", "query"),
    [
        (None, None, "changed", {"scope": "x_app"}),
        (None, "1.2", "changed", {"scope": "x_app", "version": "1.2"}),
        ("1.1", "1.2", "changed", {"scope": "x_app", "version": "1.2"}),
        ("1.9", "1.10", "changed", {"scope": "x_app", "version": "1.10"}),
        ("1.2", "1.2", "ok", None),
        ("1.2", None, "ok", None),
    ],
)
def test_an_application_is_installed_or_brought_to_its_version(
    platform: Platform, there: str | None, wanted: str | None, status: str, query: dict[str, str] | None
) -> None:
    if there:
        platform.add("sys_store_app", scope="x_app", version=there)
    result = platform.ensure(installed(wanted))
    assert statuses(result) == {"x_app": status}
    # Parameters must be in the query string (docs/facts/servicenow_platform.md#cicd-api).
    assert [values for _verb, _table, values in platform.log] == (
        [{"path": "/api/sn_cicd/app_repo/install", **query}] if query else []
    )


def test_going_back_a_version_is_refused_before_anything_is_done(platform: Platform) -> None:
    platform.add("sys_store_app", scope="x_app", version="1.10.0")
    with pytest.raises(InvalidInput, match=r"1.10.0 is installed and newer than 1.9.3; a downgrade is a rollback"):
        platform.ensure(plugins("com.x", applications=[{"scope": "x_app", "version": "1.9.3"}]))
    assert platform.log == []


def test_what_requires_a_support_request_is_a_manual_step_and_stops_nothing(platform: Platform) -> None:
    platform.refuses["com.x"] = Refused("acme-dev refused", status="request_only", step=STEP)
    result = platform.ensure(plugins("com.x", "com.y"))
    assert statuses(result) == {"com.x": "request_only", "com.y": "changed"}
    assert result.manual_steps == [STEP]
    assert result.changed


def test_a_manual_step_alone_is_no_failure(platform: Platform) -> None:
    platform.refuses["com.x"] = Refused("acme-dev refused", status="not_entitled", step=STEP)
    result = platform.ensure(plugins("com.x"))
    assert (statuses(result), result.changed) == ({"com.x": "not_entitled"}, False)


def test_an_activation_that_broke_fails_the_run_after_all_others_were_tried(platform: Platform) -> None:
    platform.refuses["com.x"] = Refused("acme-dev: plugin com.x ended with Failed", status="failed")
    with pytest.raises(EngineError, match="plugin com.x ended with Failed") as caught:
        platform.ensure(plugins("com.x", "com.y"))
    assert {e["name"]: e["status"] for e in caught.value.output["results"]} == {"com.x": "failed", "com.y": "changed"}


@pytest.mark.parametrize("closed", [{"v_plugin", "sys_plugins"}, {"v_plugin"}])
def test_a_plugin_whose_state_is_hidden_is_unknown_and_not_written(platform: Platform, closed: set[str]) -> None:
    platform.closed = closed
    result = platform.ensure(plugins("com.x"))
    assert statuses(result) == {"com.x": "unknown"}
    assert (result.changed, result.drift, platform.log) == (False, [], [])
    assert "the account may not read v_plugin" in result.output["results"][0]["reason"]
    assert "whether plugin com.x is active is unknown" in platform.warnings[0]
    assert "in sync" not in result.msg


def test_one_table_of_plugins_is_sufficient_where_it_lists_the_plugin(platform: Platform) -> None:
    platform.closed = {"v_plugin"}
    platform.add("sys_plugins", source="com.x", active="true")
    assert statuses(platform.ensure(plugins("com.x"))) == {"com.x": "ok"}


def test_a_store_application_that_is_hidden_is_unknown(platform: Platform) -> None:
    platform.closed = {"sys_store_app"}
    assert statuses(platform.ensure(installed("1.2"))) == {"x_app": "unknown"}
    assert platform.log == []


def test_activating_requires_a_role(platform: Platform) -> None:
    platform.roles = frozenset({"itil"})
    with pytest.raises(
        Refused, match=r"may not activate plugins: it needs one of the roles sn_cicd.sys_ci_automation, admin"
    ):
        platform.ensure(plugins("com.x"))
    assert platform.log == []
