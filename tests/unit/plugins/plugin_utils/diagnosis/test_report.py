# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of the playbook doctor."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.diagnosis.controller import problems_of
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.diagnosis.report import Diagnosis, Input

VERSIONS = {"ansible-core": "2.19.14", "Python": "3.12.3", "requests": "2.32.3", "jmespath": "1.0.1"}
END = (datetime.now(timezone.utc) + timedelta(days=20, hours=1)).isoformat()
USER, APPLICATION = "svc_defender_cloud_apps", "Microsoft Defender for Cloud Apps"


def instance(**changes: Any) -> dict[str, Any]:
    users = [{"user_name": USER, "active": "true", "locked_out": "false", "last_login_time": "2026-11-21 10:35:13"}]
    roles = [{"user.user_name": USER, "role.name": "defender_cloud_apps_reader"}]
    return {
        "snow_preflight_result": {
            "instance": {
                "release": {"family": "zurich", "patch": "patch2"},
                "caller": {"user_name": "svc_ansible"},
                "grant_type": "basic",
            },
            "problems": [],
        },
        "doctor_sign_ins": [["mda", USER, APPLICATION, "password"]],
        "doctor_applications": {
            "oauth_applications": [{"name": APPLICATION, "active": True, "refresh_token_expires_at": END}]
        },
        "doctor_accounts": {
            "results": [
                {"table": "sys_user", "records": users, "refused": ""},
                {"table": "sys_user_has_role", "records": roles, "refused": ""},
            ]
        },
        **changes,
    }


def tenant(**changes: Any) -> dict[str, Any]:
    connectors = [{"name": "acme-dev", "status": "connected", "days_left": 12, "ended_days_ago": None}]
    return {"doctor_connectors": {"connectors": connectors, "problems": [], "evidence": []}, **changes}


def diagnose(instances: Any = None, tenants: Any = None, **more: Any) -> tuple[list[str], int]:
    known = {"acme-dev": instance()} if instances is None else instances
    of_tenant = {"acme-tenant": tenant()} if tenants is None else tenants
    work = Diagnosis(Input(known, of_tenant, VERSIONS, sources=["/elsewhere/inventory.yml"], **more))
    return work.lines(), work.errors


def trust_of(lines: list[str], direction: str) -> str:
    (found,) = [line for line in lines if line.startswith(f"- {direction}")]
    return found


def test_a_fleet_in_order_ends_in_drift() -> None:
    lines, errors = diagnose()
    assert not errors
    assert lines == [
        "controller: ansible-core 2.19.14, Python 3.12.3, requests 2.32.3, jmespath 1.0.1",
        "variables: no misspelt or wrong ones",
        "instances: 1 of 1 answered",
        "- acme-dev: Zurich patch2, read as svc_ansible (basic)",
        "tenant: host acme-tenant",
        "- Defender for Cloud Apps: 1 connector",
        "trusts:",
        f"- Defender for Cloud Apps -> acme-dev: signs in as {USER} through the application {APPLICATION} with password and client; "
        "role defender_cloud_apps_reader; last sign-in 2026-11-21; connector connected; refresh token ends in 12 days",
        "- Configuration Compliance: not checked, as no variable names its application",
        "next: ansible-playbook secops.servicenow_defender.drift -i /elsewhere/inventory.yml",
    ]


def test_equal_trusts_of_many_instances_are_one_line() -> None:
    fleet = {f"acme-{number}": instance() for number in range(1000)}
    lines, _errors = diagnose(fleet)
    assert len(lines) == 10
    assert "acme-0, acme-1 and 998 more" in trust_of(lines, "Defender for Cloud Apps ->")


def test_a_service_that_does_not_exist_has_no_trust() -> None:
    """It is among the errors in variables."""
    lines, _errors = diagnose({"acme-dev": instance(doctor_sign_ins=[["mdb", "", "", "password"]])})
    assert not [line for line in lines if "signs in as" in line]


def test_a_host_that_hides_the_hosts_of_a_group_is_an_error() -> None:
    lines, errors = diagnose(groups={"all": ["acme-dev", "servicenow"], "servicenow": ["acme-dev", "servicenow"]})
    assert errors == 1
    assert any("with the name servicenow, for which Ansible takes the host alone" in line for line in lines)


def test_without_a_tenant_its_part_is_unproven_and_the_token_is_that_of_the_instance() -> None:
    lines, errors = diagnose(tenants={}, groups={"all": [], "defendr": ["x"]})
    assert not errors
    assert "tenant: unproven" in lines
    assert any("the inventory has no hosts in the group defender. Did you mean defendr" in line for line in lines)
    trust = trust_of(lines, "Defender for Cloud Apps ->")
    assert trust.endswith("connector unproven: no tenant takes part; refresh token ends in 20 days")
    assert lines[-1].endswith("--tags snow")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"doctor_accounts": {}}, "(unproven, the account cannot read sys_user)"),
        ({"doctor_applications": {"oauth_applications": []}}, "(not there or not readable) with password"),
        (
            {"doctor_accounts": {"results": [{"table": "sys_user", "records": [{"user_name": USER, "last_login_time": "", "locked_out": "true"}]}]}},
            f"signs in as {USER} (locked out) through the application {APPLICATION} with password and client; roles unproven: none is readable; "
            "last sign-in unproven: none is recorded",
        ),
    ],
)  # fmt: skip
def test_what_could_not_be_read_of_an_instance_is_named(changes: dict[str, Any], said: str) -> None:
    lines, _errors = diagnose({"acme-dev": instance(**changes)})
    assert said in trust_of(lines, "Defender for Cloud Apps ->")


