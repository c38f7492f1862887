# SPDX-License-Identifier: GPL-3.0-or-later
"""onboard and harden: what requires elevation is completed manually on one instance, and taken over by the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks, Run
from tests.integration.update_set_fleet import CICD, add_source
from tests.sandbox.process import SandboxProcess

ROLE = "defender_cloud_apps_reader"
RULES = f"Defender: read access of {ROLE}"
MANUAL = "Access rules are writable only with the elevated role security_admin, which no API call can have"
ELEVATED = "glide.basicauth.required.scriptedprocessor"
TABLES = 13


class Fleet:
    """A source and instances that retrieve from it."""

    def __init__(self, playbook: Playbooks, sandbox: SandboxProcess, source: Instance, others: list[Instance]) -> None:
        self.playbook, self.sandbox, self.source, self.others = playbook, sandbox, source, others
        for each in others:
            add_source(each, source)

    def run(self, name: str, **more: Any) -> Run:
        """Run a playbook on all instances, with the variables for both update sets."""
        folder = self.playbook.folder
        variables = {
            "servicenow_defender_services": ["mda"],
            "snow_connection_update_set_file": f"{folder}/rules-{{{{ inventory_hostname }}}}.xml",
            "snow_table_acls_source": self.source.name,
            "snow_hardening_update_set_file": f"{folder}/settings-{{{{ inventory_hostname }}}}.xml",
            "snow_hardening_source": self.source.name,
            "snow_hardening_ids": ["request_auth.scripted_processor"],
            "snow_hardening_baseline": "",
            "snow_hardening_allow_irreversible": True,
            "snow_hardening_accept_side_effects": ["request_auth.scripted_processor"],
        }
        tags = ("--tags", "snow") if name == "onboard" else ()
        return self.playbook(name, [self.source, *self.others], *tags, variables=variables, **more).went_well()

    def complete(self, what: str) -> list[str]:
        """Do on the source what the manual step requires: import its file, preview, commit. Return the problems."""
        file = Path(self.playbook.folder) / f"{what}-{self.source.name}.xml"
        problems: list[str] = self.sandbox.import_update_set(self.source.name, file.read_text())["problems"]
        return problems


def granted(instance: Instance) -> int:
    """Return how many access rules require the role of the connector's account."""
    role = instance.row("sys_user_role", name=ROLE)["sys_id"]
    rules = {row["sys_id"] for row in instance.rows("sys_security_acl", operation="read", active="true")}
    return sum(row["sys_security_acl"] in rules for row in instance.rows("sys_security_acl_role", sys_user_role=role))


def changed(run: Run, instances: Iterable[Instance]) -> list[int]:
    return [run.recap[each.name]["changed"] for each in instances]


def steps(run: Run, instance: Instance, task: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run.on(instance.name, task)["manual_steps"]
    return found


def test_the_access_rules_of_one_instance_reach_the_others(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    task = "Configure role, account and application"
    source, first = new_instance(), new_instance(cicd=CICD)
    closed, lacking = (
        new_instance(cicd={**CICD, **knob}) for knob in ({"commit_acls": "skipped"}, {"roles_by_name": False})
    )
    fleet = Fleet(playbook, sandbox, source, [first, closed, lacking])
    open_fleet = fleet.run("onboard")
    for each in (source, *fleet.others):
        (step,) = steps(open_fleet, each, task)
        file = playbook.folder / f"rules-{each.name}.xml"
        assert file.stat().st_mode & 0o777 == 0o600
        assert step["values"]["Update set file"] == str(file)
        assert f"Import Update Set from XML > {file}; open {RULES} > Preview Update Set" in step["where"]
        assert (f"{source.name} has no completed update set '{RULES}'" in step["reason"]) == (each is not source)
    assert not any("update_set" in route for done in open_fleet.done for route in done.writes)

    assert fleet.complete("rules") == [], "the file of this collection imports without problems"
    assert granted(source) == TABLES
    check = fleet.run("onboard", check=True)
    assert changed(check, [source, first]) == [0, 1]
    assert granted(first) == 0
    real = fleet.run("onboard")
    assert changed(real, [source, first]) == [0, 1]
    assert granted(first) == TABLES
    assert steps(real, first, task) == steps(real, source, task) == []
    statuses = {row["status"] for row in real.on(first.name, task)["results"] if "table" in row}
    assert statuses == {"changed"}
    # Committed, but without effect: the rules are read back, and the step remains, as it does where the preview has problems.
    assert granted(closed) == granted(lacking) == 0
    (left,) = steps(real, lacking, task)
    assert (
        "was not committed, as its preview found 13 problems: " in left["reason"]
        and "Could not find a record in sys_user_role" in left["reason"]
    )
    (left,) = steps(real, closed, task)
    assert left["reason"].startswith(f"{MANUAL}. the update set {RULES} was committed, but 26 of its updates did not")

    again = fleet.run("onboard")
    assert changed(again, [source, *fleet.others]) == [0, 0, 0, 0]
    assert not any("update_set" in route for done in again.done for route in done.writes), "nothing is taken over twice"
    assert steps(again, first, task) == []
    assert [len(steps(again, each, task)) for each in (closed, lacking)] == [1, 1]
    for run in (real, again):
        assert run.summary.count("Not taken over, because: ") == 2, "a summary says why the step is left"
    assert f"the update set {RULES} of {source.name} is committed here, but" in again.summary
    drift = playbook(
        "drift", [first], "-e", "drift_include_hardening=false", variables={"snow_table_acls_source": source.name}
    )
    assert "table_acl" not in drift.summary


def test_the_settings_of_one_instance_reach_the_others(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    task = "Apply the settings of the baseline"
    source, other = new_instance(), new_instance(cicd=CICD)
    fleet = Fleet(playbook, sandbox, source, [other])
    open_fleet = fleet.run("harden")
    assert [len(steps(open_fleet, each, task)) for each in (source, other)] == [1, 1]
    assert fleet.complete("settings") == []
    assert source.row("sys_properties", name=ELEVATED)["value"] == "true"
    check = fleet.run("harden", check=True)
    real = fleet.run("harden")
    assert changed(check, fleet.others) == changed(real, fleet.others) == [1]
    assert other.row("sys_properties", name=ELEVATED)["value"] == "true"
    assert steps(real, other, task) == []
    again = fleet.run("harden")
    assert changed(again, [source, other]) == [0, 0]


def test_a_source_that_is_no_host_is_named(playbook: Playbooks, instance: Instance) -> None:
    run = playbook("onboard", instance, "--tags", "snow", variables={"snow_table_acls_source": "acme-devv"})
    assert run.status != 0
    assert "snow_table_acls_source: 'acme-devv' is not a host of the inventory" in run.output
    assert not any(done.writes for done in run.done)
