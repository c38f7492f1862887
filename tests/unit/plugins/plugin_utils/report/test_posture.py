# SPDX-License-Identifier: GPL-3.0-or-later
"""The posture of instances against a hardening baseline, in every form of the report."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import merge
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.junit import to_junit
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.page import to_html
from tests.unit.plugins.plugin_utils.report.fleets import NOW, hostile, small
from tests.unit.plugins.plugin_utils.report.strategies import document_of
from tests.unit.plugins.plugin_utils.report.test_collect import report

HARDENING = "secops.servicenow_defender.snow_hardening"


def counts(compliant: int, deviating: int) -> dict[str, int]:
    return {"compliant": compliant, "deviating": deviating, "unknown": 1, "not_applicable": 2}


def posture_of(deviating: int, points: int = 96) -> dict[str, Any]:
    """Return a posture as modules report it."""
    return {
        "baseline": "secure_score",
        "settings": counts(18, deviating),
        "by_category": {"Authentication": counts(8, 0), "Session management": counts(10, deviating)},
        "by_severity": {"low": counts(8, 0), "critical": counts(10, deviating)},
        "secure_score": {
            "controls": 22, "compliant": 18, "points": points, "unknown_points": 0, "possible_points": 114,
        },
    }  # fmt: skip


def with_posture(host: str, posture: Any) -> Any:
    return report({"posture": posture, "changed": False}, host=host, action=HARDENING)


def test_every_instance_and_the_totals_have_a_posture() -> None:
    document = document_of(
        [with_posture("acme-dev", posture_of(2)), with_posture("acme-test", posture_of(1, 100)), report({}, host="x")]
    )
    assert document["hosts"]["acme-dev"]["posture"] == posture_of(2)
    assert document["hosts"]["x"]["posture"] is None
    totals = document["totals"]["posture"]
    assert totals["hosts"] == 2
    assert totals["by_severity"]["critical"] == {"compliant": 20, "deviating": 3, "unknown": 2, "not_applicable": 4}
    assert (totals["secure_score"]["points"], totals["secure_score"]["possible_points"]) == (196, 228)


def test_without_reading_the_baseline_nothing_is_reported_of_it() -> None:
    document = small()
    assert document["totals"]["posture"] is None
    assert b"Posture" not in to_html(document)
    assert b"posture" not in to_junit(document)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_slices_the_worse_posture_holds(order: tuple[int, int]) -> None:
    slices = [document_of([with_posture("acme-dev", posture_of(number))], "7") for number in (1, 3)]
    merged = merge(slices[order[0]], slices[order[1]], NOW)
    assert merged["hosts"]["acme-dev"]["posture"]["settings"]["deviating"] == 3
    assert merged["totals"]["posture"]["settings"]["deviating"] == 3


@pytest.mark.parametrize(
    "junk", [None, 7, [], {}, {"settings": []}, {"settings": {"compliant": "<b>"}, "by_category": 3}]
)
def test_a_posture_of_any_shape_does_no_harm(junk: Any) -> None:
    document = document_of([with_posture("acme-dev", junk)])
    assert to_html(document)
    assert to_junit(document)


def test_names_of_categories_stay_text() -> None:
    bad = "</table><script>window.broken = 1</script>"
    document = document_of([with_posture("acme-dev", {**posture_of(1), "by_category": {bad: counts(1, 1)}})])
    assert b"<script>window.broken" not in to_html(document)
    assert to_html(hostile())


def test_junit_and_the_page_show_it_by_category_and_severity() -> None:
    document = document_of([with_posture("acme-dev", posture_of(2))])
    (suite,) = ElementTree.fromstring(to_junit(document)).iter("testsuite")
    values = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert values["posture.secure_score.points"] == "96"
    assert values["posture.by_category.Session management.deviating"] == "2"
    assert values["posture.by_severity.critical.compliant"] == "10"
    page = to_html(document).decode()
    assert page.count("96 of 114 points") == 3, "fleet, totals, instance"
    assert page.index("critical</th>") < page.index("low</th>"), "the worst severity comes first"
