# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that only read a tenant, and who is refused."""

from __future__ import annotations

import json
import os
import time

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.rate_limit import (
    RateLimit,
)
from tests.integration.playbooks import SHELLS, Playbooks, task
from tests.integration.tenant import SimulatedTenant, tenant_run
from tests.sandbox.process import SandboxProcess

IGNORED = {"ignore_errors": True}
QUERY = (
    "CloudAppEvents | where ApplicationId == 14509 | summarize Events=count() by ActionType | order by ActionType asc"
)


def test_reading_returns_the_same_in_both_shells_and_writes_nothing(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    tenant = SimulatedTenant(sandbox)
    tenant.connector("acme-prod", "https://acme-prod.service-now.com", last_connected=int(time.time() * 1000))
    tenant.connector("acme-test", "https://acme-test.service-now.com", state="error", message="Service timeout")
    looks = [
        task("mda_connector_info"),
        task("mda_activity_info", limit=5),
        task("mda_policy_info", types=["ANOMALY_DETECTION"]),
        task("graph_hunting_info", query=QUERY, timespan="P1D"),
    ]
    runs = [tenant_run(playbook, looks, tenant.hosts(), shell=shell).went_well() for shell in SHELLS]
    here, there = ([done.result for done in run.done] for run in runs)
    for one, other in zip(here, there, strict=True):
        assert one["changed"] is other["changed"] is False
        assert one["api_calls"]["write"] == other["api_calls"]["write"] == 0
        assert {**one, "api_calls": 0} == {**other, "api_calls": 0}
    assert not tenant.writes()
    connectors, activities, policies, hunting = here
    assert connectors["msg"].endswith("1 error), 1 problem")
    assert activities["msg"].endswith(" activities of app 14509 in the last 1 day")
    assert " policies, " in policies["msg"]
    found = {entry["name"]: entry for entry in connectors["connectors"]}
    assert found["acme-prod"]["status"] == "connected"
    assert found["acme-prod"]["days_left"] == 89
    assert (found["acme-test"]["status"], found["acme-test"]["message"]) == ("error", "Service timeout")
    assert [entry["id"] for entry in connectors["problems"]] == ["connector_error:acme-test"]
    assert {entry["type"] for entry in policies["policies"]} == {"ANOMALY_DETECTION"}
    standings = {entry["name"]: entry["standing"] for entry in policies["policies"]}
    assert standings["Ransomware detection"] == "replaced"
    assert standings["Impossible travel"] == "behavior"
    assert [column["name"] for column in hunting["schema"]] == ["ActionType", "Events"]


def test_an_application_is_returned_as_far_as_it_is_readable(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """Without an API token the list of connectors is refused, and evidence takes its place."""
    tenant = SimulatedTenant(sandbox)
    looks = [task("mda_connector_info"), task("mda_policy_info", more=IGNORED)]
    run = tenant_run(playbook, looks, tenant.hosts("mda_api_token"))
    assert "the list of connectors is refused" in run["mda_connector_info"]["evidence"][0]
    assert run["mda_policy_info"].failed
    assert "No application permission covers this route. Set mda_api_token" in run["mda_policy_info"].message


def test_entra_refuses_in_words_that_help(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, client_secret="expired")
    unknown = "11111111-2222-4333-8444-555555555555"
    looks = [
        task("mda_activity_info", "expired secret", more=IGNORED),
        task("graph_hunting_info", "expired secret of hunting", query="CloudAppEvents", more=IGNORED),
        task("mda_activity_info", "wrong secret", azure_client_secret="{{ wrong_secret }}", more=IGNORED),
        task("mda_activity_info", "wrong tenant", azure_tenant_id=unknown, more=IGNORED),
        task("mda_activity_info", "wrong application", azure_client_id=unknown, more=IGNORED),
        task("mda_activity_info", "no secret", azure_client_secret="", azure_auth_source="client_secret", more=IGNORED),
    ]
    run = tenant_run(playbook, looks, tenant.hosts("mda_api_token"), variables={"wrong_secret": "wrong-secret-1"})
    expected = {
        "expired secret": "AADSTS7000222",
        "expired secret of hunting": "AADSTS7000222",
        "wrong secret": "AADSTS7000215",
        "wrong tenant": "AADSTS90002",
        "wrong application": "AADSTS700016",
        "no secret": "azure_auth_source client_secret requires azure_client_secret",
    }
    for name, words in expected.items():
        assert run[name].failed
        assert words in run[name].message
    assert "wrong-secret-1" not in run.output


def test_missing_rights_are_named(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = SimulatedTenant(sandbox, mda_permissions=[], graph_permissions=[], api_token="revoked")
    looks = [
        task("mda_activity_info", "no permission", mda_api_token="", more=IGNORED),
        task("graph_hunting_info", "no hunting", query="CloudAppEvents", more=IGNORED),
        task("mda_activity_info", "revoked token", more=IGNORED),
    ]
    run = tenant_run(playbook, looks, tenant.hosts())
    assert "The call requires the permission Investigation.read" in run["no permission"].message
    assert "The call requires the permission ThreatHunting.Read.All" in run["no hunting"].message
    assert "refused mda_api_token (POST /api/v1/activities/ -> 401 Invalid token.)" in run["revoked token"].message
    assert "which is wrong, was revoked" in run["revoked token"].message
    assert "The call requires the permission Investigation.read" in run["revoked token"].message


def test_calls_wait_for_their_turn(real_playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """Twenty-nine calls of another run are on record, so the second of ours has to wait until they are a minute old."""
    tenant = SimulatedTenant(sandbox)
    folder = real_playbook.home / f"tmp/servicenow_defender-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True)
    throttle = RateLimit(tenant.access["mda_url"], print, folder)
    began = float(int(time.time()) - 50)
    throttle.file.write_text(json.dumps([began] * 29))
    looks = [task("mda_policy_info", f"look {number}") for number in (1, 2, 3)]
    run = tenant_run(real_playbook, looks, tenant.hosts()).went_well()
    assert "the tenant accepts 30 calls per minute" in run.output
    moments = [began] * 29 + sorted(moment for moment in json.loads(throttle.file.read_text()) if moment != began)
    assert len(moments) == 32
    assert all(later - earlier > 60.99 for earlier, later in zip(moments, moments[30:], strict=False))
    warnings = [words for done in run.done for words in done.result.get("warnings", [])]
    assert all("legacy API token" in words for words in warnings), "waiting is no reason for a warning"


def test_a_tenant_that_is_busy_is_reported(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """Other clients use up the calls of the tenant, of which our own record does not know."""
    tenant = SimulatedTenant(sandbox, throttle=1)
    looks = [task("mda_policy_info", "first"), task("mda_policy_info", "second")]
    run = tenant_run(playbook, looks, tenant.hosts(), retries=0)
    assert not run["first"].failed
    assert "The tenant accepts 30 calls per minute from all clients together. Run again later" in run["second"].message
