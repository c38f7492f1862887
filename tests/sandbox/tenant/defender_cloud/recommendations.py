# SPDX-License-Identifier: GPL-3.0-or-later
"""Recommendations and affected resources; all made up, and the same for the same seed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

CONNECTORS_GROUP = "rg-connectors"
CONNECTORS = {"aws-prod": "AWS", "gcp-prod": "GCP"}
LOCATION = "westeurope"

# name | severity | cloud | type of resource | category
_RECOMMENDATIONS = """
Machines should have a vulnerability assessment solution      | High     | Azure | virtualMachines  | Compute
Management ports of virtual machines should be closed         | High     | Azure | virtualMachines  | Networking
Storage accounts should prevent shared key access             | Medium   | Azure | storageAccounts  | Data
Storage accounts should restrict network access               | Medium   | Azure | storageAccounts  | Networking
Key vaults should have purge protection enabled               | Medium   | Azure | vaults           | Data
Key vaults should have a firewall enabled                     | Low      | Azure | vaults           | Networking
Servers for SQL should have auditing enabled                  | Low      | Azure | servers          | Data
Accounts with owner permissions should use strong sign-in     | High     | Azure | subscription     | IdentityAndAccess
Machines exposed to the internet should be patched at once    | Critical | Azure | virtualMachines  | Compute
Buckets should block public read access                       | High     | AWS   | s3-bucket        | Data
Users of the console should have a second factor              | Medium   | AWS   | iam-user         | IdentityAndAccess
Instances should not have a public address                    | High     | GCP   | compute-instance | Networking
Buckets should have uniform access control                    | Low      | GCP   | storage-bucket   | Data
"""
_PROVIDERS = {
    "virtualMachines": "Microsoft.Compute",
    "storageAccounts": "Microsoft.Storage",
    "vaults": "Microsoft.KeyVault",
    "servers": "Microsoft.Sql",
}


@dataclass(frozen=True)
class Recommendation:
    """One recommendation; `key` is the name of its assessments and of its metadata."""

    name: str
    severity: str
    cloud: str
    about: str
    category: str
    group: str = ""
    """The recommendation category of an individual recommendation."""

    @property
    def key(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"recommendation:{self.name}"))

    def metadata(self) -> dict[str, Any]:
        """The properties of its metadata (3.3)."""
        return {
            "displayName": self.name,
            "assessmentType": "BuiltIn" if self.cloud == "Azure" else "DynamicBuiltIn",
            "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{self.key}",
            "description": f"{self.name}. Whoever finds such a resource can use it against you.",
            "remediationDescription": f"1. Open the resource.\n2. Make sure: {self.name.lower()}.\n3. Save.",
            "categories": [self.category],
            **({"recommendationCategory": self.group} if self.group else {}),
            "severity": self.severity,
            "userImpact": "Low",
            "implementationEffort": "Moderate",
            "threats": ["dataExfiltration"],
            "tactics": ["Initial Access"],
            "techniques": ["Valid Accounts"],
            "publishDates": {"GA": "03/01/2025", "public": "06/01/2024"},
            "preview": False,
        }


RECOMMENDATIONS = tuple(
    Recommendation(*(part.strip() for part in line.split("|"))) for line in _RECOMMENDATIONS.strip().splitlines()
)


# The categories of individual recommendations, by the type of resource.
_GROUPS = {
    "virtualMachines": ("SoftwareUpdate", "SystemUpdate", "HostMisconfigurations", "ExposedSecrets"),
    "storageAccounts": ("ExposedSecrets",),
    "vaults": ("ServiceUpgrade",),
}


def individual(about: Recommendation, resource: str) -> Recommendation:
    """The recommendation of one resource alone: one for each update, secret or rule and resource."""
    known = _GROUPS.get(about.about, ("",))
    name = resource.rpartition("/")[2]
    digits = sum(map(ord, about.name + name))
    return replace(about, name=f"{about.name}: item {digits % 997} of {name}", group=known[digits % len(known)])


def findings(subscription: str, count: int, *, connected: bool) -> Iterator[tuple[Recommendation, str]]:
    """`count` pairs of a recommendation and a resource id; with connectors, including AWS and GCP."""
    known = [each for each in RECOMMENDATIONS if connected or each.cloud == "Azure"]
    made, number = 0, 0
    while made < count:
        number += 1
        for each in known:
            # A subscription is one resource, so it has one finding of this kind.
            if made < count and (each.about != "subscription" or number == 1):
                made += 1
                yield each, resource_id(subscription, each, number)


def resource_id(subscription: str, about: Recommendation, number: int) -> str:
    """The id of a resource that a recommendation refers to."""
    root = f"/subscriptions/{subscription}"
    if about.about == "subscription":
        return root
    if about.cloud == "Azure":
        group = f"rg-app-{number % 5 + 1}"
        name = f"{about.about.lower()[:-1]}-{number:04d}"
        return f"{root}/resourceGroups/{group}/providers/{_PROVIDERS[about.about]}/{about.about}/{name}"
    # Live data has the ids of other clouds in lower case.
    connector = next(name for name, cloud in CONNECTORS.items() if cloud == about.cloud)
    entity = f"{about.cloud.lower()}-{about.about}-acme-{number:04d}"
    parent = f"{root}/resourcegroups/{CONNECTORS_GROUP}/providers/microsoft.security/securityconnectors/{connector}"
    return f"{parent}/securityentitydata/{entity}"