def test_what_the_tenant_refuses_is_unproven() -> None:
    lines, errors = diagnose(tenants={"acme-tenant": {"doctor_connectors": {"unread": "mda: 401 Invalid token"}}})
    assert not errors
    assert "- unproven: Defender for Cloud Apps: mda: 401 Invalid token" in lines
    assert "connector unproven: the tenant could not be read" in trust_of(lines, "Defender for Cloud Apps ->")
    only_evidence = {"doctor_connectors": {"connectors": [{"name": ""}], "evidence": ["activities"]}}
    lines, _errors = diagnose(tenants={"acme-tenant": only_evidence})
    assert "connector unproven: the tenant does not list it" in trust_of(lines, "Defender for Cloud Apps ->")


def test_an_account_that_is_missing_leads_to_onboard() -> None:
    lines, _errors = diagnose({"acme-dev": instance(doctor_applications={"oauth_applications": []})})
    assert (
        lines[-1]
        == "next: ansible-playbook secops.servicenow_defender.onboard -i /elsewhere/inventory.yml --check --diff"
    )


def test_errors_are_counted_and_come_first() -> None:
    failed = {"servicenow_defender_failure": {"task": "x", "message": "401 refused"}}
    misspelt = {"doctor_variable_errors": ["acme-dev: snow_usrname is not a variable. Did you mean snow_username?"]}
    access = {
        "access": {"capabilities": {"write_plan": "denied", "read_recommendations": "allowed"}, "plan": {"name": "CloudPosture", "tier": "Free"}},
        "problems": [
            {"id": "plan_off", "severity": "error", "message": "The plan is off", "remedy": "Turn it on"},
            {"id": "cannot_write_plan", "severity": "error", "message": "No right", "remedy": "Grant it"},
        ],
    }  # fmt: skip
    lines, errors = diagnose(
        {"acme-dev": instance(**misspelt), "acme-qa": failed}, {"acme-tenant": tenant(doctor_access=access)}, version_problems=["requests is missing"]
    )  # fmt: skip
    assert errors == 4
    assert "- error: acme-qa: 401 refused" in lines
    assert "- Defender for Cloud, rights and plan: all rights but write_plan; plan CloudPosture Free" in lines
    assert (
        "- warning: The plan is off. Turn it on. With servicenow_defender_accept_costs: true, onboard does so" in lines
    )
    assert lines[-1].startswith(
        "next: correct the errors above, then ansible-playbook secops.servicenow_defender.doctor"
    )


def test_without_instances_it_leads_to_init() -> None:
    lines, errors = diagnose({}, {}, groups={"all": []})
    assert errors == 1
    assert "- error: the inventory has no hosts in the group servicenow. There is nothing to connect" in lines
    assert lines[-1] == "next: ansible-playbook secops.servicenow_defender.init"


def test_a_misspelt_group_is_to_be_corrected() -> None:
    lines, errors = diagnose({}, {}, groups={"all": [], "servicnow": ["x"]})
    assert errors == 1
    assert "- error: the inventory has no hosts in the group servicenow. Did you mean servicnow?" in lines
    assert lines[-1].startswith("next: correct the error above, then ")


def test_what_limit_leaves_out_is_not_checked() -> None:
    groups = {"all": [], "servicenow": ["acme-dev"], "defender": ["acme-tenant"]}
    lines, errors = diagnose(tenants={}, groups=groups)
    assert "tenant: not checked (not selected by --limit)" in lines
    assert not errors
    lines, errors = diagnose({}, groups=groups)
    assert "instances: not checked (not selected by --limit)" in lines
    assert not errors


def test_configuration_compliance_is_a_trust_of_its_own() -> None:
    result = {
        "configuration_compliance": {
            "configuration": {"fields": {"client_id": "0b8f8a3e"}},
            "jobs": [{"last_run": {"ended_at": "2026-11-25T04:10:31Z"}}, {"last_run": None}],
        }
    }
    application = {"application": {"role": "Security Reader", "days_left": 180}}
    known = instance(mdc_configuration_compliance_result=result, mdc_configuration_compliance_application=application)
    lines, _errors = diagnose({"acme-dev": known})
    assert trust_of(lines, "acme-dev -> Defender for Cloud (Configuration Compliance)").endswith(
        "signs in as the application 0b8f8a3e; role Security Reader; last run 2026-11-25; secret ends in 180 days"
    )


def test_libraries_that_are_missing_or_old_are_named() -> None:
    problems = problems_of({**VERSIONS, "requests": "", "ansible-core": "2.17.9"})
    assert [problem.split(" ")[0] for problem in problems] == ["ansible-core", "requests"]
    assert "-m pip install requests" in problems[1]
    assert not problems_of(VERSIONS)
