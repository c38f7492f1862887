# SPDX-License-Identifier: GPL-3.0-or-later
"""Exemptions: read as lists, one for each subscription, written one by one (docs/facts/defender_for_cloud.md#exemptions)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...engine.errors import Refused
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...transport.errors import AmbiguousResponse
from ..arm.client import ArmClient
from ..collection_store import Endpoint
from .exemption import EFFECT, Exemption, key_of

COLLECTION, COLUMNS = "standardAssignments", ("id", "key", "name", "properties")
TYPE_PATH, VERSION = "/providers/Microsoft.Security/standardAssignments", "2024-08-01"


class ExemptionsEndpoint(Endpoint):
    """The exemptions of a task. After a read, `refused` has the reason why one could not be read, by its key."""

    noun = "exemptions"

    def __init__(self, client: ArmClient, exemptions: Iterable[Exemption]) -> None:
        self.client = client
        self.exemptions = {each.key: each for each in exemptions if not each.refusal}
        self.refused: dict[str, str] = {}
        self.progress = client.progress_line()
        self.done = 0

    def read(self) -> QueryResult:
        """Return the exemptions of the same recommendations and resources, whoever created them."""
        by_scope: dict[str, list[Exemption]] = {}
        for each in self.exemptions.values():
            by_scope.setdefault(each.scope.casefold(), []).append(each)
        rows: dict[str, Row] = {}
        self.refused = {}
        for exemptions in by_scope.values():
            try:
                for page in self.client.pages(f"{exemptions[0].scope}{TYPE_PATH}", VERSION):
                    self._collect(rows, page)
                found = {row["key"] for row in rows.values()}
                for each in exemptions:
                    # Whether the list has those of resources is LIKELY: what seems to be missing is looked up by its own name.
                    if each.key not in found and each.resource_id.casefold() != each.scope.casefold():
                        one = self.client.find(f"{each.resource_id}{TYPE_PATH}/{each.name}", VERSION)
                        self._collect(rows, [one] if one else [])
            except Refused as refusal:
                self.refused |= {each.key: str(refusal) for each in exemptions}
        return QueryResult(tuple(rows.values()))

    def _collect(self, rows: dict[str, Row], documents: Iterable[Mapping[str, Any]]) -> None:
        for document in documents:
            properties = dict(document.get("properties") or {})
            about = (properties.get("exemptionData") or {}).get("assignedAssessment") or {}
            row_id = f"/{str(document.get('id') or '').strip('/')}"
            # The example of the vendor has an id without the word providers.
            resource = row_id[: row_id.lower().rfind("/microsoft.security/")]
            resource = resource[: -len("/providers")] if resource.lower().endswith("/providers") else resource
            key = key_of(resource, about.get("assessmentKey"))
            if str(properties.get("effect") or "").casefold() == EFFECT.casefold() and key in self.exemptions:
                name = str(document.get("name") or row_id.rpartition("/")[2])
                rows[row_id.casefold()] = {
                    "id": f"{resource}{TYPE_PATH}/{name}", "key": key, "name": name, "properties": properties,
                }  # fmt: skip

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """PUT a new exemption under its own name. A lost response is looked up under that name."""
        try:
            self._put(values["path"], values["properties"])
        except AmbiguousResponse:
            if self.client.find(values["path"], VERSION) is None:
                raise
        return {"id": values["path"]}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """PUT the whole exemption: what it leaves out would be removed."""
        self._put(row_id, values["properties"])

    def delete(self, write: Write, row_id: str) -> None:
        """DELETE an exemption; one that does not exist any more is fine (204)."""
        response = self.client.call("DELETE", row_id, VERSION, accept=(404,))
        self.note_not_found(write, response, self.client.context.redactor.scrub_text)
        self._count()

    def _put(self, path: str, properties: Mapping[str, Any]) -> None:
        self.client.call("PUT", path, VERSION, body={"properties": properties})
        self._count()

    def _count(self) -> None:
        self.done += 1
        self.progress.report(f"{self.done} exemptions written")
