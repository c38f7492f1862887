# SPDX-License-Identifier: GPL-3.0-or-later
"""The initial security alerts of a subscription; all made up (docs/facts/defender_for_cloud.md#alerts)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

# name of the detection | title | severity | intent
_ALERTS = """
VM_SuspiciousSignIn    | Suspicious sign-in to a virtual machine       | Medium | InitialAccess
VM_CryptocurrencyMiner | A process of a cryptocurrency miner was found | High   | Execution
"""


def alerts(subscription: str, resources: list[str], seen: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The initial alerts about the first machines of a subscription: resource group, name and properties."""
    lines = [[cell.strip() for cell in line.split("|")] for line in _ALERTS.strip().splitlines()]
    machines = [each for each in resources if "/virtualMachines/" in each]
    for (detection, title, severity, intent), resource in zip(lines, machines, strict=False):
        name = f"2518{uuid.uuid5(uuid.NAMESPACE_URL, f'{subscription}:{detection}')}"
        properties: dict[str, Any] = {
            "alertType": detection,
            "systemAlertId": name,
            "productComponentName": "Servers",
            "alertDisplayName": title,
            "description": f"{title}.",
            "severity": severity,
            "intent": intent,
            "status": "Active",
            "startTimeUtc": seen,
            "endTimeUtc": seen,
            "timeGeneratedUtc": seen,
            "processingEndTimeUtc": seen,
            "resourceIdentifiers": [{"azureResourceId": resource, "type": "AzureResource"}],
            "compromisedEntity": resource.rpartition("/")[2],
            "remediationSteps": ["Isolate the machine.", "Change the passwords of its accounts."],
            "vendorName": "Microsoft",
            "productName": "Microsoft Defender for Cloud",
            "alertUri": f"https://portal.azure.com/#blade/Microsoft_Azure_Security/AlertBlade/alertId/{name}",
            "isIncident": False,
            "entities": [],
            "extendedProperties": {},
        }
        yield resource.split("/providers/", 1)[0], name, properties
