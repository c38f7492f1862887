# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook adopt: the variables of a fleet that was connected by hand, with which drift is clean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.integration.conftest import NewInstance
from tests.integration.connected_by_hand import (
    ACCOUNT,
    APPLICATION,
    READS,
    connect_by_hand,
    connect_exposure_management,
    connect_with_little,
)
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run, task
from tests.integration.tenant import HOST, SimulatedTenant, tenant_run
from tests.integration.test_exposure_management import ASSET
from tests.sandbox.process import SandboxProcess

RANGE = {"category": "corporate", "subnets": ["203.0.113.0/24"], "tags": ["office"]}
RULE = {
    "rule_type": "Integrated", "priority": 100, "severities": ["High"], "owner": {"by_tag": "owner"}, "remediation_timeframe_days": 14,
    "grace_period": True,
}  # fmt: skip
INTEGRATION = {
    "display_name": "ServiceNow tickets", "instance_url": "https://old.example.com", "username": "svc_mdc", "password": "by-hand-1",
    "client_id": "id", "client_secret": "by-hand-2", "validate_credentials": False,
}  # fmt: skip
RULE_ID = "7f0b5fb2-5a1c-4a55-9b3e-0d7a4e6f0c11"
BY_HAND = [
    task("mdc_plan", tier="Standard", accept_costs=True),
    task("mdc_integration", **INTEGRATION),
    task("mdc_governance_rule", display_name="High findings", **RULE),
    task("mda_ip_ranges", ip_ranges=[{"name": "Head office", **RANGE}]),
]  # fmt: skip


def file_of(playbook: Playbooks, host: str) -> Path:
    return playbook.folder / "host_vars" / host / "servicenow_defender.yml"


def adopt(playbook: Playbooks, hosts: Any, *words: str, **options: Any) -> Run:
    return playbook("adopt", hosts, *words, **options)


def read(path: Path) -> dict[str, Any]:
    class Loader(yaml.SafeLoader):
        """Takes unsafe text as text."""

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    content: dict[str, Any] = yaml.load(path.read_text(), Loader=Loader)
    return content


