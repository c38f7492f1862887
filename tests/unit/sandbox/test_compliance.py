# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration Compliance and the Defender for Cloud integration.

See docs/facts/configuration_compliance.md#the-application, docs/facts/configuration_compliance.md#the-integration.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.process import SandboxError
from tests.unit.sandbox.client import RestClient, error_of
from tests.unit.sandbox.test_cicd import poll, start

Make = Callable[..., RestClient]
LABELS = {
    "API URL": "https://management.azure.com",
    "Tenant ID": "",
    "Client ID": "",
    "Client secret": "",
    "Import Findings from": "all",
    "Management Group IDs": "",
    "Subscription IDs": "",
}
ORDER = ["policies", "metadata", "standards", "assessments", "comprehensive", "containers"]


def elements(instance: RestClient, prefix: str = "sn_vul_msft_tvm") -> tuple[str, dict[str, str]]:
    """Find the private table by the labels of its form: its name, and label -> column."""
    tables = [row["name"] for row in instance.rows("sys_db_object", f"nameSTARTSWITH{prefix}")]
    rows = instance.rows("sys_dictionary", f"nameIN{','.join(tables)}^elementISNOTEMPTY")
    columns = {row["column_label"]: row["element"] for row in rows}
    assert columns.keys() >= LABELS.keys()
    return tables[0], columns


def configure(instance: RestClient, **values: str) -> dict[str, Any]:
    """Write a configuration whose credentials are those of the tenant, with some values replaced."""
    tenant = instance.sandbox.tenant()
    known = {
        **LABELS,
        "Tenant ID": tenant["azure_tenant_id"],
        "Client ID": tenant["azure_client_id"],
        "Client secret": tenant["azure_client_secret"],
    }
    table, columns = elements(instance)
    body = {columns[label]: value for label, value in {**known, **values}.items()}
    body[columns["Integration instance"]] = "Microsoft Defender for Cloud"
    return instance.insert(table, body, sysparm_input_display_value="true")


def counts(instance: RestClient) -> dict[str, int]:
    """Active and passed results from the Aggregate API."""
    params = {"sysparm_count": "true", "sysparm_group_by": "result"}
    groups = instance.call("GET", "api/now/stats/sn_vulc_result", params=params).json()["result"]
    return {each["groupby_fields"][0]["value"]: int(each["stats"]["count"]) for each in groups}


def test_out_of_the_box_it_is_not_installed(instance: RestClient) -> None:
    for table in ("sn_vulc_test", "sn_vulc_result", "sn_vul_integration", "sn_sec_int_impl"):
        assert error_of(instance.table(table)) == (400, f"Invalid table {table}", None)
    assert not instance.rows("sys_store_app", "scopeINsn_vulc,sn_vul,sn_vul_msft_tvm,app-vul-asc,sn_vul_asc")
    assert instance.row("v_plugin", "id=com.snc.vulc")["active"] == "inactive"
    assert not instance.rows("sys_user", "user_name=VR.System")
    with pytest.raises(SandboxError, match="not installed"):
        instance.sandbox.run_jobs(instance.name)


@pytest.mark.parametrize(
    ("variant", "knobs", "scopes"),
    [
        ("tvm", {}, {"sn_vul_msft_tvm"}),
        ("asc", {}, {"app-vul-asc"}),
        ("asc", {"asc_scope": "sn_vul_asc"}, {"sn_vul_asc"}),
        ("both", {}, {"sn_vul_msft_tvm", "app-vul-asc"}),
    ],
)
def test_both_generations_of_the_application_are_listed(
    make: Make, variant: str, knobs: dict[str, str], scopes: set[str]
) -> None:
    instance = make(configuration_compliance=variant, compliance=knobs)
    found = {row["scope"] for row in instance.rows("sys_store_app", "active=true")}
    assert found & {"sn_vul_msft_tvm", "app-vul-asc", "sn_vul_asc"} == scopes
    assert found >= {"sn_vul", "sn_vulc", "sn_sec_int", "sn_sec_cmn", "sn_vul_cmn"}
    for plugin in ("com.snc.vulc", "com.snc.vulc_dep", "com.snc.vul_dep", "com.snc.security_support.core"):
        assert instance.row("v_plugin", f"id={plugin}")["active"] == "active"
    roles = {row["name"] for row in instance.rows("sys_user_role", "nameSTARTSWITHsn_vul")}
    assert {"sn_vulc.admin", "sn_vulc.auditor"} <= roles
    assert ("sn_vul_asc.configure_integration" in roles) == (variant != "tvm")


