# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Manager: pages, operations, refusals, links to elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import (
    TaskContext,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    PlatformFailure,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.arm import (
    AZURE_OPTIONS,
    ArmClient,
    client_for,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.arm.scopes import (
    read_scope,
    scope_of,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    SignInFailed,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import TRANSPORT_OPTIONS
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback, Reply, answer

PATH, VERSION = "/subscriptions/1/providers/Microsoft.Security/assessments", "2025-05-04"


@pytest.fixture
def manager_of(server: Loopback, context: TaskContext) -> Callable[..., ArmClient]:
    """Return the Resource Manager that connection options describe."""

    def make(**given: Any) -> ArmClient:
        options = {"azure_arm_url": server.url, "azure_access_token": "given-t0ken-text", "retries": 1, **given}
        checked = ArgumentSpecValidator({**AZURE_OPTIONS, **TRANSPORT_OPTIONS}).validate(options)
        assert not checked.error_messages
        return client_for(checked.validated_parameters, context)

    return make


@pytest.fixture
def manager(manager_of: Callable[..., ArmClient]) -> ArmClient:
    """Resource Manager at the test's server."""
    return manager_of()


def error(code: str, message: str, status: int) -> Reply:
    return answer({"error": {"code": code, "message": message}}, status)


def test_a_list_follows_its_links_as_they_are(server: Loopback, manager: ArmClient) -> None:
    link = f"{server.url}{PATH}?api-version={VERSION}&$skipToken=a%2Fb%20c"
    server.answers(answer({"value": [{"id": "1"}], "nextLink": link}), answer({"value": [{"id": "2"}]}))
    assert [row["id"] for row in manager.rows(PATH, VERSION)] == ["1", "2"]
    assert server.received[1].query["$skipToken"] == "a/b c"


def test_a_link_to_another_host_is_not_followed(server: Loopback, manager: ArmClient) -> None:
    server.answers(answer({"value": [], "nextLink": "https://elsewhere.example/subscriptions/1?x=y"}))
    with pytest.raises(EngineError, match=r"returned a link to elsewhere\.example"):
        manager.rows(PATH, VERSION)
    assert len(server.received) == 1


def test_a_link_to_the_clouds_own_address_goes_through_the_gateway(
    server: Loopback, manager_of: Callable[..., ArmClient]
) -> None:
    manager = manager_of(azure_arm_url=f"{server.url}/gate")
    link = f"https://management.azure.com{PATH}?$skipToken=2"
    server.answers(answer({"value": [], "nextLink": link}), answer({"value": []}))
    manager.rows(PATH, VERSION)
    assert (server.received[1].path, server.received[1].query) == (f"/gate{PATH}", {"$skipToken": "2"})


def test_a_list_that_repeats_its_link_is_incomplete(server: Loopback, manager: ArmClient) -> None:
    link = f"{server.url}{PATH}?$skipToken=1"
    server.answers(answer({"value": [{"id": "1"}], "nextLink": link}))
    with pytest.raises(AmbiguousResponse, match="incomplete.* a page a second time"):
        manager.rows(PATH, VERSION)


@pytest.mark.parametrize("flag", ["true", "True", True])
def test_a_truncated_result_of_resource_graph_is_incomplete(server: Loopback, manager: ArmClient, flag: Any) -> None:
    server.answers(answer({"data": [{"id": "1"}], "count": 1, "totalRecords": 1, "resultTruncated": flag}))
    with pytest.raises(AmbiguousResponse, match="the result is incomplete: 1 rows"):
        manager.resource_graph("securityresources")


@pytest.mark.parametrize("numbers", [{"totalRecords": 3}, {"count": 2}])
def test_rows_that_resource_graph_counts_but_does_not_return_are_missed(
    server: Loopback, manager: ArmClient, numbers: dict[str, int]
) -> None:
    server.answers(answer({"data": [{"id": "1"}], "resultTruncated": "false", **numbers}))
    with pytest.raises(AmbiguousResponse, match="incomplete"):
        manager.resource_graph("securityresources")


def test_an_empty_page_of_resource_graph_is_not_the_end(server: Loopback, manager: ArmClient) -> None:
    server.answers(
        answer({"data": [{"id": "1"}], "$skipToken": "a", "totalRecords": 2, "resultTruncated": "true"}),
        answer({"data": [], "$skipToken": "b", "totalRecords": 2}),
        answer({"data": [{"id": "2"}], "totalRecords": 2, "resultTruncated": "false"}),
    )
    assert [row["id"] for row in manager.resource_graph("securityresources")] == ["1", "2"]


def test_a_repeated_token_of_resource_graph_is_incomplete(server: Loopback, manager: ArmClient) -> None:
    server.answers(answer({"data": [{"id": "1"}], "$skipToken": "a"}))
    with pytest.raises(AmbiguousResponse, match="incomplete"):
        manager.resource_graph("securityresources")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_of_the_platform_is_not_a_refusal(server: Loopback, manager: ArmClient, status: int) -> None:
    server.answers(error("ServerBusy", "later", status))
    with pytest.raises(PlatformFailure, match=f"failed the call.* -> {status} ServerBusy"):
        manager.call("PUT", PATH, VERSION, body={})


def test_a_missing_object_is_distinguished_from_a_missing_scope(server: Loopback, manager: ArmClient) -> None:
    server.answers(error("ResourceNotFound", "no such thing", 404), error("SubscriptionNotFound", "gone", 404))
    assert manager.find(PATH, VERSION) is None
    with pytest.raises(Refused, match="SubscriptionNotFound: gone.*Check the subscription's id"):
        manager.find(PATH, VERSION)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(401, SignInFailed, "check azure_tenant_id"), (403, Refused, "Security Admin, Contributor or Owner")],
)
def test_refusals_name_the_remedy(
    server: Loopback, manager: ArmClient, status: int, kind: type[Exception], words: str
) -> None:
    server.answers(error("AuthorizationFailed", "no", status))
    with pytest.raises(kind, match=words):
        manager.call("GET", PATH, VERSION)