def test_a_fleet_connected_by_hand_is_in_sync_with_its_variables(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instances = first, second = new_instance(), new_instance()
    connect_by_hand(first)
    connect_with_little(second)
    before = [instance.content() for instance in instances]
    seen = adopt(playbook, instances, check=True).went_well()
    assert not file_of(playbook, first.name).exists()
    assert "+snow_connection_user_name: mcas.service" in seen.output

    for instance in instances:
        instance.forget_requests()
    run = adopt(playbook, instances).went_well()
    # Applications; accounts and roles; comparisons until no setting deviates: some stand for another one.
    assert [sum(instance.requests().values()) for instance in instances] == [5, 5]
    assert all(numbers["changed"] == 1 for numbers in run.recap.values())
    text = file_of(playbook, first.name).read_text()
    known = read(file_of(playbook, first.name))
    assert known["snow_connection_application_name"] == APPLICATION
    assert known["snow_connection_tables"] == [*READS]
    assert known["snow_connection_access_token_lifespan"] == 1800
    assert not known.keys() & {"snow_connection_user_roles", "snow_connection_scope_restriction"}
    assert known["servicenow_defender_unsupplied_secrets"] == [
        f"user {ACCOUNT} (password)", f"oauth_application {APPLICATION} (client_secret)",
    ]  # fmt: skip

    again = adopt(playbook, instances).went_well()
    assert all(numbers["changed"] == 0 for numbers in again.recap.values()), again.output
    assert file_of(playbook, first.name).read_text() == text

    for instance in instances:
        instance.forget_requests()
    drift = playbook("drift", instances, "--tags", "snow")
    assert drift.status == 0, drift.output
    assert "unproven" in drift.summary
    assert [sum(instance.requests().values()) for instance in instances] == [1, 1]
    assert [instance.content() for instance in instances] == before


def test_a_tenant_has_variables_with_what_serves_its_instances(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    connect_by_hand(instance, 'It\'s "MCAS": {prod} # 1')
    connect_by_hand(instance, "Defender for Cloud", "svc_mdc", "x_mdc_tickets")
    tenant = SimulatedTenant(sandbox, subscriptions=1)
    tenant.connector("ServiceNow production", instance.connection["snow_url"])
    hosts = {instance.name: instance.connection, **tenant.hosts()}
    tenant_run(playbook, BY_HAND, tenant.hosts()).went_well()
    variables = {"servicenow_defender_services": ["mda", "mdc"]}
    options: dict[str, Any] = {"defender": [HOST], "variables": variables}
    writes = tenant.writes()
    playbook("adopt", hosts, **options).went_well()
    described = read(file_of(playbook, HOST))
    assert described["mda_protection_ip_ranges"] == [{"name": "Head office", **RANGE}]
    assert described["mdc_itsm_rules"] == [{"display_name": "High findings", **RULE}]
    known = read(file_of(playbook, instance.name))
    assert known["mda_connection_name"] == "ServiceNow production"
    assert (
        "connector ServiceNow production (credentials)"
        in read(file_of(playbook, HOST))["servicenow_defender_unsupplied_secrets"]
    )
    assert known["mdc_itsm_display_name"] == "ServiceNow tickets"
    assert known["snow_connection_user_name"].startswith("{{ {'mda': 'mcas.service', 'mdc': 'svc_mdc'}")
    again = playbook("adopt", hosts, **options).went_well()
    assert all(numbers["changed"] == 0 for numbers in again.recap.values()), again.output
    assert tenant.writes() == writes
    drift = playbook("drift", hosts, **options)
    assert drift.status == 0, drift.output


def test_variables_describe_data_connectors_by_what_instances_have_for_them(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    first, basic = instances = new_instance(), new_instance()
    connect_exposure_management(first)
    connect_exposure_management(basic, basic=True)
    tenant = SimulatedTenant(sandbox)
    hosts = {**{each.name: each.connection for each in instances}, **tenant.hosts()}
    options: dict[str, Any] = {"defender": [HOST], "variables": {"servicenow_defender_services": ["msem"]}}
    nothing = playbook("adopt", hosts, check=True, **options).went_well()
    assert f"data_connector {first.name}" in nothing.summary
    assert "no asset of ServiceNow has arrived" in nothing.summary
    sandbox.tamper_tenant("exposure_nodes", ASSET, insert=True)
    run = playbook("adopt", hosts, **options).went_well()
    assert "no asset of ServiceNow" not in run.summary
    known = read(file_of(playbook, first.name))
    assert known["snow_connection_application_name"] == "Exposure CMDB"
    assert known["snow_connection_user_name"] == "msem.reader"
    assert known["snow_connection_access_token_lifespan"] == 900
    assert "snow_connection_grant_type" not in known
    assert known["servicenow_defender_unsupplied_secrets"] == ["oauth_application Exposure CMDB (client_secret)"]
    other = read(file_of(playbook, basic.name))
    assert other["snow_connection_grant_type"] == "basic"
    assert other["servicenow_defender_unsupplied_secrets"] == ["user msem.reader (password)"]
    assert read(file_of(playbook, HOST))["servicenow_defender_unsupplied_secrets"] == [
        f"data_connector {each.name} (credentials)" for each in instances
    ]
    again = playbook("adopt", hosts, **options).went_well()
    assert all(numbers["changed"] == 0 for numbers in again.recap.values()), again.output
    drift = playbook("drift", hosts, **options)
    assert drift.status == 0, drift.output
    assert "manual step" not in drift.summary
    assert f"data_connector {first.name} (credentials)" in drift.summary


def test_what_a_management_group_defines_is_found_and_what_no_option_expresses_is_named(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    connect_by_hand(instance, "Defender for Cloud", "svc_mdc", "x_mdc_tickets")
    tenant = Defender(playbook, sandbox, instance, subscriptions=1, plan="Standard")
    group = f"/providers/Microsoft.Management/managementGroups/{tenant.access['azure_management_group_id']}"
    of_group = [
        task("mdc_integration", **INTEGRATION, scope=group, include_members=True),
        task("mdc_governance_rule", display_name="High findings", **RULE, scope=group),
    ]
    tenant_run(playbook, of_group, tenant.hosts()).went_well()
    odd = {
        "displayName": "By type", "rulePriority": 7, "ruleType": "Integrated", "ownerSource": {"type": "ByTag", "value": "owner"},
        "conditionSets": [{"conditions": [{"property": "$.ResourceType", "operator": "In", "value": "[]"}]}],
        "sourceResourceType": "Assessments",
    }  # fmt: skip
    sandbox.tamper_tenant("rules", {"name": RULE_ID, "scope": tenant.subscription, **odd}, insert=True)
    run = tenant("adopt").went_well()
    assert read(file_of(playbook, instance.name))["mdc_itsm_scope"] == group
    assert read(file_of(playbook, HOST))["mdc_itsm_rules"] == [
        {
            "display_name": "By type", "rule_type": "Integrated", "priority": 7, "owner": {"by_tag": "owner"},
            "scope": tenant.subscription,
        },
        {"display_name": "High findings", **RULE, "scope": group},
    ]  # fmt: skip
    assert "governance_rule By type (conditionSets)" in run.summary
    assert "no option of mdc_governance_rule expresses it" in run.summary
    drift = tenant("drift")
    assert drift.status == 0, drift.output


def test_what_cannot_be_described_is_named_and_other_instances_have_files(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    twice, broken, legacy, edited = instances = [new_instance() for _number in range(4)]
    for each in instances:
        connect_by_hand(each)
    twice.add("oauth_entity", name="Cloud App Security", type="client", active="true", client_id="other")
    broken.turn(faults=[{"kind": "hibernating"}])
    user = legacy.row("sys_user", user_name=ACCOUNT)["sys_id"]
    legacy.add(
        "sys_user_has_role", user=user, role=legacy.row("sys_user_role", name="admin")["sys_id"], inherited="false"
    )
    path = file_of(playbook, edited.name)
    path.parent.mkdir(parents=True)
    path.write_text("---\n# By hand.\nmine: 1\nsnow_connection_tables: [incident]\n")
    run = adopt(playbook, instances)
    assert run.status == 2
    failed = {done.host: done.message for done in run.failures}
    assert failed.keys() == {twice.name, broken.name}, run.output
    assert f"{APPLICATION!r}" in failed[twice.name]
    assert "'Cloud App Security'" in failed[twice.name]
    assert "snow_connection_application_name" in failed[twice.name]
    assert read(file_of(playbook, legacy.name))["snow_connection_legacy_admin"] is True
    kept = file_of(playbook, edited.name).read_text()
    assert kept.startswith("---\n# By hand.\nmine: 1\nsnow_connection_tables: [incident]\n\n# BEGIN adopt")
    assert kept.count("snow_connection_tables") == 1
    given = {"snow_connection_application_name": "Cloud App Security"}
    adopt(playbook, [twice], variables=given).went_well()
    assert read(file_of(playbook, twice.name))["snow_connection_application_name"] == "Cloud App Security"
    assert adopt(playbook, [twice]).went_well().recap[twice.name]["changed"] == 0
    (playbook.folder / "file").write_text("")
    run = adopt(playbook, [legacy], variables={"adopt_dir": str(playbook.folder / "file")})
    assert run.status == 2
    assert "is not a folder" in run.failures[0].message
