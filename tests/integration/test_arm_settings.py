# SPDX-License-Identifier: GPL-3.0-or-later
"""Defender for Cloud through ansible-playbook: access, the plan, integrations and governance rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, Run, Task, task
from tests.integration.tenant import SimulatedTenant, tenant_run, writes_of
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(8)

IGNORED = {"ignore_errors": True}
CLIENT = {"client_id": "itsm-client", "client_secret": "itsm-secret-text-1"}
OWNER = {"by_tag": "owner"}
GROUP = "/providers/Microsoft.Management/managementGroups/mg-acme"
PORTAL = {"additionalData": {"integrationId": "i-1", "ticketType": "incident"}}


@pytest.fixture
def ready(new_instance: NewInstance) -> Instance:
    """An instance with an OAuth application that an integration can sign in with."""
    instance = new_instance()
    instance.add("oauth_entity", name="Defender for Cloud", **CLIENT)
    return instance


def subscription(tenant: SimulatedTenant) -> str:
    return f"/subscriptions/{tenant.access['azure_subscription_id']}"


def rule(name: str, **options: Any) -> Task:
    return task("mdc_governance_rule", name, display_name="High findings", **options)


def integration(name: str, instance: Instance | None = None, /, **options: Any) -> Task:
    account: dict[str, Any] = {}
    if instance:
        access = instance.access
        account = {"instance_url": access.url, "username": access.username, "password": access.password, **CLIENT}
    return task("mdc_integration", name, **{"display_name": "prod-itsm", **account, **options})


def assert_predicted_then_done_then_in_sync(run: Run, name: str, *, left: bool = False) -> None:
    """Check the three tasks of a step. `left`: there is a manual step, so drift stays."""
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False)
    assert not writes_of(predicted)
    assert not writes_of(again)
    assert real["api_calls"]["write"] == sum(writes_of(real).values()) > 0
    assert predicted["api_calls"]["write"] == again["api_calls"]["write"] == 0
    for key in ("drift", "diff", "manual_steps"):
        assert predicted[key] == real[key], f"{name} does not predict {key}"
    assert bool(again["drift"]) == bool(again["manual_steps"]) == left


@pytest.mark.parametrize("shell", SHELLS)
def test_a_plan_is_switched_on_changed_and_off(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    # Each change is refused until the one before has settled.
    tenant = SimulatedTenant(sandbox, pricing_seconds=0.2)
    steps = [
        task(
            "mdc_plan",
            "on",
            accept_costs=True,
            tier="Standard",
            extensions=[{"name": "SensitiveDataDiscovery", "enabled": False}],
        ),
        task("mdc_plan", "changed", extensions=[{"name": "SensitiveDataDiscovery"}]),
        task("mdc_plan", "off", tier="Free"),
    ]
    tasks = [each for step in steps for each in predicted_and_done(step)]
    run = tenant_run(playbook, tasks, tenant.hosts(), shell=shell).went_well()
    for name in ("on", "changed", "off"):
        assert_predicted_then_done_then_in_sync(run, name)
    enabled = {entry["name"]: entry["enabled"] for entry in run["changed: real"]["plan"]["extensions"]}
    assert enabled["SensitiveDataDiscovery"] is enabled["AgentlessVmScanning"] is True
    assert [entry["field"] for entry in run["changed: real"]["drift"]] == ["extension SensitiveDataDiscovery"]
    assert " stops: " in run["off: real"]["warnings"][0]
    own = f"{subscription(tenant)}/".lower()
    (row,) = [row for row in tenant.rows("pricings", name="CloudPosture") if row["_id"].lower().startswith(own)]
    assert row["properties"]["pricingTier"] == "Free"


def test_a_plan_waits_for_another_update_and_gives_up_in_words(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, pricing_seconds=600.0)
    steps = [
        task("mdc_plan", "first", accept_costs=True, tier="Standard"),
        task(
            "mdc_plan",
            "second",
            accept_costs=True,
            tier="Standard",
            name="StorageAccounts",
            wait_timeout=1,
            more=IGNORED,
        ),
        task("mdc_plan", "unknown", name="Nothing", more=IGNORED),
    ]
    run = tenant_run(playbook, steps, tenant.hosts())
    assert run["first"].changed
    assert "has not ended within 1 s" in run["second"].message
    assert "wait_timeout" in run["second"].message
    assert "Nothing" in run["unknown"].message


def test_an_extension_that_fails_within_success_is_a_failure(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, failing_extensions=["AgentlessVmScanning"])
    run = tenant_run(playbook, [task("mdc_plan", accept_costs=True, tier="Standard", more=IGNORED)], tenant.hosts())
    assert run.last.failed
    assert "extension AgentlessVmScanning -> Failed: Failed assigning roles" in run.last.message
    assert "SensitiveDataDiscovery on" in run.last.message


@pytest.mark.parametrize("shell", SHELLS)
def test_access_is_reported(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant = SimulatedTenant(sandbox, provider="NotRegistered")
    run = tenant_run(playbook, [task("mdc_access_info")], tenant.hosts(), shell=shell).went_well()
    assert [problem["id"] for problem in run.last["problems"]] == ["provider_not_registered"]
    tenant = SimulatedTenant(sandbox)
    steps = [
        task("mdc_access_info", "plan off"),
        task("mdc_plan", "on", accept_costs=True, tier="Standard"),
        task("mdc_access_info", "good"),
        task("mdc_access_info", "group", scope=GROUP),
        task("mdc_access_info", "elsewhere", azure_cloud="AzureChinaCloud", more=IGNORED),
    ]
    run = tenant_run(playbook, steps, tenant.hosts(), shell=shell)
    assert [problem["id"] for problem in run["plan off"]["problems"]] == ["plan_off", "not_owner"]
    for name in ("good", "group"):
        assert run[name]["problems"] == []
        assert set(run[name]["access"]["capabilities"].values()) == {"allowed"}
    assert run["good"]["access"]["caller"]["object_id"]
    assert not run["good"].changed
    assert "cloud_unsupported" in str(run["elsewhere"].result.get("problems")) or run["elsewhere"].failed


def test_a_missing_role_is_named(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, azure_role="Security Reader")
    denied = f"/subscriptions/{tenant.access['azure_subscription_ids'][1]}"
    sandbox.turn_tenant(azure_roles={denied: "none"})
    gone = "/subscriptions/00000000-0000-0000-0000-000000000000"
    steps = [
        task("mdc_access_info", "reader"),
        task("mdc_access_info", "denied", scope=denied, more=IGNORED),
        task("mdc_access_info", "gone", scope=gone, more=IGNORED),
        task("mdc_plan", "plan", accept_costs=True, tier="Standard", more=IGNORED),
        rule("rule", priority=1, severities=["High"], owner=OWNER, more=IGNORED),
    ]
    run = tenant_run(playbook, steps, tenant.hosts())
    found = [problem["id"] for problem in run["reader"]["problems"]]
    assert {"cannot_write_plan", "cannot_write_integration", "cannot_write_governance_rules", "plan_off"} <= set(found)
    assert "AuthorizationFailed" in run["denied"].message
    assert "SubscriptionNotFound" in run["gone"].message
    for name in ("denied", "plan", "rule"):
        assert "Security Admin, Contributor or Owner" in run[name].message, name
    assert not tenant.rows("rules")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_rule_is_created_run_and_deleted(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard", arm_page=1)
    whole = {
        "priority": 10,
        "severities": ["High"],
        "owner": OWNER,
        "remediation_timeframe_days": 7,
        "grace_period": True,
    }
    steps = [
        rule("create", **whole),
        rule("change", severities=["High", "Medium"], remediation_timeframe_days=14, notify_owner=False),
        rule("remove", state="absent"),
    ]
    tasks = [each for step in steps for each in predicted_and_done(step)]
    runs = [
        rule("run in check mode", execute=True, more={"check_mode": True}),
        rule("run", execute=True, override=True),
    ]
    run = tenant_run(playbook, [*tasks[:6], *runs, *tasks[6:]], tenant.hosts(), shell=shell).went_well()
    for name in ("create", "change", "remove"):
        assert_predicted_then_done_then_in_sync(run, name)
    assert {entry["field"] for entry in run["change: real"]["drift"]} == {
        "severities", "remediation_timeframe_days", "notify_owner",
    }  # fmt: skip
    kept = run["change: real"]["governance_rule"]
    assert (kept["priority"], kept["grace_period"], kept["notify_owner"]) == (10, True, False)
    assert run["run in check mode"].changed
    assert not writes_of(run["run in check mode"])
    assert run["run"].changed
    assert run["run"]["drift"] == []
    assert run["run"]["executed"] is True
    assert tenant.rows("assignments"), "the run assigned nothing"
    assert not tenant.rows("rules")


def test_a_run_that_fails_is_a_failure(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard", operation_outcome="Failed")
    step = rule("run", priority=1, severities=["High"], owner=OWNER, execute=True, more=IGNORED)
    run = tenant_run(playbook, [step], tenant.hosts())
    assert "the run of governance_rule High findings failed" in run.last.message
    assert tenant.rows("rules")


def test_a_servicenow_rule_learns_from_the_portal(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard")
    whole = {
        "priority": 10,
        "severities": ["High"],
        "owner": OWNER,
        "rule_type": "ServiceNow",
        "ticket_type": "problem",
    }
    alone = tenant_run(playbook, predicted_and_done(rule("alone", **whole)), tenant.hosts()).went_well()
    assert_predicted_then_done_then_in_sync(alone, "alone", left=True)
    (step,) = alone["alone: real"]["manual_steps"]
    assert step["values"]["ServiceNow ticket type"] == "problem"
    assert "creates no tickets" in alone["alone: real"]["warnings"][0]
    values = {"displayName": "Made in the portal", "rulePriority": 1, "ruleType": "ServiceNow", **PORTAL}
    row_id = "00000000-0000-0000-0000-00000000000f"
    sandbox.tamper_tenant("rules", {"name": row_id, "scope": subscription(tenant), **values}, insert=True)
    learned = rule("learned", **whole, learn_from="Made in the portal")
    run = tenant_run(playbook, predicted_and_done(learned), tenant.hosts()).went_well()
    assert_predicted_then_done_then_in_sync(run, "learned")
    (row,) = [row for row in tenant.rows("rules") if row["properties"]["displayName"] == "High findings"]
    assert row["properties"]["additionalData"] == PORTAL["additionalData"]


def test_a_priority_that_is_taken_is_explained(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard")
    whole = {"priority": 10, "severities": ["High"], "owner": OWNER}
    other = task("mdc_governance_rule", "other", display_name="Other", **whole, more=IGNORED)
    run = tenant_run(playbook, [rule("first", **whole), other], tenant.hosts())
    assert "is taken by the rule 'High findings'" in run["other"].message
    assert "next free priority is 11" in run["other"].message
    assert len(tenant.rows("rules")) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_an_integration_is_created_and_deleted(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard")
    steps = [
        integration("connect", ready),
        integration("change", ready, disabled=True),
        integration("disconnect", state="absent", confirm_assignment_loss=True),
    ]
    tasks = [each for step in steps for each in predicted_and_done(step)]
    always = [
        integration(name, ready, disabled=True, update_credentials="always") for name in ("rotate", "rotate again")
    ]
    run = tenant_run(playbook, [*tasks[:6], *always, *tasks[6:]], tenant.hosts(), shell=shell).went_well()
    for name in ("connect", "change", "disconnect"):
        assert_predicted_then_done_then_in_sync(run, name)
    assert run["connect: real"]["connection_test"]["status"] == "succeeded"
    assert run["connect: real"]["integration"]["tables_configurations"]
    assert "aws-prod (AWS), gcp-prod (GCP)" in run["connect: real"]["warnings"][0]
    for name in ("rotate", "rotate again"):
        assert [entry["field"] for entry in run[name]["drift"]] == ["credentials"]
        assert "every run writes the credentials and reports a change" in run[name]["warnings"][0]
    assert not tenant.rows("integrations")
    for secret in (CLIENT["client_secret"], ready.access.password):
        assert secret not in run.output


@pytest.mark.parametrize("test", [True, False])
def test_wrong_credentials_are_found_before_anything_is_written(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, test: bool
) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard", connection_test=test)
    wrong = integration("wrong", ready, client_secret="not-the-secret", more=IGNORED)
    run = tenant_run(playbook, [wrong], tenant.hosts())
    if test:
        assert "did not accept the credentials (WrongCredentials" in run.last.message
        assert not tenant.writes()
    else:
        assert "could not be tested before the write" in run.last["warnings"][0]
        assert tenant.rows("integrations")
    assert "not-the-secret" not in run.output


def test_what_must_not_be_written_is_refused(playbook: Playbooks, sandbox: SandboxProcess, ready: Instance) -> None:
    tenant = SimulatedTenant(sandbox)
    off = tenant_run(playbook, [integration("plan off", ready, more=IGNORED)], tenant.hosts())
    assert "is off on subscription" in off.last.message
    assert not tenant.writes()
    tenant = SimulatedTenant(sandbox, plan="Standard")
    steps = [
        integration("connect", ready),
        integration("without credentials", disabled=True, more=IGNORED),
        integration("unconfirmed", state="absent", more=IGNORED),
        integration("other cloud", ready, azure_cloud="AzureUSGovernment", more=IGNORED),
    ]
    run = tenant_run(playbook, steps, tenant.hosts())
    assert "a change of disabled also requires instance_url" in run["without credentials"].message
    assert "confirm_assignment_loss" in run["unconfirmed"].message
    assert "0 assignments there have a ticket" in run["unconfirmed"].message
    assert "commercial cloud only" in run["other cloud"].message
    assert sum(tenant.writes().values()) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_integrations_are_listed_own_and_inherited(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard")
    connector = (
        f"{subscription(tenant)}/resourceGroups/rg-connectors/providers/Microsoft.Security/securityConnectors/aws-prod"
    )
    steps = [
        integration("group", ready, scope=GROUP, include_members=True),
        integration("own", ready),
        integration("connector", ready, scope=connector, display_name="aws-itsm"),
        task("mdc_integration_info", "list"),
        task("mdc_integration_info", "list of connector", scope=connector),
    ]
    run = tenant_run(playbook, steps, tenant.hosts(), shell=shell).went_well()
    found = [(entry["display_name"], entry["inherited_from"]) for entry in run["list"]["integrations"]]
    assert found == [("prod-itsm", ""), ("prod-itsm", GROUP)]
    assert [entry["display_name"] for entry in run["list of connector"]["integrations"]] == ["aws-itsm"]
    assert run["list"]["api_version"] == "2023-07-01-preview"
    assert len(tenant.rows("integrations")) == 3


@pytest.mark.parametrize("shell", SHELLS)
def test_a_rule_is_listed_with_the_options_that_describe_it(
    playbook: Playbooks, sandbox: SandboxProcess, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard")
    made = rule("make", severities=["High"], owner=OWNER, priority=200, remediation_timeframe_days=14)
    run = tenant_run(playbook, [made, task("mdc_governance_rule_info", "list")], tenant.hosts(), shell=shell)
    (found,) = run.went_well()["list"]["governance_rules"]
    assert (found["not_described"], found["inherited_from"]) == ([], "")
    described = task("mdc_governance_rule", "with its own options", **found["options"])
    assert not tenant_run(playbook, [described], tenant.hosts(), shell=shell).went_well().last.changed


def test_a_contract_connects(playbook: Playbooks, sandbox: SandboxProcess, ready: Instance) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard")
    arm = tenant.access["azure_arm_url"]
    path = "${scope}/providers/Microsoft.Security/integrations/${id}?api-version=${api_version}"
    create = {
        "method": "PUT",
        "url": f"{arm}/{path}",
        "headers": {"authorization": "${authorization}"},
        "body": {"properties": "${properties}"},
        "expect": {"status": 201},
    }
    contract = {"contract": 1, "name": "ours", "target": "mdc_integration", "operations": {"create": create}}
    file = playbook.folder / "contract.yml"
    file.write_text(json.dumps(contract))
    step = integration("connect", ready, contract=f"{{{{ lookup('ansible.builtin.file', '{file}') | from_yaml }}}}")
    run = tenant_run(playbook, predicted_and_done(step), tenant.hosts()).went_well()
    assert_predicted_then_done_then_in_sync(run, "connect")
    assert tenant.rows("integrations")


def test_answers_that_get_lost_make_nothing_twice(
    playbook: Playbooks, sandbox: SandboxProcess, ready: Instance
) -> None:
    tenant = SimulatedTenant(sandbox, plan="Standard", operation_style="Azure-AsyncOperation", operation_retry_after=1)
    whole = {"priority": 10, "severities": ["High"], "owner": OWNER}
    steps = [rule("rule", **whole), integration("integration", ready)]
    ends = [
        rule("no rule", state="absent"),
        integration("no integration", state="absent", confirm_assignment_loss=True),
    ]
    sandbox.turn_tenant(faults=[{"kind": "reset-after-commit", "path": "/arm/*", "method": "PUT", "count": 2}])
    run = tenant_run(playbook, steps, tenant.hosts()).went_well()
    assert run["rule"]["governance_rule"]["id"] == tenant.rows("rules")[0]["name"]
    assert (len(tenant.rows("rules")), len(tenant.rows("integrations"))) == (1, 1)
    assert any("failed, next one in" in warning for warning in run["rule"]["warnings"])
    sandbox.turn_tenant(faults=[{"kind": "reset-after-commit", "path": "/arm/*", "method": "DELETE", "count": 1}])
    run = tenant_run(playbook, ends, tenant.hosts()).went_well()
    assert (tenant.rows("rules"), tenant.rows("integrations")) == ([], [])
