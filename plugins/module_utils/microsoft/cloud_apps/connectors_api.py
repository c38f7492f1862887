# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of app connectors: listed by a known route or a contract, written by contract only.

See docs/facts/defender_for_cloud_apps.md#undocumented-routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import EngineError, Refused
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...recorded_api.listing import list_by_contract
from ...recorded_api.replay import Replay
from ...transport.errors import HttpError, UnexpectedPage
from ...transport.paged_list import PagedList, records_in
from ..collection_store import Endpoint
from .client import PAGE_SIZE, PORTAL, CloudAppsClient, has_next
from .connector_health import DISABLED
from .connector_rows import rows_of
from .evidence import gather_evidence
from .secure_score_switch import OPERATION, SWITCH, as_value

COLLECTION = "app_connectors"
SERVICENOW = 14509
LIST_PATH = f"{PORTAL}/app_connectors/"
COLUMNS = ("id", "name", "url", "status", "message", "last_connected", "accounts", "secure_score", "events", "records")
# Routes that require other permissions answer with these, also with 500
# (docs/facts/defender_for_cloud_apps.md#portal-routes).
LIST_REFUSED = frozenset({400, 401, 403, 404, 405, 500})


class ConnectorsEndpoint(Endpoint):
    """The connectors of one app. Routes that Microsoft does not document are written by contract only.

    After a read, `evidence` has its sources if the list is refused, and `unclear` says why a connector that was not found may exist.
    """

    noun = "connectors"

    def __init__(self, client: CloudAppsClient, replay: Replay | None = None, app_id: int = SERVICENOW) -> None:
        self.client, self.replay, self.app_id = client, replay, app_id
        self.evidence: list[str] = []
        self.unclear = ""

    def read(self) -> QueryResult:
        """List the connectors; if that is refused, derive them from evidence of the documented APIs."""
        try:
            lister = self.replay if self.replay and self.replay.can_list() else None
            records = list_by_contract(lister, PAGE_SIZE) if lister else self._list_by_known_route()
        except (HttpError, UnexpectedPage) as error:
            if isinstance(error, HttpError) and error.status not in LIST_REFUSED:
                raise
            found = gather_evidence(self.client, self.app_id)
            if found.answered == 0 and isinstance(error, HttpError) and error.status == 401:
                raise self.client.refusal(error) from None
            if found.answered == 0:
                raise Refused(
                    f"{self.client.name}: the status of the connectors cannot be read. The list is refused: {error}. "
                    f"{self.client.list_remedy()}. {' '.join(found.notes)}"
                ) from None
            self.unclear = f"the list of connectors is refused ({error}). {self.client.list_remedy()}"
            self.evidence = [self.unclear, *found.notes]
            return QueryResult(found.rows)
        self.evidence = []
        rows, self.unclear = rows_of(records, self.app_id)
        return QueryResult(rows)

    def _list_by_known_route(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        pages = PagedList(f"POST {LIST_PATH}", self.client.session.settings)
        while True:
            body = {"filters": {}, "skip": len(rows), "limit": PAGE_SIZE, "performAsyncTotal": False}
            body |= {"sortField": "app", "sortDirection": "desc"}
            data = self.client.session.request("POST", LIST_PATH, body=body, only_reads=True).data
            page = records_in(data, LIST_PATH)
            pages.add(page)
            rows += page
            if not has_next(data, page, len(rows), LIST_PATH):
                return rows
            pages.go_on()

    # -- writing: only by contract ------------------------------------------------------------------------------------

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Replay the contract's operation `create`, and `test` if it has one."""
        replay = self._contract(write)
        fields = replay.run("create", values)
        if replay.offers("test"):
            replay.run("test", {**values, **fields})
        row_id = str(fields.get("id") or values["name"])
        if values.get(SWITCH) and replay.offers(OPERATION):
            replay.run(OPERATION, {**values, **fields, "id": row_id, SWITCH: as_value(values[SWITCH])})
        return {"id": row_id}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Replay the contract's operation `update`, `disable`, or that of the Secure Score switch."""
        if set(values) == {"name", SWITCH}:
            self._contract(write).run(
                OPERATION, {"name": values["name"], "id": row_id, SWITCH: as_value(values[SWITCH])}
            )
            return
        operation = "disable" if values.get("status") == DISABLED else "update"
        self._contract(write).run(operation, {**values, "id": row_id})

    def delete(self, write: Write, row_id: str) -> None:
        """Replay the contract's operation `delete`."""
        self._contract(write).run("delete", {"id": row_id, **write.values})

    def _contract(self, write: Write) -> Replay:
        if self.replay is None:
            raise EngineError(f"{write.label}: nothing is written without a contract")
        return self.replay
