# SPDX-License-Identifier: GPL-3.0-or-later
"""Data connectors of Exposure Management, connected by a contract that was learned from one recorded manual connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import Learned, NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import ORDINARY, SHELLS, Done, Playbooks, Run, Task, task
from tests.integration.tenant import SimulatedTenant, loaded, tenant_run, writes_of
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import DATA_CONNECTOR, DATA_CONNECTOR_BASIC

pytestmark = pytest.mark.walk(4)

CLIENT = {"client_id": "cmdb-client", "client_secret": "cmdb-secret-of-the-first-run"}
NEW_SECRET = "cmdb-secret-of-the-second-run"
KEY = "key-of-the-digests-0123456789"
SESSION = {name: f"{{{{ {name} | default(omit) }}}}" for name in ("mda_portal_cookie", "mda_portal_xsrf_token")}
IGNORED = {"ignore_errors": True}


@pytest.fixture
def ready(new_instance: NewInstance) -> Instance:
    """An instance with a device in its CMDB, and an application with the client credentials grant that reads it."""
    return prepared(new_instance())


def prepared(instance: Instance) -> Instance:
    user = instance.row("sys_user", user_name=instance.access.username)["sys_id"]
    instance.add("oauth_entity", name="Exposure", user=user, **CLIENT)
    instance.add("sys_properties", name="glide.oauth.inbound.client.credential.grant_type.enabled", value="true")
    instance.add("cmdb_ci", name="srv-1")
    return instance


def desired(instance: Instance, **changes: Any) -> dict[str, Any]:
    return {"name": instance.name, "instance_url": instance.access.url, **CLIENT, "accepted_key": KEY, **changes}


def connect(name: str, contract: Path | str, *connectors: dict[str, Any], **options: Any) -> Task:
    given = {"connectors": list(connectors), "contract": loaded(contract), **SESSION, **options}
    return {**task("msem_connectors", name, **given), "register": name}


def accepted(name: str, number: int = 0) -> str:
    """Return the record of a task before, as a later one gets it."""
    return f"{{{{ {name}.results[{number}].accepted }}}}"


@pytest.fixture
def contracts(learned: Learned) -> dict[str, Path]:
    """The contracts that were learned from the kept captures, by their names."""
    return {name: learned(name) for name in (DATA_CONNECTOR, DATA_CONNECTOR_BASIC)}


@pytest.fixture
def contract(contracts: dict[str, Path]) -> Path:
    return contracts[DATA_CONNECTOR]


@pytest.fixture
def unlisted(contract: Path, tmp_path: Path) -> Path:
    """The contract without the operation list."""
    document = yaml.safe_load(contract.read_text())
    del document["operations"]["list"]
    path = tmp_path / "unlisted.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def states(tenant: SimulatedTenant) -> list[str]:
    return [row["state"] for row in tenant.rows("data_connectors")]


@pytest.mark.always
@pytest.mark.parametrize("shell", SHELLS)
def test_a_contract_connects_repairs_and_removes(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: Path, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    entry = desired(ready)
    steps = [
        {**connect("predicted", contract, entry), "check_mode": True},
        connect("real", contract, entry),
        connect("again", contract, {**entry, "accepted": accepted("real")}),
    ]
    run = tenant_run(playbook, steps, tenant.with_session(), "-vvvv", shell=shell).went_well()
    predicted, real, again = run["predicted"], run["real"], run["again"]
    assert [each.changed for each in (predicted, real, again)] == [True, True, False]
    assert (
        predicted["drift"]
        == real["drift"]
        == [{"object": f"data_connector {ready.name}", "field": "state", "before": "absent", "after": "present"}]
    )
    assert not writes_of(predicted)
    assert not writes_of(again)
    assert sum(writes_of(real).values()) == 1
    assert not real["manual_steps"]
    assert "accepted" not in predicted["results"][0]
    assert (states(tenant), again["results"][0]["status"], again["assets"]) == (["Connected"], "ok", 1)
    for secret in (CLIENT["client_secret"], KEY):
        assert secret not in run.output

    changed = {**entry, "client_secret": NEW_SECRET}
    ready.change("oauth_entity", {"name": "Exposure"}, client_secret=NEW_SECRET)
    record = real["results"][0]["accepted"]
    gone = {**changed, "state": "absent"}
    steps = [
        {**connect("compared", contract, {**changed, "accepted": record}), "check_mode": True},
        connect("repaired", contract, {**changed, "accepted": record}),
        connect("settled", contract, {**changed, "accepted": accepted("repaired")}),
        {**connect("would_remove", contract, gone), "check_mode": True},
        connect("removed", contract, gone),
        connect("absent", contract, gone),
    ]
    run = tenant_run(playbook, steps, tenant.with_session(), shell=shell).went_well()
    assert [entry["field"] for entry in run["compared"]["drift"]] == ["client_secret"]
    flags = [run[name].changed for name in ("compared", "repaired", "settled", "would_remove", "removed", "absent")]
    assert flags == [True, True, False, True, True, False]
    assert tenant.rows("data_connectors") == []
    assert run["absent"]["results"][0]["status"] == "absent"
    assert NEW_SECRET not in run.output


def test_what_the_list_does_not_show_is_drift_and_what_it_shows_without_a_record_is_written(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: Path
) -> None:
    tenant = SimulatedTenant(sandbox)
    first = tenant_run(playbook, [connect("first", contract, desired(ready))], tenant.with_session()).went_well()
    record = first["first"]["results"][0]["accepted"]
    # A run that was killed before it stored the record.
    killed = tenant_run(playbook, [connect("next", contract, desired(ready))], tenant.with_session()).went_well()
    assert killed["next"].changed
    assert len(tenant.rows("data_connectors")) == 1
    sandbox.tamper_tenant("data_connectors", {}, delete=True)
    entry = desired(ready, accepted=record)
    steps = [{**connect("drift", contract, entry), "check_mode": True}, connect("repaired", contract, entry)]
    run = tenant_run(playbook, steps, tenant.with_session()).went_well()
    assert run["drift"]["drift"][0]["before"] == "absent"
    assert states(tenant) == ["Connected"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_refused_request_names_the_instance_and_the_others_continue(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, contract: Path, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    one, two = prepared(new_instance()), prepared(new_instance())
    # The portal takes the scheme for a part of the host name.
    document = yaml.safe_load(contract.read_text())
    document["operations"]["create"]["body"]["settings"]["instance"] = "${name}"
    path = playbook.folder / "odd.yml"
    path.write_text(yaml.safe_dump(document))
    entries = [desired(one, name="https://odd"), desired(two, name=two.access.url.partition("://")[2])]
    step = {**connect("connect", path, *entries), **IGNORED}
    done = tenant_run(playbook, [step], tenant.with_session(), shell=shell).went_well()["connect"]
    assert done.failed
    assert "could not create data_connector https://odd" in done["msg"]
    assert "without https://" in done["msg"]
    assert [row["status"] for row in done["results"]] == ["failed", "changed"]
    assert ["accepted" in row for row in done["results"]] == [False, True]
    assert len(tenant.rows("data_connectors")) == 1


def lose_answer(sandbox: SandboxProcess) -> None:
    """Let the portal carry out the next request that connects, without an answer."""
    fault = {"kind": "reset-after-commit", "path": "/portal/apiproxy/exposure/*", "method": "POST", "count": 1}
    sandbox.turn_tenant(faults=[fault])


def test_a_lost_answer_is_looked_up_in_the_list(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: Path
) -> None:
    tenant = SimulatedTenant(sandbox)
    lose_answer(sandbox)
    run = tenant_run(playbook, [connect("connect", contract, desired(ready))], tenant.with_session()).went_well()
    assert run["connect"].changed
    assert "accepted" in run["connect"]["results"][0]
    assert len(tenant.rows("data_connectors")) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_without_a_list_a_lost_answer_is_unproven_and_not_sent_again(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, unlisted: Path, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    lose_answer(sandbox)
    entry = desired(ready)
    steps = [
        connect("lost", unlisted, entry),
        connect("next", unlisted, {**entry, "accepted": accepted("lost")}),
        connect("settled", unlisted, {**entry, "accepted": accepted("lost"), "credentials_entered": True}),
    ]
    run = tenant_run(playbook, steps, tenant.with_session(), shell=shell).went_well()
    for name in ("lost", "next"):
        (step,) = run[name]["manual_steps"]
        assert step["title"].startswith("Look whether"), name
        assert not run[name].changed, name
        assert [entry["object"] for entry in run[name]["unproven"]] == [f"data_connector {ready.name}"]
    assert "nothing shows what became of it" in run["next"]["unproven"][0]["reason"]
    assert run["settled"]["results"][0]["status"] == "ok"
    assert len(tenant.rows("data_connectors")) == 1


def test_without_a_list_what_this_collection_connected_is_known_by_its_recorded_id(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, unlisted: Path
) -> None:
    tenant = SimulatedTenant(sandbox)
    entry = desired(ready)
    changed = {**entry, "client_secret": NEW_SECRET}
    steps = [
        connect("first", unlisted, entry),
        connect("again", unlisted, {**entry, "accepted": accepted("first")}),
        connect("changed", unlisted, {**changed, "accepted": accepted("first")}),
        connect("settled", unlisted, {**changed, "accepted": accepted("changed")}),
        connect("gone", unlisted, {**changed, "accepted": accepted("changed"), "state": "absent"}),
    ]
    run = tenant_run(playbook, steps, tenant.with_session()).went_well()
    flags = {name: run[name].changed for name in ("first", "again", "changed", "settled", "gone")}
    assert flags == {"first": True, "again": False, "changed": True, "settled": False, "gone": True}
    assert not any(run[name]["manual_steps"] for name in flags)
    assert tenant.rows("data_connectors") == []


def test_without_a_list_what_has_no_id_remains_a_manual_step(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, unlisted: Path
) -> None:
    tenant = SimulatedTenant(sandbox)
    entry = desired(ready, credentials_entered=True)
    changed = {**desired(ready, client_secret=NEW_SECRET), "accepted": accepted("entered")}
    steps = [
        connect("entered", unlisted, entry),
        connect("changed", unlisted, changed),
        connect("gone", unlisted, {**changed, "state": "absent"}),
    ]
    run = tenant_run(playbook, steps, tenant.with_session()).went_well()
    assert not any(run[name].changed for name in ("entered", "changed", "gone"))
    (step,) = run["changed"]["manual_steps"]
    assert step["id"] == f"data_connector:update:{ready.name}"
    assert "no operation list that shows the id" in step["reason"]
    assert "from a recording that ends when the portal lists the new connector" in step["reason"]
    (step,) = run["gone"]["manual_steps"]
    assert step["title"] == f"Disconnect {ready.name} from Exposure Management"


def failure(playbook: Playbooks, tenant: dict[str, Any], step: Task) -> Done:
    run: Run = tenant_run(playbook, [{**step, **IGNORED}], tenant)
    return run.went_well()[step["name"]]


def test_nothing_is_sent_without_session_key_or_the_right_mode(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contracts: dict[str, Path]
) -> None:
    tenant = SimulatedTenant(sandbox)
    contract = contracts[DATA_CONNECTOR]
    entry, signed = desired(ready), tenant.with_session()
    assert (
        "requires mda_portal_cookie" in failure(playbook, tenant.hosts(), connect("unsigned", contract, entry))["msg"]
    )
    keyless = {name: value for name, value in entry.items() if name != "accepted_key"}
    assert "requires accepted_key" in failure(playbook, signed, connect("keyless", contract, keyless))["msg"]
    account = {"mode": "basic", "username": ready.access.username, "password": ready.access.password}
    basic = {**keyless, "accepted_key": KEY, **account}
    refused = failure(playbook, signed, connect("basic", contract, basic))
    assert f"data_connector {ready.name}: contract 'acme-learned' requires client_id, client_secret" in refused["msg"]
    refused = failure(playbook, signed, connect("client", contracts[DATA_CONNECTOR_BASIC], entry))
    assert "requires password, username to create it. Nothing was sent" in refused["msg"]
    sandbox.turn_tenant(portal_session="expired")
    ended = failure(playbook, signed, connect("ended", contract, entry))
    assert ended["msg"].count("the portal session has ended") == 1
    sandbox.turn_tenant(portal_session="valid")
    assert not tenant.writes()
    connected = tenant_run(
        playbook, [connect("connected", contracts[DATA_CONNECTOR_BASIC], basic)], signed, shell=ORDINARY
    )
    assert connected.went_well()["connected"].changed
    assert states(tenant) == ["Connected"]


def test_wrong_credentials_deliver_nothing(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, contract: Path
) -> None:
    tenant = SimulatedTenant(sandbox)
    entry = desired(ready, client_secret="not-the-secret-of-the-application")
    steps = [
        connect("first", contract, entry),
        connect("again", contract, {**entry, "accepted": accepted("first")}),
    ]
    run = tenant_run(playbook, steps, tenant.with_session()).went_well()
    for name in ("first", "again"):
        assert "no asset of ServiceNow has arrived" in run[name]["unproven"][0]["reason"]
    assert tenant.rows("data_connectors")[0]["message"] == "401 Unauthorized"
