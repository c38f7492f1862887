# SPDX-License-Identifier: GPL-3.0-or-later
"""What people have to know about a plan of tickets: rules without a ticket, and lists that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils.engine.problem import WARNING, Problem
from ...module_utils.engine.result import WHOLE, Unproven
from ...module_utils.microsoft.defender_cloud.governance_rule_conditions import CATEGORY_NAMES
from .groups import Group
from .membership import Membership
from .routing import Rule
from .ticket_list import FILE_NAME


def unreadable_lists(members: Iterable[Membership]) -> list[Unproven]:
    """Return the tickets whose list cannot be read and that no finding needs: whether they can be resolved is not known."""
    reason = (
        f"its list of findings cannot be read, so whether they have healed is not known. Resolve it manually, or restore the attached file "
        f"{FILE_NAME} or the text of its description"
    )
    return [
        Unproven(f"{member.ticket.type} {member.ticket.correlation_id}", WHOLE, f"{member.ticket.name}: {reason}")
        for member in members
        if member.ticket and member.ticket.listed is None and member.is_empty and not member.has_changed
    ]


def unmatched_rules(groups: Iterable[Group], rules: Sequence[Rule]) -> list[Problem]:
    """Return the problem that rules match no ticket, if there are tickets."""
    known = list(groups)
    idle = [rule.name for rule in rules if known and not any(rule.matches(group) for group in known)]
    if not idle:
        return []
    message = f"no ticket has only findings that match {', '.join(idle)} of mdc_tickets_rules"
    remedy = "Correct the conditions, or group by what they select, so that a ticket has no other findings"
    return [Problem("rule_unmatched", WARNING, message, remedy)]


def unmatched_categories(rows: Iterable[Mapping[str, Any]], wanted: Iterable[Any]) -> list[Problem]:
    """Return the problem that categories are neither documented nor those of any finding that was read."""
    found = {
        str(name)
        for row in rows
        for name in (row.get("recommendation_category"), *(row.get("categories") or ()))
        if name
    }
    known = {name.casefold() for name in (*found, *CATEGORY_NAMES)}
    idle = [text for text in map(str, wanted) if text.strip().casefold() not in known]
    if not idle or not found:
        return []
    message = f"no finding that was read has the category {', '.join(idle)} of mdc_tickets_categories"
    remedy = f"Correct it, or leave it out; those that were read have {', '.join(sorted(found))}"
    return [Problem("category_unmatched", WARNING, message, remedy)]
