# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors: how they are evaluated, what is a manual step, what a contract does, and when waiting ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.instance_address import (
    normalize_address,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.connector_health import (
    status_of,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.evidence import (
    instance_id,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.refresh_token import (
    token_end,
    token_problems,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import mda_connector_info, mda_connectors
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer

LIST = "/cas/api/v1/app_connectors/"
NOW_MS = int(time.time() * 1000)
DAY_MS = 86_400_000
FORBIDDEN = "RuntimeException: HttpRequestFailure: Server returned: 403 Forbidden"


def record(name: str = "acme-dev", number: int = 1, **api: Any) -> dict[str, Any]:
    """Return a connector as the portal lists it (docs/facts/defender_for_cloud_apps.md#reading-connectors)."""
    shown = {"isConnected": True, "isEnabled": True, "lastConnected": NOW_MS, **api}
    return {"_id": f"id-{number}", "appId": 14509, "name": "ServiceNow", "instanceName": name, "api": shown}


class Portal:
    """Plays the tenant: its connectors, and a wizard that a contract may use."""

    def __init__(self, server: Loopback, *records: dict[str, Any]) -> None:
        self.records = list(records)
        self.root = server.url
        self.made: dict[str, Any] = {"isConnected": True, "isEnabled": True, "lastConnected": NOW_MS}
        self.refused_list: Reply | None = None
        self.others: dict[str, Reply] = {}
        self.lost = False
        server.answers_by(self._answer)

    def _answer(self, request: Received) -> Reply:
        if request.path == LIST:
            return self.refused_list or answer({"data": self.records, "hasNext": False})
        if request.path == "/make":
            body = request.json
            self.records.append({**record(body["name"], len(self.records) + 1), "api": dict(self.made), "body": body})
            if self.lost:
                self.lost = False
                return Reply(dropped=True)
            return answer({"id": f"id-{len(self.records)}"})
        if request.path.startswith("/drop/"):
            self.records = [row for row in self.records if row["_id"] != request.path.rsplit("/", 1)[-1]]
            return answer({"ok": True})
        return self.others.get(request.path, answer({"data": []}))

    @property
    def contract(self) -> dict[str, Any]:
        names = ("name", "instance_url", "username", "password", "client_id", "client_secret")
        create = {
            "method": "POST",
            "url": f"{self.root}/make",
            "body": {name: f"${{{name}}}" for name in names},
            "expect": {"status": 200, "fields": {"id": "id"}},
        }
        delete = {"method": "DELETE", "url": f"{self.root}/drop/${{id}}"}
        return {
            "contract": 1,
            "name": "c",
            "target": "mda_connector",
            "operations": {"create": create, "delete": delete},
        }


Task = Callable[..., dict[str, Any]]


@pytest.fixture
def task(server: Loopback) -> Task:
    """Run mda_connectors as a task would, and return what it returns."""

    def run(*connectors: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        entries = [{**FULL, **connector} for connector in connectors] or [FULL]
        given = {
            "mda_url": server.url,
            "mda_api_token": "legacy-t0ken-text",
            "retries": 0,
            "connectors": entries,
            **options,
        }
        checked = ArgumentSpecValidator(mda_connectors.SPEC.argument_spec).validate(given)
        assert not checked.error_messages
        context = TaskContext(check_mode=check_mode)
        return mda_connectors.run(checked.validated_parameters, context).as_dict(with_diff=True)

    return run


FULL = {
    "name": "acme-dev",
    "instance_url": "https://acme-dev.service-now.com",
    "username": "svc",
    "password": "Pass-word-1",
    "client_id": "c1ient",
    "client_secret": "c1ient-Secret",
}


# -- the Secure Score switch ------------------------------------------------------------------------------------------


def test_the_switch_is_compared_only_if_it_is_managed_and_shown(server: Loopback, task: Task) -> None:
    portal = Portal(server, record(isSSPMEnabled=False))
    assert task()["drift"] == []
    (step,) = task({"secure_score": "enabled"})["manual_steps"]
    assert step["values"] == {"Turn on Secure Score recommendations": "on"}
    assert task({"secure_score": "disabled"})["manual_steps"] == []
    portal.records = [record()]
    unproven = task({"secure_score": "enabled"})["unproven"]
    assert ("connector acme-dev", "secure_score") in [(each["object"], each["field"]) for each in unproven]


def test_evidence_does_not_show_the_switch(server: Loopback, task: Task) -> None:
    portal = Portal(server)
    portal.refused_list = Reply(403, b"{}")
    portal.others["/api/v1/activities/"] = answer({"data": [{"_id": "a", "instance": 1063085, "about": "acme-dev"}]})
    found = task({"secure_score": "enabled"})
    assert found["results"][0]["status"] == "connected"
    assert ("connector acme-dev", "secure_score") in [(each["object"], each["field"]) for each in found["unproven"]]


def test_a_contract_turns_the_switch_and_one_that_cannot_leaves_a_step(server: Loopback, task: Task) -> None:
    portal = Portal(server, record(isSSPMEnabled=False))
    contract = {**portal.contract, "operations": dict(portal.contract["operations"])}
    assert task({"secure_score": "enabled"}, contract=contract)["manual_steps"]
    url = f"{portal.root}/turn/${{id}}"
    contract["operations"]["secure_score"] = {"method": "PATCH", "url": url, "body": {"on": "${secure_score}"}}
    predicted = task({"secure_score": "enabled"}, contract=contract, check_mode=True)
    assert (predicted["changed"], [each["field"] for each in predicted["drift"]]) == (True, ["secure_score"])
    with pytest.raises(EngineError, match="accepted the update but returned a different value"):
        task({"secure_score": "enabled"}, contract=contract)
    (sent,) = [request for request in server.received if request.path == "/turn/id-1"]
    assert sent.json == {"on": True}


# -- evaluation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "status"),
    [
        ({}, "absent"),
        ({"isConnected": False}, "absent"),
        ({"isConnected": True, "isEnabled": True}, "connected"),
        ({"isConnected": True, "hasWarnings": True}, "warning"),
        ({"isConnected": True, "isEnabled": False}, "disabled"),
        ({"isConnected": False, "isEnabled": True, "statusTemplateMessage": FORBIDDEN}, "error"),
        ({"isConnected": False, "isEnabled": True, "statusTemplateMessage": "X_STATUS_CONNECTING"}, "unknown"),
        # The portal has changed.
        ({"isConnected": "false", "isEnabled": True}, "unknown"),
        ({"isConnected": False, "isEnabled": "no"}, "unknown"),
        ({"isConnected": {"value": False}}, "unknown"),
    ],
)
def test_a_connectors_health_follows_from_its_record(api: dict[str, Any], status: str) -> None:
    assert status_of(api)[0] == status


def test_instance_numbers_become_the_ids_of_other_routes() -> None:
    assert [instance_id(number, 14509) for number in range(4)] == [14509, 1063085, 2111661, 3160237]


@pytest.mark.parametrize(
    "url",
    ["https://Acme-Dev.service-now.com/", "HTTPS://acme-dev.SERVICE-NOW.com", "https://acme-dev.service-now.com:443"],
)
def test_case_slash_and_port_make_no_other_address(url: str) -> None:
    assert normalize_address(url) == "https://acme-dev.service-now.com"


CONNECTED_AT = "2026-09-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("lifespan", "expires_at", "end"),
    [
        (None, None, "2026-11-30T00:00:00+00:00"),
        (0, "", "2026-11-30T00:00:00+00:00"),
        (30 * 86400, None, "2026-10-01T00:00:00+00:00"),
        (315360000, None, "2026-11-30T00:00:00+00:00"),
        # The latest expiry on the instance bounds the end; that of a token which was issued later does not extend it.
        (7776000, "2026-09-11T00:00:00Z", "2026-09-11T00:00:00+00:00"),
        (7776000, "2027-02-01T00:00:00Z", "2026-11-30T00:00:00+00:00"),
        (7776000, "soon", "2026-11-30T00:00:00+00:00"),
    ],
)
def test_a_refresh_token_is_valid_for_the_lifespan_of_its_application(
    lifespan: int | None, expires_at: str | None, end: str
) -> None:
    assert token_end(CONNECTED_AT, lifespan, expires_at) == end
    assert token_end("", lifespan, expires_at) == ""


def test_an_expired_token_is_an_error_without_negative_days() -> None:
    end = token_end("2020-01-01T00:00:00+00:00")
    (problem,) = token_problems("acme", "2020-01-01T00:00:00+00:00", end)
    assert (problem.severity, problem.id) == ("error", "connector_token:acme")
    assert "its refresh token ended " in problem.message
    assert f" days ago ({end})" in problem.message
    assert "-" not in problem.message.replace(end, "")
    assert not list(token_problems("acme", "", ""))


def test_a_connected_instance_is_in_sync(server: Loopback, task: Task) -> None:
    Portal(server, record())
    result = task()
    assert (result["changed"], result["drift"], result["manual_steps"]) == (False, [], [])
    assert result["results"][0]["status"] == "connected"
    assert server.lines == [f"POST {LIST}"]
    assert result["msg"].endswith(": connector acme-dev in sync")


def test_one_list_call_serves_any_number_of_instances(server: Loopback, task: Task) -> None:
    names = [f"acme-{number:03d}" for number in range(200)]
    Portal(server, *(record(name, number) for number, name in enumerate(names)))
    result = task(*({"name": name, "instance_url": f"https://{name}.service-now.com"} for name in names))
    assert {row["status"] for row in result["results"]} == {"connected"}
    assert len(server.received) == 1


def test_the_expiry_of_a_token_is_reported_from_day_75(server: Loopback, task: Task) -> None:
    Portal(server, record(lastConnected=NOW_MS - 74 * DAY_MS), record("old", 2, lastConnected=NOW_MS - 76 * DAY_MS))
    result = task({}, {"name": "old", "instance_url": "https://old.service-now.com"})
    assert [problem["id"] for problem in result["problems"]] == ["connector_token:old"]
    assert [row["days_left"] for row in result["results"]] == [15, 13]


def test_the_lifespan_of_the_application_ends_a_token_early(server: Loopback, task: Task) -> None:
    Portal(server, record(lastConnected=NOW_MS - 31 * DAY_MS))
    result = task({"refresh_token_lifespan": 30 * 86400})
    (problem,) = result["problems"]
    assert problem["severity"] == "error"
    assert "ended 1 day ago (" in problem["message"]
    row = result["results"][0]
    assert (row["days_left"], row["ended_days_ago"]) == (0, 1)


def test_a_connector_in_error_comes_with_the_message_and_the_fix(server: Loopback, task: Task) -> None:
    Portal(server, record(isConnected=False, statusTemplateMessage=FORBIDDEN))
    result = task()
    (problem,) = result["problems"]
    assert FORBIDDEN in problem["message"]
    assert "13 read rules" in problem["remedy"]
    assert result["manual_steps"][0]["where"].endswith("Edit settings")


# -- manual steps ----------------------------------------------------------------------------------------------------


def test_what_is_missing_comes_with_labels_and_values_but_no_secret(server: Loopback, task: Task) -> None:
    Portal(server)
    result = task()
    (step,) = result["manual_steps"]
    assert step["values"] == {
        "Connection name": "acme-dev",
        "Mode": "Connect using OAuth token (recommended)",
        "ServiceNow user ID": "svc",
        "Instance URL": "https://acme-dev.service-now.com",
        "Client ID": "c1ient",
    }
    assert step["secret_values"] == ["Password", "Client secret"]
    assert "Pass-word-1" not in str(result)
    assert "c1ient-Secret" not in str(result)
    assert result["changed"] is False
    assert result["drift"][0]["before"] == "absent"
    assert result["msg"].endswith(": absent: connector acme-dev; 1 manual step")


def test_waiting_ends_when_an_operator_has_done_it(server: Loopback, task: Task, clock: Any) -> None:
    portal = Portal(server)
    looks = iter(range(10))
    plain = portal._answer

    def later(request: Received) -> Reply:
        if next(looks) == 3:
            portal.records.append(record())
        return plain(request)

    server.answers_by(later)
    result = task(wait=True, poll_interval=10)
    assert (result["results"][0]["status"], result["manual_steps"], result["changed"]) == ("connected", [], False)
    assert sum(clock.naps) == pytest.approx(20, abs=1)


def test_waiting_ends_with_what_is_left(server: Loopback, task: Task) -> None:
    Portal(server)
    with pytest.raises(EngineError, match="acme-dev is absent, not connected, after 60 s") as caught:
        task(wait=True, wait_timeout=60, poll_interval=20)
    assert caught.value.output["manual_steps"]


# -- bad descriptions -------------------------------------------------------------------------------------------------


def test_two_connectors_of_one_name_are_an_error_that_names_both(server: Loopback, task: Task) -> None:
    Portal(server, record(), record(number=2))
    with pytest.raises(InvalidInput, match=r"2 connectors named 'acme-dev' \(id-1, id-2\)"):
        task()


def test_a_connector_that_is_refused_does_not_stop_the_others(server: Loopback, task: Task) -> None:
    portal = Portal(server, record(), record(number=2))
    other = {"name": "other", "instance_url": "https://other.service-now.com"}
    with pytest.raises(EngineError, match=r"2 connectors named 'acme-dev' \(id-1, id-2\)") as caught:
        task({}, other, contract=portal.contract)
    refused, made = caught.value.output["results"]
    assert (refused["status"], made["status"]) == ("unknown", "connected")
    assert "rename or remove all but one" in refused["reason"]
    assert [(entry["object"], entry["field"]) for entry in caught.value.output["drift"]] == [
        ("connector other", "status")
    ]
    assert [row["instanceName"] for row in portal.records] == ["acme-dev", "acme-dev", "other"]


def test_a_connector_that_was_renamed_is_known_by_its_recorded_id(server: Loopback, task: Task) -> None:
    portal = Portal(server, record("Somebody's"))
    key = {"accepted_key": "k" * 40}
    made = task({"name": "new", "instance_url": "https://new.service-now.com", **key}, contract=portal.contract)
    accepted = made["results"][0]["accepted"]
    portal.records[-1] = record("Renamed", 2)
    entry = {"name": "new", "instance_url": "https://new.service-now.com", **key, "accepted": accepted}
    again = task(entry, contract=portal.contract)
    assert (again["changed"], again["drift"], again["unproven"]) == (False, [], [])
    assert [row["instanceName"] for row in portal.records] == ["Somebody's", "Renamed"], "no second one is made"
    other = {"name": "Renamed", "instance_url": "https://renamed.service-now.com"}
    taken = task(entry, other, contract=portal.contract, check_mode=True)
    assert [row["status"] for row in taken["results"]] == ["absent", "connected"], (
        "it is the connector of another entry"
    )


def test_one_instance_listed_twice_is_an_error(server: Loopback, task: Task) -> None:
    Portal(server)
    with pytest.raises(InvalidInput, match="'acme-dev' and 'again' have the same instance"):
        task({}, {"name": "again", "instance_url": "https://ACME-DEV.service-now.com/"})
    assert server.received == []


@pytest.mark.parametrize("url", ["acme-dev", "ftp://acme-dev.service-now.com", "https://", "https://[::"])
def test_an_invalid_address_is_reported(server: Loopback, task: Task, url: str) -> None:
    with pytest.raises(InvalidInput, match="must be an absolute URL"):
        task({"instance_url": url})


# -- by contract ------------------------------------------------------------------------------------------------------


def test_a_contract_connects_what_is_missing_and_a_second_run_changes_nothing(server: Loopback, task: Task) -> None:
    portal = Portal(server)
    result = task(contract=portal.contract)
    assert (result["changed"], result["results"][0]["status"], result["manual_steps"]) == (True, "connected", [])
    assert result["msg"].endswith(": created connector acme-dev")
    assert portal.records[0]["body"] == FULL
    again = task(contract=portal.contract)
    assert (again["changed"], again["drift"]) == (False, [])


def test_check_mode_predicts_and_sends_nothing(server: Loopback, task: Task) -> None:
    portal = Portal(server, record("gone", 1))
    gone = {"name": "gone", "instance_url": "https://gone.service-now.com", "state": "absent"}
    result = task({}, gone, contract=portal.contract, check_mode=True)
    assert result["changed"] is True
    assert result["diff"]["after"] == {"connectors": {"connector acme-dev": "connected", "connector gone": "absent"}}
    assert set(server.lines) == {f"POST {LIST}"}
    assert result["msg"].endswith(
        "0 of 2 objects in sync; would create connector acme-dev; would delete connector gone"
    )


def test_a_contract_removes(server: Loopback, task: Task) -> None:
    portal = Portal(server, record())
    result = task({"state": "absent"}, contract=portal.contract)
    assert (result["changed"], result["results"][0]["status"], portal.records) == (True, "absent", [])


def test_a_lost_answer_makes_no_second_connector(server: Loopback, task: Task) -> None:
    portal = Portal(server)
    portal.lost = True
    assert task(contract=portal.contract)["results"][0]["status"] == "connected"
    assert len(portal.records) == 1


def test_a_connector_that_stays_in_error_fails_with_the_fix(server: Loopback, task: Task) -> None:
    portal = Portal(server)
    portal.made = {"isConnected": False, "isEnabled": True, "statusTemplateMessage": FORBIDDEN}
    with pytest.raises(EngineError, match="stays in error: .*403 Forbidden.*13 read rules"):
        task(contract=portal.contract, wait=True, poll_interval=1)


def test_what_the_contract_does_not_do_is_a_manual_step(server: Loopback, task: Task) -> None:
    portal = Portal(server, record())
    result = task({"state": "disabled"}, contract=portal.contract)
    assert result["changed"] is False
    assert result["manual_steps"][0]["where"].endswith("Disable App connector")
    assert result["manual_steps"][0]["reason"] == (
        "Microsoft documents no API that writes app connectors, and contract 'c' has no operation disable: learn it again from a recording "
        "that disables the new connection"
    )


def test_a_contract_for_oauth_does_not_connect_with_a_password(server: Loopback, task: Task) -> None:
    portal = Portal(server)
    with pytest.raises(InvalidInput, match="was learned from a connection with OAuth"):
        task({"mode": "password"}, contract=portal.contract)
    assert portal.records == []


def test_all_values_are_there_before_the_first_connector_is_sent(server: Loopback, task: Task) -> None:
    portal = Portal(server)
    poor = {"name": "poor", "instance_url": "https://poor.service-now.com", "client_secret": None}
    with pytest.raises(InvalidInput, match="connector poor: contract 'c' requires client_secret to create it"):
        task({}, poor, contract=portal.contract)
    assert portal.records == []


# -- by evidence ------------------------------------------------------------------------------------------------------


@pytest.fixture
def silent_list(server: Loopback) -> Portal:
    """A tenant that does not show its connectors."""
    portal = Portal(server)
    portal.refused_list = answer({}, 403)
    return portal


def test_events_that_name_an_instance_prove_it_connected(silent_list: Portal, task: Task) -> None:
    silent_list.others["/api/v1/activities/"] = answer({"data": [{"instance": 1063085, "label": "acme-dev"}]})
    result = task({}, {"name": "quiet", "instance_url": "https://quiet.service-now.com"})
    assert [(row["status"], row["id"]) for row in result["results"]] == [("connected", "1063085"), ("unknown", "")]
    assert "the list of connectors is refused" in result["results"][0]["evidence"][0]
    (step,) = result["manual_steps"]
    assert (step["id"], step["title"]) == (
        "connector:look:quiet",
        "Look whether quiet is connected to Defender for Cloud Apps",
    )
    assert step["values"]["Instance URL"] == "https://quiet.service-now.com"
    ((found, reason),) = ((entry["object"], entry["reason"]) for entry in result["unproven"])
    assert found == "connector quiet"
    assert reason.startswith("the list of connectors is refused (POST /cas/api/v1/app_connectors/ -> 403")
    assert "Set mda_api_token to a token issued by a Security Administrator" in reason


KEY = "key-of-the-digests-0123456789"


def test_one_that_is_recorded_is_not_looked_for(silent_list: Portal, task: Task) -> None:
    asked = task({"accepted_key": KEY})
    handed = asked["results"][0]["accepted"]
    assert task({"accepted_key": KEY, "accepted": handed})["manual_steps"], "no one has looked yet"
    silent_list.refused_list = None
    silent_list.records = [record()]
    record_of = task({"accepted_key": KEY, "accepted": handed, "credentials_entered": True})["results"][0]["accepted"]
    silent_list.refused_list = answer({}, 403)
    known = task({"accepted_key": KEY, "accepted": record_of})
    assert (known["manual_steps"], known["drift"]) == ([], [])
    assert [entry["object"] for entry in known["unproven"]] == ["connector acme-dev"]
    changed = task({"accepted_key": KEY, "accepted": record_of, "client_secret": "another-Secret"})
    assert [entry["field"] for entry in changed["drift"]] == ["client_secret"]
    assert [step["id"] for step in changed["manual_steps"]] == ["connector:look:acme-dev"]


@pytest.mark.parametrize("with_contract", [False, True])
def test_a_revoked_token_leaves_the_connectors_unproven(
    silent_list: Portal, task: Task, server: Loopback, with_contract: bool
) -> None:
    def revoked(request: Received) -> Reply:
        if request.headers["authorization"].startswith("Token"):
            return answer({"detail": "Invalid token"}, 401)
        return silent_list._answer(request)

    server.answers_by(revoked)
    contract = {"contract": silent_list.contract} if with_contract else {}
    result = task({}, azure_access_token="b3arer-text", wait=True, **contract)
    assert (result["changed"], result["manual_steps"], result["drift"]) == (False, [], [])
    ((found, reason),) = ((entry["object"], entry["reason"]) for entry in result["unproven"])
    assert found == "connector acme-dev"
    assert "refused mda_api_token (POST /cas/api/v1/app_connectors/ -> 401 Invalid token)" in reason
    assert "Issue one under Settings > Cloud Apps > System > API tokens" in reason
    assert "POST /make" not in server.lines


# -- a portal that has changed ----------------------------------------------------------------------------------------


def renamed(key: str, *, of_api: bool = False) -> dict[str, Any]:
    """Return a listed connector whose `key` has another name."""
    row = record()
    part = row["api"] if of_api else row
    part[f"{key}Value"] = part.pop(key)
    return row


@pytest.mark.parametrize("key", ["appId", "_id", "instanceName", "api"])
def test_a_list_with_entries_that_are_not_recognized_connects_nothing(server: Loopback, task: Task, key: str) -> None:
    portal = Portal(server, renamed(key))
    for state in ("present", "absent"):
        result = task({"state": state}, contract=portal.contract, wait=True)
        assert (result["changed"], result["drift"]) == (False, []), state
        ((found, reason),) = ((entry["object"], entry["reason"]) for entry in result["unproven"])
        assert found == "connector acme-dev"
        assert f"has entries that cannot be recognized (entry 1 has no {key})" in reason
        assert result["manual_steps"] == []
    assert len(portal.records) == 1


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("appId", "Okta", "has no number as appId"),
        ("appId", "²", "has no number as appId"),
        ("api", "on", "has no object as api"),
    ],
)
def test_an_entry_of_another_form_is_no_connector_of_the_app(
    server: Loopback, task: Task, key: str, value: str, words: str
) -> None:
    portal = Portal(server, {**record(), key: value})
    result = task({}, contract=portal.contract)
    assert (result["changed"], result["drift"]) == (False, [])
    assert words in result["unproven"][0]["reason"]


