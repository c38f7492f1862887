# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies on Microsoft's page about ServiceNow, by the names that it uses, and what is true of each in 2026. Data only.

See docs/facts/defender_for_cloud_apps.md#policy-lifecycle.
"""

from __future__ import annotations

from typing import NamedTuple

CURRENT, REPLACED, BEHAVIOR, RETIRES = "current", "replaced", "behavior", "retires"
BUILT_IN, ACTIVITY_TEMPLATE, FILE_TEMPLATE = "built_in", "activity_template", "file_template"
CONFIRMED = "confirmed"
FILE_POLICIES_END = "2027-01-06"

_DOCS = "https://learn.microsoft.com/en-us/defender-cloud-apps"
ANOMALY_PAGE = f"{_DOCS}/anomaly-detection-policy"
BEHAVIORS_PAGE = f"{_DOCS}/behaviors"
TEMPLATES_PAGE = f"{_DOCS}/policy-template-reference"
PURVIEW_PAGE = f"{_DOCS}/migrate-file-policies-to-purview"


class PagePolicy(NamedTuple):
    """A policy or template of the page. `successors`: detections that replace it; `date`: when it retires.

    `aliases`: other names of it, in tenants and on other pages of Microsoft. `grade` and `source` are those of the fact.
    """

    name: str
    kind: str
    standing: str
    source: str
    successors: tuple[str, ...] = ()
    date: str = ""
    aliases: tuple[str, ...] = ()
    note: str = ""
    grade: str = CONFIRMED


_FILE_NOTE = "Purview covers SharePoint and OneDrive; Microsoft states no replacement for files in ServiceNow"
_BEHAVIOR_NOTE = "raises behaviors (BehaviorInfo) instead of alerts; off by default"

PAGE = (
    PagePolicy(
        "Activity from anonymous IP addresses",
        BUILT_IN,
        REPLACED,
        ANOMALY_PAGE,
        ("Activity from a TOR IP address", "Anonymous proxy activity"),
        note="disabled by Microsoft; can be enabled again",
    ),
    PagePolicy("Activity from infrequent country", BUILT_IN, BEHAVIOR, BEHAVIORS_PAGE, note=_BEHAVIOR_NOTE),
    PagePolicy(
        "Activity from suspicious IP addresses",
        BUILT_IN,
        REPLACED,
        ANOMALY_PAGE,
        ("Successful logon from a suspicious IP address", "Activity from a password-spray associated IP address"),
        note="disabled by Microsoft; can be enabled again",
    ),
    PagePolicy("Impossible travel", BUILT_IN, BEHAVIOR, BEHAVIORS_PAGE, note=_BEHAVIOR_NOTE),
    PagePolicy(
        "Activity performed by terminated user",
        BUILT_IN,
        CURRENT,
        ANOMALY_PAGE,
        note="requires Microsoft Entra as identity provider",
    ),
    PagePolicy("Multiple failed login attempts", BUILT_IN, BEHAVIOR, BEHAVIORS_PAGE, note=_BEHAVIOR_NOTE),
    PagePolicy(
        "Ransomware detection",
        BUILT_IN,
        REPLACED,
        ANOMALY_PAGE,
        ("Ransomware payment instruction file uploaded to {Application}",),
        aliases=("Ransomware activity",),
        note="disabled by Microsoft; can be enabled again",
    ),
    PagePolicy(
        "Unusual multiple file download activities",
        BUILT_IN,
        BEHAVIOR,
        BEHAVIORS_PAGE,
        ("Mass download", "Unusual file download (by user)"),
        aliases=("Unusual multiple file download",),
        note=_BEHAVIOR_NOTE,
    ),
    PagePolicy(
        "Logon from a risky IP address",
        ACTIVITY_TEMPLATE,
        CURRENT,
        TEMPLATES_PAGE,
        aliases=("Log on from a risky IP address",),
        note="IP ranges of the category risky count as well",
    ),
    PagePolicy(
        "Mass download by a single user",
        ACTIVITY_TEMPLATE,
        CURRENT,
        TEMPLATES_PAGE,
        note="more than 50 downloads in one minute",
    ),
    PagePolicy(
        "Detect a file shared with an unauthorized domain",
        FILE_TEMPLATE,
        RETIRES,
        PURVIEW_PAGE,
        date=FILE_POLICIES_END,
        aliases=("File shared with unauthorized domain",),
        note=_FILE_NOTE,
    ),
    PagePolicy(
        "Detect a file shared with personal email addresses",
        FILE_TEMPLATE,
        RETIRES,
        PURVIEW_PAGE,
        date=FILE_POLICIES_END,
        aliases=("File shared with personal email addresses",),
        note=_FILE_NOTE,
    ),
    PagePolicy(
        "Detect files with PII/PCI/PHI",
        FILE_TEMPLATE,
        RETIRES,
        PURVIEW_PAGE,
        date=FILE_POLICIES_END,
        aliases=(
            *("Detect files with PII", "Detect files with PCI", "Detect files with PHI"),
            *("PII detected", "PCI detected", "PHI detected"),
        ),
        note=_FILE_NOTE,
    ),
)
