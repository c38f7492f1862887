# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration item of a cloud resource (docs/facts/servicenow_tickets.md#configuration-items)."""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.snapshot import Query, Snapshot

# The class that those of cloud discovery extend, and the column with the id that the cloud gave the resource.
TABLE, COLUMN = "cmdb_ci_vm_object", "object_id"


def item_query(resources: Iterable[str]) -> Query:
    """Return the query for the configuration items of cloud resources, in the spelling given and in lower case."""
    spelled = dict.fromkeys(name for resource in resources for name in (resource, resource.lower()))
    return Query(TABLE, COLUMN, tuple(spelled), ("sys_id", COLUMN, "name"), optional=True)


def configuration_item(resource: str, snapshot: Snapshot) -> tuple[str, str]:
    """Return the id of the configuration item of a resource and "", or "" and the reason why none is set."""
    refused = snapshot.refused(TABLE, COLUMN)
    if refused:
        return "", f"the account may not read {TABLE} ({refused}), so no configuration item was set"
    wanted = resource.casefold()
    rows = [row for row in snapshot.all_rows(TABLE, COLUMN) if str(row.get(COLUMN, "")).casefold() == wanted]
    if len(rows) > 1:
        names = ", ".join(sorted(f"{row.get('name', '')} ({row['sys_id']})" for row in rows))
        return "", f"{len(rows)} configuration items have the object id of the resource, so none was set: {names}"
    return (str(rows[0]["sys_id"]), "") if rows else ("", "")
