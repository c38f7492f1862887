# SPDX-License-Identifier: GPL-3.0-or-later
"""Integrations with ServiceNow.

See docs/facts/defender_for_cloud.md#connecting-servicenow, docs/facts/defender_for_cloud.md#manual-tickets,
docs/facts/defender_for_cloud.md#integrations.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import BadConnectionOption
from ansible_collections.secops.servicenow_defender.plugins.modules import mdc_integration, mdc_integration_info
from tests.unit.plugins.module_utils.loopback import DROPPED, Reply, answer
from tests.unit.plugins.module_utils.microsoft.fake_arm import (
    SCOPE,
    SECURITY,
    Done,
    ResourceManagerDouble,
    error,
    properties,
)

INTEGRATIONS = f"{SCOPE}{SECURITY}/integrations"
TEST = f"{SCOPE}{SECURITY}/getIntegrationTablesConfigurations"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
GROUP = "/providers/Microsoft.Management/managementGroups/acme"
CREDENTIALS = {
    "instance_url": "https://acme.service-now.com/",
    "username": "svc_mdc",
    "password": "pass-w0rd-text",
    "client_id": "c1d2",
    "client_secret": "cl1ent-secret-text",
}
DETAILS = {
    "instanceUrl": "https://acme.service-now.com",
    "userName": "svc_mdc",
    "password": "pass-w0rd-text",
    "clientId": "c1d2",
    "clientSecret": "cl1ent-secret-text",
}
NEW = {"display_name": "prod-itsm", **CREDENTIALS}
COLUMNS = [{"table": "Incident", "displayName": "Assignee", "serviceNowKey": "assigned_to", "isMandatory": True}]
GOOD = {
    "authenticationSucceeded": True,
    "errorType": "None",
    "errorDescription": "",
    "serviceNowTablesConfigurations": COLUMNS,
}


def integration(arm: ResourceManagerDouble, **options: Any) -> Done:
    return arm.run(mdc_integration, **options)


def secretive(document: dict[str, Any]) -> None:
    """Do as the draft's examples: credentials do not come back, columns and metadata do."""
    found = properties(document)
    found["additionalData"].pop("authenticationDetails", None)
    found["additionalData"].setdefault("tablesConfigurations", COLUMNS)
    found["integrationRootDetails"] = {"resourceId": document["id"].lstrip("/"), "distance": 0}
    found["metadata"] = {"createdOn": "2026-01-01T00:00:00Z"}
    found["tenantId"] = "t-1"
    document["id"] = document["id"].lstrip("/")


@pytest.fixture
def ready(arm: ResourceManagerDouble) -> ResourceManagerDouble:
    """A subscription that is ready to be connected."""
    types = [{"resourceType": "integrations", "apiVersions": ["2023-07-01-preview"]}]
    arm.documents[f"{SCOPE}{SECURITY}"] = {"registrationState": "Registered", "resourceTypes": types}
    arm.has(f"{SCOPE}{SECURITY}/pricings/CloudPosture", pricingTier="Standard")
    arm.script(f"POST {TEST}", *[answer(GOOD)] * 9)
    arm.changes = secretive
    return arm


def existing(arm: ResourceManagerDouble, row_id: str = "i-1", **changes: Any) -> str:
    more = {"integrationPlatform": "ServiceNow", "tablesConfigurations": COLUMNS, "unheardOf": 1}
    path = f"{INTEGRATIONS}/{row_id}"
    arm.has(path, **{"displayName": "prod-itsm", "integrationType": "ServiceNow", "additionalData": more, **changes})
    secretive(arm.documents[path])
    return path


def test_one_that_was_renamed_is_named_before_it_is_replaced(ready: ResourceManagerDouble) -> None:
    record = {"update_credentials": "on_mismatch", "accepted_key": "key"}
    accepted = integration(ready, **NEW, **record)["accepted"]
    (path,) = [each for each in ready.documents if each.startswith(f"{INTEGRATIONS}/")]
    properties(ready.documents[path])["displayName"] = "Renamed"
    for check_mode in (True, False):
        found = integration(ready, **NEW, **record, accepted=accepted, check_mode=check_mode)
        (warning,) = [each for each in found.warnings if "'Renamed'" in each]
        assert path.rpartition("/")[2] in warning
    again = integration(ready, **NEW, **record, accepted=found["accepted"])
    assert not [each for each in again.warnings if "'Renamed'" in each]


