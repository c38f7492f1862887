# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance assignments that name a ticket of others, such as one of the vendor's own integration."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ...module_utils.microsoft.defender_cloud.governance_assignment import Pair

SYS_ID = re.compile(r"sys_id(?:=|%3D|%253D)([0-9a-f]{32})", re.I)

Row = Mapping[str, Any]


def is_foreign(row: Row, ours: Collection[str] = ()) -> bool:
    """Return whether a recommendation's assignment names a foreign ticket: neither its name nor its link is ours.

    `ours` are the sys_ids of our tickets, in lower case.
    """
    assignment = row.get("assignment") or {}
    link = str(assignment.get("ticket_link") or "")
    if assignment.get("ticket_number") is None and not link:
        return False
    if str(assignment.get("id") or "").rsplit("/", 1)[-1] == Pair(row["name"], row["resource_id"]).name:
        return False
    found = SYS_ID.search(link)
    return not found or found.group(1).lower() not in ours


def named_ticket(row: Row) -> str:
    """Return the ticket that a recommendation's assignment names, "" if it names none."""
    assignment = row.get("assignment") or {}
    number, link = assignment.get("ticket_number"), str(assignment.get("ticket_link") or "")
    if number is None and not link:
        return ""
    return link.rpartition("#")[2] if "#" in link else str(number)
