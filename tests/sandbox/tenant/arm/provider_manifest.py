# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of resources and their api-versions, as the provider's manifest lists them.

See docs/facts/defender_for_cloud.md#integration-resource, docs/facts/defender_for_cloud.md#public-apis.
"""

from __future__ import annotations

SECURITY = "Microsoft.Security"
_RESOURCES = (
    *("2025-04-01", "2025-03-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-07-01", "2022-12-01", "2022-09-01"),
    *("2021-04-01", "2021-01-01", "2020-10-01", "2020-06-01", "2019-10-01"),
)
VERSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    SECURITY: {
        "pricings": ("2025-10-01-preview", "2024-01-01", "2023-01-01", "2022-03-01", "2018-06-01"),
        "assessments": ("2025-05-04", "2021-06-01", "2020-01-01", "2019-01-01-preview"),
        "assessmentMetadata": ("2025-05-04", "2021-06-01", "2020-01-01", "2019-01-01-preview"),
        "assessments/governanceAssignments": ("2025-05-04", "2022-01-01-preview"),
        "governanceRules": ("2022-01-01-preview",),
        "governanceRules/operationResults": ("2022-01-01-preview",),
        "alerts": ("2022-01-01", "2021-11-01", "2021-01-01", "2020-01-01", "2019-01-01"),
        "standardAssignments": ("2024-08-01",),
        "locations": ("2015-06-01-preview",),
        "integrations": ("2023-07-01-preview",),
        "securityConnectors": (
            "2025-08-01-preview",
            "2024-08-01-preview",
            "2024-03-01-preview",
            "2023-10-01-preview",
            "2023-03-01-preview",
        ),
    },
    "Microsoft.Authorization": {
        "permissions": ("2022-04-01", "2018-07-01", "2015-07-01"),
        "roleDefinitions": ("2022-04-01", "2018-01-01-preview", "2015-07-01"),
        "roleAssignments": ("2022-04-01", "2020-04-01-preview", "2018-07-01", "2015-07-01"),
    },
    "Microsoft.Insights": {"eventtypes": ("2017-03-01-preview", "2015-04-01", "2014-04-01")},
    "Microsoft.Management": {"managementGroups": ("2023-04-01", "2021-04-01", "2020-05-01")},
    "Microsoft.ResourceGraph": {"resources": ("2024-04-01", "2022-10-01", "2021-03-01", "2021-06-01-preview")},
    "Microsoft.Resources": {
        "subscriptions": ("2022-12-01", "2021-04-01", "2021-01-01", "2020-01-01", "2019-06-01"),
        "providers": _RESOURCES,
        "resourceGroups": _RESOURCES,
    },
}
# Types missing in the manifest whose versions follow another type.
LIKE = {
    "locations/alerts": "alerts",
    "integrations/operationResults": "integrations",
    "integrations/operationStatuses": "integrations",
    "governanceRules/operationStatuses": "governanceRules",
}


def versions(namespace: str, kind: str) -> tuple[str, ...]:
    """The api-versions of a type; empty for an unknown one."""
    return VERSIONS.get(namespace, {}).get(LIKE.get(kind, kind), ())


def resource_types(namespace: str) -> list[dict[str, object]]:
    """The types of a namespace as returned for its provider."""
    plain: dict[str, object] = {
        "locations": [],
        "capabilities": "SupportsExtension" if namespace == SECURITY else "None",
    }
    return [{"resourceType": kind, "apiVersions": list(known), **plain} for kind, known in VERSIONS[namespace].items()]