def test_others_are_compared_where_one_entry_is_not_recognized(server: Loopback, task: Task) -> None:
    Portal(server, record(), {**record("acme-test", 2), "_id": None}, {**record("x", 3), "appId": 11161, "_id": None})
    result = task({}, {"name": "acme-test", "instance_url": "https://acme-test.service-now.com"})
    assert [row["status"] for row in result["results"]] == ["connected", "unknown"]


def test_an_app_without_a_connector_has_no_part_api(server: Loopback, task: Task) -> None:
    other = {key: value for key, value in record().items() if key != "api"}
    Portal(server, other, {**record("mail", 2), "appId": 11161})
    assert task()["results"][0]["status"] == "absent"


@pytest.mark.parametrize("key", ["isConnected", "isEnabled"])
def test_a_status_that_the_list_does_not_show_is_unproven(server: Loopback, task: Task, key: str) -> None:
    row = renamed(key, of_api=True)
    if key == "isEnabled":
        row["api"]["isConnected"] = False
    portal = Portal(server, row)
    for state in ("present", "disabled"):
        result = task({"state": state, "accepted_key": KEY}, contract=portal.contract)
        assert (result["changed"], result["manual_steps"]) == (False, []), state
        assert "does not say isConnected or isEnabled with true or false" in result["unproven"][0]["reason"]


