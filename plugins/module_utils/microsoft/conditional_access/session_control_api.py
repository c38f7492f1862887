# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of Conditional Access policies, as far as session control by Defender for Cloud Apps needs them.

See docs/facts/microsoft_graph.md#session-control, docs/facts/microsoft_graph.md#conditional-access-policies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ...engine.errors import UnclearOutcome
from ...engine.plan import Write
from ...engine.snapshot import QueryResult, Row
from ..collection_store import Endpoint
from ..graph.client import GraphClient
from .directory_api import GROUP
from .marker import marked
from .named_locations_api import READ, WRITE, NamedLocationsEndpoint

COLLECTION = "conditional_access_policies"
PATH = "/identity/conditionalAccess/policies"
# What the create and the update of a policy require together.
PERMISSIONS = f"{WRITE} (with {READ} and Application.Read.All)"

# Options, and the words of Graph for them.
MODES = {"report_only": "enabledForReportingButNotEnforced", "enabled": "enabled", "disabled": "disabled"}
CONTROLS = {"monitor": "monitorOnly", "block_downloads": "blockDownloads", "custom": "mcasConfigured"}
EVERYONE = {"all": "All", "guests": "GuestsOrExternalUsers"}
ALL = "All"
NO_CONTROL = "none"
EVERYWHERE, OUTSIDE, INSIDE = "everywhere", "outside", "inside"

MODE_NAMES = {word: name for name, word in MODES.items()}
CONTROL_NAMES = {word: name for name, word in CONTROLS.items()}
EVERYONE_NAMES = {word: name for name, word in EVERYONE.items()}
USER_KINDS = ("Users", "Groups", "Roles")
# Conditions that options manage; all others narrow a policy further.
MANAGED_CONDITIONS = ("users", "applications", "locations", "clientAppTypes")


