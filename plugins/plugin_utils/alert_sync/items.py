# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts of Defender for Cloud and incidents of Defender XDR in one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
ALERT, INCIDENT = "alert", "incident"
ACTIVE, IN_PROGRESS, RESOLVED, DISMISSED, MERGED = "active", "in_progress", "resolved", "dismissed", "merged"
ENDED = frozenset({RESOLVED, DISMISSED})
SEVERITIES = ("High", "Medium", "Low", "Informational", "Unknown")


@dataclass(frozen=True)
class Item:
    """An alert or an incident. `merged_into` is the id of the incident that it ended in, "" where that is not known."""

    kind: str
    id: str
    key: str
    title: str
    severity: str
    status: str
    row: Row
    assignee: str = ""
    merged_into: str = ""
    comments: Sequence[Row] = ()

    @property
    def noun(self) -> str:
        """Its name in texts."""
        return f"{self.kind} {self.id.rpartition('/')[2]}"

    @property
    def is_ended(self) -> bool:
        """Whether Defender has ended it."""
        return self.status in ENDED

    @property
    def created(self) -> str:
        """When it was created, as Microsoft writes it."""
        return str(self.row.get("created_at") or self.row.get("generated_at") or "")

    @property
    def rank(self) -> int:
        """Its place among severities, the most severe first."""
        return SEVERITIES.index(self.severity) if self.severity in SEVERITIES else len(SEVERITIES)


@dataclass
class Items:
    """All items by key, and the incidents by id."""

    by_key: dict[str, Item] = field(default_factory=dict)
    incidents: dict[str, Item] = field(default_factory=dict)
    # Alerts of Defender for Cloud that belong to an incident, by their name.
    in_incident: dict[str, Item] = field(default_factory=dict)

    @classmethod
    def of(cls, alerts: Iterable[Row], incidents: Iterable[Row]) -> Items:
        """Return the items of rows of mdc_alert_info and graph_incident_info."""
        found = cls()
        for row in incidents:
            item = _incident(row)
            found.by_key[item.key] = found.incidents[item.id] = item
            for alert in row.get("alerts") or []:
                found.in_incident[str(alert.get("provider_alert_id") or "").casefold()] = item
        for row in alerts:
            item = Item(
                ALERT, str(row["id"]), str(row["key"]), str(row["display_name"]), str(row["severity"]), str(row["status"]), row
            )  # fmt: skip
            found.by_key[item.key] = item
        return found

    def end_of(self, item: Item) -> Item | None:
        """Return the incident that an item ended in, itself unless it was merged; None where that is not known."""
        return self.incidents.get(item.merged_into) if item.status == MERGED else item

    def incident_of(self, item: Item) -> Item | None:
        """Return the open incident that an alert belongs to, None for none (docs/facts/microsoft_graph.md#alerts-and-incidents)."""
        found = self.in_incident.get(str(item.row.get("name") or "").casefold()) if item.kind == ALERT else None
        end = self.end_of(found) if found else None
        return end if end and not end.is_ended else None

    def named(self, text: str) -> Item | None:
        """Return the item that a user names by id, by the last part of it, or by key."""
        wanted = text.strip().strip("/").casefold()
        for item in self.by_key.values():
            more = {str(item.row.get(column) or item.id).casefold() for column in ("name", "system_alert_id")}
            names = {item.id.strip("/").casefold(), item.key, *more}
            if wanted and wanted in names | {item.id.rpartition("/")[2].casefold()}:
                return item
        return None


def _incident(row: Row) -> Item:
    status = str(row["status"])
    status = IN_PROGRESS if status == "awaiting_action" else status
    is_merged = bool(row.get("redirect_incident_id") or row.get("merged_into")) or status == "redirected"
    return Item(
        INCIDENT,
        str(row["id"]),
        str(row["key"]),
        str(row["display_name"]),
        str(row["severity"]).capitalize(),
        MERGED if is_merged else status,
        row,
        assignee=str(row.get("assigned_to") or ""),
        merged_into=str(row.get("merged_into") or ""),
        comments=row.get("comments") or (),
    )