def test_the_info_module_says_that_entries_are_not_recognized(server: Loopback) -> None:
    Portal(server, record("acme-test"), renamed("_id"))
    given = {"mda_url": server.url, "mda_api_token": "legacy-t0ken-text", "retries": 0}
    params = ArgumentSpecValidator(mda_connector_info.SPEC.argument_spec).validate(given).validated_parameters
    result = mda_connector_info.run(params, TaskContext()).as_dict(with_diff=False)
    assert [row["name"] for row in result["connectors"]] == ["acme-test"]
    assert "entry 2 has no _id" in result["evidence"][0]


def test_no_evidence_is_no_proof(silent_list: Portal, task: Task) -> None:
    result = task()
    assert (result["results"][0]["status"], result["drift"]) == ("unknown", [])


def test_evidence_alone_never_writes(silent_list: Portal, task: Task, server: Loopback) -> None:
    task(contract=silent_list.contract)
    assert "POST /make" not in server.lines


def test_when_everything_is_refused_the_connectors_are_unproven(silent_list: Portal, task: Task) -> None:
    silent_list.others = dict.fromkeys(("/api/v1/activities/", "/api/v1/entities/"), answer({}, 403))
    result = task()
    assert (result["results"][0]["status"], result["drift"], result["manual_steps"]) == ("unknown", [], [])
    ((found, reason),) = ((entry["object"], entry["reason"]) for entry in result["unproven"])
    assert found == result["results"][0]["object"]
    assert "the status of the connectors cannot be read" in reason


