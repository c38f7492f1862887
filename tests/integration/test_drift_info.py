# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_drift_info: a whole instance compared with its description in one task and one batch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import assert_alike
from tests.integration.playbooks import SHELLS, Playbooks, task

BATCH = "POST /api/now/v1/batch"
INSTANCE: dict[str, Any] = {
    "roles": [{"name": "defender_reader"}],
    "users": [{"user_name": "svc_defender", "password": "first-Pass-1", "roles": ["defender_reader"]}],
    "oauth_applications": [{"name": "Defender", "access_token_lifespan": 3600}],
    "table_acls": [{"role": "defender_reader", "tables": ["incident"]}],
}
PARTS: dict[str, Any] = {
    "preflight": {"properties": ["glide.sys.default.tz"], "tables": ["sysevent", "no_such_table"]},
    "instance": INSTANCE,
    "hardening": {"baseline": "secure_score", "exclude": ["auth.mfa_enabled"]},
}
IN_SYNC = ("object", "status", "id", "name", "actual", "verdict")
OAUTH = "com.snc.platform.security.oauth.is.active"


def test_it_finds_what_its_parts_find(playbook: Playbooks, new_instance: NewInstance) -> None:
    check = {"check_mode": True, "diff": True}
    tasks = [
        task("snow_drift_info", **PARTS, fail_on=[]),
        task("snow_drift_info", "checking", **PARTS, fail_on=[], more=check),
        task("snow_instance_info", **PARTS["preflight"]),
        task("snow_instance", **INSTANCE, more=check),
        task("snow_hardening", **PARTS["hardening"], more=check),
    ]
    runs = []
    for shell in SHELLS:
        instance = new_instance()
        runs.append((playbook(tasks, instance, shell=shell).went_well(), instance))
    assert_alike(*runs)
    run = runs[0][0]
    whole, checking, info, state, hardening = run.done
    assert whole["drift"] == state["drift"] + hardening["drift"]
    short = [row if row["status"] != "ok" else {name: row[name] for name in IN_SYNC} for row in hardening["results"]]
    assert whole["results"] == state["results"] + short
    assert whole["manual_steps"] == state["manual_steps"] + hardening["manual_steps"]
    assert (whole["instance"], whole["problems"]) == (info["instance"], info["problems"])
    assert (whole["posture"], whole["writes_left"]) == (hardening["posture"], hardening["writes_left"])
    assert whole.requests == {BATCH: 1}
    assert not whole.changed, "nothing is changed"
    assert checking.changed, "but what the other modules would do is predicted"
    assert checking["drift"] == whole["drift"]
    assert checking["diff"]["after"] == {**state["diff"]["after"], **hardening["diff"]["after"]}
    assert "glide.ui.session_timeout" in checking["diff"]["after"]["hardening"]
    assert "first-Pass-1" not in run.output


def test_nothing_is_ever_written(playbook: Playbooks, instance: Instance) -> None:
    before = instance.content()
    run = playbook([task("snow_drift_info", instance=INSTANCE, hardening={})], instance).went_well()
    assert run.last["drift"]
    assert not run.last.writes
    assert instance.content() == before


def test_an_account_that_may_only_read_is_enough(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(users={"agent": {"password": "agent-Pass-1", "roles": ["itil"]}})
    reader = {"snow_username": "agent", "snow_password": "agent-Pass-1"}
    applications = {"oauth_applications": INSTANCE["oauth_applications"]}
    tasks = [
        task("snow_instance", "correct", **applications, **reader, more={"check_mode": True, "ignore_errors": True}),
        task("snow_drift_info", "compare", instance=applications, **reader),
    ]
    run = playbook(tasks, instance).went_well()
    assert "agent may not write oauth_application Defender" in run["correct"].message
    assert {entry["object"] for entry in run["compare"]["drift"]} == {"oauth_application Defender"}


def test_an_instance_that_is_in_sync(playbook: Playbooks, instance: Instance) -> None:
    desired = {name: INSTANCE[name] for name in ("roles", "users", "oauth_applications")}
    run = playbook([task("snow_instance", **desired), task("snow_drift_info", instance=desired)], instance).went_well()
    assert run.last["drift"] == []
    assert run.last.requests == {BATCH: 1, "GET /api/now/table/sys_user": 1}, "the password is tried out"
    assert "posture" not in run.last.result, "no settings, no posture"
    assert playbook([task("snow_drift_info")], instance).went_well().last["results"] == [], "nothing desired"


def test_a_problem_fails_the_task_and_nothing_found_is_lost(playbook: Playbooks, instance: Instance) -> None:
    instance.change("sys_properties", {"name": OAUTH}, value="false")
    wrong = {"ignore_errors": True}
    tasks = [
        task("snow_drift_info", "failing", instance=INSTANCE, more=wrong),
        task("snow_drift_info", "ignored", instance=INSTANCE, ignore=["oauth_inactive"]),
        task("snow_drift_info", "noted", instance=INSTANCE, fail_on=[]),
    ]
    run = playbook(tasks, instance).went_well()
    assert run["failing"].failed
    assert "error oauth_inactive: OAuth is switched off" in run["failing"].message
    assert run["failing"]["drift"] == run["ignored"]["drift"] == run["noted"]["drift"] != []
    assert "oauth_inactive" in [problem["id"] for problem in run["failing"]["problems"]]


def test_a_table_that_is_refused_leaves_its_objects_unproven(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(acl={"deny_table": {"oauth_entity": "403"}})
    run = playbook([task("snow_drift_info", **{**PARTS, "preflight": {"tables": ["oauth_entity"]}})], instance)
    done = run.went_well().last
    unproven = {entry["object"].partition(" ")[0]: entry["reason"] for entry in done["unproven"]}
    assert "oauth_entity" in unproven["oauth_application"]
    assert "problem" in unproven, "table_refused:oauth_entity"
    assert done["instance"]["release"]["family"] == "zurich"
    assert done.requests == {BATCH: 1}, "what was answered is not asked again"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"instance": {"rolls": []}}, "instance: rolls. Supported parameters include"),
        ({"instance": {"users": [{"password": "unnamed-Pass-1"}]}}, "instance: missing required arguments: user_name"),
        ({"hardening": {"baseline": "best"}}, "hardening: value of baseline must be one of"),
        ({"hardening": {"ids": ["session.idle"]}}, "session.idle"),
        ({"preflight": {"tables": {"a": 1}}}, "preflight: "),
        ({"fail_on": ["fatal"]}, "value of fail_on must be one or more of"),
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_invalid_input_is_refused_before_the_first_request(
    playbook: Playbooks, instance: Instance, parts: dict[str, Any], words: str, shell: str
) -> None:
    run = playbook([task("snow_drift_info", **parts)], instance, shell=shell)
    assert run.last.failed
    assert words in run.last.message
    assert run.last.requests == {}
    assert "unnamed-Pass-1" not in run.output
