# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a summary about activities: for each instance and day who signed in, who failed to, new administrators, files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .results import Json

MAX_NAMED = 10
NONE = "no activities of ServiceNow: instances without activity have none, and those of a new connection can take hours to appear"
OTHERS = "an instance that is not listed had no activities that were read: it is quiet, or its connector delivers none (verify shows which)"


def activity_lines(rows: Iterable[Json]) -> Iterator[str]:
    """Yield one line for each instance and day, and what it consists of below it."""
    empty = True
    for row in rows:
        empty = False
        instance = row.get("instance_name") or row.get("instance") or "unknown instance"
        yield f"activity of {instance} on {row.get('day') or 'an unknown day'}:"
        yield f"    signed in: {_counted(row.get('signed_in') or [])}"
        yield f"    failed sign-ins: {_counted(row.get('failed') or [])}"
        yield f"    new administrators: {_by_user(row.get('new_administrators') or [])}"
        yield f"    uploaded files: {_by_user(row.get('uploaded_files') or [])}"
        yield f"    other activities: {row.get('other', 0)}"
    yield NONE if empty else OTHERS


def _counted(found: list[Json]) -> str:
    return _listed([f"{entry.get('user') or 'unknown user'} ({entry.get('count')})" for entry in found])


def _by_user(found: list[Json]) -> str:
    return _listed([f"{entry.get('name') or 'unnamed'} (by {entry.get('user') or 'unknown user'})" for entry in found])


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{', '.join(names[:MAX_NAMED])}{more}" if names else "none"
