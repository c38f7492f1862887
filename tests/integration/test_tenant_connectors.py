# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors: manual steps, or connected by a contract that was made of one recorded manual connection."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from tests.integration.conftest import Learned, NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import COLLECTION, ORDINARY, SHELLS, Playbooks, Task, task
from tests.integration.tenant import HOST, SimulatedTenant, learn, loaded, tenant_run, writes_of
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import MANAGEMENT, WIZARD

pytestmark = pytest.mark.walk(6)

IGNORED = {"ignore_errors": True}
CLIENT = {"client_id": "connector-client", "client_secret": "connector-secret-1"}
WAITING = {"wait": True, "wait_timeout": 20, "poll_interval": 0.3}


@pytest.fixture
def ready(new_instance: NewInstance) -> Instance:
    """An instance with an OAuth application that a connector can sign in with."""
    instance = new_instance()
    instance.add("oauth_entity", name="Connector", **CLIENT)
    return instance


def desired(instance: Instance, **changes: Any) -> dict[str, Any]:
    account = {"username": instance.access.username, "password": instance.access.password}
    return {"name": instance.name, "instance_url": instance.access.url, **account, **CLIENT, **changes}


def connect(name: str, *connectors: dict[str, Any], **options: Any) -> Task:
    return task("mda_connectors", name, connectors=list(connectors), **options)


@pytest.fixture
def contract(learned: Learned) -> str:
    """The file of a contract that was learned from the kept capture."""
    return str(learned(WIZARD))


def ids_of(tenant: SimulatedTenant, name: str) -> set[str]:
    return {row["id"] for row in tenant.rows("connectors", name=name)}