def test_a_subscription_is_connected_once(ready: ResourceManagerDouble) -> None:
    predicted = integration(ready, **NEW, check_mode=True)
    assert not ready.writes
    done = integration(ready, **NEW)
    (body,) = ready.puts
    assert body == {
        "properties": {
            "displayName": "prod-itsm",
            "isDisabled": False,
            "integrationType": "ServiceNow",
            "excludedScopes": [],
            "includeMembersInScopes": False,
            "additionalData": {"integrationPlatform": "ServiceNow", "authenticationDetails": DETAILS},
        }
    }
    assert (predicted["drift"], predicted["diff"], predicted["changed"]) == (done["drift"], done["diff"], True)
    assert done["connection_test"] == {"status": "succeeded", "message": ""}
    assert done["integration"]["tables_configurations"] == COLUMNS
    assert "pass-w0rd-text" not in json.dumps(done.result) + json.dumps(predicted.result)
    again = integration(ready, **NEW)
    assert (again["changed"], again["drift"], len(ready.puts)) == (False, [], 1)
    assert again["connection_test"]["status"] == "skipped"


def test_credentials_are_tried_before_and_after(ready: ResourceManagerDouble) -> None:
    integration(ready, **NEW)
    lines = [line for line in ready.server.lines if line.startswith(("POST", "PUT"))]
    assert [line.split()[0] for line in lines] == ["POST", "PUT", "POST"]
    assert [request.json for request in ready.server.received if request.method == "POST"] == [DETAILS, DETAILS]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("WrongCredentials", "did not accept the credentials.*snow_oauth_check"),
        ("UserUnauthorized", "may not read what Defender for Cloud requires.*administrator in ServiceNow"),
        ("SomethingNew", r"could not be connected \(SomethingNew: no\)"),
    ],
)
def test_refused_credentials_stop_the_run_before_the_first_write(
    ready: ResourceManagerDouble, kind: str, words: str
) -> None:
    bad = answer({"authenticationSucceeded": False, "errorType": kind, "errorDescription": "no"})
    ready.scripted[f"POST {TEST}"] = [bad]
    with pytest.raises(InvalidInput, match=words) as raised:
        integration(ready, **NEW)
    assert not ready.writes
    assert "Nothing was written" in str(raised.value)
    assert "pass-w0rd" not in str(raised.value)


@pytest.mark.parametrize(
    "reply", [error("InvalidResourceType", "no such type", 404), error("BadRequest", "no", 400), answer({})]
)
def test_without_a_connection_test_it_continues_with_a_warning(ready: ResourceManagerDouble, reply: Reply) -> None:
    ready.scripted[f"POST {TEST}"] = [reply]
    done = integration(ready, **NEW)
    assert "could not be tested before the write" in done.warnings[0]
    assert (done["changed"], done["connection_test"]["status"], len(ready.puts)) == (True, "unavailable", 1)


def test_an_answer_that_got_lost_makes_no_second_integration(ready: ResourceManagerDouble) -> None:
    integration(ready, **NEW)
    (path,) = [path for path in ready.documents if path.startswith(INTEGRATIONS)]
    del ready.documents[path]
    ready.script(f"PUT {path}", DROPPED)
    integration(ready, **NEW)
    assert [found for found in ready.documents if found.startswith(INTEGRATIONS)] == [path]


def test_a_change_without_the_credentials_is_refused(ready: ResourceManagerDouble) -> None:
    existing(ready)
    with pytest.raises(
        InvalidInput, match="a change of disabled also requires instance_url, username, password.*nothing was written"
    ):
        integration(ready, display_name="prod-itsm", disabled=True)
    assert not ready.writes
    # What is in sync needs none.
    assert integration(ready, display_name="prod-itsm", disabled=False)["changed"] is False