def test_the_info_module_shows_evidence_by_instance(silent_list: Portal, server: Loopback) -> None:
    silent_list.others["/api/v1/entities/"] = answer({"data": [{"appInstance": 0}, {"appInstance": 0}]})
    given = {"mda_url": server.url, "mda_api_token": "legacy-t0ken-text", "retries": 0}
    params = ArgumentSpecValidator(mda_connector_info.SPEC.argument_spec).validate(given).validated_parameters
    result = mda_connector_info.run(params, TaskContext()).as_dict(with_diff=False)
    assert [(row["id"], row["accounts"]) for row in result["connectors"]] == [("14509", 2)]
    assert len(result["evidence"]) == 4
    assert result["msg"].endswith(": 1 connector (1 connected) (from evidence, since the list is refused)")


def test_a_contract_can_list_page_by_page(server: Loopback, task: Task) -> None:
    portal = Portal(server)
    pages = [[record()], [record("acme-test", 2)]]
    plain = portal._answer

    def listing(request: Received) -> Reply:
        if request.path != "/list":
            return plain(request)
        skip = request.json["skip"]
        return answer({"rows": {"data": pages[skip]}, "more": skip == 0})

    server.answers_by(listing)
    step = {
        "method": "POST",
        "url": f"{server.url}/list",
        "headers": {"cookie": "${portal_cookie}"},
        "body": {"skip": "${skip}"},
        "expect": {"fields": {"connectors": "rows", "has_next": "more"}},
    }
    contract = portal.contract
    contract["operations"]["list"] = step
    second = {"name": "acme-test", "instance_url": "https://acme-test.service-now.com"}
    result = task({}, second, contract=contract, mda_portal_cookie="c00kie-text", check_mode=True)
    assert [row["status"] for row in result["results"]] == ["connected", "connected"]
    assert server.lines == ["POST /list", "POST /list"]


def test_without_a_portal_session_the_known_route_lists(server: Loopback, task: Task) -> None:
    portal = Portal(server, record())
    contract = portal.contract
    contract["operations"]["list"] = {
        "method": "POST",
        "url": f"{server.url}/list",
        "headers": {"cookie": "${portal_cookie}"},
        "expect": {"fields": {"connectors": "data"}},
    }
    assert task(contract=contract)["results"][0]["status"] == "connected"
    assert server.lines == [f"POST {LIST}"]