def test_the_classic_line_has_other_versions_and_fewer_applications(make: Make) -> None:
    classic = make(configuration_compliance="tvm", compliance={"line": "classic", "listed": "store"})
    versions = {row["scope"]: row["version"] for row in classic.rows("sys_store_app")}
    assert (versions["sn_vulc"], versions["sn_vul_msft_tvm"]) == ("15.9.0", "3.0.3")
    assert "app-sec-workflow" not in versions
    assert classic.table("sn_sec_wf_assign_rule").status_code == 400
    assert classic.row("v_plugin", "id=com.snc.vulc")["active"] == "inactive"
    usem = make(configuration_compliance="tvm", compliance={"listed": "plugin"})
    assert usem.table("sn_sec_wf_assign_rule").status_code == 200
    assert usem.row("v_plugin", "id=com.snc.vulc")["version"] == "30.6.0"
    assert not usem.rows("sys_store_app", "scope=sn_vulc")


def test_installing_it_adds_dependencies_and_tables(make: Make) -> None:
    instance = make(cicd={"steps": 1})
    assert poll(instance, start(instance, "app_repo/install?scope=sn_vul_msft_tvm"))["status"] == "2"
    scopes = {row["scope"]: row["version"] for row in instance.rows("sys_store_app")}
    assert scopes["sn_vul_msft_tvm"] == "31.3.0"
    assert {"sn_sec_int", "sn_sec_cmn", "sn_vul", "sn_vulc"} <= scopes.keys()
    assert instance.row("v_plugin", "id=com.snc.vul_dep")["active"] == "active"
    assert instance.rows("sn_vulc_result") == []
    assert len(instance.rows("sn_vul_integration")) == 7
    assert instance.rows("sys_dictionary", "name=sn_vulc_result^element=result")
    assert [row["value"] for row in instance.rows("sys_choice", "name=sn_vulc_result^element=result")] == [
        "Passed",
        "Failed",
        "Error",
        "Unknown",
    ]


def test_without_entitlement_the_installation_fails_without_effects(make: Make) -> None:
    instance = make(configuration_compliance="not_entitled", cicd={"steps": 1})
    for path in ("app_repo/install?scope=sn_vulc", "app_repo/install?scope=sn_vul_msft_tvm"):
        done = poll(instance, start(instance, path))
        assert (done["status"], done["error"][:27]) == ("3", "Not entitled to application")
    done = poll(instance, start(instance, "plugin/com.snc.vulc/activate"))
    assert done["error"].startswith("Not entitled to application")
    assert instance.table("sn_vulc_test").status_code == 400
    assert not instance.rows("sys_store_app", "scopeSTARTSWITHsn_vul")


def test_an_entitlement_that_a_dependency_lacks_counts(make: Make) -> None:
    instance = make(cicd={"steps": 1, "not_entitled": ["sn_vul"]})
    done = poll(instance, start(instance, "app_repo/install?scope=sn_vul_msft_tvm"))
    assert done["error"] == "Not entitled to application sn_vul"