def test_an_update_keeps_unknown_fields_as_read(ready: ResourceManagerDouble) -> None:
    path = existing(ready, unknown={"a": 1})
    done = integration(ready, **NEW, disabled=True, excluded_scopes=["/subscriptions/2"])
    (body,) = ready.puts
    assert ready.writes == [f"PUT {path}"]
    more = properties(body)["additionalData"]
    assert (more["unheardOf"], more["tablesConfigurations"], more["authenticationDetails"]) == (1, COLUMNS, DETAILS)
    assert properties(body)["unknown"] == {"a": 1}
    assert [entry["field"] for entry in done["drift"]] == ["disabled", "excluded_scopes"]
    assert done["integration"]["extra_properties"] == {"unknown": {"a": 1}}


def test_credentials_are_written_always_only_where_that_is_wanted(ready: ResourceManagerDouble) -> None:
    existing(ready)
    assert integration(ready, **NEW)["changed"] is False
    for _run in range(2):
        done = integration(ready, **NEW, update_credentials="always")
        assert (done["changed"], [entry["field"] for entry in done["drift"]]) == (True, ["credentials"])
        assert "every run writes the credentials and reports a change" in done.warnings[0]
    assert len(ready.puts) == 2
    with pytest.raises(InvalidInput, match="a change of credentials also requires password"):
        integration(ready, **{**NEW, "password": None}, update_credentials="always")


def test_another_instance_is_detected_where_the_platform_reports_it(ready: ResourceManagerDouble) -> None:
    path = existing(ready)
    properties(ready.documents[path])["additionalData"]["authenticationDetails"] = {
        "instanceUrl": "https://old.service-now.com"
    }
    done = integration(ready, **NEW)
    assert done["drift"][0] == {
        "object": "integration prod-itsm",
        "field": "instance_url",
        "before": "https://old.service-now.com",
        "after": "https://acme.service-now.com",
    }


def test_inherited_ones_are_distinguished(ready: ResourceManagerDouble) -> None:
    path = existing(ready)
    root = {"resourceId": f"{GROUP}{SECURITY}/integrations/i-1".lstrip("/"), "distance": 1}
    properties(ready.documents[path])["integrationRootDetails"] = root
    found = ready.run(mdc_integration_info)
    assert [entry["inherited_from"] for entry in found["integrations"]] == [GROUP]
    assert found["api_version"] == "2023-07-01-preview"
    done = integration(ready, **NEW)
    assert "also inherits" in done.warnings[0]
    assert ready.writes[0] != f"PUT {path}"
    assert [entry["inherited_from"] for entry in ready.run(mdc_integration_info)["integrations"]] == ["", GROUP]
    # Its own one goes; the inherited one stays.
    done = integration(ready, display_name="prod-itsm", state="absent", confirm_assignment_loss=True)
    assert [found for found in ready.documents if found.startswith(INTEGRATIONS)] == [path]


def test_two_integrations_of_one_name_are_named_and_left_alone(ready: ResourceManagerDouble) -> None:
    existing(ready)
    existing(ready, "i-2")
    with pytest.raises(InvalidInput, match=r"\(i-1, i-2\). None was changed"):
        integration(ready, **NEW, disabled=True)


@pytest.mark.parametrize(
    ("rows", "reported"), [([{"tickets": 7}], "; 7 assignments there have a ticket"), ([{}], "created\\. The tickets")]
)
def test_removing_requires_a_confirmation_that_names_what_is_removed(
    ready: ResourceManagerDouble, rows: Any, reported: str
) -> None:
    path = existing(ready)
    ready.script(f"POST {GRAPH}", *[answer({"data": rows})] * 2)
    for check_mode in (True, False):
        with pytest.raises(InvalidInput, match=f"{reported}.*confirm_assignment_loss"):
            integration(ready, display_name="prod-itsm", state="absent", check_mode=check_mode)
    assert not ready.writes
    place = f"{path}/operationResults/o-1"
    del ready.documents[path]["properties"]["metadata"]
    ready.script(f"DELETE {path}", answer(None, 202, location=f"{ready.server.url}{place}"))
    ready.script(f"GET {place}", answer(None, 202), answer(None, 204))
    with pytest.raises(EngineError, match="state is 'present', not 'absent'"):
        integration(ready, display_name="prod-itsm", state="absent", confirm_assignment_loss=True)
    assert integration(ready, display_name="prod-itsm", state="absent", confirm_assignment_loss=True)["changed"] is True
    assert integration(ready, display_name="prod-itsm", state="absent")["changed"] is False


