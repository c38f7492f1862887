# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a connection from working.

See docs/facts/defender_for_cloud.md#connecting-servicenow,
docs/facts/defender_for_cloud.md#clouds-with-the-integration, docs/facts/defender_for_cloud.md#permissions.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.arm.permissions import verdict_on
from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_access_info
from tests.unit.plugins.module_utils.loopback import answer
from tests.unit.plugins.module_utils.microsoft.fake_arm import SCOPE, SECURITY, ResourceManagerDouble, error

PERMISSIONS = "/providers/Microsoft.Authorization/permissions"
PLAN, FREE_PLAN = f"{SECURITY}/pricings/CloudPosture", f"{SECURITY}/pricings/FoundationalCspm"
WRITE = "Microsoft.Security/pricings/write"
SECURITY_ADMIN = {"actions": ["Microsoft.Security/*", "Microsoft.Authorization/*/read"], "notActions": []}
READER = {"actions": ["microsoft.security/*/read"], "notActions": []}
GROUP = "/providers/Microsoft.Management/managementGroups/acme"


def snapshot(
    arm: ResourceManagerDouble,
    *entries: Any,
    scope: str = SCOPE,
    state: str = "Registered",
    tier: str = "Standard",
    foundational: str = "Standard",
) -> None:
    arm.script(f"GET {scope}{PERMISSIONS}", answer({"value": list(entries)}))
    types = [{"resourceType": "integrations", "apiVersions": ["2023-07-01-preview"]}]
    arm.documents[f"{SCOPE}{SECURITY}"] = {"registrationState": state, "resourceTypes": types}
    arm.has(f"{SCOPE}{PLAN}", pricingTier=tier)
    arm.has(f"{SCOPE}{FREE_PLAN}", pricingTier=foundational)


def problem_ids(done: Any) -> list[str]:
    return [problem["id"] for problem in done["problems"]]


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([{"actions": ["*"], "notActions": []}], "allowed"),
        ([{"actions": ["MICROSOFT.security/*"]}], "allowed"),
        ([{"actions": ["Microsoft.Security/*/read"]}], "denied"),
        ([{"actions": ["*"], "notActions": ["Microsoft.Security/*/write"]}], "denied"),
        # What one role takes away, another one may give.
        (
            [{"actions": ["*"], "notActions": ["*/write"]}, {"actions": ["Microsoft.Security/pricings/write"]}],
            "allowed",
        ),
        ([{"actions": ["Microsoft.Security/pricings/writeX", "MicrosoftXSecurity/*"]}], "denied"),
        ([], "denied"),
        (None, "unknown"),
    ],
)
def test_an_action_is_checked_entry_by_entry(entries: Any, verdict: str) -> None:
    assert verdict_on(entries, WRITE) == verdict


def test_a_security_admin_is_never_refused(arm: ResourceManagerDouble) -> None:
    snapshot(arm, SECURITY_ADMIN)
    done = arm.run(mdc_access_info)
    assert done["problems"] == []
    access = done["access"]
    assert (access["provider"], access["plan"]["tier"], access["cloud"]) == ("Registered", "Standard", "AzureCloud")
    assert set(access["capabilities"].values()) == {"allowed"}
    assert access["integration_api_versions"] == ["2023-07-01-preview"]
    assert "diff" not in done.result


def test_a_reader_reports_what_is_missing(arm: ResourceManagerDouble) -> None:
    snapshot(arm, READER)
    done = arm.run(mdc_access_info)
    assert problem_ids(done) == [
        "cannot_delete_integration",
        "cannot_write_assignments",
        "cannot_write_governance_rules",
        "cannot_write_integration",
        "cannot_write_plan",
    ]
    assert all("Security Admin, Contributor or Owner" in problem["remedy"] for problem in done["problems"])
    assert done["access"]["actions"]["Microsoft.Security/assessments/read"] == "allowed"
    assert len({problem["message"] for problem in done["problems"]}) == len(done["problems"])


def test_one_spelling_of_the_action_of_integrations_is_not_enough_to_be_sure(arm: ResourceManagerDouble) -> None:
    role = {"actions": ["*"], "notActions": ["Microsoft.Security/integration/*"]}
    snapshot(arm, role)
    done = arm.run(mdc_access_info)
    assert problem_ids(done) == ["may_not_delete_integration", "may_not_write_integration"]
    assert done["problems"][0]["remedy"] == "Add Microsoft.Security/* to the custom role"


