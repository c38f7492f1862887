# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rotate: new secrets on both sides, renewal of connectors, and what is left as it is."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Learned, NewInstance
from tests.integration.defender import Defender, drift_of
from tests.integration.fork_server import end_tree
from tests.integration.instances import Instance
from tests.integration.playbooks import ORDINARY, ROOT, Playbooks
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import MANAGEMENT

pytestmark = pytest.mark.walk(2)

APPLICATIONS = {"mda": "Microsoft Defender for Cloud Apps", "mdc": "Microsoft Defender for Cloud"}
USERS = {"mda": "svc_defender_cloud_apps", "mdc": "svc_defender_cloud"}
SERVICENOW = "Change secrets and revoke the old tokens"
MICROSOFT = ("Write the credentials to Defender for Cloud Apps", "Write the credentials to Defender for Cloud")
CLOUD_APPS = MICROSOFT[0]
Fleet = Callable[..., "Connected"]


class Connected(Defender):
    """A tenant and instances that were onboarded, with a portal session and the contract of an editable connector."""

    def _hosts(self, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
        hosts = {instance.name: instance.connection for instance in self.instances}
        return {**hosts, **self.hosts(**{**self.sandbox.portal_session(), **options.pop("azure", {})})}

    def secret(self, instance: Instance, name: str) -> str:
        return self.file(instance, name).read_text().strip()

    def file(self, instance: Instance, name: str) -> Path:
        return self.playbook.folder / "secrets" / instance.name / name

    def secrets(self) -> dict[str, str]:
        """Return the secrets in use, by instance and name."""
        return {
            f"{instance.name} {service}_{name}": self.secret(instance, f"{service}_{name}")
            for instance in self.instances
            for service in self.variables["servicenow_defender_services"]
            for name in ("password", "client_secret")
        }

    def signs_in(self, instance: Instance, service: str) -> bool:
        """Return whether the stored secrets get a token."""
        application = instance.row("oauth_entity", name=APPLICATIONS[service])
        answer = instance.ask_for_token(
            grant_type="password",
            client_id=application["client_id"],
            client_secret=self.secret(instance, f"{service}_client_secret"),
            username=USERS[service],
            password=self.secret(instance, f"{service}_password"),
        )
        return "access_token" in answer

    def works(self) -> None:
        """Fail unless every instance is in sync and every service signs in with what is stored."""
        run = self("drift").went_well()
        assert "in sync" in run.summary
        for instance in self.instances:
            assert not list(self.file(instance, "x").parent.glob("*_new"))
            assert json.loads(self.secret(instance, "rotation"))["services"]
            for service in self.variables["servicenow_defender_services"]:
                assert self.signs_in(instance, service), (instance.name, service)


def calls_of(result: dict[str, Any]) -> list[dict[str, int]]:
    """Return the numbers of requests of a task, of each item if it is a loop."""
    results = [result] if "api_calls" in result else result.get("results") or []
    return [each["api_calls"] for each in results if "api_calls" in each]


@pytest.fixture
def contract(learned: Learned) -> str:
    """The file of a contract that can edit a connector."""
    return str(learned(MANAGEMENT))


@pytest.fixture
def fleet(playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, contract: str) -> Fleet:
    """A maker of onboarded fleets."""

    def make(count: int = 2, services: tuple[str, ...] = ("mda", "mdc"), **variables: Any) -> Connected:
        given = {
            "servicenow_defender_services": list(services),
            "mda_connection_contract": contract,
            # Access rules cannot be written by REST.
            "snow_connection_legacy_admin": True,
            "mda_connection_poll_interval": 0.3,
            "mda_connection_wait_timeout": 20,
            **variables,
        }
        tenant = Connected(
            playbook, sandbox, *(new_instance() for _ in range(count)), variables=given, subscriptions=1, throttle=0
        )
        tenant.onboarded()
        return tenant

    return make


@pytest.mark.always
def test_secrets_are_rotated_on_both_sides(fleet: Fleet) -> None:
    tenant = fleet()
    before = tenant.secrets()
    predicted, real, _again = tenant.predicted_and_done("rotate")
    after = tenant.secrets()
    assert not set(before.values()) & set(after.values())
    for secret in {*before.values(), *after.values()}:
        assert secret not in predicted.output + real.output
    for instance in tenant.instances:
        journal = tenant.file(instance, "rotation")
        assert stat.S_IMODE(journal.stat().st_mode) == 0o600
        assert not [secret for secret in after.values() if secret in journal.read_text()]
    tenant.works()


@pytest.mark.walk(1)
@pytest.mark.parametrize(("services", "most"), [(("mda",), 8), (("mda", "mdc"), 12)], ids=["one service", "two"])
def test_a_rotation_costs_few_requests(fleet: Fleet, services: tuple[str, ...], most: int) -> None:
    """The writes of an instance follow each other: no request to another instance comes between them."""
    tenant = fleet(count=3, services=services)
    tenant.forget_requests()
    run = tenant("rotate", "-vvvv", shell=ORDINARY).went_well()
    # What the tenant is asked for all instances together: its connectors before and after.
    lists = tenant.requests()["POST /portal/apiproxy/mcas/cas/api/v1/app_connectors"]
    own = [call for done in run.done if done.task.endswith(CLOUD_APPS) for call in calls_of(done.result)]
    assert lists == 2 + sum(call["read"] for call in own)
    assert [call["read"] + call["write"] for call in own] == [4] * len(tenant.instances)
    # The terminal shows each instance as its turn comes.
    assert run.output.count("PLAY [Rotate secrets]") == 1 + len(tenant.instances), (
        "and that of the plan, which has no hosts"
    )
    for secret in tenant.secrets().values():
        assert secret not in run.output
    for instance in tenant.instances:
        calls = [
            call
            for done in run.done
            if done.host == instance.name and not done.task.endswith(MICROSOFT)
            for call in calls_of(done.result)
        ]
        assert sum(call["read"] + call["write"] for call in calls) == most, calls
        # Two tokens of each service, deleted together.
        inner = instance.sandbox.requests(instance.name)["inner"]
        assert inner["DELETE /api/now/table/oauth_credential/{sys_id}"] == 2 * len(services)
    tasks = [(done.host, done.task.rpartition(" : ")[2]) for done in run.done if calls_of(done.result)]
    order = [(host, name) for host, name in tasks if name in (SERVICENOW, *MICROSOFT)]
    steps = (SERVICENOW, *MICROSOFT[: len(services)])
    assert order == [(instance.name, task) for instance in tenant.instances for task in steps]
    assert drift_of(run)
    tenant.works()


def test_a_connector_that_no_contract_edits_is_a_manual_step_first(fleet: Fleet) -> None:
    tenant = fleet(count=1, services=("mda",))
    (instance,) = tenant.instances
    before, content = tenant.secrets(), instance.content()
    left = tenant("rotate", variables={"mda_connection_contract": ""}).went_well()
    assert "Rotate the secrets of Microsoft Defender for Cloud Apps" in left.summary
    assert tenant.secrets() == before
    assert instance.content() == content
    asked = {"mda_connection_contract": "", "secret_rotation_allow_manual_steps": True}
    run = tenant("rotate", variables=asked).went_well()
    assert tenant.secrets() != before
    assert "Client secret" in run.summary
    assert "secret" in tenant("drift", variables={"mda_connection_contract": ""}).summary


def test_a_failure_of_microsoft_leaves_the_other_instances_as_they_are(fleet: Fleet) -> None:
    tenant = fleet(services=("mda",))
    first, second = tenant.instances
    before, content = tenant.secrets(), second.content()
    failed = tenant("rotate", azure={"mda_portal_cookie": "expired=1"})
    assert failed.status == 2
    assert tenant.secrets() == before
    assert "whether it can be written is not known" in failed.summary
    # Found only when ServiceNow has the new secrets.
    tenant.sandbox.set_faults({"kind": "503", "rate": 1.0, "path": "*/connector_onboarding/*"})
    failed = tenant("rotate")
    tenant.sandbox.set_faults()
    assert failed.status == 2
    assert "The new secrets are stored; the next run of rotate continues with this instance" in failed.summary
    assert f"left as it is, because the rotation of {first.name} failed" in failed.summary
    assert second.content() == content
    assert tenant.secrets() == before
    tenant("rotate").went_well()
    assert not set(tenant.secrets().values()) & set(before.values())
    tenant.works()


def test_a_connector_that_is_missing_is_drift_and_not_corrected(fleet: Fleet) -> None:
    tenant = fleet(services=("mda",))
    first, second = tenant.instances
    tenant.sandbox.tamper_tenant("connectors", match={"name": first.name}, delete=True)
    for check in (True, False):
        run = tenant("rotate", check=check).went_well()
        assert f"drift: tenant: connector {first.name} (status)" in run.summary
        assert "secrets mda (left as they are: it has no connector yet; run onboard first" in run.summary
    assert not tenant.rows("connectors", name=first.name)
    assert f"connector {second.name} (password)" in run.summary


def test_an_instance_that_cannot_be_reached_is_left_as_it_is(fleet: Fleet) -> None:
    tenant = fleet(services=("mda",))
    first, _second = tenant.instances
    before = tenant.secrets()
    address = first.connection["snow_url"]
    first.connection["snow_url"] = "http://127.0.0.1:9"
    run = tenant("rotate")
    assert run.status == 2
    assert first.name in run.summary
    after = tenant.secrets()
    assert {name for name in before if before[name] == after[name]} == {n for n in before if n.startswith(first.name)}
    assert not list(tenant.file(first, "x").parent.glob("*_new"))
    first.connection["snow_url"] = address
    tenant("rotate").went_well()
    tenant.works()


def test_only_what_is_due_is_rotated_or_renewed(fleet: Fleet) -> None:
    tenant = fleet(count=1, services=("mda",))
    (instance,) = tenant.instances
    before = tenant.secrets()
    # Generated a moment ago.
    assert not drift_of(tenant("rotate", variables={"rotate_max_age_days": 30}).went_well())
    ten_days_ago = time.time() - 10 * 86400
    os.utime(tenant.file(instance, "mda_password"), (ten_days_ago, ten_days_ago))
    assert (
        tenant("rotate", check=True, variables={"rotate_max_age_days": 9}).went_well().recap[instance.name]["changed"]
    )
    never = {"rotate_max_age_days": 30, "rotate_renew_before_days": 0}
    (row,) = tenant.rows("connectors")
    tenant.sandbox.tamper_tenant("connectors", {"last_connected": 0}, match={"name": instance.name})
    unknown = tenant("rotate", variables=never).went_well()
    assert f"unproven: {instance.name}: refresh token mda (whether it is to be renewed is not known" in unknown.summary
    old = instance.row("oauth_credential", type="refresh_token")["sys_id"]
    tenant.sandbox.tamper_tenant(
        "connectors", {"last_connected": row["last_connected"] - 80 * 86400 * 1000}, match={"name": instance.name}
    )
    due = {"rotate_max_age_days": 30, "rotate_renew_before_days": 15}
    _predicted, real, _again = tenant.predicted_and_done("rotate", variables=due)
    assert ("tokens Microsoft Defender for Cloud Apps", "valid") in drift_of(real)
    assert tenant.secrets() == before
    assert not instance.rows("oauth_credential", sys_id=old)
    assert "refresh token of" not in tenant("drift").went_well().summary


def test_an_integration_is_renewed_and_secrets_of_variables_are_named(fleet: Fleet) -> None:
    tenant = fleet(count=1, services=("mdc",))
    (instance,) = tenant.instances
    before = tenant.secrets()
    (token,) = instance.rows("oauth_credential", type="refresh_token")
    soon = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 10 * 86400))
    instance.change("oauth_credential", {"sys_id": token["sys_id"]}, expires=soon)
    given = {
        "mdc_configuration_compliance_client_secret": "secret-of-the-user",
        "snow_connection_password": tenant.secret(instance, "mdc_password"),
    }
    kept = {"rotate_max_age_days": 30, "rotate_renew_before_days": 5, **given}
    named = tenant("rotate", variables=kept).went_well()
    assert not drift_of(named)
    for variable in given:
        assert f"left as it is: the variable {variable} sets it. " in named.summary
        assert str(given[variable]) not in named.output
    due = {"rotate_max_age_days": 30, "rotate_renew_before_days": 15}
    _predicted, real, _again = tenant.predicted_and_done("rotate", variables=due)
    assert ("tokens Microsoft Defender for Cloud", "valid") in drift_of(real)
    assert tenant.secrets() == before
    assert not instance.rows("oauth_credential", sys_id=token["sys_id"])


