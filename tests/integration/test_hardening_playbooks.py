# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook harden with its role, and what drift and its report show of the posture."""

from __future__ import annotations

import json
import stat
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, ORDINARY, Playbooks
from tests.integration.test_hardening import BREAKING, CONNECTOR, TIMEOUT, value
from tests.integration.test_onboard import enter_rules, written

pytestmark = pytest.mark.walk(3)

# Without the tag, a tenant would have to be there.
SNOW = ("--tags", "snow")
CALLBACK = (f"{COLLECTION}.drift",)
ELEVATED = "glide.basicauth.required.scriptedprocessor"
ALLOWED: dict[str, Any] = {
    "snow_hardening_max_writes": 0,
    "snow_hardening_allow_irreversible": True,
    "snow_hardening_accept_side_effects": BREAKING,
}


def test_harden_predicts_then_writes_then_is_in_sync(playbook: Playbooks, instance: Instance) -> None:
    before = instance.content()
    check = playbook("harden", instance, check=True, variables=ALLOWED).went_well()
    assert not written(check)
    assert instance.content() == before
    assert f"{instance.name}: hardening 13/22 Secure Score settings, 72 of 114 points" in check.summary
    assert "would be corrected: " in check.summary
    assert "7 x setting" in check.summary

    real = playbook("harden", instance, variables=ALLOWED).went_well()
    assert "hardening 20/22 Secure Score settings, 104 of 114 points" in real.summary
    assert f"corrected: {instance.name}: 7 x setting" in real.summary
    assert f"1 manual step:\n- Set the system property {ELEVATED}" in real.summary
    assert real.recap[instance.name]["changed"] == 1

    again = playbook("harden", instance, variables=ALLOWED).went_well()
    assert again.recap[instance.name]["changed"] == 0
    assert not written(again)


def test_the_update_set_is_written_once_for_its_owner_alone(playbook: Playbooks, instance: Instance) -> None:
    path = playbook.folder / "update set.xml"
    variables = {**ALLOWED, "snow_hardening_update_set_file": str(path)}
    playbook("harden", instance, check=True, variables=variables).went_well()
    assert not path.exists()
    playbook("harden", instance, variables=variables).went_well()
    again = playbook("harden", instance, variables=variables).went_well()
    assert again.recap[instance.name]["changed"] == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (update,) = ElementTree.parse(path).getroot().findall("sys_update_xml")
    assert update.findtext("target_name") == ELEVATED
    assert instance.access.password not in path.read_text()


def test_everything_can_be_chosen(playbook: Playbooks, instance: Instance) -> None:
    variables = {
        "snow_hardening_baseline": "",
        "snow_hardening_ids": ["session.idle_timeout", "session.remember_me_days", "instance.production"],
        "snow_hardening_exclude": ["auth.mfa_enabled"],
        "snow_hardening_overrides": {"session.idle_timeout": 20},
        "snow_hardening_production": False,
    }
    run = playbook("harden", instance, variables=variables, shell=ORDINARY).went_well()
    results = {entry["id"]: entry for entry in run.on(instance.name, "Apply the settings of the baseline")["results"]}
    assert set(results) == {"session.idle_timeout", "session.remember_me_days", "instance.production"}
    assert value(instance, TIMEOUT) == "20"
    assert results["instance.production"]["verdict"] == "not_applicable"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"snow_hardening_baseline": "strong"}, "value of snow_hardening_baseline must be one of"),
        ({"snow_hardening_ids": ["no.such"]}, "unknown setting 'no.such'"),
    ],
)
def test_invalid_input_is_reported_before_the_first_write(
    playbook: Playbooks, instance: Instance, variables: dict[str, Any], words: str
) -> None:
    run = playbook("harden", instance, variables=variables)
    assert run.status != 0
    assert words in run.output
    assert not written(run)


