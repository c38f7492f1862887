# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of finished long-running operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..defender_cloud import rule_coverage, vendor_tickets
from .state import Row

if TYPE_CHECKING:
    from ..cloud_apps.instance_client import InstanceClient
    from ..state import Tenant


def execute(tenant: Tenant, client: InstanceClient, operation: Row) -> None:
    """Assign the unassigned findings that a rule covers; with override, all that it covers.

    The behaviour of rules of the type ServiceNow is unknown; without the knob `vendor_tickets` they do nothing.
    """
    rule = tenant.arm.rules.get(operation["target"].lower())
    if rule is None or rule["properties"].get("isDisabled"):
        return
    findings = list(rule_coverage.covered(tenant.arm, rule))
    if rule["properties"].get("ruleType") == "ServiceNow":
        if tenant.knobs.vendor_tickets:
            vendor_tickets.create(tenant, client, rule, findings)
        return
    held = rule_coverage.assigned(tenant.arm)
    for finding in findings:
        old = held.get(finding["_id"].lower())
        if old is None or operation["override"]:
            rule_coverage.assign(tenant, rule, finding, old)


def delete_rule(tenant: Tenant, client: InstanceClient, operation: Row) -> None:
    """Remove a rule; its assignments stay (docs/facts/defender_for_cloud.md#automatic-tickets)."""
    tenant.arm.rules.pop(operation["target"].lower(), None)


def delete_integration(tenant: Tenant, client: InstanceClient, operation: Row) -> None:
    """Remove an integration with all of its assignments (docs/facts/defender_for_cloud.md#manual-tickets).

    Which those are is not documented. Here: those the tenant created through it, and those with a ticket of its instance.
    """
    gone = tenant.arm.integrations.pop(operation["target"].lower(), None)
    if gone is None:
        return
    instance = str(gone.get("authentication", {}).get("instanceUrl") or "").rstrip("/")
    for key, row in list(tenant.arm.assignments.items()):
        ticket = str(row["properties"].get("additionalData", {}).get("ticketLink", ""))
        if row.get("integration") == gone["_id"] or (instance and ticket.startswith(f"{instance}/")):
            del tenant.arm.assignments[key]