def test_a_damaged_journal_is_replaced_and_that_of_another_fleet_refused(fleet: Fleet) -> None:
    contents = ('{"version":1,"inst', '{"version":9}', "[]")
    tenant = fleet(count=len(contents), services=("mda",))
    for each, content in zip(tenant.instances, contents, strict=True):
        tenant.file(each, "rotation").write_text(content)
    # ansible-core 2.18 breaks the lines of warnings, also within a path.
    shown = "".join(tenant("rotate").went_well().output.split())
    for each in tenant.instances:
        warned = f"{tenant.file(each, 'rotation')} was damaged or of another version, and is replaced"
        assert "".join(f"[WARNING]: {each.name}: the journal {warned}".split()) in shown
    tenant.works()
    instance = tenant.instances[0]
    journal = json.loads(tenant.secret(instance, "rotation"))
    before = {name: secret for name, secret in tenant.secrets().items() if name.startswith(f"{instance.name} ")}
    journal["instance"] = "https://acme-other.service-now.com"
    tenant.file(instance, "rotation").write_text(json.dumps(journal))
    twice = tenant.instances[1]
    twice.add("oauth_entity", name=APPLICATIONS["mda"], type="client", client_id="a second one")
    content = twice.content()
    refused = tenant("rotate", variables={"rotate_max_age_days": 0})
    assert refused.status == 2
    assert "belongs to https://acme-other.service-now.com" in refused.summary
    assert f"2 applications are named {APPLICATIONS['mda']!r} (" in refused.summary
    assert "remove or rename all but one" in refused.summary
    assert twice.content() == content
    assert before.items() <= tenant.secrets().items()