def test_hardening_after_onboarding_leaves_the_connection_alone(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    enter_rules(instance)
    variables = {
        **ALLOWED,
        "snow_hardening_ids": ["oauth.ropc_disabled", "auth.reset_required_api", "oauth.session_after_expiry"],
        "snow_hardening_accept_side_effects": [
            *BREAKING, "oauth.ropc_disabled", "auth.reset_required_api", "oauth.session_after_expiry",
        ],
    }  # fmt: skip
    run = playbook("harden", instance, variables=variables).went_well()
    results = {entry["id"]: entry for entry in run.on(instance.name, "Apply the settings of the baseline")["results"]}
    assert results["oauth.ropc_disabled"]["status"] == "refused"
    assert CONNECTOR in results["oauth.ropc_disabled"]["reason"]
    assert results["auth.reset_required_api"]["status"] == "changed"
    verified = playbook("verify", instance, variables={"verify_fail": False}).went_well()
    assert "1 token verified" in verified.summary


@pytest.mark.always
def test_drift_covers_the_baseline_and_the_report_shows_the_posture(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    good, bad = instances = [new_instance() for _number in range(2)]
    playbook.onboarded(*instances)
    playbook("harden", instances, variables=ALLOWED).went_well()
    for each in instances:
        enter_rules(each)
        each.change("sys_properties", {"name": ELEVATED}, value="true")
    variables = {"drift_report_dir": str(playbook.folder / "report")}
    run = playbook("drift", instances, *SNOW, variables=variables, callbacks=CALLBACK).went_well()
    assert f"{good.name}, {bad.name}: hardening 21/22 Secure Score settings, 108 of 114 points" in run.summary

    bad.change("sys_properties", {"name": TIMEOUT}, value="480")
    bad.forget_requests()
    run = playbook("drift", instances, *SNOW, variables=variables, callbacks=CALLBACK)
    assert run.status == 2
    assert bad.requests()["POST /api/now/v1/batch"] == 1, "as many as without the baseline"
    assert not written(run)
    assert f"drift: {bad.name}: setting session.idle_timeout (glide.ui.session_timeout)" in run.summary

    document = json.loads((playbook.folder / "report" / "drift.json").read_text())
    assert {name: host["status"] for name, host in document["hosts"].items()} == {
        good.name: "in_sync",
        bad.name: "drift",
    }
    posture = document["hosts"][bad.name]["posture"]
    assert posture["by_severity"]["high"]["deviating"] == 1
    assert posture["by_category"]["Session management"] == {
        "compliant": 1, "deviating": 1, "unknown": 0, "not_applicable": 0,
    }  # fmt: skip
    assert document["totals"]["posture"]["secure_score"]["points"] == 108 + 104
    suites = ElementTree.parse(playbook.folder / "report" / "drift.xml").getroot().iter("testsuite")
    noted = {
        suite.get("name"): {each.get("name"): each.get("value") for each in suite.iter("property")} for suite in suites
    }
    assert noted[bad.name]["posture.secure_score.points"] == "104"
    assert noted[bad.name]["posture.by_severity.high.deviating"] == "1"
    page = (playbook.folder / "report" / "drift.html").read_text()
    assert "104 of 114 points" in page
    assert "Session management" in page

    accepted = {"id": "session.idle_timeout", "reason": "kiosks", "owner": "operations", "until": "2099-12-31"}
    run = playbook("drift", instances, *SNOW, variables={"snow_hardening_exceptions": [accepted]}).went_well()
    compared = run.on(bad.name, "Compare account, application, role and settings")
    (setting,) = [entry for entry in compared["results"] if entry.get("id") == accepted["id"]]
    assert (setting["status"], setting["verdict"]) == ("accepted", "deviating")
    assert setting["reason"] == "accepted by operations until 2099-12-31: kiosks"
    kept = playbook("harden", bad, variables={**ALLOWED, "snow_hardening_exceptions": [accepted]}).went_well()
    assert not written(kept)
    ended = {**accepted, "until": "2026-01-31"}
    run = playbook("drift", bad, *SNOW, variables={"snow_hardening_exceptions": [ended]})
    assert run.status == 2
    assert "the exception of session.idle_timeout ended on 2026-01-31: renew it" in " ".join(run.output.split())


def test_drift_can_leave_the_baseline_out(playbook: Playbooks, instance: Instance) -> None:
    playbook.onboarded(instance)
    enter_rules(instance)
    run = playbook("drift", instance, *SNOW, variables={"drift_include_hardening": False}).went_well()
    assert "hardening" not in run.summary
