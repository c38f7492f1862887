# SPDX-License-Identifier: GPL-3.0-or-later
"""The ServiceNow app connectors of a tenant, all in one plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import Plan, Resource, SecretDecision
from ...engine.problem import Problem
from ...engine.result import Drift
from ...engine.snapshot import Query, Row, Snapshot
from ...token_end import remaining
from .connector_contract import check_mode, operation_for, why_manual, write_of
from .connector_credentials import OAUTH, ConnectorCredentials
from .connector_entry import STATUSES, address_of, by_name, row_of_entry, values_of
from .connector_health import (
    ABSENT,
    CONNECTED,
    ERROR,
    NOT_SHOWN,
    UNKNOWN,
    WARNING,
    problems_of,
)
from .connectors_api import COLLECTION, COLUMNS, SERVICENOW, ConnectorsEndpoint
from .evidence import Evidence, attributed
from .manual_steps import connector_step
from .refresh_token import token_end
from .secure_score_switch import plan_switch

DELIVERING = frozenset({CONNECTED, WARNING})


class Connectors(Resource):
    """The desired connectors. `outcomes` holds the status of each, by name, and is updated by every plan."""

    label = "connectors"

    def __init__(self, entries: list[Mapping[str, Any]], endpoint: ConnectorsEndpoint) -> None:
        self.endpoint, self.entries = endpoint, by_name(entries)
        self.outcomes: dict[str, dict[str, Any]] = {
            name: {"object": f"connector {name}", "name": name, "instance_url": address_of(entry)}
            for name, entry in self.entries.items()
        }
        self.problems: list[Problem] = []
        # The platform's words if nothing shows the connectors.
        self.refused = ""
        # The operation of each connector that the contract writes.
        self.written: dict[str, str] = {}
        # Those whose Secure Score switch the contract turns.
        self.switched: set[str] = set()
        # The connectors whose manual step was returned by an earlier run and is open.
        self.waiting: set[str] = set()
        # Those that nothing shows, and that no one has to look for.
        self.unprovable: set[str] = set()
        # Why a connector is left as it is, by name: the others are brought to their desired state.
        self.refusals: dict[str, str] = {}

    def reads(self) -> list[Query]:
        """Query all connectors: one list returns them."""
        return [Query(COLLECTION, "name", tuple(self.entries), COLUMNS, optional=True)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare each connector with its desired state; a deviation becomes a write by contract, or a manual step."""
        plan = Plan(self.label, bulk=True)
        rows = snapshot.all_rows(COLLECTION, "name")
        self.problems = []
        self.unprovable = set()
        self.refusals = {}
        self.refused = snapshot.refused(COLLECTION, "name")
        if self.refused:
            self._note_refusal(plan)
            return plan
        for name, entry in self.entries.items():
            outcome = self.outcomes[name]
            plan.outcomes.append(outcome)
            try:
                row = self._find(name, entry, rows)
            except InvalidInput as error:
                # Its name is wrong, which is no reason to leave the others.
                self._update_outcome(outcome, entry, None)
                outcome.update(status=UNKNOWN, reason=str(error))
                self.refusals[name] = str(error)
                self.unprovable.add(name)
                continue
            self._update_outcome(outcome, entry, row)
            if row:
                end = outcome["refresh_token_expires_at"]
                self.problems += problems_of(name, row, oauth=entry["mode"] == OAUTH, end=end)
            self._plan_one(plan, name, entry, row, outcome)
            self._plan_switch(plan, name, entry, row, outcome)
        if self.refusals and len(self.refusals) == len(self.entries):
            raise InvalidInput("; ".join(self.refusals.values()))
        unclear = [outcome["name"] for outcome in plan.outcomes if self._is_unclear(outcome)]
        if unclear:
            plan.warnings.append(
                f"whether {', '.join(unclear)} {'are' if len(unclear) > 1 else 'is'} connected is unknown: {self.endpoint.unclear}"
            )
        return plan

    def _note_refusal(self, plan: Plan) -> None:
        """Note that neither the list nor the documented APIs show any connector: nothing is written, and there is no step."""
        for name, entry in self.entries.items():
            self._update_outcome(self.outcomes[name], entry, None)
            self.outcomes[name].update(status=UNKNOWN, evidence=[self.refused])
            plan.outcomes.append(self.outcomes[name])
        plan.warnings.append(f"whether the connectors are connected is unknown: {self.refused}")

    # -- status ------------------------------------------------------------------------------------------------------

    def _find(self, name: str, entry: Mapping[str, Any], rows: list[Row]) -> Row | None:
        return (
            self._attributed(name, entry, rows) if self.endpoint.evidence else row_of_entry(entry, rows, self.entries)
        )

    def _attributed(self, name: str, entry: Mapping[str, Any], rows: list[Row]) -> Row | None:
        return attributed(rows, name, address_of(entry).partition("://")[2], is_only=len(self.entries) == 1)

    def _update_outcome(self, outcome: dict[str, Any], entry: Mapping[str, Any], row: Row | None) -> None:
        unclear = self.endpoint.unclear
        missing = UNKNOWN if unclear else ABSENT
        outcome.update(
            status=row["status"] if row else missing,
            message=row["message"] if row else "",
            evidence=self.endpoint.evidence or ["the list of connectors"],
            id=row["id"] if row else "",
            accounts=row["accounts"] if row else 0,
            secure_score=row.get("secure_score", "") if row else "",
        )
        outcome.pop("reason", None)
        if self._is_unclear(outcome):
            outcome["reason"] = unclear
        elif outcome["message"] == NOT_SHOWN:
            # Not the vendor's words.
            outcome.update(message="", reason=NOT_SHOWN)
        oauth = row is not None and entry["mode"] == OAUTH
        last = row["last_connected"] if row and oauth else ""
        end = token_end(last, entry.get("refresh_token_lifespan"), entry.get("refresh_token_expires_at"))
        outcome.update(refresh_token_expires_at=end, **remaining(end))

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
        label = outcome["object"]
        credentials = ConnectorCredentials.from_entry(entry, address_of(entry), self.endpoint.client.session.base_url)
        outcome["accepted"] = entry.get("accepted") or ""
        if outcome.get("reason") == NOT_SHOWN and wanted != ABSENT:
            self.unprovable.add(name)
            return
        if self._is_unclear(outcome):
            self._plan_unclear(plan, entry, outcome, credentials)
            return
        if self._is_in_sync(name, wanted, status):
            if (
                wanted != CONNECTED
                or row is None
                or not credentials
                or self._has_accepted(plan, name, credentials, row)
            ):
                return
        elif status != UNKNOWN:
            plan.drift.append(Drift(label, "status", status, wanted))
            plan.before[label], plan.after[label] = status, wanted
        # A connector of the list exists, also while it is connecting.
        exists = row is not None and not self.endpoint.evidence
        operation = "update" if exists and wanted == CONNECTED else operation_for(wanted, status)
        replay = self.endpoint.replay
        # Evidence has no connector id, and cannot prove that there is no connector.
        if replay and replay.offers(operation) and not self.endpoint.evidence:
            values = values_of(entry)
            check_mode(entry, operation, replay)
            replay.check(operation, {**self._expected(values), "id": outcome["id"]}, label)
            plan.writes.append(write_of(operation, label, values, row, outcome))
            self.written[name] = operation
            return
        is_unproven, deviates = (any(each.object == label for each in found) for found in (plan.unproven, plan.drift))
        if not is_unproven or deviates or name in self.waiting:
            self._add_step(plan, operation, entry, credentials, row)

    def _add_step(
        self,
        plan: Plan,
        operation: str,
        entry: Mapping[str, Any],
        credentials: ConnectorCredentials | None,
        row: Row | None = None,
    ) -> None:
        outcome, with_details = self.outcomes[entry["name"]], self.endpoint.app_id == SERVICENOW
        reason = why_manual(operation, self.endpoint.replay)
        plan.manual_steps.append(connector_step(operation, entry, address_of(entry), reason, with_details))
        if credentials and operation in ("create", "update", "look"):
            outcome["accepted"] = credentials.handed_over(outcome["status"], row)

    def _plan_unclear(
        self,
        plan: Plan,
        entry: Mapping[str, Any],
        outcome: Mapping[str, Any],
        credentials: ConnectorCredentials | None,
    ) -> None:
        """Plan a connector that was not found, and may exist all the same: it is looked for unless it is recorded."""
        wanted, found = STATUSES[entry["state"]], None
        if wanted == CONNECTED and credentials:
            found = credentials.recorded()
            for option, (before, after) in found.differences.items():
                plan.drift.append(Drift(outcome["object"], option, before, after))
        # Once an API token was refused, or the list has changed, there is another thing to do first.
        has_other_remedy = not self.endpoint.evidence or bool(self.endpoint.client.refused_token)
        if has_other_remedy or (found and found.is_proven):
            self.unprovable.add(entry["name"])
        else:
            self._add_step(plan, "look" if wanted == CONNECTED else operation_for(wanted, UNKNOWN), entry, credentials)

    def _is_unclear(self, outcome: Mapping[str, Any]) -> bool:
        """Return whether the connector was not found, and may exist all the same."""
        return bool(outcome["status"] == UNKNOWN and not outcome["id"] and self.endpoint.unclear)

    def _plan_switch(
        self, plan: Plan, name: str, entry: Mapping[str, Any], row: Row | None, outcome: dict[str, Any]
    ) -> None:
        # A connector that does not exist yet is created with it.
        if plan_switch(plan, entry, row, outcome, self.endpoint.replay, COLLECTION):
            self.switched.add(name)

    def _has_accepted(self, plan: Plan, name: str, credentials: ConnectorCredentials, row: Row) -> bool:
        """Return whether nothing is to be done for the credentials of a connected connector; note what differs, or why that is not known."""
        outcome = self.outcomes[name]
        object_id = "" if self.endpoint.evidence else row["id"]
        found = credentials.compare(row, object_id)
        if name in self.written or (not found.unproven and not found.differences):
            outcome["accepted"] = credentials.accepted(object_id)
            return True
        if found.unproven:
            plan.add_unproven(found.unproven, "credentials", outcome["object"])
            self.waiting |= {name} if found.handed_over else set()
        for option, (before, after) in found.differences.items():
            plan.drift.append(Drift(outcome["object"], option, before, after))
        # What is not known can neither be written nor entered.
        return bool(credentials.credentials.unknown) and not found.differences

    def _is_in_sync(self, name: str, wanted: str, status: str) -> bool:
        if name in self.written:
            # A new connector needs time to connect: only one that is missing has failed.
            return status != ABSENT if wanted == CONNECTED else status == wanted
        if wanted == CONNECTED:
            return status in DELIVERING or (status == UNKNOWN and not self.endpoint.evidence)
        return status in (wanted, ABSENT)

    def _expected(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values for a contract; in check mode, those that earlier tasks of a run create are expected to exist."""
        credentials = ("password", "client_id", "client_secret")
        return {
            **dict.fromkeys(credentials if self.endpoint.client.context.check_mode else (), "(not known yet)"),
            **values,
        }

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

    def awaited_names(self) -> list[str]:
        """Return those of `open_names` that a wait can bring in sync: nothing will show the others."""
        return [name for name in self.open_names() if name not in self.unprovable]

    def keep_new_records(self, *, written: bool) -> None:
        """Leave in the outcomes only the records of accepted credentials that are to be stored."""
        for name, outcome in self.outcomes.items():
            record = outcome.pop("accepted", "")
            if written and record != (self.entries[name].get("accepted") or ""):
                outcome["accepted"] = record

    def failed_names(self) -> set[str]:
        """Return the names of the connectors that were written in this run and are in error now."""
        return {name for name in self.written if self.outcomes[name]["status"] == ERROR}