@pytest.mark.walk(1)
@pytest.mark.parametrize("requests", [1, 4, 6, 8, 9, 11, 13, 15])
def test_a_run_that_was_killed_is_continued(fleet: Fleet, requests: int) -> None:
    tenant = fleet(count=1)
    (instance,) = tenant.instances
    before = tenant.secrets()
    tenant.forget_requests()
    command, environment, _results = tenant.command("rotate")
    running = subprocess.Popen(
        command, cwd=tenant.playbook.folder, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    while running.poll() is None and sum(instance.requests().values()) < requests:
        time.sleep(0.01)
    end_tree(running.pid)
    running.wait()
    tenant("rotate").went_well()
    assert not set(tenant.secrets().values()) & set(before.values())
    tenant.works()


def test_a_rotation_that_was_interrupted_leaves_both_connections_unproven(fleet: Fleet) -> None:
    """Its tokens are revoked, which the secrets do not show once onboard has written the present ones back."""
    tenant = fleet(count=1)
    (instance,) = tenant.instances
    before = tenant.secrets()
    tenant.sandbox.set_faults({"kind": "503", "rate": 1.0, "path": "*/connector_onboarding/*"})
    assert tenant("rotate").status == 2
    tenant.sandbox.set_faults()
    found = tenant("drift")
    assert found.status == 2
    for label in (f"connector {instance.name}", f"integration {instance.name}"):
        assert f"{label} (credentials) (a rotation that started on 20" in found.summary
    tenant.forget_requests()
    tenant("onboard").went_well()
    assert {"PUT /arm/{scope}/providers/Microsoft.Security/integrations/{name}"} < set(tenant.writes())
    assert any("connector_onboarding" in route for route in tenant.writes())
    tenant.forget_requests()
    tenant("onboard").went_well()
    assert not tenant.written()
    assert "1 in sync" in tenant("drift").went_well().summary
    assert tenant.secrets() == before
    continued = tenant("rotate").went_well()
    assert "interrupted" not in continued.summary
    assert not set(tenant.secrets().values()) & set(before.values())
    tenant.works()


def test_a_connector_that_was_never_confirmed_is_written_again(fleet: Fleet) -> None:
    """As a run leaves it that ended between the two requests that write a connector."""
    tenant = fleet(count=1, services=("mda",))
    (row,) = tenant.rows("connectors")
    before = tenant.secrets()
    tenant.sandbox.tamper_tenant("connectors", {"state": "pending"}, match={"id": row["id"]})
    tenant("rotate").went_well()
    (after,) = tenant.rows("connectors")
    assert after["id"] == row["id"]
    assert after["state"] != "pending"
    assert not set(tenant.secrets().values()) & set(before.values())


def test_a_backend_keeps_new_secrets_and_journal(fleet: Fleet, tmp_path: Path) -> None:
    folder = tmp_path / "backend"
    folder.mkdir()
    backend = {
        "read": "lookup('ansible.builtin.file', secret_files ~ '/' ~ secret_host ~ '.' ~ secret_name, errors='ignore')",
        "write": str(ROOT / "examples/secrets/plain_file.yml"),
    }
    tenant = fleet(count=1, services=("mdc",), secret_files=str(folder), servicenow_defender_secrets=backend)
    (instance,) = tenant.instances
    seen = set()
    for _ in range(2):
        seen.add((folder / f"{instance.name}.mdc_password").read_text())
        run = tenant("rotate", "-vvv", variables={"rotate_max_age_days": 0}).went_well()
        new = (folder / f"{instance.name}.mdc_password").read_text()
        assert new not in seen
        assert new.strip() not in run.output
        assert '"state":"done"' in (folder / f"{instance.name}.rotation").read_text()
    assert "1 in sync" in tenant("drift").went_well().summary
