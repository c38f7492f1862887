# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance shows of the update sets that it has retrieved: their states, their updates, and the problems of their previews.

See docs/facts/servicenow_platform.md#cicd-update-set-api.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...engine.errors import InvalidInput
from ...engine.snapshot import Query, QueryResult, Row, Snapshot
from ..release import BUILD_PROPERTIES, Release, release_of

SOURCES, RETRIEVED, LOCAL_SETS = "sys_update_set_source", "sys_remote_update_set", "sys_update_set"
UPDATES, PROBLEMS, PROPERTIES = "sys_update_xml", "sys_update_preview_problem", "sys_properties"
# States of a retrieved set; with any other one, it has to be retrieved again.
LOADED, PREVIEWED, COMMITTED = "loaded", "previewed", "committed"
BUSY = ("loading", "previewing", "committing")
USABLE = (LOADED, PREVIEWED, COMMITTED, *BUSY)
DELETE = "DELETE"
ACCEPTED = "ignored"
DECIDED = (ACCEPTED, "skipped")
ERROR = "error"
# What accepting the update does not solve: the update needs something that the instance lacks.
MISSING = re.compile(r"could not find", re.IGNORECASE)

Read = Callable[[Sequence[Query]], Sequence[QueryResult]]


@dataclass(frozen=True)
class RetrievedSet:
    """A row of `sys_remote_update_set`; `remote_id` is the set's id on the source, `local_id` that of its copy after a commit.

    A set that was backed out is `loaded` again.
    """

    sys_id: str
    remote_id: str
    source_id: str
    state: str
    local_id: str
    created: str


@dataclass(frozen=True)
class PreviewProblem:
    """A problem that a preview found."""

    sys_id: str
    kind: str
    status: str
    description: str
    object: str

    @property
    def blocks(self) -> bool:
        """Whether it has to be decided before a commit."""
        return self.kind == ERROR and self.status not in DECIDED

    @property
    def can_be_accepted(self) -> bool:
        """Whether it is a conflict with what the instance has, and not something that it lacks."""
        return not MISSING.search(self.description)

    def as_dict(self) -> dict[str, str]:
        """Return the problem for a module's result."""
        return {"type": self.kind, "status": self.status, "object": self.object, "description": self.description}


@dataclass(frozen=True)
class UpdateSetQueries:
    """The queries for one name of an update set and one source, whose row has the name `source` or one of `urls`."""

    update_set: str
    source: str
    urls: tuple[str, ...]

    def first(self) -> list[Query]:
        """Return the queries for the source's row, the retrieved sets, and the release of the instance."""
        columns = ("sys_id", "name", "url", "active")
        return [
            Query(SOURCES, "name", (self.source,), columns),
            *([Query(SOURCES, "url", self.urls, columns)] if self.urls else []),
            Query(
                RETRIEVED,
                "name",
                (self.update_set,),
                ("sys_id", "name", "state", "remote_sys_id", "update_source", "update_set", "sys_created_on"),
            ),
            Query(PROPERTIES, "name", BUILD_PROPERTIES, ("sys_id", "name", "value"), optional=True),
        ]

    def further(self, snapshot: Snapshot) -> list[Query]:
        """Return the queries for the updates and problems of the retrieved sets."""
        rows = snapshot.rows(RETRIEVED, "name", self.update_set)
        ids = tuple(row["sys_id"] for row in rows)
        local = tuple(row["update_set"] for row in rows if row.get("update_set"))
        columns = ("sys_id", "name", "action", "target_name")
        found = []
        if ids:
            described = ("sys_id", "type", "status", "description", "remote_update.target_name", "remote_update_set")
            found.append(Query(PROBLEMS, "remote_update_set", ids, described))
            found.append(Query(UPDATES, "remote_update_set", ids, (*columns, "remote_update_set")))
        if local:
            found.append(Query(UPDATES, "update_set", local, (*columns, "update_set")))
            found.append(Query(LOCAL_SETS, "sys_id", local, ("sys_id", "name"), optional=True))
        return found

    def read(self, read: Read) -> Snapshot:
        """Read everything again."""
        first = self.first()
        snapshot = Snapshot.of(first, [*read(first)], "sys_id")
        further = self.further(snapshot)
        snapshot.answers += zip(further, read(further), strict=True) if further else ()
        return snapshot

    def source_row(self, snapshot: Snapshot) -> Row | None:
        """Return the row of the source, found by its name, else by its URL; raise `InvalidInput` where that is ambiguous."""
        rows = snapshot.rows(SOURCES, "name", self.source)
        rows = rows or [row for url in self.urls for row in snapshot.rows(SOURCES, "url", url)]
        if len(rows) > 1:
            ids = ", ".join(sorted(row["sys_id"] for row in rows))
            raise InvalidInput(f"{len(rows)} rows of {SOURCES} stand for {self.source} ({ids}); remove or rename one")
        return rows[0] if rows else None

    def sets(self, snapshot: Snapshot) -> list[RetrievedSet]:
        """Return the retrieved sets of this name, the newest last."""
        found = [
            RetrievedSet(
                row["sys_id"],
                row.get("remote_sys_id", ""),
                row.get("update_source", ""),
                LOADED if _is_backed_out(snapshot, row) else row.get("state", ""),
                row.get("update_set", ""),
                row.get("sys_created_on", ""),
            )
            for row in snapshot.rows(RETRIEVED, "name", self.update_set)
        ]
        return sorted(found, key=lambda each: (each.created, each.sys_id))


def _is_backed_out(snapshot: Snapshot, row: Row) -> bool:
    """Return whether the local copy of a committed set is gone: backing out deletes it."""
    local = row.get("update_set", "")
    if row.get("state") != COMMITTED or not local or snapshot.rows(LOCAL_SETS, "sys_id", local):
        return False
    return not snapshot.refused(LOCAL_SETS, "sys_id") and not snapshot.hidden_count(LOCAL_SETS, "sys_id")


def problems_of(snapshot: Snapshot, retrieved: RetrievedSet) -> list[PreviewProblem]:
    """Return the problems of a preview, by the names of the objects that their updates change."""
    found = [
        PreviewProblem(
            row["sys_id"],
            row.get("type", ""),
            row.get("status", ""),
            row.get("description", ""),
            row.get("remote_update.target_name", ""),
        )
        for row in snapshot.rows(PROBLEMS, "remote_update_set", retrieved.sys_id)
    ]
    return sorted(found, key=lambda problem: (problem.object, problem.description, problem.sys_id))


def updates_of(snapshot: Snapshot, found: RetrievedSet) -> list[Row]:
    """Return the updates of a retrieved set."""
    return snapshot.rows(UPDATES, "remote_update_set", found.sys_id)


def missing_updates(snapshot: Snapshot, found: RetrievedSet) -> list[Row]:
    """Return the updates of a committed set that its local copy lacks."""
    local = (
        {row.get("name") for row in snapshot.rows(UPDATES, "update_set", found.local_id)} if found.local_id else set()
    )
    return [row for row in updates_of(snapshot, found) if row.get("name") not in local]


def release_in(snapshot: Snapshot) -> Release:
    """Return the release of the instance; an empty one where it cannot be read."""
    rows = snapshot.all_rows(PROPERTIES, "name")
    return release_of({str(row.get("name")): str(row.get("value", "")) for row in rows})
