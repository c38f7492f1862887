# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of app connectors: listed by a known route or a contract, written by contract only.

See docs/facts/defender_for_cloud_apps.md#undocumented-routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from ...engine.errors import EngineError, Refused
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...recorded_api.replay import Replay
from ...recorded_api.template import find_placeholders
from ...transport.errors import HttpError, UnexpectedPage
from ..collection_store import Endpoint
from .client import PAGE_SIZE, PORTAL, CloudAppsClient, check_page, has_next, records_in
from .connector_health import DISABLED, status_of
from .evidence import gather_evidence

COLLECTION = "app_connectors"
SERVICENOW = 14509
LIST_PATH = f"{PORTAL}/app_connectors/"
COLUMNS = ("id", "name", "url", "status", "message", "last_connected", "accounts", "events", "records")
# Routes that require other permissions answer with these, also with 500
# (docs/facts/defender_for_cloud_apps.md#portal-routes).
LIST_REFUSED = frozenset({400, 401, 403, 404, 405, 500})


class ConnectorsEndpoint(Endpoint):
    """The connectors of one app. Routes that Microsoft does not document are written by contract only."""

    noun = "connectors"

    def __init__(self, client: CloudAppsClient, replay: Replay | None = None, app_id: int = SERVICENOW) -> None:
        self.client, self.replay, self.app_id = client, replay, app_id
        self.evidence: list[str] = []

    def read(self) -> QueryResult:
        """List the connectors; if that is refused, derive them from evidence of the documented APIs."""
        try:
            lister = self.replay if self.replay and self.replay.can_list() else None
            records = _list_by_contract(lister) if lister else self._list_by_known_route()
        except (HttpError, UnexpectedPage) as error:
            if isinstance(error, HttpError) and error.status not in LIST_REFUSED:
                raise
            found = gather_evidence(self.client, self.app_id)
            if found.answered == 0:
                raise Refused(
                    f"{self.client.name}: the status of the connectors cannot be read. The list is refused: {error}. {' '.join(found.notes)}"
                ) from None
            self.evidence = [f"the list of connectors is refused ({error})", *found.notes]
            return QueryResult(found.rows)
        self.evidence = []
        return QueryResult(tuple(row_of(record) for record in records if _app_of(record) == self.app_id))

    def _list_by_known_route(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            body = {"filters": {}, "skip": len(rows), "limit": PAGE_SIZE, "performAsyncTotal": False}
            body |= {"sortField": "app", "sortDirection": "desc"}
            data = self.client.session.request("POST", LIST_PATH, body=body, only_reads=True).data
            page = records_in(data, LIST_PATH)
            check_page(page, rows, LIST_PATH)
            rows += page
            if not has_next(data, page, len(rows), LIST_PATH):
                return rows

    # -- writing: only by contract ------------------------------------------------------------------------------------

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """Replay the contract's operation `create`, and `test` if it has one."""
        replay = self._contract(write)
        fields = replay.run("create", values)
        if replay.offers("test"):
            replay.run("test", {**values, **fields})
        return {"id": str(fields.get("id") or values["name"])}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Replay the contract's operation `update` or `disable`."""
        operation = "disable" if values.get("status") == DISABLED else "update"
        self._contract(write).run(operation, {**values, "id": row_id})

    def delete(self, write: Write, row_id: str) -> None:
        """Replay the contract's operation `delete`."""
        self._contract(write).run("delete", {"id": row_id, **write.values})

    def _contract(self, write: Write) -> Replay:
        if self.replay is None:
            raise EngineError(f"{write.label}: nothing is written without a contract")
        return self.replay


def _list_by_contract(replay: Replay) -> list[dict[str, Any]]:
    """Return every connector's record by the contract's operation `list`."""
    step = replay.contract.operations["list"][0]
    has_pages = "skip" in set(find_placeholders([step.body, step.url]))
    rows: list[dict[str, Any]] = []
    while True:
        fields = replay.run("list", {"skip": len(rows), "limit": PAGE_SIZE}, only_reads=True)
        if "connectors" not in fields:
            raise EngineError("the contract's operation list does not declare the field connectors")
        page = records_in(fields["connectors"], "the list of connectors")
        check_page(page, rows, "the list of connectors")
        rows += page
        if not page or not has_pages or not fields.get("has_next"):
            return rows


def _app_of(record: Mapping[str, Any]) -> int:
    value = str(record.get("appId"))
    return int(value) if value.isdigit() else 0


def row_of(record: Mapping[str, Any]) -> Row:
    """Return the row of a connector's record.

    See docs/facts/defender_for_cloud_apps.md#reading-connectors.
    """
    found = record.get("api")
    api: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    status, message = status_of(api)
    return {
        "id": str(record.get("_id") or ""),
        "name": str(record.get("instanceName") or record.get("name") or ""),
        "url": next(_addresses(record), ""),
        "status": status,
        "message": message,
        "last_connected": _iso(api.get("lastConnected")),
        "accounts": int(api.get("usersCount") or 0),
    }


def normalize_address(url: str) -> str:
    """Return an instance's address in normalized form: without trailing slash and port 443, in lower case."""
    parts = urlsplit(url.strip())
    port = f":{parts.port}" if parts.port and (parts.scheme.lower(), parts.port) != ("https", 443) else ""
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}{port}{parts.path.rstrip('/')}"


def _iso(value: Any) -> str:
    """Return epoch milliseconds as a UTC time, "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return ""
    return datetime.fromtimestamp(value / 1000, timezone.utc).isoformat(timespec="seconds")


def _addresses(value: Any) -> Iterator[str]:
    """Yield the URLs in a record that can be the instance's address: its key is not documented."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and "url" in str(key).lower() and item.lower().startswith(("https://", "http://")):
                yield normalize_address(item)
            else:
                yield from _addresses(item)
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item)
