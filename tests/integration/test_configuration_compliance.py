# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_configuration_compliance and its role: ServiceNow reads Defender for Cloud into Configuration Compliance."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.findings import Findings
from tests.integration.lifecycle import run_lifecycle
from tests.integration.playbooks import COLLECTION, Playbooks, Task, task
from tests.integration.tenant import AZURE, HOST
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(7)

TENANT, CLIENT, SECRET = (
    "5c1e7d0a-6f5b-4d7f-9a55-0c9f1f2f8a11",
    "0b8f8a3e-3a5f-4b0e-8f0e-5a4c5a1d2e33",
    "Entra-S3cret-7c1d",
)
SUBSCRIPTIONS = ["3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7c001", "3f6c1c2e-94d4-4b8e-a8f7-6b1a58f7c002"]
FORM: dict[str, Any] = {
    "tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET, "import_from": "subscriptions", "subscriptions": SUBSCRIPTIONS,
}  # fmt: skip
TABLE = "sn_vul_msft_tvm_dfc_setup"
ALL = {"import_from": "all", "subscriptions": None}
BATCHES = {"POST /api/now/v1/batch": 2}
SHORT = {"poll_interval": 0.02}


def compliance(name: str = "configure", **options: Any) -> Task:
    return {**task("snow_configuration_compliance", **{**FORM, **SHORT, **options}), "name": name}


def problems(result: dict[str, Any]) -> list[str]:
    assert all(entry["message"] and entry["remedy"] for entry in result["problems"])
    return [entry["id"] for entry in result["problems"]]


def steps(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["id"].removeprefix("configuration_compliance:"): step for step in result["manual_steps"]}


@pytest.mark.parametrize("record", ["absent", "blank"])
def test_the_form_is_filled_in_wherever_it_is_kept(playbook: Playbooks, new_instance: NewInstance, record: str) -> None:
    knobs = {"configuration_compliance": "tvm", "compliance": {"record": record, "line": "classic"}}
    run, instance = run_lifecycle(playbook, new_instance, compliance(), **knobs)
    row = instance.row(TABLE)
    assert (row["directory"], row["app"], row["import_from"]) == (TENANT, CLIENT, "sub")
    assert row["sub_list"] == ",".join(SUBSCRIPTIONS)
    reported = run["configure: real"]["configuration_compliance"]
    assert (reported["generation"], reported["line"], reported["configuration"]["table"]) == (
        "sn_vul_msft_tvm",
        "classic",
        TABLE,
    )
    assert [job["run_as"] for job in reported["jobs"]] == ["VR.System"] * 6
    assert run["configure: again"].requests == BATCHES
    assert list(steps(run["configure: real"].result)) == ["entra_application", "run_jobs"]
    assert SECRET not in run.output


