# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of Microsoft Secure Score: their profiles, scores and states.

See docs/facts/microsoft_graph.md#secure-score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ..collection_store import Endpoint
from ..graph.client import GraphClient

COLLECTION = "secure_score_controls"
PROFILES, SCORES = "/security/secureScoreControlProfiles", "/security/secureScores"
READ_PERMISSION, WRITE_PERMISSION = "SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"

# In Microsoft's spelling (docs/facts/microsoft_graph.md#marking-a-control); its examples differ in upper and lower
# case.
DEFAULT = "Default"
STATES = (DEFAULT, "Ignored", "ThirdParty", "Reviewed")
VENDOR = {"vendor": "Microsoft", "provider": "SecureScore", "providerVersion": None, "subProvider": None}


class ControlProfilesEndpoint(Endpoint):
    """The controls of a tenant."""

    noun = "controls"

    def __init__(self, client: GraphClient) -> None:
        self.client = client
        self.vendors: dict[str, Mapping[str, Any]] = {}

    def read(self) -> QueryResult:
        """Return every control."""
        profiles = profiles_of(self.client)
        self.vendors = {row["id"]: row["vendorInformation"] for row in profiles if row.get("vendorInformation")}
        return QueryResult(tuple(row_of(profile) for profile in profiles))

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """Set the state of a control. What `values` does not contain stays unchanged."""
        body = {**values, "vendorInformation": {**VENDOR, **self.vendors.get(row_id, {})}}
        path = f"{PROFILES}/{quote(row_id, safe='')}"
        self.client.call("PATCH", path, WRITE_PERMISSION, body=body, headers={"Prefer": "return=representation"})


def profiles_of(client: GraphClient) -> list[dict[str, Any]]:
    """Return the profile of every control of every product.

    A filter on the service is unconfirmed (docs/facts/microsoft_graph.md#secure-score-calls).
    """
    return [profile for profile in client.rows(PROFILES, READ_PERMISSION) if profile.get("id")]


def newest_score(client: GraphClient) -> dict[str, Any]:
    """Return the newest of the daily scores, an empty one for a tenant without a score."""
    found = client.rows(SCORES, READ_PERMISSION, one_page=True, top="1")
    return max(found, key=lambda row: str(row.get("createdDateTime") or ""), default={})


def state_of(profile: Mapping[str, Any]) -> tuple[str, str]:
    """Return state and comment of a control: those of its newest update, else Microsoft's default."""
    updates = [update for update in profile.get("controlStateUpdates") or [] if isinstance(update, Mapping)]
    newest: Mapping[str, Any] = {}
    for update in updates:
        # Of two at the same time, the later one in the list.
        if str(update.get("updatedDateTime") or "") >= str(newest.get("updatedDateTime") or ""):
            newest = update
    return _spelled(str(newest.get("state") or DEFAULT)), str(newest.get("comment") or "")


def row_of(profile: Mapping[str, Any]) -> Row:
    """Return a control as a row."""
    state, comment = state_of(profile)
    return {
        "id": str(profile["id"]),
        "title": str(profile.get("title") or ""),
        "service": str(profile.get("service") or ""),
        "deprecated": bool(profile.get("deprecated")),
        "state": state,
        "comment": comment,
    }


def _spelled(state: str) -> str:
    return next((known for known in STATES if known.casefold() == state.casefold()), state)