def test_a_plan_that_is_off_and_a_provider_that_is_not_registered(arm: ResourceManagerDouble) -> None:
    snapshot(arm, SECURITY_ADMIN, tier="Free")
    done = arm.run(mdc_access_info)
    assert [(p["id"], p["severity"]) for p in done["problems"]] == [("plan_off", "error"), ("not_owner", "warning")]
    snapshot(arm, SECURITY_ADMIN, state="NotRegistered")
    done = arm.run(mdc_access_info)
    assert problem_ids(done) == ["provider_not_registered"]
    assert "error provider_not_registered" in done["msg"]


def test_without_foundational_cspm_there_is_nothing_to_be_in_sync(arm: ResourceManagerDouble) -> None:
    snapshot(arm, SECURITY_ADMIN, tier="standard", foundational="free")
    done = arm.run(mdc_access_info)
    (problem,) = done["problems"]
    assert (problem["id"], problem["severity"]) == ("foundational_off", "error")
    assert "has no recommendations" in problem["message"]
    assert "free of charge" in problem["remedy"]
    assert done["access"]["foundational_plan"] == {"name": "FoundationalCspm", "tier": "free"}
    # Older subscriptions need not list it.
    del arm.documents[f"{SCOPE}{FREE_PLAN}"]
    snapshot_without = arm.run(mdc_access_info)
    assert snapshot_without["access"]["foundational_plan"]["tier"] == "unknown"


@pytest.mark.parametrize("cloud", ["AzureUSGovernment", "AzureChinaCloud"])
def test_other_clouds_have_no_integration(arm: ResourceManagerDouble, cloud: str) -> None:
    snapshot(arm, SECURITY_ADMIN)
    (problem,) = arm.run(mdc_access_info, azure_cloud=cloud)["problems"]
    assert (problem["id"], problem["severity"]) == ("cloud_unsupported", "error")
    assert cloud in problem["message"]
    assert "Security Incident Response (SIR)" in problem["remedy"]


def test_what_may_not_be_read_is_unknown(arm: ResourceManagerDouble) -> None:
    snapshot(arm, SECURITY_ADMIN)
    refused = error("AuthorizationFailed", "no", 403)
    for line in (f"GET {SCOPE}{PERMISSIONS}", f"GET {SCOPE}{SECURITY}"):
        arm.scripted[line] = [refused]
    done = arm.run(mdc_access_info)
    assert problem_ids(done) == ["permissions_unknown", "provider_unknown"]
    assert set(done["access"]["capabilities"].values()) == {"unknown"}
    snapshot(arm, SECURITY_ADMIN)
    arm.script(f"GET {SCOPE}{PLAN}", refused)
    assert problem_ids(arm.run(mdc_access_info)) == ["plan_unknown"]


def test_a_subscription_that_is_not_there_or_closed_is_a_failure(arm: ResourceManagerDouble) -> None:
    gone = error("SubscriptionNotFound", "The subscription 'x' could not be found.", 404)
    arm.script(f"GET {SCOPE}{SECURITY}", gone)
    with pytest.raises(Refused, match="SubscriptionNotFound.*Check the subscription's id"):
        arm.run(mdc_access_info)
    for path in (PERMISSIONS, SECURITY, PLAN):
        arm.script(f"GET {SCOPE}{path}", error("AuthorizationFailed", "no", 403))
    with pytest.raises(Refused, match="Give the identity Security Admin, Contributor or Owner"):
        arm.run(mdc_access_info)


def test_a_management_group_has_neither_provider_nor_plan(arm: ResourceManagerDouble) -> None:
    snapshot(arm, SECURITY_ADMIN, scope=GROUP)
    done = arm.run(mdc_access_info, scope=GROUP)
    assert done["problems"] == []
    assert (done["access"]["provider"], done["access"]["plan"]["tier"]) == ("not_applicable", "not_applicable")
    assert len(arm.server.received) == 1
    with pytest.raises(Refused, match="does not exist, or the identity may read nothing of it"):
        arm.run(mdc_access_info, scope=f"{GROUP}-other")


def test_who_is_calling_is_read_from_the_token(arm: ResourceManagerDouble) -> None:
    claims = json.dumps({"oid": "o-1", "appid": "a-1", "tid": "t-1"}).encode()
    token = f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"
    snapshot(arm, SECURITY_ADMIN)
    caller = arm.run(mdc_access_info, azure_access_token=token)["access"]["caller"]
    assert caller == {"object_id": "o-1", "application_id": "a-1", "name": "", "tenant_id": "t-1"}
    snapshot(arm, SECURITY_ADMIN)
    assert set(arm.run(mdc_access_info)["access"]["caller"].values()) == {""}
