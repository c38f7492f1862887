# SPDX-License-Identifier: GPL-3.0-or-later
"""snow_table_acls: may a role read tables, and which access rules remain as manual steps?"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.lifecycle import assert_alike
from tests.integration.playbooks import SHELLS, Playbooks, task
from tests.sandbox.process import SandboxProcess

MODULE = "snow_table_acls"
TABLES = ["sys_user", "incident", "v_plugin", "no_such_table"]


def grant(instance: Instance, role: str, table: str, **columns: str) -> None:
    """Do what the manual step requires of an administrator."""
    rule = {"name": table, "type": "record", "operation": "read", "active": "true", **columns}
    instance.add("sys_security_acl_role", sys_security_acl=instance.add("sys_security_acl", **rule), sys_user_role=role)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {entry["table"]: entry["status"] for entry in result["results"]}


def exported(xml: str) -> list[str]:
    return sorted(each.findtext("target_name") or "" for each in ElementTree.fromstring(xml).findall("sys_update_xml"))


def test_rules_are_verified_and_what_is_missing_is_a_manual_step(
    playbook: Playbooks, new_instance: NewInstance
) -> None:
    runs = []
    for shell in SHELLS:
        instance = new_instance()
        instance.add("sys_user_role", name="reader")
        grant(instance, "reader", "sys_user")
        grant(instance, "reader", "incident", active="false")
        verify = task(MODULE, role="reader", tables=TABLES)
        run = playbook([{**verify, "check_mode": True}, {**verify, "name": "real"}], instance, shell=shell).went_well()
        runs.append((run, instance))
    assert_alike(*runs)
    run, instance = runs[0]
    check, real = ({**done.result, "invocation": None} for done in run.done)
    assert check == real
    assert statuses(run.last.result) == {
        "sys_user": "granted",
        "incident": "needs_elevation",
        "v_plugin": "needs_elevation",
        "no_such_table": "missing",
    }
    assert not run.last.changed
    assert not run.last.writes
    (step,) = run.last["manual_steps"]
    assert step["values"]["Name"] == "incident, v_plugin"
    assert step["values"]["Requires role"] == "reader"
    assert "security_admin" in step["where"]
    assert exported(run.last["update_set"]) == ["incident", "incident.reader", "v_plugin", "v_plugin.reader"]
    assert {entry["object"] for entry in run.last["drift"]} == {
        "table_acl incident (reader)", "table_acl v_plugin (reader)", "table_acl no_such_table (reader)",
    }  # fmt: skip


def test_a_granted_role_is_no_drift(playbook: Playbooks, instance: Instance) -> None:
    instance.add("sys_user_role", name="reader")
    for table in TABLES[:2]:
        grant(instance, "reader", table)
    run = playbook([task(MODULE, role="reader", tables=TABLES[:2])], instance).went_well()
    assert run.last["drift"] == []
    assert run.last["manual_steps"] == []


def test_a_table_that_does_not_exist_is_missing_also_alone(playbook: Playbooks, instance: Instance) -> None:
    run = playbook([task(MODULE, role="itil", tables=["incidnet"])], instance).went_well()
    assert statuses(run.last.result) == {"incidnet": "missing"}
    assert run.last["manual_steps"] == [], "there is nothing to enter for a table that is not there"


def test_unreadable_rules_are_reported_as_unknown(playbook: Playbooks, new_instance: NewInstance) -> None:
    instance = new_instance(users={"itil_user": {"password": "itil-Pass-1", "roles": ["itil"]}})
    account = {**instance.connection, "snow_username": "itil_user", "snow_password": "itil-Pass-1"}
    run = playbook([task(MODULE, role="itil", tables=["sys_user"])], {instance.name: account}).went_well()
    assert statuses(run.last.result) == {"sys_user": "unknown"}
    assert run.last["drift"] == []
    assert "may not read sys_security_acl" in run.last["warnings"][0]


def test_the_file_holds_exactly_the_rules_and_imports_without_problems(
    playbook: Playbooks, instance: Instance, sandbox: SandboxProcess
) -> None:
    role = instance.add("sys_user_role", name="reader")
    grant(instance, "reader", "incident")
    verify = task(MODULE, role="reader", tables=TABLES[:3], update_set_file="rules.xml")
    run = playbook([verify], instance).went_well()
    before = instance.rows("sys_security_acl")
    assert exported(run.last["update_set"]) == ["sys_user", "sys_user.reader", "v_plugin", "v_plugin.reader"]
    assert "Import Update Set from XML > rules.xml" in run.last["manual_steps"][0]["where"]
    assert sandbox.import_update_set(instance.name, run.last["update_set"])["problems"] == []
    made = [row for row in instance.rows("sys_security_acl") if row not in before]
    assert {(row["name"], row["operation"], row["type"], row["active"]) for row in made} == {
        ("sys_user", "read", "record", "true"),
        ("v_plugin", "read", "record", "true"),
    }
    links = instance.rows("sys_security_acl_role", sys_user_role=role)
    assert {row["sys_security_acl"] for row in links} >= {row["sys_id"] for row in made}
    again = playbook([verify], instance).went_well().last
    assert (again["drift"], again["manual_steps"], again["update_set"]) == ([], [], "")
    # A rule whose role got lost admits everyone.
    instance.remove("sys_security_acl_role", sys_security_acl=made[0]["sys_id"])
    lost = playbook([verify], instance).went_well().last
    assert any(
        f"lets every user read {made[0]['name']}, as its role reader is missing" in each for each in lost["warnings"]
    )
