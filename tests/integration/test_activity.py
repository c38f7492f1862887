# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook activity: who signed in and who failed to, new administrators and uploaded files, by instance and day."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.playbooks import Playbooks
from tests.integration.tenant import HOST, SimulatedTenant
from tests.sandbox.process import SandboxProcess

DAY_MS = 86_400_000
# Noon, so that a test at midnight has the same days.
NOON = int(time.time() * 1000) // DAY_MS * DAY_MS - DAY_MS // 2
FIRST = 1 << 20 | 14509


def activity(number: int, action: str, user: str, *objects: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "_id": f"a{number}",
        "appId": 14509,
        "service": 14509,
        "instance": FIRST,
        "instanceName": "acme-prod",
        "timestamp": NOON,
        "actionType": action,
        "user": {"userName": user},
        "mainInfo": {"eventObjects": [{"type": kind, "name": name} for kind, name in objects]},
        **more,
    }


@pytest.mark.parametrize("check", [False, True])
def test_activity_is_shown_by_instance_and_day(playbook: Playbooks, sandbox: SandboxProcess, check: bool) -> None:
    tenant = SimulatedTenant(sandbox)
    rows = [
        activity(1, "Log on", "jane"),
        activity(2, "Log on", "jane"),
        activity(3, "Failed log on", "joe"),
        activity(4, "Add administrator", "root", ("user", "root"), ("user", "eve")),
        activity(5, "Upload file", "jane", ("file", "report.xlsx")),
        activity(6, "View report", "jane", instance=FIRST + (1 << 20), instanceName="acme-test"),
    ]
    for row in rows:
        sandbox.tamper_tenant("activities", row, insert=True)
    variables = {"servicenow_defender_tenant": "servicenow", "activity_since_days": 2}
    run = playbook("activity", tenant.hosts(), check=check, variables=variables).went_well()
    lines = run.summary.splitlines()
    day = time.strftime("%Y-%m-%d", time.gmtime(NOON / 1000))
    start = lines.index(f"activity of acme-prod on {day}:")
    assert [line.strip() for line in lines[start + 1 : start + 6]] == [
        "signed in: jane (2)",
        "failed sign-ins: joe (1)",
        "new administrators: eve (by root)",
        "uploaded files: report.xlsx (by jane)",
        "other activities: 0",
    ]
    start = lines.index(f"activity of acme-test on {day}:")
    assert lines[start + 5].strip() == "other activities: 1"
    assert not tenant.writes()
    assert HOST in run.recap


def test_what_was_not_read_is_unproven(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox)
    for number, user in enumerate(("jane", "joe")):
        sandbox.tamper_tenant("activities", activity(number, "Failed log on", user), insert=True)
    variables = {"servicenow_defender_tenant": "servicenow", "activity_since_days": 2}
    whole = playbook("activity", tenant.hosts(), variables={**variables, "activity_limit": 2}).went_well()
    assert "tenant: 2 activities read" in whole.summary
    part = playbook("activity", tenant.hosts(), variables={**variables, "activity_limit": 1}).went_well()
    assert "tenant: unproven" in part.summary
    assert "there are more than the 1 that were read" in part.summary


def test_a_tenant_without_activities_or_rights_is_said(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    variables = {"servicenow_defender_tenant": "servicenow"}
    quiet = playbook("activity", SimulatedTenant(sandbox).hosts(), variables=variables).went_well()
    assert "no activities of ServiceNow" in quiet.summary
    refused = SimulatedTenant(sandbox, mda_permissions=[]).hosts("mda_api_token")
    run = playbook("activity", refused, variables=variables)
    assert run.status == 2
    assert "Investigation.read" in run.summary
