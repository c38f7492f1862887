# SPDX-License-Identifier: GPL-3.0-or-later
"""One ticket for one finding, made by hand: nothing else is created, resolved or changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils.microsoft.defender_cloud.assessments import UNHEALTHY
from .membership import Membership

Row = Mapping[str, Any]


def finding_by_hand(rows: Mapping[str, Row], finding: str) -> str:
    """Return the key of the finding that gets a ticket by hand; raise `ValueError` if it is not among the recommendations."""
    wanted = f"/{finding.strip().strip('/')}".lower()
    if wanted == "/":
        return ""
    for key, row in rows.items():
        if wanted in (f"/{key}", f"/{str(row.get('id') or '').strip('/')}".lower()):
            if row.get("status") != UNHEALTHY:
                raise ValueError(
                    f"mdc_tickets_finding: {finding.strip()} is {row.get('status')}, so it needs no ticket"
                )
            return key
    raise ValueError(
        f"mdc_tickets_finding: there is no finding {finding.strip()} among the {len(rows)} that were read. Give the id or the key that "
        f"mdc_recommendation_info returns, and the scope of the finding in mdc_tickets_scopes"
    )


def only_finding(member: Membership, key: str) -> Membership:
    """Return what of a ticket concerns one finding: only that one comes or goes."""
    listed = dict(member.ticket.listed or {}) if member.ticket else {}
    gone = {each: target for each, target in member.moved.items() if each == key}
    stays = {each: one for each, one in listed.items() if each not in gone}
    added = [row for row in member.added if row["key"] == key]
    return Membership(member.ticket, member.group, stays, added, [], gone, member.last)
