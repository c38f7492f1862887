# SPDX-License-Identifier: GPL-3.0-or-later
"""The role snow_preflight: what keeps a connector from working is reported before the first change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks, Run, Task

CHECK = "Check release, account and sign-in settings"
LOOK: list[Task] = [{"name": "Check", "ansible.builtin.import_role": {"name": f"{COLLECTION}.snow_preflight"}}]


def prop(name: str, value: str) -> dict[str, Any]:
    return {"properties": {name: value}}


# problem -> knobs, what the remedy names
ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "oauth_inactive": (
        prop("com.snc.platform.security.oauth.is.active", "false"),
        "Set com.snc.platform.security.oauth.is.active to true",
    ),
    "password_grant_disabled": (
        prop("glide.oauth.inbound.ropc.grant_type.disabled", "true"),
        "Set glide.oauth.inbound.ropc.grant_type.disabled to false",
    ),
    "access_token_capped": (
        prop("glide.oauth.access_token.expire_in.system_max_seconds", "1800"),
        "Raise glide.oauth.access_token.expire_in.system_max_seconds to 3600 or more",
    ),
    "oauth_plugin_inactive": (
        {"plugins": {"com.snc.platform.security.oauth": False}},
        "Activate com.snc.platform.security.oauth",
    ),
}
WARNINGS: dict[str, dict[str, Any]] = {
    "multifactor_for_integrations": prop("glide.authenticate.multifactor.for_integrations", "true"),
    "password_reset_mandatory": prop("glide.authenticate.api.user.reset_password.mandatory", "true"),
    "basic_auth_restricted": {"basic_auth_enforced": True},
    "address_restriction": prop("glide.ip.authenticate.strict", "true"),
    "token_parameters_in_url": prop("glide.oauth.allow.parameters.in.post.body.only", "false"),
    "release_unsupported": {"release": "brazil"},
    "release_unknown": {"hide_build": True},
}


def problems(run: Run, instance: Instance) -> dict[str, str]:
    found = run.on(instance.name, CHECK)["problems"]
    assert all(entry["message"] and entry["remedy"] for entry in found)
    return {entry["id"]: entry["severity"] for entry in found}


def test_an_instance_in_order_has_no_problem(playbook: Playbooks, instance: Instance) -> None:
    run = playbook(LOOK, instance).went_well()
    assert problems(run, instance) == {}
    assert run.last.requests == {"POST /api/now/v1/batch": 1}
    assert "ready for a connection" in run.last.message


def test_what_a_connector_does_not_survive_ends_the_run(playbook: Playbooks, new_instance: NewInstance) -> None:
    made = {name: new_instance(**knobs) for name, (knobs, _remedy) in ERRORS.items()}
    run = playbook("onboard", list(made.values()))
    for name, instance in made.items():
        failed = run.on(instance.name, CHECK)
        assert failed.failed
        assert problems(run, instance) == {name: "error"}
        assert name in failed.message
        assert ERRORS[name][1] in failed.message
        assert instance.name in failed.message
        assert run.recap[instance.name] == {**run.recap[instance.name], "failed": 1, "changed": 0}
        assert not any(done.writes for done in run.done)


def test_what_may_work_is_named_and_the_run_continues(playbook: Playbooks, new_instance: NewInstance) -> None:
    made = {name: new_instance(**knobs) for name, knobs in WARNINGS.items()}
    run = playbook(LOOK, list(made.values())).went_well()
    for name, instance in made.items():
        assert problems(run, instance) == {name: "warning"}
    strict = playbook(LOOK, list(made.values()), variables={"snow_preflight_fail_on": ["error", "warning"]})
    assert all(strict.recap[instance.name]["failed"] == 1 for instance in made.values())
    ignored = {"snow_preflight_fail_on": ["error", "warning"], "snow_preflight_ignore": list(WARNINGS)}
    playbook(LOOK, list(made.values()), variables=ignored).went_well()
    brazil = made["release_unsupported"]
    assert "Brazil is not among the releases that Microsoft supports" in run.on(brazil.name, CHECK).message


def test_an_unknown_release_is_in_the_summary(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(hide_build=True)
    run = playbook("onboard", instance, "--tags", "preflight").went_well()
    assert f"\nunproven: {instance.name}: problem release_unknown (" in run.summary


@pytest.mark.parametrize("accepted", [["release_unknown"], "release_unknown", "{{ ours }}", ["{{ ours | first }}"]])
def test_an_accepted_problem_is_unproven_neither_in_the_summary_nor_in_the_report(
    playbook: Playbooks, new_instance: NewInstance, tmp_path: Path, accepted: Any
) -> None:
    instance = new_instance(hide_build=True)
    variables = {
        "snow_preflight_ignore": accepted,
        "ours": ["release_unknown"],
        "drift_report_dir": str(tmp_path / "report"),
    }
    report = {"callbacks": ["secops.servicenow_defender.drift"], "variables": variables}
    run = playbook("verify", instance, "--tags", "preflight", **report).went_well()
    assert run.summary.startswith("1 instance: 1 in sync")
    assert f"{instance.name}: warning release_unknown: " in run.summary
    (host,) = json.loads((tmp_path / "report" / "drift.json").read_text())["hosts"].values()
    assert (host["status"], host["unproven"]) == ("in_sync", [])


def test_plugins_and_tables_of_the_users_own_are_searched(playbook: Playbooks, instance: Instance) -> None:
    variables = {
        "snow_preflight_plugins": ["com.snc.vulc"],
        "snow_preflight_tables": ["sn_vulc_result"],
        "snow_preflight_properties": ["glide.sys.default.tz"],
    }
    run = playbook(LOOK, instance, variables=variables)
    assert problems(run, instance) == {"plugin_inactive:com.snc.vulc": "error", "table_absent:sn_vulc_result": "error"}
    assert run.last["instance"]["properties"] == {"glide.sys.default.tz": "UTC"}
