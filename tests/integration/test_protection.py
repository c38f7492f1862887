# SPDX-License-Identifier: GPL-3.0-or-later
"""Protection in the playbooks: session control, what it does not cover, what retires; and policies that a learned contract creates."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.conditional_access import ADDRESS, BREAK_GLASS, MARKED, NAME, POLICIES, ProtectedTenant
from tests.integration.conftest import NewInstance
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import Playbooks, Run, task
from tests.integration.tenant import HOST, SimulatedTenant, learn_from, loaded, tenant_run, writes_of
from tests.sandbox.process import SandboxProcess

MASS, PII = "Mass download by a single user", "Detect files with PII/PCI/PHI"
RECORDED = "Recorded policy 4711"
SESSION = {
    "servicenow_defender_services": ["mda"],
    "drift_include_hardening": False,
    "mda_protection_session_control": "monitor",
    "mda_protection_session_applications": ["ServiceNow"],
    "mda_protection_session_exclude": [BREAK_GLASS],
}


def test_playbooks_configure_session_control_and_name_what_is_left(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    instance = new_instance(name="acme-dev")
    tenant = ProtectedTenant(sandbox, throttle=0)
    tenant.connect(instance)
    sandbox.tamper_tenant(
        "policies", {"name": PII, "policyType": "FILE", "severity": "HIGH", "enabled": True}, insert=True
    )
    address = instance.access.url

    def run(what: str, **variables: Any) -> Run:
        hosts = {instance.name: instance.connection, **tenant.hosts()}
        return playbook(what, hosts, "--tags", "mda", variables={**SESSION, **variables}, defender=[HOST])

    sandbox.tamper_tenant("service_principals", {"replyUrls": [address]}, match={"displayName": "ServiceNow"})
    before = run("drift")
    assert before.status == 2
    assert f"session_control {NAME} (state)" in before.summary
    assert before.summary.count("1 policy ends on 2027-01-06, and nothing replaces it for files in ServiceNow") == 1
    assert PII in before.summary
    assert not tenant.writes()

    assert f"session_control {NAME} (state)" in run("onboard").went_well().summary
    assert tenant.policy()["state"] == "enabledForReportingButNotEnforced"
    # The credentials of a connector that was inserted here are unproven; session control is not.
    after = run("verify")
    assert "session_" not in after.summary
    assert after.recap[HOST]["failed"] == 1
    assert after.summary.count(PII) == 1

    more = {"name": "ServiceNow test", "app_id": "1b3d5f70-0000-4000-8000-0000000000c1", "address": address}
    tenant.add_application(**more)
    left = run("verify")
    assert left.status == 2
    assert f"session control is not in effect as desired: session_routing {address}" in left.summary

    sandbox.tamper_tenant("service_principals", {}, match={"displayName": "ServiceNow test"}, delete=True)
    sandbox.tamper_tenant("service_principals", {"replyUrls": [ADDRESS]}, match={"displayName": "ServiceNow"})
    lost = run("verify")
    assert lost.status == 2
    assert f"session_routing {address} (no enterprise application has its address" in lost.summary

    sandbox.turn_tenant(graph_permissions=[], mda_permissions=[])
    blind = run("drift", mda_protection_policies=[])
    assert blind.status == 2
    for name in (f"session_control {NAME}", f"session_routing {address}"):
        assert name in blind.summary
    assert "requires the permission" in blind.summary
    assert len(tenant.rows(POLICIES, displayName=MARKED)) == 1


def test_a_range_that_is_not_listed_is_named(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = ProtectedTenant(sandbox)
    ranges = {
        "mda_protection_ip_ranges": [{"name": "Head office", "subnets": ["198.51.100.0/24"]}],
        "mda_protection_session_ip_ranges": "Head offices",
        "mda_protection_session_instances": [],
        "mda_protection_tenant": HOST,
    }
    role = {"name": "secops.servicenow_defender.mda_protection"}
    run = playbook(
        [{"name": "Protect", "ansible.builtin.include_role": role}], tenant.hosts(), variables={**SESSION, **ranges}
    )
    assert run.status == 2
    assert (
        "mda_protection_session_ip_ranges lists Head offices, which is not a name in mda_protection_ip_ranges: Head office"
        in run.output
    )
    assert not tenant.rows(POLICIES)


def recording(base_url: str, session: dict[str, str]) -> str:
    """Return what a browser records while a policy is created from a template: the page lists policies, then posts a new one."""
    root = f"{base_url}/tenant/portal/apiproxy/mcas/cas/api/v1"
    headers = {"Cookie": session["mda_portal_cookie"], "X-XSRF-TOKEN": session["mda_portal_xsrf_token"]}
    body = {
        "name": RECORDED,
        "policyType": "AUDIT",
        "severity": "LOW",
        "filters": {"activity.eventActionType": {"eq": ["EVENT_CATEGORY_DOWNLOAD_FILE"]}, "service": {"eq": [14509]}},
        "appId": [14509],
        "repeated": {"threshold": 50, "minutes": 1},
    }
    exchanges = (
        (f"{root}/policies/", {"filters": {}, "skip": 0, "limit": 20}, {"data": [], "hasNext": False}),
        (f"{root}/policy/activity/", body, {"_id": "665f1c2e9d3b4a7788990011"}),
    )
    entries = [
        {
            "startedDateTime": f"2026-11-20T10:00:{second:02}.000Z",
            "request": {
                "method": "POST",
                "url": url,
                "headers": [
                    {"name": name, "value": value}
                    for name, value in {**headers, "Content-Type": "application/json"}.items()
                ],
                "postData": {"mimeType": "application/json", "text": json.dumps(sent)},
            },
            "response": {"status": 200, "content": {"mimeType": "application/json", "text": json.dumps(received)}},
        }
        for second, (url, sent, received) in enumerate(exchanges)
    ]
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def test_a_recorded_policy_is_created_under_another_name(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox)
    sandbox.tamper_tenant("policies", {}, match={"name": MASS}, delete=True)
    target = {"learn_contract_target": "mda_policy"}
    learned, contract = learn_from(
        playbook, recording(sandbox.base_url, sandbox.portal_session()), {"name": RECORDED}, **target
    )
    assert "creating the policy sends 1 request(s)" in learned.went_well().output
    assert RECORDED not in contract.read_text()

    step = task("mda_policies", "create", policies=[{"name": MASS, "contract": loaded(contract)}])
    run = tenant_run(playbook, predicted_and_done(step), tenant.with_session()).went_well()
    predicted, real, again = (run[f"create: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False)
    assert predicted["drift"] == real["drift"]
    assert (sum(writes_of(predicted).values()), sum(writes_of(real).values())) == (0, 1)
    (row,) = tenant.rows("policies", name=MASS)
    assert (row["policyType"], row["enabled"], row["repeated"]) == ("AUDIT", True, {"threshold": 50, "minutes": 1})
    assert real["results"][0]["id"] == row["_id"]

    refused, _contract = learn_from(
        playbook, recording(sandbox.base_url, sandbox.portal_session()), {"username": "svc"}, **target
    )
    assert "learn_contract_values accepts name; not username" in refused.output
