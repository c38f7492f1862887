# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents of Graph: read one by one in batches, with what they were merged into, and written.

See docs/facts/microsoft_graph.md#alerts-and-incidents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ...transport.errors import AmbiguousResponse
from ..collection_store import Endpoint
from ..graph.batch import Call
from ..graph.client import GraphClient
from .incident import incident_row

COLLECTION, PATH = "incidents", "/security/incidents"
COLUMNS = ("id", "incident", "problem")
READ_PERMISSION, WRITE_PERMISSION = "SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"
# Without it, Graph hides statuses that newer than this list of them.
HEADERS = {"Prefer": "include-unknown-enum-members"}
# Merges that are followed from one incident; more are no chain of merges.
MAX_MERGES = 10


@dataclass
class IncidentReader:
    """Incidents by id. After `read`, `known` has them as rows, `missing` the reason for the others."""

    client: GraphClient
    with_alerts: bool = False
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def read(self, ids: Iterable[str]) -> None:
        """Read the incidents that are not known yet, and all that these were merged into, in as few requests as possible."""
        wanted = [each for each in dict.fromkeys(ids) if each not in self.known and each not in self.missing]
        for _merge in range(MAX_MERGES):
            if wanted:
                self._read_batch(wanted)
            targets = (row["redirect_incident_id"] for row in self.known.values())
            wanted = [each for each in dict.fromkeys(targets) if each and each not in self.known | self.missing]
            if not wanted:
                return

    def _read_batch(self, ids: Sequence[str]) -> None:
        query = "?$expand=alerts" if self.with_alerts else ""
        calls = [Call(f"{PATH}/{quote(each, safe='')}{query}", headers=HEADERS) for each in ids]
        for incident_id, response in zip(ids, self.client.batch(calls), strict=True):
            if response.status == 404:
                self.missing[incident_id] = "the tenant has no such incident"
            elif response.status >= 400:
                refusal = self.client.refusal(
                    self.client.error_of(response), READ_PERMISSION, f"to show the incident {incident_id}"
                )
                if response.status in (401, 403) or response.status >= 500:
                    raise refusal
                self.missing[incident_id] = str(refusal)
            elif not isinstance(response.data, Mapping) or not response.data.get("id"):
                raise AmbiguousResponse(f"GET {response.path} -> {response.status}: the response contains no incident")
            else:
                self.known[incident_id] = incident_row(response.data)

    def end_of(self, incident_id: str) -> tuple[str, str]:
        """Return the incident that an id stands for after all merges, and "" or the reason why there is none."""
        seen = [incident_id]
        while True:
            current = seen[-1]
            if current not in self.known:
                reason = self.missing.get(current, "it could not be read")
                return "", reason if len(seen) == 1 else f"it was merged into {current}, but {reason}"
            target = self.known[current]["redirect_incident_id"]
            if not target:
                return current, ""
            if target in seen or len(seen) > MAX_MERGES:
                return "", f"it was merged into {', '.join(seen[1:] or [target])}, and that one back into {target}"
            seen.append(target)


class IncidentsEndpoint(Endpoint):
    """The incidents of a task. A row has the id of the task, the incident that it stands for, and why there is none."""

    noun = "incidents"

    def __init__(self, client: GraphClient, ids: Sequence[str]) -> None:
        self.client, self.ids = client, ids
        self.done = 0
        self.progress = client.progress_line()

    def read(self) -> QueryResult:
        """Return one row for each id."""
        reader = IncidentReader(self.client)
        reader.read(self.ids)
        rows: list[Row] = []
        for incident_id in self.ids:
            end, problem = reader.end_of(incident_id)
            rows.append({"id": incident_id, "incident": reader.known.get(end), "problem": problem})
        return QueryResult(tuple(rows))

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Change properties of an incident, then add a comment. What `values` does not contain stays unchanged."""
        path = f"{PATH}/{quote(row_id, safe='')}"
        comment = values.get("comment")
        properties = {name: value for name, value in values.items() if name != "comment"}
        if properties:
            self.client.call("PATCH", path, WRITE_PERMISSION, body=properties, headers=HEADERS)
        if comment:
            self._comment(path, str(comment))
        self.done += 1
        self.progress.report(f"{self.done} incidents changed")

    def _comment(self, path: str, comment: str) -> None:
        """Add a comment; if the response is lost, look whether it is there before it is sent again by a later run."""
        body = {"@odata.type": "microsoft.graph.security.alertComment", "comment": comment}
        try:
            self.client.call("POST", f"{path}/comments", WRITE_PERMISSION, body=body)
        except AmbiguousResponse:
            shown = self.client.call("GET", path, READ_PERMISSION, headers=HEADERS).data
            found = incident_row(shown)["comments"] if isinstance(shown, Mapping) else []
            if comment not in [each["comment"] for each in found]:
                raise
