# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of data connectors, which Microsoft does not document: listed and written by contract only.

See docs/facts/exposure_management.md#data-connector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput, PlatformFailure, Refused
from ...engine.plan import Write
from ...engine.result import UNKNOWN, ManualStep
from ...engine.snapshot import QueryResult, Row
from ...instance_address import place_of
from ...recorded_api.listing import list_by_contract
from ...recorded_api.replay import Replay, UnknownObject
from ...transport.errors import AmbiguousResponse, HttpError
from ..collection_store import Endpoint

COLLECTION = "data_connectors"
COLUMNS = ("id", "place")
PAGE_SIZE = 100
# A part of the product's name in every list, in lower case.
SERVICENOW = "servicenow"


class DataConnectorsEndpoint(Endpoint):
    """The data connectors of a tenant, by their place: the address of the instance without scheme.

    `done` holds the ids of those that this run wrote ("" if none is known), `removed` the places of those that it removed, and `lost` those whose answer
    to `create` was lost and which no list shows. `steps` are the manual steps for lost answers, by label. After a read, `unclear` says
    why a connector that the list does not show may exist all the same.
    """

    noun = "data connectors"

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.done: dict[str, str] = {}
        self.removed: set[str] = set()
        self.lost: set[str] = set()
        self.steps: dict[str, ManualStep] = {}
        self.unclear = ""

    @property
    def lists(self) -> bool:
        """Whether the contract can list connectors with the values of this session."""
        return self.replay.can_list()

    def read(self) -> QueryResult:
        """List the connectors; without a list, those are known that this run wrote."""
        if not self.lists:
            return QueryResult(tuple({"id": row_id or place, "place": place} for place, row_id in self.done.items()))
        try:
            records = list_by_contract(self.replay, PAGE_SIZE)
        except HttpError as error:
            raise PlatformFailure(
                f"{self.replay.client.name}: the data connectors could not be listed. {error}"
            ) from None
        if not all({"id", "address"} <= set(record) for record in records):
            # Taken for connectors of other products, all would be connected again.
            raise InvalidInput(
                f"contract {self.replay.contract.name!r}: the operation list must declare connectors as mappings with id and address"
            )
        self.unclear = not_recognized(records)
        rows = [row_of(record) for record in records]
        found = {row["place"]: row["id"] for row in rows}
        self.done |= {place: found[place] for place in self.lost & set(found)}
        self.lost -= set(found)
        return QueryResult(tuple(row for row in rows if row["place"] and row["id"]))

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Replay the operation `create`, and `test` if there is one.

        A lost answer is `AmbiguousResponse` if the list can show what became of it, else a refusal with a manual step.
        """
        place = str(values["instance_host"])
        try:
            fields = self._run("create", values)
        except AmbiguousResponse as unclear:
            self.lost.add(place)
            if self.lists:
                raise
            raise Refused(
                f"whether it was connected is unclear, and it is not sent again. {unclear}",
                status=UNKNOWN,
                step=self.steps.get(write.label),
            ) from None
        self.done[place] = str(fields.get("id") or "")
        if self.replay.offers("test"):
            self._run("test", {**values, **fields})
        return {"id": self.done[place] or place}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Replay the operation `update`."""
        place = str(values["instance_host"])
        self._change("update", write, {**values, "id": row_id})
        self.done[place] = "" if row_id == place else row_id

    def delete(self, write: Write, row_id: str) -> None:
        """Replay the operation `delete`."""
        self._change("delete", write, {**write.values, "id": row_id})
        self.removed.add(str(write.values["instance_host"]))

    def _change(self, operation: str, write: Write, values: Mapping[str, Any]) -> None:
        """Replay an operation on a connector; without a list, one that the portal does not know is a refusal with a manual step."""
        try:
            self._run(operation, values)
        except UnknownObject as unknown:
            if self.lists:
                raise
            raise Refused(
                f"the portal knows no connector with the recorded id {values['id']}, and the contract has no operation list that shows "
                f"whether there is another one. {unknown}",
                status=UNKNOWN,
                step=self.steps.get(write.label),
            ) from None

    def _run(self, operation: str, values: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self.replay.run(operation, values)
        except HttpError as error:
            raise PlatformFailure(f"{self.replay.client.name}: the portal failed {operation}. {error}") from None


def not_recognized(records: Sequence[Mapping[str, Any]]) -> str:
    """Return why a connector of ServiceNow may be among those that are not recognized, "" if none can be.

    Connectors of other products have no address. Without a product, the list is recognized by those that have one.
    """
    rows = [row_of(record) for record in records]
    shows_address = any(row["place"] for row in rows)
    for position, (record, row) in enumerate(zip(records, rows, strict=True), 1):
        product = record.get("product")
        may_be_ours = (not product or SERVICENOW in str(product).lower()) if "product" in record else not shows_address
        lacking = [name for name, key in (("address", "place"), ("id", "id")) if not row[key]]
        if lacking and (row["place"] or may_be_ours):
            return (
                f"the list of data connectors cannot be recognized: entry {position} of {len(rows)} has no {' and no '.join(lacking)}. "
                f"The portal has changed, or the contract does not declare product: learn the contract again"
            )
    return ""


def row_of(record: Mapping[str, Any]) -> Row:
    """Return the row of a listed connector; one of another product has no address."""
    return {"id": str(record.get("id") or ""), "place": place_of(str(record.get("address") or ""))}
