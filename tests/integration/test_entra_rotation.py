# SPDX-License-Identifier: GPL-3.0-or-later
"""The Entra application that Configuration Compliance signs in with: created, rotated and renewed by the playbooks."""

from __future__ import annotations

import stat
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.fork_server import end_tree
from tests.integration.instances import Instance
from tests.integration.playbooks import ROOT, SHELLS, Playbooks, Run
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(1)

SETUP = "sn_vul_msft_tvm_dfc_setup"
IN_USE, NEW = "configuration_compliance_secret", "configuration_compliance_secret_new"
AGAIN = {"rotate_max_age_days": 0}
Fleet = Callable[..., "Importing"]


class Importing(Defender):
    """A tenant and instances that import into Configuration Compliance, each signed in as an application of its own."""

    def stored(self, instance: Instance, name: str = IN_USE) -> Path:
        return self.playbook.folder / "secrets" / instance.name / name

    def pair(self, instance: Instance) -> tuple[str, str]:
        """Return the key id and the secret in use."""
        key_id, secret = self.stored(instance).read_text().strip().split(" ")
        return key_id, secret

    def application(self, instance: Instance) -> dict[str, Any]:
        (row,) = self.rows("applications", displayName=f"ServiceNow {instance.name}")
        return row

    def ends_in(self, instance: Instance, days: float) -> None:
        """Move the end of the secret."""
        row = self.application(instance)
        ends = (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        changed = [{**each, "endDateTime": ends} for each in row["passwordCredentials"]]
        self.sandbox.tamper_tenant("applications", {"passwordCredentials": changed}, match={"_id": row["_id"]})

    def works(self) -> None:
        """Fail unless each application has one secret, which is stored, and with which the jobs of the instance succeed."""
        for instance in self.instances:
            key_id, secret = self.pair(instance)
            assert self.application(instance)["_secrets"] == {key_id: secret}
            assert not self.stored(instance, NEW).exists()
            runs = self.sandbox.run_jobs(instance.name, "auto", counts={"unhealthy": 1})
            assert {run["substate"] for run in runs} == {"success"}, runs

    def run_rotate(self, *words: str, **variables: Any) -> Run:
        return self("rotate", *words, variables={**AGAIN, **variables})


@pytest.fixture
def fleet(playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance) -> Fleet:
    """A maker of onboarded fleets."""

    def make(count: int = 1, **variables: Any) -> Importing:
        given = {
            "mdc_configuration_compliance_application_name": "ServiceNow {{ inventory_hostname }}",
            "mdc_configuration_compliance_import_from": "subscriptions",
            "mdc_configuration_compliance_subscriptions": ["{{ hostvars.tenant.azure_subscription_id }}"],
            "mdc_configuration_compliance_fail_on": [],
            "snow_connection_legacy_admin": True,
            **variables,
        }
        knobs = given.pop("knobs", {})
        instances = [new_instance(configuration_compliance="tvm", **knobs) for _ in range(count)]
        tenant = Importing(
            playbook, sandbox, *instances, variables=given, subscriptions=1, findings=2, azure_role="Owner",
            directory_delay=0.05,
        )  # fmt: skip
        tenant.onboarded()
        return tenant

    return make


@pytest.mark.walk(1)
@pytest.mark.parametrize("shell", SHELLS)
def test_an_instance_gets_an_application_whose_secret_is_rotated(fleet: Fleet, shell: str) -> None:
    tenant = fleet(count=2)
    first = tenant.instances[0]
    tenant.works()
    assert stat.S_IMODE(tenant.stored(first).stat().st_mode) == 0o600
    assert first.row(SETUP)["app"] == tenant.application(first)["appId"]
    (assignment, _other) = tenant.rows("role_assignments")
    assert assignment["properties"]["scope"] == tenant.subscription
    tenant.forget_requests()
    again = tenant("onboard", "-vvv", shell=shell).went_well()
    assert not tenant.written(), again.output
    assert "the secret" not in tenant("rotate").went_well().summary, "one of today is not due"
    before = {instance.name: tenant.pair(instance) for instance in tenant.instances}
    predicted = tenant("rotate", "-vvv", variables=AGAIN, check=True, shell=shell).went_well()
    assert {instance.name: tenant.pair(instance) for instance in tenant.instances} == before
    tenant.forget_requests()
    rotated = tenant("rotate", "-vvv", variables=AGAIN, shell=shell).went_well()
    assert "entra_application ServiceNow" in predicted.summary
    assert "entra_application ServiceNow" in rotated.summary
    after = {instance.name: tenant.pair(instance) for instance in tenant.instances}
    for name, pair in after.items():
        assert not set(pair) & set(before[name])
    tenant.works()
    for _key_id, secret in (*before.values(), *after.values()):
        assert secret not in again.output + predicted.output + rotated.output


def test_days_left_are_shown_and_a_secret_is_renewed_before_its_end(fleet: Fleet) -> None:
    tenant = fleet()
    (instance,) = tenant.instances
    key_id, _secret = tenant.pair(instance)
    kept = {"rotate_max_age_days": 100}
    assert "ends in 179 days" in tenant("verify", variables={"verify_fail": False}).output
    tenant.ends_in(instance, 20.5)
    assert "secret of the Entra application" in tenant("drift").summary
    tenant("rotate", variables=kept).went_well()
    assert tenant.pair(instance)[0] == key_id
    tenant("rotate", variables={**kept, "rotate_renew_before_days": 21}).went_well()
    assert tenant.pair(instance)[0] != key_id
    tenant.works()
    tenant.ends_in(instance, -2)
    found = tenant("drift")
    assert found.status == 2
    (ended,) = [entry for done in found.done for entry in done.result.get("drift") or [] if entry["field"] == "secret"]
    assert ended["before"].startswith("ended on 20")
    assert "has no valid secret that is stored here" in tenant("verify").summary
    tenant("onboard").went_well()
    tenant.works()


@pytest.mark.walk(1)
@pytest.mark.parametrize("point", ["requested", "stored", "in use"])
def test_a_run_that_was_killed_is_continued(fleet: Fleet, point: str) -> None:
    tenant = fleet()
    (instance,) = tenant.instances
    before = tenant.pair(instance)
    tenant.forget_requests()
    command, environment, _results = tenant.command("rotate", variables=AGAIN)
    running = subprocess.Popen(
        command, cwd=tenant.playbook.folder, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )

    def reached() -> bool:
        if point == "stored":
            return tenant.stored(instance, NEW).exists()
        if point == "in use":
            return tenant.pair(instance) != before
        return any("addPassword" in called for called in tenant.requests())

    end = time.monotonic() + 200
    while running.poll() is None and not reached() and time.monotonic() < end:
        time.sleep(0.005)
    assert reached()
    end_tree(running.pid)
    running.wait()
    tenant("rotate", variables=AGAIN if point == "requested" else {}).went_well()
    assert tenant.pair(instance) != before
    tenant.works()


def test_a_backend_keeps_the_secret(fleet: Fleet, tmp_path: Path) -> None:
    backend = {
        "read": "lookup('ansible.builtin.file', secret_files ~ '/' ~ secret_host ~ '.' ~ secret_name, errors='ignore')",
        "write": str(ROOT / "examples/secrets/plain_file.yml"),
    }
    tenant = fleet(secret_files=str(tmp_path), servicenow_defender_secrets=backend)
    (instance,) = tenant.instances
    seen = set()
    for _ in range(2):
        seen.add((tmp_path / f"{instance.name}.{IN_USE}").read_text())
        run = tenant.run_rotate("-vvv").went_well()
        stored = (tmp_path / f"{instance.name}.{IN_USE}").read_text().strip()
        key_id, secret = stored.split(" ")
        assert stored not in seen
        assert secret not in run.output
        assert tenant.application(instance)["_secrets"] == {key_id: secret}
    tenant.forget_requests()
    tenant("onboard").went_well()
    assert not tenant.written()


def test_a_secret_that_has_to_be_entered_manually_leaves_the_one_before_it_valid(fleet: Fleet) -> None:
    tenant = fleet()
    (instance,) = tenant.instances
    before = tenant.pair(instance)
    instance.turn(compliance={"own_role_only": True})
    run = tenant("rotate", variables=AGAIN).went_well()
    assert "Fill in the Microsoft Defender for Cloud Configuration" in run.summary
    tenant("rotate", variables=AGAIN).went_well()
    new = tuple(tenant.stored(instance, NEW).read_text().strip().split(" "))
    assert tenant.application(instance)["_secrets"] == dict((before, new)), "one successor, not one for each run"
    assert tenant.pair(instance) == before
    tenant("rotate", variables={**AGAIN, "mdc_configuration_compliance_secret_entered": True}).went_well()
    assert tenant.application(instance)["_secrets"] == dict((new,))
    assert tenant.pair(instance) == new


def test_the_application_is_removed_with_the_last_instance_that_uses_it(fleet: Fleet) -> None:
    shared = {"mdc_configuration_compliance_application_name": "ServiceNow", "offboarding_confirm": True}
    tenant = fleet(count=2, **shared)
    first, second = tenant.instances
    tenant.variables["offboarding_record_dir"] = str(tenant.playbook.folder / "offboarded")
    (row,) = tenant.rows("applications", displayName="ServiceNow")
    assert set(row["_secrets"]) == {tenant.pair(each)[0] for each in tenant.instances}
    tenant.instances = (first,)
    _predicted, real, _again = tenant.predicted_and_done("offboard")
    used = "kept: entra_application ServiceNow (others use it: it has the secret secops.servicenow_defender "
    assert used in real.summary
    assert "deactivate the integration of Microsoft Defender for Cloud in Configuration Compliance" in real.summary
    (row,) = tenant.rows("applications", displayName="ServiceNow")
    assert set(row["_secrets"]) == {tenant.pair(second)[0]}
    assert not tenant.stored(first).exists()
    # The side of Microsoft is removed also of an instance that does not answer.
    tenant.instances = (second,)
    second.turn(faults=[{"kind": "hibernating"}])
    run = tenant("offboard")
    assert run.status == 2
    assert "entra_application ServiceNow (state)" in run.summary
    assert not tenant.rows("applications", displayName="ServiceNow")
    assert not tenant.rows("role_assignments")
    record = (tenant.playbook.folder / "offboarded/tenant.json").read_text()
    assert '"entra_application ServiceNow"' in record
    assert f"secret secops.servicenow_defender {first.access.url.split('//')[1]} of entra_application" in record


def test_an_application_of_two_that_look_alike_or_of_others_is_not_removed(fleet: Fleet) -> None:
    tenant = fleet(offboarding_confirm=True)
    (instance,) = tenant.instances
    row = tenant.application(instance)
    tenant.sandbox.tamper_tenant("applications", {**row, "_id": "twin", "id": "twin", "appId": "twin"}, insert=True)
    twice = tenant("offboard")
    assert twice.status == 2
    assert "2 applications have the display name" in twice.summary
    assert len(tenant.rows("applications", displayName=row["displayName"])) == 2
    assert tenant.stored(instance).exists()
    tenant.sandbox.tamper_tenant("applications", match={"_id": "twin"}, delete=True)
    tenant.sandbox.tamper_tenant("applications", {"tags": []}, match={"_id": row["_id"]})
    foreign = tenant("offboard").went_well()
    assert "was not created by this collection" in foreign.summary
    assert tenant.application(instance)["_secrets"] == {}
    assert not tenant.stored(instance).exists()


def test_what_does_not_fit_is_refused(fleet: Fleet) -> None:
    tenant = fleet()
    (instance,) = tenant.instances
    before = tenant.pair(instance)
    both = tenant(
        "onboard", variables={"mdc_configuration_compliance_client_id": "0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33"}
    )
    assert "excludes mdc_configuration_compliance_client_id" in both.summary
    row = {**tenant.application(instance), "appId": "twin", "passwordCredentials": []}
    tenant.sandbox.tamper_tenant("applications", row, insert=True)
    twice = tenant.run_rotate()
    assert twice.status == 2
    assert "2 applications have the display name" in twice.summary
    assert tenant.stored(instance).read_text().strip() == " ".join(before)
