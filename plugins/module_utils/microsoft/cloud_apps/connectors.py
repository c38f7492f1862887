# SPDX-License-Identifier: GPL-3.0-or-later
"""The ServiceNow app connectors of a tenant, all in one plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...engine.errors import InvalidInput
from ...engine.plan import CREATE, DELETE, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.problem import Problem
from ...engine.result import Drift
from ...engine.snapshot import Query, Row, Snapshot
from .connector_health import (
    ABSENT,
    CONNECTED,
    DISABLED,
    ERROR,
    UNKNOWN,
    WARNING,
    problems_of,
)
from .connectors_api import COLLECTION, COLUMNS, SERVICENOW, ConnectorsEndpoint, normalize_address
from .evidence import Evidence, mentions
from .manual_steps import connector_step
from .refresh_token import days_left, token_end

OAUTH, PASSWORD = "oauth", "password"
STATUSES = {"present": CONNECTED, "disabled": DISABLED, "absent": ABSENT}
DELIVERING = frozenset({CONNECTED, WARNING})

CONNECTOR_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "instance_url": {"type": "str"},
    "mode": {"type": "str", "choices": [OAUTH, PASSWORD], "default": OAUTH},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "refresh_token_lifespan": {"type": "int", "no_log": False},
    "refresh_token_expires_at": {"type": "str", "no_log": False},
    "state": {"type": "str", "choices": list(STATUSES), "default": "present"},
}


class Connectors(Resource):
    """The desired connectors. `outcomes` holds the status of each, by name, and is updated by every plan."""

    label = "connectors"

    def __init__(self, entries: list[Mapping[str, Any]], endpoint: ConnectorsEndpoint) -> None:
        self.endpoint = endpoint
        self.entries: dict[str, Mapping[str, Any]] = {}
        addresses: dict[str, str] = {}
        for entry in entries:
            name = entry["name"]
            if name in self.entries:
                raise InvalidInput(f"connectors names {name!r} twice")
            self.entries[name] = entry
            address = _address(entry)
            if address and addresses.setdefault(address, name) != name:
                raise InvalidInput(
                    f"connectors {addresses[address]!r} and {name!r} have the same instance: {address} (case and a trailing slash are "
                    f"ignored)"
                )
        self.outcomes: dict[str, dict[str, Any]] = {
            name: {"object": f"connector {name}", "name": name, "instance_url": _address(entry)}
            for name, entry in self.entries.items()
        }
        self.problems: list[Problem] = []
        # The operation of each connector that the contract writes.
        self.written: dict[str, str] = {}

    def reads(self) -> list[Query]:
        """Query all connectors: one list returns them."""
        return [Query(COLLECTION, "name", tuple(self.entries), COLUMNS)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare each connector with its desired state; a deviation becomes a write by contract, or a manual step."""
        plan = Plan(self.label, bulk=True)
        rows = snapshot.all_rows(COLLECTION, "name")
        self.problems = []
        for name, entry in self.entries.items():
            row = self._find(name, entry, rows)
            outcome = self.outcomes[name]
            self._update_outcome(outcome, entry, row)
            plan.outcomes.append(outcome)
            if row:
                end = outcome["refresh_token_expires_at"]
                self.problems += problems_of(name, row, oauth=entry["mode"] == OAUTH, end=end)
            self._plan_one(plan, name, entry, row, outcome)
        return plan

    # -- status ------------------------------------------------------------------------------------------------------

    def _find(self, name: str, entry: Mapping[str, Any], rows: list[Row]) -> Row | None:
        if self.endpoint.evidence:
            return self._attributed(name, entry, rows)
        named = [row for row in rows if row["name"] == name and row["status"] != ABSENT]
        if len(named) > 1:
            ids = ", ".join(sorted(row["id"] for row in named))
            raise InvalidInput(
                f"the tenant has {len(named)} connectors named {name!r} ({ids}); rename or remove all but one in the portal. Nothing "
                f"was written"
            )
        address = _address(entry)
        if named:
            if address and named[0]["url"] and named[0]["url"] != address:
                raise InvalidInput(
                    f"connector {name!r} belongs to {named[0]['url']}, not to {address}. Nothing was written. Choose another name, or "
                    f"remove this connector in the portal"
                )
            return named[0]
        return next((row for row in rows if address and row["url"] == address and row["status"] != ABSENT), None)

    def _attributed(self, name: str, entry: Mapping[str, Any], rows: list[Row]) -> Row | None:
        """Return the evidence about this connector: it mentions its name or host, or there is only one of each."""
        host = _address(entry).partition("://")[2]
        found = [row for row in rows if mentions(row["records"], name, host)]
        if len(found) == 1:
            return found[0]
        known = [row for row in rows if row["id"]] or rows
        return known[0] if len(known) == len(self.entries) == 1 else None

    def _update_outcome(self, outcome: dict[str, Any], entry: Mapping[str, Any], row: Row | None) -> None:
        evidence = self.endpoint.evidence
        missing = UNKNOWN if evidence else ABSENT
        outcome.update(
            status=row["status"] if row else missing,
            message=row["message"] if row else "",
            evidence=evidence or ["the list of connectors"],
            id=row["id"] if row else "",
            accounts=row["accounts"] if row else 0,
        )
        oauth = row is not None and entry["mode"] == OAUTH
        last = row["last_connected"] if row and oauth else ""
        end = token_end(last, entry.get("refresh_token_lifespan"), entry.get("refresh_token_expires_at"))
        outcome.update(refresh_token_expires_at=end, days_left=days_left(end))

    def add_event_counts(self, found: Evidence) -> None:
        """Add the number of events to each outcome; None if the records do not name their connector."""
        rows = list(found.rows)
        owned = {name: self._attributed(name, entry, rows) for name, entry in self.entries.items()}
        taken = {row["id"] for row in owned.values() if row}
        none_found = 0 if found.answered and all(row["id"] in taken for row in rows) else None
        for name, row in owned.items():
            self.outcomes[name]["events"] = row["events"] if row else none_found

    # -- plan ---------------------------------------------------------------------------------------------------------

    def _plan_one(
        self, plan: Plan, name: str, entry: Mapping[str, Any], row: Row | None, outcome: dict[str, Any]
    ) -> None:
        wanted, status = STATUSES[entry["state"]], outcome["status"]
        if self._is_in_sync(name, wanted, status):
            return
        label = outcome["object"]
        operation = _operation(wanted, status)
        if status != UNKNOWN:
            plan.drift.append(Drift(label, "status", status, wanted))
            plan.before[label], plan.after[label] = status, wanted
        replay = self.endpoint.replay
        # Evidence has no connector id, and cannot prove that there is no connector.
        if replay and replay.offers(operation) and not self.endpoint.evidence:
            values = _values(entry)
            self._check_mode(entry, operation)
            replay.check(operation, {**values, "id": outcome["id"]}, label)
            plan.writes.append(self._write(operation, label, values, row, outcome))
            self.written[name] = operation
            return
        plan.manual_steps.append(connector_step(operation, entry, _address(entry), self.endpoint.app_id == SERVICENOW))
        if status == UNKNOWN:
            plan.warnings.append(f"{label}: whether it is connected is unknown. {' '.join(self.endpoint.evidence)}")

    def _is_in_sync(self, name: str, wanted: str, status: str) -> bool:
        if name in self.written:
            # A new connector needs time to connect: only one that is missing has failed.
            return status != ABSENT if wanted == CONNECTED else status == wanted
        if wanted == CONNECTED:
            return status in DELIVERING or (status == UNKNOWN and not self.endpoint.evidence)
        return status in (wanted, ABSENT)

    def _check_mode(self, entry: Mapping[str, Any], operation: str) -> None:
        replay = self.endpoint.replay
        if replay is None or operation not in ("create", "update") or entry["mode"] == OAUTH:
            return
        if replay.contract.required_values(operation) & {"client_id", "client_secret"}:
            raise InvalidInput(
                f"connector {entry['name']}: contract {replay.contract.name!r} was learned from a connection with OAuth. For mode "
                f"password learn one from a connection with user name and password only. Nothing was sent"
            )

    @staticmethod
    def _write(operation: str, label: str, values: dict[str, Any], row: Row | None, outcome: dict[str, Any]) -> Write:
        if operation == "create":
            return Write(CREATE, COLLECTION, label, values, identity={"name": values["name"]}, outcome=outcome)
        row_id = row["id"] if row else ""
        if operation == "delete":
            return Write(DELETE, COLLECTION, label, values, row_id, outcome=outcome)
        if operation == "disable":
            values = {**values, "status": DISABLED}
        return Write(UPDATE, COLLECTION, label, values, row_id, outcome=outcome)

    # -- waiting ------------------------------------------------------------------------------------------------------

    def open_names(self) -> list[str]:
        """Return the names of the connectors that are not (yet) in sync."""
        return [
            name
            for name, entry in self.entries.items()
            if self.outcomes[name]["status"] != STATUSES[entry["state"]]
            and not (entry["state"] == "present" and self.outcomes[name]["status"] in DELIVERING)
            and not (entry["state"] == "disabled" and self.outcomes[name]["status"] == ABSENT)
        ]

    def failed_names(self) -> set[str]:
        """Return the names of the connectors that were written in this run and are in error now."""
        return {name for name in self.written if self.outcomes[name]["status"] == ERROR}


def _operation(wanted: str, status: str) -> str:
    if wanted == CONNECTED:
        return "create" if status in (ABSENT, UNKNOWN) else "update"
    return "disable" if wanted == DISABLED else "delete"


def _address(entry: Mapping[str, Any]) -> str:
    url = entry.get("instance_url") or ""
    try:
        usable = not url or (urlsplit(url).scheme.lower() in ("http", "https") and bool(urlsplit(url).hostname))
        if usable:
            return normalize_address(url) if url else ""
    except ValueError:
        pass
    raise InvalidInput(
        f"connector {entry['name']}: instance_url must be an absolute URL such as https://acme-prod.service-now.com, not {url!r}"
    )


def _values(entry: Mapping[str, Any]) -> dict[str, Any]:
    names = ("name", "username", "password", "client_id", "client_secret")
    values: dict[str, Any] = {name: entry[name] for name in names if entry.get(name)}
    address = _address(entry)
    if address:
        values |= {"instance_url": address, "instance_host": address.partition("://")[2]}
    return values
