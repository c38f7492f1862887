# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that live on a scope beside inherited ones: rules and integrations.

See docs/facts/defender_for_cloud.md#integration-operations, docs/facts/defender_for_cloud.md#governance-rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ..arm.client import PROVIDER, ArmClient
from ..arm.json_properties import row_of
from ..arm.scopes import Scope, same_path
from ..collection_store import Endpoint

OWN, INHERITED = "true", "false"


class ScopedObjectsEndpoint(Endpoint):
    """The objects of one `kind` (the last part of their type) on a scope. Operations are followed for `retry_budget` seconds."""

    kind = ""

    def __init__(self, manager: ArmClient, scope: Scope, version: str, retry_budget: float) -> None:
        self.manager, self.scope, self.version, self.retry_budget = manager, scope, version, retry_budget

    def path(self, row_id: str = "") -> str:
        """Return the path of the list, or of one object."""
        return f"{self.scope.path}/providers/{PROVIDER}/{self.kind}{'/' + row_id if row_id else ''}"

    def read(self) -> QueryResult:
        """Return every object that works on the scope; column `own` tells those that are defined there."""
        documents = self.manager.rows(self.path(), self.version)
        return QueryResult(tuple(self.row(document) for document in documents))

    def row(self, document: Mapping[str, Any]) -> Row:
        """Return an object as a row."""
        name = (document.get("properties") or {}).get("displayName")
        own = OWN if not self.inherited_from(document) else INHERITED
        return row_of(document, name=str(name or ""), own=own)

    def inherited_from(self, document: Mapping[str, Any]) -> str:
        """Return the scope that an object is defined on, "" for this one: an id begins with it, with or without a slash."""
        root = scope_of_id(str(document.get("id") or ""), self.kind)
        return "" if not root or same_path(root, self.scope.path) else root

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """PUT an object under the id that was chosen for it: sent again, it is still one."""
        self.put(write, values["id"], values)
        return {"sys_id": values["id"]}

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """PUT all of an object."""
        self.put(write, row_id, values)

    def put(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Send the object that `values["properties"]` holds as JSON."""
        body = {"properties": self.sent(json.loads(values["properties"]))}
        answer = self.manager.call("PUT", self.path(row_id), self.version, body=body)
        self.manager.finish(answer, write.label, self.retry_budget)

    def sent(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Return what is really sent: what no plan may hold is put in here."""
        return properties

    def delete(self, write: Write, row_id: str) -> None:
        """Remove an object and wait for the end of the operation; one that is gone already is fine."""
        answer = self.manager.call("DELETE", self.path(row_id), self.version, accept=(404,))
        self.manager.finish(answer, f"removing {write.label}", self.retry_budget)


def scope_of_id(object_id: str, kind: str) -> str:
    """Return the scope within the id of an object, with a slash in front; "" where there is none."""
    scope, found, _name = object_id.lower().rpartition(f"/providers/{PROVIDER.lower()}/{kind.lower()}/")
    return f"/{object_id[: len(scope)].strip('/')}" if found else ""