def test_instance_parameters_are_written_where_there_is_no_table(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    knobs = {"configuration_compliance": "tvm", "compliance": {"storage": "parameters"}}
    run, instance = run_lifecycle(playbook, new_instance, compliance(), **knobs)
    reported = run["configure: real"]["configuration_compliance"]["configuration"]
    assert reported["table"] == "sn_sec_int_impl_config"
    definition = instance.row("sn_sec_int_config", name="mdc_directory")["sys_id"]
    assert instance.row("sn_sec_int_impl_config", configuration=definition)["value"] == TENANT
    # The instance does not report which value the choice has.
    assert steps(run["configure: again"].result)["configuration:import_from"]["values"] == {
        "Import Findings from": "Specific Subscriptions"
    }


def test_the_secret_that_was_sent_is_the_one_the_jobs_use(
    playbook: Playbooks, new_instance: NewInstance, sandbox: SandboxProcess
) -> None:
    instance, tenant = new_instance(configuration_compliance="tvm"), sandbox.tenant()
    form = {name: tenant[f"azure_{name}"] for name in ("tenant_id", "client_id", "client_secret")}
    playbook([compliance(**{**form, "client_secret": "wrong"})], instance).went_well()
    assert {run["substate"] for run in sandbox.run_jobs(instance.name, "auto", counts={"unhealthy": 2})} == {"failed"}
    failed = playbook([compliance(**form)], instance).went_well().last
    (problem, *_others) = failed["problems"]
    assert problem["id"] == "job_failed:policy_definitions"
    assert "check tenant_id (mdc_configuration_compliance_tenant_id in the role), client_id" in problem["remedy"]
    playbook([compliance(**form, update_secret="always")], instance).went_well()
    assert {run["substate"] for run in sandbox.run_jobs(instance.name, "auto", counts={"unhealthy": 2})} == {"success"}


def test_runs_that_ended_well_verify_it_and_counts_are_compared(
    playbook: Playbooks, new_instance: NewInstance, sandbox: SandboxProcess
) -> None:
    instance = new_instance(configuration_compliance="tvm", compliance={"run_words": "upper"})
    playbook([compliance(**ALL)], instance).went_well()
    time.sleep(1.1)  # Times of the platform have whole seconds.
    sandbox.run_jobs(instance.name, "success", counts={"unhealthy": 3, "healthy": 2})
    run = playbook(
        [
            compliance("again", **ALL, expected={"unhealthy": 3}),
            compliance("differs", **ALL, expected={"unhealthy": 5}),
        ],
        instance,
    )
    again, differs = run.went_well()["again"], run["differs"]
    assert (problems(again.result), again["manual_steps"], again["drift"], again.changed) == ([], [], [], False)
    assert again.requests == BATCHES
    counts = again["configuration_compliance"]["counts"]
    assert (counts["comparable"], counts["results"]["Failed"]) == (True, 3)
    assert all(job["verified"] for job in again["configuration_compliance"]["jobs"])
    assert problems(differs.result) == ["counts_differ:unhealthy"]


def test_counts_are_not_compared_before_the_comprehensive_job(
    playbook: Playbooks, new_instance: NewInstance, sandbox: SandboxProcess
) -> None:
    instance = new_instance(configuration_compliance="tvm")
    playbook([compliance(**ALL)], instance).went_well()
    time.sleep(1.1)
    sandbox.run_jobs(
        instance.name,
        "success",
        jobs=["policies", "metadata", "standards", "assessments"],
        counts={"unhealthy": 1, "long_unhealthy": 2},
    )
    result = playbook([compliance(**ALL, expected={"unhealthy": 3})], instance).went_well().last.result
    assert problems(result) == [
        "job_not_run:comprehensive_assessments", "job_not_run:container_images", "counts_not_comparable",
    ]  # fmt: skip
    assert result["configuration_compliance"]["counts"]["results"] == {"Failed": 1}


def test_jobs_in_another_order_and_failed_ones_are_named(
    playbook: Playbooks, new_instance: NewInstance, sandbox: SandboxProcess
) -> None:
    instance = new_instance(configuration_compliance="tvm")
    playbook([compliance()], instance).went_well()
    time.sleep(1.1)
    sandbox.run_jobs(instance.name, "success", jobs=["metadata"], counts={"unhealthy": 1})
    time.sleep(1.1)
    sandbox.run_jobs(
        instance.name,
        {"policies": "success", "assessments": "failed"},
        jobs=["policies", "assessments"],
        counts={"unhealthy": 1},
    )
    found = problems(playbook([compliance()], instance).went_well().last.result)
    assert found[0] == "job_failed:assessments"
    assert "job_order:assessment_metadata" in found


def test_jobs_are_waited_for_with_progress(
    playbook: Playbooks, new_instance: NewInstance, sandbox: SandboxProcess
) -> None:
    instance = new_instance(configuration_compliance="tvm")
    pressed = threading.Timer(4, lambda: sandbox.run_jobs(instance.name, "success", counts={"unhealthy": 2}))
    pressed.start()
    run = playbook([compliance(jobs_wait=True, wait_timeout=7200, poll_interval=1)], instance).went_well()
    pressed.join()
    assert (problems(run.last.result), run.last["manual_steps"]) == ([], [])
    assert "waiting for 6 of 6 jobs to run" in run.output
    assert "Execute Now" in run.output


def test_jobs_that_were_waited_for_in_vain_fail_the_task(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(configuration_compliance="tvm")
    failed = playbook([compliance(jobs_wait=True, wait_timeout=0.1)], instance).last
    assert failed.failed
    assert (
        "has never run after 0.1 s, which is wait_timeout (mdc_configuration_compliance_wait_timeout in the role). Press Execute Now"
        in failed.message
    )
    assert len(failed["configuration_compliance"]["jobs"]) == 6


def test_what_is_off_or_run_by_others_is_repaired(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(configuration_compliance="tvm")
    playbook([compliance()], instance).went_well()
    someone = instance.rows("sys_user")[0]
    instance.change(
        "sn_vul_rest_integration", {"name": "Assessment Integration"}, active="false", run_as=someone["sys_id"]
    )
    instance.change("sn_sec_int_impl", {"name": "Microsoft Defender for Cloud"}, active="false")
    run = playbook(
        [{**compliance("check"), "check_mode": True}, compliance("real"), compliance("again")], instance
    ).went_well()
    assert run["check"]["drift"] == run["real"]["drift"]
    assert [(entry["object"], entry["field"]) for entry in run["real"]["drift"]][:3] == [
        ("integration instance Microsoft Defender for Cloud", "active"),
        ("job Assessment Integration", "active"),
        ("job Assessment Integration", "run_as"),
    ]
    assert not run["again"].changed
    job = instance.row("sn_vul_rest_integration", name="Assessment Integration")
    assert (job["active"], job["run_as"]) == ("true", instance.row("sys_user", user_name="VR.System")["sys_id"])


def test_a_table_of_another_scope_is_a_manual_step(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(configuration_compliance="tvm", compliance={"cross_scope": "refused", "record": "blank"})
    run = playbook([compliance()], instance).went_well()
    assert not run.last.changed
    step = steps(run.last.result)["configuration"]
    assert step["values"]["Tenant ID"] == TENANT
    assert step["secret_values"] == ["Client secret"]
    assert "403" in step["reason"]
    assert SECRET not in run.output


def test_rows_that_even_an_administrator_may_not_see_are_unknown(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance(configuration_compliance="tvm", compliance={"own_role_only": True, "record": "blank"})
    run = playbook([compliance()], instance).went_well()
    assert "configuration_unknown" in problems(run.last.result)
    assert "configuration" in steps(run.last.result)
    assert not run.last.writes


def test_both_applications_and_the_old_one_come_with_migration_steps(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    both = new_instance(configuration_compliance="both")
    result = playbook([compliance()], both).went_well().last.result
    assert result["configuration_compliance"]["generation"] == "both"
    assert result["configuration_compliance"]["configuration"]["table"] == TABLE
    assert list(steps(result))[:2] == ["migration:uninstall", "migration:data"]
    old = new_instance(configuration_compliance="asc")
    result = playbook([compliance()], old).went_well().last.result
    assert result["configuration_compliance"]["generation"] == "sn_vul_asc"
    assert result["configuration_compliance"]["configuration"]["table"] == "sn_vul_asc_setup"
    assert list(steps(result))[:3] == ["migration:uninstall", "migration:install", "migration:data"]


@pytest.mark.parametrize("listed", ["both", "plugin", "store"])
def test_it_is_found_in_any_list(playbook: Playbooks, new_instance: NewInstance, listed: str) -> None:
    instance = new_instance(configuration_compliance="tvm", compliance={"listed": listed, "line": "usem"})
    reported = playbook([compliance()], instance, check=True).went_well().last["configuration_compliance"]
    assert (reported["generation"], reported["line"]) == ("sn_vul_msft_tvm", "usem")


def test_what_is_missing_is_installed_and_configured_in_one_run(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(compliance={"line": "classic"})
    install = {"install": True, "versions": {"sn_vul_msft_tvm": "3.0.3"}}
    tasks = [
        {**compliance("check", **install), "check_mode": True},
        compliance("real", **install),
        compliance("again", **install),
    ]
    run = playbook(tasks, instance).went_well()
    assert problems(run["check"].result) == ["installation_awaited"]
    assert not run["check"].writes
    orders = [
        entry["object"] for entry in run["real"]["drift"] if entry["object"].startswith(("plugin", "application sn_"))
    ]
    assert orders == [entry["object"] for entry in run["check"]["drift"]]
    assert orders[0] == "plugin com.snc.vul_dep"
    assert orders[-2:] == ["plugin com.snc.vulc", "application sn_vul_msft_tvm"]
    assert instance.row(TABLE)["directory"] == TENANT
    assert not run["again"].changed


def test_an_instance_that_is_not_entitled_has_its_own_message(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(configuration_compliance="not_entitled")
    run = playbook([compliance(install=True)], instance).went_well()
    assert problems(run.last.result) == ["not_entitled"]
    assert "Not entitled to application" in run.last["problems"][0]["message"]
    assert any(step["where"] == "ServiceNow Store > Get" for step in run.last["manual_steps"])


def test_what_an_account_may_not_read_is_reported_as_unknown(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(
        configuration_compliance="tvm", users={"reader": {"password": "reader-Pass-1", "roles": ["itil"]}}
    )
    account = {**instance.connection, "snow_username": "reader", "snow_password": "reader-Pass-1"}
    result = playbook([compliance(expected={"unhealthy": 3})], {instance.name: account}).went_well().last
    found = problems(result.result)
    assert not [problem for problem in found if "absent" in problem], found
    assert not result.writes


# -- role -------------------------------------------------------------------------------------------------------------

ROLE: list[Task] = [
    {"name": "Comply", "ansible.builtin.import_role": {"name": f"{COLLECTION}.mdc_configuration_compliance"}}
]
VARIABLES = {f"mdc_configuration_compliance_{name}": value for name, value in FORM.items()}
LOOK = "Configure applications, credentials and jobs"


def test_the_role_configures_and_reports_what_is_left(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(configuration_compliance="tvm")
    check = playbook(ROLE, instance, check=True, variables=VARIABLES).went_well()
    real = playbook(ROLE, instance, variables=VARIABLES).went_well()
    again = playbook(ROLE, instance, variables=VARIABLES).went_well()
    results = [run.on(instance.name, LOOK) for run in (check, real, again)]
    assert [result.changed for result in results] == [True, True, False]
    assert results[0]["drift"] == results[1]["drift"]
    assert results[2].requests == BATCHES
    assert "run_jobs" in steps(results[2].result)


def test_the_role_fails_for_what_nothing_can_be_imported_without(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    instance = new_instance()
    run = playbook(ROLE, instance, variables=VARIABLES)
    failed = run.on(instance.name, LOOK)
    assert failed.failed
    assert "compliance_absent" in failed.message
    assert "Production requires an entitlement" in failed.message
    ignoring = {**VARIABLES, "mdc_configuration_compliance_ignore": ["compliance_absent", "integration_absent"]}
    assert playbook(ROLE, instance, variables=ignoring).went_well()


def test_the_role_reads_azure_as_the_application_and_compares(
    playbook: Playbooks, new_instance: NewInstance, sandbox: SandboxProcess
) -> None:
    tenant, instance = Findings(sandbox, subscriptions=2, findings=16), new_instance(configuration_compliance="tvm")
    form = {name: tenant.access[f"azure_{name}"] for name in ("client_id", "client_secret")}
    subscriptions = [scope.rpartition("/")[2] for scope in tenant.scopes]
    variables = {
        **{f"mdc_configuration_compliance_{name}": value for name, value in form.items()},
        "mdc_configuration_compliance_tenant": HOST,
        "mdc_configuration_compliance_api_url": "https://management.azure.com",
        "mdc_configuration_compliance_import_from": "subscriptions",
        "mdc_configuration_compliance_subscriptions": subscriptions,
        "mdc_configuration_compliance_read_azure": True,
    }
    hosts = {instance.name: instance.connection, HOST: {name: tenant.access[name] for name in AZURE}}
    first = playbook(ROLE, hosts, variables=variables, play={"hosts": instance.name}).went_well()
    found = first.on(instance.name, "Count the recommendations")["recommendations"]
    early = problems(first.on(instance.name, LOOK).result)
    assert {"counts_not_comparable", "source_missing:aws", "source_missing:gcp"} <= set(early)
    assert instance.row(TABLE)["directory"] == tenant.access["azure_tenant_id"]
    time.sleep(1.1)
    assert {run["substate"] for run in sandbox.run_jobs(instance.name)} == {"success"}
    second = playbook(ROLE, hosts, variables=variables, play={"hosts": instance.name}).went_well()
    result = second.on(instance.name, LOOK).result
    assert (problems(result), result["manual_steps"]) == ([], [])
    unhealthy = sum(row["status"] == "Unhealthy" for row in found)
    assert result["configuration_compliance"]["counts"]["results"]["Failed"] == unhealthy > 0
    sources = result["configuration_compliance"]["counts"]["sources"]
    assert sum(sources.values()) == unhealthy
    assert min(sources["azure"], sources["aws"], sources["gcp"]) > 0 == sources["on_premises"]
    verify = {"name": f"{COLLECTION}.mdc_configuration_compliance", "tasks_from": "verify"}
    proof: list[Task] = [{"name": "Verify", "ansible.builtin.import_role": verify}]
    proven = playbook(proof, hosts, variables=variables, play={"hosts": instance.name}).went_well()
    assert "'aws': " in proven.output
    refused = {**variables, "mdc_configuration_compliance_client_secret": "wrong"}
    failed = playbook(ROLE, hosts, variables=refused, play={"hosts": instance.name}).last
    assert failed.failed
    assert "AADSTS7000215" in failed.message
    assert form["client_secret"] not in first.output + second.output
