# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tickets to resolve: those of recommendations that have healed or are gone, as far as that can be believed.

A subscription that had findings and lists none at all has rather lost its plan or the consent to it than all findings
(docs/facts/defender_for_cloud.md#plans), and a run that would resolve most tickets at once is more likely to be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..module_utils.engine.problem import ERROR, Problem
from ..module_utils.microsoft.defender_cloud.assessments import UNHEALTHY, assessment_key
from .existing_tickets import ExistingTicket, open_tickets

DEFAULT_MAX_RESOLVED = "25%"
# As many may be resolved in any case where the limit is a percentage.
MIN_RESOLVED = 10
VARIABLE = "mdc_tickets_max_resolved"
LIMIT = re.compile(r"(\d{1,9})(%?)")
SOURCE = re.compile(r"(/subscriptions/[^/]+(?:/.*/securityconnectors/[^/]+)?)/", re.I)

Row = Mapping[str, Any]


@dataclass
class Resolutions:
    """The tickets to resolve, and why others stay open."""

    tickets: list[ExistingTicket] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def plan_resolutions(
    histories: Mapping[str, Sequence[ExistingTicket]],
    rows: Mapping[str, Row],
    scopes_read: Sequence[str],
    max_resolved: str = "",
) -> Resolutions:
    """Return the tickets of `histories` to resolve; `rows` are the recommendations by key.

    Raises `ValueError` for a limit that is neither a number nor a percentage.
    """
    limit = max_resolved or DEFAULT_MAX_RESOLVED
    open_of = {key: open_tickets(history) for key, history in histories.items()}
    count = sum(map(len, open_of.values()))
    allowed = _allowed(limit, count)
    found = Resolutions()
    missing = []
    for key, tickets in open_of.items():
        if key not in rows:
            missing += [ticket for ticket in tickets if _is_within(ticket, scopes_read)]
        elif rows[key].get("status") != UNHEALTHY:
            found.tickets += tickets
    sources = {source_of(str(row.get("id"))) for row in rows.values()}
    if limit == "100%":
        sources |= {source_of(ticket.assessment) for ticket in missing}
    _take_missing(found, missing, sources)
    if len(found.tickets) > allowed:
        found.problems.append(_too_many(len(found.tickets), count, allowed, limit))
        found.tickets = []
    return found


def source_of(assessment: str) -> str:
    """Return the subscription, or the security connector in it, that an assessment belongs to, in lower case."""
    found = SOURCE.match(f"/{assessment.strip('/')}")
    return found[1].lower() if found else ""


def _allowed(limit: str, count: int) -> int:
    found = LIMIT.fullmatch(limit.strip())
    if not found:
        raise ValueError(
            f"{VARIABLE} is {limit!r}; it must be a number, or a percentage of the open tickets such as 25%"
        )
    number = int(found[1])
    return max(MIN_RESOLVED, count * number // 100) if found[2] else number


def _take_missing(found: Resolutions, missing: Iterable[ExistingTicket], sources: set[str]) -> None:
    """Take the tickets without a recommendation whose source still lists others."""
    emptied: dict[str, int] = {}
    for ticket in missing:
        source = source_of(ticket.assessment)
        if source in sources:
            found.tickets.append(ticket)
        else:
            emptied[source] = emptied.get(source, 0) + 1
    for source, count in sorted(emptied.items()):
        kind = "security connector" if "/securityconnectors/" in source else "subscription"
        name = source.rpartition("/")[2]
        message = f"{kind} {name} has {count} open ticket{'' if count == 1 else 's'} and lists no recommendation any more; none was resolved"
        remedy = (
            "Check that its plans are on, Foundational CSPM included (Environment settings > Defender plans). If nothing is left to assess there, "
            f"run once with {VARIABLE}=100%"
        )
        found.problems.append(Problem(f"scope_emptied:{name}", ERROR, message, remedy))


def _too_many(wanted: int, count: int, allowed: int, limit: str) -> Problem:
    shown = f"{allowed}, {VARIABLE}={limit}" if limit.endswith("%") else f"{VARIABLE}={limit}"
    message = f"{wanted} of {count} open tickets would be resolved, more than the limit of one run ({shown}); none was resolved"
    remedy = f"Check the recommendations; if they are right, run once with {VARIABLE}={wanted}"
    return Problem("too_many_resolved", ERROR, message, remedy)


def _is_within(ticket: ExistingTicket, scopes_read: Iterable[str]) -> bool:
    """Return whether a ticket without a recommendation names its assessment, and that one is within the scopes that were read."""
    paths = tuple(f"/{scope.strip('/').lower()}/" for scope in scopes_read)
    same = bool(ticket.assessment) and assessment_key(ticket.assessment) == ticket.key
    return same and ticket.assessment.lower().startswith(paths)
