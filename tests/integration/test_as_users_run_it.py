# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches, strategies, limits, tags, extra variables and misspelt names, as users of Ansible combine them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks
from tests.integration.tenant import HOST
from tests.integration.test_graph_users import GraphTenant, upn
from tests.integration.test_onboard import enter_rules
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(5)

BOTH = {"servicenow_defender_services": ["mda", "mdc"]}
# How a run can be divided among hosts.
WAYS: dict[str, dict[str, Any]] = {
    "linear": {},
    "serial": {"variables": {"servicenow_defender_serial": 2}},
    "free": {"environment": {"ANSIBLE_STRATEGY": "free"}},
    "free and serial": {"variables": {"servicenow_defender_serial": 1}, "environment": {"ANSIBLE_STRATEGY": "free"}},
}


def sorted_names(summary: str) -> list[str]:
    """Return the lines of a summary with the objects of each in alphabetical order: hosts can end in any order."""
    return [", ".join(sorted(line.replace(": ", ", ").split(", "))) for line in summary.splitlines()]


class Fleet(Defender):
    """A tenant with both services and the instances connected to it."""

    def _hosts(self, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
        hosts = {instance.name: instance.connection for instance in self.instances}
        return {**hosts, **self.hosts(**options.pop("azure", {}))}


@pytest.fixture
def fleet(playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance) -> Fleet:
    return Fleet(playbook, sandbox, *(new_instance() for _number in range(3)), variables=BOTH)


def test_a_run_is_the_same_however_its_hosts_are_divided(fleet: Fleet) -> None:
    first = fleet("onboard", **WAYS["serial"]).went_well()
    assert "3 instances: 3 drift" in first.summary, "no connector yet"
    for instance in fleet.instances:
        enter_rules(instance)
    again = fleet("onboard", **WAYS["free"]).went_well()
    assert sum(numbers["changed"] for numbers in again.recap.values()) == 0
    for name in ("drift", "verify"):
        runs = {way: fleet(name, **options) for way, options in WAYS.items()}
        assert {run.status for run in runs.values()} == {2}, "the connectors are missing"
        summaries = {way: sorted_names(run.summary) for way, run in runs.items()}
        assert summaries == dict.fromkeys(WAYS, summaries["linear"])
        assert not any("Traceback" in run.output or "has no attribute" in run.output for run in runs.values())


@pytest.mark.parametrize("play", [{"serial": 2}, {"strategy": "free"}], ids=["serial", "free"])
def test_roles_work_in_a_play_of_the_users_own(fleet: Fleet, play: dict[str, Any]) -> None:
    roles = [
        {"ansible.builtin.include_role": {"name": f"{COLLECTION}.{name}"}}
        for name in ("snow_preflight", "snow_connection", "mda_connection", "mdc_itsm")
    ]
    hosts = fleet._hosts({})
    options = {"variables": fleet.variables, "defender": [HOST], "play": {"hosts": "servicenow", **play}}
    fleet.playbook(
        [{**role, "vars": {"snow_connection_service": "mdc"}} for role in roles], hosts, **options
    ).went_well()
    assert len(fleet.rows("integrations")) == 3


def test_a_limit_with_the_tenant_holds_in_the_tenant_too(fleet: Fleet) -> None:
    one, other, _third = fleet.instances
    run = fleet("onboard", "--limit", f"{one.name},{HOST}").went_well()
    assert one.name in run.summary
    assert not any(instance.name in run.output for instance in fleet.instances[1:])
    assert not other.requests()
    assert [row["properties"]["displayName"] for row in fleet.rows("integrations")] == [one.name]


def test_a_variable_that_one_instance_lacks_fails_it_alone(fleet: Fleet) -> None:
    one, *others = fleet.instances
    hosts = fleet._hosts({})
    hosts[one.name] = {**hosts[one.name], "snow_password": "{{ acme_missing }}"}
    run = fleet.playbook("onboard", hosts, variables=fleet.variables, defender=[HOST])
    assert run.status == 2
    assert [done.host for done in run.failures] == [one.name]
    assert f"failed: {one.name}: " in run.summary
    assert "acme_missing" in run.summary
    assert sorted(row["properties"]["displayName"] for row in fleet.rows("integrations")) == sorted(
        instance.name for instance in others
    )


# For each playbook, the tags, and a task that each of them is for.
TAGS: dict[str, dict[str, str]] = {
    "onboard": {
        "preflight": "Check release, account and sign-in settings",
        "snow": "Configure role, account and application",
        "verify": "Get a token and use it",
        "mda": "Connect all instances to Defender for Cloud Apps",
        "mdc": "Connect Defender for Cloud to all instances",
        "msem": "Connect all instances to Exposure Management",
    },
    "verify": {
        "preflight": "Check release, account and sign-in settings",
        "snow": "Get a token and use it",
        "verify": "Get a token and use it",
        "mda": "Get the status of all connectors",
        "mdc": "Verify the integrations of all instances",
        "msem": "Compare the data connectors of all instances",
    },
    "drift": {
        "snow": "Compare account, application, role and settings",
        "mda": "Compare the connectors of all instances",
        "mdc": "Compare the integrations of all instances",
        "msem": "Compare the data connectors of all instances",
    },
    "harden": {"harden": "Apply the settings of the baseline"},
    "tickets": {"mdc": "Create, update or resolve tickets"},
    "alerts": {"mdc": "Create, update, resolve or reopen tickets"},
    "respond": {},
    "activity": {"mda": "Read the activities of ServiceNow", "activity": "Read the activities of ServiceNow"},
}
# Those of the start, the summary and the exit status.
COMMON = {"always", "drift_fail", "drift_ignore"}
LISTED = re.compile(r"^ {6}(?:\S+ : )?(.+?)\tTAGS: \[(.*)\]$", re.M)


@pytest.mark.always
@pytest.mark.parametrize("name", TAGS)
def test_each_playbook_has_its_tags_and_a_summary_with_each(playbook: Playbooks, instance: Instance, name: str) -> None:
    listed = playbook(name, instance, "--list-tasks").went_well().output
    tasks = {task: set(filter(None, tags.split(", "))) for task, tags in LISTED.findall(listed)}
    assert {tag for tags in tasks.values() for tag in tags} - COMMON == set(TAGS[name])
    for tag, task in TAGS[name].items():
        assert tag in tasks[task], (tag, task)
    for task in ("Check variables", "Show summary", "Fail if the work on this host failed"):
        assert "always" in tasks[task]


def test_text_that_an_extra_variable_gives_is_one_entry_of_a_list(fleet: Fleet, sandbox: SandboxProcess) -> None:
    one = fleet.instances[0]
    limit = ("--limit", f"{one.name},{HOST}", "-e", "servicenow_defender_services=mdc")
    fleet.variables = {"servicenow_defender_accept_costs": True, "drift_include_hardening": False}
    fleet("onboard", *limit, "-e", f"mdc_itsm_instances={one.name}").went_well()
    assert [row["properties"]["displayName"] for row in fleet.rows("integrations")] == [one.name]
    assert (
        fleet("drift", *limit, "-e", f"mdc_itsm_instances={one.name}")
        .went_well()
        .summary.startswith("1 instance: 1 in sync")
    )
    fleet("verify", *limit, "-e", f"mdc_itsm_instances={one.name}").went_well()


def test_users_can_be_given_as_one_name(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = GraphTenant(sandbox)
    run = tenant.respond(playbook, respond_users=upn("employee")).went_well()
    (outcome,) = run["Apply the actions"]["results"]
    assert outcome["status"] == "changed"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("snow_connection_pasword", "snow_connection_password"),
        ("mdc_itsm_rule", "mdc_itsm_rules"),
        ("snow_usrname", "snow_username"),
    ],
)
def test_a_role_names_a_misspelt_variable(playbook: Playbooks, instance: Instance, name: str, meant: str) -> None:
    role = {"ansible.builtin.include_role": {"name": f"{COLLECTION}.snow_connection"}, "vars": {name: "x"}}
    run = playbook([role], instance)
    assert run.status == 2
    assert f"{name} is not a variable of this collection. Did you mean {meant}?" in " ".join(run.output.split())
    assert not instance.requests()
