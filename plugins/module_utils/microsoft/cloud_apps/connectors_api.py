# SPDX-License-Identifier: GPL-3.0-or-later
"""App connectors: how they are listed, and how they are written where a contract says so.

See docs/facts/defender_for_cloud_apps.md#undocumented-routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from ...engine.errors import EngineError, Refused
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...recorded_api.replay import Replay
from ...recorded_api.template import find_placeholders
from ...transport.errors import HttpError, UnexpectedPage
from ..collection_store import Endpoint
from .client import PAGE, PORTAL, CloudAppsClient, records_of
from .evidence import gathered

COLLECTION = "app_connectors"
SERVICENOW = 14509
LIST_PATH = f"{PORTAL}/app_connectors/"
COLUMNS = ("sys_id", "name", "url", "status", "message", "last_connected", "accounts", "events", "via", "text")
# Routes that want other rights answer like this, also with 500 (docs/facts/defender_for_cloud_apps.md#portal-routes).
NOT_FOR_US = frozenset({400, 401, 403, 404, 405, 500})

CONNECTED, WARNING, ERROR, DISABLED, ABSENT, UNKNOWN = (
    "connected", "warning", "error", "disabled", "absent", "unknown",
)  # fmt: skip
CONNECTING = re.compile("CONNECTING|PENDING|PROGRESS|VALIDATING", re.I)

# A connector's refresh token lives 90 days, and nothing renews it but entering the details again
# (docs/facts/defender_for_cloud_apps.md#preparing-servicenow).
TOKEN_DAYS, WARN_FROM_DAY = 90, 75

# (part of the vendor's text, what it means, what to do). See
# docs/facts/defender_for_cloud_apps.md#connector-states-and-errors.
FIXES = (
    (
        "403 Forbidden",
        "the account may not read what the connector reads",
        "Check user and client with snow_oauth_check; give the account the role with the 13 read rules (snow_table_acls), or reconnect with an "
        "administrator's account",
    ),
    (
        "500 Internal",
        "the instance answered with an internal error",
        "Look into the instance's system log, then try again",
    ),
    ("Service timeout", "the instance did not answer in time", "Try again later"),
    (
        "401",
        "the instance refused the credentials",
        "Check them with snow_oauth_check, then enter them again (Edit settings of the connector)",
    ),
)


class ConnectorsEndpoint(Endpoint):
    """The connectors of one app. What Microsoft does not document is written by contract only."""

    def __init__(self, tenant: CloudAppsClient, replay: Replay | None = None, app_id: int = SERVICENOW) -> None:
        self.tenant, self.replay, self.app_id = tenant, replay, app_id
        self.evidence: list[str] = []

    def read(self) -> QueryResult:
        """List the connectors; where that is refused, judge by what the documented APIs show."""
        try:
            lister = self.replay if self.replay and self.replay.can_list() else None
            records = _listed_by(lister) if lister else self._by_known_route()
        except (HttpError, UnexpectedPage) as error:
            if isinstance(error, HttpError) and error.status not in NOT_FOR_US:
                raise
            found = gathered(self.tenant, self.app_id)
            if found.answered == 0:
                raise Refused(
                    f"{self.tenant.name}: nothing tells how the connectors are. The list is refused: {error}. {' '.join(found.notes)}"
                ) from None
            self.evidence = [f"the list of connectors is refused ({error})", *found.notes]
            return QueryResult(found.rows)
        self.evidence = []
        return QueryResult(tuple(row_of(record) for record in records if _app_of(record) == self.app_id))

    def _by_known_route(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            body = {"filters": {}, "skip": len(rows), "limit": PAGE, "performAsyncTotal": False}
            body |= {"sortField": "app", "sortDirection": "desc"}
            data = self.tenant.session.request("POST", LIST_PATH, body=body, only_reads=True).data
            page = records_of(data)
            rows += page
            if not page or not (isinstance(data, Mapping) and data.get("hasNext")):
                return rows

    # -- writing: only by contract ------------------------------------------------------------------------------------

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Do what the contract says of a new connector."""
        replay = self._contract(write)
        told = replay.run("create", values)
        if replay.offers("test"):
            replay.run("test", {**values, **told})
        return {"sys_id": str(told.get("id") or values["name"])}

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Do what the contract says of an edit, or of switching off."""
        operation = "disable" if values.get("status") == DISABLED else "update"
        self._contract(write).run(operation, {**values, "id": row_id})

    def delete(self, write: Write, row_id: str) -> None:
        """Do what the contract says of a removal."""
        self._contract(write).run("delete", {"id": row_id, **{k: str(v) for k, v in write.values.items()}})

    def _contract(self, write: Write) -> Replay:
        if self.replay is None:
            raise EngineError(f"{write.label}: nothing is written without a contract")
        return self.replay


def _listed_by(replay: Replay) -> list[dict[str, Any]]:
    """Return every connector's record, as the contract lists them."""
    step = replay.contract.operations["list"][0]
    pages = "skip" in set(find_placeholders([step.body, step.url]))
    rows: list[dict[str, Any]] = []
    while True:
        told = replay.run("list", {"skip": len(rows), "limit": PAGE}, only_reads=True)
        if "connectors" not in told:
            raise EngineError("the contract's operation list declares no field connectors")
        page = records_of(told["connectors"])
        rows += page
        if not page or not pages or not told.get("has_next"):
            return rows