def test_the_jobs_run_as_vr_system_on_their_schedule(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    jobs = instance.rows("sn_vul_integration", "instance.name=Microsoft Defender for Cloud^ORDERBYrun_time")
    assert [job["name"] for job in jobs] == [
        "Policy Definitions Integration",
        "Assessment Metadata Integration",
        "Compliance Standards & Controls Integration",
        "Assessment Integration",
        "Comprehensive Assessment Integration",
        "Container Image Vulnerabilities Integration",
    ]
    assert {job["run_type"] for job in jobs if job["name"].startswith("Comprehensive")} == {"weekly"}
    user = instance.row("sys_user", "user_name=VR.System")["sys_id"]
    assert {job["run_as"]["value"] for job in jobs} == {user}
    changed = instance.update("sn_vul_integration", jobs[0]["sys_id"], {"run_as": ""})
    assert changed["run_as"] == ""


def test_the_configuration_is_found_by_labels_and_never_shows_its_secret(make: Make) -> None:
    instance = make(configuration_compliance="tvm", compliance={"tvm_table": "sn_vul_msft_tvm_xyz"})
    table, columns = elements(instance)
    assert table == "sn_vul_msft_tvm_xyz"
    kind = instance.row("sys_dictionary", f"name={table}^element={columns['Client secret']}")["internal_type"]
    assert kind == "password2"
    assert instance.rows(table) == []
    row = configure(instance, **{"Client secret": "Made-up-secret"})
    assert "Made-up-secret" not in str(row)
    assert instance.rows("sys_choice", f"name={table}^element={columns['Import Findings from']}")
    reader = instance.user("reader", roles=["sn_vul_msft_tvm.read_integration", "personalize_dictionary"])
    assert reader.table(table, row["sys_id"]).status_code == 200
    refused = reader.table(table, row["sys_id"], method="PATCH", body={columns["Tenant ID"]: "x"})
    assert error_of(refused)[2] == "ACL Exception Update Failed due to security constraints"


def test_a_blank_record_and_the_integrations_own_role_by_knob(make: Make) -> None:
    instance = make(configuration_compliance="tvm", compliance={"record": "blank", "own_role_only": True})
    table, columns = elements(instance)
    assert instance.rows(table) == []
    own = instance.user("own", roles=["sn_vul_msft_tvm.configure_integration"])
    (row,) = own.rows(table)
    assert instance.table(table, row["sys_id"], method="PATCH", body={columns["Tenant ID"]: "x"}).status_code != 200
    assert own.update(table, row["sys_id"], {columns["Tenant ID"]: "x"})[columns["Tenant ID"]] == "x"


def test_another_scope_may_be_refused(make: Make) -> None:
    instance = make(configuration_compliance="tvm", compliance={"cross_scope": "refused"})
    table, columns = elements(instance)
    status, message, detail = error_of(instance.table(table, method="POST", body={columns["Tenant ID"]: "x"}))
    assert (status, message) == (403, "Operation Failed")
    assert detail == (
        f"Create operation against '{table}' from scope 'rhino.global' has been refused due to the table's "
        "cross-scope access policy"
    )
    assert instance.rows(table) == []


def test_the_configuration_can_be_stored_in_parameters_of_the_instance(make: Make) -> None:
    instance = make(configuration_compliance="tvm", compliance={"storage": "parameters"})
    assert not instance.rows("sys_db_object", "nameSTARTSWITHsn_vul_msft_tvm")
    rows = instance.rows(
        "sn_sec_int_impl_config",
        "implementation.name=Microsoft Defender for Cloud",
        sysparm_fields="sys_id,value,configuration.label,configuration.elem_type",
    )
    by_label = {row["configuration.label"]: row for row in rows}
    assert by_label.keys() == LABELS.keys()
    assert by_label["API URL"]["value"] == "https://management.azure.com"
    tenant = instance.sandbox.tenant()
    for label, value in (("Tenant ID", tenant["azure_tenant_id"]), ("Client ID", tenant["azure_client_id"])):
        instance.update("sn_sec_int_impl_config", by_label[label]["sys_id"], {"value": value})
    secret = {"password_value": tenant["azure_client_secret"]}
    shown = instance.update("sn_sec_int_impl_config", by_label["Client secret"]["sys_id"], secret)
    assert tenant["azure_client_secret"] not in str(shown)
    # A raw write makes the secret unusable.
    assert instance.sandbox.run_jobs(instance.name, counts={})[0]["substate"] == "failed"
    params = {"sysparm_input_display_value": "true"}
    instance.update("sn_sec_int_impl_config", by_label["Client secret"]["sys_id"], secret, **params)
    assert instance.sandbox.run_jobs(instance.name, counts={})[0]["substate"] == "success"


def test_runs_show_state_substate_and_counts(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    configure(instance)
    runs = instance.sandbox.run_jobs(instance.name, counts={"unhealthy": 3, "healthy": 2})
    assert [run["job"] for run in runs] == ORDER
    assert {(run["state"], run["substate"]) for run in runs} == {("complete", "success")}
    rows = instance.rows("sn_vul_integration_run", "integration.name=Assessment Integration")
    assert [(row["vi_created"], row["vi_updated"]) for row in rows] == [("5", "0")]
    assert rows[0]["number"].startswith("VINTRUN")
    assert rows[0]["end_datetime"] >= rows[0]["start_datetime"]
    assert counts(instance) == {"Failed": 3, "Passed": 2}
    test = instance.rows("sn_vulc_test")[0]
    assert test["test_groups"]
    assert test["citations"]
    result = instance.rows("sn_vulc_result", "result=Failed")[0]
    assert (result["source"], result["active"], result["state"]) == (test["source"], "true", "Open")


def test_only_the_comprehensive_job_reads_old_failures(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    found = {"unhealthy": 2, "long_unhealthy": 4, "healthy": 1}
    daily = ["policies", "metadata", "standards", "assessments"]
    instance.sandbox.run_jobs(instance.name, "success", jobs=daily, counts=found)
    assert counts(instance) == {"Failed": 2, "Passed": 1}
    instance.sandbox.run_jobs(instance.name, "success", jobs=["comprehensive"], counts=found)
    assert counts(instance) == {"Failed": 6, "Passed": 1}


def test_the_daily_job_honours_a_start_time(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    match = {"name": "Assessment Integration"}
    moved = {"start_time": "2019-01-01 00:00:00"}
    instance.sandbox.tamper(instance.name, "sn_vul_integration", moved, match=match)
    jobs = ["metadata", "assessments"]
    instance.sandbox.run_jobs(instance.name, "success", jobs=jobs, counts={"long_unhealthy": 2})
    assert counts(instance) == {"Failed": 2}


def test_jobs_out_of_order_leave_tests_without_groups_and_results_out(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    jobs = ["assessments", "standards", "metadata", "policies"]
    runs = instance.sandbox.run_jobs(instance.name, "success", jobs=jobs, counts={"unhealthy": 2})
    assert [run["job"] for run in runs] == jobs
    assert counts(instance) == {}
    assert {(row["test_groups"], row["citations"]) for row in instance.rows("sn_vulc_test")} == {("", "")}


def assessment(name: str, code: str, days_ago: float, subscription: str = "sub-a") -> dict[str, Any]:
    changed = time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime(time.time() - 86400 * days_ago))
    resource = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/{name}"
    return {
        "id": f"{resource}/providers/Microsoft.Security/assessments/key",
        "name": "key",
        "properties": {
            "displayName": "Accounts should be closed",
            "status": {"code": code, "statusChangeDate": changed},
            "resourceDetails": {"source": "Azure", "id": resource},
        },
    }


def test_only_the_scanner_closes_the_result_of_a_healthy_finding(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    run = instance.sandbox.run_jobs
    run(instance.name, "success", assessments=[assessment("one", "Unhealthy", 0), assessment("two", "Unhealthy", 9)])
    assert counts(instance) == {"Failed": 2}
    first = instance.row("sn_vulc_result", "source_result_idLIKEone")
    instance.update("sn_vulc_result", first["sys_id"], {"state": "Closed", "active": "false"})
    run(instance.name, "success", assessments=[assessment("one", "Unhealthy", 0), assessment("two", "Healthy", 0)])
    reopened = instance.row("sn_vulc_result", "source_result_idLIKEone")
    assert (reopened["sys_id"], reopened["state"], reopened["active"]) == (first["sys_id"], "Open", "true")
    healed = instance.row("sn_vulc_result", "source_result_idLIKEtwo")
    assert (healed["result"], healed["state"], healed["active"]) == ("Passed", "Closed", "false")


def test_only_the_subscriptions_of_the_configuration_are_read(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    chosen = {"Import Findings from": "Specific Subscriptions", "Subscription IDs": "sub-b, sub-c"}
    configure(instance, **chosen)
    rows = [assessment("one", "Unhealthy", 0), assessment("two", "Unhealthy", 0, "SUB-B")]
    instance.sandbox.run_jobs(instance.name, assessments=rows)
    assert counts(instance) == {"Failed": 1}


def test_a_run_fails_without_or_with_a_wrong_configuration(make: Make) -> None:
    instance = make(configuration_compliance="tvm", compliance={"run_words": "upper"})
    (missing,) = instance.sandbox.run_jobs(instance.name, jobs=["policies"])
    assert (missing["state"], missing["substate"]) == ("COMPLETE", "FAILED")
    configure(instance, **{"Client secret": "wrong"})
    instance.sandbox.run_jobs(instance.name, jobs=["policies"])
    latest = instance.rows("sn_vul_integration_run", "ORDERBYDESCnumber")[0]
    assert "Client secret was not accepted" in latest["fatal_error_message"]
    assert instance.rows("sn_vul_integration_log", f"integration_run={latest['sys_id']}")
    assert instance.rows("sn_vulc_policy") == []


def test_outcomes_can_be_set_by_job_and_inactive_jobs_do_not_run(make: Make) -> None:
    instance = make(configuration_compliance="both")
    outcome = {"policies": "success", "metadata": "failed", "standards": "running"}
    runs = instance.sandbox.run_jobs(instance.name, outcome, jobs=ORDER[:3])
    assert [(run["state"], run["substate"]) for run in runs] == [
        ("complete", "success"),
        ("complete", "failed"),
        ("running", ""),
    ]
    instance.sandbox.tamper(
        instance.name, "sn_sec_int_impl", {"active": "false"}, match={"name": "Azure Security Center"}
    )
    skipped = instance.sandbox.run_jobs(instance.name, "success", application="app-vul-asc")
    assert {run["state"] for run in skipped} == {"skipped"}


def test_each_run_by_another_user_adds_an_attachment(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    jobs = instance.sandbox.run_jobs

    def attachments() -> int:
        return len(instance.rows("sys_attachment", "table_name=sn_vul_int_data_src"))

    for _ in range(2):
        jobs(instance.name, "success", jobs=["policies"], counts={})
    assert attachments() == 1
    match = {"name": "Policy Definitions Integration"}
    instance.sandbox.tamper(instance.name, "sn_vul_integration", {"run_as": "admin"}, match=match)
    for _ in range(2):
        jobs(instance.name, "success", jobs=["policies"], counts={})
    assert attachments() == 3


def test_roles_of_readers(make: Make) -> None:
    instance = make(configuration_compliance="tvm")
    instance.sandbox.run_jobs(instance.name, "success", counts={"unhealthy": 1})
    auditor = instance.user("auditor", roles=["sn_vulc.auditor"])
    assert len(auditor.rows("sn_vulc_result")) == 1
    assert auditor.rows("sn_vul_integration_run")
    assert instance.user("employee").rows("sn_vulc_result") == []
    itil = instance.row("sys_user", "user_name=itil_agent")["sys_id"]
    assert instance.rows("sys_user_has_role", f"user={itil}^role.name=sn_vulc.remediation_owner^inherited=true")


@pytest.mark.parametrize(
    "settings", [{"jobs": ["bogus"]}, {"outcome": "bogus"}, {"counts": {"bogus": 1}}, {"bogus": 1}]
)
def test_run_jobs_refuses_unknown_arguments(make: Make, settings: dict[str, Any]) -> None:
    instance = make(configuration_compliance="tvm")
    with pytest.raises(SandboxError, match="bogus"):
        instance.sandbox.run_jobs(instance.name, **settings)


def test_an_application_cannot_be_removed(make: Make) -> None:
    instance = make(configuration_compliance="both")
    with pytest.raises(SandboxError, match="cannot be taken off"):
        instance.sandbox.turn(instance.name, configuration_compliance="tvm")