@pytest.mark.parametrize("shell", SHELLS)
def test_without_a_contract_the_connection_is_a_manual_step(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    steps = [connect("connect", desired(ready)), connect("absent", {"name": "acme-gone", "state": "absent"})]
    run = tenant_run(playbook, steps, tenant.hosts(), shell=shell).went_well()
    done = run["connect"]
    (step,) = done["manual_steps"]
    assert step["id"] == f"connector:create:{ready.name}"
    assert step["where"].endswith("App connectors > Connect an app > ServiceNow")
    assert step["values"] == {
        "Connection name": ready.name,
        "Mode": "Connect using OAuth token (recommended)",
        "ServiceNow user ID": ready.access.username,
        "Instance URL": ready.access.url,
        "Client ID": CLIENT["client_id"],
    }
    assert step["secret_values"] == ["Password", "Client secret"]
    assert done["drift"] == [
        {"object": f"connector {ready.name}", "field": "status", "before": "absent", "after": "connected"}
    ]
    assert not done.changed
    assert not run["absent"]["manual_steps"]
    assert not tenant.writes()
    assert CLIENT["client_secret"] not in run.output


@pytest.mark.parametrize("shell", SHELLS)
def test_a_recorded_contract_connects(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: str, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    step = connect("connect", desired(ready), contract=loaded(contract), **WAITING)
    run = tenant_run(playbook, predicted_and_done(step), tenant.with_session(), shell=shell).went_well()
    predicted, real, again = (run[f"connect: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False)
    assert predicted["drift"] == real["drift"]
    assert predicted["api_calls"]["write"] == again["api_calls"]["write"] == 0
    assert not writes_of(predicted)
    assert not writes_of(again)
    assert sum(tenant.writes().values()) == real["api_calls"]["write"] == 2, "a submission and its confirmation"
    assert real["results"][0]["status"] == again["results"][0]["status"] == "connected"
    assert again["results"][0]["days_left"] == 89
    assert not real["manual_steps"]
    (connector,) = tenant.rows("connectors", name=ready.name)
    assert (connector["state"], connector["mode"]) == ("connected", "oauth")
    assert (connector["instance_url"], connector["client_id"]) == (ready.access.url, CLIENT["client_id"])


@pytest.mark.parametrize("shell", SHELLS)
def test_a_connector_in_error_is_repaired_where_editing_was_recorded(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    learned, path = learn(playbook, sandbox.base_url, MANAGEMENT)
    learned.went_well()
    step = connect("connect", desired(ready), contract=loaded(path), **WAITING)
    tenant_run(playbook, [step], tenant.with_session()).went_well()
    tenant.sandbox.tamper_tenant("connectors", {"state": "error", "message": "Service timeout"})
    run = tenant_run(playbook, predicted_and_done(step), tenant.with_session(), shell=shell).went_well()
    predicted, real, again = (run[f"connect: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False)
    assert not writes_of(predicted)
    assert sum(writes_of(real).values()) == 2, "the details and their confirmation"
    assert real["results"][0]["status"] == again["results"][0]["status"] == "connected"
    assert len(tenant.rows("connectors")) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_the_secure_score_switch_is_a_step_or_is_turned_by_contract(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    learned, path = learn(playbook, sandbox.base_url, MANAGEMENT)
    learned.went_well()
    label, contract = f"connector {ready.name}", loaded(path)
    off = connect("off", desired(ready, secure_score="disabled"), contract=contract, **WAITING)
    tenant_run(playbook, [off], tenant.with_session(), shell=shell).went_well()
    assert [row["posture"] for row in tenant.rows("connectors")] == [False], "turned with the new connector"
    by_hand = connect("by hand", desired(ready, secure_score="enabled"))
    on = connect("on", desired(ready, secure_score="enabled"), contract=contract)
    read = task("mda_connector_info")
    tasks = [by_hand, read, *predicted_and_done(on)]
    run = tenant_run(playbook, tasks, tenant.with_session(), shell=shell).went_well()
    (step,) = run["by hand"]["manual_steps"]
    assert step["id"] == f"connector:secure_score:{ready.name}"
    assert step["values"] == {"Turn on Secure Score recommendations": "on"}
    drift = [{"object": label, "field": "secure_score", "before": "disabled", "after": "enabled"}]
    assert run["by hand"]["drift"] == run["on: check"]["drift"] == run["on: real"]["drift"] == drift
    assert run["mda_connector_info"]["connectors"][0]["secure_score"] == "disabled"
    assert not writes_of(run["by hand"])
    assert not writes_of(run["on: check"])
    assert sum(writes_of(run["on: real"]).values()) == 1
    changed = [run[f"on: {time}"].changed for time in ("check", "real", "again")]
    assert (changed, run["on: again"]["drift"]) == ([True, True, False], [])
    assert tenant.rows("connectors")[0]["posture"] is True


def test_an_address_is_known_in_any_writing(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: str
) -> None:
    """Scheme and host in capitals and a trailing slash connect the same instance, and cannot name it twice."""
    tenant = SimulatedTenant(sandbox)
    odd = ready.access.url.replace("http://", "HTTP://") + "/"
    twins = [desired(ready), desired(ready, name="acme-twin", instance_url=odd)]
    steps = [
        connect("twice", *twins, contract=loaded(contract), more=IGNORED),
        connect("same name", desired(ready), desired(ready), contract=loaded(contract), more=IGNORED),
        connect("odd", desired(ready, instance_url=odd), contract=loaded(contract), **WAITING),
        connect("plain", desired(ready), contract=loaded(contract), **WAITING),
    ]
    run = tenant_run(playbook, steps, tenant.with_session())
    assert "have the same instance" in run["twice"].message
    assert f"connectors names {ready.name!r} twice" in run["same name"].message
    assert (run["odd"].changed, run["plain"].changed) == (True, False)
    assert run["odd"]["results"][0]["instance_url"] == ready.access.url
    assert [row["instance_url"] for row in tenant.rows("connectors")] == [ready.access.url]


def test_a_wrong_secret_ends_in_the_vendors_words(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    wrong = desired(ready, client_secret="{{ wrong_secret }}")
    steps = [
        connect("wrong", wrong, contract=loaded(contract), **WAITING, more=IGNORED),
        connect("look", desired(ready)),
        connect("right", desired(ready), contract=loaded(contract)),
    ]
    variables = {"wrong_secret": "wrong-secret-of-a-connector"}
    run = tenant_run(playbook, steps, tenant.with_session(), variables=variables)
    wrong_run = run["wrong"]
    assert wrong_run.failed
    words = tenant.rows("connectors")[0]["message"]
    assert f"connector {ready.name} stays in error: {words}" in wrong_run.message
    assert wrong_run["results"][0]["status"] == "error"
    (step,) = run["look"]["manual_steps"]
    assert step["id"] == f"connector:update:{ready.name}"
    assert "Edit settings" in step["where"]
    assert run["look"]["problems"][0]["id"] == f"connector_error:{ready.name}"
    assert variables["wrong_secret"] not in run.output
    # One connection does not show how details are entered again, so that is a manual step.
    assert [step["id"] for step in run["right"]["manual_steps"]] == [f"connector:update:{ready.name}"]
    assert not writes_of(run["right"])


def test_what_is_ambiguous_stops_before_anything_is_written(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    for number in (1, 2):
        tenant.connector("acme-twice", f"https://acme-{number}.service-now.com")
    twice = desired(ready, name="acme-twice")
    nothing = {"name": "acme-dev", "instance_url": ready.access.url}
    nowhere = desired(ready, instance_url="acme-dev")
    steps = [
        connect("two", twice, contract=loaded(contract), more=IGNORED),
        connect("incomplete", nothing, contract=loaded(contract), more=IGNORED),
        connect("no address", nowhere, contract=loaded(contract), more=IGNORED),
        connect("no session", desired(ready), contract=loaded(contract), mda_portal_cookie="", more=IGNORED),
        connect("other mode", desired(ready, mode="password"), contract=loaded(contract), more=IGNORED),
    ]
    run = tenant_run(playbook, steps, tenant.with_session())
    assert "the tenant has 2 connectors named 'acme-twice'" in run["two"].message
    assert "requires client_id, client_secret, password, username to create it" in run["incomplete"].message
    assert "instance_url must be an absolute URL" in run["no address"].message
    assert "requires mda_portal_cookie to create it" in run["no session"].message
    assert "was learned from a connection with OAuth" in run["other mode"].message
    assert not tenant.writes()


@pytest.mark.parametrize(
    ("knobs", "words", "sent"),
    [
        ({"portal_session": "expired"}, "the portal session has ended", 0),
        ({"portal_routes": "refused"}, "The account has no role in Defender for Cloud Apps", 0),
        ({"wizard_answer": "field renamed"}, "the response lacks", 1),
        ({"wizard_answer": "other status"}, "but the contract declares status 200", 1),
    ],
)
def test_a_portal_that_refuses_or_has_changed_ends_the_task(
    playbook: Playbooks,
    sandbox: SandboxProcess,
    ready: Instance,
    contract: str,
    knobs: dict[str, str],
    words: str,
    sent: int,
) -> None:
    tenant = SimulatedTenant(sandbox)
    hosts = tenant.with_session()
    sandbox.turn_tenant(**knobs)
    run = tenant_run(playbook, [connect("connect", desired(ready), contract=loaded(contract))], hosts)
    assert run["connect"].failed
    assert words in run["connect"].message
    assert sum(tenant.writes().values()) == sent, "nothing more is sent"
    assert all(value not in run.output for value in sandbox.portal_session().values())


@pytest.mark.always
def test_the_roles_connect_and_verify_a_fleet(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, contract: str
) -> None:
    """All instances of a play are one task of the tenant."""
    tenant = SimulatedTenant(sandbox)
    fleet = [new_instance() for _ in range(2)]
    for instance in fleet:
        instance.add("oauth_entity", name="Connector", **CLIENT)
    hosts = {**{instance.name: instance.connection for instance in fleet}, **tenant.with_session()}
    variables = {
        "mda_connection_tenant": HOST,
        "mda_connection_username": "{{ snow_username }}",
        "mda_connection_password": "{{ snow_password }}",
        "mda_connection_client_id": CLIENT["client_id"],
        "mda_connection_client_secret": CLIENT["client_secret"],
        "mda_connection_contract": contract,
        "mda_connection_poll_interval": 0.3,
        "mda_connection_wait_timeout": 20,
    }
    tasks = [
        {
            "name": entry_point,
            "ansible.builtin.include_role": {"name": f"{COLLECTION}.mda_connection", "tasks_from": entry_point},
        }
        for entry_point in ("main", "verify")
    ]
    more = {"hosts": f"servicenow:!{HOST}"}
    runs = [playbook(tasks, hosts, play=more, variables=variables, shell=ORDINARY).went_well() for _ in range(2)]
    assert [sum(counts["changed"] for counts in run.recap.values()) for run in runs] == [1, 0]
    assert {row["name"] for row in tenant.rows("connectors", state="connected")} == {i.name for i in fleet}
    assert sum(tenant.writes().values()) == 4
    lock = playbook.folder / "secrets" / ".lock"
    lock.unlink()
    lock.mkdir()
    changed = {**variables, "mda_connection_client_secret": "connector-secret-2"}
    refused = playbook(tasks[:1], hosts, play=more, variables=changed).failures[0]
    assert f"{lock} cannot be written: Is a directory. Which credentials" in refused.message
    assert sum(tenant.writes().values()) == 4
    lock.rmdir()
    tenant.sandbox.sync_tenant()
    seen = playbook(tasks[1:], hosts, play=more, variables={**variables, "mda_connection_require_events": True})
    for instance in fleet:
        said = seen.went_well().on(instance.name, "Fail if a connector is not connected")
        events = len(tenant.rows("activities", instanceName=instance.name))
        accounts = len([row for row in tenant.rows("entities") if row["connectorId"] in ids_of(tenant, instance.name)])
        assert f"{accounts} accounts; {events} events in 1 day(s)" in said.message
        assert events > 0
    tenant.sandbox.tamper_tenant(
        "connectors", {"state": "error", "message": "Service timeout"}, match={"name": fleet[0].name}
    )
    verify = playbook(tasks[1:], hosts, play=more, variables=variables)
    said = verify.on(fleet[0].name, "Fail if a connector is not connected")
    assert said.failed
    assert "Service timeout" in said.message
    assert not verify.on(fleet[1].name, "Fail if a connector is not connected").failed


KEY = "a-key-for-digests-0000000000000000000000"


def recorded(instance: Instance, done: Any = None, **changes: Any) -> dict[str, Any]:
    """Return the desired connector with the record that a task returned."""
    (row,) = done["results"] if done else ({},)
    return desired(instance, **{"accepted": row.get("accepted", ""), "accepted_key": KEY, **changes})


def unproven(done: Any) -> list[tuple[str, str]]:
    return [(entry["object"], entry["field"]) for entry in done["unproven"]]


@pytest.mark.parametrize("shell", SHELLS)
def test_changed_credentials_are_written_where_editing_was_recorded(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    learned, path = learn(playbook, sandbox.base_url, MANAGEMENT)
    learned.went_well()
    options = {"contract": loaded(path), **WAITING}
    made = tenant_run(
        playbook, [connect("connect", recorded(ready), **options)], tenant.with_session(), shell=shell
    ).went_well()
    ready.change("oauth_entity", {"name": "Connector"}, client_secret="connector-secret-2")
    step = connect("rotate", recorded(ready, made["connect"], client_secret="connector-secret-2"), **options)
    run = tenant_run(playbook, predicted_and_done(step), tenant.with_session(), shell=shell).went_well()
    check, real = run["rotate: check"], run["rotate: real"]
    assert check["drift"] == real["drift"]
    assert [entry["field"] for entry in real["drift"]] == ["client_secret"]
    assert not writes_of(check)
    assert sum(writes_of(real).values()) == 2
    assert "connector-secret-2" not in run.output
    again = connect("again", recorded(ready, real, client_secret="connector-secret-2"), **options)
    assert not tenant_run(playbook, [again], tenant.with_session(), shell=shell).went_well()["again"].changed
    # Without a record, it is written once.
    unknown = [
        {**connect("check", recorded(ready), **options), "check_mode": True},
        connect("once", recorded(ready), **options),
    ]
    ready.change("oauth_entity", {"name": "Connector"}, client_secret=CLIENT["client_secret"])
    run = tenant_run(playbook, unknown, tenant.with_session(), shell=shell).went_well()
    assert unproven(run["check"]) == [(f"connector {ready.name}", "credentials")]
    assert sum(writes_of(run["once"]).values()) == 2
    assert not run["once"]["unproven"]


def test_without_a_contract_changed_credentials_are_a_manual_step_until_they_were_entered(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance
) -> None:
    tenant = SimulatedTenant(sandbox)

    def done(name: str, *entries: dict[str, Any]) -> Any:
        return tenant_run(playbook, [connect(name, *entries)], tenant.hosts()).went_well()[name]

    asked = done("asked", recorded(ready))
    assert [step["id"] for step in asked["manual_steps"]] == [f"connector:create:{ready.name}"]
    assert done("asked again", recorded(ready, asked))["results"][0].get("accepted") is None, "it is known already"
    # The operator connects it; it did not exist when the step was returned.
    tenant.connector(ready.name, ready.access.url, **CLIENT)
    entered = done("entered", recorded(ready, asked))
    assert not entered["manual_steps"] + entered["unproven"] + entered["drift"]
    rotated = done("rotated", recorded(ready, entered, client_secret="connector-secret-2"))
    assert [entry["field"] for entry in rotated["drift"]] == ["client_secret"]
    assert [step["id"] for step in rotated["manual_steps"]] == [f"connector:update:{ready.name}"]
    waiting = done("waiting", recorded(ready, rotated, client_secret="connector-secret-2"))
    assert unproven(waiting) == [(f"connector {ready.name}", "credentials")]
    assert "nothing shows that they were" in waiting["unproven"][0]["reason"]
    assert waiting["manual_steps"] == rotated["manual_steps"], "it is open until the details were entered"
    said = {"client_secret": "connector-secret-2", "credentials_entered": True}
    confirmed = done("confirmed", recorded(ready, rotated, **said))
    assert not confirmed["unproven"]
    clean = done("clean", recorded(ready, confirmed, client_secret="connector-secret-2"))
    assert not clean["manual_steps"] + clean["unproven"] + clean["drift"]


def test_whether_the_details_were_entered_does_not_depend_on_the_clock_of_this_machine(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance
) -> None:
    tenant = SimulatedTenant(sandbox)
    future = 1000 * int(datetime(2090, 1, 1, tzinfo=timezone.utc).timestamp())

    def done(name: str, entry: dict[str, Any]) -> Any:
        return tenant_run(playbook, [connect(name, entry)], tenant.hosts()).went_well()[name]

    asked = done("asked", recorded(ready))
    tenant.connector(ready.name, ready.access.url, **CLIENT, last_connected=future)
    entered = done("entered", recorded(ready, asked))
    rotated = done("rotated", recorded(ready, entered, client_secret="connector-secret-2"))
    waiting = done("waiting", recorded(ready, rotated, client_secret="connector-secret-2"))
    assert unproven(waiting) == [(f"connector {ready.name}", "credentials")]
    tenant.sandbox.tamper_tenant("connectors", {"last_connected": future + 60_000}, match={"name": ready.name})
    clean = done("clean", recorded(ready, rotated, client_secret="connector-secret-2"))
    assert not clean["manual_steps"] + clean["unproven"] + clean["drift"]


def test_a_client_id_that_is_not_known_is_unproven_and_nothing_is_written(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance
) -> None:
    tenant = SimulatedTenant(sandbox)
    learned, path = learn(playbook, sandbox.base_url, MANAGEMENT)
    learned.went_well()
    options = {"contract": loaded(path), **WAITING}
    made = tenant_run(playbook, [connect("made", recorded(ready), **options)], tenant.with_session()).went_well()
    unknown = connect("unknown", recorded(ready, made["made"], client_id=""), **options)
    found = tenant_run(playbook, [unknown], tenant.with_session()).went_well()["unknown"]
    assert [entry["reason"] for entry in found["unproven"]] == ["client_id is not known here"]
    assert not writes_of(found)
    assert not found["manual_steps"] + found["drift"]


def test_a_connector_without_a_record_is_unproven(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance
) -> None:
    tenant = SimulatedTenant(sandbox)
    tenant.connector(ready.name, ready.access.url, **CLIENT)
    run = tenant_run(playbook, [connect("look", recorded(ready))], tenant.hosts()).went_well()
    assert unproven(run["look"]) == [(f"connector {ready.name}", "credentials")]
    assert not run["look"]["manual_steps"]
