# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comparison could not read: resources whose rows the platform refuses or hides are unproven, the others are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .plan import Plan, Resource
from .result import UNKNOWN
from .snapshot import Query, Snapshot


@dataclass(frozen=True)
class Tolerant:
    """The queries of a resource, of which each may be refused."""

    resource: Resource

    def reads(self) -> list[Query]:
        """Return the queries that depend on no answer."""
        return _optional(self.resource.reads())

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return the queries that depend on the first answers."""
        return [] if refusal(self.resource, snapshot) else _optional(self.resource.further_queries(snapshot))


def _optional(reads: Iterable[Query]) -> list[Query]:
    return [replace(read, optional=True) for read in reads]


def refusal(resource: Resource, snapshot: Snapshot) -> str:
    """Return which query of a resource was refused although it needs the answer, with the platform's words; "" if none was."""
    for read in resource.reads():
        refused = "" if read.optional else snapshot.refused(read.collection, read.column)
        if refused:
            return f"the account may not read {read.collection} ({refused}). Give it a role with read access"
    return ""


def hidden(resource: Resource, plan: Plan, snapshot: Snapshot) -> str:
    """Return why an object that was not found may exist; "" if it was found, or does not exist."""
    reads = resource.reads()
    if plan.bulk or plan.row is not None or not reads:
        return ""
    count = snapshot.hidden_count(reads[0].collection, reads[0].column)
    return (
        f"the account may not see {count} matching rows of {reads[0].collection}. Give it read access" if count else ""
    )


def all_refused(resources: Sequence[Resource], snapshot: Snapshot) -> bool:
    """Return whether nothing can be compared."""
    return bool(resources) and all(refusal(resource, snapshot) for resource in resources)


def unread_plan(resource: Resource, reason: str) -> Plan:
    """Return the plan of a resource that could not be read."""
    plan = Plan(resource.label, bulk=True)
    plan.outcomes.append({"object": resource.label, "status": UNKNOWN, "reason": reason})
    return plan
