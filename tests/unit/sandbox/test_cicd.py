# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins, applications and the CI/CD API (docs/facts/servicenow_platform.md#plugins-and-applications)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]
INACTIVE = "com.snc.vulc"


def start(instance: RestClient, path: str) -> dict[str, Any]:
    answer = instance.call("POST", f"api/sn_cicd/{path}")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def poll(instance: RestClient, started: dict[str, Any]) -> dict[str, Any]:
    answer = instance.call("GET", f"api/sn_cicd/progress/{started['links']['progress']['id']}")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def test_an_activation_runs_from_pending_to_successful_and_shows_in_the_tables(instance: RestClient) -> None:
    assert instance.row("v_plugin", f"id={INACTIVE}")["active"] == "inactive"
    started = start(instance, f"plugin/{INACTIVE}/activate")
    assert (started["status"], started["status_label"], started["percent_complete"]) == ("0", "Pending", 0)
    assert started["links"]["progress"]["url"].startswith(f"{instance.url}/api/sn_cicd/progress/")
    assert poll(instance, started)["status"] == "1"
    assert instance.row("v_plugin", f"id={INACTIVE}")["active"] == "inactive"
    done = poll(instance, started)
    assert (done["status"], done["status_label"], done["percent_complete"]) == ("2", "Successful", 100)
    assert instance.row("v_plugin", f"id={INACTIVE}")["active"] == "active"
    assert instance.row("sys_plugins", f"source={INACTIVE}")["active"] == "true"


def test_the_versioned_path_and_an_active_plugin_work_too(instance: RestClient) -> None:
    started = start(instance, "v1/plugin/com.glide.rest/activate")
    assert [poll(instance, started)["status"] for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize("outcome", ["3", "4"])
def test_an_operation_may_fail_or_be_cancelled(make: Make, outcome: str) -> None:
    instance = make(cicd={"steps": 1, "outcome": outcome})
    done = poll(instance, start(instance, f"plugin/{INACTIVE}/activate"))
    assert done["status"] == outcome
    assert bool(done["error"]) is (outcome == "3")
    assert instance.row("v_plugin", f"id={INACTIVE}")["active"] == "inactive"


def test_a_paused_queue_accepts_but_does_not_run(make: Make) -> None:
    instance = make(cicd={"paused": True})
    started = start(instance, f"plugin/{INACTIVE}/activate")
    assert [poll(instance, started)["status"] for _ in range(3)] == ["0", "0", "0"]


def test_a_plugin_that_needs_a_request_fails_or_is_refused(make: Make) -> None:
    plugin = "com.glide.explicit_roles"
    instance = make(cicd={"steps": 1})
    done = poll(instance, start(instance, f"plugin/{plugin}/activate"))
    assert (done["status"], "support" in done["error"]) == ("3", True)
    refusing = make(cicd={"request_only": [INACTIVE], "request_only_answer": "405"})
    assert refusing.call("POST", f"api/sn_cicd/plugin/{INACTIVE}/activate").status_code == 405


@pytest.mark.parametrize("style", ["result", "error"])
def test_an_unknown_plugin_is_not_found_in_either_form(make: Make, style: str) -> None:
    instance = make(cicd={"error_style": style})
    answer = instance.call("POST", "api/sn_cicd/plugin/com.no.such/activate")
    assert answer.status_code == 404
    content = answer.json()
    assert "com.no.such" in (content["result"]["error"] if style == "result" else content["error"]["message"])


def test_an_application_installs_from_query_parameters_only(instance: RestClient) -> None:
    answer = instance.call("POST", "api/sn_cicd/app_repo/install", json={"scope": "sn_vul"})
    assert (answer.status_code, answer.json()["result"]["error"]) == (
        400,
        "Missing parameter: sys_id or scope required",
    )
    started = start(instance, "app_repo/install?scope=sn_vul&version=30.3.4")
    poll(instance, started)
    assert poll(instance, started)["status"] == "2"
    row = instance.row("sys_store_app", "scope=sn_vul")
    assert (row["version"], row["latest_version"], row["update_available"]) == ("30.3.4", "30.6.0", "true")
    assert instance.row("sys_scope", "scope=sn_vul")["sys_class_name"] == "sys_store_app"
    upgrade = start(instance, f"app_repo/install?sys_id={row['sys_id']}")
    assert upgrade["rollback_version"] == "30.3.4"


def test_an_application_without_entitlement_fails(make: Make) -> None:
    instance = make(cicd={"steps": 1, "not_entitled": ["sn_vul"]})
    done = poll(instance, start(instance, "app_repo/install?scope=sn_vul"))
    assert (done["status"], done["error"]) == ("3", "Not entitled to application sn_vul")
    assert instance.call("POST", "api/sn_cicd/app_repo/install?scope=no_such").status_code == 404


def test_the_api_requires_its_role(instance: RestClient) -> None:
    path = f"api/sn_cicd/plugin/{INACTIVE}/activate"
    assert instance.user("employee").call("POST", path).status_code == 403
    assert instance.user("ci", roles=["sn_cicd.sys_ci_automation"]).call("POST", path).status_code == 200


def test_switched_off_it_answers_405(make: Make) -> None:
    path = f"api/sn_cicd/plugin/{INACTIVE}/activate"
    assert make(cicd={"disabled": True}).call("POST", path).status_code == 405


@pytest.mark.parametrize("denial", ["401", "403"])
def test_without_access_to_progress_the_tracker_shows_the_same(make: Make, denial: str) -> None:
    instance = make(cicd={"progress": denial})
    started = start(instance, f"plugin/{INACTIVE}/activate")
    progress = started["links"]["progress"]["id"]
    assert instance.call("GET", f"api/sn_cicd/progress/{progress}").status_code == int(denial)
    states = [instance.row("sys_execution_tracker", f"sys_id={progress}")["state"] for _ in range(3)]
    assert states == ["1", "2", "2"]


def test_a_rollback_needs_an_earlier_version(make: Make) -> None:
    instance = make(cicd={"steps": 1})
    assert poll(instance, start(instance, "plugin/com.glide.rest/rollback"))["status"] == "3"
    assert instance.call("POST", "api/sn_cicd/app_repo/rollback?scope=sn_vsc").status_code == 400
    done = poll(instance, start(instance, "app_repo/rollback?scope=sn_vsc&version=3.1.0"))
    assert done["status"] == "2"
    assert instance.row("sys_store_app", "scope=sn_vsc")["version"] == "3.1.0"


def test_plugins_read_as_active_or_true(make: Make) -> None:
    instance = make(plugin_literal="true", plugins={INACTIVE: True, "com.glide.rest": False})
    assert instance.row("v_plugin", f"id={INACTIVE}")["active"] == "true"
    assert instance.row("v_plugin", "id=com.glide.rest")["active"] == "false"
    assert instance.row("v_plugin", "id=com.glide.high_security")["active"] == "true"
