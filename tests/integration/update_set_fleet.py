# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances between which update sets are taken over, as tests set them up."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from tests.integration.instances import Instance
from tests.integration.playbooks import Task, task

MODULE = "snow_update_set"
SET = "Baseline of the fleet"
CICD = {"steps": 1}


def add_source(instance: Instance, source: Instance, **columns: str) -> None:
    """Create the row by which an instance retrieves from another one."""
    instance.add("sys_update_set_source", **{"name": source.name, "url": source.access.url, **columns})


def complete_set(source: Instance, *names: str, state: str = "complete", set_name: str = SET) -> str:
    """Create an update set with a new system property of each name on the source, which has these rows, too."""
    set_id = source.add("sys_update_set", name=set_name, state=state)
    for name in names:
        row = source.add("sys_properties", name=name, value="true", type="boolean")
        columns = {"name": name, "value": "true", "type": "boolean", "sys_id": row}
        record = "".join(f"<{column}>{escape(value)}</{column}>" for column, value in columns.items())
        payload = f'<record_update table="sys_properties"><sys_properties action="INSERT_OR_UPDATE">{record}</sys_properties></record_update>'
        source.add(
            "sys_update_xml",
            name=f"sys_properties_{row}",
            update_set=set_id,
            target_name=name,
            type="System Property",
            payload=payload,
        )
    return set_id


def take_over(source: Instance, name: str = "take over", /, **options: Any) -> Task:
    """Return the task that takes over the set."""
    known = {"source": source.name, "source_options": source.connection, "update_set": SET, "poll_interval": 0.02}
    return task(MODULE, name, **{**known, **options})
