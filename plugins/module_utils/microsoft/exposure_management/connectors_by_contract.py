# SPDX-License-Identifier: GPL-3.0-or-later
"""The data connectors of a tenant, written by contract.

Where the contract can list them, the list shows which exist. The credentials are compared with the record of those that were
accepted, since no portal returns them. See docs/facts/exposure_management.md#data-connector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.accepted_credentials import OBJECT_ID, Comparison, recorded
from ...engine.errors import EngineError, InvalidInput
from ...engine.plan import CHANGED, CREATE, DELETE, OK, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.reconcile import reconcile
from ...engine.result import ABSENT, PRESENT, UNKNOWN, Drift, Result
from ...engine.snapshot import Query, Row, Snapshot
from ...recorded_api.contract import parse
from ...recorded_api.replay import Replay
from ...transport.errors import TransportError
from ..collection_store import CollectionStore
from ..graph import GraphClient
from .assets import Assets
from .connectors_api import COLLECTION, COLUMNS, DataConnectorsEndpoint
from .data_connectors import NO_ASSETS, UNCLEAR, DataConnector, connectors_of
from .manual_steps import BASIC, NO_API, connector_step
from .portal_client import PortalClient

TARGET = "msem_connector"
ACTIONS = {"create": CREATE, "update": UPDATE, "delete": DELETE}
FAILED = "failed"
# What a recording has to show, by operation.
AGAIN = "learn the contract again from a recording that"
RECORD = {
    "create": f"{AGAIN} connects an instance",
    "update": f"{AGAIN} enters the details of the new connector again",
    "delete": f"{AGAIN} disconnects the new connector",
}
RECORD_LIST = f"{AGAIN} ends when the portal lists the new connector"
STILL_LISTED = "the portal accepted that it is disconnected, but the list of the contract still shows it"
NOT_LISTED = "the portal accepted that it is connected, but the list of the contract does not show it"
ELSEWHERE = "the list of the contract shows its recorded id {} with another address, {}, so it was not removed; look in the Defender portal"
LOST = "the answer to the request that connects it was lost, and nothing shows what became of it"


def connect_by_contract(
    graph: GraphClient, document: Any, entries: Sequence[Mapping[str, Any]], assets: Assets, *, complete: bool
) -> Result:
    """Bring the connectors to their desired state with the contract `document`; see `data_connectors` for the other arguments.

    Raises `InvalidInput` before anything was sent. The output of any other error has the records of what was written until then.
    """
    client = PortalClient(graph)
    endpoint = DataConnectorsEndpoint(Replay(parse(document, TARGET), client))
    found = connectors_of(entries, graph.params.get("azure_tenant_id") or "")
    resource = ContractConnectors(found, endpoint, assets, complete=complete)
    store = CollectionStore(client, {COLLECTION: endpoint})
    # A lost answer is looked up in the list, and nothing is sent twice.
    store.create_attempts = 1
    resource.check_keys(check_mode=store.check_mode)
    try:
        result = reconcile(store, resource)
    except InvalidInput:
        raise
    except (EngineError, TransportError) as error:
        output = error.output if isinstance(error, EngineError) else {}
        raise EngineError(str(error), resource.output(output, str(error))) from None
    result.output = resource.output(result.output)
    return result


def values_of(connector: DataConnector) -> dict[str, Any]:
    """Return the values of a contract that a connector has: the credentials of its own mode only."""
    names = ("username", "password") if connector.entry["mode"] == BASIC else ("client_id", "client_secret")
    given = {name: connector.entry[name] for name in names if connector.entry.get(name)}
    return {
        "name": connector.entry["name"],
        "instance_url": connector.address,
        "instance_host": connector.place,
        **given,
    }


class ContractConnectors(Resource):
    """The desired data connectors of one tenant."""

    label = "data_connectors"

    def __init__(
        self, connectors: Sequence[DataConnector], endpoint: DataConnectorsEndpoint, assets: Assets, *, complete: bool
    ) -> None:
        self.connectors, self.endpoint, self.assets = connectors, endpoint, assets
        self.only = complete and len(connectors) == 1
        self.check_mode = endpoint.replay.client.context.check_mode
        # The rows and the labels of the first plan that writes.
        self.outcomes: list[dict[str, Any]] = []
        self.planned: set[str] = set()
        # The labels of those that the list still shows after they were removed.
        self.unsettled: set[str] = set()

    def check_keys(self, *, check_mode: bool) -> None:
        """Refuse connectors whose credentials could not be recorded: each run would connect them again."""
        lacking = [each.label for each in self.connectors if each.wants == PRESENT and not each.credentials.key]
        if lacking and not check_mode:
            raise InvalidInput(f"{lacking[0]}: contract requires accepted_key, so that what it sends can be recorded")

    def reads(self) -> list[Query]:
        """Query all connectors: one list returns them."""
        return [Query(COLLECTION, "place", tuple(each.place for each in self.connectors), COLUMNS, optional=True)]

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare each connector with its desired state; a deviation becomes a request of the contract, or a manual step."""
        plan = Plan(self.label, bulk=True, in_sync_statuses=(OK, ABSENT))
        refused = snapshot.refused(COLLECTION, "place")
        rows = {row["place"]: row for row in snapshot.all_rows(COLLECTION, "place")}
        for connector in self.connectors:
            outcome = dict(connector.row)
            plan.outcomes.append(outcome)
            if refused:
                outcome.update(status=UNKNOWN, reason=f"the data connectors could not be listed: {refused}")
            elif connector.place in {*self.endpoint.done, *self.endpoint.removed, *self.endpoint.lost}:
                outcome.update(self._settled(plan, connector, rows.get(connector.place)))
            elif connector.wants == ABSENT:
                outcome.update(self._plan_removal(plan, connector, outcome, rows))
            else:
                outcome.update(self._plan_one(plan, connector, outcome, rows.get(connector.place)))
        self.outcomes = self.outcomes or plan.outcomes
        self.planned |= {write.label for write in plan.writes}
        return plan

    def output(self, output: Mapping[str, Any], failure: str = "") -> dict[str, Any]:
        """Return `output` with the records of what this run wrote. `failure` is why the run ended early, "" if it did not."""
        rows = [dict(row) for row in output.get("results") or self.outcomes]
        # Without rows, the run ended before it compared anything.
        for row, connector in zip(rows, self.connectors if rows else (), strict=True):
            place = connector.place
            if connector.label in self.unsettled:
                row.update(status=FAILED, reason=STILL_LISTED)
            written = place in self.endpoint.done or place in self.endpoint.removed
            if place in self.endpoint.done and connector.credentials.is_complete:
                row["accepted"] = connector.credentials.record(object_id=self.endpoint.done[place])
            elif place in self.endpoint.lost and connector.credentials.is_complete:
                row["accepted"] = connector.credentials.record(UNCLEAR)
            elif failure and row["object"] in self.planned and row.get("status") == CHANGED and not written:
                row.update(status=FAILED, reason=failure)
        assets = None if self.assets.refused else self.assets.count
        return {**output, "results": rows, "assets": assets}

    # -- one connector ------------------------------------------------------------------------------------------------

    def _plan_one(
        self, plan: Plan, connector: DataConnector, outcome: dict[str, Any], row: Row | None
    ) -> dict[str, Any]:
        found = connector.compare()
        if row is None and self.endpoint.unclear:
            return {"status": UNKNOWN, "reason": self.endpoint.unclear}
        if self.endpoint.lists and row is None:
            plan.drift.append(Drift(connector.label, "state", ABSENT, PRESENT))
            plan.before[connector.label], plan.after[connector.label] = ABSENT, PRESENT
            return self._send(plan, connector, outcome, "create", found)
        entered = self._is_entered(connector, found, row)
        if entered and connector.credentials.is_complete:
            return {**connector.entered(found), **connector.delivers(self.assets)}
        if row is not None:
            return self._plan_credentials(plan, connector, outcome, found, row)
        return self._plan_unlisted(plan, connector, outcome, found)

    def _plan_credentials(
        self, plan: Plan, connector: DataConnector, outcome: dict[str, Any], found: Comparison, row: Row | None
    ) -> dict[str, Any]:
        """Write the credentials of a connector that exists, unless they are not known here."""
        if connector.credentials.unknown and not found.differences:
            return {"status": UNKNOWN, "field": "credentials", "reason": connector.unproven(found)}
        return self._send(plan, connector, outcome, "update", found, row)

    def _plan_unlisted(
        self, plan: Plan, connector: DataConnector, outcome: dict[str, Any], found: Comparison
    ) -> dict[str, Any]:
        """Decide about a connector of which only its record is known."""
        if found.differences and not found.handed_over:
            return self._send(plan, connector, outcome, "update", found)
        if found.handed_over and not self._should_list(connector):
            # An earlier request, or an earlier step, may have connected it.
            why = f"{NO_API}, and the contract has no operation list that shows whether it was connected: {RECORD_LIST}"
            operation = "update" if found.differences else "look"
            return connector.hand_over(plan, found, operation, found.handed_over.get("status", UNKNOWN), why)
        if connector.entry.get("connected") or (connector.stored and not found.handed_over):
            return connector.outcome(plan, self.assets, only=self.only)
        return self._send(plan, connector, outcome, "create", found)

    def _plan_removal(
        self, plan: Plan, connector: DataConnector, outcome: dict[str, Any], rows: Mapping[str, Row]
    ) -> dict[str, Any]:
        row = rows.get(connector.place)
        if row is None and self.endpoint.unclear:
            return {"status": UNKNOWN, "reason": self.endpoint.unclear}
        if self.endpoint.lists and row is None:
            object_id = recorded(connector.stored, OBJECT_ID)
            place = next((place for place, each in rows.items() if object_id and each["id"] == object_id), "")
            return {"status": UNKNOWN, "reason": ELSEWHERE.format(object_id, place)} if place else {"status": ABSENT}
        if row is None and not connector.stored and not self._should_list(connector):
            return connector.outcome(plan, self.assets, only=self.only)
        plan.drift.append(Drift(connector.label, "state", PRESENT, ABSENT))
        plan.before[connector.label], plan.after[connector.label] = PRESENT, ABSENT
        return self._send(plan, connector, outcome, "delete", Comparison(object_id=connector.object_id), row)

    def _settled(self, plan: Plan, connector: DataConnector, row: Row | None) -> dict[str, Any]:
        """Return the status of a connector that this run wrote, or whose answer was lost, as the list shows it now."""
        if connector.place in self.endpoint.removed:
            status = {"status": UNKNOWN, "reason": STILL_LISTED} if row else {"status": ABSENT}
            self.unsettled |= {connector.label} if row else set()
        elif connector.place in self.endpoint.lost:
            if self.endpoint.lists:
                # Still to be done, so that its failure stays: the list has not shown that it was done after all.
                plan.writes.append(Write(CREATE, COLLECTION, connector.label))
            return {"status": UNKNOWN, "reason": LOST}
        elif self.endpoint.lists and row is None:
            status = {"status": UNKNOWN, "reason": self.endpoint.unclear or NOT_LISTED}
        else:
            status = connector.delivers(self.assets)
        if status["status"] == UNKNOWN:
            plan.add_unproven(status["reason"], label=connector.label)
        return status

    def _is_entered(self, connector: DataConnector, found: Comparison, row: Row | None) -> bool:
        """Return whether the connector is known to have these credentials."""
        before = found.handed_over.get("status")
        arrived = self.only and self.assets.count > 0 and before == NO_ASSETS
        # One that did not exist when the manual step was returned has the credentials of that step.
        shown = row is not None and before == ABSENT
        return bool(
            connector.entry.get("credentials_entered") or found.is_proven or (found.is_equal and (arrived or shown))
        )

    def _should_list(self, connector: DataConnector) -> bool:
        """Return whether the contract has a list that this session cannot read; raise `InvalidInput` unless in check mode."""
        replay = self.endpoint.replay
        if not replay.offers("list") or self.endpoint.lists:
            return False
        replay.check("list", {"skip": 0, "limit": 0}, connector.label)
        return True

    # -- writing ------------------------------------------------------------------------------------------------------

    def _send(
        self,
        plan: Plan,
        connector: DataConnector,
        outcome: dict[str, Any],
        operation: str,
        found: Comparison,
        row: Row | None = None,
    ) -> dict[str, Any]:
        """Plan a request of the contract, else return what an operator has to do."""
        self._should_list(connector)
        values = values_of(connector)
        why = self._obstacle(operation, row, found.object_id)
        if why:
            return self._hand_over(plan, connector, operation, found, why)
        self.endpoint.replay.check(operation, {**self._expected(connector), **values, "id": ""}, connector.label)
        self.endpoint.steps[connector.label] = connector_step("look", connector.entry, connector.address, NO_API)
        if operation != "delete":
            plan.drift += [Drift(connector.label, name, *pair) for name, pair in found.differences.items()]
            if found.unproven and (row is not None or not self.endpoint.lists):
                plan.add_unproven(connector.unproven(found), "credentials", connector.label)
        row_id = row["id"] if row else found.object_id or connector.place
        identity = {"place": connector.place}
        plan.writes.append(
            Write(ACTIONS[operation], COLLECTION, connector.label, values, row_id, identity=identity, outcome=outcome)
        )
        return {"status": CHANGED}

    def _hand_over(
        self, plan: Plan, connector: DataConnector, operation: str, found: Comparison, why: str
    ) -> dict[str, Any]:
        if operation == "delete":
            plan.manual_steps.append(connector_step(operation, connector.entry, connector.address, why))
            return {"status": "manual"}
        before = UNKNOWN if self.assets.refused or self.assets.count else NO_ASSETS
        missing = operation == "create" and self.endpoint.lists
        status = connector.hand_over(plan, found, operation, ABSENT if missing else before, why)
        return {**status, "status": "manual"} if missing else status

    def _obstacle(self, operation: str, row: Row | None, object_id: str) -> str:
        """Return why the contract cannot send `operation`, "" if it can; `object_id` is the recorded id of the connector."""
        replay = self.endpoint.replay
        if not replay.offers(operation):
            return f"{NO_API}, and the contract has no operation {operation}: {RECORD[operation]}"
        is_known = operation == "create" or row is not None or replay.offers("list") or bool(object_id)
        if "id" in replay.contract.required_values(operation) and not is_known:
            return f"{NO_API}, the contract has no operation list that shows the id of the connector, and its id is not recorded: {RECORD_LIST}"
        return ""

    def _expected(self, connector: DataConnector) -> dict[str, Any]:
        """Return the credentials that earlier tasks of a run create; they are expected to exist in check mode only."""
        names = (*connector.credentials.plain, *connector.credentials.secrets) if self.check_mode else ()
        return dict.fromkeys(names, "(not known yet)")
