# SPDX-License-Identifier: GPL-3.0-or-later
"""The ServiceNow data connectors of a tenant, compared by what was entered in the portal and by the assets that arrive.

See docs/facts/exposure_management.md#data-connector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from ...engine.accepted_credentials import Comparison, Credentials
from ...engine.errors import InvalidInput
from ...engine.result import ABSENT, PRESENT, UNKNOWN, Drift, ManualStep, Result
from ...instance_address import place_of
from .assets import Assets
from .manual_steps import BASIC, CLIENT_CREDENTIALS, NO_API, connector_step

CONNECTOR_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "instance_url": {"type": "str", "required": True},
    "mode": {"type": "str", "choices": [CLIENT_CREDENTIALS, BASIC], "default": CLIENT_CREDENTIALS},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "accepted": {"type": "json", "no_log": False},
    "accepted_key": {"type": "str", "no_log": True},
    "credentials_entered": {"type": "bool", "default": False, "no_log": False},
    "connected": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
}
SETTLES = "once they are entered, set credentials_entered (msem_connection_credentials_entered) to true for one run of onboard"
NO_ASSETS, OK, MANUAL = "no assets", "ok", "manual"
LABELS = {OK: "in sync", MANUAL: "to be entered manually", UNKNOWN: "unproven"}
# Status in a record: the answer to the request that connects was lost, and nothing shows what became of it.
UNCLEAR = "unclear"
NOTHING_ARRIVED = "no asset of ServiceNow has arrived in Exposure Management; after a connector is connected, this takes several hours"


class Findings(Protocol):
    """What is found of connectors."""

    drift: list[Drift]
    manual_steps: list[ManualStep]


def data_connectors(
    entries: Sequence[Mapping[str, Any]], assets: Assets, place: str, *, complete: bool = True
) -> Result:
    """Compare the connectors with what was entered in the portal of the tenant `place`.

    `complete`: there are no other connectors, so that the first assets show that a single one was connected.

    Raises `InvalidInput` for two of the same name or address, and for a damaged record.
    """
    connectors = connectors_of(entries, place)
    result = Result(output={"results": [], "assets": None if assets.refused else assets.count})
    only = complete and len(entries) == 1
    for connector in connectors:
        result.output["results"].append(connector.outcome(result, assets, only=only))
    counted = Counter(row["status"] for row in result.output["results"])
    found = ", ".join(f"{counted[status]} {label}" for status, label in LABELS.items() if counted[status])
    result.msg = f"Exposure Management: {len(entries)} data connectors: {found}" if entries else "no data connectors"
    return result


def connectors_of(entries: Sequence[Mapping[str, Any]], place: str) -> list[DataConnector]:
    """Return the connectors of the tenant `place`; raise `InvalidInput` for two of the same name or address."""
    addresses = [_address(entry) for entry in entries]
    for what, values in (("name", [entry["name"] for entry in entries]), ("instance_url", addresses)):
        twice = sorted(value for value, count in Counter(values).items() if count > 1)
        if twice:
            raise InvalidInput(f"connectors has two entries with the {what} {twice[0]}")
    return [DataConnector(entry, address, place) for entry, address in zip(entries, addresses, strict=True)]


def _address(entry: Mapping[str, Any]) -> str:
    url = str(entry["instance_url"]).strip()
    try:
        parts = urlsplit(url)
        if parts.scheme.lower() in ("http", "https") and parts.hostname:
            return url.rstrip("/").lower()
    except ValueError:
        pass
    raise InvalidInput(
        f"data connector {entry['name']}: instance_url must be an absolute URL such as https://acme-prod.service-now.com, not {url!r}"
    )


class DataConnector:
    """One connector; `place` is the tenant that it belongs to."""

    def __init__(self, entry: Mapping[str, Any], address: str, place: str) -> None:
        self.entry, self.address = entry, address
        self.label = f"data_connector {entry['name']}"
        names = ("username", "password") if entry["mode"] == BASIC else ("client_id", "client_secret")
        plain = {"instance_url": address, names[0]: entry.get(names[0]) or ""}
        secrets = {names[1]: entry.get(names[1]) or ""}
        self.credentials = Credentials(self.label, place, entry.get("accepted_key") or "", plain, secrets)
        self.stored = entry.get("accepted") or ""

    @property
    def place(self) -> str:
        """The address without scheme, which identifies the connector."""
        return place_of(self.address)

    @property
    def row(self) -> dict[str, Any]:
        """What every result has."""
        return {"object": self.label, "name": self.entry["name"], "instance_url": self.address}

    @property
    def wants(self) -> str:
        """The desired state."""
        return str(self.entry.get("state") or PRESENT)

    @property
    def object_id(self) -> str:
        """The portal's id of the connector as it was recorded, "" if it was not; raise `InvalidInput` for a damaged record."""
        return self.compare().object_id

    def compare(self) -> Comparison:
        """Compare with what was entered last; raise `InvalidInput` for a damaged record."""
        return self.credentials.compare(self.stored)

    def outcome(self, result: Findings, assets: Assets, *, only: bool) -> dict[str, Any]:
        """Return the row of this connector; add drift and manual steps to `result`. `only`: no other connector delivers assets."""
        if self.wants == ABSENT:
            return {**self.row, **self._removal(result)}
        found = self.compare()
        arrived = only and assets.count > 0 and found.handed_over.get("status") == NO_ASSETS
        entered = self.entry.get("credentials_entered") or (found.is_equal and arrived)
        if self.credentials.is_complete and (entered or found.is_proven):
            return {**self.row, **self.entered(found), **self.delivers(assets)}
        is_update = found.differences or self.entry.get("connected") or self.stored and not found.handed_over
        operation = "update" if is_update else "create"
        before = UNKNOWN if assets.refused or assets.count else NO_ASSETS
        return {**self.row, **self.hand_over(result, found, operation, before)}

    def _removal(self, result: Findings) -> dict[str, Any]:
        if not self.stored:
            return {"status": UNKNOWN, "reason": "nothing shows whether it is connected"}
        result.manual_steps.append(connector_step("delete", self.entry, self.address))
        return {"status": UNKNOWN, "reason": "nothing shows whether it is still connected"}

    def hand_over(
        self, result: Findings, found: Comparison, operation: str, before: str, why: str = NO_API
    ) -> dict[str, Any]:
        """Return the status of a connector that an operator has to connect, with the record of that; add drift and step to `result`.

        `before` is the status that the record notes, `why` the reason of the step.
        """
        if found.differences:
            result.drift += [Drift(self.label, name, *values) for name, values in found.differences.items()]
            status = {"status": MANUAL}
        else:
            status = {"status": UNKNOWN, "field": "credentials", "reason": self.unproven(found)}
        # What is not known here cannot be entered; a connector that is not connected yet is shown ahead of its first run.
        if self.stored or not self.credentials.unknown or not self.entry.get("connected"):
            result.manual_steps.append(connector_step(operation, self.entry, self.address, why))
        if self.credentials.is_complete and not (found.is_equal and found.handed_over):
            status["accepted"] = self.credentials.record(before, object_id=found.object_id)
        return status

    def entered(self, found: Comparison) -> dict[str, str]:
        """Return the record that these credentials were entered, {} if that is recorded."""
        return {} if found.is_proven else {"accepted": self.credentials.record(object_id=found.object_id)}

    def delivers(self, assets: Assets) -> dict[str, str]:
        """Return the status that follows from the assets that arrive."""
        if assets.refused:
            return {"status": UNKNOWN, "reason": f"whether assets arrive could not be read: {assets.refused}"}
        return {"status": OK} if assets.count else {"status": UNKNOWN, "reason": NOTHING_ARRIVED}

    def unproven(self, found: Comparison) -> str:
        """Return why it is not known which credentials the connector has."""
        at = found.handed_over.get("at", "")
        if at and found.handed_over.get("status") == UNCLEAR:
            return f"the answer to the request that connects it was lost on {at}, and nothing shows what became of it; {SETTLES}"
        if at:
            return f"they were to be entered on {at}, and nothing shows that they were; {SETTLES}"
        return f"{found.unproven}; {SETTLES}"
