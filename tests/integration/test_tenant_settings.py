# SPDX-License-Identifier: GPL-3.0-or-later
"""IP ranges and policies of a tenant, and the role mda_protection."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import COLLECTION, SHELLS, Playbooks, Run, Task, task
from tests.integration.tenant import HOST, SimulatedTenant, play, tenant_run, writes_of
from tests.sandbox.process import SandboxProcess

IGNORED = {"ignore_errors": True}
TERMINATED = "Activity performed by terminated user"
RANSOMWARE = "Ransomware detection"


def assert_predicted_then_done_then_in_sync(run: Run, name: str) -> None:
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert predicted.changed
    assert real.changed
    assert not again.changed
    assert not writes_of(predicted)
    assert not writes_of(again)
    assert real["api_calls"]["write"] == sum(writes_of(real).values()) > 0
    assert predicted["api_calls"]["write"] == again["api_calls"]["write"] == 0
    assert predicted["drift"] == real["drift"]
    assert predicted["diff"] == real["diff"]
    assert again["drift"] == []


def ranges(name: str, *entries: dict[str, Any], **options: Any) -> Task:
    return task("mda_ip_ranges", name, ip_ranges=list(entries), **options)


@pytest.mark.parametrize("shell", SHELLS)
def test_ip_ranges_are_created_and_deleted(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant = SimulatedTenant(sandbox)
    office = {"name": "Head office", "category": "corporate", "subnets": ["198.51.100.0/24"]}
    branch = {"name": "Branch", "category": "vpn", "subnets": ["192.0.2.0/24", "203.0.113.7"], "tags": ["acme"]}
    steps = [
        ranges("create", branch),
        ranges("change", {**branch, "category": "risky", "subnets": ["192.0.2.128/25"]}, office),
        ranges("purge", office, purge=True),
    ]
    tasks = [each for step in steps for each in predicted_and_done(step)]
    run = tenant_run(playbook, tasks, tenant.hosts("mda_api_token"), shell=shell).went_well()
    for name in ("create", "change", "purge"):
        assert_predicted_then_done_then_in_sync(run, name)
    assert [entry["field"] for entry in run["change: real"]["drift"]] == ["category", "subnets"]
    assert sum(writes_of(run["purge: real"]).values()) == 1
    assert [row["name"] for row in tenant.rows("subnets")] == ["Head office"]


def test_what_is_not_desired_of_a_range_stays(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """An update replaces the whole range, so what is left alone has to go along."""
    tenant = SimulatedTenant(sandbox)
    whole = {"name": "Branch", "subnets": ["192.0.2.0/24"], "tags": ["acme"], "organization": "Acme"}
    part = {"name": "Branch", "subnets": ["192.0.2.0/24"], "category": "risky"}
    run = tenant_run(playbook, [ranges("whole", whole), ranges("part", part)], tenant.hosts()).went_well()
    (row,) = tenant.rows("subnets", name="Branch")
    assert (row["category"], row["organization"], [tag["name"] for tag in row["tags"]]) == (3, "Acme", ["acme"])
    assert [entry["field"] for entry in run["part"]["drift"]] == ["category"]


def test_bad_ranges_are_refused_before_anything_is_written(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox)
    good = {"name": "Good", "subnets": ["192.0.2.0/24"]}
    cases = [
        ranges("no subnet", good, {"name": "Bad", "subnets": ["192.0.2.0/33"]}, more=IGNORED),
        ranges("twice", good, good, more=IGNORED),
        ranges("empty", good, {"name": "Bad", "subnets": []}, more=IGNORED),
    ]
    run = tenant_run(playbook, cases, tenant.hosts())
    assert "'192.0.2.0/33' is not a subnet" in run["no subnet"].message
    assert "ip_ranges (mda_protection_ip_ranges in the role) names 'Good' twice" in run["twice"].message
    assert "subnets is empty" in run["empty"].message
    assert not tenant.writes()


def test_policies_are_manual_steps_without_a_contract(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox)
    wanted = [{"name": RANSOMWARE}, {"name": TERMINATED.upper()}, {"name": "No such policy", "state": "disabled"}]
    wanted.append({"name": "Nor this one"})
    run = tenant_run(playbook, [task("mda_policies", policies=wanted)], tenant.hosts()).went_well()
    done = run.last
    assert not done.changed
    assert [entry["status"] for entry in done["results"]] == ["drift", "ok", "ok", "missing"]
    assert [step["id"] for step in done["manual_steps"]] == [f"policy:enabled:{RANSOMWARE}"]
    assert [(entry["object"], entry["before"], entry["after"]) for entry in done["drift"]] == [
        (f"policy {RANSOMWARE}", "disabled", "enabled"),
        ("policy Nor this one", "absent", "enabled"),
    ]
    assert any(RANSOMWARE in warning for warning in done["warnings"])
    assert not tenant.writes()


@pytest.mark.parametrize("shell", SHELLS)
def test_policies_are_switched_by_the_shipped_contract(
    playbook: Playbooks, sandbox: SandboxProcess, shell: str
) -> None:
    tenant = SimulatedTenant(sandbox)
    wanted = [{"name": RANSOMWARE, "state": "enabled"}, {"name": TERMINATED, "state": "disabled"}]
    step = task("mda_policies", "switch", policies=wanted, contract="portal_policy_routes")
    run = tenant_run(playbook, predicted_and_done(step), tenant.hosts(), shell=shell).went_well()
    assert_predicted_then_done_then_in_sync(run, "switch")
    assert sum(tenant.writes().values()) == 2
    enabled = {row["name"]: row["enabled"] for row in tenant.rows("policies")}
    assert (enabled[RANSOMWARE], enabled[TERMINATED]) == (True, False)


def test_the_role_protects_a_tenant(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox)
    sandbox.tamper_tenant("policies", {"enabled": False}, match={"name": TERMINATED})
    variables = {
        "mda_protection_tenant": HOST,
        "mda_protection_ip_ranges": [{"name": "Branch", "category": "vpn", "subnets": ["192.0.2.0/24"]}],
        "mda_protection_contract": "portal_policy_routes",
    }
    tasks = [{"name": "Protect", "ansible.builtin.include_role": {"name": f"{COLLECTION}.mda_protection"}}]
    runs = [playbook(tasks, tenant.hosts(), play=play(), variables=variables).went_well() for _ in range(2)]
    assert [run.recap[HOST]["changed"] for run in runs] == [2, 0]
    assert tenant.rows("policies", name=TERMINATED)[0]["enabled"] is True
    assert tenant.rows("subnets", name="Branch")


def test_a_commit_after_the_time_out_leaves_one_range(real_playbook: Playbooks, sandbox: SandboxProcess) -> None:
    late = {"kind": "late-commit", "path": "/mda/api/v1/subnet/create_rule/", "count": 1, "seconds": 3}
    tenant = SimulatedTenant(sandbox, faults=[late])
    branch = {"name": "Second branch", "subnets": ["198.51.100.0/28"]}
    run = tenant_run(real_playbook, [ranges("create", branch), ranges("again", branch)], tenant.hosts()).went_well()
    assert run["create"].changed
    assert not run["again"].changed
    assert len(tenant.rows("subnets", name="Second branch")) == 1
    assert sum(count for route, count in tenant.writes().items() if "create_rule" in route) == 1
