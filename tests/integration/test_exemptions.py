# SPDX-License-Identifier: GPL-3.0-or-later
"""Exemptions of recommendations: with an end and a reason, many at once, found whoever created them."""

from __future__ import annotations

from typing import Any

from tests.integration.findings import Findings, arm_writes
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, Task, task
from tests.integration.test_arm_findings import assert_predicted_then_done_then_in_sync
from tests.sandbox.process import SandboxProcess

IGNORED = {"ignore_errors": True}
OTHER = "0a0a0a0a-1111-4222-8333-444444444444"


def exempt(name: str, *entries: dict[str, Any], **options: Any) -> Task:
    return task("mdc_exemptions", name, exemptions=list(entries), **options)


def test_exemptions_live_alike_in_both_shells(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    lives = []
    for shell in SHELLS:
        tenant = Findings(sandbox, subscriptions=2, arm_page=2)
        one, *others = tenant.desired()
        waived = {**one, "category": "waiver", "expires_at": "2030-12-31", "reason": "Replaced soon"}
        steps = [
            exempt("create", waived, *({**each, "category": "mitigated"} for each in others[:3])),
            exempt(
                "change", {**waived, "resource_id": one["resource_id"].upper(), "expires_at": "2031-01-31T12:00:00Z"}
            ),
            exempt("end", {**one, "expires_at": "", "reason": "", "category": "mitigated"}),
            exempt("remove", {**one, "state": "absent"}, {**others[0], "state": "absent"}),
        ]
        run = tenant.run(playbook, [each for step in steps for each in predicted_and_done(step)], shell=shell)
        run.went_well()
        for step in steps:
            assert_predicted_then_done_then_in_sync(run, step["name"])
        assert [entry["field"] for entry in run["change: real"]["drift"]] == ["expires_at"]
        assert len(tenant.rows("exemptions")) == 2
        lives.append([{**done.result, "api_calls": 0} for done in run.done])
    assert lives[0] == lives[1]


def test_what_is_there_is_found_and_what_makes_no_sense_is_refused(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    tenant = Findings(sandbox, subscriptions=2)
    one, other, third, *_more = tenant.desired()
    theirs = next(each for each in tenant.desired() if each["resource_id"].startswith(tenant.scopes[1]))
    # By the portal, under a name of its own and with an unknown property.
    portal = {
        "effect": "Exempt",
        "assignedStandard": {"id": "x"},
        "futureThing": 1,
        "exemptionData": {
            "exemptionCategory": "waiver",
            "assignedAssessment": {"assessmentKey": one["recommendation"]},
        },
    }
    for name in (OTHER, OTHER.replace("0a", "0b")):
        about = one if name == OTHER else third
        entry = {**portal, "exemptionData": {**portal["exemptionData"], "assignedAssessment": {"assessmentKey": about["recommendation"]}}}  # fmt: skip
        sandbox.tamper_tenant("exemptions", {"name": name, "scope": about["resource_id"], **entry}, insert=True)
    sandbox.tamper_tenant(
        "exemptions", {"name": OTHER.replace("0a", "0c"), "scope": third["resource_id"], **entry}, insert=True
    )
    sandbox.turn_tenant(azure_roles={tenant.scopes[1]: "Security Reader"})
    entries = [
        {**one, "category": "mitigated"},
        {**other, "reason": "No category"},
        {**third, "category": "waiver", "reason": "Two of them"},
        {**theirs, "category": "waiver"},
        {**other, "recommendation": "other", "category": "waiver", "expires_at": "soon"},
        {**other, "recommendation": "over", "category": "waiver", "expires_at": "2020-01-01"},
        {**other, "recommendation": "none", "resource_id": "vm1", "category": "waiver"},
    ]
    tasks = [
        {**exempt("predicted", *entries), "check_mode": True},
        exempt("real", *entries),
        exempt("none", *entries[1:3], more=IGNORED),
        exempt("twice", entries[0], entries[0], more=IGNORED),
    ]
    run = tenant.run(playbook, tasks)
    for name in ("predicted", "real"):
        rows = run[name]["results"]
        statuses = ["changed", "refused", "refused", "refused", "refused", "expired", "refused"]
        assert [row["status"] for row in rows] == statuses
        assert "requires category" in rows[1]["reason"] and "there are 2 exemptions" in rows[2]["reason"]
        assert "Security Admin" in rows[3]["reason"] and "'soon' is neither a date" in rows[4]["reason"]
        assert "ended at 2020-01-01" in rows[5]["reason"] and "resource_id must be" in rows[6]["reason"]
    assert sum(arm_writes(run["real"]).values()) == 2, "one is written, one refused by Azure"
    (row,) = tenant.rows("exemptions", name=OTHER)
    assert row["properties"]["exemptionData"]["exemptionCategory"] == "mitigated"
    assert run["none"].failed and "twice" in run["twice"].message
