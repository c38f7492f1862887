# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the tenant takes no part in a run whose instances are connected to its services."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ..fleet import (
    DEFAULT_SERVICES,
    DEFAULT_TENANT,
    SELECTED_TENANT,
    SERVICES,
    did_you_mean,
    raw_variables,
    selected,
    services_of,
)

BUILT_IN_GROUPS = frozenset({"all", "ungrouped"})


class Tags(NamedTuple):
    """The tags of a run: those that select tasks, those that leave tasks out, and those of tasks of a service other than the service."""

    run: Collection[str] = ("all",)
    skip: Collection[str] = ()
    others: Collection[str] = ()

    def let_in(self, service: str) -> bool:
        """Return whether the tasks of a service take part."""
        tags = {service, *self.others}
        return not tags & set(self.skip) and bool({"all", "tagged"} & set(self.run) or tags & set(self.run))


class Missing(NamedTuple):
    """Why the tenant of `group` takes no part; `unproven` if that leaves open what the run is to show. "" if it does, or need not."""

    reason: str = ""
    unproven: bool = False
    group: str = DEFAULT_TENANT


PRESENT = Missing()


def missing_tenant(
    hostvars: Any, groups: Mapping[str, Collection[str]], group: str = DEFAULT_TENANT, tags: Tags | None = None
) -> Missing:
    """Return why the tenant takes no part in this run.

    One that `--limit`, `--tags` or the job slice left out is not checked; one whose group the inventory lacks leaves the
    connection of the instances unproven.
    """
    wanted = {
        service
        for host in selected(hostvars)
        for service in services_of(hostvars, host, raw_variables(hostvars, host), DEFAULT_SERVICES)
    } & set(SERVICES)
    if not wanted or selected(hostvars, SELECTED_TENANT):
        return PRESENT
    if groups.get(group):
        return Missing("not selected by --limit", group=group)
    if tags and not any(tags.let_in(service) for service in wanted):
        return Missing("left out by --tags", group=group)
    if group in groups:
        return Missing(f"the group {group} has no host in this inventory or job slice", group=group)
    names = [name for name in groups if name not in BUILT_IN_GROUPS]
    return Missing(f"the inventory has no group {group}.{did_you_mean(group, names)}".rstrip("."), True, group)
