# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence for an app's connectors from the documented APIs, for tenants that refuse the list of connectors.

Evidence shows that data arrive, never that they do not: an instance without activity has no events, and a new connector
delivers the events of one hour only.

See docs/facts/defender_for_cloud_apps.md#documented-api, docs/facts/microsoft_graph.md#hunting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import EngineError
from ...engine.snapshot import Row
from ...transport.errors import TransportError
from ..entra.credentials import may_sign_in
from ..graph.client import GraphClient
from .client import API, PAGE_SIZE, CloudAppsClient

ACTIVITIES = f"{API}/activities/"
DAYS = 7
MAX_EVENTS = 5000
INSTANCE_BITS = 20
MAX_INSTANCE_NUMBER = (1 << 11) - 1
# Two sources of the same events.
EVENT_SOURCES = ("activities", "hunting events")
QUERY = """CloudAppEvents
| where ApplicationId == {app_id}
| summarize Events=count(), First=min(Timestamp), Last=max(Timestamp), Actions=make_set(ActionType, 20)
  by Application, ApplicationId, AppInstanceId, AuditSource"""


def instance_id(number: int, app_id: int) -> int:
    """Return the id of app instance `number` in activities and entities.

    See docs/facts/defender_for_cloud_apps.md#instance-ids.
    """
    return (number << INSTANCE_BITS) | app_id


@dataclass
class InstanceEvidence:
    """The records about one instance of the app: their number by source, and the records themselves."""

    counts: dict[str, int] = field(default_factory=dict)
    records: list[Any] = field(default_factory=list)


@dataclass
class Evidence:
    """Evidence by instance id ("" if a record does not name its instance), and one note per source. `answered` counts sources."""

    app_id: int
    instances: dict[str, InstanceEvidence] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    answered: int = 0

    def add(self, instance: str, source: str, count: int, record: Any) -> None:
        """Add a record of `source` that stands for `count` findings about `instance`."""
        entry = self.instances.setdefault(instance, InstanceEvidence())
        entry.counts[source] = entry.counts.get(source, 0) + count
        entry.records.append(record)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row for each instance of the app."""
        return tuple(
            {
                "id": instance,
                "name": "",
                "url": "",
                "status": "connected",
                "message": ", ".join(f"{count} {source}" for source, count in entry.counts.items()),
                "last_connected": "",
                "accounts": entry.counts.get("accounts", 0),
                "events": max(entry.counts.get(source, 0) for source in EVENT_SOURCES),
                "records": entry.records,
            }
            for instance, entry in self.instances.items()
        )


def mentions(records: list[Any], *names: str) -> bool:
    """Return whether any text in `records` contains one of `names` as a separate word, regardless of case."""
    patterns = [rf"(?<![\w.-]){re.escape(name.casefold())}(?![\w.-])" for name in names if name]
    return any(re.search(pattern, json.dumps(record).casefold()) for pattern in patterns for record in records)


def attributed(rows: Sequence[Row], name: str, host: str, *, is_only: bool) -> Row | None:
    """Return the row about a connector: its records mention its name or host, or there is only one of each."""
    found = [row for row in rows if mentions(row["records"], name, host)]
    if len(found) == 1:
        return found[0]
    known = [row for row in rows if row["id"]] or rows
    return known[0] if is_only and len(known) == 1 else None


def activity_filters(app_id: int, days: int) -> dict[str, Any]:
    """Return the filters for the activities of an app in the last `days` days."""
    return {"service": {"eq": [app_id]}, "date": {"gte_ndays": days}}


def gather_evidence(client: CloudAppsClient, app_id: int) -> Evidence:
    """Query activities, entities and, with credentials for Entra, hunting: one call each for all instances."""
    evidence = Evidence(app_id)
    ordered = {"sortField": "date", "sortDirection": "desc"}
    filters = activity_filters(app_id, DAYS)
    _query(evidence, "activities", lambda: client.rows(ACTIVITIES, filters, PAGE_SIZE, **ordered))
    entities = {"app": {"eq": [app_id]}}
    _query(evidence, "entities", lambda: client.rows(f"{API}/entities/", entities, PAGE_SIZE), "accounts")
    _query_hunting(evidence, client, DAYS)
    return evidence


def count_events(client: CloudAppsClient, app_id: int, days: int) -> Evidence:
    """Count the events of the last `days` days by instance: one call for activities (the newest 5,000), one for hunting."""
    evidence = Evidence(app_id)
    filters = activity_filters(app_id, days)
    _query(evidence, "activities", lambda: client.scan(ACTIVITIES, filters, MAX_EVENTS))
    _query_hunting(evidence, client, days)
    return evidence


def _query(evidence: Evidence, source: str, read: Callable[[], list[dict[str, Any]]], kind: str = "") -> None:
    def count() -> int:
        records = read()
        for record in records:
            evidence.add(instance_of(record, evidence.app_id), kind or source, 1, record)
        return len(records)

    _note(evidence, source, count)


def _query_hunting(evidence: Evidence, client: CloudAppsClient, days: int) -> None:
    if may_sign_in(client.params):
        _note(evidence, "hunting", lambda: _hunt(client, evidence, days))
    else:
        evidence.notes.append("hunting: not queried (no azure_ credentials).")


def _note(evidence: Evidence, source: str, count: Callable[[], int]) -> None:
    try:
        found = count()
    except (EngineError, TransportError) as error:
        evidence.notes.append(f"{source}: refused ({error}).")
        return
    evidence.answered += 1
    evidence.notes.append(f"{source}: {found or 'none'} of app {evidence.app_id}.")


def _hunt(client: CloudAppsClient, evidence: Evidence, days: int) -> int:
    graph = GraphClient.from_params(client.params, client.context)
    total = 0
    for row in graph.hunt(QUERY.format(app_id=evidence.app_id), f"P{days}D").rows:
        events = int(row.get("Events") or 0)
        instance = instance_id(int(row.get("AppInstanceId") or 0), evidence.app_id)
        evidence.add(str(instance), "hunting events", events, row)
        total += events
    return total


def instance_of(record: Any, app_id: int) -> str:
    """Return the first value in a record that can be the id of an instance of the app: its key is not documented."""
    if isinstance(record, Mapping):
        for key, value in record.items():
            if isinstance(value, int) and not isinstance(value, bool) and "inst" in str(key).lower():
                if value & ((1 << INSTANCE_BITS) - 1) == app_id:
                    return str(value)
                if 0 <= value <= MAX_INSTANCE_NUMBER:
                    return str(instance_id(value, app_id))
        return next(filter(None, (instance_of(value, app_id) for value in record.values())), "")
    if isinstance(record, list):
        return next(filter(None, (instance_of(value, app_id) for value in record)), "")
    return ""
