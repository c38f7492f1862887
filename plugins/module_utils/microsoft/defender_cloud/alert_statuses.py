# SPDX-License-Identifier: GPL-3.0-or-later
"""The statuses of security alerts, many in one plan (docs/facts/defender_for_cloud.md#alerts)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...engine.errors import InvalidInput, Refused
from ...engine.plan import CHANGED, OK, REFUSED, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.reconcile import summarize_messages
from ...engine.result import Drift
from ...engine.snapshot import Query, QueryResult, Row, Snapshot
from ..arm.client import ArmClient
from ..arm.denials import Denials
from ..arm.scopes import path_key
from ..collection_store import Endpoint
from .alerts import ALERTS_PATH, STATUSES, VERBS, VERSION, status_of

COLLECTION, COLUMNS = "alerts", ("id", "status")
ALERT_ID = re.compile(
    r"/?(subscriptions/[^/]+)(?:/resourceGroups/[^/]+)?/providers/Microsoft\.Security/locations/[^/]+/alerts/([^/]+)/?",
    re.I,
)
# From this number on, the list of a subscription needs fewer calls than one read of each alert.
MIN_FOR_LIST = 10

ALERT_OPTIONS: dict[str, dict[str, Any]] = {
    "id": {"type": "str", "required": True},
    "status": {"type": "str", "required": True, "choices": list(STATUSES)},
}
ALERTS_OPTIONS: dict[str, dict[str, Any]] = {
    "alerts": {"type": "list", "elements": "dict", "required": True, "options": ALERT_OPTIONS},
}


class AlertsEndpoint(Endpoint):
    """The alerts of a task, by id. After a read, `refused` has the reason why an alert could not be read, by its key."""

    noun = "alerts"

    def __init__(self, client: ArmClient, ids: Iterable[str]) -> None:
        self.client = client
        given = [alert_id.strip() for alert_id in ids]
        self.ids = {path_key(alert_id): alert_id for alert_id in given if ALERT_ID.fullmatch(alert_id)}
        self.refused: dict[str, str] = {}
        self.progress = client.progress_line()
        self.done = 0

    def read(self) -> QueryResult:
        """Return those of the alerts that exist."""
        by_subscription: dict[str, list[str]] = {}
        for key in self.ids:
            by_subscription.setdefault(_match(key)[1], []).append(key)
        rows: list[Row] = []
        self.refused = {}
        for subscription, keys in by_subscription.items():
            try:
                rows += self._listed(subscription, keys) if len(keys) >= MIN_FOR_LIST else self._each(keys)
            except Refused as refusal:
                self.refused |= dict.fromkeys(keys, str(refusal))
        return QueryResult(tuple(rows))

    def _listed(self, subscription: str, keys: Sequence[str]) -> list[Row]:
        wanted, rows = set(keys), []
        for page in self.client.pages(f"/{subscription}{ALERTS_PATH}", VERSION):
            rows += [_row(alert) for alert in page if path_key(alert.get("id")) in wanted]
        return rows

    def _each(self, keys: Sequence[str]) -> list[Row]:
        found = [self.client.find(f"/{self.ids[key].strip('/')}", VERSION) for key in keys]
        return [{**_row(alert), "id": key} for key, alert in zip(keys, found, strict=True) if alert]

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Set the status of an alert; each status has a call of its own, which can be sent again."""
        path = f"/{self.ids[row_id].strip('/')}/{VERBS[values['status']]}"
        self.client.call("POST", path, VERSION, repeatable=True, may_be_empty=True)
        self.done += 1
        self.progress.report(f"{self.done} alerts changed")


class AlertStatuses(Resource):
    """The desired statuses. In check mode, what the identity may not do is refused by the plan."""

    label = "alerts"

    def __init__(self, entries: Sequence[Mapping[str, Any]], endpoint: AlertsEndpoint) -> None:
        self.entries = [{**entry, "id": entry["id"].strip()} for entry in entries]
        self.endpoint = endpoint
        self.denials = Denials(endpoint.client)
        keys = [path_key(entry["id"]) for entry in self.entries]
        for entry, key in zip(self.entries, keys, strict=True):
            if keys.count(key) > 1:
                raise InvalidInput(f"alerts lists {entry['id']} twice (case is ignored)")

    def reads(self) -> list[Query]:
        """Read all alerts at once."""
        return [Query(COLLECTION, "id", (), COLUMNS)] if self.entries else []

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare alert by alert; one that cannot be read, or does not exist, is refused, and the others are not affected."""
        plan = Plan(self.label, bulk=True)
        rows = {row["id"]: row for row in snapshot.all_rows(COLLECTION, "id")}
        for entry in self.entries:
            self._plan_one(plan, entry, rows.get(path_key(entry["id"])))
        plan.warnings += summarize_messages(
            [outcome["reason"] for outcome in plan.outcomes if outcome["status"] == REFUSED]
        )
        return plan

    def _plan_one(self, plan: Plan, entry: Mapping[str, Any], row: Row | None) -> None:
        label = f"alert {entry['id'].rstrip('/').rpartition('/')[2]}"
        outcome: dict[str, Any] = {
            "object": label,
            "id": entry["id"],
            "status": OK,
            "state": row["status"] if row else "",
        }
        plan.outcomes.append(outcome)
        wanted = entry["status"]
        refusal = self._refusal(entry, row)
        if refusal or row is None:
            outcome |= {"status": REFUSED, "reason": f"{label}: {refusal}"}
        elif row["status"] != wanted:
            outcome |= {"status": CHANGED, "state": wanted}
            plan.drift.append(Drift(label, "status", row["status"], wanted))
            plan.before[label], plan.after[label] = {"status": row["status"]}, {"status": wanted}
            write = Write(UPDATE, COLLECTION, label, {"status": wanted}, row["id"], outcome=outcome, bulk_noun="alerts")
            plan.writes.append(write)

    def _refusal(self, entry: Mapping[str, Any], row: Row | None) -> str:
        """Return why an alert cannot be changed, "" where nothing is known to speak against it."""
        key = path_key(entry["id"])
        if not ALERT_ID.fullmatch(entry["id"]):
            return "this is not the id of an alert; use the id that mdc_alert_info returns"
        if key in self.endpoint.refused:
            return f"it could not be read. {self.endpoint.refused[key]}"
        if row is None:
            return "Defender for Cloud has no such alert any more. Remove it from alerts"
        action = f"Microsoft.Security/locations/alerts/{VERBS[entry['status']]}/action"
        if row["status"] != entry["status"] and self.denials.denies(f"/{_match(key)[1]}", action):
            return (
                f"the identity may not set this status ({action}). Give it Security Admin, Contributor or Owner there"
            )
        return ""


def _row(alert: Mapping[str, Any]) -> Row:
    return {"id": path_key(alert.get("id")), "status": status_of(alert)}


def _match(key: str) -> re.Match[str]:
    found = ALERT_ID.fullmatch(key)
    if found is None:
        raise InvalidInput(f"{key} is not the id of an alert")
    return found
