# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that a scope defines or inherits: governance rules and integrations.

See docs/facts/defender_for_cloud.md#integration-operations, docs/facts/defender_for_cloud.md#governance-rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ..arm.client import PROVIDER, ArmClient
from ..arm.json_properties import row_of
from ..arm.scopes import Scope, same_path
from ..collection_store import Endpoint


class ScopedObjectsEndpoint(Endpoint):
    """The objects of one `kind` (the last part of their type) on a scope. Operations may last `wait_timeout` seconds."""

    kind = ""

    def __init__(self, client: ArmClient, scope: Scope, version: str, wait_timeout: float) -> None:
        self.client, self.scope, self.version, self.wait_timeout = client, scope, version, wait_timeout

    def path(self, row_id: str = "") -> str:
        """Return the path of the list, or of one object."""
        return f"{self.scope.path}/providers/{PROVIDER}/{self.kind}{'/' + row_id if row_id else ''}"

    def read(self) -> QueryResult:
        """Return every object in effect on the scope; column `own` is true for those that are defined there."""
        documents = self.client.rows(self.path(), self.version)
        return QueryResult(tuple(self.row(document) for document in documents))

    def row(self, document: Mapping[str, Any]) -> Row:
        """Return an object as a row."""
        name = (document.get("properties") or {}).get("displayName")
        return row_of(document, name=str(name or ""), own=not self.inherited_from(document))

    def inherited_from(self, document: Mapping[str, Any]) -> str:
        """Return the scope that an object is defined on, "" for this one: an id begins with it, with or without a slash."""
        root = scope_of_id(str(document.get("id") or ""), self.kind)
        return "" if not root or same_path(root, self.scope.path) else root

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """PUT an object under the id that was chosen for it: sent again, it stays one object."""
        self.put(write, values["id"], values["properties"])
        return {"id": values["id"]}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """PUT the whole object."""
        self.put(write, row_id, values["properties"])

    def put(self, write: Write, row_id: str, properties: Mapping[str, Any]) -> None:
        """Send an object and wait for the end of the operation."""
        response = self.client.call(
            "PUT", self.path(row_id), self.version, body={"properties": self.body_of(properties)}
        )
        self.client.finish(response, write.label, self.wait_timeout)

    def body_of(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the properties to send; a subclass adds what no plan may hold."""
        return properties

    def delete(self, write: Write, row_id: str) -> None:
        """Delete an object and wait for the end of the operation; one that does not exist any more is fine."""
        response = self.client.call("DELETE", self.path(row_id), self.version, accept=(404,))
        self.note_not_found(write, response, self.client.context.redactor.scrub_text)
        self.client.finish(response, f"removing {write.label}", self.wait_timeout)


def scope_of_id(object_id: str, kind: str) -> str:
    """Return the scope within the id of an object, with a slash in front; "" where there is none."""
    scope, found, _name = object_id.lower().rpartition(f"/providers/{PROVIDER.lower()}/{kind.lower()}/")
    return f"/{object_id[: len(scope)].strip('/')}" if found else ""
