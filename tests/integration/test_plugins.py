# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_plugins: activations of plugins and installations of applications."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import Playbooks, Task, task

API_KEY, REQUEST_ONLY = "com.glide.tokenbased_auth", "com.glide.explicit_roles"


def plugins(*ids: str, applications: tuple[dict[str, str], ...] = (), **more: Any) -> Task:
    options = {"plugins": [{"id": each} for each in ids], "applications": list(applications), "poll_interval": 0.02}
    return task("snow_plugins", **options, **more)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["status"] for entry in result["results"]}


@pytest.mark.parametrize("literal", ["active", "true"])
def test_what_is_there_already_is_left_alone(playbook: Playbooks, new_instance: NewInstance, literal: str) -> None:
    instance = new_instance(plugin_literal=literal)
    run = playbook([plugins("com.glide.rest", applications=({"scope": "sn_vsc"},))], instance).went_well()
    assert statuses(run.last.result) == {"com.glide.rest": "ok", "sn_vsc": "ok"}
    assert not run.last.changed
    assert run.last.requests == {"POST /api/now/v1/batch": 1}


def test_plugins_are_activated_and_applications_installed(playbook: Playbooks, new_instance: NewInstance) -> None:
    applications = ({"scope": "sn_vsc", "version": "3.3.0"}, {"scope": "sn_vulc"})
    run, instance = run_lifecycle(
        playbook, new_instance, {**plugins(API_KEY, applications=applications), "name": "activate"}, cicd={"steps": 3}
    )
    done = run["activate: real"]
    assert statuses(done.result) == {API_KEY: "changed", "sn_vsc": "changed", "sn_vulc": "changed"}
    assert statuses(run["activate: again"].result) == {API_KEY: "ok", "sn_vsc": "ok", "sn_vulc": "ok"}
    assert done["drift"][1] == {"object": "application sn_vsc", "field": "state", "before": "3.2.1", "after": "3.3.0"}
    assert instance.row("v_plugin", id=API_KEY)["active"] == "active"
    assert instance.row("sys_store_app", scope="sn_vsc")["version"] == "3.3.0"
    shown = [line for line in run.output.splitlines() if f"plugin {API_KEY}:" in line]
    assert any("Pending 0 %" in line for line in shown), "progress is shown while an activation runs"
    assert any("Running" in line and instance.name in line for line in shown)
    assert "Successful after" in shown[-1]


def test_an_older_application_is_not_restored(playbook: Playbooks, new_instance: NewInstance) -> None:
    refused = playbook([plugins(applications=({"scope": "sn_vsc", "version": "3.1.0"},))], new_instance()).last
    assert refused.failed
    assert "3.2.1 is installed and newer than 3.1.0" in refused.message
    assert not refused.writes


@pytest.mark.parametrize("answer", ["failed", "405"])
def test_what_only_support_activates_becomes_a_manual_step(
    playbook: Playbooks, new_instance: NewInstance, answer: str
) -> None:
    instance = new_instance(cicd={"request_only_answer": answer})
    run = playbook([plugins(REQUEST_ONLY, API_KEY)], instance).went_well()
    assert statuses(run.last.result) == {REQUEST_ONLY: "request_only", API_KEY: "changed"}
    (step,) = run.last["manual_steps"]
    assert step["where"] == "Now Support > Service Catalog > Activate Plugin"
    assert step["values"] == {"Instance": instance.access.url, "Plugin or application": REQUEST_ONLY}
    again = playbook([plugins(REQUEST_ONLY, API_KEY)], instance).went_well().last
    assert not again.changed, "a manual step is no change"
    assert len(again["manual_steps"]) == 1


def test_what_the_instance_is_not_entitled_to_becomes_a_manual_step(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(cicd={"not_entitled": ["sn_vulc"]})
    run = playbook([plugins(applications=({"scope": "sn_vulc"},))], instance).went_well()
    assert statuses(run.last.result) == {"sn_vulc": "not_entitled"}
    assert run.last["manual_steps"][0]["where"] == "ServiceNow Store > Get"
    assert not run.last.changed


@pytest.mark.parametrize("style", ["result", "error"])
def test_an_unknown_plugin_fails_and_the_others_are_activated(
    playbook: Playbooks, new_instance: NewInstance, style: str
) -> None:
    instance = new_instance(cicd={"error_style": style})
    failed = playbook([plugins("com.acme.nothing", API_KEY)], instance).last
    assert failed.failed
    assert f"{instance.name} refused to activate plugin com.acme.nothing" in failed.message
    assert "check the id" in failed.message
    assert "Traceback" not in failed.message
    assert statuses(failed.result) == {"com.acme.nothing": "failed", API_KEY: "changed"}
    assert instance.row("v_plugin", id=API_KEY)["active"] == "active"


@pytest.mark.parametrize(
    ("knobs", "options", "words"),
    [
        ({"outcome": "3"}, {}, "ended with Failed: The operation failed"),
        ({"outcome": "4"}, {}, "ended with Canceled"),
        (
            {"paused": True},
            {"wait_timeout": 0.05},
            "is still running after 0.05 s, which is wait_timeout",
        ),
        ({"disabled": True}, {}, "have it activated"),
    ],
    ids=["failed", "canceled", "paused", "disabled"],
)
def test_an_activation_that_does_not_end_well_reports_why(
    playbook: Playbooks, new_instance: NewInstance, knobs: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    instance = new_instance(cicd=knobs)
    failed = playbook([plugins(API_KEY, **options)], instance).last
    assert failed.failed
    assert words in failed.message
    assert instance.name in failed.message
    assert statuses(failed.result) == {API_KEY: "failed"}
    assert instance.row("v_plugin", id=API_KEY)["active"] == "inactive"


@pytest.mark.parametrize("denial", ["401", "403"])
def test_where_progress_is_denied_the_execution_tracker_is_read(
    playbook: Playbooks, new_instance: NewInstance, denial: str
) -> None:
    instance = new_instance(cicd={"progress": denial})
    run = playbook([plugins(API_KEY)], instance).went_well()
    assert statuses(run.last.result) == {API_KEY: "changed"}
    assert run.last.requests["GET /api/now/table/sys_execution_tracker"] >= 1


def test_an_id_is_never_taken_for_a_path(playbook: Playbooks, instance: Instance) -> None:
    failed = playbook([plugins("../../now/table/sys_user?x=1")], instance).last
    assert failed.failed
    assert list(failed.writes) == ["POST /api/sn_cicd/plugin/../../now/table/sys_user?x=1/activate"]
    assert instance.requests().keys() & {"POST /api/now/table/sys_user"} == set()


def test_without_waiting_the_activation_continues_alone(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance()
    run = playbook([plugins(API_KEY, wait=False)], instance).went_well()
    assert run.last.changed
    assert run.last.writes == {f"POST /api/sn_cicd/plugin/{API_KEY}/activate": 1}
    assert not any("progress" in route for route in run.last.requests)


def test_a_plugin_that_the_account_cannot_see_is_unknown_and_nothing_starts(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(users={"itil_user": {"password": "itil-Pass-1", "roles": ["itil"]}})
    account = {**instance.connection, "snow_username": "itil_user", "snow_password": "itil-Pass-1"}
    unseen = playbook([plugins(API_KEY)], {instance.name: account}).last
    assert (unseen["changed"], unseen["drift"], unseen.writes) == (False, [], {})
    assert [row["status"] for row in unseen["results"]] == ["unknown"]
    assert any(f"whether plugin {API_KEY} is active is unknown" in warning for warning in unseen["warnings"])
