# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that Microsoft never returns: what changes anywhere reaches every service, and what is not known is unproven."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks, Run
from tests.integration.secret_backend import plain_file
from tests.integration.tenant import HOST
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(3)

USER, APPLICATION = "svc_defender_cloud", "Microsoft Defender for Cloud"
SECRET = {"snow_connection_client_secret": "rotated-client-secret-0000000001"}
COMPARE = "Compare the integrations"
NEW_ID = "00000000-0000-0000-0000-0000000000cc"


@pytest.fixture
def connected(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> Defender:
    """A tenant whose integration has accepted the credentials of an instance."""
    return Defender(playbook, sandbox, instance).onboarded()


def record(tenant: Defender) -> Path:
    return tenant.playbook.folder / "secrets" / tenant.instances[0].name / "mdc_accepted"


def holds(tenant: Defender, name: str, value: str) -> bool:
    """Return whether the integration holds a credential; the simulator shows digests of these only."""
    (row,) = tenant.rows("integrations")
    return bool(row["sha256"][name] == hashlib.sha256(value.encode()).hexdigest())


def unproven_of(run: Run) -> list[tuple[str, str, str]]:
    return [
        (entry["object"], entry["field"], entry["reason"])
        for result in run[COMPARE]["results"]
        for entry in result.get("unproven") or []
    ]


def in_sync(tenant: Defender, **options: Any) -> bool:
    return tenant("drift", **options).went_well().summary.splitlines()[0] == "1 instance: 1 in sync; tenant: in sync"


@pytest.mark.always
def test_a_rotated_secret_reaches_the_integration_in_the_same_run(connected: Defender) -> None:
    name = connected.instances[0].name
    found = connected("drift", variables=SECRET)
    assert f"refresh tokens of integrations: end in 3649 days ({name})" in found.summary
    assert found.status == 2
    expected = [(f"oauth_application {APPLICATION}", "client_secret"), (f"integration {name}", "client_secret")]
    assert drift_of(found) == expected
    run = connected("onboard", variables=SECRET).went_well()
    assert drift_of(run) == expected
    assert holds(connected, "clientSecret", SECRET["snow_connection_client_secret"])
    assert SECRET["snow_connection_client_secret"] not in run.output + record(connected).read_text()
    assert in_sync(connected, variables=SECRET)


def test_a_run_that_ended_between_the_two_is_found_by_drift(connected: Defender) -> None:
    name = connected.instances[0].name
    connected("onboard", "--limit", name, variables=SECRET).went_well()
    assert not holds(connected, "clientSecret", SECRET["snow_connection_client_secret"])
    found = connected("drift", variables=SECRET)
    assert found.status == 2
    assert drift_of(found) == [(f"integration {name}", "client_secret")]
    verified = connected("verify", variables=SECRET)
    assert verified.status == 2
    assert f"integrations with other credentials than their instances: {name} (client_secret)" in verified.summary
    connected("onboard", variables=SECRET).went_well()
    connected("verify", variables=SECRET).went_well()
    assert in_sync(connected, variables=SECRET)


def test_an_application_gets_the_client_id_that_the_integration_has(connected: Defender) -> None:
    (instance,) = connected.instances
    own = instance.row("oauth_entity", name=APPLICATION)["client_id"]
    instance.change("oauth_entity", {"name": APPLICATION}, client_id="0123456789abcdef0123456789abcdef")
    found = connected("drift")
    assert found.status == 2
    assert (f"oauth_application {APPLICATION}", "client_id") in drift_of(found)
    assert "cloned from" not in found.summary, "no other instance has it"
    connected("onboard").went_well()
    assert instance.row("oauth_entity", name=APPLICATION)["client_id"] == own
    assert holds(connected, "clientId", own)
    assert in_sync(connected)


def test_a_new_application_keeps_the_client_id_that_the_instance_gave_it(connected: Defender) -> None:
    (instance,) = connected.instances
    own = instance.row("oauth_entity", name=APPLICATION)["client_id"]
    instance.remove("oauth_entity", name=APPLICATION)
    connected("onboard").went_well()
    new = instance.row("oauth_entity", name=APPLICATION)["client_id"]
    assert new != own
    assert holds(connected, "clientId", new)
    assert in_sync(connected)


def test_an_account_that_was_deleted_and_made_again_is_written_to_the_integration(connected: Defender) -> None:
    """Its tokens ended with it, which neither its name nor its password shows."""
    (instance,) = connected.instances
    instance.remove("sys_user", user_name=USER)
    found = connected("drift")
    assert found.status == 2
    ((label, field, reason),) = unproven_of(found)
    assert (label, field) == (f"integration {instance.name}", "credentials")
    assert reason.startswith(f"its account {USER} did not exist any more")
    connected.forget_requests()
    connected("onboard").went_well()
    assert sum(connected.writes().values()) == 1
    connected.forget_requests()
    connected("onboard").went_well()
    assert not connected.written()
    assert in_sync(connected)


def test_an_integration_that_was_made_again_manually_is_unproven_and_written_once(
    connected: Defender, sandbox: SandboxProcess
) -> None:
    (row,) = connected.rows("integrations")
    assert json.loads(record(connected).read_text())["id"] == row["name"]
    sandbox.tamper_tenant("integrations", {"name": NEW_ID}, match={"name": row["name"]})
    found = connected("drift")
    assert found.status == 2
    ((_label, _field, reason),) = unproven_of(found)
    assert reason == f"it was made again since they were accepted: its id is {NEW_ID}, not {row['name']}"
    connected.forget_requests()
    connected("onboard").went_well()
    assert sum(connected.writes().values()) == 1
    assert json.loads(record(connected).read_text())["id"] == NEW_ID
    assert in_sync(connected)


def test_a_client_id_that_a_run_does_not_read_is_unproven(connected: Defender) -> None:
    (instance,) = connected.instances
    instance.change("oauth_entity", {"name": APPLICATION}, client_id="0123456789abcdef0123456789abcdef")
    found = connected("drift", "--tags", "mdc")
    assert found.status == 2
    assert unproven_of(found) == [(f"integration {instance.name}", "credentials", "client_id is not known here")]
    connected.forget_requests()
    run = connected("onboard", "--tags", "mdc").went_well()
    assert not connected.written()
    assert run.summary.splitlines()[0].endswith("tenant: unproven")


def test_another_address_is_seen_and_written(connected: Defender, sandbox: SandboxProcess) -> None:
    (instance,) = connected.instances
    moved = {"snow_url": instance.access.url.replace("127.0.0.1", "localhost")}
    assert moved["snow_url"] != instance.access.url
    found = connected("drift", variables=moved)
    assert (f"integration {instance.name}", "instance_url") in drift_of(found)
    connected("onboard", variables=moved).went_well()
    assert holds(connected, "instanceUrl", moved["snow_url"])
    assert in_sync(connected, variables=moved)


def test_without_a_record_it_is_unproven_and_written_once(connected: Defender) -> None:
    name = connected.instances[0].name
    record(connected).unlink()
    found = connected("drift")
    assert found.status == 2
    assert not drift_of(found)
    assert unproven_of(found) == [
        (f"integration {name}", "credentials", "which credentials it accepted is not recorded")
    ]
    assert found.summary.splitlines()[0].endswith("tenant: unproven")
    connected.forget_requests()
    connected("onboard").went_well()
    assert sum(connected.written().values()) == 1
    connected.forget_requests()
    connected("onboard").went_well()
    assert not connected.written()
    assert in_sync(connected)


def test_a_record_that_does_not_fit_is_named_and_nothing_is_written(connected: Defender) -> None:
    path = record(connected)
    text = path.read_text()
    cases = {
        "belongs to integration acme-other": json.dumps({**json.loads(text), "object": "integration acme-other"}),
        "is damaged: it is not JSON": text[:40],
    }
    connected.forget_requests()
    for words, content in cases.items():
        path.write_text(content)
        for what in ("drift", "onboard"):
            run = connected(what)
            assert run.status == 2
            assert words in run.on(HOST, "Fail if the work on this host failed").message
    assert not connected.written()
    path.unlink()
    connected("onboard").went_well()
    assert in_sync(connected)
    path.with_name("accepted_key").write_text("x" * 40)
    assert "key of their digests was replaced" in unproven_of(connected("drift"))[0][2]
    connected("onboard").went_well()
    assert in_sync(connected)


def test_rotation_is_predicted_for_the_integration_too(connected: Defender) -> None:
    name = connected.instances[0].name
    for secret in ("mdc_password", "mdc_client_secret"):
        record(connected).with_name(secret).unlink()
    _predicted, real, _again = connected.predicted_and_done("onboard", variables={"servicenow_defender_rotate": True})
    new = [(f"integration {name}", "client_secret"), (f"integration {name}", "password")]
    assert sorted(entry for entry in drift_of(real) if entry[0] == new[0][0]) == new
    assert in_sync(connected)


def test_a_folder_that_cannot_be_written_stops_before_the_integration_is_written(connected: Defender) -> None:
    name = connected.instances[0].name
    lock = connected.playbook.folder / "secrets" / ".lock"
    lock.unlink()
    lock.mkdir()
    clean = connected("onboard").went_well()
    assert clean.recap[HOST]["failed"] == clean.recap[HOST]["changed"] == 0, "nothing is to be recorded"
    connected.forget_requests()
    run = connected("onboard", variables=SECRET)
    assert run.status == 2
    message = run.on(HOST, "Fail if the work on this host failed").message
    assert message.startswith(f"{name}: the lock of the secrets {lock} cannot be written: Is a directory. ")
    assert message.endswith("so nothing was written there. Make it writable, and run again")
    assert not connected.writes()
    lock.rmdir()
    connected("onboard", variables=SECRET).went_well()
    assert in_sync(connected, variables=SECRET)


def test_a_backend_that_cannot_be_written_stops_before_the_integration_is_written(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, variables=plain_file(playbook))
    tenant.onboarded()
    refuses = playbook.folder / "refuses.yml"
    refuses.write_text("- ansible.builtin.fail: {msg: the vault is read-only}\n")
    read_only = plain_file(playbook, write=str(refuses))
    tenant("onboard", variables=read_only).went_well()
    tenant.forget_requests()
    run = tenant("onboard", variables={**read_only, **SECRET})
    assert run.status == 2
    message = run.on(HOST, "Fail if the work on this host failed").message
    assert message.startswith("the backend of servicenow_defender_secrets cannot be written (the vault is read-only). ")
    assert not tenant.writes()


@pytest.fixture
def pair(playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance) -> Defender:
    """A tenant with two instances that are not connected."""
    return Defender(playbook, sandbox, new_instance(), new_instance())


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_each_record_is_stored_for_its_own_instance(pair: Defender, strategy: str) -> None:
    roles = [
        {"ansible.builtin.include_role": {"name": f"{COLLECTION}.{name}"}} for name in ("snow_connection", "mdc_itsm")
    ]
    hosts = {**{one.name: one.connection for one in pair.instances}, **pair.hosts()}
    options = {
        "variables": {**pair.variables, "snow_connection_service": "mdc"},
        "defender": [HOST],
        "play": {"hosts": "servicenow", "strategy": strategy},
    }
    pair.playbook(roles, hosts, **options).went_well()
    records = {path.parent.name: path for path in (pair.playbook.folder / "secrets").glob("*/mdc_accepted")}
    assert set(records) == {one.name for one in pair.instances}
    for name, path in records.items():
        assert json.loads(path.read_text())["object"] == f"integration {name}"
    assert pair("drift").went_well().summary.splitlines()[0] == "2 instances: 2 in sync; tenant: in sync"


def test_what_was_written_next_to_a_failure_is_recorded(pair: Defender) -> None:
    pair.onboarded()
    damaged = pair.playbook.folder / "secrets" / pair.instances[1].name / "mdc_accepted"
    damaged.write_text("damaged\n")
    run = pair("onboard", variables=SECRET)
    assert run.status == 2
    assert f"integration {pair.instances[1].name}: the stored record of accepted credentials is damaged" in run.summary
    assert sum(pair.writes().values()) > 0
    pair.forget_requests()
    assert pair("onboard", variables=SECRET).status == 2
    assert not pair.written()