def test_the_details_of_the_platform_are_reported(server: Loopback, manager: ArmClient) -> None:
    details = [{"code": "InvalidQuery", "message": "Query is invalid."}, {"code": "Parser", "message": "near '~'"}]
    server.answers(answer({"error": {"code": "BadRequest", "message": "See below", "details": details}}, 400))
    with pytest.raises(Refused, match="BadRequest: See below: Query is invalid.: near '~'"):
        manager.resource_graph("securityresources")


@pytest.mark.parametrize(
    ("headers", "answers"),
    [
        ("location", [answer(None, 202), answer({"status": "Succeeded"})]),
        ("location", [answer(None, 204)]),
        ("azure-asyncoperation", [answer({"status": "InProgress"}), answer({"status": "Succeeded"})]),
    ],
)
def test_an_operation_is_followed_to_its_end(
    server: Loopback, manager: ArmClient, clock: Clock, headers: str, answers: Any
) -> None:
    begun = answer(None, 202, **{headers: f"{server.url}/operations/1?t=1", "retry_after": "7"})
    server.answers(begun, *answers)
    manager.finish(manager.call("POST", f"{PATH}/execute", VERSION), "the rule's run")
    assert sum(clock.naps) > 6.9
    assert len(server.received) == 1 + len(answers)


def test_an_operation_that_fails_or_lasts_too_long_is_reported(server: Loopback, manager: ArmClient) -> None:
    begun = answer(None, 202, location=f"{server.url}/operations/1")
    failed = answer({"status": "Failed", "error": {"code": "Boom", "message": "broke"}})
    server.answers(begun, failed, begun, answer(None, 202))
    with pytest.raises(EngineError, match="the rule's run failed: Boom: broke"):
        manager.finish(manager.call("POST", PATH, VERSION), "the rule's run")
    with pytest.raises(EngineError, match="has not ended within 20 s"):
        manager.finish(manager.call("POST", PATH, VERSION), "the rule's run", 20)


def test_resource_graph_is_read_to_its_end(server: Loopback, manager: ArmClient) -> None:
    server.answers(answer({"data": [{"a": 1}], "$skipToken": "t"}), answer({"data": [{"a": 2}]}))
    assert manager.resource_graph("securityresources") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("subscriptions/1/", "subscription"),
        ("/providers/microsoft.management/managementgroups/acme", "management group"),
        (
            "/subscriptions/1/resourceGroups/g/providers/Microsoft.Security/securityConnectors/aws",
            "security connector",
        ),
        ("/subscriptions/1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm", "resource"),
    ],
)
def test_scopes_are_distinguished(text: str, kind: str) -> None:
    assert read_scope("scope", text).kind == kind


def test_a_scope_that_is_none_or_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="scope must be /subscriptions/<id>"):
        read_scope("scope", "acme")
    with pytest.raises(InvalidInput, match="is a management group; here it must be a subscription"):
        scope_of({"scope": "/providers/Microsoft.Management/managementGroups/acme"}, "subscription")
    with pytest.raises(InvalidInput, match="scope or azure_subscription_id is required"):
        scope_of({})


@pytest.mark.parametrize("host", ["https://management.azure.com:443", "https://MANAGEMENT.azure.com:0443"])
def test_a_link_with_the_default_port_is_one_to_the_same_host(server: Loopback, manager: ArmClient, host: str) -> None:
    server.answers(answer({"value": [], "nextLink": f"{host}{PATH}?api-version={VERSION}&x=1"}), answer({"value": []}))
    assert manager.rows(PATH, VERSION) == []
    assert server.received[1].query["x"] == "1"


@pytest.mark.parametrize(
    "link", ["https://management.azure.com:8443/x", "http://management.azure.com/x", "https://a@management.azure.com/x"]
)
def test_a_link_to_another_port_or_scheme_is_not_followed(server: Loopback, manager: ArmClient, link: str) -> None:
    server.answers(answer({"value": [], "nextLink": link}))
    with pytest.raises(EngineError, match="the token is sent to no other host"):
        manager.rows(PATH, VERSION)


def test_a_used_up_quota_is_waited_for_as_its_header_says(server: Loopback, manager: ArmClient, clock: Clock) -> None:
    used_up = answer({"error": {"code": "RateLimiting"}}, 429, x_ms_user_quota_resets_after="00:00:04")
    server.answers(used_up, answer({"data": [], "count": 0, "totalRecords": 0}))
    assert manager.resource_graph("securityresources") == []
    assert sum(clock.naps) == pytest.approx(5, abs=0.01), "the header can be rounded down"


def test_an_operation_without_a_link_is_warned_of(server: Loopback, manager: ArmClient, context: TaskContext) -> None:
    server.answers(answer(status=202))
    manager.finish(manager.call("POST", "/x/execute", VERSION), "the run of a rule")
    assert any("without a link to follow" in warning for warning in context.warnings)


def test_a_failure_without_a_word_is_reported_as_that_of_the_service(
    server: Loopback, manager_of: Callable[..., ArmClient]
) -> None:
    server.answers(answer(status=500))
    with pytest.raises(PlatformFailure, match="The service failed without a message. Run again later"):
        manager_of(retries=0).call("PUT", "/x", VERSION, body={})