def test_what_cannot_work_is_refused_before_anything_is_written(ready: ResourceManagerDouble) -> None:
    with pytest.raises(InvalidInput, match="commercial cloud only, not in AzureUSGovernment"):
        integration(ready, **NEW, azure_cloud="AzureUSGovernment")
    with pytest.raises(InvalidInput, match="a new one requires password, client_secret"):
        integration(ready, **{**NEW, "password": None, "client_secret": None})
    with pytest.raises(BadConnectionOption, match="instance_url must be an absolute URL"):
        integration(ready, **{**NEW, "instance_url": "acme"})
    properties(ready.documents[f"{SCOPE}{SECURITY}/pricings/CloudPosture"])["pricingTier"] = "Free"
    with pytest.raises(InvalidInput, match="CloudPosture\\) is off on subscription.*mdc_plan"):
        integration(ready, **NEW)
    assert not ready.writes
    assert not [line for line in ready.server.lines if line.startswith("POST")], "credentials went out for nothing"


def test_connectors_of_other_clouds_are_warned_of_when_a_subscription_is_connected(
    ready: ResourceManagerDouble,
) -> None:
    for name, cloud in {"aws-prod": "AWS", "gcp-prod": "GCP", "code": "Github"}.items():
        ready.has(f"{SCOPE}{SECURITY}/securityConnectors/{name}", environmentName=cloud)
    (warning,) = integration(ready, **NEW).warnings
    assert warning.endswith("for aws-prod (AWS), gcp-prod (GCP)")
    assert integration(ready, **NEW).warnings == []


@pytest.mark.parametrize(
    ("listed", "given", "used"),
    [
        (["2023-07-01-preview"], None, "2023-07-01-preview"),
        (["2026-01-01-preview", "2024-01-31", "2023-07-01-preview"], None, "2024-01-31"),
        (["2025-01-01", "2026-01-01-preview", "2024-06-01-preview"], None, "2026-01-01-preview"),
        (["2025-01-01"], None, "2025-01-01"),
        ([], "2027-01-01", "2027-01-01"),
    ],
)
def test_the_version_is_found_out(
    ready: ResourceManagerDouble, listed: list[str], given: str | None, used: str
) -> None:
    ready.documents[f"{SCOPE}{SECURITY}"]["resourceTypes"][0]["apiVersions"] = listed
    assert ready.run(mdc_integration_info, api_version=given)["api_version"] == used
    (request,) = [request for request in ready.server.received if request.path == INTEGRATIONS]
    assert request.query["api-version"] == used


def test_a_subscription_without_the_type_is_distinguished_from_an_unreadable_one(ready: ResourceManagerDouble) -> None:
    ready.documents[f"{SCOPE}{SECURITY}"]["resourceTypes"] = [
        {"resourceType": "pricings", "apiVersions": ["2024-01-01"]}
    ]
    with pytest.raises(InvalidInput, match="lists no type integrations"):
        ready.run(mdc_integration_info)
    ready.script(f"GET {SCOPE}{SECURITY}", error("AuthorizationFailed", "no", 403))
    assert ready.run(mdc_integration_info)["api_version"] == "2023-07-01-preview"
    ready.script(f"GET {SCOPE}{SECURITY}", error("SubscriptionNotFound", "gone", 404))
    with pytest.raises(Refused, match="Check the subscription's id"):
        ready.run(mdc_integration_info)


