# SPDX-License-Identifier: GPL-3.0-or-later
"""The role mdc_itsm in the playbooks onboard and drift: plan, integration and governance rules of Defender for Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender, drift_of, warnings_of
from tests.integration.instances import Instance
from tests.integration.playbooks import SHELLS, Playbooks, Run
from tests.integration.tenant import HOST, MDA
from tests.integration.test_leaks import CommandLines, files_with_secrets, found_in
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(3)

USER, APPLICATION = "svc_defender_cloud", "Microsoft Defender for Cloud"
PLAN = "Enable the plan"
AWS = "resourceGroups/rg-connectors/providers/Microsoft.Security/securityConnectors/aws-prod"
NOBODYS = "00000000-0000-4000-8000-000000000000"
HIGH = {
    "display_name": "High findings",
    "priority": 10,
    "severities": ["Critical", "High"],
    "owner": {"by_tag": "owner"},
}
PORTAL_ID = "00000000-0000-0000-0000-00000000000f"


def failure(run: Run, host: str = HOST) -> str:
    """Return the message that ended a host's part of a run."""
    assert run.status == 2, run.output
    assert "Traceback" not in run.output
    assert run.recap[host]["failed"] == 1
    failed = run.on(host, "Fail if the work on this host failed")
    assert failed.message.count("\n") == 0, "one line"
    assert f"\nfailed: {host}: " in run.summary
    return failed.message


def integration_of(run: Run, host: str) -> dict[str, Any]:
    """Return what came of the integration of an instance."""
    (found,) = [result for result in run["Configure the integrations"]["results"] if result["item"] == host]
    return dict(found)


def plan_of(tenant: Defender) -> str:
    scope = tenant.subscription
    (row,) = [row for row in tenant.rows("pricings", name="CloudPosture") if row["scope"] == scope]
    return str(row["properties"]["pricingTier"])


# -- connected, and in sync -------------------------------------------------------------------------------------------


@pytest.mark.always
def test_an_instance_is_connected_once(playbook: Playbooks, sandbox: SandboxProcess, instance: Instance) -> None:
    tenant = Defender(playbook, sandbox, instance, plan="Free")
    predicted, real, again = tenant.predicted_and_done("onboard")
    corrected = [
        f"user {USER} (state)",
        f"oauth_application {APPLICATION} (state)",
        "plan CloudPosture (tier)",
        f"integration {instance.name} (state)",
    ]
    for run, word in ((predicted, "would be corrected"), (real, "corrected")):
        lines = run.summary.splitlines()
        assert lines[0].startswith(f"1 instance: 1 {word}")
        assert lines[0].endswith(f"; tenant: {word}")
        assert f"{word}: {instance.name}: {', '.join(corrected[:2])}" in lines
        assert f"{word}: {HOST}: {', '.join(corrected[2:])}" in lines
    assert again.summary == "1 instance: 1 in sync, 1 token verified; tenant: in sync"
    assert plan_of(tenant) == "Standard"
    (row,) = tenant.rows("integrations")
    assert (row["scope"], row["properties"]["displayName"]) == (tenant.subscription, instance.name)
    assert integration_of(real, instance.name)["connection_test"]["status"] == "succeeded"
    assert "aws-prod (AWS), gcp-prod (GCP)" in warnings_of(real["Configure the integrations"])[0]

    tenant.forget_requests()
    clean = tenant("drift").went_well()
    assert clean.summary.splitlines()[0] == "1 instance: 1 in sync; tenant: in sync"
    assert not tenant.written()


