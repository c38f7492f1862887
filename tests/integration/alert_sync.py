# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts, incidents and their tickets, as tests of the playbook alerts see them."""

from __future__ import annotations

import re
from typing import Any

from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import Run
from tests.integration.tenant import HOST

Row = dict[str, Any]
KEY = re.compile(r"(alert|incident)-[0-9a-f]{40}(-\d+)?")
DAYS = 36500
# The four incidents of the sandbox, and how the role is asked for all that is open.
EVERYTHING = {
    "defender_alerts_severities": ["High", "Medium", "Low", "Informational"],
    "defender_alerts_since_days": 3650,
}
AGENT = "itil_agent"


def ours(instance: Instance, table: str = "incident") -> list[dict[str, str]]:
    """Return the tickets that the playbook made, in the order of their numbers."""
    rows = [row for row in instance.rows(table) if KEY.fullmatch(row.get("correlation_id", ""))]
    return sorted(rows, key=lambda row: row["number"])


def ticket_of(instance: Instance, item: str, table: str = "incident") -> dict[str, str]:
    """Return the newest ticket about an alert or an incident, by its id."""
    rows = [row for row in ours(instance, table) if re.search(rf"^(Alert|Incident): {item}$", row["description"], re.M)]
    return rows[-1]


def notes_of(instance: Instance, row: dict[str, str]) -> list[str]:
    """Return the journal of a ticket."""
    return [entry["value"] for entry in instance.rows("sys_journal_field", element_id=row["sys_id"])]


def incident(tenant: Defender, key: str) -> Row:
    """Return an incident of Defender."""
    (row,) = tenant.rows("incidents", id=key)
    return row


def set_incident(tenant: Defender, key: str, **values: Any) -> None:
    """Change an incident behind everyone's back."""
    tenant.sandbox.tamper_tenant("incidents", values, match={"id": key})


def comment(tenant: Defender, key: str, text: str, author: str = "jane@acme.example") -> None:
    """Let an analyst comment on an incident."""
    more = {"comment": text, "createdByDisplayName": author, "createdDateTime": "2026-11-20T10:00:00.1234567Z"}
    set_incident(tenant, key, comments=[*incident(tenant, key)["comments"], more])


def merge(tenant: Defender, key: str, target: str) -> None:
    """Let Defender merge an incident into another one."""
    set_incident(tenant, key, status="redirected", redirectIncidentId=target)


def add_incident(tenant: Defender, key: str, **values: Any) -> None:
    """Add an incident like the first one."""
    row = {**tenant.rows("incidents")[0], "status": "active", "redirectIncidentId": None, "comments": []}
    tenant.sandbox.tamper_tenant("incidents", {**row, "_id": key, "id": key, **values}, insert=True)


def alert_status(tenant: Defender, alert: Row) -> str:
    """Return the status of an alert of Defender for Cloud."""
    (row,) = tenant.rows("cloud_alerts", _id=alert["_id"])
    return str(row["properties"]["status"])


def journal(instance: Instance, row: dict[str, str], text: str, element: str = "work_notes") -> None:
    """Let an agent write into the journal of a ticket."""
    entry = {"name": "incident", "element": element, "element_id": row["sys_id"], "value": text}
    instance.add("sys_journal_field", **entry, sys_created_by=AGENT, sys_created_on="2026-11-20 11:00:00")


def settled(tenant: Defender, **options: Any) -> Run:
    """Run the playbook once more and check that it has nothing to do: no echo."""
    tenant.forget_requests()
    run = tenant("alerts", **options).went_well()
    assert not tenant.written(), run.output
    assert run.recap[HOST]["changed"] == 0, run.output
    assert not drift_of(run)
    return run
