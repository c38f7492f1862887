# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance assignments: read as lists, written one by one (docs/facts/defender_for_cloud.md#governance-assignments).

There is one list for each subscription or connector and recommendation, however many assignments it has. Resource Graph
would return all of them in fewer calls, but lags behind: what was just written would be written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ...engine.errors import Refused
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...transport.errors import AmbiguousResponse
from ..arm.client import ArmClient
from ..collection_store import Endpoint
from .assessments import ASSESSMENTS_PATH, ASSESSMENTS_VERSION, split_id
from .governance_assignment import Pair

COLLECTION, VERSION = "governanceAssignments", "2022-01-01-preview"
COLUMNS = ("id", "pair", "name", "properties")
# From this number on, one list of all assessments of a scope needs fewer calls than one read of each.
MIN_FOR_LIST = 10
EXPIRED = (
    "the recommendation has expired: Defender for Cloud has no such assessment of this resource any more. Remove it from assignments; "
    "its ticket can be resolved"
)


class AssignmentsEndpoint(Endpoint):
    """The assignments of `pairs`; those of `creating` may have to be created.

    After a read, `refused` holds the reason why a pair could not be read, by its key, and `expired` the keys of pairs
    without an assessment. `planned` is the number of writes, for progress.
    """

    def __init__(self, client: ArmClient, pairs: Iterable[Pair], creating: Iterable[Pair]) -> None:
        self.client = client
        self.pairs = {pair.key: pair for pair in pairs}
        self.creating = {pair.key for pair in creating}
        self.refused: dict[str, str] = {}
        self.expired: set[str] = set()
        self.planned = self.done = 0
        self.progress = client.progress_line()
        self._checked: set[str] = set()

    # -- reading ------------------------------------------------------------------------------------------------------

    def read(self) -> QueryResult:
        """Return the assignments of the pairs, and no others."""
        lists: dict[tuple[str, str], list[Pair]] = {}
        for pair in self.pairs.values():
            lists.setdefault((pair.scope.casefold(), pair.recommendation.casefold()), []).append(pair)
        rows: dict[str, Row] = {}
        self.refused = {}
        for count, pairs in enumerate(lists.values()):
            self.progress.report(f"{count} of {len(lists)} lists of assignments read")
            try:
                self._collect(rows, f"{pairs[0].scope}{ASSESSMENTS_PATH}/{pairs[0].recommendation}")
            except Refused as refusal:
                self.refused |= {pair.key: str(refusal) for pair in pairs}
        self._check_resources(rows)
        return QueryResult(tuple(rows.values()))

    def _collect(self, rows: dict[str, Row], assessment_path: str) -> None:
        path = f"{assessment_path}/{COLLECTION}"
        for page in self.client.pages(path, VERSION, may_be_missing=True):
            for assignment in page:
                row = row_of(assignment)
                if row["pair"] in self.pairs:
                    rows[row["id"].casefold()] = row

    def _check_resources(self, rows: dict[str, Row]) -> None:
        """Before a create, check that there is an assessment, and read the assignments of the resource itself.

        The published example has the resource as scope; according to its description a list of the subscription includes
        those, too. A resource without an assignment is not read again until one was created.
        """
        found = {row["pair"] for row in rows.values()}
        missing = [self.pairs[key] for key in self.creating - found - set(self.refused) - self.expired - self._checked]
        by_scope: dict[str, list[Pair]] = {}
        for pair in sorted(missing, key=lambda pair: pair.key):
            by_scope.setdefault(pair.scope.casefold(), []).append(pair)
        for pairs in by_scope.values():
            self.expired |= {pair.key for pair in pairs} - self._existing(pairs)
        alive = [pair for pair in missing if pair.key not in self.expired]
        for count, pair in enumerate(alive):
            self.progress.report(f"{count} of {len(alive)} resources without an assignment checked")
            if pair.resource_id.casefold() != pair.scope.casefold():
                self._collect(rows, pair.assessment_path)
        self._checked |= {pair.key for pair in alive} - {row["pair"] for row in rows.values()}

    def _existing(self, pairs: Sequence[Pair]) -> set[str]:
        """Return the keys of the pairs that have an assessment; all of them where assessments may not be read."""
        try:
            if len(pairs) < MIN_FOR_LIST:
                return {
                    pair.key
                    for pair in pairs
                    if self.client.find(pair.assessment_path, ASSESSMENTS_VERSION) is not None
                }
            existing: set[str] = set()
            for page in self.client.pages(f"{pairs[0].scope}{ASSESSMENTS_PATH}", ASSESSMENTS_VERSION):
                existing |= {_pair_key(str(assessment.get("id") or "")) for assessment in page}
                self.progress.report(f"{len(existing)} recommendations read")
            return existing
        except Refused:
            return {pair.key for pair in pairs}

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """PUT a new assignment under its own key. A lost response is looked up under that key."""
        path = f"{values['path']}/{COLLECTION}/{values['name']}"
        with self._counted():
            try:
                self._put(path, values["properties"])
            except AmbiguousResponse:
                if self.client.find(path, VERSION) is None:
                    raise
        # The subscription's list may not contain it at once.
        self._checked.discard(values["pair"])
        return {"id": path}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """PUT the whole assignment: what it leaves out would be removed."""
        with self._counted():
            self._put(row_id, values["properties"])

    def delete(self, write: Write, row_id: str) -> None:
        """DELETE an assignment; one that does not exist any more is fine (204)."""
        with self._counted():
            response = self.client.call("DELETE", row_id, VERSION, accept=(404,))
        self.note_not_found(write, response, self.client.context.redactor.scrub_text)

    def _put(self, path: str, properties: Mapping[str, Any]) -> None:
        response = self.client.call("PUT", path, VERSION, body={"properties": properties}, accept=(404,))
        if response.status == 404:
            raise Refused(f"{EXPIRED}. {response.error(self.client.context.redactor.scrub_text)}")

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.done += 1
            self.progress.report(f"{self.done} of {self.planned} assignments written")


def row_of(assignment: Mapping[str, Any]) -> Row:
    """Return an assignment as a row: its id, the key of its pair, its name and its properties."""
    properties = assignment.get("properties")
    properties = dict(properties) if isinstance(properties, Mapping) else {}
    row_id = f"/{str(assignment.get('id') or '').strip('/')}"
    # Some responses have the assessed resource in a property of its own, not in the id
    # (docs/facts/defender_for_cloud.md#governance-assignments).
    assigned = str(properties.get("assignedResourceId") or "")
    return {
        "id": row_id,
        "pair": _pair_key(assigned) if split_id(assigned)[1] else _pair_key(row_id),
        "name": str(assignment.get("name") or row_id.rsplit("/", 1)[-1]),
        "properties": properties,
    }


def _pair_key(assessment_id: str) -> str:
    resource, name = split_id(assessment_id)
    return Pair(name, resource).key
