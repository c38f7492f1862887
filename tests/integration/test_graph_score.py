# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Score, which follows the settings of connected instances, and the marks of its controls."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.graph import GraphTenant, assert_predicted_then_done_then_in_sync
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, Task, task
from tests.sandbox.process import SandboxProcess

IGNORED = {"ignore_errors": True}
TIMEOUT, COOKIE, HIGH = (
    f"MDA_SNOW_{name}" for name in ("uiSessionTimeout", "userCookieMaxLifeSpanInDays", "highSecurity")
)


def marks(name: str, *controls: dict[str, Any], **options: Any) -> Task:
    return task("graph_secure_score_controls", name, controls=list(controls), **options)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_score_agrees_with_the_instance_to_the_point(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, shell: str
) -> None:
    tenant, instance = GraphTenant(sandbox), new_instance()
    tenant.connect(instance)
    looked = playbook([task("snow_hardening_info", baseline="secure_score")], instance).went_well()
    posture = looked["snow_hardening_info"].result
    settings = {instance.name: posture["settings"]}
    run = tenant.run(playbook, [task("graph_secure_score_info", settings=settings)], shell=shell).went_well()
    done = run.last
    points = posture["posture"]["secure_score"]
    assert done["score"]["points"] == points["points"]
    assert done["score"]["max_points"] == points["possible_points"] == 114
    assert done["score"]["controls"] == done["score"]["scored_controls"] == 22
    assert done["score"]["points_left"] == 114 - points["points"] > 0
    for control in done["controls"]:
        verdict = control["instances"][instance.name]
        assert (verdict == "compliant") == (control["score"] == control["max_score"]), control
        assert control["known"]
        assert control["setting"]["hardening_id"]
    assert "no control of Secure Score exists for it" in done["notes"][0]
    assert (done.changed, done["api_calls"]["write"]) == (False, 0)
    assert sum(done.requests.values()) <= 3, "a token and two lists"


def test_both_shells_report_the_same(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox, graph_page=10)
    looks = [task("graph_secure_score_info"), task("graph_secure_score_info", "other", service="azuread")]
    runs = [tenant.run(playbook, looks, shell=shell).went_well() for shell in SHELLS]
    here, there = ([{**done.result, "api_calls": 0} for done in run.done] for run in runs)
    assert here == there
    assert here[0]["msg"] == "MDA_SNOW: 22 controls, none has a score yet"
    assert {control["id"] for control in here[1]["controls"]} >= {"AdminMFAV2", "BlockLegacyAuthentication"}
    assert here[1]["score"]["points"] == 15


def test_what_microsoft_changes_is_reported(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """A control that is gone, one that is retired, and an unknown one."""
    tenant = GraphTenant(sandbox, score_retired=[HIGH], score_unknown=["MDA_SNOW_brandNew"])
    tenant.run(playbook, [task("graph_secure_score_info")]).went_well()
    gone = tenant.run(playbook, [task("graph_secure_score_info")]).last
    new = {control["id"]: control for control in gone["controls"]}
    assert (new["MDA_SNOW_brandNew"]["known"], new["MDA_SNOW_brandNew"]["setting"]) == (False, None)
    assert any(f"does not list {HIGH}" in note for note in gone["notes"])
    sandbox.turn_tenant(score_retired_as="deprecated")
    retired = tenant.run(playbook, [task("graph_secure_score_info")]).last
    assert [control["id"] for control in retired["controls"] if control["deprecated"]] == [HIGH]


@pytest.mark.parametrize("shell", SHELLS)
def test_controls_are_marked_and_the_mark_is_taken_away(
    playbook: Playbooks, sandbox: SandboxProcess, shell: str
) -> None:
    tenant = GraphTenant(sandbox)
    steps = [
        marks(
            "mark",
            {"id": TIMEOUT, "state": "ThirdParty", "comment": "by the proxy"},
            {"id": COOKIE, "state": "Ignored"},
        ),
        marks("comment", {"id": TIMEOUT, "state": "ThirdParty", "comment": "by another proxy"}),
        marks("take away", {"id": TIMEOUT, "state": "Default", "comment": ""}),
    ]
    tasks = [each for step in steps for each in predicted_and_done(step)]
    run = tenant.run(playbook, [*tasks, task("graph_secure_score_info")], shell=shell).went_well()
    for step in steps:
        assert_predicted_then_done_then_in_sync(run, step["name"])
    assert run["mark: real"]["api_calls"]["write"] == 2
    assert run["comment: real"]["drift"] == [
        {"object": f"control {TIMEOUT}", "field": "comment", "before": "by the proxy", "after": "by another proxy"}
    ]
    states = {control["id"]: control["state"] for control in run.last["controls"]}
    assert (states[TIMEOUT], states[COOKIE], states[HIGH]) == ("Default", "Ignored", "Default")


def test_unknown_controls_and_missing_rights_are_refused_before_anything_is_written(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    tenant = GraphTenant(sandbox, graph_permissions=["SecurityEvents.Read.All"])
    good = {"id": TIMEOUT, "state": "Reviewed"}
    cases = [
        marks("unknown", good, {"id": "MDA_SNOW_highsecurity", "state": "Ignored"}, more=IGNORED),
        marks("no right", good, more=IGNORED),
        marks("no such state", {"id": TIMEOUT, "state": "Done"}, more=IGNORED),
    ]
    run = tenant.run(playbook, cases)
    assert f"'MDA_SNOW_highsecurity' (did you mean {HIGH}" in run["unknown"].message
    assert (
        "The call requires the permission SecurityEvents.ReadWrite.All of Microsoft Graph. Grant it"
        in run["no right"].message
    )
    assert "value of state must be one of: Default, Ignored, ThirdParty, Reviewed" in run["no such state"].message
    sandbox.turn_tenant(graph_permissions=[])
    blind = tenant.run(playbook, [task("graph_secure_score_info", more=IGNORED)])
    assert "The call requires the permission SecurityEvents.Read.All" in blind.last.message