def test_a_billed_plan_waits_for_consent_and_the_rest_is_done(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    unasked = {"servicenow_defender_accept_costs": False, "mdc_itsm_rules": [HIGH]}
    tenant = Defender(playbook, sandbox, instance, plan="Free", variables=unasked, eager_extensions=True)
    run = tenant("onboard").went_well()
    assert run.summary.splitlines()[0].endswith("; tenant: drift")
    assert "manual step" in run.summary
    assert "servicenow_defender_accept_costs: true" in run.summary
    assert plan_of(tenant) == "Free"
    assert not tenant.writes()
    assert tenant("drift").status == 2
    extensions = [{"name": "AgentlessVmScanning", "enabled": False}]
    agreed = {"servicenow_defender_accept_costs": True, "mdc_itsm_plan_extensions": extensions}
    tenant("onboard", variables=agreed).went_well()
    assert plan_of(tenant) == "Standard"
    assert tenant.rows("integrations")
    assert tenant("drift", variables=agreed).went_well().summary.splitlines()[0].endswith("tenant: in sync")


def test_a_service_that_fails_does_not_stop_the_others(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    both = {"servicenow_defender_services": ["mda", "mdc"], "mda_connection_contract": "/nowhere/contract.yml"}
    tenant = Defender(playbook, sandbox, instance, variables=both)
    run = tenant("onboard")
    assert "contract.yml" in failure(run)
    assert f"corrected: {HOST}: integration {instance.name} (state)" in run.summary
    assert tenant.rows("integrations"), "Defender for Cloud is connected"


def test_a_subscription_without_recommendations_is_never_in_sync(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    """Foundational CSPM costs nothing and is turned on; until then, drift, verify and tickets name it."""
    tenant = Defender(playbook, sandbox, instance, foundational_plan="Free")
    for what in ("drift", "verify", "tickets"):
        run = tenant(what)
        assert run.status == 2, what
        assert "FoundationalCspm" in run.summary, run.summary
    refused = failure(tenant("onboard", variables={"mdc_itsm_foundational_plan": False}))
    assert "has no recommendations" in refused
    _predicted, real, _again = tenant.predicted_and_done(
        "onboard", variables={"servicenow_defender_accept_costs": False}
    )
    assert ("plan FoundationalCspm", "tier") in drift_of(real)
    tenant("verify").went_well()
    tenant("tickets").went_well()


@pytest.mark.always
def test_drift_is_found_by_drift_and_repaired_by_onboard(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    """Of one play with four instances; its tenant's tasks run once."""
    fleet = clean, renamed, disabled, deleted = [new_instance() for _number in range(4)]
    tenant = Defender(playbook, sandbox, *fleet, plan="Free")
    first = tenant("onboard").went_well()
    assert len([done for done in first.done if done.task.endswith(PLAN)]) == 1
    assert {host: counts["changed"] for host, counts in first.recap.items()} == {
        HOST: 2,
        **{each.name: 1 for each in fleet},
    }, "plan and integrations are one task each"
    assert {row["properties"]["displayName"] for row in tenant.rows("integrations")} == {each.name for each in fleet}

    old = {row["properties"]["displayName"]: row["_id"] for row in tenant.rows("integrations")}
    sandbox.tamper_tenant("integrations", {"displayName": "Somebody's"}, match={"_id": old[renamed.name]})
    sandbox.tamper_tenant("integrations", {"isDisabled": True}, match={"_id": old[disabled.name]})
    sandbox.tamper_tenant("integrations", match={"_id": old[deleted.name]}, delete=True)
    sandbox.tamper_tenant("pricings", {"pricingTier": "Free"}, match={"name": "CloudPosture"})
    tenant.forget_requests()
    drift = tenant("drift")
    assert drift.status == 2
    assert not tenant.written()
    assert drift.recap[HOST]["failed"] == 1
    deviating = {
        ("plan CloudPosture", "tier"),
        (f"integration {renamed.name}", "state"),
        (f"integration {disabled.name}", "disabled"),
        (f"integration {deleted.name}", "state"),
    }
    assert set(drift_of(drift)) == deviating
    assert drift.summary.splitlines()[0] == "4 instances: 4 in sync; tenant: drift"
    line, _ends = drift.summary.splitlines()[1:]
    assert line.startswith(f"drift: {HOST}: plan CloudPosture (tier), ")
    for each in (renamed, disabled, deleted):
        assert f"integration {each.name} " in line
    assert clean.name not in line

    repaired = tenant("onboard").went_well()
    assert set(drift_of(repaired)) == deviating
    assert plan_of(tenant) == "Standard"
    now = {row["properties"]["displayName"]: row for row in tenant.rows("integrations")}
    assert set(now) == {"Somebody's", *(each.name for each in fleet)}
    assert not any(row["properties"]["isDisabled"] for row in now.values())
    assert now[disabled.name]["_id"] == old[disabled.name]
    assert tenant("drift").went_well().summary.splitlines()[0] == "4 instances: 4 in sync; tenant: in sync"


def test_what_the_identity_may_not_read_is_unproven_and_the_rest_is_compared(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance, variables={"mdc_itsm_rules": [HIGH]})
    tenant.onboarded()
    sandbox.tamper_tenant("integrations", {"isDisabled": True}, match={"displayName": instance.name})
    sandbox.turn_tenant(azure_role="Custom", azure_actions=["Microsoft.Security/integrations/read"])
    found = tenant("drift")
    assert found.status == 2
    drift, unproven, _ends = found.summary.splitlines()[1:]
    assert drift == f"drift: {HOST}: integration {instance.name} (disabled)"
    for label in ("plan CloudPosture", f"governance_rule {HIGH['display_name']}"):
        assert f"{label} (Resource Manager refused the call. " in unproven
    assert "AuthorizationFailed" in unproven
    tenant.forget_requests()
    assert failure(tenant("onboard"))
    assert not tenant.writes()


def test_a_connector_gets_an_integration_of_its_own(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    """Findings of AWS are covered by an integration on their connector only."""
    tenant = Defender(playbook, sandbox, instance)
    scope = {"mdc_itsm_scope": f"{tenant.subscription}/{AWS}"}
    _predicted, real, _again = tenant.predicted_and_done("onboard", variables=scope)
    (row,) = tenant.rows("integrations")
    assert row["scope"].endswith("/aws-prod")
    assert not warnings_of(real["Configure the integrations"])
    tenant("drift", variables=scope).went_well()
    assert tenant("drift").status == 2, "the subscription has none"


def test_an_integration_on_another_scope_proves_nothing(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    moved, stays = new_instance(), new_instance()
    tenant = Defender(playbook, sandbox, moved, stays)
    aws = f"{tenant.subscription}/{AWS}"
    tenant("onboard", variables={"mdc_itsm_scope": aws}).went_well()
    own = {"mdc_itsm_scope": f"{{{{ '{aws}' if inventory_hostname == '{stays.name}' else '' }}}}"}
    verified = tenant("verify", variables=own)
    assert verified.status == 2
    assert f"missing or disabled on the scope of their instances: {moved.name}. Run onboard" in verified.summary


def test_an_integration_is_removed_when_the_loss_is_confirmed(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance)
    tenant.onboarded()
    tenant("tickets").went_well()
    count = len(tenant.rows("assignments"))
    absent = {"mdc_itsm_state": "absent"}
    refused = failure(tenant("onboard", variables=absent))
    assert f"{count} assignments there have a ticket" in refused
    assert "confirm_assignment_loss" in refused
    assert tenant.rows("integrations")
    disabled = {"mdc_itsm_disabled": True}
    tenant("onboard", variables=disabled).went_well()
    tenant("verify", variables=disabled).went_well()
    assert f"integrations missing or disabled: {instance.name}" in tenant("verify").summary
    tenant.predicted_and_done("onboard", variables={**absent, "mdc_itsm_confirm_assignment_loss": True})
    assert not tenant.rows("integrations")
    tenant("verify", variables=absent).went_well()


def test_a_changed_password_is_sent_again_and_any_on_demand(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance)
    tenant.onboarded()
    rotated = {"snow_connection_password": "{{ 'rotated-' * 3 }}Password-1"}
    run = tenant("onboard", variables=rotated).went_well()
    assert drift_of(run) == [(f"user {USER}", "password"), (f"integration {instance.name}", "password")]
    assert integration_of(run, instance.name)["connection_test"]["status"] == "succeeded"
    run = tenant("onboard", variables={**rotated, "mdc_itsm_update_credentials": "always"}).went_well()
    assert drift_of(run) == [(f"integration {instance.name}", "credentials")]
    assert "rotated-rotated-" not in run.output


# -- governance rules -------------------------------------------------------------------------------------------------


def test_rules_are_kept_and_what_only_the_portal_can_do_is_reported(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    fleet = new_instance(), new_instance()
    tickets = {**HIGH, "display_name": "Tickets", "priority": 20, "rule_type": "ServiceNow", "ticket_type": "incident"}
    tenant = Defender(playbook, sandbox, *fleet, variables={"mdc_itsm_rules": [HIGH, tickets]})
    _predicted, real, again = tenant.predicted_and_done("onboard")
    rules = {row["properties"]["displayName"]: row["properties"] for row in tenant.rows("rules")}
    assert {name: rule["ruleType"] for name, rule in rules.items()} == {
        "High findings": "Integrated",
        "Tickets": "ServiceNow",
    }
    conditions = [each["conditions"][0]["value"] for each in rules["High findings"]["conditionSets"]]
    assert "Critical" in str(conditions)
    assert "High" in str(conditions)
    drift = tenant("drift")
    assert drift.status == 2, "a manual step that is open is drift"
    for run in (real, again, drift):
        assert "\n1 manual step:\n" in run.summary
        assert "Tickets" in run.summary
        assert "\n    ServiceNow ticket type: incident" in run.summary

    # As the portal makes it: what it sends beyond what is published is taken over.
    more = {"integrationId": "i-1", "ticketType": "Incident"}
    portal = {"displayName": "By hand", "rulePriority": 900, "ruleType": "ServiceNow", "additionalData": more}
    sandbox.tamper_tenant("rules", {"name": PORTAL_ID, "scope": tenant.subscription, **portal}, insert=True)
    learned = {"mdc_itsm_rules": [HIGH, {**tickets, "learn_from": "By hand"}]}
    _predicted, real, again = tenant.predicted_and_done("onboard", variables=learned)
    assert "manual step" not in again.summary
    (row,) = [row for row in tenant.rows("rules") if row["properties"]["displayName"] == "Tickets"]
    assert row["properties"]["additionalData"] == more
    sandbox.tamper_tenant("rules", {"isDisabled": True}, match={"displayName": "High findings"})
    found = tenant("drift", variables={"mdc_itsm_rules": [{**HIGH, "disabled": False}]})
    assert found.status == 2
    assert drift_of(found) == [("governance_rule High findings", "disabled")]


def test_a_rule_can_be_run_and_its_priority_clash_is_explained(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance)
    tenant("onboard", variables={"mdc_itsm_rules": [{**HIGH, "execute": True}]}).went_well()
    assert tenant.rows("assignments")
    clash = {"mdc_itsm_rules": [HIGH, {**HIGH, "display_name": "Another"}]}
    run = tenant("onboard", variables=clash)
    assert run.status == 2
    assert "is taken by the rule 'High findings'" in run.output
    assert "next free priority is 11" in run.output


# -- bad input --------------------------------------------------------------------------------------------------------

ROLES = "Security Admin, Contributor or Owner"
GIVEN = {
    "mdc_itsm_username": "{{ snow_username }}",
    "mdc_itsm_password": "{{ snow_password }}",
    "mdc_itsm_client_id": "itsm-client",
    "mdc_itsm_client_secret": "itsm-secret-1",
}
Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, ...]]
# What is wrong -> knobs of the tenant, variables of its host, variables of the run, and what is reported.
BAD: dict[str, Case] = {
    "plan off": (
        {"plan": "Free"},
        {},
        {"mdc_itsm_plan": False},
        ("Defender CSPM (CloudPosture) is off", "Turn it on (mdc_plan", "it is billed"),
    ),
    "role": (
        {"azure_role": "Security Reader"},
        {},
        {},
        ("The identity may not connect ServiceNow on subscription", f"Give it {ROLES} there (Access control"),
    ),
    "provider": (
        {"provider": "NotRegistered"},
        {},
        {},
        ("The provider Microsoft.Security is NotRegistered", "Resource providers > Microsoft.Security > Register"),
    ),
    "government": (
        {},
        {"azure_cloud": "AzureUSGovernment"},
        {},
        ("AzureUSGovernment has no integration with ServiceNow", "commercial cloud only", "write tickets without"),
    ),
    "china": ({}, {"azure_cloud": "AzureChinaCloud"}, {}, ("AzureChinaCloud has no integration with ServiceNow",)),
    "subscription": (
        {},
        {"azure_subscription_id": NOBODYS},
        {},
        (NOBODYS, "SubscriptionNotFound", "Check the subscription's id"),
    ),
    "forbidden": ({"azure_role": "none"}, {}, {}, ("AuthorizationFailed", ROLES)),
    "credentials": (
        {},
        {},
        {"mdc_itsm_password": "not-the-password-1"},
        ("did not accept the credentials (WrongCredentials", "Check username, password, client_id (mdc_itsm_client_id in the role) and client_secret"),
    ),
    "rights": (
        {"integration_reads": "dictionary"},
        {},
        {"mdc_itsm_username": "itil_agent", "mdc_itsm_password": "{{ agent_password }}"},
        ("accepted the credentials, but the user may not read", "UserUnauthorized", "grant the user that role"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_work_is_reported_before_the_first_write(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, case: str
) -> None:
    knobs, azure, variables, words = BAD[case]
    password = "agent-Password-1"
    instance = new_instance(users={"itil_agent": {"password": password, "roles": ["itil"]}})
    instance.add("oauth_entity", name="Connector", client_id="itsm-client", client_secret="itsm-secret-1")
    tenant = Defender(playbook, sandbox, instance, variables={**GIVEN, "agent_password": password}, **knobs)
    run = tenant("onboard", "--tags", "mdc", azure=azure, variables=variables)
    reported = failure(run)
    assert all(word in reported for word in words), reported
    assert not tenant.written()
    assert "not-the-password-1" not in run.output
    assert password not in run.output


def test_a_sovereign_cloud_is_refused_before_account_and_application_are_made(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    fleet = new_instance(), new_instance()
    tenant = Defender(playbook, sandbox, *fleet)
    run = tenant("onboard", azure={"azure_cloud": "AzureUSGovernment"})
    assert run.status == 2
    assert "AzureUSGovernment has no integration with ServiceNow" in run.summary
    assert "Security Incident Response (SIR)" in run.summary
    assert all(run.recap[each.name]["failed"] == 1 for each in fleet)
    assert not tenant.written()
    assert not any(each.rows("oauth_entity", name=APPLICATION) for each in fleet)


def test_only_what_is_needed_is_requested_of_the_identity(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    fleet = new_instance(), new_instance()
    reading = ["Microsoft.Security/*/read", "Microsoft.Authorization/*/read", "Microsoft.Resources/*/read"]
    custom = {"azure_role": "Custom", "azure_actions": [*reading, "Microsoft.Security/integrations/write"]}
    tenant = Defender(playbook, sandbox, *fleet, plan="Free", **custom)
    reported = failure(tenant("onboard"))
    assert "may not turn plans on" in reported
    assert "connect ServiceNow" not in reported
    assert not tenant.writes()
    tenant = Defender(playbook, sandbox, *fleet, **custom)
    reported = failure(tenant("onboard", variables={"mdc_itsm_rules": [HIGH]}))
    assert "may not write governance rules" in reported
    assert reported.count(f"Give it {ROLES} there") == 1
    assert not tenant.writes()
    tenant("onboard").went_well()
    assert len(tenant.rows("integrations")) == 2


def test_without_a_tenant_nothing_is_connected_and_the_summary_shows_it(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    run = playbook("onboard", instance, variables={"servicenow_defender_services": ["mdc"]}).went_well()
    assert "tenant: unproven (the inventory has no group defender)" in run.summary
    assert "integration" not in run.summary
    tenant = Defender(playbook, sandbox, instance)
    without = tenant.hosts(*MDA, "azure_subscription_id")
    hosts = {instance.name: instance.connection, **without}
    run = playbook("onboard", hosts, variables=tenant.variables, defender=[HOST]).went_well()
    assert (
        f"unproven: {HOST}: integrations (nothing is connected to Defender for Cloud: {HOST} has no azure_subscription_id"
        in run.summary
    )
    for what in ("verify", "drift"):
        run = playbook(what, hosts, variables=tenant.variables, defender=[HOST])
        assert (run.status, "tenant: unproven" in run.summary) == (2, True), what
    unknown = tenant("onboard", "--tags", "mdc", variables={"mdc_itsm_tenant": "acme-nowhere"})
    assert "acme-nowhere, which is not a host of the inventory" in failure(unknown)


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.walk(1)
@pytest.mark.parametrize("shell", SHELLS)
def test_no_secret_of_either_side_is_left_behind(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, shell: str
) -> None:
    secrets = {
        "password": 'service"acc&p+ss%41\\wörd/1☃',
        "client": "clie'nt=s&cret%+ö?#2 ☃",
        "azure": "",
        "account": instance.access.password,
        "wrong": "wrong\"it'sm&p+ss%/3ñ",
    }
    variables = {
        "snow_connection_password": "{{ planted.password }}",
        "snow_connection_client_secret": "{{ planted.client }}",
        "planted": secrets,
        "mdc_itsm_rules": [HIGH],
    }
    tenant = Defender(playbook, sandbox, instance, variables=variables, plan="Free")
    secrets["azure"] = tenant.access["azure_client_secret"]
    environment = {
        "ANSIBLE_LOG_PATH": str(playbook.folder / "ansible.log"),
        "ANSIBLE_LOCAL_TEMP": str(playbook.folder / "local_temp"),
        "ANSIBLE_REMOTE_TEMP": str(playbook.folder / "remote_temp"),
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
    }
    options: dict[str, Any] = {"shell": shell, "environment": environment}
    with CommandLines() as lines:
        runs = [
            tenant("onboard", "-vvvv", "--diff", **options).went_well(),
            tenant("tickets", "-vvvv", "--diff", **options).went_well(),
        ]
        again = {"mdc_itsm_password": "{{ planted.wrong }}", "mdc_itsm_update_credentials": "always"}
        runs.append(tenant("onboard", "-vvvv", "--diff", variables=again, **options))
    assert "did not accept the credentials" in failure(runs[-1])
    for run in runs:
        assert not found_in(run.output, secrets)
    assert not found_in("\n".join(lines.seen), secrets)
    # What the test itself wrote: the inventory and the variables.
    assert not files_with_secrets(playbook.folder, secrets, "inventory-", "variables-")
