# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses of Resource Manager match the vendor's specifications, and requests of their examples are accepted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox import azure_specs as specs
from tests.unit.sandbox.arm_client import (
    ASSESSMENTS,
    DUE,
    GOVERNANCE,
    INTEGRATIONS,
    PRICINGS,
    SECURITY,
    ArmClient,
    Json,
)
from tests.unit.sandbox.client import RestClient
from tests.unit.sandbox.test_arm_governance import FIRST, rule
from tests.unit.sandbox.test_arm_integrations import credentials, integration
from tests.unit.vendor_files import specs_folder

RULE = f"{SECURITY}/governanceRules/{FIRST}"
INTEGRATION = f"{SECURITY}/integrations/{FIRST}"

# Resources of the specifications in our own words: every property, "?" for optional ones.
STATUS = {"code": str, "firstEvaluationDate": str, "statusChangeDate": str, "cause?": str, "description?": str}
PROPERTIES: dict[str, dict[str, Any]] = {
    "pricings": {
        **dict.fromkeys(("pricingTier", "freeTrialRemainingTime", "enforce", "resourcesCoverageStatus"), str),
        **dict.fromkeys(("subPlan?", "enablementTime?"), str),
        "extensions?": list,
        "deprecated?": bool,
        "replacedBy?": list,
    },
    "assessments": {
        "displayName": str,
        "resourceDetails": dict,
        "status": STATUS,
        "additionalData": dict,
        "risk": dict,
    },
    "assignments": {
        "remediationDueDate": str,
        "isGracePeriod": bool,
        "owner?": str,
        "remediationEta?": dict,
        "governanceEmailNotification?": dict,
        "additionalData?": dict,
    },
    "rules": {
        **dict.fromkeys(("displayName", "ruleType", "sourceResourceType", "tenantId", "remediationTimeframe"), str),
        "rulePriority": int,
        "conditionSets": list,
        "ownerSource": dict,
        "metadata": dict,
    },
    "integrations": {
        **dict.fromkeys(("displayName", "integrationType", "tenantId"), str),
        "isDisabled": bool,
        "includeMembersInScopes": bool,
        "excludedScopes": list,
        "additionalData": dict,
        "integrationRootDetails": dict,
        "metadata": dict,
    },
}


def fits(content: Json, expected: dict[str, Any]) -> bool:
    """Whether an object has exactly the expected properties."""
    known = {name.rstrip("?"): kind for name, kind in expected.items()}
    required = {name for name in expected if not name.endswith("?")}
    return required <= set(content) <= set(known) and all(
        fits(value, known[name]) if isinstance(known[name], dict) else type(value) is known[name]
        for name, value in content.items()
    )


def rows(arm: ArmClient, instance: RestClient) -> dict[str, list[Json]]:
    """Every kind of resource in the format of lists."""
    finding = arm.findings()[0]
    ticket = {"ticketNumber": 1, "ticketLink": "https://acme.service-now.com", "ticketStatus": "New"}
    properties = {"remediationDueDate": DUE, "owner": "ann@example.com", "additionalData": ticket}
    arm.put(f"{finding['id']}/governanceAssignments/{FIRST}", properties, GOVERNANCE, 201)
    arm.put(f"{arm.subscription}{RULE}", rule(), GOVERNANCE, 201)
    arm.put(f"{arm.subscription}{INTEGRATION}", integration(credentials(instance)), INTEGRATIONS, 201)
    assignments = f"{arm.subscription}{SECURITY}/assessments/{finding['name']}/governanceAssignments"
    return {
        "pricings": arm.list_all(f"{arm.subscription}{SECURITY}/pricings", PRICINGS),
        "assessments": arm.list_all(f"{arm.subscription}{SECURITY}/assessments", ASSESSMENTS),
        "assignments": arm.list_all(assignments, GOVERNANCE),
        "rules": arm.list_all(f"{arm.subscription}{SECURITY}/governanceRules", GOVERNANCE),
        "integrations": arm.list_all(f"{arm.subscription}{SECURITY}/integrations", INTEGRATIONS),
    }


def test_resources_have_the_keys_and_types_that_are_specified(arm: ArmClient, instance: RestClient) -> None:
    for kind, found in rows(arm, instance).items():
        assert found, kind
        for row in found:
            assert fits(row, {"id": str, "name": str, "type": str, "properties": PROPERTIES[kind]}), row
            assert row["id"].endswith(f"/{row['name']}") and row["type"].startswith("Microsoft.Security/")


