# SPDX-License-Identifier: GPL-3.0-or-later
"""How many tickets one run creates and resolves, and what it leaves open because of that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils.engine.problem import ERROR, Problem
from ...module_utils.number_ranges import range_problem
from .groups import Group
from .membership import Membership
from .sources import Sources

DEFAULT_MAX_NEW = 50
DEFAULT_MAX_RESOLVED = "25%"
# As many may be resolved in any case where the limit is a percentage.
MIN_RESOLVED = 10
MAX_NEW, MAX_RESOLVED = "mdc_tickets_max_new", "mdc_tickets_max_resolved"
LIMIT = re.compile(r"(\d{1,9})(%?)")
WHOLE = 100
ALL = f"{WHOLE}%"


def checked_max_new(value: Any) -> int:
    """Return how many tickets may be new; raise `ValueError` for what is no number."""
    text = str(DEFAULT_MAX_NEW if value in (None, "") else value).strip()
    problem = range_problem(MAX_NEW, text)
    if problem:
        raise ValueError(problem)
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{MAX_NEW} is {value!r}; it must be a number, such as {DEFAULT_MAX_NEW}")
    return int(text)


def allowed_resolved(limit: str, count: int) -> int:
    """Return how many of `count` open tickets may be resolved; raise `ValueError` for what is no limit."""
    found = LIMIT.fullmatch((limit or DEFAULT_MAX_RESOLVED).strip())
    if not found or (found[2] and int(found[1]) > WHOLE):
        raise ValueError(
            f"{MAX_RESOLVED} is {limit!r}; it must be a number, or a percentage of the open tickets such as 25%"
        )
    number = int(found[1])
    return max(MIN_RESOLVED, count * number // 100) if found[2] else number


def left_out(groups: Sequence[Group], max_new: int, held: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the limit of new tickets leaves out: `groups` are all that need one; what a ticket holds waits there."""
    later = groups[max_new:]
    keys = [row["key"] for group in later for row in group.rows]
    waiting = sum(key not in held for key in keys)
    option = f"{MAX_NEW}={len(groups)}"
    return {"groups": len(later), "findings": waiting, "held": len(keys) - waiting, "option": option} if later else {}


def too_many_resolved(resolved: Sequence[Membership], count: int, limit: str) -> Problem | None:
    """Return why none of these tickets is resolved, None if there are not too many of `count` open ones."""
    allowed, wanted = allowed_resolved(limit, count), len(resolved)
    if wanted <= allowed:
        return None
    limit = limit or DEFAULT_MAX_RESOLVED
    shown = f"{allowed}, {MAX_RESOLVED}={limit}" if limit.endswith("%") else f"{MAX_RESOLVED}={limit}"
    message = f"{wanted} of {count} open tickets would be resolved, more than the limit of one run ({shown}); none was resolved"
    remedy = f"Check the recommendations; if they are right, run once with {MAX_RESOLVED}={wanted}"
    return Problem("too_many_resolved", ERROR, message, remedy)


def emptied_sources(members: Iterable[Membership], sources: Sources, listed: Iterable[str]) -> list[Problem]:
    """Return the sources that list nothing any more, although open tickets name findings of them; `listed` are the keys of findings."""
    known = frozenset(listed)
    counts: dict[str, int] = {}
    for one in members:
        missing = [each.assessment for key, each in one.stays.items() if key not in known]
        for source in {sources.emptied(assessment) for assessment in missing} - {""}:
            counts[source] = counts.get(source, 0) + 1
    return [_emptied(source, count) for source, count in sorted(counts.items())]


def _emptied(source: str, count: int) -> Problem:
    kind = "security connector" if "/securityconnectors/" in source else "subscription"
    name = source.rpartition("/")[2]
    message = f"{kind} {name} has {count} open ticket{'' if count == 1 else 's'} and lists no recommendation any more; none was resolved"
    remedy = (
        "Check that its plans are on, Foundational CSPM included (Environment settings > Defender plans). If nothing is left to assess there, "
        f"run once with {MAX_RESOLVED}={ALL}"
    )
    return Problem(f"scope_emptied:{name}", ERROR, message, remedy)
