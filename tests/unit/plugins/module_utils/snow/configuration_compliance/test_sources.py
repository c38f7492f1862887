# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings by where the resource is, and the age of the last import (docs/facts/configuration_compliance.md#findings-by-source)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.assessments import (
    environment_of,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.configuration_compliance.jobs import Run
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.configuration_compliance.sources import (
    age_problems,
    count_by_source,
    last_import,
    source_problems,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.query import Counts, TableRows

LINK = {"name": "sn_vulc_result", "element": "item", "reference": "sn_sec_cmn_src_ci"}
COLUMNS = [
    LINK,
    {"name": "sn_vulc_result", "element": "result"},
    {"name": "sn_sec_cmn_src_ci", "element": "made_up", "column_label": "Cloud provider"},
    {"name": "sn_sec_cmn_src_ci", "element": "source_id", "column_label": "Source ID"},
]


@dataclass
class Client:
    """Answers the dictionary, the counts by provider, and the count of machines of Azure Arc."""

    columns: list[dict[str, str]] = field(default_factory=lambda: list(COLUMNS))
    providers: dict[str, int] = field(default_factory=dict)
    arc: int = 0
    refused: str = ""
    queries: list[Any] = field(default_factory=list)

    def query(self, queries: list[Any]) -> list[TableRows]:
        self.queries += queries
        if not isinstance(queries[0], Counts):
            return [TableRows(tuple(self.columns))]
        column = queries[0].fields[0]
        rows = tuple({column: name, "count": str(count)} for name, count in self.providers.items())
        arc = ({"result": "Failed", "count": str(self.arc)},) if self.arc else ()
        return [TableRows(rows, self.refused), TableRows(arc)]


def test_results_are_counted_by_where_the_resource_is() -> None:
    client = Client(providers={"Azure": 9, "Amazon Web Services": 4, "gcp": 2, "": 1}, arc=3)
    found = count_by_source(client, "Defender^for Cloud")
    assert found["sources"] == {"azure": 7, "aws": 4, "gcp": 2, "on_premises": 3}
    _dictionary, by_provider, arc = client.queries
    assert by_provider.fields == ("item.made_up",)
    assert by_provider.query == "source=Defender^^for Cloud^result=Failed"
    assert arc.query == f"{by_provider.query}^item.source_idLIKEmicrosoft.hybridcompute/"


@pytest.mark.parametrize(
    "client",
    [
        Client(columns=[]),
        Client(columns=[*COLUMNS, {"name": "sn_sec_cmn_src_ci", "element": "other_provider"}]),
        Client(refused="403 no"),
    ],
)
def test_what_cannot_be_determined_or_read_is_unknown(client: Client) -> None:
    found = count_by_source(client, "Defender for Cloud")
    assert found["sources"] is None
    (problem,) = source_problems(found, {"aws": 3}, comparable=True)
    assert problem.id == "sources_unknown"


def test_a_source_that_does_not_arrive_is_named() -> None:
    found = {"sources": {"azure": 5, "aws": 0, "gcp": 1, "on_premises": 0}, "reason": ""}
    expected = {"azure": 5, "aws": 4, "gcp": 2, "on_premises": 0}
    problems = {problem.id: problem for problem in source_problems(found, expected, comparable=True)}
    assert list(problems) == ["source_missing:aws", "source_differs:gcp"]
    assert (problems["source_missing:aws"].severity, "4 unhealthy" in problems["source_missing:aws"].message) == (
        "error",
        True,
    )
    (early,) = source_problems(found, expected, comparable=False)
    assert (early.id, early.severity) == ("source_missing:aws", "warning")


def test_the_last_import_has_an_age() -> None:
    def run(hours: int, substate: str = "success") -> Run:
        ended = (datetime.now(timezone.utc) - timedelta(hours=hours, minutes=1)).strftime("%Y-%m-%d %H:%M:%S")
        return Run({"state": "complete", "substate": substate, "end_datetime": ended})

    assert last_import({"assessments": run(1, "failed")}) is None
    found = last_import({"assessments": run(60), "comprehensive_assessments": run(90), "policy_definitions": run(1)})
    assert found is not None
    assert found["age_hours"] == 60
    (problem,) = age_problems(found, 48)
    assert problem.id == "import_old"
    assert "60 hours ago" in problem.message
    for limit in (0, 60):
        assert not list(age_problems(found, limit))


@pytest.mark.parametrize(
    ("source", "resource", "environment"),
    [
        ("Azure", "/subscriptions/s/resourceGroups/g/providers/Microsoft.HybridCompute/machines/m", "on_premises"),
        ("OnPremiseSql", "", "on_premises"),
        ("Aws", "/subscriptions/s", "aws"),
        ("", "/subscriptions/s", "azure"),
        ("GitHub", "", "github"),
    ],
)
def test_a_recommendation_shows_where_its_resource_is(source: str, resource: str, environment: str) -> None:
    assert environment_of(source, resource) == environment