@pytest.fixture
def specified() -> None:
    pytest.importorskip("jsonschema")
    pytest.importorskip("referencing")
    if specs_folder() is None:
        pytest.skip("Microsoft's specifications are not part of the repository: set SPECS_FOLDER")


@pytest.mark.usefixtures("specified")
def test_responses_match_the_specifications(arm: ArmClient, instance: RestClient) -> None:
    definitions = {"pricings": "Pricing", "assignments": "GovernanceAssignment", "rules": "GovernanceRule"}
    found = rows(arm, instance)
    for kind, definition in {**definitions, "integrations": "Integration"}.items():
        for row in found[kind]:
            assert specs.problems(kind, definition, row) == []
    for row in found["integrations"]:
        more = row["properties"]["additionalData"]
        assert specs.problems("integrations", "ServiceNowAdditionalData", more) == []
    for row in found["assessments"]:
        # The schema covers Azure only.
        if row["properties"]["resourceDetails"]["source"] == "Azure":
            name = "SecurityAssessmentPropertiesOrSecurityAssessmentPropertiesResponse"
            # Properties of responses only are not in the schema of requests.
            sent = {**row["properties"], "resourceDetails": {"source": "Azure"}}
            assert specs.problems(specs.body_schema(ASSESSMENTS), name, sent) == []
    for row in arm.list_all(f"{SECURITY}/assessmentMetadata", ASSESSMENTS):
        name = "SecurityAssessmentMetadataPropertiesResponse"
        assert specs.problems(specs.body_schema(ASSESSMENTS), name, row["properties"]) == []


@pytest.mark.usefixtures("specified")
def test_other_responses_match_the_specifications(arm: ArmClient, instance: RestClient) -> None:
    rows(arm, instance)
    path = f"{arm.subscription}{SECURITY}/getIntegrationTablesConfigurations"
    tested = arm.request("POST", path, {**credentials(instance), "password": "wrong"}, version=INTEGRATIONS).json()
    assert specs.problems("integrations", "ServiceNowTablesConfigurationsResponse", tested) == []
    groups = arm.request("POST", f"{arm.subscription}{INTEGRATION}/groups", "C", version=INTEGRATIONS).json()
    assert groups != [] and specs.problems("integrations", "IntegrationGroups", groups) == []
    started = arm.request("POST", f"{arm.subscription}{RULE}/execute", version=GOVERNANCE)
    result = arm.wait_finished(started.headers["Location"]).json()
    assert specs.problems("rules", "OperationResult", result) == []
    for path in (arm.subscription, f"{arm.subscription}{SECURITY}/governanceRules/{FIRST}/x", f"{SECURITY}/y"):
        error = arm.request("GET", path, version="1").json()
        assert specs.problems("types", "CloudError", error) == [] and error["error"]["code"]


@pytest.mark.usefixtures("specified")
def test_the_examples_are_accepted(arm: ArmClient) -> None:
    sent = specs.example("pricings", "Pricings/PutPricingByName_example.json")
    answer = arm.put(
        f"{arm.subscription}{SECURITY}/pricings/CloudPosture", sent["parameters"]["pricing"]["properties"], PRICINGS
    )
    wanted = sent["responses"]["200"]["body"]["properties"]
    assert answer["properties"].keys() == wanted.keys()
    assert answer["properties"]["extensions"] == wanted["extensions"]
    sent = specs.example("integrations", "integrations/PutIntegration_example.json")
    body = sent["parameters"]["integration"]["properties"]
    answer = arm.put(f"{arm.subscription}{INTEGRATION}", body, INTEGRATIONS, 201)
    assert answer["properties"].keys() == sent["responses"]["201"]["body"]["properties"].keys()
    sent = specs.example("assignments", "GovernanceAssignments/PutGovernanceAssignment_example.json")
    body = sent["parameters"]["governanceAssignment"]["properties"]
    key = sent["parameters"]["assignmentKey"]
    answer = arm.put(f"{arm.findings()[0]['id']}/governanceAssignments/{key}", body, GOVERNANCE, 201)
    assert answer["properties"] == sent["responses"]["201"]["body"]["properties"]
