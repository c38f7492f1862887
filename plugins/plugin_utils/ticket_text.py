# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ticket about a recommendation says."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

# The field's length (docs/facts/servicenow_tickets.md#task-columns), and that of a description less a reserve for what
# an instance adds.
SHORT, LONG = 160, 3900
ASSESSMENT = "Assessment: "
# What we close with. Tickets that end otherwise were closed by people.
RESOLVED_BY_US = "Resolved by Defender for Cloud:"

BREAK = re.compile(r"<\s*(?:br|/p|/li|/div|/h\d)\b[^>]*>", re.I)
TAG = re.compile(r"</?[a-z][^>]*>", re.I)


def plain(text: str) -> str:
    """Return text without HTML, as remedies can hold it."""
    lines = html.unescape(TAG.sub("", BREAK.sub("\n", text))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def cut(text: str, length: int) -> str:
    """Return `text` in at most `length` characters, and show where it was cut."""
    return text if len(text) <= length else f"{text[: length - 3].rstrip()}..."


def short_description(row: Mapping[str, Any]) -> str:
    """Return the finding and its resource in one line of at most 160 characters; the resource stays legible."""
    resource = cut(_line(row.get("resource_name") or row.get("resource_id")), SHORT // 2)
    name = _line(row.get("display_name") or row.get("name"))
    return f"{cut(name, SHORT - len(resource) - 3)} ({resource})" if resource else cut(name, SHORT)


def _line(text: Any) -> str:
    return " ".join(str(text or "").split())


def description(row: Mapping[str, Any]) -> str:
    """Return what was found, where, why it matters and what to do. The line with the assessment's id tells a later run which it is."""
    where = ", ".join(filter(None, (str(row.get("resource_type") or ""), str(row.get("source") or ""))))
    facts = [
        ("Recommendation", row.get("display_name")),
        ("Severity", row.get("severity")),
        ("Risk level", row.get("risk_level")),
        ("Resource", f"{row.get('resource_id')} ({where})" if where else row.get("resource_id")),
        ("Found", row.get("first_evaluated_at")),
        # Lists leave out the address; the way to the page is the vendor's
        # (docs/facts/defender_for_cloud.md#manual-tickets).
        (
            "Portal",
            row.get("portal_url") or f"Microsoft Defender for Cloud > Recommendations > {row.get('display_name')}",
        ),
        (ASSESSMENT.rstrip(": "), row.get("id")),
    ]
    parts = ["\n".join(f"{label}: {value}" for label, value in facts if value)]
    for label, text in (
        ("What was found", row.get("description")),
        ("Why it matters", row.get("assessment_description")),
        ("What to do", row.get("remediation")),
    ):
        if text and plain(str(text)):
            parts.append(f"{label}:\n{plain(str(text))}")
    return cut("\n\n".join(parts), LONG)


def assessment_of(text: str) -> str:
    """Return the id of the assessment that a description was made from, "" when it does not tell."""
    found = re.search(rf"^{ASSESSMENT}(/.+)$", text, re.M)
    return found.group(1).strip() if found else ""


def healed(row: Mapping[str, Any] | None) -> str:
    """Return why a ticket is resolved: its finding is healthy, does not apply, or (None) is gone."""
    if row is None:
        return f"{RESOLVED_BY_US} the recommendation is gone; the resource or the kind of recommendation is not there any more."
    since = f" since {row['changed_at']}" if row.get("changed_at") else ""
    if row.get("status") == "Healthy":
        return f"{RESOLVED_BY_US} the resource is healthy{since}."
    cause = f" ({row['cause']})" if row.get("cause") else ""
    return f"{RESOLVED_BY_US} the recommendation does not apply to the resource{since}{cause}."
