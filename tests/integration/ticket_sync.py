# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings, their tickets and their assignments, as tests of the playbook tickets see them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import Run
from tests.integration.tenant import HOST

Row = dict[str, Any]
FOUND, KNOWN = "Read the recommendations", "Read the existing tickets"
TICKETS, BACK = "Create, update or resolve tickets", "Record the tickets in the governance assignments"
EVERY = ["Critical", "High", "Medium", "Low"]
KEY = re.compile(r"mdc-[0-9a-f]{40}(-\d+)?")
RATINGS = {"Critical": ("1", "1", "1"), "High": ("2", "1", "2"), "Medium": ("2", "2", "3"), "Low": ("3", "3", "5")}
FOREIGN = "https://acme.example/nav_to.do?uri=incident.do?sys_id=0123456789abcdef0123456789abcdef"


def unhealthy(tenant: Defender, severity: Iterable[str] = ("Critical", "High")) -> list[Row]:
    """Return the unhealthy findings of these severities."""
    known = tenant.rows("assessments")
    return [
        row
        for row in known
        if row["properties"]["status"]["code"] == "Unhealthy" and row["properties"]["risk"]["level"] in severity
    ]


def turn(tenant: Defender, finding: Row, status: str) -> None:
    tenant.sandbox.tamper_tenant("assessments", {"status": status}, match={"_id": finding["_id"]})


def ours(instance: Instance, table: str = "incident") -> list[dict[str, str]]:
    """Return the tickets that the playbook made, in the order of their numbers."""
    rows = [row for row in instance.rows(table) if KEY.fullmatch(row.get("correlation_id", ""))]
    return sorted(rows, key=lambda row: row["number"])


def tickets_of(instance: Instance, finding: Row, table: str = "incident") -> list[dict[str, str]]:
    """Return the tickets about a finding: their text names it."""
    return [row for row in ours(instance, table) if f"\nAssessment: {finding['_id']}\n" in row["description"]]


def ticket_of(instance: Instance, finding: Row, table: str = "incident") -> dict[str, str]:
    (row,) = tickets_of(instance, finding, table)
    return row


def noted(tenant: Defender, finding: Row) -> dict[str, Any]:
    """Return what the assignment of a finding holds of its ticket, {} where there is none."""
    rows = [row for row in tenant.rows("assignments", assessment=finding["name"]) if row["scope"] == finding["scope"]]
    assert len(rows) < 2
    return dict(rows[0]["properties"].get("additionalData", {})) if rows else {}


def lists_for(findings: list[Row]) -> set[tuple[str, str]]:
    """Return the lists that hold the assignments of findings: one for each kind, of each subscription or connector."""
    return {
        ("/".join(scope.split("/")[: 9 if "/securityconnectors/" in scope else 3]), row["name"])
        for row in findings
        for scope in [row["scope"].lower()]
    }


def digits(row: dict[str, str]) -> int:
    return int(re.sub(r"\D", "", row["number"]))


def assert_each_once(tenant: Defender, instance: Instance, wanted: list[Row]) -> None:
    """Check that each of `wanted` and nothing else has one ticket that is not canceled, and an assignment that names it."""
    about = re.compile(r"^Assessment: (.+)$", re.M)
    alive = [(about.search(row["description"]), row) for row in ours(instance) if row["state"] != "8"]
    assert Counter(found[1] for found, _row in alive if found) == Counter(finding["_id"] for finding in wanted)
    assignments = {(row["assessment"], row["scope"]): row["properties"] for row in tenant.rows("assignments")}
    assert set(assignments) == {(finding["name"], finding["scope"]) for finding in wanted}
    tickets = {found[1]: row for found, row in alive if found}
    for finding in wanted:
        row, reported = tickets[finding["_id"]], assignments[finding["name"], finding["scope"]]["additionalData"]
        assert (reported["ticketNumber"], reported["ticketStatus"]) == (digits(row), "open")
        assert row["sys_id"] in reported["ticketLink"]
        assert reported["ticketLink"].endswith(f"#{row['number']}")


def settled(tenant: Defender, **options: Any) -> Run:
    """Run the playbook once more and check that it has nothing to do."""
    tenant.forget_requests()
    run = tenant("tickets", **options).went_well()
    assert not tenant.written(), run.output
    assert run.recap[HOST]["changed"] == 0
    assert not drift_of(run)
    return run
