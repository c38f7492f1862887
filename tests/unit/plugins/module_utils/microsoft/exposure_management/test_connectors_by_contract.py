# SPDX-License-Identifier: GPL-3.0-or-later
"""Data connectors by contract: what is sent, what remains a manual step, and what is not sent twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import EngineError, InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Result
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.exposure_management.assets import (
    Assets,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.exposure_management.connectors_by_contract import (
    connect_by_contract,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.exposure_management.data_connectors import (
    data_connectors,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.session import Session
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import (
    TRANSPORT_OPTIONS,
    transport_settings,
)
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer

HOST = "acme-dev.service-now.com"
SIGNED = {"mda_portal_cookie": "sccauth=cookie-of-the-session"}
SETTINGS = {name: option.get("default") for name, option in TRANSPORT_OPTIONS.items()} | {"retries": 0}


class Portal:
    """A made-up portal: `rows` are its connectors, by id. `refuses` are the hosts that it does not connect.

    `hangs_up`: no request that connects gets an answer. `forgets`: it accepts requests, and its list stays as it is.
    """

    def __init__(self, server: Loopback) -> None:
        self.server, self.rows = server, dict[str, str]()
        self.refuses: set[str] = set()
        self.hangs_up = self.forgets = False
        # The keys of id and address in the list, and its rows of other products.
        self.keys = ("key", "host")
        self.others: list[dict[str, Any]] = []
        server.answers_by(self._reply)

    def _reply(self, received: Received) -> Reply:
        number = received.path.rpartition("/")[2]
        if received.method == "GET":
            shown = [dict(zip(self.keys, pair, strict=True)) for pair in self.rows.items()]
            return answer({"value": [*self.others, *({**row, "vendor": "ServiceNowCmdb"} for row in shown)]})
        if received.method in ("PUT", "DELETE") and number not in self.rows:
            return answer({"error": {"message": "There is no such connector"}}, 404)
        if self.forgets:
            return answer({"key": "id9"})
        if received.method == "DELETE":
            del self.rows[number]
        if received.method == "POST":
            host = received.json["host"]
            if host in self.refuses:
                return answer({"error": {"message": "There is no such host"}}, 400)
            self.rows[f"id{len(self.rows)}"] = host
            if self.hangs_up:
                return Reply(dropped=True)
            return answer({"key": f"id{len(self.rows) - 1}"})
        return answer({})

    def contract(self, *left_out: str) -> dict[str, Any]:
        """Return the contract for this portal, without some of its operations."""
        headers, place = {"cookie": "${portal_cookie}"}, f"{self.server.url}/connectors"
        body = {"host": "${instance_host}", "key": "${client_id}", "secret": "${client_secret}"}
        fields = {"connectors": "value[*].{id: key, address: host}"}
        operations: dict[str, Any] = {
            "list": {"method": "GET", "url": place, "expect": {"fields": fields}},
            "create": {"method": "POST", "url": place, "body": body, "expect": {"fields": {"id": "key"}}},
            "update": {"method": "PUT", "url": f"{place}/${{id}}", "body": body},
            "delete": {"method": "DELETE", "url": f"{place}/${{id}}"},
        }
        kept = {name: {**step, "headers": headers} for name, step in operations.items() if name not in left_out}
        return {"contract": 1, "name": "made up", "target": "msem_connector", "operations": kept}

    @property
    def writes(self) -> list[str]:
        """What could have changed something, as method and path."""
        return [line for line in self.server.lines if not line.startswith("GET ")]


@pytest.fixture
def portal(server: Loopback) -> Portal:
    return Portal(server)


def entry(name: str = "acme-dev", **more: Any) -> dict[str, Any]:
    credentials = {"mode": "client_credentials", "client_id": "c1", "client_secret": "s3cret", "accepted_key": "key"}
    return {"name": name, "instance_url": f"https://{name}.service-now.com/", **credentials, **more}


def run(portal: Portal, *entries: dict[str, Any], without: tuple[str, ...] = (), **more: Any) -> Result:
    """Run once; `more` are `check_mode`, `params` and `assets`."""
    context = TaskContext(check_mode=more.get("check_mode", False))
    params = {**SETTINGS, "azure_tenant_id": "tenant-1", **more.get("params", SIGNED)}
    session = Session("https://graph.example.com", transport_settings(params), context)
    graph: Any = SimpleNamespace(context=context, params=params, session=session)
    return connect_by_contract(
        graph, portal.contract(*without), entries, more.get("assets", Assets(3)), complete=more.get("complete", True)
    )


def accepted(result: Result) -> str:
    return str(result.output["results"][0]["accepted"])


def test_a_connector_is_made_once_and_what_it_accepted_is_recorded(portal: Portal) -> None:
    first = run(portal, entry())
    assert (first.changed, portal.rows) == (True, {"id0": HOST})
    second = run(portal, entry(accepted=accepted(first)))
    assert not second.changed
    assert second.output["results"][0]["status"] == "ok"
    assert portal.writes == ["POST /connectors"]


def test_check_mode_predicts_and_sends_nothing(portal: Portal) -> None:
    predicted = run(portal, entry(client_id="", client_secret="", accepted_key=""), check_mode=True, params={})
    assert predicted.changed
    assert not predicted.manual_steps
    assert not portal.server.lines


@pytest.mark.parametrize(
    ("operation", "change", "listed", "step"),
    [
        ("create", {}, False, "create"),
        ("update", {"client_secret": "another"}, True, "update"),
        ("delete", {"state": "absent"}, True, "delete"),
    ],
)
def test_what_the_contract_lacks_is_a_manual_step(
    portal: Portal, operation: str, change: dict[str, str], listed: bool, step: str
) -> None:
    record = accepted(run(portal, entry()))
    if not listed:
        portal.rows.clear()
    result = run(portal, entry(accepted=record, **change), without=(operation,))
    (found,) = result.manual_steps
    assert found.id == f"data_connector:{step}:acme-dev"
    assert f"the contract has no operation {operation}" in found.reason
    assert result.drift
    assert not result.changed
    assert result.output["results"][0]["status"] == "manual"
    assert portal.writes == ["POST /connectors"]


def test_a_step_for_a_connector_that_did_not_exist_is_done_once_it_is_listed(portal: Portal) -> None:
    handed = run(portal, entry(), without=("create",))
    portal.rows["id7"] = HOST
    settled = run(portal, entry(accepted=accepted(handed)))
    assert settled.output["results"][0]["status"] == "ok"
    assert not portal.writes


@pytest.mark.parametrize("hosts", [{HOST: "id3"}, {f"https://{HOST.upper()}/": "id3"}])
def test_one_that_exists_without_a_record_gets_the_credentials(portal: Portal, hosts: dict[str, str]) -> None:
    portal.rows = {key: host for host, key in hosts.items()}
    result = run(portal, entry())
    assert result.changed
    assert portal.writes == ["PUT /connectors/id3"]
    assert not run(portal, entry(accepted=accepted(result))).changed


def test_what_is_not_known_here_is_not_written(portal: Portal) -> None:
    portal.rows = {"id3": HOST}
    result = run(portal, entry(client_secret="", connected=True))
    assert not result.changed
    assert result.all_unproven()[0].field == "credentials"
    assert not portal.writes


def test_the_others_are_recorded_where_one_is_refused(portal: Portal) -> None:
    portal.refuses = {HOST}
    with pytest.raises(
        EngineError, match="could not create data_connector acme-dev: .*There is no such host"
    ) as caught:
        run(portal, entry(), entry("acme-test"))
    rows = caught.value.output["results"]
    assert [(row["status"], "accepted" in row) for row in rows] == [("failed", False), ("changed", True)]


def test_a_lost_answer_is_looked_up(portal: Portal) -> None:
    portal.hangs_up = True
    result = run(portal, entry())
    assert result.changed
    assert accepted(result)
    assert portal.writes == ["POST /connectors"]


def test_what_the_list_does_not_show_after_a_lost_answer_has_failed(portal: Portal) -> None:
    portal.hangs_up = True
    portal.server.answers_by(
        lambda received: Reply(dropped=True) if received.method == "POST" else portal._reply(received)
    )
    with pytest.raises(EngineError, match="whether data_connector acme-dev was created is unclear") as caught:
        run(portal, entry())
    (row,) = caught.value.output["results"]
    assert (row["status"], caught.value.output["changed"]) == ("failed", False)
    assert "the connection was dropped" in row["reason"]
    portal.hangs_up = False
    portal.server.answers_by(portal._reply)
    assert run(portal, entry(accepted=row["accepted"])).changed
    assert portal.rows == {"id0": HOST}


def test_a_connector_with_another_address_by_now_is_not_removed(portal: Portal) -> None:
    record = accepted(run(portal, entry()))
    portal.rows["id0"] = "other.service-now.com"
    result = run(portal, entry(accepted=record, state="absent"))
    assert not result.changed
    (unproven,) = result.all_unproven()
    assert "its recorded id id0 with another address, other.service-now.com" in unproven.reason
    assert portal.rows


def test_without_a_list_a_lost_answer_is_unproven_until_someone_looked(portal: Portal) -> None:
    portal.hangs_up = True
    lost = run(portal, entry(), without=("list",))
    again = run(portal, entry(accepted=accepted(lost)), without=("list",))
    for result in (lost, again):
        assert not result.changed
        assert "lost" in result.output["results"][0]["reason"] or "dropped" in result.output["results"][0]["reason"]
        assert result.manual_steps[0].id == "data_connector:look:acme-dev"
        assert result.all_unproven()[0].object == "data_connector acme-dev"
    looked = run(portal, entry(accepted=accepted(lost), credentials_entered=True), without=("list",))
    assert looked.output["results"][0]["status"] == "ok"
    assert portal.writes == ["POST /connectors"]


def test_without_a_list_a_recorded_id_is_enough(portal: Portal) -> None:
    record = accepted(run(portal, entry(), without=("list",)))
    changed = run(portal, entry(accepted=record, client_secret="another"), without=("list",))
    assert (changed.changed, changed.manual_steps) == (True, [])
    again = run(portal, entry(accepted=accepted(changed), client_secret="another"), without=("list",))
    assert (again.changed, again.output["results"][0]["status"]) == (False, "ok")
    gone = run(portal, entry(accepted=accepted(changed), state="absent"), without=("list",))
    assert (gone.changed, portal.rows) == (True, {})
    assert portal.writes == ["POST /connectors", "PUT /connectors/id0", "DELETE /connectors/id0"]


def test_an_id_that_the_list_showed_is_recorded(portal: Portal) -> None:
    portal.rows = {"id3": HOST}
    record = accepted(run(portal, entry()))
    assert run(portal, entry(accepted=record, client_secret="another"), without=("list",)).changed
    assert portal.writes == ["PUT /connectors/id3"] * 2


@pytest.mark.parametrize("change", [{"client_secret": "another"}, {"state": "absent"}])
def test_without_a_list_a_recorded_id_that_the_portal_does_not_know_is_unproven(
    portal: Portal, change: dict[str, str]
) -> None:
    record = accepted(run(portal, entry(), without=("list",)))
    portal.rows.clear()
    result = run(portal, entry(accepted=record, **change), without=("list",))
    assert [step.id for step in result.manual_steps] == ["data_connector:look:acme-dev"]
    (found,) = result.all_unproven()
    assert "the portal knows no connector with the recorded id id0" in found.reason
    assert "404 There is no such connector" in found.reason


@pytest.mark.parametrize("change", [{"client_secret": "another"}, {"state": "absent"}])
def test_without_a_list_and_a_recorded_id_the_step_says_what_is_to_be_recorded(
    portal: Portal, change: dict[str, str]
) -> None:
    entered = data_connectors([entry(credentials_entered=True)], Assets(3), "tenant-1").output["results"][0]["accepted"]
    result = run(portal, entry(accepted=entered, **change), without=("list",))
    (step,) = result.manual_steps
    assert step.reason == (
        "Microsoft documents no API that writes data connectors, the contract has no operation list that shows the id of the connector, and "
        "its id is not recorded: learn the contract again from a recording that ends when the portal lists the new connector"
    )
    assert not portal.writes


@pytest.mark.parametrize(
    ("keys", "lacking"),
    [(("key", "instance"), "no address"), (("number", "host"), "no id"), (("a", "b"), "no address")],
)
@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("with_product", [False, True])
def test_a_list_whose_keys_have_changed_connects_and_removes_nothing(
    portal: Portal, keys: tuple[str, str], lacking: str, state: str, with_product: bool
) -> None:
    portal.rows, portal.keys = {"id0": HOST}, keys
    portal.others = [{"key": "q1", "vendor": "QualysVm"}]
    document = portal.contract()
    if with_product:
        document["operations"]["list"]["expect"]["fields"]["connectors"] = (
            "value[*].{id: key, address: host, product: vendor}"
        )
    portal.contract = lambda *_left_out: document  # type: ignore[method-assign]
    result = run(portal, entry(state=state))
    assert (result.changed, result.drift, result.manual_steps) == (False, [], [])
    (found,) = result.all_unproven()
    assert "the list of data connectors cannot be recognized: entry " in found.reason
    assert lacking in found.reason
    assert "learn the contract again" in found.reason
    assert not portal.writes


def test_connectors_of_other_products_are_known_by_their_product(portal: Portal) -> None:
    portal.others = [{"key": "q1", "vendor": "QualysVm"}]
    document = portal.contract()
    document["operations"]["list"]["expect"]["fields"]["connectors"] = (
        "value[*].{id: key, address: host, product: vendor}"
    )
    portal.contract = lambda *_left_out: document  # type: ignore[method-assign]
    assert run(portal, entry()).changed
    assert portal.writes == ["POST /connectors"]


def test_a_step_of_an_earlier_run_is_not_sent_blindly(portal: Portal) -> None:
    handed = data_connectors([entry()], Assets(), "tenant-1").output["results"][0]["accepted"]
    result = run(portal, entry(accepted=handed), without=("list",), assets=Assets())
    assert [step.id for step in result.manual_steps] == ["data_connector:look:acme-dev"]
    listed = run(portal, entry(accepted=handed), assets=Assets())
    assert listed.changed
    assert portal.writes == ["POST /connectors"]


@pytest.mark.parametrize(
    ("change", "params", "words"),
    [
        ({}, {}, "requires mda_portal_cookie to list it"),
        ({"accepted_key": ""}, SIGNED, "data_connector acme-dev: contract requires accepted_key"),
        ({"mode": "basic", "username": "u", "password": "p"}, SIGNED, "requires client_id, client_secret to create it"),
    ],
)
def test_nothing_is_sent_where_something_lacks(
    portal: Portal, change: dict[str, str], params: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        run(portal, entry(**change), params=params)
    assert not portal.writes


def test_without_a_session_a_proven_record_is_enough(portal: Portal) -> None:
    record = accepted(run(portal, entry()))
    assert not run(portal, entry(accepted=record), params={}).changed
    differs = run(portal, entry(accepted=record, client_secret="another"), params={}, check_mode=True)
    assert differs.changed
    assert [drift.field for drift in differs.drift] == ["client_secret"]


def test_assets_that_did_not_arrive_leave_a_new_connector_unproven(portal: Portal) -> None:
    result = run(portal, entry(), assets=Assets())
    assert result.changed
    assert "no asset of ServiceNow has arrived" in result.all_unproven()[0].reason


def test_what_the_list_does_not_confirm_is_unproven(portal: Portal) -> None:
    portal.forgets = True
    made = run(portal, entry())
    assert "does not show it" in made.all_unproven()[0].reason
    portal.rows = {"id0": HOST}
    removed = run(portal, entry(state="absent"))
    assert "still shows it" in removed.all_unproven()[0].reason
    assert removed.output["results"][0]["status"] == "failed"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"has_next": "`true`"}, "the list of connectors is incomplete"),
        ({"connectors": "value"}, "must declare connectors as mappings with id and address"),
    ],
)
def test_a_list_that_does_not_show_all_connects_nothing(portal: Portal, fields: dict[str, str], words: str) -> None:
    document = portal.contract()
    document["operations"]["list"]["expect"]["fields"] |= fields
    portal.rows = {"id0": "other.service-now.com"}
    portal.contract = lambda *_left_out: document  # type: ignore[method-assign]
    with pytest.raises(EngineError, match=words):
        run(portal, entry())
    assert not portal.writes
