# SPDX-License-Identifier: GPL-3.0-or-later
"""Session control of ServiceNow by a Conditional Access policy, and which instances are routed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conditional_access import (
    ADDRESS,
    APP_ID,
    BREAK_GLASS,
    MARKED,
    NAME,
    OTHER_ADDRESS,
    OTHER_APP_ID,
    POLICIES,
    ProtectedTenant,
    control,
)
from tests.integration.graph import graph_writes
from tests.integration.lifecycle import predicted_and_done
from tests.integration.playbooks import SHELLS, Playbooks, Run
from tests.sandbox.process import SandboxProcess

IGNORED = {"ignore_errors": True}
OFFICE = {"name": "Head office", "subnets": ["198.51.100.0/24", "2001:db8::/48"]}


def without_ids(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "id"} for row in results]


def assert_predicted_then_done_then_in_sync(run: Run, name: str, writes: int) -> None:
    predicted, real, again = (run[f"{name}: {time}"] for time in ("check", "real", "again"))
    assert (predicted.changed, real.changed, again.changed) == (True, True, False)
    assert not graph_writes(predicted)
    assert not graph_writes(again)
    assert real["api_calls"]["write"] == writes
    assert without_ids(predicted["results"]) == without_ids(real["results"])
    for key in ("drift", "diff", "unproven"):
        assert predicted[key] == real[key], key
    assert again["drift"] == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_policy_reports_first_and_is_then_changed(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant = ProtectedTenant(sandbox, graph_page=1)
    whole = {
        "applications": [APP_ID.upper(), "ServiceNow dev"],
        "include": ["Service Desk", "guests"],
        "exclude": [BREAK_GLASS, "Tier Zero"],
        "control": "block_downloads",
        "mode": "enabled",
        "location_condition": "outside",
        "named_locations": [OFFICE],
    }
    moved = {"location_condition": "inside", "named_locations": [{**OFFICE, "subnets": ["203.0.113.7"]}]}
    steps = [control("create"), control("change", **whole), control("move", **{**whole, **moved})]
    tasks = [each for step in steps for each in predicted_and_done(step)]
    tasks += [control("unmanaged", applications=whole["applications"], exclude=whole["exclude"])]
    run = tenant.run(playbook, tasks, shell=shell).went_well()

    assert_predicted_then_done_then_in_sync(run, "create", 1)
    created = run["create: real"]
    (outcome,) = created["results"]
    assert created["msg"] == f"Microsoft Graph: created session_control {NAME}"
    assert (outcome["mode"], outcome["control"], outcome["include"]) == ("report_only", "monitor", ["all"])
    assert (outcome["applications"], outcome["exclude"]) == (["ServiceNow"], [BREAK_GLASS])

    assert_predicted_then_done_then_in_sync(run, "change", 2)
    fields = {entry["field"] for entry in run["change: real"]["drift"] if entry["object"].startswith("session_control")}
    assert fields == {"mode", "control", "applications", "include", "exclude", "locations"}
    assert_predicted_then_done_then_in_sync(run, "move", 2)
    assert not run["unmanaged"].changed, "an option that is not set is not managed"

    policy, (location,) = tenant.policy(), tenant.rows("named_locations")
    assert (policy["state"], policy["grantControls"]) == ("enabled", None)
    assert policy["sessionControls"]["cloudAppSecurity"] == {
        "cloudAppSecurityType": "blockDownloads",
        "isEnabled": True,
    }
    conditions = policy["conditions"]
    assert sorted(conditions["applications"]["includeApplications"]) == [APP_ID, OTHER_APP_ID]
    assert conditions["users"]["includeUsers"] == ["GuestsOrExternalUsers"]
    assert len(conditions["users"]["excludeGroups"]) == len(conditions["users"]["excludeUsers"]) == 1
    assert conditions["locations"] == {"includeLocations": [location["id"]], "excludeLocations": []}
    assert (location["displayName"], location["isTrusted"]) == ("Head office [servicenow_defender]", False)
    assert [each["cidrAddress"] for each in location["ipRanges"]] == ["203.0.113.7/32"]


def test_what_is_changed_behind_everyones_back_is_repaired(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    tenant = ProtectedTenant(sandbox)
    wanted = control("wanted", include=["all"], control="monitor", mode="enabled", location_condition="everywhere")
    tenant.run(playbook, [wanted]).went_well()
    policy = tenant.policy()
    users = {
        **policy["conditions"]["users"],
        "excludeRoles": ["62e90394-69f5-4237-9190-012177145e10"],
        "includeUsers": ["None"],
    }
    users["excludeGuestsOrExternalUsers"] = {"guestOrExternalUserTypes": "b2bCollaborationGuest"}
    applications = {"includeApplications": ["All"], "excludeApplications": [APP_ID]}
    changed = {
        "state": "disabled",
        "conditions": {
            **policy["conditions"],
            "users": users,
            "applications": applications,
            "platforms": {"includePlatforms": ["iOS"]},
        },
        "sessionControls": {
            "cloudAppSecurity": None,
            "signInFrequency": {"value": 4, "type": "hours", "isEnabled": True},
        },
    }
    sandbox.tamper_tenant(POLICIES, changed, match={"displayName": MARKED})
    run = tenant.run(playbook, [*predicted_and_done(wanted)]).went_well()
    drift = {entry["field"]: (entry["before"], entry["after"]) for entry in run["wanted: real"]["drift"]}
    assert set(drift) == {"mode", "control", "applications", "include", "exclude"}
    assert drift["control"] == ("none", "monitor")
    assert drift["exclude"][0] == [BREAK_GLASS, "guests of selected types", "role 62e90394-69f5-4237-9190-012177145e10"]
    assert run["wanted: again"]["drift"] == []
    (unproven,) = run["wanted: again"]["unproven"]
    assert (unproven["field"], unproven["object"]) == ("conditions", f"session_control {NAME}")
    assert unproven["reason"].endswith("narrow it further: platforms")
    policy = tenant.policy()
    assert policy["sessionControls"]["signInFrequency"]["value"] == 4, "other session controls stay"
    assert policy["conditions"]["users"]["excludeRoles"] == []


def test_a_policy_that_would_lock_out_or_miss_its_users_is_refused(
    playbook: Playbooks, sandbox: SandboxProcess
) -> None:
    tenant = ProtectedTenant(sandbox)
    tenant.add_application("Twin", "1b3d5f70-0000-4000-8000-0000000000b1", ADDRESS)
    tenant.add_application("Twin", "1b3d5f70-0000-4000-8000-0000000000b2", ADDRESS)
    tenant.add_policy("Made by hand", ["All"])
    tenant.add_policy(
        "Blocking [servicenow_defender]", [APP_ID], grantControls={"operator": "OR", "builtInControls": ["block"]}
    )
    tenant.add_policy("Double [servicenow_defender]", [APP_ID])
    tenant.add_policy("Double [servicenow_defender]", [APP_ID])
    private = [{"name": "Office", "subnets": ["10.1.0.0/16"]}]
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "no exclusion": ({"exclude": []}, "name a break-glass account or group"),
        "guests only": ({"exclude": ["guests"]}, "name a break-glass account or group"),
        "disabled": ({"exclude": ["former@acme.onmicrosoft.com"]}, "needs a break-glass account that can sign in"),
        "everyone": ({"exclude": ["all", BREAK_GLASS]}, "'all' would exclude every user"),
        "applies to no one": ({"include": [BREAK_GLASS]}, "the policy would apply to no user"),
        "all applications": ({"applications": ["All"]}, "'All' would also be about the portals of administrators"),
        "missing application": ({"applications": ["ServiceNow de"]}, "the name 'ServiceNow de'; did you mean 'ServiceNow dev'"),
        "missing id": ({"applications": [OTHER_APP_ID.replace("a2", "c9")]}, "has no enterprise application with the application id"),
        "two applications": ({"applications": ["Twin"]}, "has 2 enterprise applications named 'Twin'"),
        "missing account": ({"exclude": ["no.one@acme.com"]}, "has no user or group 'no.one@acme.com'"),
        "missing group": ({"exclude": [BREAK_GLASS], "include": ["No such group"]}, "has no user or group 'No such group'"),
        "by hand": ({"display_name": "Made by hand"}, "that this collection did not create. Rename it to 'Made by hand [servicenow_defender]'"),
        "blocks": ({"display_name": "Blocking"}, "has the grant control 'block', which locks everyone out of ServiceNow"),
        "two policies": ({"display_name": "Double"}, "has 2 Conditional Access policies named 'Double [servicenow_defender]'"),
        "private": ({"location_condition": "outside", "named_locations": private}, "10.1.0.0/16 is private"),
        "no location": ({"location_condition": "inside"}, "in the role) outside or inside, and these require named_locations"),
    }  # fmt: skip
    before = tenant.rows(POLICIES)
    run = tenant.run(playbook, [control(name, **options, more=IGNORED) for name, (options, _words) in cases.items()])
    for name, (_options, words) in cases.items():
        assert words in run[name].message, (name, run[name].message)
    assert not tenant.writes()
    assert tenant.rows(POLICIES) == before


def test_missing_permissions_are_named(playbook: Playbooks, sandbox: SandboxProcess) -> None:
    """A run fails before it writes; check mode leaves unproven what it cannot read."""
    rights = ["Policy.Read.All", "Application.Read.All", "User.Read.All", "GroupMember.Read.All"]
    tenant = ProtectedTenant(sandbox, graph_permissions=rights)
    office = {"location_condition": "outside", "named_locations": [OFFICE]}
    run = tenant.run(playbook, [control("write", more=IGNORED), control("location", **office, more=IGNORED)])
    assert (
        "requires the permission Policy.ReadWrite.ConditionalAccess (with Policy.Read.All and Application.Read.All)"
        in run["write"].message
    )
    assert "could not create named_location Head office" in run["location"].message
    for missing in rights:
        sandbox.turn_tenant(graph_permissions=[each for each in rights if each != missing])
        groups = {"exclude": ["Tier Zero"]} if missing == "GroupMember.Read.All" else {}
        options = {**office, **groups, "instances": [ADDRESS]}
        steps = [control("real", **options, more=IGNORED), control("predicted", **options, more={"check_mode": True})]
        run = tenant.run(playbook, steps)
        assert f"requires the permission {missing}" in run["real"].message, run["real"].message
        reasons = {entry["object"]: entry["reason"] for entry in run["predicted"]["unproven"]}
        assert {f"session_control {NAME}", f"session_routing {ADDRESS}"} <= set(reasons)
        assert all(missing in reason for reason in reasons.values())
        assert run["predicted"]["drift"] == [] or missing not in ("Policy.Read.All",)
    assert not tenant.rows(POLICIES)
    assert not tenant.rows("named_locations")


@pytest.mark.parametrize("shell", SHELLS)
def test_instances_that_are_not_routed_are_named(playbook: Playbooks, sandbox: SandboxProcess, shell: str) -> None:
    tenant = ProtectedTenant(sandbox)
    tenant.add_policy("Everything", ["All"], state="enabledForReportingButNotEnforced")
    lost, instances = "https://lost.service-now.com", [ADDRESS, OTHER_ADDRESS, "https://lost.service-now.com"]
    steps = [
        control("report", instances=instances),
        control("enabled", mode="enabled", instances=instances),
        control("both", mode="enabled", applications=["ServiceNow", "ServiceNow dev"], instances=instances[:2]),
        control("off", mode="disabled", instances=instances[:2]),
    ]
    run = tenant.run(playbook, steps, shell=shell).went_well()
    status = {
        name: {row["name"]: row["status"] for row in run[name]["results"]}
        for name in ("report", "enabled", "both", "off")
    }
    assert status["report"] == {NAME: "changed", ADDRESS: "ok", OTHER_ADDRESS: "ok", lost: "unknown"}
    assert status["enabled"] == {NAME: "changed", ADDRESS: "ok", OTHER_ADDRESS: "report_only", lost: "unknown"}
    assert status["both"] == {NAME: "changed", ADDRESS: "ok", OTHER_ADDRESS: "ok"}
    assert status["off"] == {NAME: "changed", ADDRESS: "ok", OTHER_ADDRESS: "ok"}
    left = [entry for entry in run["enabled"]["drift"] if entry["object"] == f"session_routing {OTHER_ADDRESS}"]
    assert left == [
        {"object": f"session_routing {OTHER_ADDRESS}", "field": "routing", "before": "report_only", "after": "routed"}
    ]
    (unproven,) = run["enabled"]["unproven"]
    assert unproven["object"] == f"session_routing {lost}"
    assert "no enterprise application has its address" in unproven["reason"]
    rows = {row["name"]: row for row in run["both"]["results"]}
    assert (rows[OTHER_ADDRESS]["routing"], rows[OTHER_ADDRESS]["policies"]) == ("routed", ["Everything", NAME])
