# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in, permissions, providers, versions, limits and faults of the Resource Manager.

See docs/facts/defender_for_cloud.md#azure-resource-manager, docs/facts/entra.md#sign-in,
docs/facts/defender_for_cloud.md#permissions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.process import SandboxProcess
from tests.unit.sandbox.arm_client import (
    ASSESSMENTS,
    AUDIENCE,
    GOVERNANCE,
    INTEGRATIONS,
    PRICINGS,
    SECURITY,
    ArmClient,
    refusal,
)
from tests.unit.sandbox.tenant_client import GRAPH, wait

MakeArm = Callable[..., ArmClient]
PERMISSIONS = "/providers/Microsoft.Authorization/permissions"


def test_a_token_for_the_resource_manager_is_needed(arm: ArmClient, make_arm: MakeArm) -> None:
    path = arm.subscription
    none = arm.request("GET", path, version="2022-12-01", headers={})
    assert refusal(none) == (401, "AuthenticationFailed") and "Bearer" in none.headers["WWW-Authenticate"]
    for header in (arm.bearer(GRAPH), {"Authorization": "Bearer x.y.z"}):
        answer = arm.request("GET", path, version="2022-12-01", headers=header)
        assert refusal(answer) == (401, "InvalidAuthenticationToken")
    for audience in ("https://management.core.windows.net", f"{AUDIENCE}/"):
        assert arm.request("GET", path, version="2022-12-01", headers=arm.bearer(audience)).status_code == 200
    stale = make_arm(token_lifetime=0)
    assert refusal(stale.request("GET", path, version="2022-12-01")) == (401, "ExpiredAuthenticationToken")


def test_subscriptions_follow_from_the_seed(make_arm: MakeArm) -> None:
    arm = make_arm(subscriptions=3)
    rows = arm.list_all("/subscriptions", "2022-12-01")
    assert [row["subscriptionId"] for row in rows] == arm.known["azure_subscription_ids"]
    assert arm.get_json(arm.subscription.upper().replace("SUBSCRIPTIONS", "subscriptions"), "2022-12-01") == rows[0]
    unknown = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23"
    for path in (unknown, f"{unknown}{SECURITY}/pricings"):
        assert refusal(arm.request("GET", path, version=PRICINGS)) == (404, "SubscriptionNotFound")
    assert arm.get_json(arm.group, "2021-04-01")["properties"]["tenantId"] == arm.known["azure_tenant_id"]
    assert refusal(arm.request("GET", f"{arm.group}-2", version="2021-04-01")) == (404, "NotFound")
    names = [
        row["name"] for row in arm.list_all(f"{arm.subscription}{SECURITY}/securityConnectors", "2024-08-01-preview")
    ]
    assert names == ["aws-prod", "gcp-prod"]
    assert arm.get_json(arm.aws, "2024-08-01-preview")["properties"]["environmentName"] == "AWS"


@pytest.mark.parametrize(
    ("role", "actions", "reads", "writes"),
    [
        ("Owner", ["*"], True, True),
        ("Contributor", ["*"], True, True),
        ("Security Admin", ["Microsoft.Security/*"], True, True),
        ("Security Reader", ["Microsoft.Security/*/read"], True, False),
    ],
)
def test_effective_permissions_decide(
    make_arm: MakeArm, role: str, actions: list[str], reads: bool, writes: bool
) -> None:
    arm = make_arm(azure_role=role)
    for scope in (arm.group, arm.subscription, f"{arm.subscription}/resourceGroups/rg-app-1", arm.aws):
        (entry,) = arm.get_json(f"{scope}{PERMISSIONS}", "2022-04-01")["value"]
        assert set(actions) <= set(entry["actions"])
        assert set(entry) == {"actions", "notActions", "dataActions", "notDataActions"}
    path = f"{arm.subscription}{SECURITY}/pricings/CloudPosture"
    assert (arm.request("GET", path, version=PRICINGS).status_code == 200) is reads
    answer = arm.request("PUT", path, {"properties": {"pricingTier": "Standard"}}, version=PRICINGS)
    assert (answer.status_code == 200) is writes
    if not writes:
        assert refusal(answer) == (403, "AuthorizationFailed")
        assert "'Microsoft.Security/pricings/write'" in answer.text and path in answer.text
    (row,) = arm.get_json(f"{arm.subscription}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")[
        "value"
    ]
    assert row["properties"]["scope"] == arm.group


def test_a_role_may_differ_by_scope(make_arm: MakeArm) -> None:
    arm = make_arm(subscriptions=3, azure_role="none")
    first, second, third = (f"/subscriptions/{each}" for each in arm.known["azure_subscription_ids"])
    assert arm.list_all("/subscriptions", "2022-12-01") == []
    assert refusal(arm.request("GET", first, version="2022-12-01")) == (403, "AuthorizationFailed")
    assert refusal(arm.request("GET", f"{first}{PERMISSIONS}", version="2022-04-01"))[0] == 403
    arm.sandbox.turn_tenant(azure_roles={second: "Security Reader", third: "Owner"})
    assert len(arm.list_all("/subscriptions", "2022-12-01")) == 2
    statuses = [
        arm.request("GET", f"{scope}{SECURITY}/assessments", version=ASSESSMENTS).status_code
        for scope in (first, second, third)
    ]
    assert statuses == [403, 200, 200]


def test_the_spelling_of_the_integration_action_is_a_knob(make_arm: MakeArm) -> None:
    arm = make_arm(azure_role="Custom", azure_actions=["Microsoft.Security/integrations/read"])
    path = f"{arm.subscription}{SECURITY}/integrations"
    assert arm.get_json(path, INTEGRATIONS) == {"value": []}
    arm.sandbox.turn_tenant(integration_action="integration")
    assert "'Microsoft.Security/integration/read'" in arm.request("GET", path, version=INTEGRATIONS).text


