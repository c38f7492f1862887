# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook offboard: Microsoft's side first, then the instance's, and nothing that others use."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from tests.integration.conftest import Learned, NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run
from tests.integration.tenant import HOST, MDA
from tests.integration.test_onboard import APPLICATIONS, ROLE, USERS, enter_rules
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import MANAGEMENT

pytestmark = pytest.mark.walk(2)

CONFIRMED = {"offboarding_confirm": True}
BOTH = {"servicenow_defender_services": ["mda", "mdc"]}
RULE = {
    "display_name": "High findings",
    "priority": 10,
    "severities": ["High", "Critical"],
    "owner": {"by_tag": "owner"},
    "remediation_timeframe_days": 14,
}


@pytest.fixture
def contract(learned: Learned) -> str:
    """The file of a contract that can also remove connectors."""
    return str(learned(MANAGEMENT))


class Fleet(Defender):
    """A tenant with both services. Each run has the whole rate of calls to Cloud Apps."""

    def __call__(self, what: str, *words: str, **options: Any) -> Run:
        """Run a playbook of the collection."""
        if self.playbook.commands:
            self.playbook.commands.forget_calls()
        return super().__call__(what, *words, **options)

    def _hosts(self, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
        known = {name: self.access[name] for name in MDA if name in self.access}
        hosts = super()._hosts(options)
        return {**hosts, HOST: {**hosts[HOST], **known}}


def fleet(playbook: Playbooks, sandbox: SandboxProcess, *instances: Instance, **variables: Any) -> Fleet:
    """Return a tenant with instances, and where their records go."""
    folder = {"offboarding_record_dir": str(playbook.folder / "offboarded"), "mda_connection_poll_interval": 0.3}
    return Fleet(playbook, sandbox, *instances, variables={**folder, **variables})


def by_contract(tenant: Defender, contract: str) -> dict[str, Any]:
    return {"mda_connection_contract": contract, **tenant.sandbox.portal_session()}


def left_on(instance: Instance) -> list[str]:
    """Return the objects of the connections that the instance still has."""
    names = {"sys_user": ("user_name", USERS.values()), "oauth_entity": ("name", APPLICATIONS.values())}
    found = [
        row[column]
        for table, (column, wanted) in names.items()
        for row in instance.rows(table)
        if row.get(column) in wanted
    ]
    return found + [row["name"] for row in instance.rows("sys_user_role", name=ROLE)]


def stored(playbook: Playbooks, instance: Instance) -> set[str]:
    return {path.name for path in (playbook.folder / "secrets" / instance.name).iterdir() if path.is_file()}


def recorded(playbook: Playbooks, host: str) -> list[str]:
    path = playbook.folder / "offboarded" / f"{host}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return [name for entry in json.loads(path.read_text()) for name in entry["removed"]]


def test_consent_is_required(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> None:
    tenant = fleet(playbook, sandbox, instance)
    preservers = playbook.folder / "preservers.xml"
    tenant("onboard", variables={"servicenow_defender_preserver_file": str(preservers)}).went_well()
    assert f"<condition>user_nameIN{USERS['mdc']},{USERS['mda']}</condition>" in preservers.read_text()
    tenant.forget_requests()
    refused = tenant("offboard")
    assert refused.status == 2
    (failure,) = {done.message for done in refused.failures}
    assert failure.startswith("nothing was removed, because offboarding_confirm is not true. Run with --check to see")
    assert not tenant.written()
    shown = tenant("offboard", check=True).went_well()
    assert f"would be corrected: {instance.name}: " in shown.summary
    assert f"user {USERS['mdc']} (state)" in shown.summary
    assert f"would be corrected: {HOST}: integration {instance.name} (state)" in shown.summary
    assert not tenant.written()


@pytest.mark.always
def test_a_fleet_with_both_services_is_offboarded(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, contract: str
) -> None:
    instances = new_instance(), new_instance()
    tenant = fleet(playbook, sandbox, *instances, **BOTH, mdc_itsm_rules=[RULE])
    tenant.variables |= by_contract(tenant, contract)
    tenant("onboard", "--tags", "snow").went_well()
    for each in instances:
        enter_rules(each)
    tenant("onboard").went_well()
    secrets = {path.read_text().strip() for path in (playbook.folder / "secrets").glob("*/*_password")}
    assert {row["name"] for row in tenant.rows("connectors")} == {each.name for each in instances}
    assert tenant.rows("integrations")
    _predicted, real, _again = tenant.predicted_and_done("offboard", variables=CONFIRMED)
    assert real.summary.splitlines()[0] == "2 instances: 2 corrected, 2 with manual steps; tenant: corrected"
    assert f"Remove the role {ROLE} from 13 access control rules" in real.summary
    for table in ("integrations", "rules"):
        assert not tenant.rows(table), table
    assert not [row for row in tenant.rows("connectors") if row["state"] == "connected"]
    for each in instances:
        assert left_on(each) == [ROLE]
        assert "mda_password" in stored(playbook, each)
        each.remove("sys_security_acl_role", sys_user_role=each.row("sys_user_role", name=ROLE)["sys_id"])
    tenant("offboard", variables=CONFIRMED).went_well()
    for each in instances:
        assert not left_on(each)
        assert stored(playbook, each) == {"offboarded"}
        assert f"user {USERS['mda']}" in recorded(playbook, each.name)
    assert set(recorded(playbook, HOST)) == {
        *(f"connector {each.name}" for each in instances),
        *(f"integration {each.name}" for each in instances),
        "governance_rule High findings",
    }
    assert not [secret for secret in secrets if secret in real.output]
    seen = tenant("drift")
    assert seen.status == 2
    assert "was taken out of the fleet" in seen.summary
    assert "inventory" in seen.summary
    assert "was taken out of the fleet" in tenant("verify").summary
    tenant("onboard").went_well()
    assert tenant("drift").summary.startswith("2 instances: ")
    assert "was taken out" not in tenant("drift").summary


def test_what_was_renamed_in_the_portal_is_removed_by_its_recorded_id(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, contract: str
) -> None:
    tenant = fleet(playbook, sandbox, instance, **BOTH, mdc_itsm_rules=[RULE])
    tenant.variables |= by_contract(tenant, contract)
    tenant("onboard", "--tags", "snow").went_well()
    enter_rules(instance)
    tenant("onboard").went_well()
    sandbox.tamper_tenant("connectors", {"name": "Another connector"}, match={"name": instance.name})
    sandbox.tamper_tenant("integrations", {"displayName": "Another integration"}, match={"displayName": instance.name})
    _predicted, real, again = tenant.predicted_and_done("offboard", variables=CONFIRMED)
    assert not [row for row in tenant.rows("connectors") if row["state"] == "connected"]
    assert not tenant.rows("integrations")
    assert not tenant.rows("rules"), "no other integration uses them"
    for label in ("connector Another connector", "integration Another integration"):
        assert label in real.summary
        assert label in recorded(playbook, HOST)
    assert "failed" not in again.summary


def test_a_service_that_no_variable_names_any_more_is_named_and_has_not_left(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = fleet(playbook, sandbox, instance, **BOTH)
    tenant.onboarded()
    without = {**CONFIRMED, "servicenow_defender_services": ["mda"]}
    for _number in range(2):
        left = tenant("offboard", variables=without).went_well()
        assert "connection mdc (it was not removed: secrets are stored for it, and neither" in left.summary
        assert APPLICATIONS["mda"] not in left_on(instance)
        assert "offboarded" not in stored(playbook, instance)
    assert tenant.rows("integrations")
    named = tenant("offboard", variables={**without, "offboarding_services": ["mdc"], **BOTH}).went_well()
    assert "connection mda" not in named.summary
    assert not tenant.rows("integrations")
    assert stored(playbook, instance) == {"offboarded"}


@pytest.mark.walk(1)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{{ no_such_variable }}", "mda_connection_name cannot be evaluated: 'no_such_variable' is undefined"),
        ("", "mda_connection_name is empty"),
        (7, "mda_connection_name is 7, which is no text"),
        ("Twice", "2 connectors named 'Twice'"),
    ],
    ids=["undefined", "empty", "a number", "ambiguous"],
)
def test_an_unusable_name_is_refused_for_its_instance_alone(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, contract: str, name: Any, words: str
) -> None:
    good, bad = new_instance(), new_instance()
    tenant = fleet(playbook, sandbox, good, bad, servicenow_defender_services=["mda"])
    tenant.variables |= by_contract(tenant, contract)
    tenant("onboard", "--tags", "snow").went_well()
    for each in (good, bad):
        enter_rules(each)
    for _number in range(2):
        tenant.connector("Twice", "https://someone.service-now.com")
    bad.connection["mda_connection_name"] = name
    first, again = tenant("onboard"), tenant("onboard")
    for run in (first, again, tenant("drift"), tenant("verify")):
        assert run.status == 2
        assert words in run.summary
    assert f"connector {good.name} (status)" in first.summary
    assert f"connector {good.name} (" not in again.summary, "it is recorded"
    assert "mda_accepted" in stored(playbook, good)
    gone = tenant("offboard", variables=CONFIRMED)
    assert gone.status == 2
    assert {row["name"] for row in tenant.rows("connectors") if row["state"] == "connected"} == {"Twice"}
    assert left_on(good) == [ROLE]
    assert len(left_on(bad)) == 3


def test_a_record_of_another_scope_lets_the_instance_wait(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = fleet(playbook, sandbox, instance)
    tenant.onboarded()
    before = left_on(instance), stored(playbook, instance)
    tenant.variables["mdc_itsm_scope"] = f"/subscriptions/{tenant.access['azure_subscription_ids'][1]}"
    waiting = tenant("offboard", variables=CONFIRMED)
    assert tenant.rows("integrations")
    assert (left_on(instance), stored(playbook, instance)) == before
    assert f"of {tenant.subscription}, not of" in waiting.summary


def test_without_a_contract_the_instance_waits_for_the_portal(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = fleet(playbook, sandbox, instance, servicenow_defender_services=["mda"])
    tenant.onboarded()
    tenant.connector(instance.name, instance.access.url)
    before = left_on(instance), stored(playbook, instance)
    tenant.forget_requests()
    waiting = tenant("offboard", variables=CONFIRMED).went_well()
    assert not tenant.written()
    assert (left_on(instance), stored(playbook, instance)) == before
    assert f"Remove the connector {instance.name}" in waiting.summary
    assert f"waiting: oauth_application {APPLICATIONS['mda']}" in waiting.summary.replace(
        "token Microsoft Defender for Cloud Apps, ", ""
    )
    sandbox.tamper_tenant("connectors", match={"name": instance.name}, delete=True)
    done = tenant("offboard", variables=CONFIRMED).went_well()
    assert done.summary.startswith("1 instance: 1 corrected; tenant: ")
    assert not left_on(instance)


def test_a_list_of_connectors_that_is_refused_lets_the_instance_wait(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = fleet(playbook, sandbox, instance, servicenow_defender_services=["mda"])
    tenant.onboarded()
    before = left_on(instance), stored(playbook, instance)
    # Without an API token the list is refused, and nothing shows whether there is a connector.
    tenant.access = {name: value for name, value in tenant.access.items() if name != "mda_api_token"}
    waiting = tenant("offboard", variables=CONFIRMED)
    assert (left_on(instance), stored(playbook, instance)) == before
    assert f"its connector {instance.name} is in the portal" in waiting.summary


def test_what_others_use_stays_and_is_named(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    shared, foreign = new_instance(), new_instance()
    tenant = fleet(playbook, sandbox, shared, foreign, mdc_itsm_rules=[RULE])
    foreign.add("oauth_entity", name=APPLICATIONS["mdc"], type="client", client_id="somebody's")
    user = foreign.add("sys_user", user_name=USERS["mdc"], active="true")
    tenant.instances = (shared,)
    tenant("onboard").went_well()
    tenant.instances = (shared, foreign)
    shared.add(
        "sys_user_has_role",
        user=shared.row("sys_user", user_name=USERS["mdc"])["sys_id"],
        role=shared.row("sys_user_role", name="admin")["sys_id"],
    )
    other = {"name": "11111111-1111-1111-1111-111111111111", "scope": tenant.subscription, "displayName": "Other"}
    sandbox.tamper_tenant("integrations", other, insert=True)
    done = tenant("offboard", variables=CONFIRMED).went_well()
    assert f"{shared.name}: kept: user {USERS['mdc']} (it has the further role admin)" in done.summary
    assert (
        f"{foreign.name}: kept: oauth_application {APPLICATIONS['mdc']}, user {USERS['mdc']} (no stored secret"
        in done.summary
    )
    assert "kept: governance rules (integrations of the scope use them (Other))" in done.summary
    assert stored(playbook, shared) == {"mdc_password"}, "the password of the account is not lost"
    assert foreign.row("sys_user", sys_id=user)
    assert [row["properties"]["displayName"] for row in tenant.rows("integrations")] == ["Other"]
    assert tenant.rows("rules")
    tenant.forget_requests()
    again = tenant("offboard", variables=CONFIRMED).went_well()
    assert not tenant.written()
    assert sum(numbers["changed"] for numbers in again.recap.values()) == 0


def test_an_unreachable_instance_keeps_its_side_until_it_is_said_to_be_gone(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    there, away = new_instance(), new_instance()
    tenant = fleet(playbook, sandbox, there, away)
    tenant.onboarded()
    url = away.connection["snow_url"]
    away.connection["snow_url"] = "http://127.0.0.1:9"
    run = tenant("offboard", variables=CONFIRMED)
    assert run.status == 2
    assert not left_on(there)
    assert "offboarding_instance_gone to true" in run.output
    assert not tenant.rows("integrations"), "Microsoft's side is removed"
    assert stored(playbook, away) >= {"mdc_password", "mdc_client_secret"}
    away.connection["offboarding_instance_gone"] = True
    gone = tenant("offboard", variables=CONFIRMED).went_well()
    assert "offboarding_instance_gone is true" in gone.summary
    assert stored(playbook, away) == {"offboarded"}
    away.connection["snow_url"] = url
    assert left_on(away)


def test_no_secret_is_shown(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> None:
    tenant = fleet(playbook, sandbox, instance)
    tenant.onboarded()
    secrets = [path.read_text().strip() for path in (playbook.folder / "secrets" / instance.name).glob("mdc_*")]
    run = tenant("offboard", "-vvvv", variables=CONFIRMED).went_well()
    assert len(secrets) == 3
    for secret in secrets:
        assert secret not in run.output