def _app_of(record: Mapping[str, Any]) -> int:
    value = str(record.get("appId"))
    return int(value) if value.isdigit() else 0


def row_of(record: Mapping[str, Any]) -> Row:
    """Return a connector's record as the engine and the modules see it.

    See docs/facts/defender_for_cloud_apps.md#reading-connectors.
    """
    api = record.get("api") if isinstance(record.get("api"), Mapping) else {}
    status, message = health(api or {})
    return {
        "sys_id": str(record.get("_id") or ""),
        "name": str(record.get("instanceName") or record.get("name") or ""),
        "url": next(_addresses(record), ""),
        "status": status,
        "message": message,
        "last_connected": _iso((api or {}).get("lastConnected")),
        "accounts": str((api or {}).get("usersCount") or 0),
        "via": "list",
    }


def health(api: Mapping[str, Any]) -> tuple[str, str]:
    """Return status and the vendor's message of a connector, by its part `api` (the mapping is ours).

    See docs/facts/defender_for_cloud_apps.md#reading-connectors.
    """
    message = str(api.get("statusTemplateMessage") or "")
    if not api or not (api.keys() - {"isConnected", "isSSPMEnabled", "usersCount"} or api.get("isConnected")):
        return ABSENT, ""
    if api.get("isEnabled") is False:
        return DISABLED, message
    if api.get("isConnected"):
        return (WARNING if api.get("hasWarnings") else CONNECTED), message
    return (UNKNOWN if CONNECTING.search(message) else ERROR), message


def fix_of(message: str) -> str:
    """Return what a connector's error means and what to do.

    See docs/facts/defender_for_cloud_apps.md#connector-states-and-errors.
    """
    for part, meaning, remedy in FIXES:
        if part.casefold() in message.casefold():
            return f"{meaning[0].upper()}{meaning[1:]}. {remedy}"
    return "Open the connector in the portal, see its message, and enter the details again (Edit settings)"


def same_address(url: str) -> str:
    """Return an instance's address in the one form that addresses are compared in: no trailing slash, case or port 443."""
    parts = urlsplit(url.strip())
    port = f":{parts.port}" if parts.port and (parts.scheme.lower(), parts.port) != ("https", 443) else ""
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}{port}{parts.path.rstrip('/')}"


def token_days_left(last_connected: str, now: datetime | None = None) -> int | None:
    """Return how many days the connector's refresh token still lives, None where that is not known."""
    if not last_connected:
        return None
    ends = datetime.fromisoformat(last_connected) + timedelta(days=TOKEN_DAYS)
    return (ends - (now or datetime.now(timezone.utc))) // timedelta(days=1)


def token_end(last_connected: str) -> str:
    """Return when the refresh token ends, "" where that is not known."""
    if not last_connected:
        return ""
    return (datetime.fromisoformat(last_connected) + timedelta(days=TOKEN_DAYS)).isoformat(timespec="seconds")


def problems_of(name: str, row: Mapping[str, str], *, oauth: bool = True) -> Iterator[dict[str, str]]:
    """Yield what is wrong with a connector, or will be."""
    if row["status"] in (ERROR, WARNING):
        words = row["message"] or "no message"
        yield {
            "id": f"connector_{row['status']}:{name}",
            "severity": row["status"],
            "message": f"connector {name}: {words}",
            "remedy": fix_of(words),
        }
    left = token_days_left(row.get("last_connected", "")) if oauth and row["status"] not in (ABSENT, DISABLED) else None
    if left is not None and left < TOKEN_DAYS - WARN_FROM_DAY:
        when = f"ends in {left} days" if left >= 0 else f"ended {-left} days ago"
        yield {
            "id": f"connector_token:{name}",
            "severity": "warning" if left >= 0 else "error",
            "message": f"connector {name}: its refresh token {when} ({token_end(row['last_connected'])}); then the connection stops",
            "remedy": "Revoke the old refresh token in ServiceNow (System OAuth > Manage Tokens), then enter the same details again: "
            "Edit settings of the connector",
        }


def _iso(value: Any) -> str:
    """Return epoch milliseconds as a UTC time, "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return ""
    return datetime.fromtimestamp(value / 1000, timezone.utc).isoformat(timespec="seconds")


def _addresses(value: Any) -> Iterator[str]:
    """Yield what looks like the address of an instance anywhere in a record: its place is not documented."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and "url" in str(key).lower() and item.lower().startswith(("https://", "http://")):
                yield same_address(item)
            else:
                yield from _addresses(item)
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item)
