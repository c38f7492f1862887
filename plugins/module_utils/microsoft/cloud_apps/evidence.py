# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documented APIs show of an app's connectors where their list is refused.

Evidence proves that data arrive, never that they do not: a quiet instance has no events, and the back-fill is one hour.

See docs/facts/defender_for_cloud_apps.md#documented-api, docs/facts/microsoft_graph.md#hunting.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import EngineError
from ...engine.snapshot import Row
from ...transport.errors import TransportError
from ..entra.credentials import may_sign_in
from ..graph.client import GraphClient
from .client import API, PAGE, CloudAppsClient

ACTIVITIES = f"{API}/activities/"
DAYS = 7
MAX_EVENTS = 5000
INSTANCE_BITS = 20
# Two places that tell of the same events.
EVENTS = ("activities", "hunting events")
QUERY = """CloudAppEvents
| where ApplicationId == {app_id}
| summarize Events=count(), First=min(Timestamp), Last=max(Timestamp), Actions=make_set(ActionType, 20)
  by Application, ApplicationId, AppInstanceId, AuditSource"""


def connector_number(app_instance: int, app_id: int) -> int:
    """Return the id that activities and entities carry of instance number `app_instance`.

    See docs/facts/defender_for_cloud_apps.md#instance-ids.
    """
    return (app_instance << INSTANCE_BITS) | app_id


@dataclass
class Evidence:
    """What was found: a row for each instance of the app, and one line about each source. `answered` counts sources."""

    app_id: int
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    answered: int = 0

    def add(self, number: str, source: str, count: int, text: str) -> None:
        """Take in `count` findings of `source` about the instance `number` ("" where the record does not say)."""
        entry = self.instances.setdefault(number, {"sources": {}, "text": []})
        entry["sources"][source] = entry["sources"].get(source, 0) + count
        entry["text"].append(text.casefold())

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row for each instance of the app."""
        return tuple(
            {
                "sys_id": number,
                "name": "",
                "url": "",
                "status": "connected",
                "message": ", ".join(f"{count} {source}" for source, count in entry["sources"].items()),
                "last_connected": "",
                "accounts": str(entry["sources"].get("accounts", 0)),
                "events": str(max(entry["sources"].get(source, 0) for source in EVENTS)),
                "via": "evidence",
                "text": "\n".join(entry["text"]),
            }
            for number, entry in self.instances.items()
        )


def gathered(tenant: CloudAppsClient, app_id: int) -> Evidence:
    """Ask activities, entities and, where Entra lets us in, hunting: one call each, however many instances there are."""
    found = Evidence(app_id)
    ordered = {"sortField": "date", "sortDirection": "desc"}
    filters = _since(app_id, DAYS)
    _ask(found, "activities", lambda: _take(found, "activities", tenant.grid(ACTIVITIES, filters, PAGE, **ordered)))
    _ask(found, "entities", lambda: _entities(tenant, found))
    _ask_hunting(found, tenant, DAYS)
    return found


def arrived(tenant: CloudAppsClient, app_id: int, days: int) -> Evidence:
    """Count the events of the last `days` days by instance: one call of activities (the newest 5,000), one of hunting."""
    found = Evidence(app_id)
    filters = _since(app_id, days)
    _ask(found, "activities", lambda: _take(found, "activities", tenant.scan(ACTIVITIES, filters, MAX_EVENTS)))
    _ask_hunting(found, tenant, days)
    return found


def _since(app_id: int, days: int) -> dict[str, Any]:
    return {"service": {"eq": [app_id]}, "date": {"gte_ndays": days}}


def _ask_hunting(found: Evidence, tenant: CloudAppsClient, days: int) -> None:
    if may_sign_in(tenant.params):
        _ask(found, "hunting", lambda: _hunting(tenant, found, days))
    else:
        found.notes.append("hunting: not asked (no azure_ credentials).")


def _ask(found: Evidence, source: str, question: Callable[[], int]) -> None:
    try:
        count = question()
    except (EngineError, TransportError) as error:
        found.notes.append(f"{source}: refused ({error}).")
        return
    found.answered += 1
    found.notes.append(f"{source}: {count or 'none'} of app {found.app_id}.")


def _entities(tenant: CloudAppsClient, found: Evidence) -> int:
    return _take(found, "accounts", tenant.grid(f"{API}/entities/", {"app": {"eq": [found.app_id]}}, PAGE))


def _take(found: Evidence, source: str, records: list[dict[str, Any]]) -> int:
    for record in records:
        found.add(_number_in(record, found.app_id), source, 1, json.dumps(record))
    return len(records)


def _hunting(tenant: CloudAppsClient, found: Evidence, days: int) -> int:
    graph = GraphClient.from_params(tenant.params, tenant.context)
    rows = graph.hunt(QUERY.format(app_id=found.app_id), f"P{days}D").rows
    total = 0
    for row in rows:
        events = int(row.get("Events") or 0)
        number = connector_number(int(row.get("AppInstanceId") or 0), found.app_id)
        found.add(str(number), "hunting events", events, json.dumps(row))
        total += events
    return total


def _number_in(record: Any, app_id: int) -> str:
    """Return the first value in a record that can be the id of an instance of the app: its place is not documented."""
    if isinstance(record, Mapping):
        for key, value in record.items():
            if isinstance(value, int) and not isinstance(value, bool) and "inst" in str(key).lower():
                if value & ((1 << INSTANCE_BITS) - 1) == app_id:
                    return str(value)
                if 0 <= value < 1 << 11:
                    return str(connector_number(value, app_id))
        return next(filter(None, (_number_in(value, app_id) for value in record.values())), "")
    if isinstance(record, list):
        return next(filter(None, (_number_in(value, app_id) for value in record)), "")
    return ""