class SessionControlEndpoint(Endpoint):
    """Reads every policy of a tenant and writes those of this collection."""

    noun = "Conditional Access policies"

    def __init__(self, client: GraphClient, locations: NamedLocationsEndpoint) -> None:
        self.client, self.locations = client, locations
        self._records: dict[str, Mapping[str, Any]] = {}

    def read(self) -> QueryResult:
        """Return every policy."""
        records = self.client.rows(PATH, READ)
        self._records = {str(record.get("id")): record for record in records}
        return QueryResult(tuple(row_of(record) for record in records))

    def create(self, write: Write, values: Mapping[str, Any]) -> Row:
        """POST a policy."""
        body = {"displayName": marked(values["name"]), **self._body(values, {})}
        body["conditions"]["clientAppTypes"] = ["all"]
        data = self.client.call("POST", PATH, PERMISSIONS, body=body).data
        row_id = str(data.get("id") or "") if isinstance(data, Mapping) else ""
        if not row_id:
            raise UnclearOutcome(f"{self.client.name}: the response to creating {write.label} contains no id")
        return {"id": row_id}

    def update(self, write: Write, row_id: str, values: Mapping[str, Any]) -> None:
        """PATCH what deviates. A part of a policy is sent as a whole: whether the rest of it would be kept is not documented."""
        body = self._body(values, self._records.get(row_id, {}))
        self.client.call("PATCH", f"{PATH}/{quote(row_id, safe='')}", PERMISSIONS, body=body, repeatable=True)

    def _body(self, values: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        conditions: dict[str, Any] = {}
        current = _mapping(record.get("conditions"))
        if "mode" in values:
            body["state"] = MODES[values["mode"]]
        if "control" in values:
            control = {"cloudAppSecurityType": CONTROLS[values["control"]], "isEnabled": True}
            body["sessionControls"] = {**_set(record.get("sessionControls")), "cloudAppSecurity": control}
        if "applications" in values:
            chosen = {"includeApplications": list(values["applications"]), "excludeApplications": []}
            conditions["applications"] = {**_set(current.get("applications")), **chosen}
        if "include" in values or "exclude" in values:
            conditions["users"] = _users(values, _set(current.get("users")))
        if "locations" in values:
            conditions["locations"] = self._locations(*values["locations"])
        return {**body, "conditions": conditions} if conditions else body

    def _locations(self, condition: str, names: Sequence[str]) -> dict[str, list[str]] | None:
        ids = [self.locations.ids[name] for name in names]
        if condition == OUTSIDE:
            return {"includeLocations": [ALL], "excludeLocations": ids}
        return {"includeLocations": ids, "excludeLocations": []} if condition == INSIDE else None


def _set(part: Any) -> dict[str, Any]:
    """Return what is set in a part of a policy, without annotations."""
    return {name: value for name, value in _mapping(part).items() if value and "@" not in name}


def _users(values: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition on users, with the side that is not given as it is."""
    users = dict(current)
    for side in ("include", "exclude"):
        if side in values:
            parts: dict[str, list[str]] = {kind: [] for kind in USER_KINDS}
            for kind, key in values[side]:
                parts["Groups" if kind == GROUP else "Users"].append(EVERYONE.get(key, key))
            users |= {f"{side}{kind}": keys for kind, keys in parts.items()}
            users[f"{side}GuestsOrExternalUsers"] = None
    return users


def row_of(record: Mapping[str, Any]) -> Row:
    """Return a policy as a row; `include` and `exclude` are keywords, ids, and texts for what no option names."""
    conditions, session = _mapping(record.get("conditions")), _mapping(record.get("sessionControls"))
    applications, locations = _mapping(conditions.get("applications")), _mapping(conditions.get("locations"))
    users, cloud_apps = _mapping(conditions.get("users")), _mapping(session.get("cloudAppSecurity"))
    control = str(cloud_apps.get("cloudAppSecurityType") or "") if cloud_apps.get("isEnabled") is not False else ""
    return {
        "id": str(record.get("id") or ""),
        "name": str(record.get("displayName") or ""),
        "mode": MODE_NAMES.get(str(record.get("state")), str(record.get("state"))),
        "control": CONTROL_NAMES.get(control, control or NO_CONTROL),
        "applications": sorted({*_apps(applications, "include")} - {*_apps(applications, "exclude")}),
        "excluded_applications": _apps(applications, "exclude"),
        "include": sorted(_people(users, "include")),
        "exclude": sorted(_people(users, "exclude")),
        "include_locations": _texts(locations.get("includeLocations")),
        "exclude_locations": _texts(locations.get("excludeLocations")),
        "grants": sorted(_grants(_mapping(record.get("grantControls")))),
        "narrowed_by": sorted(_narrowing(conditions)),
    }


def _grants(controls: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(controls.get("builtInControls"))
    for name in ("termsOfUse", "customAuthenticationFactors"):
        if controls.get(name):
            yield name
    strength = controls.get("authenticationStrength")
    if strength:
        yield f"authenticationStrength {_mapping(strength).get('displayName') or ''}".strip()


def _apps(applications: Mapping[str, Any], side: str) -> list[str]:
    return [text if text == ALL else text.lower() for text in _texts(applications.get(f"{side}Applications"))]


def _people(users: Mapping[str, Any], side: str) -> Iterator[str]:
    yield from (EVERYONE_NAMES.get(key, key) for key in _texts(users.get(f"{side}Users")))
    yield from _texts(users.get(f"{side}Groups"))
    yield from (f"role {key}" for key in _texts(users.get(f"{side}Roles")))
    if users.get(f"{side}GuestsOrExternalUsers"):
        yield "guests of selected types"


def _narrowing(conditions: Mapping[str, Any]) -> Iterator[str]:
    """Yield the conditions that no option manages and that are set."""
    for name, value in conditions.items():
        if name not in MANAGED_CONDITIONS and "@" not in name and value:
            yield name
    if _texts(conditions.get("clientAppTypes")) not in ([], ["all"]):
        yield "clientAppTypes"
    if _mapping(conditions.get("applications")).get("applicationFilter"):
        yield "applicationFilter"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    return sorted(str(item) for item in value) if isinstance(value, list) else []
