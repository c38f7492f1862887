# SPDX-License-Identifier: GPL-3.0-or-later
"""The initial data of a tenant: policies, an IP range, the connector of another app."""

from __future__ import annotations

from typing import Any

from ...snow.store import stable_id

SERVICENOW = 14509
MICROSOFT_365 = 11161
CREATED_MS = 1767225600000

# Three built-in policies are switched off and replaced, four moved to behaviors and are off by default, one is
# unchanged; the activity template exists once an operator created a policy from it
# (docs/facts/defender_for_cloud_apps.md#policy-lifecycle).
_POLICIES = """
Activity from anonymous IP addresses      | ANOMALY_DETECTION | off | MEDIUM
Activity from suspicious IP addresses     | ANOMALY_DETECTION | off | MEDIUM
Ransomware detection                      | ANOMALY_DETECTION | off | HIGH
Activity from infrequent country          | ANOMALY_DETECTION | off | MEDIUM
Impossible travel                         | ANOMALY_DETECTION | off | MEDIUM
Multiple failed login attempts            | ANOMALY_DETECTION | off | LOW
Unusual multiple file download activities | ANOMALY_DETECTION | off | MEDIUM
Activity performed by terminated user     | ANOMALY_DETECTION | on  | MEDIUM
Malware detection                         | MALWARE           | on  | HIGH
Logon from a risky IP address             | AUDIT             | off | LOW
Mass download by a single user            | AUDIT             | off | LOW
New high volume app                       | NEW_SERVICE       | on  | LOW
"""

POLICY_TYPES = (
    "INLINE",
    "AUDIT",
    "ANOMALY_DETECTION",
    "NEW_SERVICE",
    "ANOMALY_DISCOVERY",
    "FILE",
    "MALWARE",
    "SESSION",
    "ACCESS",
    "APP_PERMISSION",
    "APP_PERMISSION_ANOMALY",
)
# The policy pages of the portal -> policy types.
POLICY_PAGES = {
    "conditional_access": ("INLINE", "SESSION", "ACCESS"),
    "information_protection": ("FILE",),
    "oauth": ("APP_PERMISSION", "APP_PERMISSION_ANOMALY"),
    "shadow_it": ("NEW_SERVICE", "ANOMALY_DISCOVERY"),
    "threat_detection": ("AUDIT", "ANOMALY_DETECTION", "MALWARE"),
}


def policies() -> list[dict[str, Any]]:
    """The policies. The format of a complete policy is not published; the names are those of creating one (8.2)."""
    rows = []
    for line in _POLICIES.strip().splitlines():
        name, kind, state, severity = (part.strip() for part in line.split("|"))
        rows.append(
            {
                "_id": stable_id("policy", name)[:24],
                "name": name,
                "policyType": kind,
                "severity": severity,
                "enabled": state == "on",
                "alertsEnabled": state == "on",
                "description": "",
                "created": CREATED_MS,
                "lastModified": CREATED_MS,
            }
        )
    return rows


def subnets() -> list[dict[str, Any]]:
    """One IP range that was entered manually."""
    return [subnet(stable_id("subnet", "office")[:24], "Head office", 1, ["198.51.100.0/24"], 1767225600000)]


def subnet(
    key: str, name: str, category: int, ranges: list[str], modified: int, organization: str = "", tags: Any = ()
) -> dict[str, Any]:
    """An IP range in the format of lists."""
    return {
        "_id": key,
        "name": name,
        "category": category,
        "subnets": [_shown(text) for text in ranges],
        "organization": organization or None,
        "tags": [{"id": str(tag), "name": str(tag), "type": 1} for tag in tags],
        "location": None,
        "lastModified": modified,
        "status": 0,
    }


def _shown(text: str) -> dict[str, Any]:
    address, _, mask = text.partition("/")
    return {"address": address, "mask": int(mask or (128 if ":" in address else 32)), "originalString": text}


def microsoft_365() -> dict[str, Any]:
    """The connector row of another app, as recorded (docs/facts/defender_for_cloud_apps.md#reading-connectors)."""
    return {
        "_id": stable_id("connector", "Microsoft 365")[:24],
        "appId": MICROSOFT_365,
        "name": "Microsoft 365",
        "appName": "Microsoft 365",
        "instanceName": None,
        "category": "SAASDB_CATEGORY_COLLABORATION",
        "api": {
            "isConnected": True,
            "isEnabled": True,
            "hasWarnings": True,
            "statusTemplateMessage": "CONSOLE2_APP_CONNECTORS_STATUS_WARNING",
            "lastCheckTime": CREATED_MS,
            "lastConnected": CREATED_MS,
            "usersCount": 898,
            "creator": "user@contoso.com",
            "isSSPMEnabled": True,
        },
        **surroundings(),
        "isOfficeApp": True,
    }


def surroundings() -> dict[str, Any]:
    """The keys of a connector row besides `api`."""
    return {
        "proxy": {
            "status": 0,
            "inDeployment": False,
            "isConnected": False,
            "isInProxyPolicy": None,
            "isSuspended": False,
            "isConfigured": False,
            "isConfiguredInAAD": False,
            "isSessionProxySupported": False,
            "isAppStatusEnabled": False,
            "isSessionProxyDisabled": True,
            "lastConnected": None,
            "proxySettings": None,
            "isOIDCBasedProtocol": True,
        },
        "discovery": {"isConnected": False},
        "isOfficeApp": False,
        "isApiConnectable": True,
        "aadInfo": None,
        "lastUsed": None,
        "customData": {},
        "isCustomApp": False,
        "securityConfiguration": {},
    }
