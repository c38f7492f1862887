# SPDX-License-Identifier: GPL-3.0-or-later
"""Advanced hunting (Defender for Cloud Apps facts 5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.azure.graph import Graph
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import EngineError, Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.shell import Context
from tests.unit.plugins.module_utils.azure.test_identity import params
from tests.unit.plugins.module_utils.loopback import Loopback, answer


def graph(server: Loopback, context: Context, **given: Any) -> Graph:
    return Graph.from_params(params(azure_access_token="t0ken-text", azure_graph_url=server.url, **given), context)


def test_a_query_is_sent_with_its_timespan(server: Loopback) -> None:
    server.answers(answer({"schema": [], "results": []}))
    # A query is a POST that changes nothing, so check mode lets it out.
    graph(server, Context(check_mode=True)).hunt("CloudAppEvents | take 1", "P1D")
    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/v1.0/security/runHuntingQuery")
    assert request.json == {"Query": "CloudAppEvents | take 1", "Timespan": "P1D"}
    assert request.headers["authorization"] == "Bearer t0ken-text"


@pytest.mark.parametrize("keys", [("name", "type"), ("Name", "Type")])
def test_rows_come_with_their_columns_however_they_are_spelled(
    server: Loopback, context: Context, keys: tuple[str, str]
) -> None:
    server.answers(answer({"schema": [dict(zip(keys, ("Events", "Int64"), strict=True))], "results": [{"Events": 4}]}))
    found = graph(server, context).hunt("x")
    assert found.rows == [{"Events": 4}]
    assert found.schema == [{"name": "Events", "type": "Int64"}]


def test_a_missing_permission_is_named_with_the_place_to_grant_it(server: Loopback, context: Context) -> None:
    server.answers(answer({"error": {"code": "Forbidden", "message": "Missing application roles"}}, 403))
    with pytest.raises(Refused, match="permission ThreatHunting.Read.All of Microsoft Graph. Grant it under Entra >"):
        graph(server, context).hunt("x")


def test_an_answer_without_rows_is_no_answer(server: Loopback, context: Context) -> None:
    server.answers(answer({"schema": []}))
    with pytest.raises(EngineError, match="holds no results"):
        graph(server, context).hunt("x")