def contract(arm: ResourceManagerDouble, **operations: Any) -> dict[str, Any]:
    return {"contract": 1, "name": "ours", "target": "mdc_integration", "operations": operations}


def test_a_contract_takes_the_place_of_the_draft(ready: ResourceManagerDouble) -> None:
    root = f"{ready.server.url}/${{scope}}/providers/Microsoft.Security"
    signed = {"authorization": "${authorization}"}
    wanted = contract(
        ready,
        create={
            "method": "PUT",
            "url": f"{root}/integrations/${{id}}?api-version=${{api_version}}",
            "headers": signed,
            "body": {"properties": "${properties}", "extra": {"off": "${disabled}", "to": "${instance_host}"}},
        },
        delete={"method": "DELETE", "url": f"{root}/integrations/${{id}}?api-version=1", "headers": signed},
        test={
            "method": "POST",
            "url": f"{root}/tryIt?api-version=1",
            "headers": signed,
            "body": {"u": "${username}", "p": "${password}"},
            "expect": {"fields": {"succeeded": "ok"}},
        },
    )
    ready.check = lambda: None  # type: ignore[method-assign]  # a contract need not fit the draft
    ready.script(f"POST {SCOPE}{SECURITY}/tryIt", *[answer({"ok": True})] * 3)
    done = integration(ready, **NEW, contract=wanted)
    (request,) = [request for request in ready.server.received if request.method == "PUT"]
    assert request.json["extra"] == {"off": False, "to": "acme.service-now.com"}
    assert request.json["properties"]["additionalData"]["authenticationDetails"] == DETAILS
    assert (request.path.startswith(INTEGRATIONS), request.headers["authorization"]) == (
        True,
        "Bearer given-t0ken-text",
    )
    assert (done["changed"], done["connection_test"]["status"]) == (True, "succeeded")
    assert not [line for line in ready.server.lines if line.endswith("getIntegrationTablesConfigurations")]
    assert integration(ready, **NEW, contract=wanted)["changed"] is False
    integration(ready, display_name="prod-itsm", state="absent", confirm_assignment_loss=True, contract=wanted)
    assert not [found for found in ready.documents if found.startswith(INTEGRATIONS)]


def test_a_contract_of_another_target_or_without_values_is_refused(ready: ResourceManagerDouble) -> None:
    url = f"{ready.server.url}/x"
    with pytest.raises(InvalidInput, match="target: must be mdc_integration here"):
        integration(
            ready, **NEW, contract={**contract(ready, create={"method": "PUT", "url": url}), "target": "mda_policy"}
        )
    lacking = contract(ready, create={"method": "PUT", "url": url, "body": "${portal_cookie}"})
    with pytest.raises(InvalidInput, match="requires mda_portal_cookie to create it"):
        integration(ready, **NEW, contract=lacking)
    assert not ready.writes


# -- check mode -----------------------------------------------------------------------------------------------------------


def test_check_mode_warns_of_what_an_earlier_task_would_have_put_right(arm: ResourceManagerDouble) -> None:
    types = [{"resourceType": "integrations", "apiVersions": ["2023-07-01-preview"]}]
    arm.documents[f"{SCOPE}{SECURITY}"] = {"registrationState": "Registered", "resourceTypes": types}
    arm.has(f"{SCOPE}{SECURITY}/pricings/CloudPosture", pricingTier="Free")
    arm.script(f"POST {TEST}", answer({"authenticationSucceeded": False, "errorType": "WrongCredentials"}))
    done = integration(arm, **NEW, check_mode=True)
    assert done["changed"] is True
    assert not arm.writes
    plan, credentials = done.warnings
    assert "Defender CSPM (CloudPosture) is off" in plan
    assert "did not accept the credentials" in credentials
    assert all("In check mode this is no failure" in warning for warning in done.warnings)
    without = integration(arm, **{**NEW, "password": None}, check_mode=True)
    assert any("requires password" in warning for warning in without.warnings)
    with pytest.raises(InvalidInput, match="is off on subscription"):
        integration(arm, **NEW)
