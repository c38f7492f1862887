# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of a ticket for a recommendation."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from ...module_utils.timestamps import parse

# Maximum length of the short description (docs/facts/servicenow_tickets.md#task-columns), and of the description, with a
# reserve for text that an instance adds; and what that column holds.
MAX_SHORT_DESCRIPTION, MAX_DESCRIPTION, HOLDS = 160, 3900, 4000
ASSESSMENT = "Assessment: "
# The close notes of this collection. Tickets with other close notes were closed by users.
RESOLVED_BY_US = "Resolved by Defender for Cloud:"
# Those of a ticket whose findings another ticket has. It is never reopened.
MOVED_BY_US = "Moved by Defender for Cloud:"

LINE_BREAK = re.compile(r"<\s*(?:br|/p|/li|/div|/h\d)\b[^>]*>", re.I)
TAG = re.compile(r"</?[a-z][^>]*>", re.I)


def without_html(text: str) -> str:
    """Return text without HTML, which remediation texts may contain."""
    lines = html.unescape(TAG.sub("", LINE_BREAK.sub("\n", text))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def truncate(text: str, length: int) -> str:
    """Return `text` truncated to `length` characters."""
    return text if len(text) <= length else f"{text[: length - 3].rstrip()}..."


def short_description(row: Mapping[str, Any]) -> str:
    """Return the finding and its resource in one line of at most 160 characters; the resource remains readable."""
    resource = truncate(_line(row.get("resource_name") or row.get("resource_id")), MAX_SHORT_DESCRIPTION // 2)
    name = _line(row.get("display_name") or row.get("name"))
    return (
        f"{truncate(name, MAX_SHORT_DESCRIPTION - len(resource) - 3)} ({resource})"
        if resource
        else truncate(name, MAX_SHORT_DESCRIPTION)
    )


def moment(text: Any) -> str:
    """Return a time of a platform as people write it, up to the minute."""
    try:
        return f"{parse(str(text or '')):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return str(text or "")


def _line(text: Any) -> str:
    return " ".join(str(text or "").split())


def description(row: Mapping[str, Any]) -> str:
    """Return what was found, where, why it matters and what to do. The line with the assessment's id identifies it in later runs."""
    where = ", ".join(filter(None, (str(row.get("resource_type") or ""), str(row.get("source") or ""))))
    facts = [
        ("Recommendation", row.get("display_name")),
        ("Severity", row.get("severity")),
        ("Risk level", row.get("risk_level")),
        ("Resource", f"{row.get('resource_id')} ({where})" if where else row.get("resource_id")),
        ("Found", moment(row.get("first_evaluated_at"))),
        # Lists omit the URL; the navigation path is the vendor's
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
        if text and without_html(str(text)):
            parts.append(f"{label}:\n{without_html(str(text))}")
    return truncate("\n\n".join(parts), MAX_DESCRIPTION)


def assessment_of(text: str) -> str:
    """Return the id of the assessment in a description, "" if it has none."""
    found = re.search(rf"^{ASSESSMENT}(/.+)$", text, re.M)
    return found.group(1).strip() if found else ""


def resolution_notes(row: Mapping[str, Any] | None) -> str:
    """Return why a ticket is resolved: its recommendation is healthy, does not apply, or (None) no longer exists."""
    if row is None:
        return f"{RESOLVED_BY_US} the recommendation no longer exists, because its resource or its type was removed."
    since = f" since {moment(row['changed_at'])}" if row.get("changed_at") else ""
    if row.get("is_exempt"):
        return f"{RESOLVED_BY_US} the resource is exempt from the recommendation{since}."
    if row.get("status") == "Healthy":
        return f"{RESOLVED_BY_US} the resource is healthy{since}."
    cause = f" ({row['cause']})" if row.get("cause") else ""
    return f"{RESOLVED_BY_US} the recommendation does not apply to the resource{since}{cause}."