def test_the_provider_lists_its_types_and_can_be_registered(make_arm: MakeArm) -> None:
    arm = make_arm(provider="NotRegistered")
    path = f"{arm.subscription}{SECURITY}"
    shown = arm.get_json(path, "2021-04-01")
    assert shown["registrationState"] == "NotRegistered"
    known = {each["resourceType"]: each["apiVersions"] for each in shown["resourceTypes"]}
    assert known["integrations"] == ["2023-07-01-preview"] and known["governanceRules"] == ["2022-01-01-preview"]
    assert "getIntegrationTablesConfigurations" not in known
    answer = arm.request("GET", f"{path}/pricings/CloudPosture", version=PRICINGS)
    assert refusal(answer) == (404, "Subscription Not Registered")
    registering = arm.request("POST", f"{path}/register", version="2021-04-01").json()
    assert registering["registrationState"] == "Registering"
    wait(lambda: bool(arm.get_json(path, "2021-04-01")["registrationState"] == "Registered"))
    assert arm.request("GET", f"{path}/pricings/CloudPosture", version=PRICINGS).status_code == 200
    arm.sandbox.turn_tenant(provider_visible=False)
    assert refusal(arm.request("GET", path, version="2021-04-01")) == (403, "AuthorizationFailed")


def test_unknown_versions_and_types_are_refused(arm: ArmClient) -> None:
    path = f"{arm.subscription}{SECURITY}"
    assert refusal(arm.request("GET", f"{path}/pricings")) == (400, "MissingApiVersionParameter")
    answer = arm.request("GET", f"{path}/governanceRules", version="2024-01-01")
    assert refusal(answer) == (400, "NoRegisteredProviderFound")
    assert "The supported api-versions are '2022-01-01-preview'" in answer.json()["error"]["message"]
    assert (
        refusal(arm.request("GET", f"{arm.subscription}{PERMISSIONS}", version="1"))[1] == "InvalidApiVersionParameter"
    )
    assert refusal(arm.request("GET", f"{path}/serviceNow", version=GOVERNANCE)) == (404, "InvalidResourceType")
    wrong = f"{arm.subscription}/providers/Microsoft.Nothing/x"
    assert refusal(arm.request("GET", wrong, version=GOVERNANCE)) == (404, "InvalidResourceNamespace")
    assert refusal(arm.request("POST", f"{path}/pricings", version=PRICINGS))[0] == 405


def test_requests_are_counted_and_limited(make_arm: MakeArm) -> None:
    arm = make_arm(arm_reads=3)
    path = f"{arm.subscription}{SECURITY}/pricings"
    answers = [arm.request("GET", path, version=PRICINGS) for _ in range(5)]
    assert [answer.status_code for answer in answers][:3] == [200] * 3
    last = answers[-1]
    assert refusal(last) == (429, "SubscriptionRequestsThrottled")
    assert int(last.headers["Retry-After"]) >= 1
    assert answers[0].headers["x-ms-ratelimit-remaining-subscription-reads"] == "2"
    time.sleep(float(last.headers["Retry-After"]))
    assert arm.request("GET", path, version=PRICINGS).status_code == 200
    assert arm.request("GET", path.replace(*arm.known["azure_subscription_ids"]), version=PRICINGS).status_code == 200


def test_every_answer_can_be_traced(arm: ArmClient) -> None:
    given = {"x-ms-correlation-request-id": "5f5b1c2e-0000-4000-8000-000000000001", **arm.bearer(AUDIENCE)}
    answer = arm.request("GET", arm.subscription, version="2022-12-01", headers=given)
    assert answer.headers["x-ms-correlation-request-id"] == given["x-ms-correlation-request-id"]
    other = arm.request("GET", f"{arm.subscription}{SECURITY}/nothing", version="2022-12-01")
    assert other.headers["x-ms-request-id"] and "x-ms-ratelimit-remaining-subscription-reads" in other.headers


def test_faults_of_the_tenant_reach_it(make_arm: MakeArm) -> None:
    arm = make_arm(
        plan="Standard", faults=[{"kind": "500-after-commit", "count": 1, "path": "/arm/*", "method": "PUT"}]
    )
    path = f"{arm.subscription}{SECURITY}/pricings/KeyVaults"
    answer = arm.request("PUT", path, {"properties": {"pricingTier": "Standard"}}, version=PRICINGS)
    assert answer.status_code == 500
    assert arm.get_json(path, PRICINGS)["properties"]["pricingTier"] == "Standard", "its effects are in place"


def test_it_survives_a_restart(tmp_path: Path) -> None:
    arguments = ("--instances", "0", "--state", str(tmp_path / "state.json"))
    with SandboxProcess(*arguments) as sandbox:
        arm = ArmClient(sandbox, sandbox.new_tenant(plan="Standard"))
        finding = arm.findings()[0]
        arm.sandbox.tamper_tenant("assessments", {"status": "Healthy"}, match={"_id": finding["id"]})
        arm.put(f"{arm.subscription}{SECURITY}/pricings/KeyVaults", {"pricingTier": "Standard"}, PRICINGS)
    with SandboxProcess(*arguments) as sandbox:
        again = ArmClient(sandbox, sandbox.tenant())
        assert again.get_json(finding["id"], ASSESSMENTS)["properties"]["status"]["code"] == "Healthy"
        assert again.get_json(f"{arm.subscription}{SECURITY}/pricings/KeyVaults", PRICINGS)["properties"][
            "enablementTime"
        ]
