# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: hunting, lists, batches.

See docs/facts/microsoft_graph.md#advanced-hunting, docs/facts/microsoft_graph.md#conventions.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    PlatformFailure,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.graph.batch import Call
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.graph.client import GraphClient
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import AmbiguousResponse
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer
from tests.unit.plugins.module_utils.microsoft.entra.test_credentials import params


def graph(server: Loopback, context: TaskContext, **given: Any) -> GraphClient:
    return GraphClient.from_params(
        params(azure_access_token="t0ken-text", azure_graph_url=server.url, **given), context
    )


def test_a_query_is_sent_with_its_timespan(server: Loopback) -> None:
    server.answers(answer({"schema": [], "results": []}))
    # A query is a POST that changes nothing, so check mode lets it out.
    graph(server, TaskContext(check_mode=True)).hunt("CloudAppEvents | take 1", "P1D")
    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/v1.0/security/runHuntingQuery")
    assert request.json == {"Query": "CloudAppEvents | take 1", "Timespan": "P1D"}
    assert request.headers["authorization"] == "Bearer t0ken-text"


@pytest.mark.parametrize("keys", [("name", "type"), ("Name", "Type")])
def test_rows_come_with_their_columns_however_they_are_spelled(
    server: Loopback, context: TaskContext, keys: tuple[str, str]
) -> None:
    server.answers(answer({"schema": [dict(zip(keys, ("Events", "Int64"), strict=True))], "results": [{"Events": 4}]}))
    found = graph(server, context).hunt("x")
    assert found.rows == [{"Events": 4}]
    assert found.schema == [{"name": "Events", "type": "Int64"}]


def test_a_missing_permission_is_named_with_the_place_to_grant_it(server: Loopback, context: TaskContext) -> None:
    server.answers(answer({"error": {"code": "Forbidden", "message": "Missing application roles"}}, 403))
    with pytest.raises(Refused, match="permission ThreatHunting.Read.All of Microsoft Graph. Grant it under Entra >"):
        graph(server, context).hunt("x")


def test_an_answer_without_rows_is_no_answer(server: Loopback, context: TaskContext) -> None:
    server.answers(answer({"schema": []}))
    with pytest.raises(EngineError, match="contains no results"):
        graph(server, context).hunt("x")


# -- lists ------------------------------------------------------------------------------------------------------------


def test_a_list_follows_its_links_as_they_are(server: Loopback, context: TaskContext) -> None:
    link = f"{server.url}/v1.0/things?$skiptoken=a%2Fb%20c"
    server.answers(answer({"value": [{"id": "1"}], "@odata.nextLink": link}), answer({"value": [{"id": "2"}]}))
    assert [row["id"] for row in graph(server, context).rows("/things", "Things.Read", top="1")] == ["1", "2"]
    assert [request.query for request in server.received] == [{"$top": "1"}, {"$skiptoken": "a/b c"}]


def test_a_link_to_another_host_is_not_followed(server: Loopback, context: TaskContext) -> None:
    server.answers(answer({"value": [], "@odata.nextLink": "https://elsewhere.example/v1.0/things?x=y"}))
    with pytest.raises(
        EngineError, match=r"Microsoft Graph returned a link to elsewhere\.example.*Check azure_graph_url"
    ):
        graph(server, context).rows("/things", "Things.Read")
    assert len(server.received) == 1


def test_a_link_to_the_clouds_own_address_goes_through_the_gateway(server: Loopback, context: TaskContext) -> None:
    link = "https://graph.microsoft.com/v1.0/things?$skiptoken=2"
    server.answers(answer({"value": [], "@odata.nextLink": link}), answer({"value": []}))
    behind = GraphClient.from_params(
        params(azure_access_token="t0ken-text", azure_graph_url=f"{server.url}/gate"), context
    )
    behind.rows("/things", "Things.Read")
    assert server.received[1].path == "/gate/v1.0/things"


def test_a_list_that_repeats_its_link_is_incomplete(server: Loopback, context: TaskContext) -> None:
    server.answers(answer({"value": [{"id": "1"}], "@odata.nextLink": f"{server.url}/v1.0/things?$skiptoken=2"}))
    with pytest.raises(AmbiguousResponse, match="incomplete"):
        graph(server, context).rows("/things", "Things.Read")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_of_graph_is_not_a_refusal(server: Loopback, context: TaskContext, status: int) -> None:
    server.answers(answer({"error": {"code": "later", "message": "busy"}}, status))
    with pytest.raises(PlatformFailure, match=f"failed the call.* -> {status}"):
        graph(server, context).rows("/things", "Things.Read")


def test_an_answer_without_a_list_is_not_taken_for_an_empty_one(server: Loopback, context: TaskContext) -> None:
    server.answers(answer({"error": None}))
    with pytest.raises(AmbiguousResponse, match="the response contains no list"):
        graph(server, context).rows("/things", "Things.Read")


# -- batches ----------------------------------------------------------------------------------------------------------


class Batches:
    """Answers batches in reverse order; `throttled` paths are refused once each, with a Retry-After of 7 s."""

    def __init__(self, server: Loopback, *throttled: str) -> None:
        self.throttled = list(throttled)
        self.sizes: list[int] = []
        server.answers_by(self._answer)

    def _answer(self, request: Received) -> Reply:
        asked = request.json["requests"]
        self.sizes.append(len(asked))
        return answer({"responses": [self._one(each) for each in reversed(asked)]})

    def _one(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["url"] in self.throttled:
            self.throttled.remove(request["url"])
            error = {"error": {"code": "TooManyRequests", "message": "slow down"}}
            return {"id": request["id"], "status": 429, "headers": {"Retry-After": "7"}, "body": error}
        return {"id": request["id"], "status": 200, "body": {"url": request["url"]}}


def test_a_batch_holds_twenty_calls_and_its_answers_come_in_order(server: Loopback, context: TaskContext) -> None:
    batches = Batches(server)
    calls = [Call(f"/things/{number}") for number in range(45)]
    answers = graph(server, context).batch(calls)
    assert [each.data["url"] for each in answers] == [call.path for call in calls]
    assert batches.sizes == [20, 20, 5]


def test_calls_that_were_throttled_within_a_batch_are_sent_again(
    server: Loopback, context: TaskContext, clock: Clock
) -> None:
    batches = Batches(server, "/things/1", "/things/3")
    answers = graph(server, context, retries=2).batch([Call(f"/things/{number}") for number in range(5)])
    assert [each.status for each in answers] == [200] * 5
    assert batches.sizes == [5, 2]
    assert sum(clock.naps) == pytest.approx(7, abs=0.1)
    assert "2 of 5 calls of a batch failed" in context.warnings[0]


def test_a_call_that_stays_throttled_is_an_answer_of_its_own(server: Loopback, context: TaskContext) -> None:
    Batches(server, *["/things/1"] * 9)
    answers = graph(server, context, retries=1).batch([Call("/things/0"), Call("/things/1")])
    assert [each.status for each in answers] == [200, 429]


def test_only_a_batch_that_reads_goes_out_in_check_mode(server: Loopback) -> None:
    Batches(server)
    graph(server, TaskContext(check_mode=True)).batch([Call("/things/0")])
    with pytest.raises(Exception, match="in check mode"):
        graph(server, TaskContext(check_mode=True)).batch([Call("/things/0", "PATCH", {"a": 1})])


def test_a_batch_that_leaves_a_call_out_is_no_answer(server: Loopback, context: TaskContext) -> None:
    server.answers(answer({"responses": []}))
    with pytest.raises(EngineError, match=r"the response does not contain /things/0"):
        graph(server, context).batch([Call("/things/0?$select=id")])
