# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets that the tenant itself creates with the knob `vendor_tickets`.

That it creates and follows them for rules of the type ServiceNow is documented
(docs/facts/defender_for_cloud.md#automatic-tickets, docs/facts/defender_for_cloud.md#synchronisation). Which fields it
sets and follows, and how a rule refers to its integration and its ticket type is not: all of that is made up here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..arm.scopes import Scope
from ..arm.state import Row
from . import rule_coverage
from .instance_client import TABLES, IntegrationClient, Unreachable

if TYPE_CHECKING:
    from ..cloud_apps.instance_client import InstanceClient
    from ..state import Tenant

_STATUS = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}


def create(tenant: Tenant, client: InstanceClient, rule: Row, findings: list[Row]) -> None:
    """Create a ticket for each unassigned finding, through the integration of its scope."""
    held = rule_coverage.assigned(tenant.arm)
    todo = [finding for finding in findings if finding["_id"].lower() not in held]
    client.start(_created(tenant, client, rule, todo))


async def _created(tenant: Tenant, client: InstanceClient, rule: Row, findings: list[Row]) -> None:
    more: Any = rule["properties"].get("additionalData") or {}
    wanted = str(more.get("ticketType", "Incident"))
    table = next((name for name, shown in TABLES.items() if shown == wanted), "incident")
    signed: dict[str, IntegrationClient] = {}
    for finding in findings:
        integration = _integration(tenant, finding, str(more.get("integrationId", "")))
        if integration is None:
            continue
        try:
            instance = signed.get(integration["_id"])
            if instance is None:
                instance = signed[integration["_id"]] = IntegrationClient(client, integration["authentication"])
                await instance.sign_in()
            text = f"{finding['properties']['displayName']}: {finding['scope'].rpartition('/')[2]}"
            row = await instance.insert(table, {"short_description": text, "correlation_id": finding["_id"]})
        except Unreachable:
            return
        assignment = rule_coverage.assign(tenant, rule, finding)
        assignment["integration"] = integration["_id"]
        assignment["properties"]["additionalData"] = _ticket(instance, table, row)


def _integration(tenant: Tenant, finding: Row, wanted: str) -> Row | None:
    for row in tenant.arm.integrations.values():
        named = not wanted or wanted.strip("/").lower() in (row["name"].lower(), row["_id"].strip("/").lower())
        active = named and not row["properties"].get("isDisabled")
        if active and rule_coverage.reaches(Scope(row["scope"]), finding["scope"].lower()):
            return row
    return None


def _ticket(instance: IntegrationClient, table: str, row: Row) -> Row:
    digits = re.sub(r"\D", "", row["number"])
    ticket_url = f"{instance.url}/nav_to.do?uri={table}.do?sys_id={row['sys_id']}"
    return {
        "ticketNumber": int(digits),
        "ticketLink": ticket_url,
        "ticketStatus": _STATUS.get(str(row["state"]), "New"),
    }


def sync(tenant: Tenant, client: InstanceClient) -> None:
    """Update the status of the tickets that were created through integrations."""
    if tenant.knobs.vendor_tickets:
        for integration in tenant.arm.integrations.values():
            client.start(_followed(tenant, client, integration))


async def _followed(tenant: Tenant, client: InstanceClient, integration: Row) -> None:
    instance = IntegrationClient(client, integration["authentication"])
    mine = [row for row in tenant.arm.assignments.values() if row["integration"] == integration["_id"]]
    try:
        await instance.sign_in()
        for row in mine:
            ticket = row["properties"].get("additionalData", {})
            found = re.search(r"uri=(\w+)\.do\?sys_id=(\w+)", str(ticket.get("ticketLink", "")))
            if found:
                (now,) = await instance.rows(found[1], f"sys_id={found[2]}", "state", 1) or [{}]
                status = _STATUS.get(str(now.get("state")), "Deleted" if not now else "Active")
                row["properties"]["additionalData"] = {**ticket, "ticketStatus": status}
    except Unreachable:
        return
