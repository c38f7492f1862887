# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents, problems and change requests: their life, and what the platform leaves to people."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import live
from tests.integration.playbooks import Playbooks, task

MODULE = "snow_tickets"
GROUP = "Security Operations"
OPEN_PORT: dict[str, Any] = {
    "correlation_id": "finding-1",
    "short_description": "Management ports should be closed",
    "description": "Found on vm-web-1.\nClose them.",
    "impact": "medium",
    "urgency": "high",
}
STORAGE: dict[str, Any] = {"correlation_id": "finding-2, with ^ odd", "short_description": "Restrict network access"}


def tickets(name: str, /, *described: dict[str, Any], more: Any = None) -> Any:
    return task(MODULE, name, tickets=list(described), more=more)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {entry["correlation_id"]: entry["status"] for entry in result["results"]}


def notes_of(instance: Instance, row: dict[str, str]) -> list[str]:
    return [entry["value"] for entry in instance.rows("sys_journal_field", element_id=row["sys_id"])]


def test_an_incident_lives_from_its_finding_to_its_end(playbook: Playbooks, new_instance: NewInstance) -> None:
    changed = {**OPEN_PORT, "urgency": "3", "assigned_to": "itil_agent", "work_note": "Seen again"}
    ended = {"correlation_id": "finding-1", "state": "resolved", "close_notes": "Healthy", "work_note": "Healed"}
    run, instance = live(
        playbook,
        new_instance,
        tickets("create", {**OPEN_PORT, "assignment_group": GROUP, "work_note": "Found"}, STORAGE),
        tickets("change", {**changed, "caller": "employee", "extra_fields": {"category": "network"}}, STORAGE),
        tickets("resolve", ended, {"correlation_id": STORAGE["correlation_id"], "state": "canceled"}),
    )
    for row in (instance.row("incident", correlation_id="finding-1"),):
        assert (row["impact"], row["urgency"], row["priority"]) == ("2", "3", "4")
        assert row["description"] == OPEN_PORT["description"]
        assert row["correlation_display"] == "Microsoft Defender for Cloud"
        assert row["assignment_group"] == instance.row("sys_user_group", name=GROUP)["sys_id"]
        assert row["assigned_to"] == instance.row("sys_user", user_name="itil_agent")["sys_id"]
        assert row["caller_id"] == instance.row("sys_user", user_name="employee")["sys_id"]
        assert (row["category"], row["state"], row["close_code"]) == ("network", "6", "Solution provided")
        assert row["close_notes"] == "Healthy"
        assert sorted(notes_of(instance, row)) == ["Found", "Healed", "Seen again"]
    assert instance.row("incident", correlation_id=STORAGE["correlation_id"])["state"] == "8"
    first, second = run["create: real"]["results"]
    assert (first["status"], first["state"], first["platform_state"]) == ("changed", "open", "New")
    assert first["number"] == instance.row("incident", correlation_id="finding-1")["number"]
    assert first["link"] == (
        f"{instance.connection['snow_url']}/nav_to.do?uri=%2Fincident.do%3Fsys_id%3D{first['sys_id']}"
    )
    foretold = run["create: check"]["results"][0]
    assert (foretold["status"], foretold["number"], foretold["sys_id"], foretold["link"]) == ("changed", "", "", "")
    assert statuses(run["create: again"].result) == {"finding-1": "ok", second["correlation_id"]: "ok"}
    resolved, canceled = run["resolve: real"]["results"]
    assert (resolved["state"], resolved["platform_state"]) == ("resolved", "Resolved")
    assert (canceled["state"], canceled["platform_state"]) == ("canceled", "Canceled")
    assert {"object": "incident finding-1", "field": "urgency", "before": "1", "after": "3"} in run["change: real"][
        "drift"
    ]
