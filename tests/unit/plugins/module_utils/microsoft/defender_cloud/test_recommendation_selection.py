# SPDX-License-Identifier: GPL-3.0-or-later
"""Recommendations are selected by risk level, category, attack path and age; tags come from Resource Graph."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput, Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.assessments import (
    recommendation,
    risk_levels_of,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.recommendation_filter import (
    Context,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.defender_cloud.resource_tags import (
    add_tags,
)
from tests.unit.plugins.module_utils.microsoft.defender_cloud.assessment_rows import SUB, assessment, machine, metadata

NOW = datetime(2026, 3, 10, tzinfo=timezone.utc)


def row(**properties: Any) -> dict[str, Any]:
    about = metadata(recommendationCategory="SoftwareUpdate", categories=["Compute"])["properties"]
    return recommendation(assessment(machine("vm1"), **properties), about)


UNHEALTHY_SINCE = {"status": {"code": "Unhealthy", "statusChangeDate": "2026-03-05T00:00:00Z"}}


@pytest.mark.parametrize(
    ("context", "properties", "selected"),
    [
        (Context(), {}, True),
        (Context(risk_levels=["High"]), {"risk": {"level": "high"}}, True),
        (Context(risk_levels=["High"]), {"risk": {"level": "Low"}}, False),
        (Context(categories=["softwareupdate"]), {}, True),
        (Context(categories=["compute"]), {}, True),
        (Context(categories=["networking"]), {}, False),
        (Context(attack_paths=True), {"risk": {"attackPathsReferences": ["a", "b"]}}, True),
        (Context(attack_paths=True), {"risk": {"level": "High"}}, False),
        (Context(min_days=5), UNHEALTHY_SINCE, True),
        (Context(min_days=6), UNHEALTHY_SINCE, False),
        (Context(min_days=6), {}, True),
    ],
)
def test_a_recommendation_is_selected_by_its_context(context: Context, properties: Any, selected: bool) -> None:
    assert context.selects(row(**properties), NOW) is selected


def test_a_risk_level_that_does_not_exist_is_refused() -> None:
    assert risk_levels_of(["high", "none"]) == ["High", "None"]
    with pytest.raises(InvalidInput, match="risk_levels: 'severe' is no risk level; they are Critical, High"):
        risk_levels_of(["severe"])


def test_an_exemption_is_recognized() -> None:
    assert row(status={"code": "NotApplicable", "cause": "Exempt"})["is_exempt"] is True
    assert row(status={"code": "NotApplicable", "cause": "OffByPolicy"})["is_exempt"] is False
    assert row()["resource_group"] == "prod"


class Graph:
    """A client of Resource Manager whose Resource Graph has these resources."""

    def __init__(self, rows: list[dict[str, Any]] | None) -> None:
        self.rows, self.asked = rows, []  # type: list[dict[str, Any]] | None, list[Any]

    def resource_graph(self, query: str, subscriptions: list[str]) -> list[dict[str, Any]]:
        self.asked.append(subscriptions)
        if self.rows is None:
            raise Refused("no right")
        return self.rows


def test_only_the_tags_that_are_asked_for_are_kept() -> None:
    rows = [{**row(), "selected": True}, {**row(), "selected": False}]
    client = Graph([{"id": machine("VM1").upper(), "tags": {"Team": "red", "cost": 7}}, {"id": "/x", "tags": None}])
    add_tags(client, rows, ["team"])  # type: ignore[arg-type]
    assert rows[0]["tags"] == {"Team": "red"}
    assert "tags" not in rows[1]
    assert client.asked == [[SUB.rpartition("/")[2]]]
    with pytest.raises(Refused, match="the tags of resources could not be read. no right. Give the identity Reader"):
        add_tags(Graph(None), rows, ["team"])  # type: ignore[arg-type]


@pytest.mark.parametrize("deselects", [False, True])
def test_a_subscription_whose_resources_are_not_shown_is_named(deselects: bool) -> None:
    """Resource Graph leaves out what may not be read: without tags, its findings would move to other tickets."""
    rows = [{**row(), "selected": True}]
    (problem,) = add_tags(Graph([]), rows, ["team"], deselects=deselects)  # type: ignore[arg-type]
    assert f"the tags of the resources of subscription {SUB.rpartition('/')[2]} could not be read" in problem.message
    assert rows[0]["selected"] is not deselects
    untagged = Graph([{"id": machine("VM9"), "tags": None}])
    assert add_tags(untagged, [{**row(), "selected": True}], ["team"], deselects=True) == []  # type: ignore[arg-type]
    # Findings about a subscription itself, or about another cloud, have no resource there.
    for about in ({"resource_id": SUB}, {"source": "aws"}):
        assert add_tags(Graph([]), [{**row(), "selected": True, **about}], ["team"]) == []  # type: ignore[arg-type]
